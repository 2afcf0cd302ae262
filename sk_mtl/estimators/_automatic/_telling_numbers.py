"""The columns of a wide table of numbers that tell something about a label."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.stats import f as f_distribution, rankdata

from sk_mtl.estimators._targets._target_column import TargetColumn

# Tables with more numbers than this, and so many rows, are screened. With fewer rows a
# test finds too little; with more a network finds the columns itself.
WIDE = 200
FEWEST_ROWS, MOST_ROWS = 500, 10_000
# The share of columns kept that may tell nothing, and the columns kept in any case.
FALSE_SHARE = 0.1
N_KEPT = 32
_N_BINS = 8
# Rarer classes are left to the other classes of their task.
_RAREST = 20


def is_wide(n_rows: int, n_numbers: int) -> bool:
    """Return whether a table has so many numbers that some should be left out."""
    return n_numbers > WIDE and FEWEST_ROWS <= n_rows <= MOST_ROWS


def find_telling_numbers(
    values: np.ndarray, codes: np.ndarray, columns: Sequence[TargetColumn]
) -> np.ndarray:
    """Return the columns of numbers that tell something about a label by themselves.

    The mean of a label, or of its rank, is compared between intervals of a number by
    an F test, so that any curve is found. Of all tests together the share of false
    findings is limited by the procedure of Benjamini and Hochberg. An effect that only
    several numbers have together is not found.

    Parameters
    ----------
    values : ndarray of shape (n_samples, n_numbers)
        NaN where a number is missing, which counts as an interval.

    codes : ndarray of shape (n_samples, n_tasks)
        Labels as numbers, NaN where one is missing.

    columns : sequence of TargetColumn
        The columns of y.

    Returns
    -------
    is_telling : ndarray of shape (n_numbers,), dtype bool
        At least `N_KEPT` are True, by the smallest error probabilities.
    """
    intervals = np.column_stack([_intervals(column) for column in values.T])
    tests = [np.ones((values.shape[1], 0))]
    for k, column in enumerate(columns):
        known = ~np.isnan(codes[:, k])
        traits = _traits(column, codes[known, k])
        tests.append(_error_probabilities(intervals[known], traits))
    p = np.hstack(tests)
    if not p.shape[1]:
        return np.ones(values.shape[1], dtype=bool)
    least = p.min(axis=1)
    is_telling = least <= _threshold(p.ravel())
    is_telling[np.argsort(least, kind="stable")[:N_KEPT]] = True
    return is_telling


def _intervals(column: np.ndarray) -> np.ndarray:
    """Return the interval of each number; equal numbers are in the same one."""
    missing = np.isnan(column)
    if missing.all():
        return np.zeros(len(column), dtype=np.int64)
    edges = np.nanquantile(column, np.arange(1, _N_BINS) / _N_BINS)
    return np.where(missing, _N_BINS, np.searchsorted(edges, column))


def _traits(column: TargetColumn, codes: np.ndarray) -> np.ndarray:
    """Return the ranks of numbers, or for each class whether a row has it."""
    classes = getattr(column, "classes", None)
    if classes is None:
        return rankdata(codes)[:, None]
    has_class = codes[:, None] == np.arange(len(classes))
    counts = has_class.sum(axis=0)
    enough = np.minimum(counts, len(codes) - counts) >= _RAREST
    # Two classes have the same test.
    return has_class[:, np.flatnonzero(enough)[: 1 if len(classes) == 2 else None]]


def _error_probabilities(intervals: np.ndarray, traits: np.ndarray) -> np.ndarray:
    """Return the error probability of each number, a row, and trait of a label."""
    n_samples, n_numbers = intervals.shape
    p = np.ones((n_numbers, traits.shape[1]))
    if not traits.size:
        return p
    deviations = traits - traits.mean(axis=0)
    total = (deviations**2).sum(axis=0)
    for j, interval in enumerate(intervals.T):
        counts = np.bincount(interval, minlength=_N_BINS + 1)
        sums = np.stack(
            [np.bincount(interval, d, minlength=_N_BINS + 1) for d in deviations.T]
        )
        between = (sums**2 / np.maximum(counts, 1)).sum(axis=1)
        within = np.maximum(total - between, 1e-12 * total)
        degrees = np.count_nonzero(counts) - 1
        rest = n_samples - degrees - 1
        if degrees and rest > 0:
            ratio = np.where(total > 0, between / within, 0) * rest / degrees
            p[j] = f_distribution.sf(ratio, degrees, rest)
    return p


def _threshold(p: np.ndarray) -> float:
    """Return the largest error probability at which the false share is kept."""
    p = np.sort(p)
    passed = p <= FALSE_SHARE * np.arange(1, len(p) + 1) / len(p)
    return p[passed].max(initial=0.0)

"""Choice of the validation rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.random import RandomState
from sklearn.model_selection import train_test_split

from sk_mtl._groups import group_names, group_numbers
from sk_mtl._stratification import (
    joint_labels,
    stratified_group_parts,
    stratified_parts,
)

# A stratum of fewer rows cannot reliably put a row on each side.
_SMALLEST_STRATUM = 2


class NoValidationRowsError(ValueError):
    """Error of a fit in which no rows can be held out for validation."""


def validation_rows(
    method, codes: np.ndarray, X, *, fraction: float, groups=None, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the row numbers of the training and of the validation part.

    Parameters
    ----------
    method : "random", "last" or a scikit-learn splitter
        ``"random"`` keeps groups together if ``groups`` are given. Otherwise it is
        stratified over the joint labels, or, if a class of a task would then be missing
        on one side, over the labels of each task. ``"last"`` takes the last rows. A
        splitter provides its first split.

    codes : ndarray of shape (n_samples, n_tasks)
        Class numbers, NaN where the label is missing.

    X : table with n_samples rows
        Passed to a splitter.

    fraction : float
        The share of validation rows.

    groups : array-like of shape (n_samples,) or None
        Read by ``"random"`` and by a splitter.

    seed : int
        Seed of the random split.

    Raises
    ------
    NoValidationRowsError
        If all rows are in one group, or there are too few rows.
    """
    n_samples = len(codes)
    labels = np.where(np.isnan(codes), -1, codes).astype(np.int64)
    if not isinstance(method, str):
        groups = None if groups is None else _comparable(groups)
        train, valid = next(iter(method.split(X, joint_labels(labels), groups)))
        return np.asarray(train), np.asarray(valid)
    n_valid = max(1, round(fraction * n_samples))
    if n_valid >= n_samples:
        raise NoValidationRowsError(
            "Early stopping needs a row for training besides those for validation; "
            f"found validation_fraction={fraction} of {n_samples} rows. Give more "
            "rows, a smaller fraction, or early_stopping=False."
        )
    rows = np.arange(n_samples)
    if method == "last":
        return rows[:-n_valid], rows[-n_valid:]
    if groups is not None:
        is_valid = _split_groups(labels, group_numbers(groups), fraction, seed)
    else:
        is_valid = _split_rows(labels, n_valid, seed)
    return rows[~is_valid], rows[is_valid]


def _comparable(groups) -> np.ndarray:
    """Return groups that a splitter can sort: numbers if names have several types."""
    names = group_names(groups)
    if names.dtype == object and len({type(name) for name in names.tolist()}) > 1:
        return group_numbers(groups)
    return names


def _split_rows(labels: np.ndarray, n_valid: int, seed: int) -> np.ndarray:
    """Return which rows are held out, stratified over the labels."""
    n_samples = len(labels)
    _, drawn = train_test_split(
        np.arange(n_samples),
        test_size=n_valid,
        stratify=_strata(labels, n_valid),
        random_state=seed,
    )
    is_valid = np.zeros(n_samples, dtype=bool)
    is_valid[drawn] = True
    if not _n_one_sided(labels, is_valid, np.arange(n_samples)):
        return is_valid
    sizes = [n_samples - n_valid, n_valid]
    return stratified_parts(labels, sizes, rng=RandomState(seed)) == 1


def _strata(labels: np.ndarray, n_valid: int) -> np.ndarray | None:
    """Return the joint labels, rare ones pooled, or None if all are too rare."""
    joint = joint_labels(labels)
    counts = np.bincount(joint)
    rare = counts[joint] < _SMALLEST_STRATUM
    if rare.any():
        joint = np.where(rare, counts.argmax(), joint)
    n_strata = len(np.unique(joint))
    if n_strata > min(n_valid, len(joint) - n_valid):
        return None
    return joint


def _n_one_sided(labels: np.ndarray, is_valid: np.ndarray, unit: np.ndarray) -> int:
    """Return the number of classes that are needlessly missing on one side.

    A class of one unit, a row or a group, belongs to the training part.
    """
    found = 0
    for column in labels.T:
        is_new = ~pd.DataFrame({"unit": unit, "label": column}).duplicated()
        counted = is_new.to_numpy() & (column >= 0)
        n_units = np.bincount(column[counted])
        n_valid = np.bincount(column[counted & is_valid], minlength=len(n_units))
        untrained = (n_valid == n_units) & (n_units > 0)
        found += (untrained | ((n_valid == 0) & (n_units > 1))).sum()
    return int(found)


def _split_groups(
    labels: np.ndarray, member: np.ndarray, fraction: float, seed: int
) -> np.ndarray:
    """Return which rows are held out: some groups with that share of the rows.

    Groups are drawn until the next would exceed the share. Groups larger than the share
    stay in training; if all are larger, the smallest one is held out. If a class is
    then missing on one side, groups are assigned by their labels, provided that this
    leaves fewer classes out.
    """
    sizes = np.bincount(member)
    if len(sizes) < 2:
        raise NoValidationRowsError(
            "groups must hold at least two groups, so that one can be held out for "
            "validation; found one. Give X_val and y_val, or set early_stopping=False."
        )
    most = fraction * len(member)
    drawn = np.random.default_rng(seed).permutation(len(sizes))
    drawn = drawn[sizes[drawn] <= most]
    held_out = drawn[sizes[drawn].cumsum() <= most]
    if not len(held_out):
        held_out = [sizes.argmin()]
    is_valid = np.isin(member, held_out)
    one_sided = _n_one_sided(labels, is_valid, member)
    if not one_sided:
        return is_valid
    shares = [1 - fraction, fraction]
    placed = stratified_group_parts(labels, member, shares, rng=RandomState(seed)) == 1
    better = placed.any() and _n_one_sided(labels, placed, member) < one_sided
    return placed if better else is_valid

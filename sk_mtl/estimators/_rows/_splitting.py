"""Which rows train and which rows tell when to stop."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

# A stratum of fewer rows than this can not put one row on each side reliably.
_SMALLEST_STRATUM = 2


class NothingToHoldOutError(ValueError):
    """There are no rows that could tell when to stop."""


def validation_rows(
    method, codes: np.ndarray, X, *, fraction: float, groups=None, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the row numbers of the training and of the validation part.

    Parameters
    ----------
    method : "random", "last" or a scikit-learn splitter
        ``"random"`` keeps groups together where ``groups`` are given, and is
        stratified over the joint labels otherwise; ``"last"`` takes the last rows; of
        a splitter the first split is used.

    codes : ndarray of shape (n_samples, n_tasks)
        Class numbers, NaN where a label lacks.

    X : table with n_samples rows
        Handed to a splitter.

    fraction : float
        The share of validation rows.

    groups : array-like of shape (n_samples,) or None
        Read by ``"random"`` and by a splitter.

    seed : int
        Decides the random split.

    Raises
    ------
    NothingToHoldOutError
        If all rows are in one group, or there is no row to spare.
    """
    n_samples = len(codes)
    if not isinstance(method, str):
        joint = joint_labels(codes)
        train, valid = next(iter(method.split(X, joint, groups)))
        return np.asarray(train), np.asarray(valid)
    n_valid = max(1, round(fraction * n_samples))
    if n_valid >= n_samples:
        raise NothingToHoldOutError(
            "Early stopping needs a row for training besides those for validation; "
            f"found validation_fraction={fraction} of {n_samples} rows. Give more "
            "rows, a smaller fraction, or early_stopping=False."
        )
    rows = np.arange(n_samples)
    if method == "last":
        return rows[:-n_valid], rows[-n_valid:]
    if groups is not None:
        return _split_groups(groups, fraction, seed)
    strata = _strata(codes, n_valid)
    train, valid = train_test_split(
        rows, test_size=n_valid, stratify=strata, random_state=seed
    )
    return np.sort(train), np.sort(valid)


def joint_labels(codes: np.ndarray) -> np.ndarray:
    """Return one number per combination of labels; a missing label is a value too."""
    filled = np.where(np.isnan(codes), -1, codes).astype(np.int64) + 1
    joint = np.zeros(len(codes), dtype=np.int64)
    for column in filled.T:
        # Renumbering after each task keeps the numbers below the number of rows.
        combined = joint * (column.max() + 1) + column
        joint = np.unique(combined, return_inverse=True)[1]
    return joint


def _strata(codes: np.ndarray, n_valid: int) -> np.ndarray | None:
    """Return the joint labels, rare ones pooled, or None where none can be kept."""
    joint = joint_labels(codes)
    counts = np.bincount(joint)
    rare = counts[joint] < _SMALLEST_STRATUM
    if rare.any():
        joint = np.where(rare, counts.argmax(), joint)
    n_strata = len(np.unique(joint))
    if n_strata > min(n_valid, len(joint) - n_valid):
        return None
    return joint


def _split_groups(groups, fraction: float, seed: int):
    """Return the rows of most groups, and those of some with that share of the rows.

    Groups are drawn until the next would exceed the share. Larger ones than the share
    stay in training; where all are, the smallest one is held out.
    """
    groups = np.asarray(groups)
    if pd.isna(groups).any():
        raise ValueError(
            "groups must name the group of every row; found missing values. Give rows "
            "without a group one of their own."
        )
    member, sizes = np.unique(groups, return_inverse=True, return_counts=True)[1:]
    if len(sizes) < 2:
        raise NothingToHoldOutError(
            "groups must hold at least two groups, so that one can be held out for "
            "validation; found one. Give X_val and y_val, or set early_stopping=False."
        )
    most = fraction * len(groups)
    drawn = np.random.default_rng(seed).permutation(len(sizes))
    drawn = drawn[sizes[drawn] <= most]
    held_out = drawn[sizes[drawn].cumsum() <= most]
    if not len(held_out):
        held_out = [sizes.argmin()]
    valid = np.isin(member, held_out)
    return np.flatnonzero(~valid), np.flatnonzero(valid)

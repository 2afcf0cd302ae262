"""The rows that a first fit held out, recognised in the fits that continue from it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from pandas.api.types import infer_dtype

from sk_mtl._groups import group_names
from sk_mtl._labels import plain_values
from sk_mtl._masked_arrays import EXACT_INTEGERS
from sk_mtl._warnings import warn_user
from sk_mtl.estimators._rows._labelled_rows import LabelledRows
from sk_mtl.estimators._rows._splitting import NoValidationRowsError


@dataclass(frozen=True)
class HeldOutRows:
    """Keys of the rows that must not train.

    The key of a row is its label in the index of a data frame if the labels are unique,
    and its position otherwise. If rows come in groups, the group is the key.

    Attributes
    ----------
    valid : ndarray of uint64
        Keys of the validation rows.

    unused : ndarray of uint64
        Keys of rows that a splitter left out of both parts.

    groups : ndarray of uint64
        Keys of the groups of validation rows; empty without groups.

    have_trained : bool
        Whether a fit has trained on some of the validation rows.
    """

    valid: np.ndarray
    unused: np.ndarray
    groups: np.ndarray
    have_trained: bool = False

    @classmethod
    def of(
        cls, rows: LabelledRows, train: np.ndarray, valid: np.ndarray
    ) -> HeldOutRows:
        """Return the keys, given the positions of the two parts."""
        keys, group_keys = row_keys(rows)
        unused = np.ones(len(keys), dtype=bool)
        unused[train] = unused[valid] = False
        names = np.array([], dtype=np.uint64)
        if group_keys is not None:
            names = np.unique(group_keys[valid])
        return cls(np.sort(keys[valid]), np.sort(keys[unused]), names)

    def joined(self, other: HeldOutRows | None) -> HeldOutRows:
        """Return the keys of both objects."""
        if other is None:
            return self
        fields = ("valid", "unused", "groups")
        return HeldOutRows(
            *(np.union1d(getattr(self, f), getattr(other, f)) for f in fields),
            have_trained=other.have_trained,
        )

    def after_training(self, rows: LabelledRows) -> HeldOutRows:
        """Return the keys after a fit that trained on all rows of a table."""
        is_valid = self._find(rows)
        return replace(self, have_trained=self.have_trained or bool(is_valid.any()))

    def find(
        self, rows: LabelledRows, fraction: float
    ) -> tuple[np.ndarray, np.ndarray] | None:
        """Return the positions of the training and validation rows of a later fit.

        Return None if the table has none of the rows that were held out before.
        `fraction` is the requested share of validation rows.
        """
        is_valid = self._find(rows)
        if not is_valid.any():
            return None
        is_train = ~is_valid & ~np.isin(_row_keys(rows.X), self.unused)
        if not is_train.any():
            raise NoValidationRowsError(
                "A fit that continues must have rows that the first fit did not hold "
                f"out; found that all {len(is_valid)} rows were held out. Give other "
                "rows, or set early_stopping=False to train on these."
            )
        if is_valid.mean() < fraction / 2:
            warn_user(
                "A fit that continues validates on the rows that the first fit held "
                f"out; found {is_valid.sum()} of them among {len(is_valid)} rows, less "
                f"than half of validation_fraction={fraction}. Give X_val and y_val, "
                "or fit a clone to hold out others.",
                UserWarning,
            )
        if self.have_trained:
            warn_user(
                f"Validation rows must not have trained; found {is_valid.sum()} that a "
                "fit between trained on, with X_val or without early stopping, so that "
                "they decide too late when to stop. Give X_val and y_val, or fit a "
                "clone.",
                UserWarning,
            )
        return np.flatnonzero(is_train), np.flatnonzero(is_valid)

    def _find(self, rows: LabelledRows) -> np.ndarray:
        """Return which rows, or rows of which groups, were held out."""
        if rows.groups is not None and len(self.groups):
            return np.isin(_group_keys(rows.groups), self.groups)
        return np.isin(_row_keys(rows.X), self.valid)


def row_keys(rows: LabelledRows) -> tuple[np.ndarray, np.ndarray | None]:
    """Return a key for each row, and for its group or None without groups."""
    groups = rows.groups
    return _row_keys(rows.X), None if groups is None else _group_keys(groups)


def _row_keys(X) -> np.ndarray:
    index = getattr(X, "index", None)
    if index is None or not index.is_unique:
        index = pd.RangeIndex(len(X))
    if isinstance(index, pd.MultiIndex) or index.hasnans:
        return pd.util.hash_pandas_object(index, index=False).to_numpy()
    return _keys(index.array)


def _group_keys(groups) -> np.ndarray:
    return _keys(group_names(groups))


def _keys(names) -> np.ndarray:
    """Return keys that are equal if names are equal, for columns of any type.

    The number 1 has the key of 1.0, and not the key of the text "1".
    """
    names = plain_values(names)
    if names.dtype.kind == "f" and (np.floor(names) == names).all():
        is_small = (np.abs(names) <= EXACT_INTEGERS).all()
        names = names.astype(np.int64) if is_small else names
    elif names.dtype.kind in "iu":
        is_small = (names <= np.iinfo(np.int64).max).all()
        names = names.astype(np.int64) if is_small else names
    elif names.dtype.kind in "mM":
        names = _in_one_unit(names)
    keys = pd.util.hash_array(names, categorize=False)
    if names.dtype.kind == "O" and infer_dtype(names) in ("mixed", "mixed-integer"):
        # pandas reads names of several types as text.
        is_text = np.fromiter((isinstance(n, str) for n in names), bool, len(names))
        keys = np.where(is_text, keys, ~keys)
    return keys


def _in_one_unit(times: np.ndarray) -> np.ndarray:
    """Return times in nanoseconds, if nanoseconds can represent them."""
    try:
        return pd.Series(times).dt.as_unit("ns").to_numpy()
    except (pd.errors.OutOfBoundsDatetime, pd.errors.OutOfBoundsTimedelta):
        return times

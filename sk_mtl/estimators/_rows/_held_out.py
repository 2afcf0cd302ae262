"""The rows that a first fit held out, recognised in the fits that continue from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sk_mtl._groups import group_names
from sk_mtl._warnings import warn_user
from sk_mtl.estimators._rows._splitting import NothingToHoldOutError


@dataclass(frozen=True)
class HeldOutRows:
    """Keys of the rows that must not train.

    The key of a row is its label in the index of a data frame, where labels differ, and
    its position otherwise. Where rows come in groups, the group is the key.

    Attributes
    ----------
    valid : ndarray of uint64
        Keys of the validation rows.

    unused : ndarray of uint64
        Keys of rows that a splitter left out of both parts.

    groups : ndarray of uint64
        Keys of the groups of validation rows; empty where there were none.
    """

    valid: np.ndarray
    unused: np.ndarray
    groups: np.ndarray

    @classmethod
    def of(cls, X, groups, train: np.ndarray, valid: np.ndarray) -> HeldOutRows:
        """Return the keys, given the positions of the two parts."""
        keys = _row_keys(X)
        unused = np.ones(len(keys), dtype=bool)
        unused[train] = unused[valid] = False
        names = np.array([], dtype=np.uint64)
        if groups is not None:
            names = np.unique(_group_keys(groups)[valid])
        return cls(np.sort(keys[valid]), np.sort(keys[unused]), names)

    def joined(self, other: HeldOutRows | None) -> HeldOutRows:
        """Return the keys of both."""
        if other is None:
            return self
        fields = ("valid", "unused", "groups")
        return HeldOutRows(
            *(np.union1d(getattr(self, f), getattr(other, f)) for f in fields)
        )

    def find(self, X, groups, fraction: float) -> tuple[np.ndarray, np.ndarray] | None:
        """Return the positions of the training and validation rows of a later fit.

        None where it has none of the rows that were held out: it is of other rows.
        `fraction` is the share of validation rows that is wanted.
        """
        keys = _row_keys(X)
        if groups is not None and len(self.groups):
            is_valid = np.isin(_group_keys(groups), self.groups)
        else:
            is_valid = np.isin(keys, self.valid)
        if not is_valid.any():
            return None
        is_train = ~is_valid & ~np.isin(keys, self.unused)
        if not is_train.any():
            raise NothingToHoldOutError(
                "A fit that continues must have rows that the first fit did not hold "
                f"out; found that all {len(keys)} rows were held out. Give other rows, "
                "or set early_stopping=False to train on these."
            )
        if is_valid.mean() < fraction / 2:
            warn_user(
                "A fit that continues validates on the rows that the first fit held "
                f"out; found {is_valid.sum()} of them among {len(keys)} rows, less "
                f"than half of validation_fraction={fraction}. Give X_val and y_val, "
                "or fit a clone to hold out others.",
                UserWarning,
            )
        return np.flatnonzero(is_train), np.flatnonzero(is_valid)


def _row_keys(X) -> np.ndarray:
    index = getattr(X, "index", None)
    if index is None or not index.is_unique:
        index = pd.RangeIndex(len(X))
    return pd.util.hash_pandas_object(index, index=False).to_numpy()


def _group_keys(groups) -> np.ndarray:
    return pd.util.hash_array(group_names(groups))

"""The arrays that a network is fed with, filled from a preprocessor's output."""

from typing import NamedTuple

import numpy as np

from sk_mtl.preprocessing._tables._numbers import has_infinity


class FeatureArrays(NamedTuple):
    """The arrays that a network is fed with, rows in the order of the table.

    Attributes
    ----------
    codes : ndarray of shape (n_samples, n_categorical), dtype int32
        Codes, 0 for unknown; C-contiguous.
    numeric : ndarray of shape (n_samples, n_numeric), dtype float32 or float64
        Numbers, all of them finite and within `FeatureSchema.numeric_limits`;
        C-contiguous.
    sequences : tuple of ndarray of shape (n_samples, length), dtype int32
        One array per sequence column: the codes of its items, 0 for unknown, then -1
        up to the length of the longest sequence among these rows; C-contiguous.
    """

    codes: np.ndarray
    numeric: np.ndarray
    sequences: tuple = ()

    @classmethod
    def filled(cls, n_samples, parts, counts, dtype, raw):
        """Return the arrays filled with what each block reads from its columns.

        Parameters
        ----------
        n_samples : int
            Number of rows.
        parts : iterable of (block, slice, array or data frame)
            Each block, its place among the features of its kind, and its columns.
        counts : tuple of int
            Number of columns of categories, of columns of numbers and of sequences.
        dtype : dtype
            Type of the numbers.
        raw : data frame, array or None
            The raw rows. Numbers that only the preprocessor made infinite are cut off.
        """
        n_categorical, n_numeric, n_sequences = counts
        codes = np.empty((n_samples, n_categorical), dtype=np.int32)
        numeric = np.empty((n_samples, n_numeric), dtype=dtype)
        sequences = [None] * n_sequences
        with np.errstate(over="ignore"):
            for block, place, columns in parts:
                values = block.read(columns)
                if block.kind == "sequence":
                    sequences[place.start] = values
                elif block.kind == "numeric":
                    _refuse_not_finite(values, block.names, raw)
                    np.clip(values, -block.limits, block.limits, out=numeric[:, place])
                else:
                    codes[:, place] = values
        return cls(codes, numeric, tuple(sequences))


def _refuse_not_finite(values, names, raw):
    """Raise for NaN, and for infinity unless the raw rows hold none."""
    # A sum is finite only where every term is: one pass that seldom needs a second.
    with np.errstate(invalid="ignore"):
        if np.isfinite(values.sum()):
            return
    wrong = np.isnan(values)
    if not wrong.any() and (raw is None or has_infinity(raw)):
        wrong = np.isinf(values)
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise ValueError(
            f"Column {names[column]!r} must be finite after the preprocessor; found "
            f"{values[row, column]} in row {row}. Impute missing values in the "
            "preprocessor (such as SimpleImputer in front of the scaler), and replace "
            "infinite ones."
        )

"""The output of a ColumnTransformer's steps, each in an array of its own type."""

import numpy as np
from sklearn.compose import ColumnTransformer


def fit_transform_unjoined(preprocessor, X, y=None):
    """Return what `fit_transform` does, without a common array where it can be spared.

    A ColumnTransformer joins integer codes and floats in one array of floats, which
    takes twice the memory of all codes and time to write, for a schema to take it apart
    again.

    Parameters
    ----------
    preprocessor : transformer
        Fitted in place.
    X : data frame or array of shape (n_samples, n_features)
    y : array of shape (n_samples,), default=None
        Labels, for steps that learn from them.

    Returns
    -------
    transformed : UnjoinedColumns, array, sparse matrix or data frame
        `UnjoinedColumns` from a ColumnTransformer (not a subclass, which may join in
        its own way) whose steps return arrays of numbers, else what the preprocessor
        returns.
    """
    if type(preprocessor) is not ColumnTransformer:
        return preprocessor.fit_transform(X, y)
    preprocessor.__class__ = UnjoiningColumnTransformer
    try:
        return preprocessor.fit_transform(X, y)
    finally:
        preprocessor.__class__ = ColumnTransformer


class UnjoinedColumns:
    """Arrays of the same rows that count as one table, side by side.

    Parameters
    ----------
    parts : list of ndarray of shape (n_samples, n_columns)

    Attributes
    ----------
    shape : tuple of int
        Number of rows, and of columns of all parts together.
    """

    def __init__(self, parts):
        self.parts = parts
        self._ends = np.cumsum([part.shape[1] for part in parts])
        self.shape = (len(parts[0]), int(self._ends[-1]))

    def take(self, where):
        """Return columns as one array, without a copy where one part holds them.

        Parameters
        ----------
        where : slice or ndarray of int
            Positions in increasing order.

        Returns
        -------
        columns : ndarray of shape (n_samples, n_columns)
        """
        positions = np.arange(self.shape[1])[where]
        owners = np.searchsorted(self._ends, positions, side="right")
        columns = []
        for i in np.unique(owners):
            part = self.parts[i]
            own = positions[owners == i] - (self._ends[i] - part.shape[1])
            adjacent = own[-1] - own[0] == len(own) - 1
            columns.append(part[:, slice(own[0], own[-1] + 1) if adjacent else own])
        return columns[0] if len(columns) == 1 else np.hstack(columns)


class UnjoiningColumnTransformer(ColumnTransformer):
    """A ColumnTransformer whose arrays of numbers are not joined.

    It overrides the hook that scikit-learn has for subclasses to stack in their own
    way. Were there no such hook, the arrays would be joined as ever.
    """

    def _hstack(self, Xs, *, n_samples):
        if len(Xs) > 1 and all(_is_numeric(Z, n_samples) for Z in Xs):
            return UnjoinedColumns(Xs)
        return super()._hstack(Xs, n_samples=n_samples)


def _is_numeric(Z, n_samples):
    is_table = type(Z) is np.ndarray and Z.ndim == 2 and len(Z) == n_samples
    return is_table and Z.dtype.kind in "iuf"

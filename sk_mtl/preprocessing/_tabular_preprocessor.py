"""The ColumnTransformer that `make_tabular_preprocessor` returns."""

import numpy as np

from sk_mtl._sklearn_compat import StackingColumnTransformer
from sk_mtl.preprocessing._tables._unjoined_columns import UnjoinedColumns


class TabularPreprocessor(StackingColumnTransformer):
    """A ColumnTransformer that can leave codes and numbers in arrays of their own.

    A ColumnTransformer joins integer codes and floats in one array of floats, which
    takes twice the memory of all codes and time to write, for a schema to take it apart
    again. `fit_transform_unjoined` spares that; all else is as in a ColumnTransformer.
    """

    _joins = True

    def fit_transform_unjoined(self, X, y=None):
        """Fit, and return the output of each step in an array of its own type.

        Parameters
        ----------
        X : data frame or array of shape (n_samples, n_features)
        y : array of shape (n_samples,), default=None
            Labels, for steps that learn from them.

        Returns
        -------
        transformed : UnjoinedColumns, array, sparse matrix or data frame
            `UnjoinedColumns` where several steps return arrays of numbers, else what
            `fit_transform` returns.
        """
        self._joins = False
        try:
            return self.fit_transform(X, y)
        finally:
            del self._joins

    def _stack(self, outputs, n_samples):
        if self._joins or len(outputs) == 1:
            return super()._stack(outputs, n_samples)
        if not all(_is_numeric(Z, n_samples) for Z in outputs):
            return super()._stack(outputs, n_samples)
        return UnjoinedColumns(outputs)


def fit_transform_unjoined(preprocessor, X, y=None):
    """Return what `fit_transform` returns, unjoined where the preprocessor can do so.

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
    """
    # A subclass of a user may have a `fit_transform` of its own.
    if type(preprocessor) is TabularPreprocessor:
        return preprocessor.fit_transform_unjoined(X, y)
    return preprocessor.fit_transform(X, y)


def _is_numeric(Z, n_samples):
    is_table = type(Z) is np.ndarray and Z.ndim == 2 and len(Z) == n_samples
    return is_table and Z.dtype.kind in "iuf"

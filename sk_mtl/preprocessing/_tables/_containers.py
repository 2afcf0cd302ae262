"""The columns and rows of a table, whatever holds it: pandas, polars or an array."""

import numpy as np
import pandas as pd
from pandas.api.extensions import ExtensionArray
from pandas.arrays import NumpyExtensionArray
from sklearn.utils.validation import validate_data

from sk_mtl._frames import (
    as_pandas,
    has_fitted_columns,
    is_arrow,
    is_pandas,
    is_polars,
    without_mask,
)
from sk_mtl.preprocessing._tables._factorize import polars_array


def validated_table(encoder, X, *, reset):
    """X as a frame or an array, its names and number of columns checked.

    Parameters
    ----------
    encoder : estimator
        Keeps the names and the number of columns, or is compared with them.

    X : array-like of shape (n_samples, n_features)
        A frame is returned as it is, anything else as an array.

    reset : bool
        Whether the encoder is being fitted.
    """
    if not reset and has_fitted_columns(X, encoder) and len(X):
        return X
    if is_arrow(X):
        # As an array, a null would read as the last category of a dictionary.
        X = as_pandas(X)
    X = without_mask(X)
    if not (is_pandas(X) or is_polars(X)):
        # A list keeps its values, where an array would cast all to one type.
        dtype = None if hasattr(X, "dtype") else object
        return validate_data(
            encoder, X, reset=reset, dtype=dtype, ensure_all_finite=False
        )
    _check_unique_names(X.columns)
    for n_found, what in zip(X.shape, ("sample", "feature")):
        if n_found == 0:
            raise ValueError(
                f"Found array with 0 {what}(s) (shape={X.shape}) while a minimum "
                f"of 1 is required by {type(encoder).__name__}."
            )
    return validate_data(encoder, X, reset=reset, skip_check_array=True)


def _check_unique_names(names):
    names = pd.Index(names)
    if not names.is_unique:
        repeated = names[names.duplicated()][0]
        raise ValueError(
            f"Column names must be unique; found {repeated!r} more than once. "
            "Rename or drop such columns."
        )


def iter_columns(X, positions=None):
    """Names and columns at the positions, in order; by default all.

    The name of an array's column is its position. A pandas column comes as an array of
    NumPy or an extension array, a polars column as a Series.
    """
    if positions is None or len(positions) == X.shape[1]:
        return _all_columns(X)
    if is_pandas(X):
        return ((X.columns[j], _pandas_array(X.iloc[:, j])) for j in positions)
    if is_polars(X):
        return ((X.columns[j], X.to_series(j)) for j in positions)
    return ((j, X[:, j]) for j in positions)


def _all_columns(X):
    # Running through a pandas frame is faster than picking its columns.
    if is_pandas(X):
        return ((name, _pandas_array(column)) for name, column in X.items())
    if is_polars(X):
        return ((column.name, column) for column in X.iter_columns())
    return enumerate(X.T)


def _pandas_array(series):
    array = series.array
    return array.to_numpy() if isinstance(array, NumpyExtensionArray) else array


def iter_rows(X):
    """Rows as sequences of scalars, each of its own column's type."""
    if is_pandas(X):
        # `X.iloc[i]` would cast int64 beside float64 to float.
        cells, (n_samples, n_features) = X.iat, X.shape
        return ([cells[i, j] for j in range(n_features)] for i in range(n_samples))
    return iter(X.rows() if is_polars(X) else X)


def missing_mask(column):
    """Mask of the missing values of a column, of whatever kind the others are.

    Parameters
    ----------
    column : array of NumPy or pandas, or polars Series, of shape (n_samples,)
        As `iter_columns` yields it.

    Returns
    -------
    mask : ndarray of shape (n_samples,), dtype bool
    """
    if isinstance(column, np.ndarray | ExtensionArray):
        # As objects, since a nullable type does not take NaN for a missing value.
        return pd.isna(np.asarray(column, dtype=object))
    values = polars_array(column)
    if isinstance(values, np.ndarray):
        return pd.isna(values)
    return np.asarray(values.is_null(nan_is_null=True))

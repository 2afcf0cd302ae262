"""The columns and rows of a table, whatever holds it: pandas, polars or an array."""

import sys

from pandas.arrays import NumpyExtensionArray


def is_pandas(X):
    """Whether X is a pandas DataFrame, or behaves as one."""
    return hasattr(X, "iloc") and getattr(X, "ndim", 0) == 2


def is_polars(X):
    """Whether X is a polars DataFrame; polars is never imported for this."""
    polars = sys.modules.get("polars")
    return polars is not None and isinstance(X, polars.DataFrame)


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
        n_samples, n_features = X.shape
        return ([X.iat[i, j] for j in range(n_features)] for i in range(n_samples))
    return iter(X.rows() if is_polars(X) else X)

"""The table that an encoder is given, as a pandas frame of checked columns."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from pandas.arrays import NumpyExtensionArray, SparseArray
from sklearn.utils.validation import validate_data

from sk_mtl._frames import as_pandas, has_fitted_columns, is_frame, is_lazy
from sk_mtl._masked_arrays import without_mask


def validated_table(encoder, X, *, reset):
    """Return X as a pandas frame, its names and number of columns checked.

    Parameters
    ----------
    encoder : estimator
        Keeps the names and the number of columns, or is compared with them.

    X : array-like of shape (n_samples, n_features)

    reset : bool
        Whether the encoder is being fitted.
    """
    if not reset and has_fitted_columns(X, encoder) and len(X):
        return X
    refuse_records(X)
    X = without_mask(X)
    if not is_frame(X):
        # A list keeps its values, where an array would cast all to one type.
        dtype = None if hasattr(X, "dtype") else object
        X = validate_data(encoder, X, reset=reset, dtype=dtype, ensure_all_finite=False)
        # Objects stay as they are: pandas would make times and text of them.
        return pd.DataFrame(X, dtype=object if X.dtype == object else None)
    X = as_pandas(X)
    _check_unique_names(X.columns)
    for n_found, what in zip(X.shape, ("sample", "feature")):
        if n_found == 0:
            raise ValueError(
                f"Found array with 0 {what}(s) (shape={X.shape}) while a minimum "
                f"of 1 is required by {type(encoder).__name__}."
            )
    return validate_data(encoder, X, reset=reset, skip_check_array=True)


def refuse_records(X):
    """Raise for rows that name their values, and for a query without rows.

    Estimators read the names of such rows. An encoder would take them for one column.
    """
    found, remedy = None, "Give pandas.DataFrame(X)."
    if is_lazy(X):
        found, remedy = "a LazyFrame of polars", "Call X.collect()."
    elif getattr(getattr(X, "dtype", None), "names", None):
        found = "a structured array"
    elif isinstance(X, list | tuple) and X and isinstance(X[0], Mapping):
        found = "rows that are dicts"
    if found:
        raise TypeError(
            f"X must be a data frame or rows of values; found {found}. {remedy}"
        )


def _check_unique_names(names):
    if not names.is_unique:
        repeated = names[names.duplicated()][0]
        raise ValueError(
            f"Column names must be unique; found {repeated!r} more than once. "
            "Rename or drop such columns."
        )


def iter_columns(X, positions=None):
    """Yield names and columns at the positions, in order; by default all.

    A column comes as an array of NumPy or an extension array.
    """
    # Running through a frame is faster than picking its columns.
    if positions is None or len(positions) == X.shape[1]:
        return ((name, _array(column)) for name, column in X.items())
    return ((X.columns[j], _array(X.iloc[:, j])) for j in positions)


def _array(column):
    array = column.array
    plain = isinstance(array, NumpyExtensionArray | SparseArray)
    return array.to_numpy() if plain else array


def iter_rows(X):
    """Yield rows as lists of scalars, each of its own column's type."""
    # `X.iloc[i]` would cast int64 beside float64 to float.
    cells, (n_samples, n_features) = X.iat, X.shape
    return ([cells[i, j] for j in range(n_features)] for i in range(n_samples))


def missing_mask(column):
    """Return a mask of the missing values of a column, of whatever kind the others are.

    Parameters
    ----------
    column : array of NumPy or pandas of shape (n_samples,)

    Returns
    -------
    mask : ndarray of shape (n_samples,), dtype bool
    """
    # As objects, since a nullable type does not take NaN for a missing value.
    return pd.isna(np.asarray(column, dtype=object))

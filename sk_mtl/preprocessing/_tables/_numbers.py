"""Columns of numbers as one float array, with errors that name the column."""

from numbers import Integral, Number

import numpy as np
import pandas as pd

from sk_mtl._frames import as_pandas, column_names, is_decimal_type


def to_floats(X, names=None):
    """Return a table of numbers as an array of float64; missing ones become NaN.

    Parameters
    ----------
    X : data frame or array of shape (n_samples, n_features)
    names : list of str, default=None
        Names of the columns in error messages; None takes them from X.

    Returns
    -------
    values : ndarray of shape (n_samples, n_features), dtype float64
    """
    if isinstance(X, np.ndarray) and X.dtype.kind in "iufb":
        return X.astype(np.float64, copy=False)
    names = column_names(X) if names is None else names
    frame = as_pandas(X)
    if all(dtype.kind in "iufb" for dtype in frame.dtypes):
        if all(isinstance(dtype, np.dtype) for dtype in frame.dtypes):
            return frame.to_numpy(dtype=np.float64)
        return frame.to_numpy(dtype=np.float64, na_value=np.nan)
    columns = [
        _column_to_floats(frame.iloc[:, j], name) for j, name in enumerate(names)
    ]
    return np.column_stack(columns)


def to_float(value):
    """Return one value as `to_floats` reads it, None if it must read the column.

    Parameters
    ----------
    value : scalar

    Returns
    -------
    number : float or None
    """
    if isinstance(value, float | int | np.floating | np.integer):
        return float(value)
    return np.nan if value is None or value is pd.NA else None


def _column_to_floats(column, name):
    """Return a pandas column as floats; text and other objects raise an error."""
    if column.dtype.kind in "iufb" or is_decimal_type(column.dtype):
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    values = np.asarray(column.astype(object), dtype=object)
    missing = pd.isna(values)
    for value in values[~missing]:
        if not isinstance(value, Number):
            _refuse(value, name)
    floats = np.full(len(values), np.nan)
    floats[~missing] = values[~missing].astype(np.float64)
    return floats


def _refuse(value, name):
    remedy = "Convert the column to numbers, and write NaN where a number is missing."
    if isinstance(value, str | bytes):
        raise ValueError(
            f"Column {name!r} must hold numbers; found the text {value!r}. {remedy}"
        )
    raise TypeError(
        f"Column {name!r}: argument must be a number, or a string in a column of "
        f"categories, which this one of numbers is not; found a "
        f"{type(value).__name__}: {value!r:.60}. {remedy}"
    )


def has_infinity(X):
    """Return whether a table of anything holds an infinite number.

    Parameters
    ----------
    X : data frame or array of shape (n_samples, n_features)
    """
    frame = pd.DataFrame(X) if isinstance(X, np.ndarray) else as_pandas(X)
    return any(_is_infinite(column).any() for _, column in frame.items())


def _is_infinite(column):
    kind = getattr(column.dtype, "kind", "O")
    if kind == "f":
        return np.isinf(column.to_numpy(dtype=np.float64, na_value=np.nan))
    values = column.to_numpy(dtype=object) if kind == "O" else ()
    return np.array(
        [isinstance(v, float | np.floating) and np.isinf(v) for v in values]
    )


def refuse_infinite(values, names):
    """Raise an error that names the first column with an infinite value."""
    infinite = np.isinf(values)
    if infinite.any():
        row, column = np.argwhere(infinite)[0]
        raise ValueError(
            f"Column {names[column]!r} must hold finite numbers; found "
            f"{'infinity' if values[row, column] > 0 else '-infinity'} in row {row}. "
            "Replace it by a finite number, or by NaN, which is imputed."
        )


def plain_integers(column):
    """Return a column of integers without gaps as an array of NumPy, any other as None.

    Parameters
    ----------
    column : array of NumPy or pandas, or Series, of shape (n_samples,)
    """
    if column.dtype.kind not in "iu":
        return None
    if not isinstance(column, np.ndarray) and column.isna().any():
        return None
    return np.asarray(column, dtype=numpy_type(column.dtype).newbyteorder("="))


def numpy_type(dtype):
    """Return NumPy's type of the numbers that a column of any type holds."""
    sparse = isinstance(dtype, pd.SparseDtype)
    return dtype.subtype if sparse else getattr(dtype, "numpy_dtype", dtype)


def narrow(values):
    """Return objects of one numeric type as an array of numbers, without any loss."""
    if values.dtype != object or len(values) == 0:
        return values
    kinds = set(map(type, values))
    if all(issubclass(kind, (bool, np.bool_)) for kind in kinds):
        return values.astype(bool)
    if all(issubclass(kind, (float, np.floating)) for kind in kinds):
        return values.astype(np.float64)
    if all(issubclass(kind, Integral) and kind is not bool for kind in kinds):
        low, high = min(values), max(values)
        for dtype in (np.int64, np.uint64):
            limits = np.iinfo(dtype)
            if limits.min <= low and high <= limits.max:
                return values.astype(dtype)
    return values


def whole_numbers(values):
    """Return a mask of the floats that are integers of 64 bits, and these integers."""
    is_whole = np.floor(values) == values
    is_whole &= (values >= -(2.0**63)) & (values < 2.0**63)
    return is_whole, values[is_whole].astype(np.int64)

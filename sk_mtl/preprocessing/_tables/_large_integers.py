"""Integers that a float would round, as exact distances from the least of them.

A float64 holds every integer below 2**53. Identifiers of 19 digits, hashes and times in
nanoseconds are larger: consecutive ones become one number. Their differences are small
enough, so they are subtracted as integers and only then become floats.
"""

from decimal import Decimal
from fractions import Fraction
from numbers import Integral

import numpy as np

from sk_mtl._frames import as_pandas, column_names, column_of, is_decimal_type
from sk_mtl._masked_arrays import EXACT_INTEGERS
from sk_mtl._warnings import warn_user
from sk_mtl.exceptions import ColumnWarning
from sk_mtl.preprocessing._tables._numbers import numpy_type, plain_integers


def find_offsets(X):
    """Return the number that each column is counted from.

    Parameters
    ----------
    X : data frame or array of shape (n_samples, n_features)
        Training rows.

    Returns
    -------
    offsets : list of int or Decimal
        The least value of a column whose exact numbers a float would round, 0 for any
        other column.
    """
    if isinstance(X, np.ndarray) and not _may_be_large(X.dtype):
        return [0] * X.shape[1]
    frame = as_pandas(X)
    return [
        _offset_of(frame.iloc[:, j]) if _may_be_large(dtype) else 0
        for j, dtype in enumerate(frame.dtypes)
    ]


def warn_of_large_integers(X, positions):
    """Warn of columns whose integers a float would round.

    Parameters
    ----------
    X : data frame or array of shape (n_samples, n_features)
    positions : list of int
        Columns that are about to be treated as numbers.
    """
    names = column_names(X)
    for j in positions:
        column = column_of(X, j)
        rounded = _rounded_integers(column)
        if len(rounded):
            warn_user(
                f"Column {names[j]!r} must hold quantities, as it is read as a number; "
                f"found floats beyond {EXACT_INTEGERS:,}, such as {rounded[0]:.0f}, "
                "which are more likely identifiers or times that floats have rounded, "
                "as pandas makes them of integers where values are missing. Read the "
                "column anew in an integer type, such as 'Int64', and convert "
                "identifiers to 'category' or text, times with pandas.to_datetime.",
                ColumnWarning,
            )
        if _may_be_large(column.dtype) and _offset_of(column):
            warn_user(
                f"Column {names[j]!r} must hold quantities, as it is read as a number; "
                f"found integers beyond {EXACT_INTEGERS:,}, such as "
                f"{column.dropna().iloc[0]}, which are more likely identifiers or "
                "times. They are kept apart, as distances from the least of them. "
                "Convert identifiers to 'category' or text, times with "
                "pandas.to_datetime, and subtract the least value of a quantity.",
                ColumnWarning,
            )


def _rounded_integers(column):
    """Different floats of 64 bits that were larger integers; none unless most are."""
    if column.dtype.kind != "f" or numpy_type(column.dtype).itemsize != 8:
        return np.empty(0)
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    sizes = np.abs(values)
    is_large = (sizes >= EXACT_INTEGERS) & (sizes <= 2.0**64)
    if 2 * np.count_nonzero(is_large) <= np.count_nonzero(~np.isnan(values)):
        return np.empty(0)
    different = np.unique(values[is_large])
    return different if len(different) > 1 else np.empty(0)


def subtract_offset(column, offset, name):
    """Return the distances of a column's numbers from an offset.

    Parameters
    ----------
    column : Series of shape (n_samples,)
    offset : int or Decimal
    name : str
        The column's name, for errors.

    Returns
    -------
    distances : ndarray of shape (n_samples,), dtype float64
        NaN where a number is missing.
    """
    missing = column.isna().to_numpy(dtype=bool)
    present = column[~missing]
    integers = plain_integers(present)
    if integers is not None and _in_reach(offset):
        found = _distances(integers, int(offset))
    else:
        found = [_distance(value, offset, name) for value in present.astype(object)]
    distances = np.full(len(column), np.nan)
    distances[~missing] = found
    return distances


def exact_numbers(column):
    """Return a column's present values if all are exact numbers, else None.

    Parameters
    ----------
    column : Series of shape (n_samples,)

    Returns
    -------
    values : ndarray of integers or objects (integers, Decimals), or None
    """
    present = column.dropna()
    integers = plain_integers(present)
    if integers is not None:
        return integers
    if not is_decimal_type(column.dtype) and not _is_object(column.dtype):
        return None
    values = present.to_numpy(dtype=object)
    exact = all(
        issubclass(kind, Integral | Decimal) and not issubclass(kind, bool)
        for kind in set(map(type, values))
    )
    return values if exact and all(map(_is_finite, values)) else None


def _may_be_large(dtype):
    """Return whether a column of this type may hold numbers that a float rounds."""
    if getattr(dtype, "kind", "O") in "iu":
        return numpy_type(dtype).itemsize == 8
    return _is_object(dtype) or is_decimal_type(dtype)


def _is_object(dtype):
    return isinstance(dtype, np.dtype) and dtype.kind == "O"


def _offset_of(column):
    values = exact_numbers(column)
    if values is None or len(values) == 0:
        return 0
    low, high = values.min(), values.max()
    largest = max(abs(low if values.dtype == object else int(low)), abs(int(high)))
    if values.dtype == object:
        largest *= 10 ** max(map(_n_decimals, values))
    if largest < EXACT_INTEGERS or (
        # Prices of many decimals are no faults; they matter where floats merge them.
        isinstance(low, Decimal) and len(set(map(float, values))) == len(set(values))
    ):
        return 0
    return low if isinstance(low, Decimal) else int(low)


def _n_decimals(value):
    return max(-value.as_tuple().exponent, 0) if isinstance(value, Decimal) else 0


def _is_finite(value):
    return not isinstance(value, Decimal) or value.is_finite()


def _in_reach(offset):
    """Return whether the offset is an integer of 64 bits."""
    return offset == int(offset) and -(2**63) <= offset < 2**64


def _distances(integers, offset):
    # Differences modulo 2**64 are right for int64 and uint64, and for both ends.
    forth = integers.astype(np.uint64) - np.uint64(offset % 2**64)
    back = np.uint64(0) - forth
    is_behind = integers < offset
    return np.where(is_behind, -back.astype(np.float64), forth.astype(np.float64))


def _distance(value, offset, name):
    if isinstance(value, float | np.floating) and abs(value) >= EXACT_INTEGERS:
        raise ValueError(
            f"Column {name!r} must hold exact integers, as in training, whose least "
            f"value was {offset}; found the float {value!r}, which may be a rounded "
            "one. Keep the column in an integer type, such as 'Int64' where values are "
            "missing."
        )
    return float(Fraction(value) - Fraction(offset))

"""One column to the positions of its distinct values.

A column, (n_samples,), becomes a `Factor`: `codes` (n_samples,), positions in `values`,
negative where the value is missing, and `values` (n_distinct,). pandas hashes every row
once, and the codes of a category column are used unchanged. All later work, such as
sorting or looking up, is done on the few distinct values, never on the rows.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from sk_mtl.preprocessing._tables._numbers import numpy_type, plain_integers

# A span of integers is used as its own table of values up to this many entries per row.
_SPAN_PER_ROW = 2

# Up to this many more entries than rows, tables of values and categories are taken
# whole.
_SPARE_ENTRIES = 256

_SEQUENCES = (list, tuple, np.ndarray, set, frozenset)

_INSTEAD_OF_SEQUENCES = {
    "row": "Encode sequences with SequenceEncoder, or spread the column over columns "
    "of one value each.",
    "item": "Join nested lists to one list per row.",
}


class Factor(NamedTuple):
    """Positions of a column's values and the values themselves.

    `values` has no duplicates. It may hold entries that no row uses (the categories of
    a pandas column) and missing values.
    """

    codes: np.ndarray
    values: np.ndarray


def factorize(column, name, place="row", *, fitted=False):
    """Return positions and distinct values of one column.

    Parameters
    ----------
    column : array of NumPy or pandas of shape (n_samples,)
        The column. Only values that compare by value are taken: text, bytes, numbers,
        bool, and within a category column also such things as intervals.

    name : str or int
        The column's name, for errors.

    place : {"row", "item"}, default="row"
        What each entry belongs to, for errors: a row, or an item of a sequence.

    fitted : bool, default=False
        Whether an encoder was fitted before. Points in time are then values like
        others, which training did not hold; before, they are refused.

    Returns
    -------
    Factor
    """
    if len(column) == 0:
        return Factor(np.empty(0, dtype=np.intp), np.empty(0, dtype=object))
    dtype = column.dtype
    if _is_time(dtype):
        if not fitted:
            _refuse_time(dtype, name)
        # NumPy makes integers of points in time in nanoseconds.
        column = np.asarray(pd.Series(column).astype(object), dtype=object)
    try:
        factor = _factor_of(column)
    except (TypeError, pa.ArrowException) as error:
        _refuse_rows(column, name, place)
        raise TypeError(
            f"Column {name!r}: a column of text, numbers or categories is required; "
            f"found type {dtype}. Convert the column, or drop it."
        ) from error
    _check_values(factor.values, name, place)
    return factor


def _is_time(dtype):
    if isinstance(dtype, pd.ArrowDtype):
        return pa.types.is_temporal(dtype.pyarrow_dtype)
    return dtype.kind in "mM"


def _factor_of(column):
    integers = plain_integers(column)
    if integers is not None:
        return _from_integers(integers)
    if isinstance(column, pd.Categorical):
        # Few rows with many categories would otherwise cost as much as these.
        if len(column.categories) <= len(column) + _SPARE_ENTRIES:
            return Factor(column.codes, _plain(column.categories))
    elif isinstance(column, np.ndarray):
        return _from_array(column)
    elif column.dtype.kind == "f":
        # Arrow takes 0.0 and -0.0 for two values.
        dtype = numpy_type(column.dtype)
        return _from_array(column.to_numpy(dtype=dtype, na_value=np.nan))
    codes, values = column.factorize()
    return Factor(codes, _plain(values))


def _plain(values):
    """Return a pandas array or index as an array of numbers, or else of objects."""
    dtype = getattr(values.dtype, "numpy_dtype", values.dtype)
    if isinstance(dtype, np.dtype) and dtype.kind in "biuf":
        return values.to_numpy(dtype=dtype)
    return np.asarray(values, dtype=object)


def _from_array(column):
    dtype = column.dtype.newbyteorder("=")
    column, kind = column.astype(dtype, copy=False), dtype.kind
    if kind == "f":
        # Half precision has no hash table in pandas.
        column = column.astype(np.promote_types(dtype, np.float32), copy=False)
    elif kind != "b":
        column = column.astype(object, copy=False)
    codes, values = pd.factorize(column)
    return Factor(codes, values.astype(dtype) if kind == "f" else values)


def _from_integers(column):
    low, high = int(column.min()), int(column.max())
    span = high - low + 1
    if span > _SPAN_PER_ROW * len(column) + _SPARE_ENTRIES:
        return Factor(*pd.factorize(np.ascontiguousarray(column)))
    # Narrow ranges are tables of values by themselves. Differences in arithmetic modulo
    # 2**64 are right for every integer type, for both ends of int64 and uint64.
    offset = np.uint64(low % 2**64)
    codes = (column.astype(np.uint64) - offset).astype(np.intp)
    values = np.arange(span, dtype=np.uint64) + offset
    return Factor(codes, values.astype(column.dtype))


def _check_values(values, name, place):
    """Refuse values that have no value equality or are no categories."""
    if values.dtype.kind == "f" and np.isinf(values).any():
        _refuse_infinity(name)
    if values.dtype != object:
        return
    for kind in set(map(type, values)):
        if issubclass(kind, (complex, np.complexfloating)):
            raise ValueError(f"Complex data not supported: column {name!r}.")
        if issubclass(kind, (float, np.floating)):
            if any(isinstance(value, kind) and np.isinf(value) for value in values):
                _refuse_infinity(name)
        elif issubclass(kind, _SEQUENCES) or _compares_by_address(kind):
            value = next(value for value in values if type(value) is kind)
            _refuse(value, name, place)


def _compares_by_address(kind):
    return kind.__eq__ is object.__eq__ and kind is not type(None)


def _refuse_rows(column, name, place):
    """Raise the error that names the first value that cannot be hashed, if any."""
    for value in column:
        try:
            hash(value)
        except TypeError:
            _refuse(value, name, place)


def _refuse(value, name, place):
    found, kind = shortened(value), type(value).__name__
    if isinstance(value, _SEQUENCES):
        raise TypeError(
            f"Column {name!r}: one value per {place} is required; found a {kind}: "
            f"{found}. {_INSTEAD_OF_SEQUENCES[place]}"
        )
    raise TypeError(
        f"Column {name!r}: argument must be a string or a number; found a {kind}: "
        f"{found}, which cannot be compared by value. Convert the column to text or "
        "numbers, or drop it."
    )


def shortened(value, length=60):
    """Return a value as errors show it."""
    text = repr(value)
    return text if len(text) <= length else text[:length] + "..."


def _refuse_infinity(name):
    raise ValueError(
        f"Column {name!r}: finite or missing values are required; Input X contains "
        "infinity. Replace infinity with NaN or with a number."
    )


def _refuse_time(dtype, name):
    raise TypeError(
        f"Column {name!r}: text, numbers or categories are required; found type "
        f"{dtype}. Take month, weekday and hour by CalendarParts and the time "
        "elapsed by ElapsedTime, or convert it to 'category' (or text) to take each "
        "value as a category."
    )

"""One column of any container to the positions of its distinct values.

A column, (n_samples,), becomes a `Factor`: `codes` (n_samples,), positions in `values`,
negative where the value is missing, and `values` (n_distinct,). Whatever a container
has already hashed is used as it is (the codes of a category column); otherwise every
row is hashed once. All later work, such as sorting or looking up, is done on the few
distinct values, never on the rows.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pandas.api.extensions import ExtensionArray

# A span of integers is used as its own table of values up to this many entries per row.
_SPAN_PER_ROW = 2

# A dictionary with at most this many entries more than rows is taken whole.
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
    """Positions and distinct values of one column.

    Parameters
    ----------
    column : array of NumPy, pandas or Arrow, or polars Series, of shape (n_samples,)
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
    if not isinstance(column, (np.ndarray, ExtensionArray, pa.Array)):
        column = polars_array(column)
    if len(column) == 0:
        return Factor(np.empty(0, dtype=np.intp), np.empty(0, dtype=object))
    dtype = column.type if isinstance(column, pa.Array) else column.dtype
    if _is_time(dtype):
        if not fitted:
            _refuse_time(dtype, name)
        column = _time_objects(column)
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


def polars_array(column):
    """A polars Series as an array of Arrow, of Python objects as one of NumPy."""
    if str(column.dtype) != "Object":
        return column.to_arrow()
    values = np.empty(len(column), dtype=object)
    values[:] = column.to_list()
    return values


def _is_time(dtype):
    arrow = getattr(dtype, "pyarrow_dtype", dtype)
    if isinstance(arrow, pa.DataType):
        return pa.types.is_temporal(arrow)
    return getattr(dtype, "kind", "O") in "mM"


def _time_objects(column):
    """Points in time as objects: NumPy makes integers of those in nanoseconds."""
    if isinstance(column, pa.Array):
        column = column.to_pylist()
    return np.asarray(pd.Series(column).astype(object), dtype=object)


def _factor_of(column):
    if isinstance(column, pa.Array):
        return _from_arrow(column)
    if isinstance(column, np.ndarray):
        return _from_array(column)
    if isinstance(column, pd.Categorical):
        codes, categories = _used_entries(column.codes, column.categories)
        return Factor(codes, _plain(categories))
    codes, values = column.factorize()
    return Factor(codes, _plain(values))


def _plain(values):
    """Values of a pandas array or index as numbers where they are, else as objects."""
    dtype = getattr(values.dtype, "numpy_dtype", values.dtype)
    if isinstance(dtype, np.dtype) and dtype.kind in "biuf":
        return values.to_numpy(dtype=dtype)
    return np.asarray(values, dtype=object)


def _from_array(column):
    kind = column.dtype.kind
    column = column.astype(column.dtype.newbyteorder("="), copy=False)
    if kind in "iu":
        return _from_integers(column)
    if kind == "b":
        return Factor(column.view(np.int8), np.array([False, True]))
    if kind == "f":
        # Half precision has no hash table in pandas.
        wide = column.astype(np.promote_types(column.dtype, np.float32), copy=False)
        codes, values = pd.factorize(wide)
        return Factor(codes, values.astype(column.dtype))
    if kind == "U":
        return _from_arrow(pa.array(np.ascontiguousarray(column)))
    return Factor(*pd.factorize(column.astype(object, copy=False)))


def _from_integers(column):
    low, high = int(column.min()), int(column.max())
    span = high - low + 1
    if span > _SPAN_PER_ROW * len(column) + _SPARE_ENTRIES:
        return Factor(*pd.factorize(np.ascontiguousarray(column)))
    # Differences in arithmetic modulo 2**64 are right for every integer type, for
    # both ends of int64 and uint64, and pass through no float.
    offset = np.uint64(low % 2**64)
    codes = (column.astype(np.uint64) - offset).astype(np.intp)
    values = np.arange(span, dtype=np.uint64) + offset
    return Factor(codes, values.astype(column.dtype))


def _from_arrow(array):
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    if pa.types.is_null(array.type):
        return Factor(np.full(len(array), -1), np.empty(0, dtype=object))
    if pa.types.is_integer(array.type) and not array.null_count:
        return _from_integers(array.to_numpy())
    if not pa.types.is_dictionary(array.type):
        array = array.dictionary_encode()
    codes = array.indices
    if codes.null_count:
        # Nulls would turn the codes to floats; unsigned codes cannot hold -1.
        codes = pc.fill_null(codes.cast(pa.int64()), -1)
    codes, values = _used_entries(codes.to_numpy(), array.dictionary)
    is_number = pa.types.is_integer(values.type) or pa.types.is_floating(values.type)
    values = values.to_numpy(zero_copy_only=False)
    return Factor(codes, values if is_number else values.astype(object))


def _used_entries(codes, values):
    """Without the entries that no row uses, where these are many more than rows.

    Few rows with a large dictionary would otherwise cost as much as the dictionary.
    """
    if len(values) <= len(codes) + _SPARE_ENTRIES:
        return codes, values
    used, codes = np.unique(codes, return_inverse=True)
    n_missing = int(used[0] < 0)
    return codes - n_missing, values.take(used[n_missing:])


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
    if isinstance(column, pa.Array):
        column = column.drop_null().slice(0, 1).to_pylist()
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
    """A value as errors show it."""
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

"""One column of sequences to its items, one after another, and the lengths of the rows.

A column, (n_samples,), becomes `Items`: `values` (n_items,), the items of all rows in
one column, and `lengths` (n_samples,), how many of them belong to each row. All later
work is done on one flat column, as if it were one of plain categories.
"""

from itertools import chain
from numbers import Integral
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from sk_mtl._frames import is_list_type
from sk_mtl.preprocessing._tables._factorize import shortened


class Items(NamedTuple):
    """The items of all rows, and the number of items of each row."""

    values: np.ndarray | pd.arrays.ArrowExtensionArray
    lengths: np.ndarray


def flatten(column, name, separator=None):
    """Return the items of a column of sequences.

    Parameters
    ----------
    column : array of NumPy or pandas of shape (n_samples,)
        Lists, tuples, arrays or, with a separator, text; missing rows have no items.

    name : str or int
        The column's name, for errors.

    separator : str, default=None
        What stands between the items of text. White space around items is removed,
        and what is empty then is no item.

    Returns
    -------
    Items
    """
    is_lists = is_list_type(column.dtype)
    column = _arrow_or_objects(column)
    if separator is not None:
        return _items_of_text(column, name, separator)
    if not isinstance(column, pa.Array):
        return _items_of_objects(column, name)
    if is_lists:
        return Items(_of_arrow(column.flatten()), _lengths(column))
    _refuse_first(column, name, _refuse_scalar)
    return Items(np.empty(0, dtype=object), np.zeros(len(column), dtype=np.intp))


def _arrow_or_objects(column):
    if not isinstance(column.dtype, pd.ArrowDtype):
        return np.asarray(column, dtype=object)
    array = pa.array(column)
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def _of_arrow(items):
    return pd.arrays.ArrowExtensionArray(items)


def _lengths(lists):
    lengths = pc.fill_null(pc.list_value_length(lists), 0)
    return lengths.to_numpy(zero_copy_only=False).astype(np.intp)


def _items_of_objects(column, name):
    present = _present(column, _is_sequence, name, _refuse_scalar)
    rows = column[present].tolist()
    lengths = np.zeros(len(column), dtype=np.intp)
    lengths[present] = np.fromiter(map(len, rows), dtype=np.intp, count=len(rows))
    rows = [row for row in rows if len(row)]
    if _are_arrays_of_one_type(rows):
        return Items(np.concatenate(rows), lengths)
    # An array made of a list would cast integers beside a float to float.
    items = np.fromiter(chain.from_iterable(rows), dtype=object, count=lengths.sum())
    return Items(_integers(items), lengths)


def _is_sequence(value):
    return isinstance(value, (list, tuple)) or (
        isinstance(value, np.ndarray) and value.ndim > 0
    )


def _are_arrays_of_one_type(rows):
    if not rows or any(type(row) is not np.ndarray for row in rows):
        return False
    return len({(row.dtype, row.ndim) for row in rows}) == 1 and rows[0].ndim == 1


def _integers(items):
    """Return integers as an array of integers, which is hashed faster."""
    if not all(map(_is_integer_type, map(type, items[:1]))):
        return items
    if not all(map(_is_integer_type, set(map(type, items)))):
        return items
    try:
        return items.astype(np.int64)
    except OverflowError:
        return items


def _is_integer_type(kind):
    return issubclass(kind, Integral) and kind is not bool


def _items_of_text(column, name, separator):
    if isinstance(column, pa.Array) and _is_text(column.type):
        column = column.cast(pa.large_string())
    elif isinstance(column, pa.Array):
        _refuse_first(column, name, _refuse_no_text, separator)
        column = pa.nulls(len(column), pa.large_string())
    else:
        present = _present(column, _is_text_value, name, _refuse_no_text, separator)
        try:
            column = pa.array(column, pa.large_string(), mask=~present)
        except UnicodeEncodeError:
            # Arrow's text cannot hold the lone surrogates of broken Unicode.
            return _items_of_objects(_split(column, present, separator), name)
    rows = pc.split_pattern(column, separator)
    items = pc.utf8_trim_whitespace(rows.flatten())
    is_item = pc.not_equal(items, "").to_numpy(zero_copy_only=False)
    lengths = _lengths(rows)
    if not is_item.all():
        items = items.filter(pa.array(is_item))
        row_of_item = np.repeat(np.arange(len(lengths)), lengths)[is_item]
        lengths = np.bincount(row_of_item, minlength=len(lengths))
    return Items(_of_arrow(items), lengths)


def _is_text(kind):
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def _is_text_value(value):
    return isinstance(value, str)


def _split(column, present, separator):
    """Text as lists of items, split by Python."""
    rows = np.full(len(column), None, dtype=object)
    for i in np.flatnonzero(present):
        items = (item.strip() for item in column[i].split(separator))
        rows[i] = [item for item in items if item]
    return rows


def _present(column, is_wanted, name, refuse, *details):
    """Return a mask of the rows that hold what is wanted; others must be missing."""
    present = np.fromiter(map(is_wanted, column), dtype=bool, count=len(column))
    for value in column[~present]:
        if not (pd.api.types.is_scalar(value) and pd.isna(value)):
            refuse(value, name, *details)
    return present


def _refuse_first(array, name, refuse, *details):
    """Raise the error about the first value of an Arrow array, if it has one."""
    for value in array.drop_null().slice(0, 1).to_pylist():
        refuse(value, name, *details)


def _refuse_scalar(value, name):
    required = f"Column {name!r}: a sequence per row is required; found"
    if isinstance(value, str):
        raise TypeError(
            f"{required} text: {shortened(value)}. Set `separator` to what stands "
            "between its items, or encode single values with CategoryEncoder."
        )
    if isinstance(value, (set, frozenset, dict)):
        raise TypeError(
            f"{required} a {type(value).__name__}: {shortened(value)}, whose items "
            "have no order. Make it a list."
        )
    raise TypeError(
        f"{required} one value: {shortened(value)}. Encode single values with "
        "CategoryEncoder, or make them lists."
    )


def _refuse_no_text(value, name, separator):
    raise TypeError(
        f"Column {name!r}: text with {separator!r} between its items is required, as "
        f"`separator` is set; found a {type(value).__name__}: {shortened(value)}. "
        "Encode lists and arrays with a SequenceEncoder without a separator."
    )

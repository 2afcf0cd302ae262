"""A hash of 64 bits per value, the same for ever.

Neither Python's `hash` (that of text differs from process to process) nor one that a
library uses inside (it may change with the next version) can name the rows of an
embedding table that is kept for years. Everything here is therefore defined by this
file: one permutation of 64 bits, the finaliser of SplitMix64, applied to integers
modulo 2**64 and to each 8 bytes of a text. Numbers that are equal have equal hashes,
whatever their type.
"""

from numbers import Integral

import numpy as np
import pandas as pd
import pyarrow as pa
from pandas.api.extensions import ExtensionArray

from sk_mtl.preprocessing._encoders._vocabulary import kind_of
from sk_mtl.preprocessing._tables._factorize import factorize, polars_array, shortened
from sk_mtl.preprocessing._tables._numbers import narrow, whole_numbers

_HASHED = (str, bytes, Integral, float, np.floating, np.bool_)


def mix(hashes):
    """Spread every bit over all bits: the finaliser of SplitMix64, a permutation.

    Parameters
    ----------
    hashes : ndarray of uint64

    Returns
    -------
    mixed : ndarray of uint64

    References
    ----------
    Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", 2014.
    """
    mixed = hashes ^ (hashes >> np.uint64(30))
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(27)
    mixed *= np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return mixed


def hash_column(column, name, *, fitted=False):
    """Hash one column.

    Parameters
    ----------
    column : ndarray, pandas extension array or polars Series of shape (n_samples,)
        Text, bytes, numbers or bool, or a category column of these.

    name : str or int
        The column's name, for errors.

    fitted : bool, default=False
        Whether an encoder was fitted before. Text beside numbers is then hashed, and
        what has no hash counts as missing; before, both are refused.

    Returns
    -------
    hashes : ndarray of shape (n_samples,), dtype uint64
        Arbitrary where the value is missing.

    missing : ndarray of shape (n_samples,), dtype bool
        Whether it is missing.

    present : ndarray
        The distinct values that are not missing, of integers one of them.
    """
    column = _plain_integers(column)
    if isinstance(column, np.ndarray) and column.dtype.kind in "iu":
        return _of_integers(column), np.zeros(len(column), dtype=bool), column[:1]
    codes, values = factorize(column, name, fitted=fitted)
    # Code -1, a missing value, reads the last entry of each table.
    is_missing = np.append(pd.isna(values), True)
    if fitted and values.dtype == object:
        is_missing[:-1] |= ~_are(values, _HASHED)
    is_used = np.zeros(len(is_missing), dtype=bool)
    is_used[codes] = True
    present = np.flatnonzero(is_used & ~is_missing)
    hashes = np.zeros(len(is_missing), dtype=np.uint64)
    if len(present):
        hashes[present] = _of_values(values[present], name, fitted)
    return hashes[codes], is_missing[codes], values[present]


def _plain_integers(column):
    """Integers without gaps as an array of NumPy; any other column as it is.

    A column of identifiers may hold as many values as rows: finding the distinct ones
    would take longer than hashing all.
    """
    if isinstance(column, ExtensionArray):
        if column.dtype.kind in "iu" and not column.isna().any():
            return column.to_numpy(dtype=column.dtype.numpy_dtype)
    elif not isinstance(column, np.ndarray):
        column = polars_array(column)
        if isinstance(column, pa.Array) and pa.types.is_integer(column.type):
            return column if column.null_count else column.to_numpy()
    return column


def _of_values(values, name, fitted):
    values = narrow(values)
    if values.dtype.kind in "biu":
        return _of_integers(values)
    if values.dtype.kind == "f":
        return _of_floats(values)
    if not fitted:
        _check_types(values, name)
    is_text = _are(values, (str, bytes))
    hashes = np.empty(len(values), dtype=np.uint64)
    hashes[is_text] = _of_texts(values[is_text].tolist())
    hashes[~is_text] = [_of_number(value) for value in values[~is_text].tolist()]
    return hashes


def _are(values, kinds):
    """Mask of the values that are of one of the types."""
    values = values.tolist()
    if all(issubclass(kind, kinds) for kind in set(map(type, values))):
        return np.ones(len(values), dtype=bool)
    return np.array([isinstance(value, kinds) for value in values], dtype=bool)


def _of_integers(values):
    hashes = values.astype(np.uint64)
    negative = values < 0
    if negative.any():
        # Modulo 2**64, a negative integer is also a large positive one.
        hashes[negative] = mix(hashes[negative])
    return hashes


def _of_floats(values):
    values = values.astype(np.float64)
    hashes = mix(values.view(np.uint64))
    is_whole, integers = whole_numbers(values)
    hashes[is_whole] = _of_integers(integers)
    for i in np.flatnonzero(np.abs(values) >= 2.0**63):
        hashes[i] = _of_number(int(values[i]))
    return hashes


def _of_number(value):
    whole = int(value)
    if whole != value:
        return _of_floats(np.array([value], dtype=np.float64))[0]
    for dtype in (np.int64, np.uint64):
        if np.iinfo(dtype).min <= whole <= np.iinfo(dtype).max:
            return _of_integers(np.array([whole], dtype=dtype))[0]
    return _of_texts([str(whole)])[0]


def _of_texts(values):
    """Mix the length and then 8 bytes after another, for all texts at once."""
    _, offsets, data = _as_binary(values).buffers()
    offsets = np.frombuffer(offsets, dtype=np.int64, count=len(values) + 1)
    starts, lengths = offsets[:-1], np.diff(offsets)
    # 8 more bytes, so that 8 can be read from every position.
    padded = np.zeros(offsets[-1] + 8, dtype=np.uint8)
    padded[:-8] = np.frombuffer(data or b"", dtype=np.uint8, count=offsets[-1])
    words = np.ndarray(len(padded) - 7, dtype="<u8", buffer=padded, strides=(1,))
    hashes = lengths.astype(np.uint64)
    rows, position = np.flatnonzero(lengths), 0
    while len(rows):
        n_left = lengths[rows] - position
        # What lies behind the end of a text belongs to the next one.
        n_behind = np.maximum(8 - n_left, 0).astype(np.uint64)
        kept = np.uint64(2**64 - 1) >> (n_behind * np.uint64(8))
        word = words[starts[rows] + position].astype(np.uint64) & kept
        hashes[rows] = mix(hashes[rows] ^ word)
        rows, position = rows[n_left > 8], position + 8
    return hashes


def _as_binary(values):
    """Text by its UTF-8 bytes, or bytes, as an array of Arrow."""
    try:
        return pa.array(values, pa.large_binary())
    except UnicodeEncodeError:
        # Lone surrogates of broken Unicode are text, too.
        values = [value.encode("utf-8", "surrogatepass") for value in values]
        return pa.array(values, pa.large_binary())


def _check_types(values, name):
    """Refuse what has no hash of its own, and text beside numbers."""
    types = set(map(type, values))
    for kind in types:
        if not issubclass(kind, _HASHED):
            value = next(value for value in values if type(value) is kind)
            raise TypeError(
                f"Column {name!r}: text, bytes or numbers are required; found a "
                f"{kind.__name__}: {shortened(value)}. Convert the column to text."
            )
    kinds = sorted(set(map(kind_of, types)))
    if len(kinds) > 1:
        raise TypeError(
            f"Column {name!r}: values of one kind are required; found "
            f"{' and '.join(kinds)}. Convert the column to one type: a number and the "
            "text that spells it get different codes."
        )

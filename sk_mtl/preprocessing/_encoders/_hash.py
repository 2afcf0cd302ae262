"""A hash per value, the same for ever.

Neither Python's `hash` (that of text differs from process to process) nor one that a
library uses inside (it may change with the next version) can name the rows of an
embedding table that is kept for years. The two hashes here are defined by publications:
text and bytes by MurmurHash3 of 32 bits, with the seed as it is, which ONNX Runtime
computes, too; numbers by the finaliser of SplitMix64, a permutation of 64 bits, of the
integer modulo 2**64 and a key that stands for the seed, those beyond 64 bits as text.
Numbers that are equal have equal hashes, also across types.
"""

from itertools import repeat
from numbers import Integral
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.utils import murmurhash3_32

from sk_mtl.preprocessing._encoders._vocabulary import kind_of
from sk_mtl.preprocessing._tables._factorize import factorize, shortened
from sk_mtl.preprocessing._tables._numbers import narrow, plain_integers, whole_numbers

_HASHED = (str, bytes, Integral, float, np.floating, np.bool_)

# The golden ratio in 64 bits: the seeds 0, 1, 2, ... become keys far from each other.
_GOLDEN_RATIO = 0x9E3779B97F4A7C15


class Hashes(NamedTuple):
    """The hashes of a column, and what they were made of."""

    #: Hash of each row, of shape (n_samples,), dtype uint64; any where it is missing.
    values: np.ndarray
    #: Whether the row's value is missing, of shape (n_samples,).
    missing: np.ndarray
    #: One of the values that are not missing, if there is one.
    example: object
    #: The types of these values.
    types: set


def hash_column(column, name, seed, *, fitted=False):
    """Hash one column.

    Parameters
    ----------
    column : array of NumPy or pandas of shape (n_samples,)
        Text, bytes, numbers or bool, or a category column of these.

    name : str or int
        The column's name, for errors.

    seed : int
        Selects one of 2**32 hashes.

    fitted : bool, default=False
        Whether an encoder was fitted before. Text beside numbers is then hashed, and
        what has no hash counts as missing; before, both are refused.

    Returns
    -------
    Hashes
    """
    integers = plain_integers(column)
    if integers is not None:
        # Identifiers may be as many as rows: to find the distinct ones would take
        # longer than to hash all.
        missing = np.zeros(len(integers), dtype=bool)
        return Hashes(_of_integers(integers, seed), missing, integers[0].item(), {int})
    codes, values = factorize(column, name, fitted=fitted)
    # Code -1, a missing value, reads the last entry of each table.
    is_missing = np.append(pd.isna(values), True)
    is_used = np.zeros(len(is_missing), dtype=bool)
    is_used[codes] = True
    present = np.flatnonzero(is_used & ~is_missing)
    types = set(map(type, values[present].tolist()))
    unknown = [kind for kind in types if not issubclass(kind, _HASHED)]
    if not fitted:
        _check_types(types, unknown, values[present], name)
    elif unknown:
        is_missing[present] = [type(value) in unknown for value in values[present]]
        present = present[~is_missing[present]]
        types.difference_update(unknown)
    hashes = np.zeros(len(is_missing), dtype=np.uint64)
    if len(present):
        hashes[present] = _of_values(values[present], types, seed)
    example = next(iter(values[present[:1]].tolist()), None)
    return Hashes(hashes[codes], is_missing[codes], example, types)


def _of_values(values, types, seed):
    if types <= {str, bytes}:
        return _of_texts(values, seed)
    values = narrow(values)
    if values.dtype.kind in "biu":
        return _of_integers(values, seed)
    if values.dtype.kind == "f":
        return _of_floats(values, seed)
    is_text = np.array([isinstance(value, str | bytes) for value in values])
    hashes = np.empty(len(values), dtype=np.uint64)
    hashes[is_text] = _of_texts(values[is_text], seed)
    hashes[~is_text] = [_of_number(value, seed) for value in values[~is_text].tolist()]
    return hashes


def _of_texts(values, seed):
    try:
        hashes = map(murmurhash3_32, values, repeat(seed), repeat(True))
        return np.fromiter(hashes, np.uint64, len(values))
    except UnicodeEncodeError:
        # Lone surrogates of broken Unicode are text, too.
        return _of_texts([_as_bytes(value) for value in values], seed)


def _as_bytes(value):
    return value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value


def _of_integers(values, seed):
    numbers = values.astype(np.uint64)
    negative = values < 0
    if negative.any():
        # Modulo 2**64, a negative integer is also a large positive one.
        numbers[negative] = _mix(numbers[negative])
    return _keyed(numbers, seed)


def _of_floats(values, seed):
    values = values.astype(np.float64)
    hashes = _keyed(_mix(values.view(np.uint64)), seed)
    is_whole, integers = whole_numbers(values)
    hashes[is_whole] = _of_integers(integers, seed)
    for i in np.flatnonzero(np.abs(values) >= 2.0**63):
        hashes[i] = _of_number(int(values[i]), seed)
    return hashes


def _of_number(value, seed):
    whole = int(value)
    if whole != value:
        return _of_floats(np.array([value], dtype=np.float64), seed)[0]
    for dtype in (np.int64, np.uint64):
        if np.iinfo(dtype).min <= whole <= np.iinfo(dtype).max:
            return _of_integers(np.array([whole], dtype=dtype), seed)[0]
    return _of_texts([str(whole)], seed)[0]


def _keyed(numbers, seed):
    key = _mix(np.array([(seed + 1) * _GOLDEN_RATIO % 2**64], dtype=np.uint64))
    return _mix(numbers ^ key)


def _mix(numbers):
    """Spread every bit over all bits: the finaliser of SplitMix64, a permutation.

    Parameters
    ----------
    numbers : ndarray of uint64

    Returns
    -------
    mixed : ndarray of uint64

    References
    ----------
    Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", 2014.
    """
    mixed = numbers ^ (numbers >> np.uint64(30))
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(27)
    mixed *= np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return mixed


def _check_types(types, unknown, values, name):
    """Refuse what has no hash of its own, and text beside numbers."""
    if unknown:
        value = next(value for value in values if type(value) in unknown)
        raise TypeError(
            f"Column {name!r}: text, bytes or numbers are required; found a "
            f"{type(value).__name__}: {shortened(value)}. Convert the column to text."
        )
    kinds = sorted(set(map(kind_of, types)))
    if len(kinds) > 1:
        raise TypeError(
            f"Column {name!r}: values of one kind are required; found "
            f"{' and '.join(kinds)}. Convert the column to one type: a number and the "
            "text that spells it get different codes."
        )

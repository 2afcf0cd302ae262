"""One vocabulary for several columns, whose encoders were fitted apart.

A vocabulary is what an encoder knows of one column, in local codes: `known`, its
training categories in sorted order, `codes`, the code of each, `rare`, a mask of those
that share a code, `missing_code`, 0 where a missing value has no code of its own, and
`cardinality`.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from sk_mtl.preprocessing._vocabulary import kind_of


@dataclass(frozen=True, eq=False)
class OrdinalVocabulary:
    """What scikit-learn's `OrdinalEncoder` knows of one column, in local codes.

    Parameters
    ----------
    known : ndarray of shape (n_known,)
        The categories, without NaN.
    infrequent : ndarray or None
        Those that share a code.
    missing_code : int
        Local code of a missing value, 0 if it has none.
    cardinality : int
        Number of local codes, the unknown one included.
    """

    known: np.ndarray
    infrequent: np.ndarray | None
    missing_code: int
    cardinality: int

    @property
    def rare(self):
        """Mask of the categories that share a code."""
        if self.infrequent is None:
            return np.zeros(len(self.known), dtype=bool)
        return pd.Index(self.known).isin(self.infrequent)

    @property
    def codes(self):
        """The local code of each category."""
        rare = self.rare
        return np.where(rare, np.sum(~rare) + 1, np.cumsum(~rare))


@dataclass(frozen=True)
class HashedVocabulary:
    """What a `HashingEncoder` knows of a column: nothing but its buckets."""

    n_buckets: int
    seed: int

    @property
    def cardinality(self):
        """Number of codes, that of a missing value included."""
        return self.n_buckets + 1


def unite(vocabularies, names):
    """One vocabulary for several columns.

    The common code 0 is unknown. Then follow the categories that at least one column
    keeps, sorted by value, one code for the rare categories if a column has any, and
    one for the missing value if a column has it.

    Parameters
    ----------
    vocabularies : list of vocabulary
    names : list of str
        Names of the columns, for errors.

    Returns
    -------
    cardinality : int
        Number of common codes.
    remaps : list of ndarray or None
        The common code of each local code of a column, and -1 at the end, which a
        local code of -1 reads; None where nothing changes.
    """
    if any(isinstance(vocabulary, HashedVocabulary) for vocabulary in vocabularies):
        _check_hashing(vocabularies, names)
        return vocabularies[0].cardinality, [None] * len(vocabularies)
    parts = [_Parts.of(vocabulary) for vocabulary in vocabularies]
    ranks, n_union = _ranks(_comparable([part.kept for part in parts], names))
    has_rare = any(len(part.rare_codes) for part in parts)
    has_missing = any(len(part.missing_codes) for part in parts)
    rare_code = n_union + 1
    missing_code = rare_code + has_rare
    remaps = []
    for part, rank in zip(parts, ranks, strict=True):
        remap = np.zeros(part.cardinality + 1, dtype=np.int32)
        remap[part.codes] = rank + 1
        remap[part.rare_codes] = rare_code
        remap[part.missing_codes] = missing_code
        remap[-1] = -1
        remaps.append(None if _changes_nothing(remap) else remap)
    return int(missing_code + has_missing), remaps


class _Parts(NamedTuple):
    """The categories that a column keeps, and the local codes of each sort."""

    kept: np.ndarray
    codes: np.ndarray
    rare_codes: np.ndarray
    missing_codes: np.ndarray
    cardinality: int

    @classmethod
    def of(cls, vocabulary):
        codes, rare = vocabulary.codes, vocabulary.rare
        # To scikit-learn None is a category like others, to the other columns missing.
        absent = pd.isna(vocabulary.known)
        kept = ~(rare | absent)
        missing_codes = codes[absent & ~rare]
        if vocabulary.missing_code:
            missing_codes = np.append(missing_codes, vocabulary.missing_code)
        return cls(
            kept=vocabulary.known[kept],
            codes=codes[kept],
            rare_codes=codes[rare][:1],
            missing_codes=missing_codes,
            cardinality=vocabulary.cardinality,
        )


def _changes_nothing(remap):
    return np.array_equal(remap[:-1], np.arange(len(remap) - 1))


def _ranks(columns):
    """Position of each column's values among all distinct values, and their number."""
    values = np.concatenate(columns)
    # Stable sorting runs through parts that are in order already, as these are.
    order = np.argsort(values, kind="stable")
    values = values[order]
    is_first = np.ones(len(values), dtype=bool)
    is_first[1:] = values[1:] != values[:-1]
    ranks = np.empty(len(values), dtype=np.int64)
    ranks[order] = np.cumsum(is_first) - 1
    ends = np.cumsum([len(column) for column in columns])
    return np.split(ranks, ends[:-1]), int(is_first.sum())


def _comparable(columns, names):
    """The columns' values in one type that holds all of them exactly."""
    found = {
        kind_of(type(column[0])): name
        for column, name in zip(columns, names, strict=True)
        if len(column)
    }
    if len(found) > 1:
        kinds = " and ".join(f"{kind} in {name!r}" for kind, name in found.items())
        raise ValueError(
            "Columns that share an embedding must hold values of one kind, all text or "
            f"all numbers; found {kinds}. Convert one column to the type of the other."
        )
    dtype = _common_dtype([column for column in columns if len(column)])
    return [_cast(column, dtype) for column in columns]


def _common_dtype(columns):
    """A type that holds all values exactly; object, of Python's numbers, if no other.

    NumPy's own promotion joins int64 and uint64, or integers and floats, in float64,
    which rounds integers from 2**53 on.
    """
    kinds = {column.dtype.kind for column in columns}
    if kinds <= set("f") or (len(kinds) == 1 and kinds <= set("bmM")):
        return np.result_type(*columns) if columns else np.dtype(object)
    if kinds <= set("biuf") and all(map(_is_whole, columns)):
        low = min(int(column.min()) for column in columns)
        high = max(int(column.max()) for column in columns)
        for dtype in (np.int64, np.uint64):
            if np.iinfo(dtype).min <= low and high <= np.iinfo(dtype).max:
                return np.dtype(dtype)
    return np.dtype(object)


def _is_whole(column):
    return column.dtype.kind != "f" or bool(np.all(column == np.floor(column)))


def _cast(column, dtype):
    if dtype.kind != "O" or column.dtype.kind == "O":
        return column.astype(dtype, copy=False)
    # Python's own numbers compare exactly with those of any other type.
    values = np.empty(len(column), dtype=object)
    values[:] = column.tolist()
    return values


def _check_hashing(vocabularies, names):
    if len(set(map(_hashing, vocabularies))) > 1:
        found = ", ".join(
            f"{name!r} ({_hashing(vocabulary)})"
            for name, vocabulary in zip(names, vocabularies, strict=True)
        )
        raise ValueError(
            "Columns that share an embedding must all be hashed, with equal n_buckets "
            f"and seed, or none; found {found}. Encode them alike."
        )


def _hashing(vocabulary):
    if not isinstance(vocabulary, HashedVocabulary):
        return "not hashed"
    return f"n_buckets={vocabulary.n_buckets}, seed={vocabulary.seed}"


def merge_groups(groups):
    """Groups of names, those with a name in common joined, in order of appearance."""
    merged = []
    for group in groups:
        group = list(group)
        for other in [other for other in merged if set(other) & set(group)]:
            merged.remove(other)
            group = other + group
        merged.append(list(dict.fromkeys(group)))
    return merged

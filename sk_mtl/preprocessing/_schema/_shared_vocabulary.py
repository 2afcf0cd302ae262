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

from sk_mtl.preprocessing._encoders._vocabulary import Vocabulary, kind_of

_NO_CODES = np.zeros(0, dtype=np.int32)


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
    _check_kinds(parts, names)
    ranks, union = _ranks([part.kept for part in parts])
    has_rare = any(len(part.rare_codes) for part in parts)
    has_missing = any(len(part.missing_codes) for part in parts)
    rare_code = len(union) + 1
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


def learn_from_each_other(vocabularies):
    """The vocabularies, each of them with the categories of all others behind its own.

    A category is kept if any column keeps it, except in a column that itself has it
    among its rare ones. An `OrdinalVocabulary` cannot learn: its encoder is
    scikit-learn's.

    Parameters
    ----------
    vocabularies : list of vocabulary
        Those of one group, which `unite` took.

    Returns
    -------
    learned : list of (vocabulary, ndarray)
        Each with the common codes of its additional local codes; the same object where
        there are none.
    """
    if any(isinstance(vocabulary, HashedVocabulary) for vocabulary in vocabularies):
        return [(vocabulary, _NO_CODES) for vocabulary in vocabularies]
    parts = [_Parts.of(vocabulary) for vocabulary in vocabularies]
    ranks, kept = _ranks([part.kept for part in parts])
    rare = _ranks([part.rare for part in parts])[1]
    return [
        _learn(vocabulary, rank, kept, rare)
        if isinstance(vocabulary, Vocabulary)
        else (vocabulary, _NO_CODES)
        for vocabulary, rank in zip(vocabularies, ranks, strict=True)
    ]


def _learn(vocabulary, rank, kept, rare):
    """The vocabulary with all that is kept or rare, and its additional common codes."""
    is_new = np.ones(len(kept), dtype=bool)
    is_new[rank] = False
    if vocabulary.rare.any():
        # What others keep may be one of its own rare categories.
        is_new[is_new] = vocabulary.codes_of(kept[is_new]) == 0
    learned = _with(vocabulary, kept[is_new], rare=False)
    if len(rare):
        learned = _with(learned, rare[learned.codes_of(rare) == 0], rare=True)
    common = np.append(np.flatnonzero(is_new) + 1, len(kept) + 1).astype(np.int32)
    return learned, common[: learned.cardinality - vocabulary.cardinality]


def _with(vocabulary, values, *, rare):
    """The vocabulary with more values, of which it knows none."""
    if len(values) == 0:
        return vocabulary
    known = np.concatenate(_comparable([vocabulary.known, values]))
    return vocabulary.extended(known, rare=rare)


def extended_remap(remap, cardinality, more):
    """The remap of a column, None included, with the common codes of more local codes.

    Parameters
    ----------
    remap : ndarray or None
        As `unite` returns it.
    cardinality : int
        Number of the column's local codes before.
    more : ndarray of shape (n_more,), dtype int32
    """
    if len(more) == 0:
        return remap
    if remap is None:
        remap = np.arange(cardinality + 1, dtype=np.int32)
    return np.concatenate([remap[:-1], more, np.array([-1], dtype=np.int32)])


class _Parts(NamedTuple):
    """The categories of a column, and the local codes of each sort."""

    kept: np.ndarray
    rare: np.ndarray
    codes: np.ndarray
    rare_codes: np.ndarray
    missing_codes: np.ndarray
    cardinality: int

    @classmethod
    def of(cls, vocabulary):
        codes, rare = vocabulary.codes, vocabulary.rare
        absent = np.zeros(len(rare), dtype=bool)
        if isinstance(vocabulary, OrdinalVocabulary):
            # To scikit-learn None is a category like others, to other columns missing.
            absent = pd.isna(vocabulary.known)
        kept = ~(rare | absent)
        missing_codes = codes[absent & ~rare]
        if vocabulary.missing_code:
            missing_codes = np.append(missing_codes, vocabulary.missing_code)
        return cls(
            kept=vocabulary.known[kept],
            rare=vocabulary.known[rare & ~absent],
            codes=codes[kept],
            rare_codes=codes[rare][:1],
            missing_codes=missing_codes,
            cardinality=vocabulary.cardinality,
        )


def _changes_nothing(remap):
    return np.array_equal(remap[:-1], np.arange(len(remap) - 1))


def _ranks(columns):
    """Position of each column's values among all distinct values, and these."""
    values = np.concatenate(_comparable(columns))
    # Stable sorting runs through parts that are in order already, as these are.
    order = np.argsort(values, kind="stable")
    values = values[order]
    is_first = np.ones(len(values), dtype=bool)
    is_first[1:] = values[1:] != values[:-1]
    ranks = np.empty(len(values), dtype=np.int64)
    ranks[order] = np.cumsum(is_first) - 1
    ends = np.cumsum([len(column) for column in columns])
    return np.split(ranks, ends[:-1]), values[is_first]


def _check_kinds(parts, names):
    """Refuse columns of which some hold text and others numbers."""
    found = {
        kind_of(type(value)): name
        for part, name in zip(parts, names, strict=True)
        for value in [*part.kept[:1], *part.rare[:1]]
    }
    if len(found) > 1:
        kinds = " and ".join(f"{kind} in {name!r}" for kind, name in found.items())
        raise ValueError(
            "Columns that share an embedding must hold values of one kind, all text or "
            f"all numbers; found {kinds}. Convert one column to the type of the other."
        )


def _comparable(columns):
    """The columns' values in one type that holds all of them exactly."""
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

"""The columns of a fitted encoder, in local codes."""

import math
from typing import NamedTuple

import numpy as np
from sklearn.preprocessing import OrdinalEncoder

from sk_mtl.preprocessing._encoders._code_reader import integer_limit
from sk_mtl.preprocessing._encoders._hashing_encoder import HashingEncoder
from sk_mtl.preprocessing._encoders._vocabulary import Vocabulary
from sk_mtl.preprocessing._schema._fixed_vocabularies import (
    HashedVocabulary,
    OrdinalVocabulary,
)
from sk_mtl.preprocessing._tables._numbers import to_floats


class CodeColumn(NamedTuple):
    """A column of codes.

    Attributes
    ----------
    vocabulary : Vocabulary, OrdinalVocabulary or HashedVocabulary
    rare_code : int or None
        Local code that rare categories share; None where there are none.
    missing_code : int or None
        Local code of a missing value, 0 where it is unknown; None where training had
        no missing value.
    encoder : CategoryEncoder, SequenceEncoder or None
        The encoder, if it may be given other vocabularies.
    position : int
        The column's position in the encoder.
    """

    vocabulary: object
    rare_code: int | None
    missing_code: int | None
    encoder: object = None
    position: int = 0

    @classmethod
    def of(cls, encoder, position):
        """Return a column of an encoder that has a vocabulary per column."""
        vocabulary, rare_code = encoder._vocabularies[position], None
        if vocabulary.rare.any():
            rare_code = int(vocabulary.codes[vocabulary.rare][0])
        absent = 0 if getattr(encoder, "missing", None) == "unknown" else None
        missing_code = vocabulary.missing_code or absent
        return cls(vocabulary, rare_code, missing_code, encoder, position)

    @property
    def n_kept(self):
        """Number of categories with a code of their own; None where unknown."""
        if isinstance(self.vocabulary, HashedVocabulary):
            return None
        if isinstance(self.vocabulary, Vocabulary):
            return int(np.sum(~self.vocabulary.rare))
        n_others = (self.rare_code is not None) + bool(self.missing_code)
        return self.vocabulary.cardinality - 1 - n_others


def code_columns(encoder, n_columns):
    """Return the columns of an encoder.

    Parameters
    ----------
    encoder : CategoryEncoder, SequenceEncoder, OrdinalEncoder or HashingEncoder
    n_columns : int
        Number of its columns.

    Returns
    -------
    columns : list of CodeColumn
    """
    if isinstance(encoder, HashingEncoder):
        vocabulary = HashedVocabulary(int(encoder.n_buckets), encoder.seed)
        return [CodeColumn(vocabulary, None, 0)] * n_columns
    if isinstance(encoder, OrdinalEncoder):
        return [_ordinal_column(encoder, j) for j in range(n_columns)]
    return [CodeColumn.of(encoder, j) for j in range(len(encoder._vocabularies))]


def _ordinal_column(encoder, j):
    known, infrequent = encoder.categories_[j], None
    has_missing = len(known) > 0 and is_nan(known[-1])
    known = known[:-1] if has_missing else known
    if encoder.min_frequency is not None or encoder.max_categories is not None:
        infrequent = encoder.infrequent_categories_[j]
    n_codes = len(known) - (0 if infrequent is None else len(infrequent) - 1)
    # Where the encoder writes the same for unknown and missing, both are unknown.
    same = writes_missing_as_unknown(encoder)
    missing_code = n_codes + 1 if has_missing and not same else 0
    cardinality = n_codes + 1 + bool(missing_code)
    return CodeColumn(
        OrdinalVocabulary(known, infrequent, missing_code, cardinality),
        None if infrequent is None else n_codes,
        missing_code if has_missing else None,
    )


def writes_missing_as_unknown(encoder):
    """Return whether an `OrdinalEncoder` marks missing and unknown values alike."""
    unknown, missing = encoder.unknown_value, encoder.encoded_missing_value
    return missing == unknown or is_nan(missing, unknown)


def read_numbers(columns, names, n_codes):
    """Return columns of codes as numbers; refuse floats that may be rounded.

    Parameters
    ----------
    columns : array or data frame of shape (n_samples, n_columns)
    names : list of str
        Names of the columns, for errors.
    n_codes : sequence of int
        Number of codes of each.

    Returns
    -------
    values : ndarray of shape (n_samples, n_columns)
        Integers or floats.
    """
    if not isinstance(columns, np.ndarray) or columns.dtype.kind not in "iuf":
        columns = to_floats(columns, names)
    if columns.dtype.kind == "f":
        limit = integer_limit(columns.dtype)
        for name, n_of_column in zip(names, n_codes, strict=True):
            if n_of_column > limit:
                raise ValueError(
                    f"Codes of column {name!r} must pass through the preprocessor "
                    f"without rounding; found {n_of_column} codes in {columns.dtype}, "
                    f"which is exact only up to {limit:.0f}. Let the preprocessor "
                    "return float64 or integers."
                )
    return columns


def is_nan(*values):
    """Return whether all of the values are floats that are NaN."""
    return all(isinstance(value, float) and math.isnan(value) for value in values)


def equals(columns, marker):
    """Return a mask of the entries that equal the marker, which may be NaN or None."""
    if marker is None or (is_nan(marker) and columns.dtype.kind != "f"):
        return np.zeros(columns.shape, dtype=bool)
    return np.isnan(columns) if is_nan(marker) else columns == marker

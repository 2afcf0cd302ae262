"""Vocabularies that cannot learn from other columns, in local codes."""

from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True, eq=False)
class OrdinalVocabulary:
    """The categories of one column of scikit-learn's `OrdinalEncoder`.

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
    def codes(self):
        """The local code of each category."""
        rare = np.zeros(len(self.known), dtype=bool)
        if self.infrequent is not None:
            rare = pd.Index(self.known).isin(self.infrequent)
        return np.where(rare, np.sum(~rare) + 1, np.cumsum(~rare))


@dataclass(frozen=True)
class HashedVocabulary:
    """The buckets of a `HashingEncoder`."""

    n_buckets: int
    seed: int

    @property
    def cardinality(self):
        """Number of codes, that of a missing value included."""
        return self.n_buckets + 1


def same_codes(one, other):
    """Return whether two vocabularies give every value the same code.

    Parameters
    ----------
    one, other : Vocabulary, OrdinalVocabulary or HashedVocabulary
    """
    if isinstance(one, HashedVocabulary) or isinstance(other, HashedVocabulary):
        return one == other
    return (
        one.cardinality == other.cardinality
        and one.missing_code == other.missing_code
        and pd.Index(one.known).equals(pd.Index(other.known))
        and np.array_equal(one.codes, other.codes)
    )

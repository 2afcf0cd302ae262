"""Base of the encoders that learn a vocabulary per column."""

import copy
from abc import ABC, abstractmethod
from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_array

from sk_mtl._sklearn_compat import Interval, _fit_context
from sk_mtl._versions import VersionedPickle
from sk_mtl.preprocessing._encoders._codes import check_fits
from sk_mtl.preprocessing._encoders._shared_columns import (
    recode_blocks,
    shared_positions,
    unite_groups,
)
from sk_mtl.preprocessing._encoders._vocabulary import Vocabulary

_REMEDY = "fewer codes with max_categories or min_frequency"


class VocabularyEncoder(
    VersionedPickle, OneToOneFeatureMixin, TransformerMixin, BaseEstimator, ABC
):
    """Base of the encoders that learn a vocabulary per column.

    A subclass has the parameters `min_frequency`, `max_categories`, `share` and
    `dtype`, and implements `_fit_codes`.
    """

    _parameter_constraints: dict = {
        "min_frequency": [
            Interval(Integral, 1, None, closed="left"),
            Interval(Real, 0, 1, closed="neither"),
            None,
        ],
        "max_categories": [Interval(Integral, 1, None, closed="left"), None],
        "share": [list, tuple, None],
        "dtype": "no_validation",  # Checked by `code_dtype`.
    }

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Learn the categories of each column.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            DataFrame of pandas or polars, array or list of rows.

        y : None
            Ignored; it is there for the sake of pipelines.

        Returns
        -------
        self : object
            The fitted encoder.
        """
        self._fit_codes(X)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def fit_transform(self, X, y=None):
        """Learn the categories of each column and encode it, hashing each value once.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            DataFrame of pandas or polars, array or list of rows.

        y : None
            Ignored; it is there for the sake of pipelines.

        Returns
        -------
        codes : ndarray of shape (n_samples, n_outputs)
            The codes, as `transform` returns them.
        """
        return self._fit_codes(X)

    @abstractmethod
    def _fit_codes(self, X):
        """Learn the categories and encode the training rows in one pass."""

    def _learn(self, factor, name, *, missing=True):
        """Return the vocabulary of one training column."""
        vocabulary = Vocabulary(
            factor,
            name,
            missing=missing,
            is_rare=lambda counts: self._is_rare(counts, len(factor.codes)),
        )
        check_fits(vocabulary.cardinality, np.dtype(self.dtype), name, _REMEDY)
        return vocabulary

    def _is_rare(self, counts, n_values):
        """Return a mask of a column's rare categories, from their counts."""
        least = self.min_frequency or 0
        if isinstance(least, Real) and not isinstance(least, Integral):
            least = least * n_values
        rare = counts < least
        n_codes = len(rare) - rare.sum() + rare.any()
        if self.max_categories is not None and n_codes > self.max_categories:
            # Of equally frequent categories the ones later in order are kept.
            by_count = np.argsort(counts, kind="stable")
            rare[by_count[: len(rare) - (self.max_categories - 1)]] = True
        return rare

    def with_vocabularies(self, vocabularies):
        """Return a fitted encoder that has other vocabularies for some columns.

        This encoder stays as it is.

        Parameters
        ----------
        vocabularies : dict of int to Vocabulary
            By the position of the column.

        Returns
        -------
        encoder : object
            An encoder of the same class.
        """
        names = self._column_names()
        for j, vocabulary in vocabularies.items():
            check_fits(vocabulary.cardinality, self._dtype, names[j], _REMEDY)
        encoder = copy.copy(self)
        encoder._publish(
            [vocabularies.get(j, own) for j, own in enumerate(self._vocabularies)],
            self._dtype,
        )
        return encoder

    def _share(self, vocabularies, blocks, dtype):
        """Return the vocabularies, united within each group, and recode the blocks.

        Parameters
        ----------
        vocabularies : list of Vocabulary
            One for each column.
        blocks : iterable of ndarray
            The codes of each column in its own vocabulary.
        dtype : dtype
            Their type.
        """
        names = self._column_names()
        self._groups = shared_positions(self.share, names)
        united = unite_groups(vocabularies, self._groups, names)
        for name, vocabulary in zip(names, united, strict=True):
            check_fits(vocabulary.cardinality, dtype, name, _REMEDY)
        recode_blocks(blocks, vocabularies, united)
        return united

    def _column_names(self):
        names = getattr(self, "feature_names_in_", None)
        if names is None:
            return [f"x{j}" for j in range(self.n_features_in_)]
        return names.tolist()

    def _publish(self, vocabularies, dtype):
        self._vocabularies = vocabularies
        self._dtype = dtype
        self.categories_ = [v.categories for v in vocabularies]
        self.cardinalities_ = [v.cardinality for v in vocabularies]
        self.infrequent_categories_ = [v.infrequent for v in vocabularies]

    def _checked_codes(self, X, per_column):
        """Return X as an array of as many columns of codes as `transform` returns."""
        codes = check_array(X)
        n_columns = self.n_features_in_ * per_column
        if codes.shape[1] != n_columns:
            raise ValueError(
                f"Codes of {n_columns} columns are required; found {codes.shape[1]}. "
                "Pass all columns that transform returned."
            )
        return codes

    def __sklearn_tags__(self):
        # As in scikit-learn's own encoders, `string` stays False: the checks read it as
        # "does not look at values" and would want dictionaries to be taken.
        tags = super().__sklearn_tags__()
        tags.input_tags.categorical = True
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = []
        return tags

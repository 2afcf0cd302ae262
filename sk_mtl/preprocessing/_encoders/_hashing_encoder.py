"""Values of any number to codes of a fixed number, without a vocabulary."""

from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin, clone

from sk_mtl._sklearn_compat import Interval, _fit_context
from sk_mtl._versions import VersionedPickle
from sk_mtl.preprocessing._encoders._codes import check_fits, code_dtype
from sk_mtl.preprocessing._encoders._hash import hash_column, mix
from sk_mtl.preprocessing._encoders._vocabulary import (
    MANY_ROWS,
    kind_of,
    warn_of_kind,
)
from sk_mtl.preprocessing._tables._containers import iter_columns, validated_table

# The golden ratio in 64 bits: the seeds 0, 1, 2, ... become keys far from each other.
_GOLDEN_RATIO = 0x9E3779B97F4A7C15


class HashingEncoder(
    VersionedPickle, OneToOneFeatureMixin, TransformerMixin, BaseEstimator
):
    r"""Encode values as the numbers of hash buckets, for vocabularies without an end.

    A vocabulary that does not fit in memory, or whose values keep coming, cannot be
    learned. Here the code of a value follows from the value alone,

    .. math:: code(x) = 1 + h(x, seed) \bmod n\_buckets,

    and 0 stands for a missing value (None, NaN, NA). There is no unknown value: a new
    one shares the bucket, and so the embedding, of whatever training rows put there.

    Values that share a bucket cannot be told apart. Of :math:`v` distinct values, the
    expected share that shares its bucket with another one is

    .. math:: 1 - (1 - 1 / n)^{v - 1} \approx v / n, \quad n = n\_buckets,

    where the approximation holds for :math:`v` much smaller than :math:`n`: with as
    many buckets as values 63 %, with ten times as many 10 %, with a hundred times as
    many 1 %. Consecutive numbers and similar texts collide no more than others.

    The hash is the same in every process, on every platform and in every version of
    this package and of the libraries below it. It depends on the value, not on the
    container: integers of all widths, bool (0 and 1), floats without a fraction and
    nullable types agree on equal numbers, so identifiers keep their buckets when gaps
    turn their column to float; and text is hashed by its UTF-8 bytes, in an object,
    `str`, `category`, polars or Arrow column. Text and the number that it spells have
    different hashes: 7 is not "7". After `fit`, a value without a hash, such as a date,
    counts as missing. Integers are never cast to float.

    Parameters
    ----------
    n_buckets : int
        Number of buckets, at least 2. The embedding table has one row more. A larger
        value makes fewer values share a bucket, and a larger table.

    seed : int, default=0
        Selects one of many hashes. Two of them let different values collide: two
        encoders with different seeds on the same column, and so two embeddings, tell
        most values apart that one confuses.

    dtype : dtype, default=np.int32
        The codes' type, integer or float. It must hold `n_buckets` exactly.

    Attributes
    ----------
    cardinalities_ : list of int
        Number of codes of each column: `n_buckets + 1`.

    n_features_in_ : int
        Number of columns seen in `fit`.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns seen in `fit`, if all are strings.

    See Also
    --------
    CategoryEncoder : A code of its own for every value of the training rows.
    sklearn.feature_extraction.FeatureHasher : Hashed values as columns of a sparse
        matrix.

    References
    ----------
    Weinberger et al., "Feature Hashing for Large Scale Multitask Learning", ICML 2009.

    Examples
    --------
    Equal values have equal codes, in any column and without a fit; a missing value has
    the code 0.

    >>> import pandas as pd
    >>> from sk_mtl.preprocessing import HashingEncoder
    >>> encoder = HashingEncoder(n_buckets=1000)
    >>> encoder.transform(pd.DataFrame({"user": ["ann", None, "bob", "ann"]}))
    array([[239],
           [  0],
           [762],
           [239]], dtype=int32)

    A column of identifiers with gaps, which pandas keeps as floats, has the codes of
    the integers.

    >>> encoder.transform(pd.DataFrame({"item": [7, 8]})).ravel()
    array([600, 535], dtype=int32)
    >>> encoder.transform(pd.DataFrame({"item": [7, None, 8]})).ravel()
    array([600,   0, 535], dtype=int32)
    """

    _parameter_constraints: dict = {
        "n_buckets": [Interval(Integral, 2, None, closed="left")],
        "seed": [Interval(Integral, 0, 2**64 - 1, closed="both")],
        "dtype": "no_validation",  # Checked by `code_dtype`.
    }

    def __init__(self, n_buckets, *, seed=0, dtype=np.int32):
        self.n_buckets = n_buckets
        self.seed = seed
        self.dtype = dtype

    def fit(self, X, y=None):
        """Check the columns and remember which hold text and which hold numbers.

        Nothing else is learned. `transform` then takes values of another kind as new
        ones, and warns where a column of ten rows or more holds no others.

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
        self._encode(X, reset=True)
        return self

    def fit_transform(self, X, y=None):
        """Fit and encode, hashing each value once.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            DataFrame of pandas or polars, array or list of rows.

        y : None
            Ignored; it is there for the sake of pipelines.

        Returns
        -------
        codes : ndarray of shape (n_samples, n_features)
            The codes, column by column in memory.
        """
        return self._encode(X, reset=True)

    def transform(self, X):
        """Encode each column; works before `fit`, too.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            DataFrame of pandas or polars, array or list of rows.

        Returns
        -------
        codes : ndarray of shape (n_samples, n_features)
            The codes, column by column in memory.
        """
        if hasattr(self, "n_features_in_"):
            return self._encode(X, reset=False)
        # The fit of a copy checks the columns and leaves this object as it is.
        return clone(self)._encode(X, reset=True)

    @_fit_context(prefer_skip_nested_validation=True)
    def _encode(self, X, reset):
        dtype = code_dtype(self.dtype)
        X = validated_table(self, X, reset=reset)
        codes = np.empty(X.shape, dtype=dtype, order="F")
        kinds = [None] * X.shape[1] if reset else list(self._kinds)
        for j, (name, column) in enumerate(iter_columns(X)):
            check_fits(self.n_buckets + 1, dtype, name, "fewer buckets")
            hashes, missing, values = hash_column(column, name, fitted=not reset)
            if len(values):
                n_present = len(missing) - np.count_nonzero(missing)
                kinds[j] = _checked_kind(values, n_present, kinds[j], name)
            codes[:, j] = self._buckets(hashes)
            codes[missing, j] = 0
        if reset:
            self._kinds = kinds
            self.cardinalities_ = [self.n_buckets + 1] * X.shape[1]
        return codes

    def _buckets(self, hashes):
        key = mix(np.array([(self.seed + 1) * _GOLDEN_RATIO % 2**64], dtype=np.uint64))
        buckets = mix(hashes ^ key)
        buckets %= np.uint64(self.n_buckets)
        buckets += np.uint64(1)
        return buckets

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.categorical = True
        tags.input_tags.allow_nan = True
        tags.requires_fit = False
        tags.transformer_tags.preserves_dtype = []
        return tags


def _checked_kind(values, n_rows, expected, name):
    """The kind that training held, or else that of the first value.

    Warns where the values, of that many rows, are all of another kind.
    """
    kinds = set(map(kind_of, set(map(type, values.tolist()))))
    if expected is not None and expected not in kinds and n_rows >= MANY_ROWS:
        warn_of_kind(values[:1].tolist()[0], expected, name)
    return expected or kinds.pop()

"""Values of any number to codes of a fixed number, without a vocabulary."""

from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin, clone

from sk_mtl._sklearn_compat import Interval, _fit_context
from sk_mtl._versions import VersionedPickle
from sk_mtl.preprocessing._encoders._codes import check_fits, code_dtype
from sk_mtl.preprocessing._encoders._hash import hash_column
from sk_mtl.preprocessing._encoders._vocabulary import (
    MANY_ROWS,
    kind_of,
    warn_of_kind,
)
from sk_mtl.preprocessing._tables._validated_table import iter_columns, validated_table


class HashingEncoder(
    VersionedPickle, OneToOneFeatureMixin, TransformerMixin, BaseEstimator
):
    r"""Encode values as the numbers of hash buckets, for vocabularies without an end.

    A vocabulary that does not fit in memory, or whose values keep coming, cannot be
    learned. Here the code of a value follows from the value alone,

    .. math:: code(x) = 1 + h(x, seed) \bmod n\_buckets,

    and 0 stands for a missing value (None, NaN, NA). There is no unknown value: a new
    one shares the bucket, and so the embedding, of the training values in it.

    Values that share a bucket are one to a model. Of :math:`v` distinct values, the
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

    Text is hashed by MurmurHash3 of 32 bits, :func:`sklearn.utils.murmurhash3_32` with
    `positive=True`, whose values the operator `MurmurHash3` of ONNX Runtime returns for
    the same seed; numbers by the finaliser of SplitMix64, of 64 bits. Of :math:`v`
    distinct texts a share of about :math:`v / 2^{32}` collides in any number of
    buckets: 0.2 % of ten million.

    Parameters
    ----------
    n_buckets : int
        Number of buckets, from 2 to 2**32. The embedding table has one row more. A
        larger value makes fewer values share a bucket, and a larger table.

    seed : int, default=0
        Selects one of 2**32 hashes, of text as the seed of MurmurHash3. Two of them let
        different values collide: two encoders with different seeds on the same column,
        and so two embeddings, distinguish most values that one confuses.

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

    Appleby, "MurmurHash3", https://github.com/aappleby/smhasher.

    Examples
    --------
    Equal values have equal codes, in any column and without a fit; a missing value has
    the code 0.

    >>> import pandas as pd
    >>> from sk_mtl.preprocessing import HashingEncoder
    >>> encoder = HashingEncoder(n_buckets=1000)
    >>> encoder.transform(pd.DataFrame({"user": ["ann", None, "bob", "ann"]}))
    array([[359],
           [  0],
           [795],
           [359]], dtype=int32)

    A column of identifiers with gaps, which pandas keeps as floats, has the codes of
    the integers.

    >>> encoder.transform(pd.DataFrame({"item": [7, 8]})).ravel()
    array([600, 535], dtype=int32)
    >>> encoder.transform(pd.DataFrame({"item": [7, None, 8]})).ravel()
    array([600,   0, 535], dtype=int32)
    """

    _parameter_constraints: dict = {
        "n_buckets": [Interval(Integral, 2, 2**32, closed="both")],
        "seed": [Interval(Integral, 0, 2**32 - 1, closed="both")],
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
            hashes = hash_column(column, name, self.seed, fitted=not reset)
            kinds[j] = _checked_kind(hashes, kinds[j], name)
            codes[:, j] = hashes.values % np.uint64(self.n_buckets) + np.uint64(1)
            codes[hashes.missing, j] = 0
        if reset:
            self._kinds = kinds
            self.cardinalities_ = [self.n_buckets + 1] * X.shape[1]
        return codes

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.categorical = True
        tags.input_tags.allow_nan = True
        tags.requires_fit = False
        tags.transformer_tags.preserves_dtype = []
        return tags


def _checked_kind(hashes, expected, name):
    """Return the kind that training held, or else that of the column's values.

    Warns where the values of many rows are all of another kind.
    """
    kinds = set(map(kind_of, hashes.types))
    if expected is None or not kinds:
        return next(iter(kinds), expected)
    if expected not in kinds and np.count_nonzero(~hashes.missing) >= MANY_ROWS:
        warn_of_kind(hashes.example, expected, name)
    return expected

"""Category columns to integer codes, one table lookup per column."""

from numbers import Integral, Real

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from sk_mtl._sklearn_compat import Interval, StrOptions, _fit_context
from sk_mtl.preprocessing._containers import (
    is_pandas,
    is_polars,
    iter_columns,
    iter_rows,
)
from sk_mtl.preprocessing._factorize import factorize
from sk_mtl.preprocessing._vocabulary import Vocabulary

# Up to this many rows are looked up value by value: the fixed cost of handling a whole
# column is then larger than that of handling its values.
_FEW_ROWS = 4


class CategoryEncoder(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Encode columns of categories as small integers, ready for embedding tables.

    Each column gets its own codes. Code 0 is the *unknown row*: it stands for every
    value that the training rows did not hold, so that a new category never fails.
    Codes 1, 2, ... are the categories present in the training rows, sorted by value::

        code(x) = 1 + number of kept training categories smaller than x

    Then come one code that all rare categories of the column share, if there are any,
    and one for the missing value, if training rows held it. The codes depend on the
    values alone, not on the container: pandas columns (`category`, `str`, `object`,
    integer, bool, nullable types), polars columns and arrays give the same ones, and
    categories that a pandas or polars column declares but no training row uses get
    none. The integer codes of a category column are translated through a table of its
    categories, other columns are hashed once; integers are never cast to float.

    Parameters
    ----------
    min_frequency : int or float, default=None
        Categories that fewer training rows hold share the rare code: a number of rows
        if int, a share of all rows between 0 and 1 if float. A larger value gives fewer
        and better trained codes, a smaller one keeps more categories apart. None keeps
        all.

    max_categories : int, default=None
        The most codes that a column may use for its categories, the rare code included,
        the unknown row and the missing value not. If there are more categories, the
        least frequent ones share the rare code. A smaller value makes smaller embedding
        tables. None sets no limit.

    missing : {"category", "unknown"}, default="category"
        "category": a missing value (None, NaN, NA) that the training rows hold is a
        category of its own, the last one and never rare; one that they do not hold is
        unknown. "unknown": a missing value is always unknown, code 0.

    dtype : dtype, default=np.int32
        The codes' type, integer or float. It must hold every code exactly.

    Attributes
    ----------
    categories_ : list of ndarray of shape (n_categories,)
        The training categories of each column, sorted; a missing value comes last, as
        NaN. Without rare categories, `categories_[j][i]` has code `i + 1`.

    cardinalities_ : list of int
        Number of codes of each column, the unknown row included: the largest code plus
        one, and so the number of rows of an embedding table.

    infrequent_categories_ : list of ndarray or None
        The categories of each column that share the rare code; None where there are
        none.

    n_features_in_ : int
        Number of columns seen in `fit`.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns seen in `fit`, if all are strings.

    See Also
    --------
    sklearn.preprocessing.OrdinalEncoder : Codes from 0, with separate settings for
        unknown and missing values.

    Examples
    --------
    A colour that training never saw gets code 0, a missing one its own code.

    >>> import pandas as pd
    >>> from sk_mtl.preprocessing import CategoryEncoder
    >>> X = pd.DataFrame({"colour": ["red", "blue", None, "red"], "size": [3, 1, 1, 3]})
    >>> encoder = CategoryEncoder().fit(X)
    >>> encoder.transform(X)
    array([[2, 2],
           [1, 1],
           [3, 1],
           [2, 2]], dtype=int32)
    >>> encoder.transform(pd.DataFrame({"colour": ["green"], "size": [1]}))
    array([[0, 1]], dtype=int32)

    Categories that fewer than two rows hold share one code.

    >>> CategoryEncoder(min_frequency=2).fit([["a"], ["a"], ["b"], ["c"]]).transform(
    ...     [["a"], ["b"], ["c"], ["d"]]
    ... )
    array([[1],
           [2],
           [2],
           [0]], dtype=int32)
    """

    _parameter_constraints: dict = {
        "min_frequency": [
            Interval(Integral, 1, None, closed="left"),
            Interval(Real, 0, 1, closed="neither"),
            None,
        ],
        "max_categories": [Interval(Integral, 1, None, closed="left"), None],
        "missing": [StrOptions({"category", "unknown"})],
        "dtype": "no_validation",  # Checked by `_code_dtype`.
    }

    def __init__(
        self,
        *,
        min_frequency=None,
        max_categories=None,
        missing="category",
        dtype=np.int32,
    ):
        self.min_frequency = min_frequency
        self.max_categories = max_categories
        self.missing = missing
        self.dtype = dtype

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
        self : CategoryEncoder
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
        codes : ndarray of shape (n_samples, n_features)
            The codes, column by column in memory.
        """
        return self._fit_codes(X)

    def transform(self, X):
        """Encode each column; a value that training did not hold gets code 0.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            DataFrame of pandas or polars, array or list of rows.

        Returns
        -------
        codes : ndarray of shape (n_samples, n_features)
            The codes, column by column in memory.
        """
        check_is_fitted(self)
        X = self._validated(X, reset=False)
        codes = np.empty(X.shape, dtype=self._dtype, order="F")
        left = range(X.shape[1])
        if len(X) <= _FEW_ROWS:
            left = self._encode_values(X, codes)
        for position, (name, column) in zip(left, iter_columns(X, left)):
            factor = factorize(column, name)
            table = self._vocabularies[position].table(factor, name)
            _look_up(table, factor.codes, codes[:, position])
        return codes

    def inverse_transform(self, X):
        """The categories behind the codes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Codes, as `transform` returns them.

        Returns
        -------
        values : ndarray of shape (n_samples, n_features), dtype object
            The categories; None for the unknown code 0, NaN for a missing value and
            "infrequent_sklearn" for the rare code, as in scikit-learn's encoders.
        """
        check_is_fitted(self)
        codes = check_array(X)
        if codes.shape[1] != self.n_features_in_:
            raise ValueError(
                f"Codes of {self.n_features_in_} columns are required; found "
                f"{codes.shape[1]}. Pass all columns that transform returned."
            )
        values = np.empty(codes.shape, dtype=object)
        for j, vocabulary in enumerate(self._vocabularies):
            valid = np.isin(codes[:, j], np.arange(vocabulary.cardinality))
            if not valid.all():
                raise ValueError(
                    f"Codes of column {j} must be integers from 0 to "
                    f"{vocabulary.cardinality - 1}; found {codes[~valid, j][0]}. Pass "
                    "what transform returned."
                )
            values[:, j] = vocabulary.decoded[codes[:, j].astype(np.intp)]
        return values

    def _validated(self, X, reset):
        """X as a frame or an array, its names and number of columns checked."""
        if not (is_pandas(X) or is_polars(X)):
            # A list keeps its values, where an array would cast all to one type.
            dtype = None if hasattr(X, "dtype") else object
            return validate_data(
                self, X, reset=reset, dtype=dtype, ensure_all_finite=False
            )
        _check_unique_names(X.columns)
        for n_found, what in zip(X.shape, ("sample", "feature")):
            if n_found == 0:
                raise ValueError(
                    f"Found array with 0 {what}(s) (shape={X.shape}) while a minimum "
                    f"of 1 is required by {type(self).__name__}."
                )
        return validate_data(self, X, reset=reset, skip_check_array=True)

    def _fit_codes(self, X):
        """Learn the categories and encode the training rows in one pass."""
        dtype = _code_dtype(self.dtype)
        X = self._validated(X, reset=True)
        codes = np.empty(X.shape, dtype=dtype, order="F")
        vocabularies = []
        for out, (name, column) in zip(codes.T, iter_columns(X)):
            factor = factorize(column, name)
            vocabulary = Vocabulary(
                factor,
                name,
                missing=self.missing == "category",
                is_rare=lambda counts: self._is_rare(counts, len(codes)),
            )
            _check_fits(vocabulary.cardinality, dtype, name)
            _look_up(vocabulary.table(factor, name), factor.codes, out)
            vocabularies.append(vocabulary)
        self._publish(vocabularies)
        return codes

    def _is_rare(self, counts, n_samples):
        """The rare ones of a column's categories, from their counts."""
        least = self.min_frequency or 0
        if isinstance(least, Real) and not isinstance(least, Integral):
            least = least * n_samples
        rare = counts < least
        n_codes = len(rare) - rare.sum() + rare.any()
        if self.max_categories is not None and n_codes > self.max_categories:
            # Of equally frequent categories the ones later in order are kept.
            by_count = np.argsort(counts, kind="stable")
            rare[by_count[: len(rare) - (self.max_categories - 1)]] = True
        return rare

    def _publish(self, vocabularies):
        self._vocabularies = vocabularies
        self._dtype = np.dtype(self.dtype)
        self.categories_ = [v.categories for v in vocabularies]
        self.cardinalities_ = [v.cardinality for v in vocabularies]
        self.infrequent_categories_ = [
            v.known[v.rare] if v.rare.any() else None for v in vocabularies
        ]

    def _encode_values(self, X, codes):
        """Encode a few rows value by value; returns the columns that this left out."""
        left = set()
        for i, row in enumerate(iter_rows(X)):
            for j, (vocabulary, value) in enumerate(zip(self._vocabularies, row)):
                code = vocabulary.code_of(value)
                if code is None:
                    left.add(j)
                else:
                    codes[i, j] = code
        return sorted(left)

    def __sklearn_tags__(self):
        # As in scikit-learn's own encoders, `string` stays False: the checks read it as
        # "does not look at values" and would want dictionaries to be taken.
        tags = super().__sklearn_tags__()
        tags.input_tags.categorical = True
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = []
        return tags


def _code_dtype(dtype):
    dtype = np.dtype(dtype)
    if dtype.kind not in "iuf":
        raise ValueError(
            f"dtype must be an integer or float type; found {dtype}. Choose np.int32, "
            "or np.int64 for more than 2**31 codes."
        )
    return dtype


def _check_unique_names(names):
    names = pd.Index(names)
    if not names.is_unique:
        repeated = names[names.duplicated()][0]
        raise ValueError(
            f"Column names must be unique; found {repeated!r} more than once. "
            "Rename or drop such columns."
        )


def _check_fits(cardinality, dtype, name):
    # A float holds integers exactly up to 2**(number of mantissa bits + 1).
    exact = 2 ** (np.finfo(dtype).nmant + 1) if dtype.kind == "f" else None
    largest = np.iinfo(dtype).max if exact is None else exact
    if cardinality - 1 > largest:
        raise ValueError(
            f"Column {name!r}: codes up to {cardinality - 1} are required; dtype="
            f"{dtype} holds at most {largest} exactly. Choose a wider dtype, or fewer "
            "codes with max_categories or min_frequency."
        )


def _look_up(table, codes, out):
    """Write the table's entry of each code into a column; code -1 is the last entry."""
    np.take(table.astype(out.dtype), codes, out=out, mode="wrap")

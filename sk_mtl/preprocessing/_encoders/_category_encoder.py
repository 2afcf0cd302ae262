"""Category columns to integer codes, one table lookup per column."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sk_mtl._sklearn_compat import StrOptions
from sk_mtl.preprocessing._encoders._codes import code_dtype, look_up
from sk_mtl.preprocessing._encoders._vocabulary_encoder import VocabularyEncoder
from sk_mtl.preprocessing._tables._factorize import factorize
from sk_mtl.preprocessing._tables._validated_table import (
    iter_columns,
    iter_rows,
    missing_mask,
    validated_table,
)

# Up to this many rows are looked up value by value: the fixed cost of handling a whole
# column is then larger than that of handling its values.
FEW_ROWS = 4


class CategoryEncoder(VocabularyEncoder):
    """Encode columns of categories as small integers, ready for embedding tables.

    Each column gets its own codes. Code 0 is the *unknown row*: it stands for every
    value that the training rows did not hold, of any type, so that a new category
    never fails. A column of ten rows or more whose values are all of another type than
    in training, such as text where training had numbers, draws a warning.
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

    share : list of list of str or int, default=None
        Groups of columns, by name or position, that have one vocabulary, such as
        ``[["home", "work"]]``: a value that one of them held in
        training is known in all of them, by the same code, and an estimator gives them
        one embedding table. One that is rare in a column stays rare there. None gives
        each column a vocabulary of its own. Columns of different encoders share by
        `shared_embedding` of an estimator.

    dtype : dtype, default=np.int32
        The codes' type, integer or float. It must hold every code exactly.

    Attributes
    ----------
    categories_ : list of ndarray of shape (n_categories,)
        The training categories of each column, sorted; a missing value comes last, as
        NaN. Columns that share a vocabulary have all of its categories. Without rare
        categories, `categories_[j][i]` has code `i + 1`.

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
    SequenceEncoder : Columns that hold several values per row.
    HashingEncoder : Codes without a vocabulary to learn and to keep.
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
        **VocabularyEncoder._parameter_constraints,
        "missing": [StrOptions({"category", "unknown"})],
    }

    def __init__(
        self,
        *,
        min_frequency=None,
        max_categories=None,
        missing="category",
        share=None,
        dtype=np.int32,
    ):
        self.min_frequency = min_frequency
        self.max_categories = max_categories
        self.missing = missing
        self.share = share
        self.dtype = dtype

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
        X = validated_table(self, X, reset=False)
        codes = np.empty(X.shape, dtype=self._dtype, order="F")
        left = range(X.shape[1])
        if len(X) <= FEW_ROWS:
            left = self._encode_values(iter_rows(X), codes)
        for position, (name, column) in zip(left, iter_columns(X, left)):
            vocabulary = self._vocabularies[position]
            if len(vocabulary.known) == 0:
                # Training held no value, so every value of the column is unknown.
                codes[:, position] = missing_mask(column) * vocabulary.missing_code
                continue
            factor = factorize(column, name, fitted=True)
            table = vocabulary.table(factor, name)
            look_up(table, factor.codes, codes[:, position])
        return codes

    def inverse_transform(self, X):
        """Return the categories behind the codes.

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
        codes = self._checked_codes(X, per_column=1)
        values = np.empty(codes.shape, dtype=object)
        for j, vocabulary in enumerate(self._vocabularies):
            values[:, j] = vocabulary.decode(codes[:, j], j)
        return values

    def _fit_codes(self, X):
        dtype = code_dtype(self.dtype)
        X = validated_table(self, X, reset=True)
        codes = np.empty(X.shape, dtype=dtype, order="F")
        vocabularies = []
        for out, (name, column) in zip(codes.T, iter_columns(X)):
            factor = factorize(column, name)
            vocabulary = self._learn(factor, name, missing=self.missing == "category")
            look_up(vocabulary.table(factor, name), factor.codes, out)
            vocabularies.append(vocabulary)
        self._publish(self._share(vocabularies, codes.T, dtype), dtype)
        return codes

    def _transform_rows(self, rows):
        """Encode a few rows of values; None where whole columns must be looked at.

        The schema calls this, whose rows have the columns seen in `fit`.
        """
        codes = np.empty((len(rows), len(self._vocabularies)), dtype=self._dtype)
        return None if self._encode_values(rows, codes) else codes

    def _encode_values(self, rows, codes):
        """Encode a few rows value by value; returns the columns that this left out."""
        left = set()
        for i, row in enumerate(rows):
            for j, (vocabulary, value) in enumerate(zip(self._vocabularies, row)):
                code = vocabulary.code_of(value)
                if code is None:
                    left.add(j)
                else:
                    codes[i, j] = code
        return sorted(left)

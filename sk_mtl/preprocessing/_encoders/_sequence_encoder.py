"""Columns of sequences to padded blocks of integer codes."""

from numbers import Integral

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_is_fitted

from sk_mtl._sklearn_compat import Interval, StrOptions
from sk_mtl.preprocessing._encoders._codes import code_dtype, look_up
from sk_mtl.preprocessing._encoders._flatten import flatten
from sk_mtl.preprocessing._encoders._vectors import refuse_vectors
from sk_mtl.preprocessing._encoders._vocabulary_encoder import VocabularyEncoder
from sk_mtl.preprocessing._tables._factorize import Factor, factorize
from sk_mtl.preprocessing._tables._validated_table import iter_columns, validated_table

PADDING = -1


class SequenceEncoder(VocabularyEncoder):
    """Encode columns of sequences as padded blocks of codes, for embedding tables.

    A row holds a sequence of items: the things that a user bought, the genres of a
    film. Each column becomes a block of `max_length` columns, and each of its items one
    code. Codes are given as by :class:`CategoryEncoder`, with a vocabulary per column:
    code 0 is the *unknown row*, for every item that the training rows did not hold;
    codes 1, 2, ... are the items that they held, sorted by value; then come one code
    for all rare items and one for a missing item, where training had such. The rest of
    the row is *padding*, -1::

        [code(first item), ..., code(last item), -1, ..., -1]

    A column holds Python lists, tuples, arrays, lists of Arrow or polars, or text with
    a separator between the items. A missing row (None, NaN, NA) is an empty sequence:
    all of it is padding. A missing item within a sequence is an item: it has a code of
    its own if training rows held one, and is unknown, 0, if they did not. Items that
    `truncate` cuts off have no influence: they get no code that no row would train.
    Integers are never cast to float. Lists with fractions are refused: they are vectors
    of numbers, such as embeddings, and belong in one column per element.

    Parameters
    ----------
    max_length : int, default=50
        Number of codes per row and column. Longer sequences are cut. A larger value
        keeps more of them, and costs memory for every row: the block of a column has
        this width.

    separator : str, default=None
        What stands between the items of text, such as "|" in "drama|comedy". White
        space around an item is not part of it, and what is empty then is no item: "a",
        "a|" and " a | " hold the same one item, "" holds none. All items are text, also
        in "1|2". None takes lists and arrays, and refuses text.

    truncate : {"head", "tail"}, default="head"
        The end of an over-long sequence that is cut. "head" cuts the first items, the
        oldest of a history in order of time; "tail" cuts the last items, the least
        important of a list sorted by importance.

    min_frequency : int or float, default=None
        Items that occur less often in the training rows share the rare code: a number
        of occurrences if int, a share of all items between 0 and 1 if float. A larger
        value gives fewer and better trained codes. None keeps all.

    max_categories : int, default=None
        The most codes that a column may use for its items, the rare code included, the
        unknown row and the missing item not. If there are more, the least frequent
        items share the rare code. None sets no limit.

    share : list of list of str or int, default=None
        Groups of columns, by name or position, that have one vocabulary, such as
        ``[["home", "work"]]``: an item that one of them held in
        training is known in all of them, by the same code, and an estimator gives them
        one embedding table. One that is rare in a column stays rare there. None gives
        each column a vocabulary of its own. Columns of different encoders share by
        `shared_embedding` of an estimator.

    dtype : dtype, default=np.int32
        The codes' type: a signed integer or a float. It must hold every code exactly.

    Attributes
    ----------
    categories_ : list of ndarray of shape (n_categories,)
        The training items of each column, sorted; a missing one comes last, as NaN.
        Columns that share a vocabulary have all of its items. Without rare items,
        `categories_[j][i]` has code `i + 1`.

    cardinalities_ : list of int
        Number of codes of each column, the unknown row included, padding not: the
        number of rows of an embedding table. It is 1 where all sequences are empty.

    infrequent_categories_ : list of ndarray or None
        The items of each column that share the rare code; None where there are none.

    n_features_in_ : int
        Number of columns seen in `fit`.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns seen in `fit`, if all are strings.

    See Also
    --------
    CategoryEncoder : Columns that hold one value per row.

    Examples
    --------
    Sequences are padded with -1; an item that training never saw gets code 0.

    >>> import pandas as pd
    >>> from sk_mtl.preprocessing import SequenceEncoder
    >>> X = pd.DataFrame({"history": [["tea", "milk"], ["tea"], [], None]})
    >>> encoder = SequenceEncoder(max_length=3).fit(X)
    >>> encoder.transform(X)
    array([[ 2,  1, -1],
           [ 2, -1, -1],
           [-1, -1, -1],
           [-1, -1, -1]], dtype=int32)
    >>> encoder.transform(pd.DataFrame({"history": [["rum", "tea"]]}))
    array([[ 0,  2, -1]], dtype=int32)

    The last items of a long history are kept, unless `truncate="tail"` asks for the
    first ones.

    >>> encoder.transform(pd.DataFrame({"history": [["tea", "tea", "milk", "milk"]]}))
    array([[2, 1, 1]], dtype=int32)

    Text is split at a separator.

    >>> films = pd.DataFrame({"genres": ["drama|comedy", "", "drama"]})
    >>> SequenceEncoder(max_length=2, separator="|").fit_transform(films)
    array([[ 2,  1],
           [-1, -1],
           [ 2, -1]], dtype=int32)
    """

    _parameter_constraints: dict = {
        **VocabularyEncoder._parameter_constraints,
        "max_length": [Interval(Integral, 1, None, closed="left")],
        "separator": [str, None],
        "truncate": [StrOptions({"head", "tail"})],
    }

    def __init__(
        self,
        *,
        max_length=50,
        separator=None,
        truncate="head",
        min_frequency=None,
        max_categories=None,
        share=None,
        dtype=np.int32,
    ):
        self.max_length = max_length
        self.separator = separator
        self.truncate = truncate
        self.min_frequency = min_frequency
        self.max_categories = max_categories
        self.share = share
        self.dtype = dtype

    def transform(self, X):
        """Encode each column; an item that training did not hold gets code 0.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            DataFrame of pandas or polars, array or list of rows.

        Returns
        -------
        codes : ndarray of shape (n_samples, n_features * max_length)
            The codes, one block of `max_length` columns after another, -1 for padding.
        """
        check_is_fitted(self)
        X = validated_table(self, _table(X), reset=False)
        codes, blocks = _empty_blocks(X, self._cut.max_length, self._dtype)
        columns = zip(blocks, self._vocabularies, iter_columns(X))
        for block, vocabulary, (name, column) in columns:
            factor, lengths = self._cut.read(column, name, fitted=True)
            _fill(block, vocabulary.table(factor, name), factor.codes, lengths)
        return codes

    def inverse_transform(self, X):
        """Return the sequences behind the codes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features * max_length)
            Codes, as `transform` returns them.

        Returns
        -------
        values : ndarray of shape (n_samples, n_features), dtype object
            Lists of items; None for the unknown code 0, NaN for a missing item and
            "infrequent_sklearn" for the rare code, as in scikit-learn's encoders.
        """
        check_is_fitted(self)
        max_length = self._cut.max_length
        codes = self._checked_codes(X, per_column=max_length)
        values = np.empty((len(codes), self.n_features_in_), dtype=object)
        for j, vocabulary in enumerate(self._vocabularies):
            block = codes[:, j * max_length : (j + 1) * max_length]
            is_item = block != PADDING
            items = vocabulary.decode(block[is_item], j)
            ends = np.cumsum(is_item.sum(axis=1))
            for i, row in enumerate(np.split(items, ends[:-1])):
                values[i, j] = row.tolist()
        return values

    def get_feature_names_out(self, input_features=None):
        """Return the names of columns, such as `history_0` and `history_1`.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the columns of X; None takes those seen in `fit`.

        Returns
        -------
        names : ndarray of str, dtype object
            `max_length` names per column.
        """
        names = super().get_feature_names_out(input_features)
        positions = range(self._cut.max_length)
        return np.array([f"{name}_{i}" for name in names for i in positions], object)

    def _fit_codes(self, X):
        dtype = _signed_dtype(self.dtype)
        cut = _Cut(self.max_length, self.truncate, _checked_separator(self.separator))
        X = validated_table(self, _table(X), reset=True)
        codes, blocks = _empty_blocks(X, cut.max_length, dtype)
        vocabularies = []
        for block, (name, column) in zip(blocks, iter_columns(X)):
            factor, lengths = cut.read(column, name)
            vocabulary = self._learn(factor, name)
            _fill(block, vocabulary.table(factor, name), factor.codes, lengths)
            vocabularies.append(vocabulary)
        self._cut = cut
        self._publish(self._share(vocabularies, blocks, dtype), dtype)
        return codes


class _Cut:
    """Reads columns of sequences and cuts the over-long ones.

    The fitted encoder keeps it: parameters that are set later act in the next fit.
    """

    def __init__(self, max_length, truncate, separator):
        self.max_length = max_length
        self.truncate = truncate
        self.separator = separator

    def read(self, column, name, *, fitted=False):
        """Return the factor of the items that are kept, and how many each row has."""
        items = flatten(column, name, self.separator)
        refuse_vectors(items, name, fitted=fitted)
        factor = factorize(items.values, name, place="item", fitted=fitted)
        if items.lengths.max() <= self.max_length:
            return factor, items.lengths
        lengths = np.minimum(items.lengths, self.max_length)
        # Positions within the row, counted from the end that is kept.
        starts = np.cumsum(items.lengths) - items.lengths
        if self.truncate == "head":
            starts += items.lengths - lengths
        kept = np.arange(len(factor.codes)) - np.repeat(starts, items.lengths)
        kept = (kept >= 0) & (kept < self.max_length)
        return Factor(factor.codes[kept], factor.values), lengths


def _table(X):
    """X, of which a list of rows becomes a frame: an array would have a third axis."""
    if isinstance(X, list) and X and all(isinstance(row, (list, tuple)) for row in X):
        return pd.DataFrame(X)
    return X


def _empty_blocks(X, max_length, dtype):
    """Padding of the shape of the codes, and its part for each column of X."""
    n_samples, n_columns = X.shape
    codes = np.full((n_samples, n_columns * max_length), PADDING, dtype=dtype)
    return codes, np.split(codes, n_columns, axis=1)


def _fill(block, table, codes, lengths):
    """Write the table's entry of each code into the leading columns of a block."""
    items = np.empty(len(codes), dtype=block.dtype)
    look_up(table, codes, items)
    leading = block[:, : lengths.max()]
    leading[np.arange(leading.shape[1]) < lengths[:, None]] = items


def _signed_dtype(dtype):
    dtype = code_dtype(dtype)
    if dtype.kind == "u":
        raise ValueError(
            f"dtype must hold -1, the padding; found {dtype}. Choose a signed integer "
            "type, such as np.int32."
        )
    return dtype


def _checked_separator(separator):
    if separator == "":
        raise ValueError(
            "separator must be text of at least one character, or None for columns of "
            "lists; found ''. Give what stands between the items, such as '|'."
        )
    return separator

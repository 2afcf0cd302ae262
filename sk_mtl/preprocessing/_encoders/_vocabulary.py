"""The training categories of one column and the code of each."""

import copy
import datetime
import math
import numbers
from bisect import bisect_left

import numpy as np
import pandas as pd

from sk_mtl._warnings import warn_user
from sk_mtl.exceptions import ColumnWarning
from sk_mtl.preprocessing._tables._numbers import narrow, whole_numbers

RARE = "infrequent_sklearn"

# In fewer rows, values that are all of another kind than in training may be new ones.
MANY_ROWS = 10


class Vocabulary:
    """Training categories of one column, sorted by value, and their codes.

    Code 0 is the unknown row. Then follow, without gaps, the kept categories in sorted
    order, one code for all rare categories if there are any, and one for the missing
    value if it is a category. A vocabulary never changes.

    Parameters
    ----------
    factor : Factor
        The training column.

    name : str or int
        The column's name, for errors.

    missing : bool
        Whether a missing value that training rows hold is a category.

    is_rare : callable
        Maps the counts of the sorted categories to a mask of the rare ones.

    Attributes
    ----------
    known : ndarray of shape (n_known,)
        The sorted categories without the missing value.

    codes : ndarray of shape (n_known,)
        The code of each.

    rare : ndarray of shape (n_known,)
        Whether a category shares the rare code.

    missing_code : int
        Code of a missing value; 0 if it is not a category.

    cardinality : int
        Number of codes, the unknown one included.
    """

    def __init__(self, factor, name, *, missing, is_rare):
        # The last entry of a table is read by code -1, the first of these counts by
        # code -1 + 1: a missing value.
        counts = np.bincount(
            np.add(factor.codes, 1, dtype=np.intp), minlength=len(factor.values) + 1
        )
        is_missing = pd.isna(factor.values)
        n_missing = counts[0] + counts[1:][is_missing].sum()
        present = np.flatnonzero((counts[1:] > 0) & ~is_missing)
        order = present[_sorting_order(factor.values[present], name)]
        self.known = narrow(factor.values[order])
        self.rare = is_rare(counts[1:][order])
        self._number(has_missing=missing and n_missing > 0)

    @classmethod
    def of(cls, known, codes, rare, cardinality):
        """Return the vocabulary of these attributes, without a missing value."""
        vocabulary = cls.__new__(cls)
        vocabulary.known, vocabulary.codes, vocabulary.rare = known, codes, rare
        vocabulary.missing_code, vocabulary.cardinality = 0, cardinality
        vocabulary._index()
        return vocabulary

    def with_missing_code(self, missing_code):
        """Return a copy that has this code for a missing value."""
        vocabulary = copy.copy(self)
        vocabulary.missing_code = missing_code
        return vocabulary

    def __deepcopy__(self, memo):
        return self

    def _number(self, has_missing):
        """Set the codes of the training categories."""
        n_kept = len(self.rare) - self.rare.sum()
        self.codes = np.cumsum(~self.rare)
        self.codes[self.rare] = n_kept + 1
        last = n_kept + self.rare.any()
        self.missing_code = int(last + 1) if has_missing else 0
        self.cardinality = int(last + 1 + has_missing)
        self._index()

    def _index(self):
        """Make a dictionary where values are objects."""
        self.lookup = self._dictionary() if self.known.dtype == object else None
        self.holds_text = bool(self.lookup) and isinstance(self.known[0], str)

    def _dictionary(self):
        pairs = dict(zip(self.known.tolist(), self.codes.tolist()))
        if not isinstance(next(iter(pairs), None), datetime.date):
            return pairs
        return {_first_moment(day): code for day, code in pairs.items()} | pairs

    @property
    def categories(self):
        """The training categories, a missing value last, as scikit-learn has them."""
        if not self.missing_code:
            return self.known
        dtype = self.known.dtype if self.known.dtype.kind == "f" else object
        return np.append(self.known.astype(dtype), np.array([np.nan], dtype=dtype))

    @property
    def infrequent(self):
        """The categories that share the rare code; None if there are none."""
        return self.known[self.rare] if self.rare.any() else None

    @property
    def decoded(self):
        """The value of each code; None for the unknown row."""
        values = np.full(self.cardinality, None, dtype=object)
        values[self.codes] = self.known
        if self.rare.any():
            values[self.codes[self.rare]] = RARE
        if self.missing_code:
            values[self.missing_code] = np.nan
        return values

    def decode(self, codes, position):
        """Return the value of each of the codes of the column at this position."""
        valid = np.isin(codes, np.arange(self.cardinality))
        if not valid.all():
            raise ValueError(
                f"Codes of column {position} must be integers from 0 to "
                f"{self.cardinality - 1}; found {codes[~valid][0]}. Pass "
                "what transform returned."
            )
        return self.decoded[codes.astype(np.intp)]

    def code_of(self, value):
        """Return the code of one value, or None where the whole column must be read."""
        if isinstance(value, str):
            # Numbers have no dictionary, and no text equals one of them.
            return self.lookup.get(value, 0) if self.lookup else 0
        if value is None or value is pd.NA:
            return self.missing_code
        if isinstance(value, float):
            return self.missing_code if math.isnan(value) else None
        if isinstance(value, (int, np.integer)) and self.known.dtype.kind in "iu":
            # Python's integers compare exactly with integers of any width and sign.
            position = bisect_left(self.known, int(value))
            found = position < len(self.known) and self.known[position] == int(value)
            return int(self.codes[position]) if found else 0
        if isinstance(value, (int, np.integer)) and self.holds_text:
            return 0
        return None

    def table(self, factor, name):
        """Return the code of each of the factor's values, and of a missing one."""
        values = factor.values
        table = np.full(len(values) + 1, self.missing_code)
        table[:-1] = self.codes_of(values)
        is_missing = pd.isna(values)
        self._warn_of_kind(factor, (table[:-1] == 0) & ~is_missing, name)
        table[:-1][is_missing] = self.missing_code
        return table

    def codes_of(self, values):
        """Return the code of each of the values, none of them missing."""
        if len(self.known) == 0:
            return np.zeros(len(values), dtype=np.int64)
        if self.lookup is None:
            values = narrow(values)
        if self.known.dtype.kind == "i" and values.dtype.kind == "f":
            codes = np.zeros(len(values), dtype=np.int64)
            is_whole, integers = whole_numbers(values)
            codes[is_whole] = self.codes_of(integers)
            return codes
        common = _common_dtype(self.known.dtype, values.dtype)
        if common is None:
            # A dictionary compares an int with a float exactly, arrays do not.
            lookup = self.lookup or self._dictionary()
            return np.array([lookup.get(v, 0) for v in values.tolist()], np.int64)
        values = values.astype(common, copy=False)
        known = self.known.astype(common, copy=False)
        position = np.minimum(np.searchsorted(known, values), len(known) - 1)
        return np.where(known[position] == values, self.codes[position], 0)

    def _warn_of_kind(self, factor, unknown, name):
        """Warn where every row holds text and training had numbers, or the reverse.

        A value of another kind is a new category like others. A whole column of them
        is more likely another encoding of the categories that training held.
        """
        both = (self.known.dtype, factor.values.dtype)
        if len(self.known) == 0 or object not in both or not unknown.any():
            return
        present = factor.codes[~pd.isna(factor.values).take(factor.codes)]
        present = present[present >= 0]
        if len(present) < MANY_ROWS or not unknown[present].all():
            return
        expected = kind_of(type(self.known[0]))
        found = set(map(type, factor.values[np.unique(present)].tolist()))
        if expected not in map(kind_of, found):
            warn_of_kind(factor.values[present[:1]].tolist()[0], expected, name)


def _sorting_order(values, name):
    if values.dtype != object:
        return np.argsort(values, kind="stable")
    items = values.tolist()
    try:
        return np.array(sorted(range(len(items)), key=items.__getitem__), dtype=np.intp)
    except TypeError:
        kinds = ", ".join(sorted({type(item).__name__ for item in items}))
        raise TypeError(
            f"Column {name!r}: values that can be sorted, all text or all numbers, are "
            f"required; found the types {kinds}. Convert the column to one type."
        ) from None


def _first_moment(day):
    """Return a date as the point in time that polars and pyarrow make of it."""
    is_date = isinstance(day, datetime.date) and not isinstance(day, datetime.datetime)
    return datetime.datetime(day.year, day.month, day.day) if is_date else day


def _common_dtype(left, right):
    """Return a type that holds both exactly, or None."""
    if left.kind in "biu" and right.kind in "biu":
        common = np.promote_types(left, right)
        return common if common.kind in "biu" else None
    if left.kind == right.kind == "f":
        return np.promote_types(left, right)
    return None


def warn_of_kind(value, expected, name):
    """Warn of a column in which every value is of another kind than in training."""
    warn_user(
        f"Column {name!r} must hold {expected} in its rows, as in training; found "
        f"{kind_of(type(value))} in all of them, such as {value!r:.60}, which training "
        "did not hold. Convert the column to the type it had in fit, unless all of "
        "these categories are new.",
        ColumnWarning,
    )


def kind_of(kind):
    """Return a type in words: what values of one column must have in common."""
    if issubclass(kind, str):
        return "text"
    if issubclass(kind, (numbers.Number, np.number, np.bool_)):
        return "a number"
    return kind.__name__

"""Tables of any columns as one array of floats for boosted trees."""

import warnings

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import check_random_state

from sk_mtl._frames import as_pandas
from sk_mtl.exceptions import ColumnWarning
from sk_mtl.preprocessing import (
    CalendarParts,
    CategoryEncoder,
    ElapsedTime,
    SequenceEncoder,
)
from sk_mtl.preprocessing._tables._column_steps import columns_to_read

# Boosted trees have 255 bins, of which the unknown, the missing and the rare
# categories take one each.
_MOST_CATEGORIES = 250
# More bins of a sequence's elements cost time for each row and tree.
_MOST_ELEMENTS = 32
# A mean label of a row's category comes from the other parts of the rows.
_N_PARTS = 5
# A category's mean is that of its rows and as many rows with the mean of all.
_PRIOR_ROWS = 10


class TreeTable(TransformerMixin, BaseEstimator):
    """Columns of any kind to floats, with the codes of categories first.

    Numbers and missing values stay what they are. Categories become codes, of
    which trees know that they have no order; a column with more of them than trees
    take keeps the frequent ones and gets, beside them, the mean label of each
    category, computed on other rows than its own. Times become numbers and parts of the
    calendar. Lists become their length and the count of each frequent element.

    Parameters
    ----------
    random_state : int, RandomState instance or None, default=None
        Decides on the rows from which the mean labels of a row's categories come.

    Attributes
    ----------
    n_categories_ : int
        The number of columns of codes, which come first.
    """

    def __init__(self, random_state=None):
        self.random_state = random_state

    def fit(self, X, y=None):
        """Learn categories and their mean labels.

        Parameters
        ----------
        X : DataFrame or array of shape (n_samples, n_features)

        y : ndarray of shape (n_samples, n_columns)
            Numbers, or an indicator of each class.
        """
        self.fit_transform(X, y)
        return self

    def fit_transform(self, X, y=None):
        """Return the table of the rows that are learnt from.

        The mean label of a row's category comes from other rows.

        Parameters
        ----------
        X : DataFrame or array of shape (n_samples, n_features)

        y : ndarray of shape (n_samples, n_columns)
            Numbers, or an indicator of each class.

        Returns
        -------
        table : ndarray of shape (n_samples, n_columns)
        """
        X = as_pandas(X)
        with warnings.catch_warnings():
            # The network warns about the same columns.
            warnings.simplefilter("ignore", ColumnWarning)
            steps = columns_to_read(X)
        categories = steps["cat"]
        many = _many_valued(X, categories)
        self.n_categories_ = len(categories)
        codes = CategoryEncoder(max_categories=_MOST_CATEGORIES)
        self.columns_ = ColumnTransformer(
            [
                ("categories", codes, categories),
                ("means", MeanLabels(self.random_state), many),
                ("numbers", FunctionTransformer(_floats), steps["num"]),
                ("times", ElapsedTime(), steps["time"]),
                ("calendar", CalendarParts(), steps["calendar"]),
                ("lists", ElementCounts(), steps["seq"]),
            ],
            sparse_threshold=0,
        )
        return np.asarray(self.columns_.fit_transform(X, y), dtype=float)

    def transform(self, X):
        """Return the table of other rows.

        Parameters
        ----------
        X : DataFrame or array of shape (n_samples, n_features)

        Returns
        -------
        table : ndarray of shape (n_samples, n_columns)
        """
        return np.asarray(self.columns_.transform(as_pandas(X)), dtype=float)


class MeanLabels(TransformerMixin, BaseEstimator):
    """The mean label of each category, shrunk towards that of all rows.

    Parameters
    ----------
    random_state : int, RandomState instance or None, default=None
        Decides on the parts of the rows in `fit_transform`.
    """

    def __init__(self, random_state=None):
        self.random_state = random_state

    def fit(self, X, y):
        """Learn the means."""
        self.fit_transform(X, y)
        return self

    def fit_transform(self, X, y):
        """Return the means by the rows in other parts than the row's own."""
        self.encoder_ = CategoryEncoder()
        codes = self.encoder_.fit_transform(X)
        part = check_random_state(self.random_state).permutation(len(y)) % _N_PARTS
        means = np.empty((len(y), codes.shape[1] * y.shape[1]))
        for k in range(_N_PARTS):
            others = part != k
            means[~others] = _look_up(
                self._learn(codes[others], y[others]), codes[~others]
            )
        self.means_ = self._learn(codes, y)
        return means

    def transform(self, X):
        """Return the means by all rows that were learnt from."""
        return _look_up(self.means_, self.encoder_.transform(X))

    def _learn(self, codes, y):
        """Return the means of each column by code, (n_codes, n_labels)."""
        prior = y.mean(axis=0) if len(y) else np.zeros(y.shape[1])
        tables = []
        for column, n_codes in zip(codes.T, self.encoder_.cardinalities_, strict=True):
            count = np.bincount(column, minlength=n_codes)[:, None]
            total = [np.bincount(column, own, minlength=n_codes) for own in y.T]
            total = np.stack(total, axis=1) + _PRIOR_ROWS * prior
            tables.append(total / (count + _PRIOR_ROWS))
        return tables


def _look_up(tables, codes):
    return np.hstack([table[own] for table, own in zip(tables, codes.T, strict=True)])


class ElementCounts(TransformerMixin, BaseEstimator):
    """The length of lists and the number of times that they hold frequent elements."""

    def fit(self, X, y=None):
        """Learn the frequent elements of each column."""
        self.codes_ = SequenceEncoder(max_categories=_MOST_ELEMENTS).fit(X)
        return self

    def transform(self, X):
        """Return lengths and counts, (n_samples, n_columns)."""
        codes = self.codes_.transform(X)
        codes = codes.reshape(len(X), -1, self.codes_.max_length)
        counts = [(codes >= 0).sum(axis=2)]
        for j, n_codes in enumerate(self.codes_.cardinalities_):
            counts += [(codes[:, [j]] == c).sum(axis=2) for c in range(1, n_codes)]
        return np.hstack(counts)


def _many_valued(X, positions):
    """Return which of some columns have more categories than trees take."""
    if not positions:
        return []
    found = CategoryEncoder().fit(X.iloc[:, positions]).cardinalities_
    each = zip(positions, found, strict=True)
    return [j for j, n_codes in each if n_codes > _MOST_CATEGORIES]


def _floats(X):
    """Return numbers of any type of pandas as floats, NaN where they are missing."""
    columns = [
        pd.to_numeric(column, errors="coerce").to_numpy(float, na_value=np.nan)
        for _, column in X.items()
    ]
    return np.column_stack(columns) if columns else np.empty((len(X), 0))

"""Categories of a table, no more than scikit-learn's boosted trees take."""

import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.pipeline import make_pipeline

_TREES = (HistGradientBoostingClassifier, HistGradientBoostingRegressor)


class FrequentCategories(TransformerMixin, BaseEstimator):
    """Keep the most frequent categories of each column; the others become missing.

    Parameters
    ----------
    most : int
        The most categories of a column.

    Attributes
    ----------
    kept_ : dict
        The kept categories of each column that has more of them.
    """

    def __init__(self, most):
        self.most = most

    def fit(self, X, y=None):
        """Learn which categories are frequent.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features)

        y : ignored
        """
        counts = {name: _counts(X[name]) for name in _category_columns(X)}
        self.kept_ = {
            name: list(each.index[: self.most])
            for name, each in counts.items()
            if len(each) > self.most
        }
        self.n_features_in_ = X.shape[1]
        self.feature_names_in_ = X.columns.to_numpy()
        return self

    def transform(self, X):
        """Return the table with rare categories as missing values.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features)
        """
        X = X.copy(deep=False)
        for name, categories in self.kept_.items():
            X[name] = X[name].cat.set_categories(categories)
        return X


def adapted(estimator, X, task):
    """Return an estimator for one task that takes the categories of X.

    One with a method `for_task` decides on what differs between tasks. Histogram
    gradient boosting of scikit-learn refuses category columns with more values than it
    has bins.
    """
    if hasattr(estimator, "for_task"):
        return estimator.for_task(task)
    if not isinstance(estimator, _TREES) or not isinstance(X, pd.DataFrame):
        return estimator
    by_type = isinstance(estimator.categorical_features, str)
    most = estimator.max_bins
    if not by_type or all(len(_counts(X[c])) <= most for c in _category_columns(X)):
        return estimator
    return make_pipeline(FrequentCategories(most), clone(estimator))


def _category_columns(X):
    return [name for name in X if isinstance(X[name].dtype, pd.CategoricalDtype)]


def _counts(column):
    """Return the number of rows of each category present, the most frequent first."""
    counts = column.value_counts(sort=False)
    return counts[counts > 0].sort_values(ascending=False, kind="stable")

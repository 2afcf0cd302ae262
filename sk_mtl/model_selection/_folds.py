"""Folds of training and test rows, for a y of several tasks."""

from numbers import Integral

import numpy as np
from sklearn.base import is_classifier, is_regressor
from sklearn.model_selection import GroupKFold, KFold, StratifiedKFold, check_cv

from sk_mtl._labels import is_missing, plain_values, read_labels
from sk_mtl.model_selection._task_stratified_k_fold import TaskStratifiedKFold


def make_folds(cv, estimator, X, y, groups=None, **shuffle):
    """List of (train, test).

    Parameters
    ----------
    cv : int, splitter, iterable of (train, test) or None
        A number, or None for 5, makes folds that keep groups together and spread the
        classes of every task evenly.
    estimator : estimator
        Says whether y holds classes.
    X, y : array-like or DataFrame
    groups : array-like or None
    **shuffle
        `shuffle` and `random_state` where `cv` is a number.
    """
    if not (cv is None or isinstance(cv, Integral)):
        return list(check_cv(cv).split(X, y, groups))
    kind = _splitter(estimator, y, groups)
    if kind is StratifiedKFold:
        y = plain_values(read_labels(y).columns[0])
    splitter = kind(5 if cv is None else cv, **shuffle)
    return list(splitter.split(np.zeros(n_rows(y)), y, groups))


def n_rows(X):
    """Number of rows of a table of any container."""
    return X.shape[0] if hasattr(X, "shape") else len(X)


def _splitter(estimator, y, groups):
    """Return the class of the splitter; scikit-learn's where it does the same."""
    if is_regressor(estimator):
        return KFold if groups is None else GroupKFold
    labels = read_labels(y)
    is_plain = labels.is_vector and not is_missing(labels.columns[0]).any()
    if groups is None and is_plain and is_classifier(estimator):
        return StratifiedKFold
    return TaskStratifiedKFold

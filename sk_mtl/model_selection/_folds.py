"""Which rows are trained on and which are tested, for a y of several tasks."""

from numbers import Integral

import numpy as np
from sklearn.base import is_classifier
from sklearn.model_selection import GroupKFold, KFold, StratifiedKFold, check_cv

from sk_mtl._labels import is_missing, read_labels


def fold_splitter(cv, estimator, y):
    """Splitter for `cv`; stratified where scikit-learn would and can."""
    if _has_strata(estimator, y):
        return check_cv(cv, read_labels(y).columns[0], classifier=True)
    return check_cv(cv)


def shuffled_folds(cv, estimator, X, y, groups, random_state):
    """List of (train, test); shuffled where `cv` is a number or None.

    A number makes folds that keep groups together where there are groups, and that are
    stratified for the classes of one task without gaps.
    """
    if not (cv is None or isinstance(cv, Integral)):
        return list(check_cv(cv).split(X, y, groups))
    strata = np.zeros(n_rows(X))
    if groups is not None:
        kind = GroupKFold
    elif _has_strata(estimator, y):
        kind, strata = StratifiedKFold, read_labels(y).columns[0]
    else:
        kind = KFold
    splitter = kind(5 if cv is None else cv, shuffle=True, random_state=random_state)
    return list(splitter.split(strata, strata, groups))


def n_rows(X):
    """Number of rows of a table of any container."""
    return X.shape[0] if hasattr(X, "shape") else len(X)


def _has_strata(estimator, y):
    """Whether y holds the classes of a single task, without gaps."""
    if np.ndim(y) != 1 or not is_classifier(estimator):
        return False
    return not is_missing(read_labels(y).columns[0]).any()

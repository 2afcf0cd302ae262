"""Probabilities of every row from a model that was trained without it."""

from collections.abc import Mapping

import numpy as np
from sklearn.base import clone
from sklearn.utils import check_consistent_length
from sklearn.utils.parallel import Parallel, delayed

from sk_mtl._sklearn_compat import _safe_indexing
from sk_mtl.metrics._probabilities import probability_list
from sk_mtl.model_selection._fit_arguments import fit_arguments
from sk_mtl.model_selection._folds import make_folds, n_rows
from sk_mtl.model_selection._one_estimator import check_one_estimator


def out_of_fold_proba(
    estimator,
    X,
    y,
    *,
    cv=None,
    groups=None,
    sample_weight=None,
    n_jobs=None,
    params=None,
):
    """Return the probabilities of every row, from a model that was fitted without it.

    Like ``cross_val_predict(estimator, X, y, method="predict_proba")``, but right for
    several tasks. scikit-learn's function hands `fit` a bare array of
    integers in place of y: the tasks lose their names, and a missing label becomes a
    class of its own. Here y stays what it is, with its names and its gaps.

    Parameters
    ----------
    estimator : estimator
        A classifier with `predict_proba` and `classes_`, or a pipeline that ends in
        one. It is cloned for each fold and not changed.
    X : array-like or DataFrame of shape (n_samples, n_features)
    y : array-like or DataFrame of shape (n_samples,) or (n_samples, n_tasks)
        Missing labels are left to the estimator.
    cv : int, splitter or iterable of (train, test), default=None
        It must test every row exactly once. An integer, or None for 5, makes a
        :class:`TaskStratifiedKFold`; for a classifier and a one-dimensional y without
        gaps a `StratifiedKFold`, as in scikit-learn.
    groups : array-like of shape (n_samples,), default=None
        Groups such as users, whose rows stay together where `cv` is a number or a
        splitter that reads groups. Also handed to a `fit` that takes `groups`.
    sample_weight : array-like of shape (n_samples,) or (n_samples, n_tasks), or dict, \
            default=None
        Weights for `fit`, also by task name, cut to the rows of each fold. A pipeline
        gets them for its last step, unless metadata routing is enabled and decides.
    n_jobs : int, default=None
        Number of folds to be fitted in parallel, through joblib; -1 uses all cores.
    params : dict, default=None
        Further keywords of `fit`. Those with an entry per row are cut to the rows of
        each fold: the `row_aligned_keywords` of an estimator of this package, and what
        has as many entries as X for others. A pipeline gets them for its last step, or
        for the step that is named before them, as in ``scaler__sample_weight``.

    Returns
    -------
    proba : list of ndarray of shape (n_samples, n_classes), or ndarray
        What `predict_proba` returns: a list with an array per task, or one array for a
        one-dimensional y. The columns are the sorted classes of the folds' models. A
        class that the training part of a fold misses has a probability of 0 there, or
        near 0 if `fit` takes `classes` and gets the classes of all rows. A task of
        numbers, together with tasks of classes, has None.

    Examples
    --------
    A random forest takes several tasks as well.

    >>> from sklearn.datasets import make_multilabel_classification
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from sk_mtl.model_selection import out_of_fold_proba
    >>> X, y = make_multilabel_classification(n_classes=2, random_state=0)
    >>> forest = RandomForestClassifier(n_estimators=10, random_state=0)
    >>> [proba.shape for proba in out_of_fold_proba(forest, X, y, cv=4)]
    [(100, 2), (100, 2)]
    """
    check_one_estimator("estimator", estimator)
    by_task = isinstance(sample_weight, Mapping)
    check_consistent_length(X, y, groups, None if by_task else sample_weight)
    splits = _partition(make_folds(cv, estimator, X, y, groups), X)
    given = {"groups": groups, "sample_weight": sample_weight, **(params or {})}
    folds = Parallel(n_jobs=n_jobs)(
        delayed(_fit_and_predict)(clone(estimator), X, y, train, test, given)
        for train, test in splits
    )
    tests = [test for _, test in splits]
    probas, classes = zip(*folds, strict=True)
    if not isinstance(probas[0], list):
        return _joined(probas, classes, tests)
    return [
        None if known[0] is None else _joined(proba, known, tests)
        for proba, known in zip(zip(*probas, strict=True), zip(*classes, strict=True))
    ]


def _partition(folds, X):
    """Return folds as positions; raise unless every row is tested exactly once."""
    splits = [tuple(np.arange(n_rows(X))[rows] for rows in fold) for fold in folds]
    times = np.bincount(np.concatenate([t for _, t in splits]), minlength=n_rows(X))
    if (times != 1).any():
        raise ValueError(
            "cv must test every row exactly once; found "
            f"{(times == 0).sum()} rows that are never tested and "
            f"{(times > 1).sum()} that are tested more than once. Use KFold, "
            "GroupKFold or another splitter into parts."
        )
    return splits


def _fit_and_predict(estimator, X, y, train, test, given):
    """Return the probabilities of the test rows, and the classes of their columns."""
    arguments = fit_arguments(estimator, X, y, train, **given)
    estimator.fit(_safe_indexing(X, train), _safe_indexing(y, train), **arguments)
    proba = estimator.predict_proba(_safe_indexing(X, test))
    classes = estimator.classes_
    if isinstance(classes, list) and not isinstance(proba, list):
        # Chains of binary classifiers return one column per task.
        proba = probability_list(proba, list(range(len(classes))), len(test))
    return proba, classes


def _joined(probas, classes, tests):
    """Return one array for all rows from the folds' arrays, columns by class."""
    every_class = np.unique(np.concatenate(classes))
    proba = np.zeros((sum(map(len, tests)), len(every_class)), np.result_type(*probas))
    for fold, known, test in zip(probas, classes, tests, strict=True):
        columns = np.searchsorted(every_class, known)
        proba[np.ix_(test, columns)] = fold
    return proba

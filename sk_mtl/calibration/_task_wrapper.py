"""The base of estimators that wrap a model of several tasks and adjust its answers."""

from abc import abstractmethod
from collections.abc import Mapping
from contextlib import suppress
from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone
from sklearn.metrics import accuracy_score, r2_score
from sklearn.utils import get_tags, indexable
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from sk_mtl._labels import as_numbers, keep_labelled, plain_values, read_labels
from sk_mtl._sklearn_compat import HasMethods, StrOptions, _fit_context
from sk_mtl._versions import VersionedPickle
from sk_mtl._weights import weight_columns
from sk_mtl.calibration._thinned_rows import weights_of_all_rows
from sk_mtl.metrics._fitted_tasks import FittedTasks, last_estimator
from sk_mtl.metrics._number_rows import prediction_columns
from sk_mtl.model_selection import out_of_fold_proba
from sk_mtl.model_selection._fit_arguments import fit_arguments
from sk_mtl.model_selection._folds import n_rows

#: Constraints of the parameters that all wrappers have.
CONSTRAINTS = {
    "estimator": [HasMethods(["fit", "predict_proba"])],
    "cv": ["cv_object", StrOptions({"prefit"})],
    "n_jobs": [Integral, None],
}


def estimator_has(name):
    """Return the decorator of a method that exists if the wrapped model has one."""

    def check(self):
        getattr(getattr(self, "estimator_", self.estimator), name)
        return True

    return available_if(check)


class TaskWrapper(VersionedPickle, MetaEstimatorMixin, BaseEstimator):
    """Base of wrappers that learn from the held-out probabilities of a model.

    A wrapper fits the model to all rows, and what it adjusts to the probabilities of
    each row from a model that was fitted without the row. A model that is fitted
    already, ``cv="prefit"``, answers the rows itself.
    """

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, sample_weight=None, groups=None, **params):
        """Fit the estimator, and adjust its answers on rows that it has not seen.

        Parameters
        ----------
        X : {DataFrame, array-like} of shape (n_samples, n_features)
            Handed to the estimator as it is.

        y : {DataFrame, array-like} of shape (n_samples,) or (n_samples, n_tasks)
            One column per task. Rows without a label for a task are left out of what
            is learnt for it.

        sample_weight : array-like of shape (n_samples,) or (n_samples, n_tasks), or \
                dict, default=None
            Weights of rows, or of rows per task, or by task name, for the estimator
            and for the adjustment.

        groups : array-like of shape (n_samples,), default=None
            Rows of one group stay in one fold. Also handed to a `fit` that takes
            `groups`.

        **params : dict
            Further keywords of the estimator's `fit`. Those with an entry per row are
            cut to the rows of each fold.

        Returns
        -------
        self : object
            The fitted wrapper.
        """
        X, y = indexable(X, y)
        if not isinstance(sample_weight, Mapping):
            (sample_weight,) = indexable(sample_weight)
        if self.cv == "prefit":
            model = self.estimator
            check_is_fitted(model)
            self._check_names(self._names(model, y))
            proba = model.predict_proba(X)
        else:
            self._check_names(self._names(self.estimator, y))
            model = clone(self.estimator)
            given = {"groups": groups, "sample_weight": sample_weight, **params}
            every = np.arange(n_rows(X))
            model.fit(X, y, **fit_arguments(model, X, y, every, **given))
            proba = out_of_fold_proba(
                self.estimator,
                X,
                y,
                cv=self.cv,
                groups=groups,
                sample_weight=sample_weight,
                n_jobs=self.n_jobs,
                params=params,
            )
            names = self._names(model, y)
            sample_weight = weights_of_all_rows(model, y, sample_weight, names)
        tasks = FittedTasks(model, y)
        learnt = self._learn(model, tasks, y, proba, sample_weight)
        vars(self).pop("feature_names_in_", None)
        if hasattr(model, "feature_names_in_"):
            self.feature_names_in_ = model.feature_names_in_
        self.estimator_, self.task_names_ = model, list(tasks.names)
        vars(self).update(learnt)
        return self

    def score(self, X, y, sample_weight=None):
        """Return the mean over tasks of the accuracy, or of R² for tasks of numbers.

        Parameters
        ----------
        X : {DataFrame, array-like} of shape (n_samples, n_features)

        y : {DataFrame, array-like} of shape (n_samples,) or (n_samples, n_tasks)
            Missing labels are left out, and so are tasks without any label.

        sample_weight : array-like of shape (n_samples,) or (n_samples, n_tasks), or \
                dict, default=None

        Returns
        -------
        score : float
        """
        names, table = self.task_names_, read_labels(y)
        weights = weight_columns(sample_weight, table.n_samples, names)
        predicted = prediction_columns(self.predict(X), names, table.n_samples)
        scores = []
        for task, labels, answer, weight, classes in zip(
            names, table.columns_of(names), predicted, weights, self._classes()
        ):
            keep, weight = keep_labelled(labels, weight, self.missing_label)
            if not keep.any():
                continue
            if classes is None:
                what = f"The labels of {task!r}"
                numbers = as_numbers(labels[keep], what, "Give numbers")
                found = as_numbers(answer[keep], "The predictions", "Check them")
                scores.append(r2_score(numbers, found, sample_weight=weight))
            else:
                known, found = plain_values(labels[keep]), plain_values(answer[keep])
                scores.append(accuracy_score(known, found, sample_weight=weight))
        if not scores:
            raise ValueError(
                "y must hold labels to score against; found only missing ones. Give "
                "rows with labels."
            )
        return float(np.mean(scores))

    @property
    def row_aligned_keywords(self):
        """Keywords of `fit` with an entry for each row of X."""
        own = getattr(last_estimator(self.estimator), "row_aligned_keywords", ())
        return tuple(dict.fromkeys(("sample_weight", "groups", *own)))

    @property
    def missing_label(self):
        """The label that the estimator takes as missing, besides NaN and None."""
        return getattr(last_estimator(self.estimator), "missing_label", None)

    @property
    def classes_(self):
        """The classes of each task, as the estimator has them."""
        return self._fitted().classes_

    @property
    def n_features_in_(self):
        """The number of columns of X."""
        return self._fitted().n_features_in_

    @abstractmethod
    def _check_names(self, names):
        """Raise for settings that name an unknown task."""

    @abstractmethod
    def _learn(self, model, tasks, y, proba, sample_weight):
        """Return the attributes that are learnt from held-out probabilities."""

    def _fitted(self):
        check_is_fitted(self)
        return self.estimator_

    def _names(self, model, y):
        """Return the names of the tasks."""
        last = last_estimator(model)
        given = getattr(last, "task_names_", getattr(last, "task_names", None))
        return read_labels(y).task_names(given)

    def _classes(self):
        """Return the classes of each task, None for numbers."""
        classes = self.classes_
        return classes if isinstance(classes, list) else [classes]

    def __sklearn_is_fitted__(self):
        """Return whether there is a fit."""
        return hasattr(self, "estimator_")

    def __sklearn_tags__(self):
        """Return scikit-learn's tags: the wrapped estimator's."""
        tags = super().__sklearn_tags__()
        # The constructor takes anything; `fit` raises for what is no estimator.
        with suppress(Exception):
            inner = get_tags(self.estimator)
            tags.estimator_type = inner.estimator_type
            tags.classifier_tags = inner.classifier_tags
            tags.regressor_tags = inner.regressor_tags
            tags.target_tags = inner.target_tags
            tags.input_tags = inner.input_tags
        return tags


def as_list(answer):
    """Return the answers of each task as a list."""
    return answer if isinstance(answer, list) else [answer]


def replace_columns(predicted, names, columns):
    """Return predictions with other labels for some tasks, in the same container.

    Parameters
    ----------
    predicted : ndarray or DataFrame
        What `predict` returns.
    names : list
    columns : dict of task name to ndarray of shape (n_samples,)
    """
    predicted = predicted.copy()
    for task, labels in columns.items():
        position = names.index(task)
        if hasattr(predicted, "columns"):
            predicted[predicted.columns[position]] = labels
        elif predicted.ndim == 1:
            predicted[:] = labels
        else:
            predicted[:, position] = labels
    return predicted

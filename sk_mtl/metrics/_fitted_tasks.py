"""The tasks of a y, as a fitted estimator answers them."""

import numpy as np
from sklearn.pipeline import Pipeline

from sk_mtl._labels import is_missing, label_list, plain_values, read_labels
from sk_mtl._positive_class import is_conventional, pos_label_per_task
from sk_mtl._task_names import task_position
from sk_mtl._weights import read_weights, weight_columns
from sk_mtl.metrics._class_rows import class_rows
from sk_mtl.metrics._number_rows import prediction_columns
from sk_mtl.metrics._read_tasks import (
    classes_per_task,
    probability_arrays,
    rows_per_task,
)


class FittedTasks:
    """The tasks of `y`: their names, and whether they hold classes or numbers.

    An estimator without `classes_` is a regressor, all of whose tasks hold numbers. One
    that has both kinds of task has a list, with None for those that hold numbers.

    The columns of a frame are found by the names of the estimator's tasks.

    Parameters
    ----------
    estimator : estimator
        Fitted; also a pipeline or a search.
    y : array-like or DataFrame of shape (n_samples,) or (n_samples, n_tasks)

    Attributes
    ----------
    names : list
        The `task_names_` of the estimator or, where it has none, the columns of y.
    kinds : list of {"class", "number"}
    classes : list of (ndarray or None)
        The sorted classes of each task, None for a task of numbers.
    """

    def __init__(self, estimator, y):
        self._estimator = estimator
        fitted = last_estimator(estimator)
        self._missing_label = getattr(fitted, "missing_label", None)
        table = read_labels(y)
        classes = getattr(estimator, "classes_", None)
        self.names = getattr(fitted, "task_names_", None)
        if self.names is None:
            self.names = table.task_names()
            _check_number(classes, self.names)
        self._columns = table.columns_of(self.names)
        self.classes = classes_per_task(classes, self.names)
        self.kinds = ["number" if c is None else "class" for c in self.classes]

    def scored_by(self, metric, task=None):
        """Return the positions of the tasks that a metric applies to, or of one task.

        Parameters
        ----------
        metric : TaskMetric
        task : str or int, default=None
            Name of the only task, or its position if no task is called so.
        """
        if task is not None:
            k = task_position(task, self.names)
            metric.of_kind(self.kinds[k], self.names[k])
            return [k]
        positions = [
            k for k, kind in enumerate(self.kinds) if metric.kind in (None, kind)
        ]
        if not positions:
            metric.of_kind(self.kinds[0], self.names[0])
        return positions

    def classes_in_y(self, k):
        """Return the set of one task's classes in y, empty for a task of numbers."""
        if self.kinds[k] == "number":
            return set()
        missing = is_missing(self._columns[k], self._missing_label)
        return set(plain_values(self._columns[k][~missing]).tolist())

    def rows(
        self,
        X,
        wanted=None,
        sample_weight=None,
        respond=None,
        pos_label=None,
        groups=None,
    ):
        """Return the labelled rows of each task, with the estimator's answers.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
        wanted : list of int, default=None
            Positions of the tasks to be answered; None is all.
        sample_weight : array-like of shape (n_samples,) or (n_samples, n_tasks), \
                default=None
        respond : callable, default=None
            ``respond(method)`` returns what the estimator's method of this name does
            on X. None calls the method.
        pos_label : label, or dict of task name to label, default=None
            The positive one of two classes. None, and a task left out, takes the
            estimator's `pos_label_`.
        groups : array-like of shape (n_samples,), default=None

        Returns
        -------
        rows : list of ClassRows or NumberRows
            One for each position in `wanted`.
        """
        n_tasks, n_samples = len(self.names), len(self._columns[0])
        wanted = range(n_tasks) if wanted is None else wanted
        kinds = {self.kinds[k] for k in wanted}
        respond = respond or (lambda method: getattr(self._estimator, method)(X))
        probas = predictions = [None] * n_tasks
        if "class" in kinds:
            proba = respond("predict_proba")
            probas = probability_arrays(proba, self.names, n_samples)
        if "number" in kinds:
            predictions = prediction_columns(respond("predict"), self.names, n_samples)
        weights = weight_columns(sample_weight, n_samples, self.names)
        pos_labels = self._pos_labels(pos_label, wanted)
        rows = rows_per_task(
            *(
                [values[k] for k in wanted]
                for values in (
                    self._columns,
                    self.names,
                    probas,
                    predictions,
                    weights,
                    self.classes,
                )
            ),
            self._missing_label,
            pos_labels,
            groups=groups,
        )
        return [self._with_threshold(k, own) for k, own in zip(wanted, rows)]

    def _with_threshold(self, k, rows):
        """Return the rows of a task with the threshold that the estimator tuned."""
        fitted = last_estimator(self._estimator)
        thresholds = getattr(fitted, "thresholds_", None)
        if not isinstance(thresholds, dict) or self.names[k] not in thresholds:
            return rows
        classes = label_list(self.classes[k])
        position = classes.index(fitted.pos_label_[self.names[k]])
        return rows._replace(threshold=(position, thresholds[self.names[k]]))

    def steps(self, sample_weight=None, pos_label=None):
        """Return labels and weights of tasks of two classes, the steps of a funnel.

        Parameters
        ----------
        sample_weight : array-like of shape (n_samples,) or (n_samples, n_tasks), \
                default=None
        pos_label : label, or dict of task name to label, default=None
            As of `rows`.

        Returns
        -------
        codes : ndarray of shape (n_samples, n_tasks)
            1 for the positive class, 0 for the other one, NaN for a missing label or
            the weight 0.
        weight : ndarray of shape (n_samples, n_tasks) or None
        positive : list of int
            Position of the positive class of each task among its classes.
        open_classes : dict of str to ndarray
            The classes of tasks for which it is open which class is positive.
        """
        pos_labels = self._pos_labels(pos_label, range(len(self.names)))
        n_samples = len(self._columns[0])
        weight = read_weights(sample_weight, n_samples, self.names)
        codes = np.full((n_samples, len(self.names)), np.nan)
        positive, open_classes = [], {}
        for k, (name, classes) in enumerate(zip(self.names, self.classes)):
            label = pos_labels[name]
            if label is None and not is_conventional(classes):
                open_classes[name] = classes
            rows = class_rows(
                self._columns[k],
                np.full((n_samples, 2), 0.5),
                None if weight is None else weight[:, k],
                classes,
                self._missing_label,
                name,
                pos_label=label,
            )
            codes[rows.positions, k] = rows.codes == rows.positive
            positive.append(rows.positive)
        return codes, weight, positive, open_classes

    def _pos_labels(self, pos_label, wanted):
        """Return the positive label of each wanted task, where one is named."""
        fitted = getattr(last_estimator(self._estimator), "pos_label_", {})
        if len(self.names) == len(fitted) == 1:
            # The labels of a single task may be called otherwise.
            fitted = dict(zip(self.names, fitted.values()))
        given = pos_label_per_task(pos_label, self.names)
        return {
            self.names[k]: fitted.get(self.names[k]) if given[k] is None else given[k]
            for k in wanted
            if self.kinds[k] == "class"
        }


def _check_number(classes, names):
    """Raise where an estimator without names has other tasks than y has columns."""
    if classes is None:
        return
    n_tasks = len(classes) if isinstance(classes, list) else 1
    if n_tasks != len(names):
        raise ValueError(
            f"y must have {n_tasks} column(s), one per task of the estimator; found "
            f"{len(names)}: {names}. Give the columns that it was fitted with."
        )


def model_and_input(estimator, X):
    """Return the fitted model inside searches and pipelines, and X as it reads it."""
    while True:
        if hasattr(estimator, "best_estimator_"):
            estimator = estimator.best_estimator_
        elif isinstance(estimator, Pipeline):
            if len(estimator.steps) > 1:
                X = estimator[:-1].transform(X)
            estimator = estimator.steps[-1][1]
        else:
            return estimator, X


def last_estimator(estimator):
    """Return the fitted model inside searches and pipelines."""
    while True:
        if hasattr(estimator, "best_estimator_"):
            estimator = estimator.best_estimator_
        elif isinstance(estimator, Pipeline):
            estimator = estimator.steps[-1][1]
        else:
            return estimator

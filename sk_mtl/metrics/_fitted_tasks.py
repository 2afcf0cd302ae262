"""The tasks of a y, as a fitted estimator answers them."""

from sklearn.pipeline import Pipeline

from sk_mtl._positive_class import pos_label_per_task
from sk_mtl.metrics._inputs import (
    label_columns,
    task_names_of,
    task_position,
    weight_columns,
)
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

    Parameters
    ----------
    estimator : estimator
        Fitted; also a pipeline or a search.
    y : array-like or DataFrame of shape (n_samples,) or (n_samples, n_tasks)

    Attributes
    ----------
    names : list of str
        The columns of y, or else the `task_names_` of the estimator.
    kinds : list of {"class", "number"}
    """

    def __init__(self, estimator, y):
        self._estimator = estimator
        fitted = last_estimator(estimator)
        self._missing_label = getattr(fitted, "missing_label", None)
        self._columns, names = label_columns(y)
        fitted_names = [str(name) for name in getattr(fitted, "task_names_", ())]
        n_tasks = len(self._columns)
        if names is None and len(fitted_names) == n_tasks:
            names = fitted_names
        self.names = task_names_of(n_tasks, names)
        # The columns of y decide, so a frame in another order than the one that was
        # fitted is scored rightly.
        is_known = sorted(self.names) == sorted(fitted_names)
        self._fitted_names = fitted_names if is_known else self.names
        self._own_names = fitted_names or self.names
        classes = classes_per_task(getattr(estimator, "classes_", None), self.names)
        self._classes = self._in_order_of_y(classes)
        self.kinds = ["number" if c is None else "class" for c in self._classes]

    def scored_by(self, metric, task=None):
        """Positions of the tasks that a metric is of, or that of one named task.

        Parameters
        ----------
        metric : TaskMetric
        task : str or int, default=None
            Name or position of the only task.
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

    def rows(self, X, wanted=None, sample_weight=None, respond=None, pos_label=None):
        """Labelled rows of each task, with the estimator's answers.

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
            The positive one of two classes. None, and a task left out, takes that of
            the estimator's `pos_label_`.

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
            probas = self._in_order_of_y(probability_arrays(proba, n_tasks, n_samples))
        if "number" in kinds:
            predictions = self._in_order_of_y(
                prediction_columns(respond("predict"), self._fitted_names, n_samples)
            )
        weights = weight_columns(sample_weight, n_tasks, n_samples)
        pos_labels = self._pos_labels(pos_label, wanted)
        return rows_per_task(
            *(
                [values[k] for k in wanted]
                for values in (
                    self._columns,
                    self.names,
                    probas,
                    predictions,
                    weights,
                    self._classes,
                )
            ),
            self._missing_label,
            pos_labels,
        )

    def _pos_labels(self, pos_label, wanted):
        """The positive label of each wanted task, where one is named."""
        fitted = getattr(last_estimator(self._estimator), "pos_label_", {})
        fitted = self._in_order_of_y([fitted.get(k) for k in self._own_names])
        given = pos_label_per_task(pos_label, self.names)
        return {
            self.names[k]: fitted[k] if given[k] is None else given[k]
            for k in wanted
            if self.kinds[k] == "class"
        }

    def _in_order_of_y(self, values):
        """Values of the tasks in the order of y, given in that of the fit."""
        return [values[self._fitted_names.index(name)] for name in self.names]


def last_estimator(estimator):
    """The fitted model inside searches and pipelines."""
    while True:
        if hasattr(estimator, "best_estimator_"):
            estimator = estimator.best_estimator_
        elif isinstance(estimator, Pipeline):
            estimator = estimator.steps[-1][1]
        else:
            return estimator

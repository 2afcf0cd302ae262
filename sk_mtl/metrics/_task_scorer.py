"""Scorer of one task, or of several tasks together, for scikit-learn's searches."""

import copy

import numpy as np
from sklearn.pipeline import Pipeline

from sk_mtl._sklearn_compat import _BaseScorer, cached_predict_proba
from sk_mtl.metrics._inputs import label_columns, task_position
from sk_mtl.metrics._task_metric import task_metric
from sk_mtl.metrics._tasks import read_tasks, warn_undefined

_AVERAGES = ("mean", "min", "weighted")


class TaskScorer(_BaseScorer):
    """Scorer that :func:`make_task_scorer` makes.

    Called as ``scorer(estimator, X, y, sample_weight=None)``, it returns one number of
    which a greater value is better.

    Attributes
    ----------
    metric : TaskMetric
    task : str, int or None
    average : {"mean", "min", "weighted"} or None
    """

    def __init__(self, metric, task=None, average=None):
        self.metric = metric
        self.task = task
        self.average = average
        super().__init__(
            _scored_parameters,
            sign=1 if metric.greater_is_better else -1,
            kwargs={},
            response_method="predict_proba",
        )

    def _score(self, method_caller, estimator, X, y_true, sample_weight=None):
        proba = cached_predict_proba(method_caller, estimator, X)
        names, rows = _rows_of(estimator, y_true, proba, sample_weight)
        if self.task is not None:
            k = task_position(self.task, names)
            names, rows = [names[k]], [rows[k]]
        values = np.array([self.metric.of_rows(r) for r in rows])
        undefined = [name for name, nan in zip(names, np.isnan(values)) if nan]
        if undefined:
            warn_undefined(self.metric.name, undefined)
        return float(self._averaged(self._sign * values, rows))

    def _averaged(self, scores, rows):
        defined = ~np.isnan(scores)
        if not defined.any():
            return np.nan
        if self.average == "min":
            return scores[defined].min()
        if self.average == "weighted":
            totals = np.array([r.total for r in rows])
            return np.average(scores[defined], weights=totals[defined])
        return scores[defined].mean()

    def __sklearn_clone__(self):
        return copy.deepcopy(self)

    def __repr__(self):
        name = self.metric.name if self.metric.custom else repr(self.metric.name)
        if self.task is not None:
            return f"make_task_scorer({name}, task={self.task!r})"
        return f"make_task_scorer({name}, average={self.average!r})"


def _scored_parameters(y_true, y_proba, sample_weight=None):
    """Signature in which scikit-learn looks up what may be routed to a scorer."""


def _rows_of(estimator, y, proba, sample_weight):
    """Names and labelled rows of each task of `y`, as `estimator` predicts it."""
    fitted = _last_estimator(estimator)
    classes = getattr(estimator, "classes_", None)
    columns, names = label_columns(y)
    fitted_names = [str(name) for name in getattr(fitted, "task_names_", ())]
    if names is None and len(fitted_names) == len(columns):
        names = fitted_names
    elif names is not None and isinstance(proba, list):
        # The columns of y decide, so a frame in another order than the one that was
        # fitted is scored rightly.
        names = [str(name) for name in names]
        if names != fitted_names and sorted(names) == sorted(fitted_names):
            order = [fitted_names.index(name) for name in names]
            proba = [proba[k] for k in order]
            classes = None if classes is None else [classes[k] for k in order]
    missing_label = getattr(fitted, "missing_label", None)
    return read_tasks(y, proba, sample_weight, classes, names, missing_label)


def _last_estimator(estimator):
    """The fitted model inside searches and pipelines."""
    while True:
        if hasattr(estimator, "best_estimator_"):
            estimator = estimator.best_estimator_
        elif isinstance(estimator, Pipeline):
            estimator = estimator.steps[-1][1]
        else:
            return estimator


def make_task_scorer(metric, *, task=None, average=None):
    """Scorer of one task, or of the tasks together, from a metric of one task.

    The names that scikit-learn knows, such as ``scoring="roc_auc"``, average over
    tasks, and fail where labels are strings or missing, or where tasks differ in their
    number of classes. This scorer reads each task's probabilities with the estimator's
    `classes_` and skips rows without a label. It works for every estimator whose
    `predict_proba` returns one array or a list of them, in pipelines and searches.

    Searches over a y with missing labels, or with strings beside numbers, need a
    splitter, such as ``cv=KFold(5)``: for an integer, scikit-learn looks at all labels
    together to choose one, and fails.

    Parameters
    ----------
    metric : str, callable or TaskMetric
        What :func:`task_metric` takes. The scorer changes the sign of metrics of which
        less is better, so `"log_loss"` and `"neg_log_loss"` are the same scorer.
    task : str or int, default=None
        Name or position of the only task to be scored. Names are the columns of y, or
        the estimator's `task_names_`. None scores all tasks and averages.
    average : {"mean", "min", "weighted"}, default=None
        How to join the tasks' scores: their mean, the score of the worst task, or the
        mean weighted by the tasks' numbers of labelled rows (the sums of their weights
        where `sample_weight` is given). Tasks without a defined score are left out,
        with a warning. None is `"mean"`.

    Returns
    -------
    scorer : TaskScorer
        To be given as `scoring`, also in a dict beside others. With metadata routing
        it takes ``set_score_request(sample_weight=True)``.

    Examples
    --------
    A search that chooses by one task and also shows the mean of both.

    >>> from sklearn.datasets import make_multilabel_classification
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from sklearn.model_selection import GridSearchCV
    >>> from sk_mtl.metrics import make_task_scorer
    >>> X, y = make_multilabel_classification(n_classes=2, random_state=0)
    >>> scoring = {
    ...     "second": make_task_scorer("roc_auc", task="task_1"),
    ...     "mean": make_task_scorer("roc_auc"),
    ... }
    >>> forest = RandomForestClassifier(n_estimators=10, random_state=0)
    >>> search = GridSearchCV(
    ...     forest, {"max_depth": [1, 3]}, scoring=scoring, refit="second", cv=2
    ... ).fit(X, y)
    >>> search.best_params_
    {'max_depth': 3}
    """
    if task is not None and average is not None:
        raise ValueError(
            "make_task_scorer takes task or average, not both; found "
            f"task={task!r} and average={average!r}. Leave one of them out."
        )
    if average not in (None, *_AVERAGES):
        raise ValueError(
            f"average must be one of {list(_AVERAGES)}; found {average!r}. Use one of "
            "these names."
        )
    if task is None and average is None:
        average = "mean"
    return TaskScorer(task_metric(metric), task, average)

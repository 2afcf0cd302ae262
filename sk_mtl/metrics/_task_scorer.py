"""Scorer of one task, or of several tasks together, for scikit-learn's searches."""

import copy

import numpy as np

from sk_mtl._sklearn_compat import cached_response
from sk_mtl.metrics._fitted_tasks import FittedTasks
from sk_mtl.metrics._read_tasks import warn_undefined
from sk_mtl.metrics._routed_scorer import RoutedScorer, check_one_kind, scored_rows
from sk_mtl.metrics._task_metric import task_metric

_AVERAGES = ("mean", "min", "weighted")


class TaskScorer(RoutedScorer):
    """Scorer that :func:`make_task_scorer` makes.

    Called as ``scorer(estimator, X, y, sample_weight=None, groups=None)``, it returns
    one number of which a greater value is better.

    Attributes
    ----------
    metric : TaskMetric
    task : str, int or None
    average : {"mean", "min", "weighted"} or None
    pos_label : label, dict of task name to label, or None
    """

    def __init__(self, metric, task=None, average=None, pos_label=None):
        self.metric = metric
        self.task = task
        self.average = average
        self.pos_label = pos_label
        # What scikit-learn's displays write at the axis of the scores.
        self.__name__ = scorer_name(metric, task, average)
        super().__init__([metric], sign=1 if metric.greater_is_better else -1)

    def _score(
        self, method_caller, estimator, X, y_true, sample_weight=None, groups=None
    ):
        def respond(method):
            return cached_response(method_caller, estimator, X, method)

        tasks = FittedTasks(estimator, y_true)
        scored = self._scored(tasks)
        rows = scored_rows(
            tasks,
            [self.metric],
            scored,
            X,
            sample_weight,
            respond,
            self.pos_label,
            groups,
        )
        values = np.array([self.metric.of_rows(r) for r in rows.values()])
        undefined = [tasks.names[k] for k, nan in zip(scored, np.isnan(values)) if nan]
        if undefined:
            warn_undefined(self.metric, undefined)
        totals = [r.total for r in rows.values()]
        return float(average_of_tasks(self._sign * values, totals, self.average))

    def _scored(self, tasks):
        """Return the positions of the scored tasks: one, or all of a kind."""
        scored = tasks.scored_by(self.metric, self.task)
        check_one_kind(self.metric, [tasks.kinds[k] for k in scored])
        return scored

    def __sklearn_clone__(self):
        return copy.deepcopy(self)

    def __repr__(self):
        given = [self.metric.name if self.metric.custom else repr(self.metric.name)]
        if self.task is not None:
            given.append(f"task={self.task!r}")
        else:
            given.append(f"average={self.average!r}")
        if self.pos_label is not None:
            given.append(f"pos_label={self.pos_label!r}")
        return f"make_task_scorer({', '.join(given)})"


def average_of_tasks(scores, totals, average):
    """Return the average of the tasks' scores, without those that are NaN.

    Parameters
    ----------
    scores, totals : array-like of shape (n_tasks,)
        Of every task its score, of which a greater value is better, and its number of
        labelled rows.
    average : {"mean", "min", "weighted"} or None
        None is the mean.
    """
    scores = np.asarray(scores)
    defined = ~np.isnan(scores)
    if not defined.any():
        return np.nan
    if average == "min":
        return scores[defined].min()
    if average == "weighted":
        return np.average(scores[defined], weights=np.asarray(totals)[defined])
    return scores[defined].mean()


def scorer_name(metric, task, average):
    """Return what a scorer is called, such as "neg_log_loss_click"."""
    name = metric.name if metric.greater_is_better else f"neg_{metric.name}"
    parts = [name, *([str(task)] if task is not None else [])]
    return "_".join([*parts, *([average] if average in ("min", "weighted") else [])])


def check_averages(averages):
    """Raise where an average is none that scorers know."""
    wrong = [each for each in averages if each not in _AVERAGES]
    if wrong:
        raise ValueError(
            f"average must be one of {list(_AVERAGES)}; found {wrong[0]!r}. Use one of "
            "these names."
        )


def check_pos_label(pos_label, metrics):
    """Raise where a positive class is given and no metric is of classes."""
    if pos_label is not None and all(metric.kind == "number" for metric in metrics):
        raise ValueError(
            "pos_label must be None for a metric of numbers, which have no classes; "
            f"found pos_label={pos_label!r} for {metrics[0].name!r}. Drop it."
        )


def make_task_scorer(metric, *, task=None, average=None, pos_label=None):
    """Make a scorer of one task, or of all tasks together, from a metric of one task.

    scikit-learn's own names, such as ``scoring="roc_auc"``, average over
    tasks, and fail where labels are strings or missing, or where tasks differ in their
    number of classes. This scorer reads each task's probabilities with the estimator's
    `classes_` and skips rows without a label. It works for every estimator whose
    `predict_proba` returns one array or a list of them, in pipelines and searches.

    An estimator without `classes_` is a regressor: all its tasks hold numbers, and what
    `predict` returns is scored. Where an estimator has tasks of both kinds, with None
    in `classes_` for tasks of numbers, a metric of classes averages over the tasks of
    classes and a metric of numbers over the others.

    Searches over a y with missing labels, or with strings beside numbers, need a
    splitter, such as ``cv=KFold(5)``: for an integer, scikit-learn reads all labels
    together to choose one, and fails.

    Parameters
    ----------
    metric : str, callable or TaskMetric
        What :func:`task_metric` takes. The scorer changes the sign of metrics of which
        less is better, so `"log_loss"` and `"neg_log_loss"` are the same scorer. A
        callable that averages over tasks of both kinds must name its own, as in
        ``task_metric(metric, kind="number")``.
    task : hashable, default=None
        The only task to be scored, by its name in the estimator's `task_names_` or,
        where it has none, in the columns of y. An integer is the task called so, or
        else a position. None scores all tasks and averages. A y whose columns differ
        from those in `fit` raises.
    average : {"mean", "min", "weighted"}, default=None
        How to join the tasks' scores: their mean, the score of the worst task, or the
        mean weighted by the tasks' numbers of labelled rows (the sums of their weights
        where `sample_weight` is given). Tasks without a defined score are left out,
        with a warning. None is `"mean"`.
    pos_label : label, or dict of task name to label, default=None
        The positive one of two classes, for metrics that depend on it such as
        `"average_precision"`. None, and a task that the dict leaves out, takes the
        label that the estimator was fitted with (its `pos_label_`), else 1 of 0 and 1
        or of -1 and 1, else the label that sorts last, with a `PositiveClassWarning`.

    Returns
    -------
    scorer : TaskScorer
        To be given as `scoring`, also in a dict beside others. With metadata routing
        it takes ``set_score_request(sample_weight=True)``; a metric that takes groups
        requests them by itself.

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
    check_averages([] if average is None else [average])
    if task is None and average is None:
        average = "mean"
    metric = task_metric(metric)
    check_pos_label(pos_label, [metric])
    return TaskScorer(metric, task, average, pos_label)

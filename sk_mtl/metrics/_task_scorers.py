"""Scorer of several metrics, of every task and of averages, in one call."""

import copy

import numpy as np

from sk_mtl._sklearn_compat import cached_response
from sk_mtl._task_names import task_position
from sk_mtl.metrics._fitted_tasks import FittedTasks
from sk_mtl.metrics._read_tasks import warn_undefined
from sk_mtl.metrics._routed_scorer import RoutedScorer, check_one_kind, scored_rows
from sk_mtl.metrics._task_metric import task_metric
from sk_mtl.metrics._task_scorer import (
    average_of_tasks,
    check_averages,
    check_pos_label,
    scorer_name,
)


class TaskScorers(RoutedScorer):
    """Scorer that :func:`task_scorers` makes.

    Called as ``scorers(estimator, X, y, sample_weight=None, groups=None)``, it returns
    a dict of numbers of which greater values are better.

    Attributes
    ----------
    metrics : list of TaskMetric
    tasks : list of (str or int), or None
    averages : tuple of {"mean", "min", "weighted"}
    pos_label : label, dict of task name to label, or None
    """

    def __init__(self, metrics, tasks=None, averages=("mean", "min"), pos_label=None):
        self.metrics = metrics
        self.tasks = tasks
        self.averages = averages
        self.pos_label = pos_label
        super().__init__(metrics)

    def _score(
        self, method_caller, estimator, X, y_true, sample_weight=None, groups=None
    ):
        def respond(method):
            return cached_response(method_caller, estimator, X, method)

        tasks = FittedTasks(estimator, y_true)
        scored = [self._scored_by(metric, tasks) for metric in self.metrics]
        rows = scored_rows(
            tasks,
            self.metrics,
            sorted(set().union(*scored)),
            X,
            sample_weight,
            respond,
            self.pos_label,
            groups,
        )
        scores = {}
        for metric, positions in zip(self.metrics, scored, strict=True):
            own = {k: rows[k] for k in positions}
            _add_scores(scores, self._scores_of(metric, own, tasks.names))
        return scores

    def _scored_by(self, metric, tasks):
        """Return the positions of the wanted tasks that a metric applies to."""
        wanted = range(len(tasks.names))
        if self.tasks is not None:
            wanted = [task_position(task, tasks.names, "tasks") for task in self.tasks]
        scored = [k for k in wanted if metric.kind in (None, tasks.kinds[k])]
        if not scored:
            # Raises an error that names a remedy.
            metric.of_kind(tasks.kinds[wanted[0]], tasks.names[wanted[0]])
        if self.averages:
            check_one_kind(metric, [tasks.kinds[k] for k in scored])
        return scored

    def _scores_of(self, metric, rows, names):
        """Return the scores of one metric by name: each task's, then the averages."""
        sign = 1 if metric.greater_is_better else -1
        values = [sign * metric.of_rows(each) for each in rows.values()]
        undefined = [names[k] for k, nan in zip(rows, np.isnan(values)) if nan]
        if undefined:
            warn_undefined(metric, undefined)
        totals = [each.total for each in rows.values()]
        by_task = [
            (scorer_name(metric, names[k], None), float(value))
            for k, value in zip(rows, values, strict=True)
        ]
        name = scorer_name(metric, None, None)
        return by_task + [
            (f"{name}_{average}", float(average_of_tasks(values, totals, average)))
            for average in self.averages
        ]

    def __sklearn_clone__(self):
        return copy.deepcopy(self)

    def __repr__(self):
        given = [m.name if m.custom else repr(m.name) for m in self.metrics]
        if self.tasks is not None:
            given.append(f"tasks={self.tasks!r}")
        given.append(f"averages={self.averages!r}")
        if self.pos_label is not None:
            given.append(f"pos_label={self.pos_label!r}")
        return f"task_scorers({', '.join(given)})"


def _add_scores(scores, new):
    """Add scores to those by name, or raise where a name is taken."""
    for name, value in new:
        if name in scores:
            raise ValueError(
                "Each score must have a name of its own, made of metric and task or "
                f"average; found {name!r} twice. Rename the task, or leave out the "
                "average or the metric."
            )
        scores[name] = value


def task_scorers(*metrics, tasks=None, averages=("mean", "min"), pos_label=None):
    """Make one scorer of several metrics, for every task and for averages over tasks.

    Given as `scoring` to a search or to `cross_validate`, it fills ``cv_results_`` with
    a column for each metric and task, such as ``mean_test_roc_auc_income``, and for
    each metric and average, such as ``mean_test_roc_auc_mean`` and
    ``mean_test_roc_auc_min``. One of these names is given as `refit`. Rows are
    predicted once for all of them.

    A metric of classes applies to the tasks of classes, a metric of numbers to the
    others. Every fold has the same columns: a score is NaN, with an
    `UndefinedMetricWarning`, where the rows of a fold do not define it.

    Parameters
    ----------
    *metrics : str, callable or TaskMetric
        What :func:`task_metric` takes. As in scikit-learn a greater score is better:
        losses change their sign and are called ``neg_log_loss_income``.
    tasks : list of (str or int), default=None
        Names of the tasks to be scored, or their positions. None scores all of them.
        Averages are over these tasks.
    averages : tuple of {"mean", "min", "weighted"}, default=("mean", "min")
        How to join the scores of tasks, as in :func:`make_task_scorer`: their mean, the
        worst one, the mean weighted by labelled rows. ``()`` adds no average.
    pos_label : label, or dict of task name to label, default=None
        The positive one of two classes, as in :func:`make_task_scorer`.

    Returns
    -------
    scorers : TaskScorers
        To be given as `scoring` by itself; called with an estimator, X and y it returns
        a dict. With metadata routing it takes
        ``set_score_request(sample_weight=True)``; metrics that take groups request
        them by themselves.

    Raises
    ------
    ValueError
        If a metric, a task or an average is unknown, if no metric is given, or if two
        scores would have one name.

    Examples
    --------
    A search by the mean over both tasks that shows every task as well.

    >>> from sklearn.datasets import make_multilabel_classification
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from sklearn.model_selection import GridSearchCV
    >>> from sk_mtl.metrics import task_scorers
    >>> X, y = make_multilabel_classification(n_classes=2, random_state=0)
    >>> search = GridSearchCV(
    ...     RandomForestClassifier(n_estimators=10, random_state=0),
    ...     {"max_depth": [1, 3]},
    ...     scoring=task_scorers("roc_auc"),
    ...     refit="roc_auc_mean",
    ...     cv=2,
    ... ).fit(X, y)
    >>> search.best_params_
    {'max_depth': 3}
    >>> [name for name in search.cv_results_ if name.startswith("mean_test")]
    ['mean_test_roc_auc_task_0', 'mean_test_roc_auc_task_1',
     'mean_test_roc_auc_mean', 'mean_test_roc_auc_min']
    """
    if not metrics:
        raise ValueError(
            "task_scorers must be given metrics; found none. Name at least one, such "
            'as task_scorers("roc_auc", "log_loss").'
        )
    averages = (averages,) if isinstance(averages, str) else tuple(averages or ())
    check_averages(averages)
    if isinstance(tasks, str | int):
        tasks = [tasks]
    if tasks is not None and not len(tasks):
        raise ValueError(
            "tasks must name at least one task, or be None for all; found none. Leave "
            "it out."
        )
    metrics = [task_metric(metric) for metric in metrics]
    check_pos_label(pos_label, metrics)
    tasks = None if tasks is None else list(tasks)
    return TaskScorers(metrics, tasks, averages, pos_label)

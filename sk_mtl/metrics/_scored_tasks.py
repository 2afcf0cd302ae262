"""The metric by which each task of an estimator is scored."""

from sk_mtl.metrics._task_metric import task_metric
from sk_mtl.metrics._task_scorer import TaskScorer

_DEFAULT_METRICS = {"class": "roc_auc", "number": "r2"}


def metrics_of_tasks(tasks, scoring):
    """Return by position the metric of each task that is scored.

    Parameters
    ----------
    tasks : FittedTasks
    scoring : str, callable, TaskMetric, TaskScorer or None
        None takes the area under the ROC curve for classes and R² for numbers. Tasks
        that a metric is not of are left out.
    """
    if scoring is None:
        return {
            k: task_metric(_DEFAULT_METRICS[kind]) for k, kind in enumerate(tasks.kinds)
        }
    task = None
    if isinstance(scoring, TaskScorer):
        scoring, task = scoring.metric, scoring.task
    metric = task_metric(scoring)
    return dict.fromkeys(tasks.scored_by(metric, task), metric)

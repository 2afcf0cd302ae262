"""Metrics of several tasks: functions of labels and probabilities, and scorers."""

from sk_mtl.metrics._conditional_roc_auc import conditional_roc_auc
from sk_mtl.metrics._grouped_roc_auc import grouped_roc_auc
from sk_mtl.metrics._task_metric import TASK_METRICS, TaskMetric, task_metric
from sk_mtl.metrics._task_scorer import TaskScorer, make_task_scorer
from sk_mtl.metrics._task_scores import task_scores

__all__ = [
    "TASK_METRICS",
    "TaskMetric",
    "TaskScorer",
    "conditional_roc_auc",
    "grouped_roc_auc",
    "make_task_scorer",
    "task_metric",
    "task_scores",
]

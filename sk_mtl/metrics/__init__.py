"""Metrics of several tasks: functions of labels and answers, and scorers."""

from sk_mtl.metrics._conditional_roc_auc import conditional_roc_auc
from sk_mtl.metrics._funnel_scores import funnel_scores
from sk_mtl.metrics._named_metrics import (
    CLASS_METRICS,
    NUMBER_METRICS,
    TASK_METRICS,
)
from sk_mtl.metrics._ranking._grouped_at_k import (
    grouped_hit_rate_at_k,
    grouped_recall_at_k,
)
from sk_mtl.metrics._ranking._grouped_ndcg import grouped_ndcg
from sk_mtl.metrics._ranking._grouped_roc_auc import grouped_roc_auc
from sk_mtl.metrics._roc_auc_sketch import RocAucSketch
from sk_mtl.metrics._task_metric import TaskMetric, task_metric
from sk_mtl.metrics._task_scorer import TaskScorer, make_task_scorer
from sk_mtl.metrics._task_scorers import TaskScorers, task_scorers
from sk_mtl.metrics._task_scores import task_scores

__all__ = [
    "CLASS_METRICS",
    "NUMBER_METRICS",
    "TASK_METRICS",
    "RocAucSketch",
    "TaskMetric",
    "TaskScorer",
    "TaskScorers",
    "conditional_roc_auc",
    "funnel_scores",
    "grouped_hit_rate_at_k",
    "grouped_ndcg",
    "grouped_recall_at_k",
    "grouped_roc_auc",
    "make_task_scorer",
    "task_metric",
    "task_scorers",
    "task_scores",
]

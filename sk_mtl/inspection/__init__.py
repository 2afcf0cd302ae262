"""Inspection of models: views of what training and a trained network do."""

from sk_mtl.inspection._gradient_conflict import gradient_conflict
from sk_mtl.inspection._gradient_conflict_recorder import GradientConflictRecorder
from sk_mtl.inspection._importance._importance_display import ImportanceDisplay
from sk_mtl.inspection._importance._partial_dependence import (
    partial_dependence_by_task,
)
from sk_mtl.inspection._importance._permutation_importance import (
    permutation_importance_by_task,
)
from sk_mtl.inspection._plots._embedding_display import EmbeddingDisplay
from sk_mtl.inspection._plots._funnel_display import FunnelDisplay
from sk_mtl.inspection._plots._gate_display import GateDisplay
from sk_mtl.inspection._plots._gradient_conflict_display import (
    GradientConflictDisplay,
)
from sk_mtl.inspection._plots._learning_curves import LearningCurves
from sk_mtl.inspection._plots._seesaw_display import SeesawDisplay
from sk_mtl.inspection._plots._task_balance_display import TaskBalanceDisplay
from sk_mtl.inspection._plots._task_calibration import TaskCalibration
from sk_mtl.inspection._plots._task_precision_recall import TaskPrecisionRecall
from sk_mtl.inspection._plots._task_roc_curves import TaskRocCurves
from sk_mtl.inspection._plots._threshold_display import ThresholdDisplay
from sk_mtl.inspection._reports._model_card import model_card
from sk_mtl.inspection._reports._report import report

__all__ = [
    "EmbeddingDisplay",
    "FunnelDisplay",
    "GateDisplay",
    "GradientConflictDisplay",
    "GradientConflictRecorder",
    "ImportanceDisplay",
    "LearningCurves",
    "SeesawDisplay",
    "TaskBalanceDisplay",
    "TaskCalibration",
    "TaskPrecisionRecall",
    "TaskRocCurves",
    "ThresholdDisplay",
    "gradient_conflict",
    "model_card",
    "partial_dependence_by_task",
    "permutation_importance_by_task",
    "report",
]

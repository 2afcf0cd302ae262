"""Inspection of models: views of what training and a trained network do."""

from sk_mtl.inspection._gradient_conflict import gradient_conflict
from sk_mtl.inspection._gradient_conflict_recorder import GradientConflictRecorder
from sk_mtl.inspection._plots._funnel_display import FunnelDisplay
from sk_mtl.inspection._plots._gate_display import GateDisplay
from sk_mtl.inspection._plots._learning_curves import LearningCurves
from sk_mtl.inspection._plots._task_calibration import TaskCalibration
from sk_mtl.inspection._plots._task_precision_recall import TaskPrecisionRecall
from sk_mtl.inspection._plots._task_roc_curves import TaskRocCurves

__all__ = [
    "FunnelDisplay",
    "GateDisplay",
    "GradientConflictRecorder",
    "LearningCurves",
    "TaskCalibration",
    "TaskPrecisionRecall",
    "TaskRocCurves",
    "gradient_conflict",
]

"""Inspection of models: views of what training and a trained network do."""

from sk_mtl.inspection._gradient_conflict import gradient_conflict
from sk_mtl.inspection._gradient_conflict_recorder import GradientConflictRecorder

__all__ = ["GradientConflictRecorder", "gradient_conflict"]

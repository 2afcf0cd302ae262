"""Losses: what logits mean and how far they are from the labels."""

from sk_mtl.losses._funnel import FunnelStructure
from sk_mtl.losses._independent import IndependentStructure
from sk_mtl.losses._structures import Structure
from sk_mtl.losses._task_loss import TaskLoss

__all__ = ["FunnelStructure", "IndependentStructure", "Structure", "TaskLoss"]

"""Estimators: scikit-learn's contract around networks with several tasks."""

from sk_mtl.estimators._esmm import ESMMClassifier
from sk_mtl.estimators._mmoe import MMOEClassifier

__all__ = ["ESMMClassifier", "MMOEClassifier"]

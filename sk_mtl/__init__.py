"""Multi-task learning on tables and recommender logs, as scikit-learn estimators."""

from sk_mtl._version import __version__
from sk_mtl.estimators import ESMMClassifier, MMOEClassifier

__all__ = ["ESMMClassifier", "MMOEClassifier", "__version__"]

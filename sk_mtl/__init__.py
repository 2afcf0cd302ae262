"""Multi-task learning on tables and recommender logs, as scikit-learn estimators."""

from sk_mtl._version import __version__

__all__ = ["__version__"]

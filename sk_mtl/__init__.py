"""Multi-task learning on tables and recommender logs, as scikit-learn estimators."""

from sk_mtl import estimators
from sk_mtl._version import __version__
from sk_mtl.estimators import *  # noqa: F403 - its list of models is the only one

__all__ = ["__version__"]
__all__ += estimators.__all__

"""Multi-task learning on tables and recommender logs, as scikit-learn estimators."""

from sk_mtl._lazy_names import attach_names
from sk_mtl._version import __version__

# A program that reads data, or predicts with an exported graph, imports neither torch
# nor scikit-learn.
__getattr__, __dir__, _names = attach_names(__name__, __file__, "__version__")

# The folders, in small letters, are left out of `import *`: `metrics` and `datasets`
# would hide scikit-learn's.
__all__ = ["__version__", *(name for name in _names if not name.islower())]

"""Estimators: scikit-learn's contract around networks with several tasks."""

from sk_mtl._lazy_names import attach_names

# The import of one model builds no other one.
__getattr__, __dir__, __all__ = attach_names(__name__, __file__)

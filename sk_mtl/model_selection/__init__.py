"""Model selection that is right for several tasks."""

from sk_mtl.model_selection._out_of_fold_proba import out_of_fold_proba

__all__ = ["out_of_fold_proba"]

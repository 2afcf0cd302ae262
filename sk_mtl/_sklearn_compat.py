"""The private scikit-learn names that the package needs, imported in one place.

scikit-learn keeps no promise about names with an underscore. When one of them moves,
this file is the only one to mend.
"""

from sklearn.base import _fit_context
from sklearn.metrics._scorer import _BaseScorer
from sklearn.utils import _safe_indexing
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    Options,
    StrOptions,
    validate_params,
)

__all__ = [
    "HasMethods",
    "Interval",
    "Options",
    "StrOptions",
    "_BaseScorer",
    "_fit_context",
    "_safe_indexing",
    "cached_predict_proba",
    "validate_params",
]


def cached_predict_proba(method_caller, estimator, X):
    """Probabilities as the estimator returns them, predicted once for all scorers.

    A scorer's `_score` is handed a partial object whose first argument is the cache
    that the scorers of one call share, or None. What scikit-learn itself keeps there is
    reshaped to the positive class, which a list of several classes does not survive.
    """
    cache = next(iter(getattr(method_caller, "args", ())), None)
    if not isinstance(cache, dict):
        return estimator.predict_proba(X)
    key = "predict_proba of sk_mtl"
    if key not in cache:
        cache[key] = estimator.predict_proba(X)
    return cache[key]

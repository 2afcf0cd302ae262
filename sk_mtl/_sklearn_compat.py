"""The private scikit-learn names that the package needs, imported in one place.

scikit-learn keeps no promise about names with an underscore. When one of them moves,
this file is the only one to mend.
"""

import pyarrow as pa
from sklearn.base import _fit_context
from sklearn.compose import ColumnTransformer
from sklearn.metrics._scorer import _BaseScorer
from sklearn.utils import _safe_indexing as _indexing
from sklearn.utils._param_validation import (
    HasMethods as _HasMethods,
    Interval,
    Options,
    StrOptions,
    validate_parameter_constraints,
    validate_params,
)
from sklearn.utils.metaestimators import _BaseComposition

try:
    from sklearn.callback import CallbackSupportMixin
except ImportError:  # scikit-learn before 1.9

    class CallbackSupportMixin:
        """Base of estimators whose fits do not call callbacks of scikit-learn."""


__all__ = [
    "CallbackSupportMixin",
    "HasMethods",
    "Interval",
    "Options",
    "StackingColumnTransformer",
    "StrOptions",
    "_BaseComposition",
    "_BaseScorer",
    "_fit_context",
    "_safe_indexing",
    "cached_response",
    "validate_parameter_constraints",
    "validate_params",
]


def _safe_indexing(X, indices, *, axis=0):
    """Return some rows, or columns, of a table of any container.

    scikit-learn's function takes a record batch of pyarrow for a list of its rows.
    """
    if isinstance(X, pa.RecordBatch):
        X = pa.Table.from_batches([X])
    return _indexing(X, indices, axis=axis)


class StackingColumnTransformer(ColumnTransformer):
    """A ColumnTransformer whose subclasses stack the outputs of its steps.

    scikit-learn has the private hook for that. Without it, outputs would be joined as
    in any ColumnTransformer.
    """

    def _stack(self, outputs, n_samples):
        """Return the outputs of the steps as one table."""
        return super()._hstack(outputs, n_samples=n_samples)

    def _hstack(self, Xs, *, n_samples):
        return self._stack(Xs, n_samples)


class HasMethods(_HasMethods):
    """Constraint: an instance with some methods.

    scikit-learn's own takes a class for an object that has them.
    """

    def is_satisfied_by(self, val):
        return not isinstance(val, type) and super().is_satisfied_by(val)

    def __str__(self):
        return f"{super().__str__()} (an instance, not its class)"


def cached_response(method_caller, estimator, X, method):
    """Return the response of a method, called once for all scorers.

    A scorer's `_score` is handed a partial object whose first argument is the cache
    that the scorers of one call share, or None. What scikit-learn itself keeps there is
    reshaped to the positive class, which a list of several classes does not survive.
    """
    cache = next(iter(getattr(method_caller, "args", ())), None)
    if not isinstance(cache, dict):
        return getattr(estimator, method)(X)
    key = f"{method} of sk_mtl"
    if key not in cache:
        cache[key] = getattr(estimator, method)(X)
    return cache[key]

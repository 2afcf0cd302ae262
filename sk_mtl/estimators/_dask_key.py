"""The key by which Dask tells an estimator from others."""

from __future__ import annotations

import pickle
from typing import Any

import joblib


def tokenized(estimator) -> tuple[str, str]:
    """Return a key that changes with the parameters and with the fitted weights."""
    parameters, fitted = estimator.get_params(deep=False), None
    if hasattr(estimator, "net_"):
        weights = estimator.net_.module_.state_dict()
        fitted = estimator.n_iter_, {k: v.cpu().numpy() for k, v in weights.items()}
        # Callbacks do not change the answers of a fit, and may not be hashable.
        del parameters["callbacks"]
    return type(estimator).__qualname__, _hash((parameters, fitted))


def _hash(value: Any) -> str:
    """Return a key of a value, which may hold functions that have no name."""
    try:
        return joblib.hash(value)
    except (pickle.PicklingError, AttributeError, TypeError):
        # Only Dask asks for a key, and it reads lambdas and functions inside functions.
        from dask.base import tokenize

        return tokenize(value)

"""Encoded rows that train several estimators."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Integral
from typing import Any

from sklearn.utils import get_tags

from sk_mtl._equality import same_value
from sk_mtl.estimators._fit_parameters import FitParameters

# Parameters of the network and its training: rows, labels and what is held out do not
# depend on them.
_OF_THE_NETWORK = frozenset(
    {
        *("tower_hidden_sizes", "activation", "dropout", "batch_norm"),
        *("member_sharing", "task_weights", "balancing", "optimizer", "lr"),
        *("weight_decay", "lr_schedule", "warmup", "weight_averaging", "batch_size"),
        *("tol", "callbacks", "compile", "verbose", "embedding_dim"),
        *("embedding_dropout", "unknown_rate", "group_pooling", "numeric_embedding"),
        *("interaction", "wide", "wiring"),
    }
)


def share_rows(
    first: FitParameters, second: Any, *, usual_fit: Callable[..., Any]
) -> bool:
    """Return whether rows that one estimator encodes train both as their `fit` does.

    Every parameter that is not known to be of the network alone must be the same, and
    `random_state` a number, since it draws the rows that are held out. A `fit` of a
    user's own class may do more than encode and train.
    """
    if any(
        getattr(type(each), "fit", None) is not usual_fit for each in (first, second)
    ):
        return False
    if get_tags(first).estimator_type != get_tags(second).estimator_type:
        return False
    if not isinstance(first.random_state, Integral):
        return False
    own, other = (each.get_params(deep=False) for each in (first, second))
    of_the_wirings = {
        name for each in (first, second) for name in each._model()._settings()
    }
    decisive = (own.keys() | other.keys()) - _OF_THE_NETWORK - of_the_wirings
    return decisive <= own.keys() & other.keys() and all(
        same_value(own[name], other[name]) for name in decisive
    )

"""Shared and task-specific embeddings."""

from __future__ import annotations

from dataclasses import dataclass

import sk_mtl.nn as nn
from sk_mtl.estimators._classifier import MultiTaskClassifier
from sk_mtl.estimators._documentation import share_documentation
from sk_mtl.estimators._models._expert_parameters import SharedAndTaskExperts
from sk_mtl.estimators._regressor import MultiTaskRegressor


@share_documentation
@dataclass(kw_only=True, eq=False, repr=False)
class STEM(SharedAndTaskExperts):
    """Shared and task-specific embeddings (STEM): each task also has its own.

    Tasks can pull the embedding of a user or an item in opposite directions, and later
    gates cannot restore what is lost there. Here every task has its own embeddings and
    experts in addition to shared ones. Its gate mixes all of them, including the other
    tasks' experts, but passes no gradient to the latter:

    ``f_k = g_k(own) + g_k(shared) + g_k(stop_gradient(others))``.

    A task thus reads what other tasks have learnt, and trains only its own and the
    shared parts. Embeddings take `n_tasks` + 1 times the memory.

    Parameters
    ----------
    n_shared_experts : int, default=1
        Number of experts on the shared embeddings.

    n_task_experts : int, default=1
        Number of experts on each task's own embeddings.

    expert_hidden_sizes : int or tuple of int, default=(64,)
        Widths of the layers of each expert, at least one.

    References
    ----------
    Su, L. et al. (2024). STEM: Unleashing the Power of Embeddings for Multi-Task
    Recommendation. AAAI. https://doi.org/10.1609/aaai.v38i8.28749
    """

    wiring_class = nn.STEM
    _wiring_name = "stem"

    n_shared_experts: int = 1
    n_task_experts: int = 1
    expert_hidden_sizes: int | tuple[int, ...] = (64,)


@share_documentation
@dataclass(kw_only=True, eq=False, repr=False)
class STEMClassifier(STEM, MultiTaskClassifier):
    """Shared and task-specific embeddings (STEM) for classes of several tasks.

    See Also
    --------
    PLEClassifier : Shared and task experts on shared embeddings.

    Examples
    --------
    Two experts of each task, and a shared one.

    >>> from sk_mtl import STEMClassifier
    >>> from sk_mtl.datasets import load_adult
    >>> X, y = load_adult(return_X_y=True)
    >>> X, y = X[:500], y[:500]
    >>> model = STEMClassifier(n_task_experts=2, max_epochs=3).fit(X, y)
    >>> [proba.shape for proba in model.predict_proba(X)]
    [(500, 2), (500, 2)]
    """


@share_documentation
@dataclass(kw_only=True, eq=False, repr=False)
class STEMRegressor(STEM, MultiTaskRegressor):
    """Shared and task-specific embeddings (STEM) for several numbers.

    See Also
    --------
    STEMClassifier : The same for classes.

    Examples
    --------
    Two numbers of the same rows, predicted in their own units.

    >>> from sk_mtl import STEMRegressor
    >>> from sk_mtl.datasets import make_related_tasks
    >>> X, y = make_related_tasks(500, random_state=0)
    >>> model = STEMRegressor(n_task_experts=2, max_epochs=3).fit(X, y)
    >>> model.predict(X).shape
    (500, 2)
    """

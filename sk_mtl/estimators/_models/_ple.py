"""Progressive layered extraction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import sk_mtl.nn as nn
from sk_mtl.estimators._classifier import MultiTaskClassifier
from sk_mtl.estimators._constraints import COUNT
from sk_mtl.estimators._documentation import share_documentation
from sk_mtl.estimators._models._expert_parameters import (
    GatedExperts,
    SharedAndTaskExperts,
)
from sk_mtl.estimators._regressor import MultiTaskRegressor


@share_documentation
@dataclass(kw_only=True, eq=False, repr=False)
class PLE(SharedAndTaskExperts, GatedExperts):
    """Progressive layered extraction (PLE): shared experts and experts of each task.

    If tasks conflict, they pull shared experts in different directions, and one task
    gains what another loses (the seesaw). Here each level has shared experts and
    experts that only one task trains, and a task's gate mixes only its own and the
    shared ones:

    ``f_k = sum_e g_ke(x_k) * expert_e``  over own and shared e.

    A shared gate mixes all experts into the input of the next level's shared experts,
    so the levels separate common from task-specific features step by step.

    Parameters
    ----------
    n_levels : int, default=2
        Number of levels of experts. More separate the tasks more gradually and take
        proportionally more time; 1 is :class:`CGCClassifier`.

    References
    ----------
    Tang, H. et al. (2020). Progressive Layered Extraction (PLE): A Novel Multi-Task
    Learning (MTL) Model for Personalized Recommendations. RecSys.
    https://doi.org/10.1145/3383313.3412236
    """

    wiring_class = nn.PLE
    _wiring_name = "ple"
    _parameter_constraints: ClassVar[dict] = {"n_levels": COUNT}

    n_levels: int = 2


@share_documentation
@dataclass(kw_only=True, eq=False, repr=False)
class PLEClassifier(PLE, MultiTaskClassifier):
    """Progressive layered extraction (PLE) for classes of several tasks.

    See Also
    --------
    CGCClassifier : A single level.
    MMOEClassifier : All experts shared.

    Examples
    --------
    Two levels, and one expert of each kind.

    >>> from sk_mtl import PLEClassifier
    >>> from sk_mtl.datasets import load_adult
    >>> X, y = load_adult(return_X_y=True)
    >>> X, y = X[:500], y[:500]
    >>> model = PLEClassifier(n_task_experts=1, max_epochs=3, random_state=0).fit(X, y)
    >>> [proba.shape for proba in model.predict_proba(X)]
    [(500, 2), (500, 2)]
    """


@share_documentation
@dataclass(kw_only=True, eq=False, repr=False)
class PLERegressor(PLE, MultiTaskRegressor):
    """Progressive layered extraction (PLE) for several numbers.

    See Also
    --------
    PLEClassifier : The same for classes.

    Examples
    --------
    Two numbers of the same rows, predicted in their own units.

    >>> from sk_mtl import PLERegressor
    >>> from sk_mtl.datasets import make_related_tasks
    >>> X, y = make_related_tasks(500, random_state=0)
    >>> model = PLERegressor(n_task_experts=1, max_epochs=3, random_state=0).fit(X, y)
    >>> model.predict(X).shape
    (500, 2)
    """

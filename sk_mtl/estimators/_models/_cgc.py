"""Customised gate control."""

from __future__ import annotations

from dataclasses import dataclass

import sk_mtl.nn as nn
from sk_mtl.estimators._classifier import MultiTaskClassifier
from sk_mtl.estimators._documentation import share_documentation
from sk_mtl.estimators._models._expert_parameters import (
    GatedExperts,
    SharedAndTaskExperts,
)
from sk_mtl.estimators._regressor import MultiTaskRegressor


@share_documentation
@dataclass(kw_only=True, eq=False, repr=False)
class CGC(SharedAndTaskExperts, GatedExperts):
    """Customised gate control (CGC): shared experts and experts of each task.

    One level of :class:`PLEClassifier`. A task's gate mixes the shared experts and the
    task's own experts, which no other task trains:

    ``f_k = sum_e g_ke(x) * expert_e(x)``  over own and shared e.

    References
    ----------
    Tang, H. et al. (2020). Progressive Layered Extraction (PLE): A Novel Multi-Task
    Learning (MTL) Model for Personalized Recommendations. RecSys.
    https://doi.org/10.1145/3383313.3412236
    """

    wiring_class = nn.CGC
    _wiring_name = "cgc"


@share_documentation
@dataclass(kw_only=True, eq=False, repr=False)
class CGCClassifier(CGC, MultiTaskClassifier):
    """Customised gate control (CGC) for classes of several tasks.

    See Also
    --------
    PLEClassifier : Several levels of the same.

    Examples
    --------
    One shared expert, and two for each task.

    >>> from sk_mtl import CGCClassifier
    >>> from sk_mtl.datasets import load_adult
    >>> X, y = load_adult(return_X_y=True)
    >>> X, y = X[:500], y[:500]
    >>> model = CGCClassifier(n_shared_experts=1, max_epochs=3).fit(X, y)
    >>> [proba.shape for proba in model.predict_proba(X)]
    [(500, 2), (500, 2)]
    """


@share_documentation
@dataclass(kw_only=True, eq=False, repr=False)
class CGCRegressor(CGC, MultiTaskRegressor):
    """Customised gate control (CGC) for several numbers.

    See Also
    --------
    CGCClassifier : The same for classes.

    Examples
    --------
    Two numbers of the same rows, predicted in their own units.

    >>> from sk_mtl import CGCRegressor
    >>> from sk_mtl.datasets import make_related_tasks
    >>> X, y = make_related_tasks(500, random_state=0)
    >>> model = CGCRegressor(n_shared_experts=1, max_epochs=3, random_state=0).fit(X, y)
    >>> model.predict(X).shape
    (500, 2)
    """

"""The adaptive task-to-task fusion network."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral
from typing import ClassVar

import sk_mtl.nn as nn
from sk_mtl._sklearn_compat import Interval
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
class AdaTT(SharedAndTaskExperts, GatedExperts):
    """Adaptive task-to-task fusion (AdaTT): tasks read each other's experts.

    At every level each task has its own experts and a fusion unit. The unit adds two
    mixtures: the gate's mixture of the experts of *all* tasks, and a mixture of the
    task's own experts that is the same for all rows:

    ``f_k = sum_e g_ke(x_k) * expert_e + sum_own v_ke * expert_e``.

    The second part keeps what the task has learnt by itself; the first adds, row by
    row, what other tasks have learnt.

    Parameters
    ----------
    n_levels : int, default=2
        Number of levels of experts and fusion units. More levels fuse tasks more often
        and take proportionally more time.

    n_shared_experts : int, default=0
        Number of experts at each level that belong to no task. Tasks learn from each
        other even without them.

    expert_hidden_sizes : int or tuple of int, default=(48,)
        Widths of the layers of each expert, at least one.

    References
    ----------
    Li, D. et al. (2023). AdaTT: Adaptive Task-to-Task Fusion Network for Multitask
    Learning in Recommendations. KDD. https://doi.org/10.1145/3580305.3599769
    """

    wiring_class = nn.AdaTT
    _wiring_name = "adatt"
    _parameter_constraints: ClassVar[dict] = {
        "n_levels": COUNT,
        "n_shared_experts": [Interval(Integral, 0, None, closed="left")],
    }

    n_levels: int = 2
    n_shared_experts: int = 0
    expert_hidden_sizes: int | tuple[int, ...] = (48,)


@share_documentation
@dataclass(kw_only=True, eq=False, repr=False)
class AdaTTClassifier(AdaTT, MultiTaskClassifier):
    """Adaptive task-to-task fusion (AdaTT) for classes of several tasks.

    See Also
    --------
    PLEClassifier : Gates that read own and shared experts only.

    Examples
    --------
    A single level of fusion units.

    >>> from sk_mtl import AdaTTClassifier
    >>> from sk_mtl.datasets import load_adult
    >>> X, y = load_adult(return_X_y=True)
    >>> X, y = X[:500], y[:500]
    >>> model = AdaTTClassifier(n_levels=1, max_epochs=3, random_state=0).fit(X, y)
    >>> [proba.shape for proba in model.predict_proba(X)]
    [(500, 2), (500, 2)]
    """


@share_documentation
@dataclass(kw_only=True, eq=False, repr=False)
class AdaTTRegressor(AdaTT, MultiTaskRegressor):
    """Adaptive task-to-task fusion (AdaTT) for several numbers.

    See Also
    --------
    AdaTTClassifier : The same for classes.

    Examples
    --------
    Two numbers of the same rows, predicted in their own units.

    >>> from sk_mtl import AdaTTRegressor
    >>> from sk_mtl.datasets import make_related_tasks
    >>> X, y = make_related_tasks(500, random_state=0)
    >>> model = AdaTTRegressor(n_levels=1, max_epochs=3, random_state=0).fit(X, y)
    >>> model.predict(X).shape
    (500, 2)
    """

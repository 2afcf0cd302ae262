"""The hierarchy of multi-gate experts."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

import sk_mtl.nn as nn
from sk_mtl._relations import task_positions
from sk_mtl._task_groups import group_of_each_task
from sk_mtl.estimators._classifier import MultiTaskClassifier
from sk_mtl.estimators._constraints import COUNT
from sk_mtl.estimators._documentation import share_documentation
from sk_mtl.estimators._models._expert_parameters import SharedAndTaskExperts
from sk_mtl.estimators._regressor import MultiTaskRegressor


@share_documentation
@dataclass(kw_only=True, eq=False, repr=False)
class HoME(SharedAndTaskExperts):
    """Hierarchy of multi-gate experts (HoME), for tasks that come in groups.

    Tasks within a group, such as watching or interacting, have more in common than
    tasks of different groups. A first level has experts shared by all and experts of
    each group. Its results are read by a second level, with experts shared by all, of
    each group, and of each task:

    ``f_k = sum_e g_ke * expert_e + sum_own h_ke * expert_e``.

    Experts are normalised, given enough rows, and end in a smooth activation, so that
    no expert becomes inactive or dominates the others. Feature gates let each expert
    select its inputs, and the second sum (self gates) guarantees a path to the task's
    own experts. Beyond the paper, feature gates have offsets, gates may have hidden
    layers, and the shared experts of the second level are normalised over the rows of
    all groups.

    Parameters
    ----------
    groups : list of lists, dict or None, default=None
        The tasks of each group by their names; every task belongs to exactly one group.
        A dict also names the groups. None makes one group of all tasks.

    n_group_experts : int, default=1
        Number of experts of each group at each level.

    n_task_experts : int, default=1
        Number of experts of each task at the second level.

    n_feature_gates : int, default=2
        Number of low-rank gates that each feature gate mixes.

    feature_gate_rank : int, default=3
        Rank of these gates. Larger lets the choice of inputs depend on more of the row.

    References
    ----------
    Wang, X. et al. (2024). HoME: Hierarchy of Multi-Gate Experts for Multi-Task
    Learning at Kuaishou. https://arxiv.org/abs/2408.05430
    """

    wiring_class = nn.HoME
    _wiring_name = "home"
    batch_norm_above = 20_000
    _parameter_constraints: ClassVar[dict] = {
        "groups": ["array-like", dict, None],
        "n_group_experts": COUNT,
        "n_feature_gates": COUNT,
        "feature_gate_rank": COUNT,
    }

    groups: Sequence[Sequence] | Mapping[Hashable, Sequence] | None = None
    n_group_experts: int = 1
    n_task_experts: int = 1
    n_feature_gates: int = 2
    feature_gate_rank: int = 3

    def make_wiring(self, in_width, task_names, **layers):
        """Return the torch module, with the positions of each group's tasks."""
        groups = self.groups
        if groups is not None:
            groups = groups.values() if isinstance(groups, Mapping) else groups
            groups = _positions(list(groups), task_names)
        return super().make_wiring(in_width, task_names, groups=groups, **layers)


@share_documentation
@dataclass(kw_only=True, eq=False, repr=False)
class HoMEClassifier(HoME, MultiTaskClassifier):
    """Hierarchy of multi-gate experts (HoME) for classes of several tasks.

    Parameters
    ----------
    activation : {"relu", "gelu", "silu", "tanh", "leaky_relu", "elu"}, default="silu"
        Between layers; "silu", also called Swish, is the paper's.

    batch_norm : bool or "auto", default="auto"
        Whether hidden layers are normalised over the batch, as in the paper. ``"auto"``
        does so with more than 20,000 training rows. With fewer it loses accuracy: the
        mean of a small batch is a matter of chance, and rows of no weight are in it.

    See Also
    --------
    PLEClassifier : Shared and task experts without groups.

    Examples
    --------
    Two tasks in groups of their own.

    >>> from sk_mtl import HoMEClassifier
    >>> from sk_mtl.datasets import load_adult
    >>> X, y = load_adult(return_X_y=True)
    >>> X, y = X[:500], y[:500]
    >>> model = HoMEClassifier(groups=[["income"], ["married"]])
    >>> model = model.set_params(max_epochs=3).fit(X, y)
    >>> [proba.shape for proba in model.predict_proba(X)]
    [(500, 2), (500, 2)]
    """

    activation: str = "silu"


@share_documentation
@dataclass(kw_only=True, eq=False, repr=False)
class HoMERegressor(HoME, MultiTaskRegressor):
    """Hierarchy of multi-gate experts (HoME) for several numbers.

    Parameters
    ----------
    activation : {"relu", "gelu", "silu", "tanh", "leaky_relu", "elu"}, default="silu"
        Between layers; "silu", also called Swish, is the paper's.

    batch_norm : bool or "auto", default="auto"
        Whether hidden layers are normalised over the batch, as in the paper. ``"auto"``
        does so with more than 20,000 training rows. With fewer it loses accuracy: the
        mean of a small batch is a matter of chance, and rows of no weight are in it.

    See Also
    --------
    HoMEClassifier : The same for classes.

    Examples
    --------
    Two numbers of the same rows, predicted in their own units.

    >>> from sk_mtl import HoMERegressor
    >>> from sk_mtl.datasets import make_related_tasks
    >>> X, y = make_related_tasks(500, random_state=0)
    >>> model = HoMERegressor(n_group_experts=2, max_epochs=3).fit(X, y)
    >>> model.predict(X).shape
    (500, 2)
    """

    activation: str = "silu"


def _positions(groups: list[Sequence[str]], task_names: list[str]) -> list[list[int]]:
    """Return the positions of each group's tasks; every task is in exactly one."""
    odd = [each for each in groups if isinstance(each, str) or not np.iterable(each)]
    if odd or not all(map(len, groups)):
        raise ValueError(
            f"groups must hold lists of names, none of them empty; found {groups}. "
            "Give for instance [['click', 'like'], ['watch_time']]."
        )
    positions = [task_positions("groups", each, task_names) for each in groups]
    named = [[task_names[k] for k in group] for group in positions]
    group_of_each_task(named, task_names)
    return positions

"""The parameters of models with shared experts and experts of each task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sk_mtl.estimators._choices._wiring_choice import WiringChoice
from sk_mtl.estimators._constraints import COUNT, LAYER_SIZES


@dataclass(kw_only=True, eq=False, repr=False)
class SharedAndTaskExperts(WiringChoice):
    """Base of models in which a task has experts of its own beside shared ones.

    Parameters
    ----------
    n_shared_experts : int, default=2
        Experts (of each level) that all tasks share. More of them share more.

    n_task_experts : int, default=2
        Experts (of each level) of each task alone. More of them part the tasks.

    expert_hidden_sizes : int or tuple of int, default=(32,)
        Widths of the layers of each expert, at least one.

    gate_hidden_sizes : int or tuple of int, default=()
        Widths of hidden layers of the gates; ``()`` is a linear gate.
    """

    _parameter_constraints: ClassVar[dict] = {
        "n_shared_experts": COUNT,
        "n_task_experts": COUNT,
        "expert_hidden_sizes": LAYER_SIZES,
        "gate_hidden_sizes": LAYER_SIZES,
    }

    n_shared_experts: int = 2
    n_task_experts: int = 2
    expert_hidden_sizes: int | tuple[int, ...] = (32,)
    gate_hidden_sizes: int | tuple[int, ...] = ()

"""The parameters of models with shared experts and experts of each task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sk_mtl.estimators._choices._gates import Gate, resolve_gate
from sk_mtl.estimators._choices._wiring_choice import WiringChoice
from sk_mtl.estimators._constraints import COUNT, LAYER_SIZES


@dataclass(kw_only=True, eq=False, repr=False)
class GatedExperts(WiringChoice):
    """Base of models whose gates may select experts.

    Parameters
    ----------
    gate : {"softmax", "top_k", "dselect_k"} or Gate, default="softmax"
        Rule by which a gate turns the experts' scores into weights. ``"softmax"`` mixes
        all experts, ``"top_k"`` the experts with the largest scores of the row, and
        ``"dselect_k"`` learns which experts to select. An object has settings:
        ``TopK(3)`` or ``DSelectK(2, penalty=0.1)``, or is of your own class (`Gate`).
        All experts are computed with every rule: selecting fewer separates tasks, and
        does not save time.
    """

    # Errors with a remedy are raised where the gates are made.
    _parameter_constraints: ClassVar[dict] = {"gate": "no_validation"}

    gate: str | Gate = "softmax"

    def make_wiring(self, in_width, task_names, **layers):
        """Return the torch module, with the heads that `gate` makes."""
        gate = resolve_gate(self.gate).make_gate
        return super().make_wiring(in_width, task_names, gate=gate, **layers)


@dataclass(kw_only=True, eq=False, repr=False)
class SharedAndTaskExperts(WiringChoice):
    """Base of models with shared experts and experts of each task.

    Parameters
    ----------
    n_shared_experts : int, default=2
        Number of experts (of each level) that all tasks share. More increase sharing.

    n_task_experts : int, default=2
        Number of experts (of each level) of each task alone. More separate the tasks.

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

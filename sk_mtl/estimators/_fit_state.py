"""The state of a complete fit, from which answers and later fits are made."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from numpy.random import RandomState
from torch import Tensor

from sk_mtl._equality import same_value
from sk_mtl.estimators._automatic._resolution import Resolution
from sk_mtl.estimators._features._row_encoder import RowEncoder
from sk_mtl.estimators._fit_parameters import FitParameters
from sk_mtl.estimators._rows._held_out import HeldOutRows
from sk_mtl.estimators._rows._member_folds import MemberFolds
from sk_mtl.estimators._targets._targets import Targets
from sk_mtl.estimators._training._net import _MultiTaskNet
from sk_mtl.losses import Structure

# The parameters that determine how the losses of tasks are combined.
BALANCE = ("task_weights", "balancing")


@dataclass(frozen=True, eq=False)
class FitState:
    """The complete, immutable result of a fit.

    Attributes
    ----------
    parameters : FitParameters
        An unfitted estimator with the parameters of the fit, except callbacks, and the
        columns of X.

    targets : Targets
        The tasks, their classes and units.

    structure : Structure
        The meaning of the logits.

    encoder : RowEncoder
        Turns checked rows into the network's inputs.

    net : _MultiTaskNet
        The trained network with its optimiser and history.

    generator : RandomState
        The source of seeds for fits that continue.

    seen : tuple of int and Tensor of shape (n_tasks,)
        The number of rows from which the loss's constants are computed, and the mean
        weights.

    held_out : HeldOutRows or None
        The validation rows, which later fits must not train on.

    resolution : Resolution
        The parameters with values in place of "auto".

    member_folds : MemberFolds or None
        The rows that each member must not train on.
    """

    parameters: FitParameters
    targets: Targets
    structure: Structure
    encoder: RowEncoder
    net: _MultiTaskNet
    generator: RandomState
    seen: tuple[int, Tensor]
    held_out: HeldOutRows | None
    resolution: Resolution
    member_folds: MemberFolds | None = None

    def so_far(self) -> FitState:
        """Return the state as if the training of the network ended now."""
        return replace(self, net=self.net.snapshot())

    def on_device(self, device: Any, parameters: FitParameters) -> FitState:
        """Return the state with its network on a device, and with other parameters."""
        return replace(self, net=self.net.on_device(device), parameters=parameters)

    def same_balance(self, other: FitState) -> bool:
        """Return whether the losses of tasks are combined in the same way."""
        return all(
            same_value(getattr(self.parameters, name), getattr(other.parameters, name))
            for name in BALANCE
        )

    def check_same_network(self, parameters: FitParameters) -> None:
        """Raise if a fit that continues has parameters of a different network."""
        before = self.parameters.get_params(deep=False)
        now = parameters.get_params(deep=False)
        changed = [
            name
            for name, value in before.items()
            if name not in parameters._changeable and not same_value(value, now[name])
        ]
        if changed:
            found = ", ".join(f"{name}={now[name]!r}" for name in changed)
            wanted = ", ".join(f"{name}={before[name]!r}" for name in changed)
            raise ValueError(
                "A fit that continues (warm_start, partial_fit) must keep the network "
                f"of the first one, with {wanted}; found {found}. Set the parameters "
                "back, or fit a clone."
            )

"""Learning rates and weight decays of the members of an ensemble."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn


class MemberRates:
    r"""Hook that takes each step with every member's own rate and decay.

    Members are stacked, so an optimiser sees one parameter for all of them, with one
    learning rate. Its step is rescaled: with the weights w before it and w' after it,
    member k moves by

    .. math:: \frac{\eta_k}{\eta} (w'_k - w_k),

    where :math:`\eta` is the optimiser's rate at the start of a fit. Optimisers change
    each weight by its own gradients, so that is the step with the rate
    :math:`\eta_k`, and schedules multiply all rates. The optimiser's own decay is
    replaced: AdamW's shrinks the weights before the step by :math:`\eta_k d_k` times
    the share of the schedule, the decay of others adds :math:`d_k w` to the gradient.

    Parameters
    ----------
    optimizer : Optimizer

    parameters : sequence of Parameter
        The stacked parameters, each (n_members, ...).

    lr : ndarray of shape (n_members,) or None
        None leaves the optimiser's rate.

    weight_decay : ndarray of shape (n_members,) or None
        None leaves the optimiser's decay, which a member's own rate multiplies, too.

    Examples
    --------
    >>> import numpy as np, torch
    >>> from sk_mtl.estimators._training._member_rates import MemberRates
    >>> weight = torch.nn.Parameter(torch.zeros(2, 1))
    >>> optimizer = torch.optim.SGD([weight], lr=0.1)
    >>> rates = MemberRates(optimizer, [weight], np.array([0.2, 0.4]), None)
    >>> weight.grad = -torch.ones(2, 1)
    >>> rates.begin_step()
    >>> optimizer.step()
    >>> [round(x, 3) for x in weight.flatten().tolist()]
    [0.2, 0.4]
    """

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        parameters: list[nn.Parameter],
        lr: np.ndarray | None,
        weight_decay: np.ndarray | None,
    ) -> None:
        self._optimizer, self._parameters = optimizer, list(parameters)
        base = optimizer.param_groups[0]["lr"]
        n_members = len(self._parameters[0])
        factor = np.ones(n_members) if lr is None else lr / base
        self._factors = [_beside(factor, p) for p in self._parameters]
        self._decays = None
        self._group_decays = [g.get("weight_decay") for g in optimizer.param_groups]
        if weight_decay is not None:
            self._decays = [_beside(weight_decay, p) for p in self._parameters]
            for group in optimizer.param_groups:
                group["weight_decay"] = 0.0
        self._is_decoupled = isinstance(optimizer, torch.optim.AdamW)
        self._before: list[tuple[int, Tensor]] = []
        self._hook = optimizer.register_step_post_hook(self._end_step)

    def remove(self) -> None:
        """Remove the hook, and restore the optimiser's own decay."""
        self._hook.remove()
        if self._decays is not None:
            for group, decay in zip(self._optimizer.param_groups, self._group_decays):
                group["weight_decay"] = decay

    @torch.no_grad()
    def begin_step(self) -> None:
        """Apply the decays, and record the weights, between gradients and step.

        A step may compute the gradients itself, so no hook of torch comes between.
        """
        lr = self._optimizer.param_groups[0]["lr"]
        self._before = []
        for number, parameter in enumerate(self._parameters):
            if parameter.grad is None:
                continue
            if self._decays is not None:
                self._decay(number, parameter, lr)
            self._before.append((number, parameter.detach().clone()))

    def _decay(self, number: int, parameter: nn.Parameter, lr: float) -> None:
        decay = self._decays[number]
        if self._is_decoupled:
            parameter.mul_(1 - lr * self._factors[number] * decay)
        else:
            parameter.grad.addcmul_(parameter, decay)

    @torch.no_grad()
    def _end_step(self, *_) -> None:
        for number, before in self._before:
            parameter = self._parameters[number]
            torch.lerp(before, parameter, self._factors[number], out=parameter.data)
        self._before = []


def _beside(values: np.ndarray, parameter: nn.Parameter) -> Tensor:
    """Return a value for each member, in a shape that multiplies its weights."""
    shape = (len(values), *[1] * (parameter.dim() - 1))
    return torch.from_numpy(values).to(parameter).view(shape)

"""A function of the losses that changes in training."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from sk_mtl.losses._balancing._balancer import Balancer, add

# Of the optimiser of weights that are learnt, as FAMO's authors have it.
_LEARNING_RATE = 0.025


class ScalarizedBalancer(Balancer):
    """Minimises a scalarizer's value of the tasks' losses.

    Weights that the scalarizer learns have a small optimiser of their own: their scale
    has nothing to do with the network's. Of the members of an ensemble it is given the
    mean losses, so that all count the tasks alike; times the number of members, so that
    each is trained as it would be alone. A task without any label in a batch is given
    the loss that it had before.

    Parameters
    ----------
    scalarizer : Module
        Takes losses (n_tasks,) to a scalar; one of `torchjd.scalarization` or the like.
        Its methods ``update`` (with the losses after a step) and ``step`` (after an
        epoch) are called where it has them.
    """

    def __init__(self, scalarizer: Callable[[Tensor], Tensor]) -> None:
        self.scalarizer: Any = scalarizer
        self.sees_new_losses = hasattr(scalarizer, "update")
        self._optimizer: torch.optim.Optimizer | None = None
        self._known: Tensor | None = None

    def backward(
        self, losses: Tensor, others: Tensor | None, parameters: Sequence[Tensor]
    ) -> Tensor:
        """Differentiate the scalarizer's value."""
        if self.task_weights is None:
            self._begin(losses)
        n_members, mean = 1, losses
        if losses.dim() > 1:
            n_members, mean = len(losses), losses.mean(0)
        if self._optimizer is not None:
            self._optimizer.zero_grad()
        known = self._filled(mean)
        self._known = known.detach()
        joined = self.scalarizer(known)
        (self.task_weights,) = torch.autograd.grad(joined, known, retain_graph=True)
        total = add(joined * n_members, others)
        total.backward()
        return total

    def _begin(self, losses: Tensor) -> None:
        """Move what is learnt to where the losses are, and make its optimiser."""
        self.scalarizer.to(losses)
        learnt = [] if self.sees_new_losses else list(self.scalarizer.parameters())
        if learnt:
            self._optimizer = torch.optim.Adam(learnt, _LEARNING_RATE)

    def _filled(self, losses: Tensor) -> Tensor:
        """Return the losses; tasks without a label in the batch keep the one before.

        Their loss is exactly zero, of which methods would take the logarithm, or make
        a task that is learnt perfectly.
        """
        known = torch.ones_like(losses) if self._known is None else self._known
        return torch.where(losses.detach() == 0, known, losses)

    def end_step(self, new_losses: Callable[[], Tensor] | None = None) -> None:
        """Let the scalarizer learn from the step."""
        if self._optimizer is not None:
            self._optimizer.step()
        if self.sees_new_losses:
            losses = new_losses()
            losses = losses if losses.dim() == 1 else losses.mean(0)
            self.scalarizer.update(self._filled(losses))

    def end_epoch(self) -> None:
        """Let the scalarizer learn from the epoch."""
        if hasattr(self.scalarizer, "step"):
            self.scalarizer.step()

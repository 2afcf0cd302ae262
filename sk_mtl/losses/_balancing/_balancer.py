"""From the tasks' losses to gradients: the base class, and fixed weights."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

from torch import Tensor


class Balancer(ABC):
    """losses (n_tasks,) of a batch -> gradients of the parameters.

    It joins the tasks' losses: by a weighted sum, or by a method that reads their
    course or their gradients. It belongs to one training and keeps its state.

    Attributes
    ----------
    task_weights : Tensor of shape (n_tasks,) or None
        Weight of each task in the last step, where the method has one.

    changes : bool
        Whether the weights change in training.

    sees_new_losses : bool
        Whether `end_step` is to be given the losses of the same batch after the step.
    """

    sees_new_losses = False
    changes = True
    task_weights: Tensor | None = None

    @abstractmethod
    def backward(
        self, losses: Tensor, others: Tensor | None, parameters: Sequence[Tensor]
    ) -> Tensor:
        """Add to the parameters' gradients, and return the minimised value.

        Parameters
        ----------
        losses : Tensor of shape (n_tasks,) or (n_members, n_tasks)
        others : Tensor or None
            A scalar that is minimised as it is: penalties and auxiliary losses.
        parameters : sequence of Tensor
            All that is trained.
        """

    def end_step(  # noqa: B027 - most have nothing to learn
        self, new_losses: Callable[[], Tensor] | None = None
    ) -> None:
        """Take note that the optimiser has made its step."""

    def end_epoch(self) -> None:  # noqa: B027 - as above
        """Take note that an epoch is over."""


class FixedBalancer(Balancer):
    r"""Minimises :math:`\sum_k \lambda_k L_k`, the sum over members included.

    Parameters
    ----------
    task_weights : Tensor of shape (n_tasks,)
        :math:`\lambda`.
    """

    changes = False

    def __init__(self, task_weights: Tensor) -> None:
        self.task_weights = task_weights.detach().clone()

    def backward(
        self, losses: Tensor, others: Tensor | None, parameters: Sequence[Tensor]
    ) -> Tensor:
        """Differentiate the weighted sum."""
        self.task_weights = self.task_weights.to(losses)
        total = add((losses * self.task_weights).sum(), others)
        total.backward()
        return total


def add(total: Tensor, others: Tensor | None) -> Tensor:
    """Return the sum, or the first where there is no second."""
    return total if others is None else total + others

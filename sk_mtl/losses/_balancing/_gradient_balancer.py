"""Gradients of tasks joined into one direction."""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor

from sk_mtl.losses._balancing._balancer import Balancer
from sk_mtl.losses._balancing._task_gradients import SharedRows, TaskGradients


class GradientBalancer(Balancer):
    """Base of the methods that join the tasks' gradients.

    Every step differentiates each loss by itself, which takes nearly as many backward
    passes as there are tasks.

    Parameters
    ----------
    task_weights : Tensor of shape (n_tasks,)
        Weights of the tasks at first.
    """

    def __init__(self, task_weights: Tensor) -> None:
        self.task_weights = task_weights.detach().clone()
        self._shared = SharedRows()

    @abstractmethod
    def combine(self, found: TaskGradients, losses: Tensor) -> list[Tensor]:
        """Return one gradient for each parameter."""

    def backward(
        self, losses: Tensor, others: Tensor | None, parameters: Sequence[Tensor]
    ) -> Tensor:
        """Differentiate each loss, and join the gradients."""
        self.task_weights = self.task_weights.to(losses)
        # Before the tasks' own: the last of those frees the graph.
        if others is not None and others.requires_grad:
            others.backward(retain_graph=True)
        found = self._shared.differentiate(losses, parameters)
        combined = self.combine(found, losses.detach())
        for parameter, grad in zip(parameters, combined, strict=True):
            grad = grad.view_as(parameter)
            parameter.grad = grad if parameter.grad is None else parameter.grad + grad
        return (losses.detach() * self.task_weights).sum()


class AggregatedBalancer(GradientBalancer):
    """Joins the tasks' gradients on what they share; the rest get their own.

    Parameters
    ----------
    aggregator : callable
        Takes a Jacobian (n_tasks, n_shared), a row per task, to a vector (n_shared,);
        one of `torchjd.aggregation` or the like.

    task_weights : Tensor of shape (n_tasks,)
        Factors of the tasks' gradients beforehand.
    """

    changes = False

    def __init__(
        self, aggregator: Callable[[Tensor], Tensor], task_weights: Tensor
    ) -> None:
        super().__init__(task_weights)
        self.aggregator = aggregator

    def combine(self, found: TaskGradients, losses: Tensor) -> list[Tensor]:
        """Return the aggregate where tasks share, and the sum elsewhere.

        Raises
        ------
        ValueError
            Where the aggregator returns anything but a number for each column.
        FloatingPointError
            Where the aggregator fails on gradients whose products are not finite.
        """
        weights = self.task_weights
        found.grads = [
            grad * weights.view(-1, *[1] * (grad.dim() - 1)) for grad in found.grads
        ]
        jacobian = found.jacobian()
        if not jacobian.shape[1]:
            return found.sum()
        direction = self._aggregate(jacobian)
        _check_direction(direction, jacobian)
        return found.sum_with_shared(direction)

    def _aggregate(self, jacobian: Tensor) -> Tensor:
        try:
            return self.aggregator(jacobian)
        except Exception as error:
            # Solvers raise many kinds of errors for infinity or NaN, and most of them
            # read the products of the gradients.
            if bool((jacobian @ jacobian.T).isfinite().all()):
                raise
            raise FloatingPointError("a gradient is NaN or too large") from error


def _check_direction(direction: Any, jacobian: Tensor) -> None:
    """Raise for a direction that is not one of the columns of the Jacobian."""
    found = getattr(direction, "shape", None)
    if found != jacobian.shape[1:]:
        raise ValueError(
            "balancing must take a Jacobian (n_tasks, n_shared), "
            f"{tuple(jacobian.shape)}, to a tensor (n_shared,); found "
            f"{type(direction).__name__ if found is None else tuple(found)}. Return "
            "one number for each column, such as jacobian.mean(0)."
        )

"""The gradient of each task's loss, split into shared and own parameters."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass
class TaskGradients:
    """Gradients of several losses.

    Attributes
    ----------
    grads : list of Tensor, one per parameter
        (n_tasks, ...) each, zero where a loss does not reach.

    shared : list of Tensor, one per parameter
        Which rows, along the parameter's first axis, two or more losses reach.
    """

    grads: list[Tensor]
    shared: list[Tensor]

    def jacobian(self) -> Tensor:
        """Return the gradients of the shared rows, (n_tasks, n_shared)."""
        return torch.cat(
            [
                grad[:, mask].flatten(1)
                for grad, mask in zip(self.grads, self.shared, strict=True)
            ],
            1,
        )

    def sum(self, weights: Tensor | None = None) -> list[Tensor]:
        """Return the sum over the tasks, weighted or not, for each parameter."""
        if weights is None:
            return [grad.sum(0) for grad in self.grads]
        return [torch.tensordot(weights.to(g), g, 1) for g in self.grads]

    def sum_with_shared(self, joined: Tensor) -> list[Tensor]:
        """Return the sum over the tasks, but a given vector in the shared rows."""
        combined, start = self.sum(), 0
        for grad, mask in zip(combined, self.shared, strict=True):
            rows = grad[mask]
            grad[mask] = joined[start : start + rows.numel()].view_as(rows)
            start += rows.numel()
        return combined


def check_task_gradients(module: nn.Module, what: str, *, compiled: bool) -> None:
    """Raise where gradients cannot be taken task by task.

    Parameters
    ----------
    module : Module
        A `MultiTaskNetwork`, or an ensemble of these.
    what : str
        The caller that needs the gradients, for the error.
    compiled : bool
        Whether the network is compiled.
    """
    n_members = getattr(module, "n_members", 1)
    hindrances = {
        "compile=True (a graph with one backward pass)": compiled,
        "sparse gradients": module.sparse_parameter_names(),
        f"n_members={n_members}": n_members > 1,
    }
    found = [reason for reason, hinders in hindrances.items() if hinders]
    if found:
        raise ValueError(
            f"{what} needs each task's gradient of dense tables in one network; found "
            f"{' and '.join(found)}. Set compile=False, sparse_embedding=False and "
            "n_members=1."
        )


class SharedRows:
    """Rows of parameters that two or more tasks' losses reach.

    Rows are those along a parameter's first axis. Many small layers lie in one tensor
    (a tower per task, a gate per task), so a whole tensor would be too coarse. A row
    counts as shared from the first batch on in which two losses reach it.
    """

    def __init__(self) -> None:
        self._shared: list[Tensor] | None = None

    def differentiate(
        self,
        losses: Tensor,
        parameters: Sequence[Tensor],
        *,
        retain_graph: bool = False,
    ) -> TaskGradients:
        """Return the gradient of each loss of (n_tasks,)."""
        by_task = []
        for k, loss in enumerate(losses):
            # The graph is freed with the last one.
            keep = retain_graph or k < len(losses) - 1
            found = torch.autograd.grad(
                loss, parameters, retain_graph=keep, materialize_grads=True
            )
            by_task.append(found)
        # A number alone is a row alone.
        grads = [
            torch.stack([torch.atleast_1d(grad) for grad in of_tasks])
            for of_tasks in zip(*by_task, strict=True)
        ]
        reached = [_rows_reached(grad) > 1 for grad in grads]
        if self._shared is not None:
            reached = [a | b for a, b in zip(self._shared, reached, strict=True)]
        self._shared = reached
        return TaskGradients(grads, reached)


def _rows_reached(grad: Tensor) -> Tensor:
    """(n_tasks, n_rows, ...) -> how many tasks reach each row, (n_rows,)."""
    return (grad != 0).reshape(*grad.shape[:2], -1).any(2).sum(0)

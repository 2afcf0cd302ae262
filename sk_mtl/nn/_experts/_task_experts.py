"""Experts and gates of tasks that each have their own row."""

from collections.abc import Sequence
from typing import Unpack

import torch
from torch import Tensor, nn

from sk_mtl.nn._layers import (
    BatchedBatchNorm,
    BatchedLinear,
    BatchedMLP,
    LayerOptions,
    after_linear,
)


class TaskExperts(nn.Module):
    """(n_tasks, n, in_width) -> (n, n_tasks, n_experts, hidden_sizes[-1]).

    `Experts` of several tasks, all of the same sizes: a task's experts read the task's
    row. The first layers of a task's experts are one product whose result is split, and
    the products of all tasks are one batched product, so no row is copied for each
    expert. Deeper layers are batched over all experts of all tasks.

    Parameters
    ----------
    n_tasks, in_width, n_experts : int
        Experts are counted per task.
    hidden_sizes : sequence of int
        The layers of every expert, at least one.
    **layers
        `LayerOptions`.

    Attributes
    ----------
    out_width : int
        The last of ``hidden_sizes``.
    """

    def __init__(
        self,
        n_tasks: int,
        in_width: int,
        n_experts: int,
        hidden_sizes: Sequence[int],
        **layers: Unpack[LayerOptions],
    ) -> None:
        super().__init__()
        self.n_tasks, self.n_experts = n_tasks, n_experts
        width, *deeper = hidden_sizes
        norm = None
        if layers.get("batch_norm"):
            norm = BatchedBatchNorm(n_tasks, n_experts * width)
        self.first = BatchedLinear(n_tasks, in_width, n_experts * width)
        self.after = after_linear(
            layers.get("activation", "relu"), layers.get("dropout", 0.0), norm
        )
        self.deeper = BatchedMLP(n_tasks * n_experts, width, deeper, **layers)
        self.out_width = self.deeper.out_features

    def forward(self, x: Tensor) -> Tensor:
        """Return the results of each task's experts for the task's rows."""
        rows = self.after(self.first(x)).unflatten(2, (self.n_experts, -1))
        if len(self.deeper.layers):
            rows = self.deeper(rows.transpose(1, 2).flatten(0, 1))
            rows = rows.unflatten(0, (self.n_tasks, -1)).transpose(1, 2)
        return rows.transpose(0, 1)


class TaskGates(nn.Module):
    """(n_tasks, n, in_width) -> (n, n_tasks, n_experts), weights that sum to 1.

    `Gates`, one for each task, that read the task's row.

    Parameters
    ----------
    n_tasks, in_width, n_experts : int
    hidden_sizes : sequence of int, default=()
        Hidden layers of every gate before the softmax. With none the gate is linear.
    activation : str, default="relu"
        One of `ACTIVATIONS`, after hidden layers.
    """

    def __init__(
        self,
        n_tasks: int,
        in_width: int,
        n_experts: int,
        hidden_sizes: Sequence[int] = (),
        activation: str = "relu",
    ) -> None:
        super().__init__()
        self.hidden = BatchedMLP(n_tasks, in_width, hidden_sizes, activation=activation)
        self.scores = BatchedLinear(n_tasks, self.hidden.out_features, n_experts)

    def forward(self, x: Tensor) -> Tensor:
        """Return each gate's weights."""
        return torch.softmax(self.scores(self.hidden(x)), 2).transpose(0, 1)

"""Experts and gates that read the rows of their own group."""

from collections.abc import Sequence
from typing import Unpack

import torch
from torch import Tensor, nn

from sk_mtl.nn._experts._experts import at_least_one_layer
from sk_mtl.nn._experts._gate_head import (
    GateFactory,
    make_gate_head,
    mean_over_rows,
)
from sk_mtl.nn._experts._sparse_gates import resolve_gate
from sk_mtl.nn._layers import (
    BatchedLinear,
    BatchedMLP,
    LayerOptions,
    multiply_groups,
)


class GroupedExperts(nn.Module):
    """(n, n_groups, in_width) -> (n, n_groups, n_experts, out_width).

    As `Experts`, but every group has its own rows, which only its experts read.
    The first layers of a group's experts are one product, batched over the groups;
    deeper layers are batched over all experts.

    Parameters
    ----------
    in_width, n_groups : int
    n_experts : int
        The number of experts in each group.
    hidden_sizes : sequence of int
        The layers of every expert, at least one.
    **layers
        `LayerOptions` of the experts.

    Attributes
    ----------
    out_width : int
        The last of ``hidden_sizes``.

    Examples
    --------
    Two groups of three experts.

    >>> import torch
    >>> from sk_mtl.nn import GroupedExperts
    >>> GroupedExperts(5, 2, 3, (8, 4))(torch.ones(7, 2, 5)).shape
    torch.Size([7, 2, 3, 4])
    """

    def __init__(
        self,
        in_width: int,
        n_groups: int,
        n_experts: int,
        hidden_sizes: Sequence[int],
        **layers: Unpack[LayerOptions],
    ) -> None:
        super().__init__()
        self.n_groups, self.n_experts = n_groups, n_experts
        width, *deeper = at_least_one_layer(hidden_sizes, "expert_hidden_sizes")
        first = BatchedMLP(n_groups, in_width, [n_experts * width], **layers)
        self.first, self.after_first = first.layers
        self.deeper = BatchedMLP(n_groups * n_experts, width, deeper, **layers)
        self.out_width = self.deeper.out_features

    def forward(self, x: Tensor) -> Tensor:
        """Return each expert's results for the rows of its group."""
        return self.finish(self.first(x.transpose(0, 1)))

    def finish(self, first: Tensor) -> Tensor:
        """Return the experts' results, given the first layers' product."""
        rows = self.after_first(first).unflatten(2, (self.n_experts, -1))
        if not len(self.deeper.layers):
            return rows.transpose(0, 1)
        rows = self.deeper(rows.transpose(1, 2).flatten(0, 1))
        return rows.unflatten(0, (self.n_groups, -1)).permute(2, 0, 1, 3)


class GroupedGates(nn.Module):
    """(n, n_groups, in_width) -> (n, n_groups, n_experts), weights that sum to 1.

    One gate for each group, which reads the group's rows.

    Parameters
    ----------
    in_width, n_groups, n_experts : int
    hidden_sizes : sequence of int, default=()
        Hidden layers of every gate before the softmax. With none the gate is linear.
    activation : str, default="relu"
        One of `ACTIVATIONS`, after hidden layers.
    gate : {"softmax", "top_k", "dselect_k"} or callable, default="softmax"
        The head that turns a gate's scores into weights, as in `Gates`.

    Examples
    --------
    Two gates over three experts.

    >>> import torch
    >>> from sk_mtl.nn import GroupedGates
    >>> weights = GroupedGates(5, 2, 3)(torch.ones(7, 2, 5))
    >>> weights.shape, bool((weights.sum(2) - 1).abs().max() < 1e-6)
    (torch.Size([7, 2, 3]), True)
    """

    def __init__(
        self,
        in_width: int,
        n_groups: int,
        n_experts: int,
        *,
        hidden_sizes: Sequence[int] = (),
        activation: str = "relu",
        gate: str | GateFactory = "softmax",
    ) -> None:
        super().__init__()
        self.n_groups, self.n_experts = n_groups, n_experts
        self.head = make_gate_head(resolve_gate(gate), n_experts, n_groups)
        hidden = BatchedMLP(n_groups, in_width, hidden_sizes, activation=activation)
        last = BatchedLinear(n_groups, hidden.out_features, self.head.n_scores)
        self.head.start(*(each.data.movedim(2, 0) for each in last.parameters()))
        self.first, *deeper = *hidden.layers, last
        self.deeper = nn.Sequential(*deeper)

    def forward(self, x: Tensor) -> Tensor:
        """Return each gate's weights."""
        return self.finish(self.first(x.transpose(0, 1)))

    def finish(self, first: Tensor) -> Tensor:
        """Return each gate's weights, given the first layers' product."""
        return self.head(self._scores(first)).permute(2, 0, 1)

    def finish_with_penalty(self, first: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return the result of `finish`, and the gates' penalty in training."""
        weights, penalty = self.head.with_penalty(self._scores(first))
        if penalty is not None:
            penalty = mean_over_rows(penalty.mT)
        return weights.permute(2, 0, 1), penalty

    def _scores(self, first: Tensor) -> Tensor:
        """Return (n_groups, n_scores, n), in which rows take the axis of gates.

        A softmax over a last axis of a few numbers is twice as slow.
        """
        return self.deeper(first).transpose(1, 2)


def batched_beside(x: Tensor, *layers: BatchedLinear) -> tuple[Tensor, ...]:
    """(n, n_groups, in) -> the result of each layer, (n_groups, n, out).

    Layers that read the same rows are one batched product whose result is split.
    """
    weight = torch.cat([layer.weight for layer in layers], 2)
    bias = torch.cat([layer.bias for layer in layers], 2)
    training = layers[0].training
    product = multiply_groups(bias, x.transpose(0, 1), weight, training=training)
    return product.split([layer.bias.shape[2] for layer in layers], 2)


def mix_own(weights: Tensor, results: Tensor) -> Tensor:
    """Return each group's weighted sum of its own experts' results.

    (n, n_groups, n_experts), (n, n_groups, n_experts, width) -> (n, n_groups, width).
    As products of one row with a few rows it would be several times slower.
    """
    return (weights.unsqueeze(3) * results).sum(2)

"""Experts and gates: small networks that read the same rows, as one product."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sk_mtl.nn._experts._gate_head import (
    GateFactory,
    make_gate_head,
    mean_over_rows,
)
from sk_mtl.nn._experts._sparse_gates import resolve_gate
from sk_mtl.nn._layers import BatchedLinear, BatchedMLP, RowBatchNorm, after_linear


def at_least_one_layer(hidden_sizes: Sequence[int], name: str) -> Sequence[int]:
    """Return the widths of an expert's layers, or raise if there are none."""
    if len(hidden_sizes) < 1:
        raise ValueError(
            f"{name} must hold at least one layer width; found "
            f"{tuple(hidden_sizes)}. Give for example (64,)."
        )
    return hidden_sizes


def linear_beside(x: Tensor, *layers: tuple[Tensor, Tensor]) -> tuple[Tensor, ...]:
    """(n, in), (weight, bias) of dense layers -> the result of each.

    Layers that read the same rows are one product whose result is split. A split,
    unlike slices, writes its gradient once.
    """
    weights, biases = zip(*layers)
    product = F.linear(x, torch.cat(weights), torch.cat(biases))
    return product.split([len(bias) for bias in biases], 1)


class Experts(nn.Module):
    """(n, in_width) -> (n, n_experts, out_width).

    Multilayer perceptrons of the same sizes that read the same rows. Their first layers
    are multiplied as **one** dense layer whose result is split: one wide product keeps
    the processor busier than many narrow ones. Deeper layers are batched over the
    experts.

    Parameters
    ----------
    in_width, n_experts : int
    hidden_sizes : sequence of int
        The layers of every expert, at least one.
    activation : str, default="relu"
        One of `ACTIVATIONS`.
    dropout : float, default=0.0
        The share of each layer's units that are zeroed in training.
    batch_norm : bool, default=False
        Whether layers are normalised over the batch before their activation.
    name : str, default="expert_hidden_sizes"
        The parameter that `hidden_sizes` comes from, for errors.

    Attributes
    ----------
    out_width : int
        The last of ``hidden_sizes``.

    Examples
    --------
    Three experts with layers of 8 and 4 units.

    >>> import torch
    >>> from sk_mtl.nn import Experts
    >>> Experts(5, 3, (8, 4))(torch.ones(7, 5)).shape
    torch.Size([7, 3, 4])
    """

    def __init__(
        self,
        in_width: int,
        n_experts: int,
        hidden_sizes: Sequence[int],
        *,
        activation: str = "relu",
        dropout: float = 0.0,
        batch_norm: bool = False,
        name: str = "expert_hidden_sizes",
    ) -> None:
        super().__init__()
        self.n_experts = n_experts
        width, *deeper = at_least_one_layer(hidden_sizes, name)
        self.first = nn.Linear(in_width, n_experts * width)
        self.norm = RowBatchNorm(n_experts * width) if batch_norm else None
        self.activation = after_linear(activation, dropout)
        self.deeper = BatchedMLP(
            n_experts,
            width,
            deeper,
            activation=activation,
            dropout=dropout,
            batch_norm=batch_norm,
        )
        self.out_width = self.deeper.out_features

    def forward(self, x: Tensor) -> Tensor:
        """Return the experts' results for the rows."""
        return self.finish(self.begin(x))

    def begin(self, x: Tensor) -> Tensor:
        """Return the first layers' products, normalised."""
        weight, bias, normalise = self._first_layer()
        first = F.linear(x, weight, bias)
        return first if normalise is None else normalise(first)

    def begin_beside(self, x: Tensor, *others: nn.Linear) -> tuple[Tensor, ...]:
        """Return the results of `begin` and of other layers, from one product."""
        weight, bias, normalise = self._first_layer()
        first, *beside = linear_beside(
            x, (weight, bias), *((other.weight, other.bias) for other in others)
        )
        return first if normalise is None else normalise(first), *beside

    def finish(self, first: Tensor) -> Tensor:
        """Return the experts' results, given what `begin` returned."""
        rows = self.activation(first).unflatten(1, (self.n_experts, -1))
        if not len(self.deeper.layers):
            return rows
        return self.deeper(rows.transpose(0, 1)).transpose(0, 1)

    def _first_layer(self) -> tuple[Tensor, Tensor, nn.Module | None]:
        """Return weight and bias of the first layers, and their normalisation.

        Outside training the normalisation is a linear function of their product and is
        merged into it.
        """
        weight, bias = self.first.weight, self.first.bias
        if self.norm is None or self.training:
            return weight, bias, self.norm
        return *self.norm.fold(weight, bias), None


class Gates(nn.Module):
    """(n, in_width) -> (n, n_gates, n_experts), each gate's weights, which sum to 1.

    Gates that read the same rows. The columns of linear gates lie expert by expert, all
    gates of an expert together: a softmax over the middle axis of (n, n_experts,
    n_gates) is several times faster than one over a last axis of a few numbers.

    Parameters
    ----------
    in_width, n_gates, n_experts : int
    hidden_sizes : sequence of int, default=()
        Hidden layers of every gate before the softmax. With none the gate is linear.
    activation : str, default="relu"
        One of `ACTIVATIONS`, after hidden layers.
    gate : {"softmax", "top_k", "dselect_k"} or callable, default="softmax"
        The head that turns a gate's scores into weights: `SoftmaxHead` weighs all
        experts, `TopKHead` the experts with the largest scores, and `DSelectKHead`
        learns by smooth steps to select a few. With the last, if the number of experts
        is not a power of two, weights sum to less than 1 until experts are selected. A
        callable takes the number of experts and returns a `GateHead`.

    Examples
    --------
    Two gates over three experts.

    >>> import torch
    >>> from sk_mtl.nn import Gates
    >>> weights = Gates(5, 2, 3)(torch.ones(7, 5))
    >>> weights.shape, bool((weights.sum(2) - 1).abs().max() < 1e-6)
    (torch.Size([7, 2, 3]), True)

    With the two largest scores the third weight is zero.

    >>> (Gates(5, 2, 3, gate="top_k")(torch.ones(1, 5)) == 0).sum(2)
    tensor([[1, 1]])
    """

    def __init__(
        self,
        in_width: int,
        n_gates: int,
        n_experts: int,
        *,
        hidden_sizes: Sequence[int] = (),
        activation: str = "relu",
        gate: str | GateFactory = "softmax",
    ) -> None:
        super().__init__()
        self.n_gates, self.n_experts = n_gates, n_experts
        self.head = make_gate_head(resolve_gate(gate), n_experts, n_gates)
        n_scores = self.head.n_scores
        width = hidden_sizes[0] if len(hidden_sizes) else n_scores
        self.first = nn.Linear(in_width, n_gates * width)
        self.deeper = nn.Sequential()
        if len(hidden_sizes):
            width, *more = hidden_sizes
            hidden = BatchedMLP(n_gates, width, more, activation=activation)
            self.deeper.append(after_linear(activation, 0.0))
            self.deeper.append(hidden)
            last = BatchedLinear(n_gates, hidden.out_features, n_scores)
            self.deeper.append(last)
            layer = [each.data.movedim(2, 0) for each in last.parameters()]
        else:
            sizes = (n_scores, n_gates)
            layer = [each.data.unflatten(0, sizes) for each in self.first.parameters()]
        self.head.start(*layer)

    def forward(self, x: Tensor) -> Tensor:
        """Return each gate's weights."""
        return self.finish(self.first(x))

    def finish(self, first: Tensor) -> Tensor:
        """Return each gate's weights, given the first layer's product."""
        return self.head(self._scores(first)).transpose(1, 2)

    def finish_with_penalty(self, first: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return the result of `finish`, and the gates' penalty in training."""
        weights, penalty = self.head.with_penalty(self._scores(first))
        if penalty is not None:
            penalty = mean_over_rows(penalty)
        return weights.transpose(1, 2), penalty

    def _scores(self, first: Tensor) -> Tensor:
        """(n, width of the first layer) -> (n, n_scores, n_gates)."""
        if len(self.deeper):
            hidden = first.unflatten(1, (self.n_gates, -1)).transpose(0, 1)
            return self.deeper(hidden).permute(1, 2, 0)
        return first.unflatten(1, (self.head.n_scores, self.n_gates))

"""The wiring of the multi-gate mixture of experts."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sk_mtl.nn._encoder import Encoded
from sk_mtl.nn._layers import BatchedLinear, BatchedMLP, RowBatchNorm, after_linear


class MMoE(nn.Module):
    r"""shared (n, in_width) -> (n, n_tasks, expert_hidden_sizes[-1]).

    Multi-gate mixture of experts. Experts :math:`f_1, ..., f_E` see the same input
    :math:`x`, and each task :math:`k` mixes them with weights of its own,

    .. math:: f^k(x) = \sum_{e=1}^{E} g^k_e(x) f_e(x), \quad
              g^k(x) = \mathrm{softmax}(W^k x + b^k),

    with :math:`E` = ``n_experts``. Related tasks learn to share experts, unrelated
    ones to part them.

    The first layers of all experts, `first_experts`, and of all gates, `first_gates`,
    read the same rows, so they are multiplied as **one** dense layer whose result is
    split: one wide product keeps the processor busier than many narrow ones, and a
    split (unlike slices) writes its gradient once. Deeper layers are batched over the
    experts or the tasks. The columns of linear gates lie expert by expert, all tasks of
    an expert together: a softmax over the middle axis of (n, n_experts, n_tasks) is
    several times faster than one over a last axis of a few numbers.

    Parameters
    ----------
    in_width : int
        The encoder's width.
    n_tasks : int
        The number of tasks, one gate each.
    n_experts : int, default=4
        The number of experts, shared by all tasks.
    expert_hidden_sizes : sequence of int, default=(64,)
        The layers of every expert, at least one.
    gate_hidden_sizes : sequence of int, default=()
        Hidden layers of every gate before the softmax. With none the gate is linear,
        as in the paper.
    activation : str, default="relu"
        One of `ACTIVATIONS`, for experts and for hidden layers of gates.
    dropout : float, default=0.0
        The share of each expert layer's units that are zeroed in training.
    batch_norm : bool, default=False
        Whether expert layers are normalised over the batch before their activation.

    Attributes
    ----------
    out_width : int
        The last of ``expert_hidden_sizes``.

    shared_by_members : tuple of str
        What the members of an ensemble share that share most: the experts. Every one
        has gates of its own.

    References
    ----------
    J. Ma, Z. Zhao, X. Yi, J. Chen, L. Hong and E. H. Chi (2018). Modeling Task
    Relationships in Multi-task Learning with Multi-gate Mixture-of-Experts. KDD.

    Examples
    --------
    Two tasks mix three experts; a gate's weights sum to one.

    >>> import torch
    >>> from sk_mtl.nn import Encoded, MMoE
    >>> wiring, encoded = MMoE(5, 2, n_experts=3), Encoded(torch.ones(7, 5))
    >>> wiring(encoded).shape, wiring.gate_weights(encoded).shape
    (torch.Size([7, 2, 64]), torch.Size([7, 2, 3]))
    """

    shared_by_members = ("first_experts", "experts")

    def __init__(
        self,
        in_width: int,
        n_tasks: int,
        *,
        n_experts: int = 4,
        expert_hidden_sizes: Sequence[int] = (64,),
        gate_hidden_sizes: Sequence[int] = (),
        activation: str = "relu",
        dropout: float = 0.0,
        batch_norm: bool = False,
    ) -> None:
        super().__init__()
        if len(expert_hidden_sizes) < 1:
            raise ValueError(
                "expert_hidden_sizes must hold at least one layer width; found "
                f"{tuple(expert_hidden_sizes)}. Give for example (64,)."
            )
        self.n_tasks, self.n_experts = n_tasks, n_experts
        width, *deeper = expert_hidden_sizes
        gate_width = gate_hidden_sizes[0] if len(gate_hidden_sizes) else n_experts
        self._widths = [n_experts * width, n_tasks * gate_width]
        self.first_experts = nn.Linear(in_width, n_experts * width)
        self.first_gates = nn.Linear(in_width, n_tasks * gate_width)
        self.expert_norm = RowBatchNorm(n_experts * width) if batch_norm else None
        self.expert_activation = after_linear(activation, dropout)
        self.experts = BatchedMLP(
            n_experts,
            width,
            deeper,
            activation=activation,
            dropout=dropout,
            batch_norm=batch_norm,
        )
        self.gates = _deeper_gates(n_tasks, n_experts, gate_hidden_sizes, activation)
        self.out_width = self.experts.out_features

    def forward(self, encoded: Encoded) -> Tensor:
        """Mix the experts' results by each task's gate."""
        experts, gates = self._first(encoded.shared)
        weights = self._mixing_weights(gates).transpose(1, 2)
        return torch.bmm(weights, self._expert_outputs(experts))

    def gate_weights(self, encoded: Encoded) -> Tensor:
        """Return the mixing weights, (n_samples, n_tasks, n_experts), each row sum 1.

        They are the very weights that `forward` uses, computed by the same product.
        """
        gates = self._first(encoded.shared)[1]
        return self._mixing_weights(gates).transpose(1, 2)

    def _first(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return what the experts' and the gates' first layers make of the rows.

        That of the experts is normalised over the batch. Where not in training, that is
        a linear function of their product and goes into it.
        """
        experts = self.first_experts.weight, self.first_experts.bias
        others = self.first_gates.weight, self.first_gates.bias
        normalise = self.expert_norm
        if normalise is not None and not self.training:
            experts, normalise = normalise.fold(*experts), None
        weight, bias = map(torch.cat, zip(experts, others, strict=True))
        first, gates = F.linear(x, weight, bias).split(self._widths, 1)
        return first if normalise is None else normalise(first), gates

    def _expert_outputs(self, first: Tensor) -> Tensor:
        """Return (n_samples, n_experts, out_width) from the first layers' products."""
        rows = self.expert_activation(first).unflatten(1, (self.n_experts, -1))
        if not len(self.experts.layers):
            return rows
        return self.experts(rows.transpose(0, 1)).transpose(0, 1)

    def _mixing_weights(self, first: Tensor) -> Tensor:
        """Return (n_samples, n_experts, n_tasks) from the gates' first products."""
        if len(self.gates):
            hidden = first.unflatten(1, (self.n_tasks, -1)).transpose(0, 1)
            scores = self.gates(hidden).permute(1, 2, 0)
        else:
            scores = first.unflatten(1, (self.n_experts, self.n_tasks))
        return torch.softmax(scores, 1)


def _deeper_gates(
    n_tasks: int, n_experts: int, hidden_sizes: Sequence[int], activation: str
) -> nn.Sequential:
    """Return what follows the gates' first layer: nothing where they are linear."""
    gates = nn.Sequential()
    if len(hidden_sizes):
        width, *deeper = hidden_sizes
        gates.append(after_linear(activation, 0.0))
        hidden = BatchedMLP(n_tasks, width, deeper, activation=activation)
        gates.append(hidden)
        gates.append(BatchedLinear(n_tasks, hidden.out_features, n_experts))
    return gates

"""The last step of gates, from scores to weights."""

from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor, nn


class GateHead(nn.Module, ABC):
    """scores (n, n_scores, n_gates) -> weights (n, n_experts, n_gates).

    The last step of gates: the scores are the result of each gate's last dense layer.
    Experts are along the middle axis, where a softmax over a few numbers is several
    times faster than along the last one. Rows may be along either outer axis: a head
    treats every row and gate separately.

    Parameters
    ----------
    n_experts : int
    n_scores : int or None, default=None
        Number of scores that each gate needs; None is one for each expert.

    Attributes
    ----------
    n_experts, n_scores : int

    Examples
    --------
    A softmax that is more even than the usual one.

    >>> import torch
    >>> from sk_mtl.nn import GateHead, Gates
    >>> class Mild(GateHead):
    ...     def forward(self, scores):
    ...         return torch.softmax(scores / 10, 1)
    >>> Gates(5, 2, 3, gate=Mild)(torch.ones(7, 5)).shape
    torch.Size([7, 2, 3])
    """

    def __init__(self, n_experts: int, *, n_scores: int | None = None) -> None:
        super().__init__()
        self.n_experts = n_experts
        self.n_scores = n_experts if n_scores is None else n_scores

    @abstractmethod
    def forward(self, scores: Tensor) -> Tensor:
        """Return each gate's weights."""

    def with_penalty(self, scores: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return each gate's weights, and the penalty of each row and gate.

        The penalty is (n, n_gates), or None. It is averaged over the rows of the batch,
        summed over the gates, and added to the loss.
        """
        return self(scores), None

    def start(self, weight: Tensor, bias: Tensor) -> None:
        """Adjust the start of the layer that computes the scores, their axis first."""

    def extra_repr(self) -> str:
        """Return the sizes that ``repr`` shows."""
        return f"n_experts={self.n_experts}"


#: Makes the head of gates over a number of experts.
GateFactory = Callable[[int], GateHead]


def make_gate_head(gate: GateFactory, n_experts: int, n_gates: int) -> GateHead:
    """Return a new head, or raise if a factory returns something else.

    The head is tried on two rows, so that a head which confuses the axes is refused
    before training.
    """
    head = gate(n_experts)
    if not isinstance(head, GateHead):
        raise ValueError(
            f"gate must make a GateHead; found {type(head).__name__}. Derive its class "
            "from sk_mtl.nn.GateHead."
        )
    with torch.no_grad():
        found = tuple(head(torch.zeros(2, head.n_scores, n_gates)).shape)
    wanted = (2, n_experts, n_gates)
    if found != wanted:
        raise ValueError(
            f"gate must make weights of (n_samples, n_experts, n_gates), {wanted} "
            f"for two rows; found {found} of {type(head).__name__}. Keep the experts "
            "along the middle axis."
        )
    return head


def mean_over_rows(penalty: Tensor) -> Tensor:
    """(n, n_gates) -> (), the penalties' sum over gates and mean over rows."""
    # Without rows there is no mean, and the penalty is 0.
    n_rows = torch.ones_like(penalty[:, 0]).sum().clamp_min(1)
    return penalty.sum() / n_rows

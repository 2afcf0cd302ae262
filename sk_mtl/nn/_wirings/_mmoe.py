"""The wiring of the multi-gate mixture of experts."""

from collections.abc import Hashable, Sequence

import torch
from torch import Tensor

from sk_mtl.nn._encoding._encoded import Encoded
from sk_mtl.nn._experts._expert_use import ExpertDropout, uneven_use
from sk_mtl.nn._experts._experts import Experts, Gates
from sk_mtl.nn._experts._gate_head import GateFactory
from sk_mtl.nn._experts._penalty_weight import PenaltyWeight
from sk_mtl.nn._wirings._mixture_wiring import MixtureWiring, numbered


class MMoE(MixtureWiring):
    r"""shared (n, in_width) -> (n, n_tasks, expert_hidden_sizes[-1]).

    Multi-gate mixture of experts. Experts :math:`f_1, ..., f_E` read the same input
    :math:`x`, and each task :math:`k` mixes them with its own weights,

    .. math:: f^k(x) = \sum_{e=1}^{E} g^k_e(x) f_e(x), \quad
              g^k(x) = \mathrm{softmax}(W^k x + b^k),

    with :math:`E` = ``n_experts``. Related tasks learn to share experts, unrelated
    tasks to use different ones. Other gates than the softmax (`TopKHead`,
    `DSelectKHead`) mix only a few experts.

    The first layers of all experts and of all gates read the same rows, so they are
    multiplied as **one** dense layer whose result is split: one wide product keeps the
    processor busier than many narrow ones.

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
    gate : {"softmax", "top_k", "dselect_k"} or callable, default="softmax"
        The head that turns a gate's scores into weights: a softmax over all experts, a
        softmax over the experts with the largest scores, or a selection that is learnt
        by smooth steps. A callable takes the number of experts and returns a
        `GateHead`, such as ``functools.partial(TopKHead, n_active=3)``.
    expert_dropout : float, default=0.0
        The share of a gate's weights that `ExpertDropout` zeroes in training, drawn for
        each row and task.
    load_balance : float, default=0.0
        The weight of the penalty `uneven_use`, on the weights of the batch before
        dropout. Larger makes every gate use all experts equally, over the rows.
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
        With ``sharing="most"`` the members of an ensemble share the experts. Each has
        gates of its own.

    References
    ----------
    J. Ma, Z. Zhao, X. Yi, J. Chen, L. Hong and E. H. Chi (2018). Modeling Task
    Relationships in Multi-task Learning with Multi-gate Mixture-of-Experts. KDD.

    H. Hazimeh et al. (2021). DSelect-k: Differentiable Selection in the Mixture of
    Experts with Applications to Multi-Task Learning. NeurIPS. arXiv:2106.03760.

    N. Shazeer et al. (2017). Outrageously Large Neural Networks: The Sparsely-Gated
    Mixture-of-Experts Layer. ICLR. arXiv:1701.06538.

    Examples
    --------
    Two tasks mix three experts; a gate's weights sum to one.

    >>> import torch
    >>> from sk_mtl.nn import Encoded, MMoE
    >>> wiring, encoded = MMoE(5, 2, n_experts=3), Encoded(torch.ones(7, 5))
    >>> wiring(encoded).shape, wiring.gate_weights(encoded)[0].shape
    (torch.Size([7, 2, 64]), torch.Size([7, 2, 3]))
    """

    shared_by_members = ("experts",)

    def __init__(
        self,
        in_width: int,
        n_tasks: int,
        *,
        n_experts: int = 4,
        expert_hidden_sizes: Sequence[int] = (64,),
        gate_hidden_sizes: Sequence[int] = (),
        gate: str | GateFactory = "softmax",
        expert_dropout: float = 0.0,
        load_balance: float = 0.0,
        activation: str = "relu",
        dropout: float = 0.0,
        batch_norm: bool = False,
    ) -> None:
        super().__init__()
        self.n_tasks = n_tasks
        self.experts = Experts(
            in_width,
            n_experts,
            expert_hidden_sizes,
            activation=activation,
            dropout=dropout,
            batch_norm=batch_norm,
        )
        self.gates = Gates(
            in_width,
            n_tasks,
            n_experts,
            hidden_sizes=gate_hidden_sizes,
            activation=activation,
            gate=gate,
        )
        self.expert_dropout = ExpertDropout(expert_dropout)
        self.load_balance = PenaltyWeight(load_balance)
        self.out_width = self.experts.out_width

    def forward(self, encoded: Encoded) -> Tensor:
        """Mix the experts' results by each task's gate."""
        return self.with_penalty(encoded)[0]

    def with_penalty(self, encoded: Encoded) -> tuple[Tensor, Tensor | None]:
        """Return each task's mixture, and the gates' penalty."""
        experts, gates = self.experts.begin_beside(encoded.shared, self.gates.first)
        weights, penalty = self.gates.finish_with_penalty(gates)
        if not self.load_balance.is_zero:
            uneven = self.load_balance(uneven_use(weights))
            penalty = uneven if penalty is None else penalty + uneven
        weights = self.expert_dropout(weights)
        return torch.bmm(weights, self.experts.finish(experts)), penalty

    def gate_weights(self, encoded: Encoded) -> list[Tensor]:
        """Return the mixing weights, (n_samples, n_tasks, n_experts), each row sum 1.

        They are computed by the product of `forward`, without dropout. Weights of
        `DSelectKHead` can sum to less if the number of experts is not a power of two.
        """
        _, gates = self.experts.begin_beside(encoded.shared, self.gates.first)
        return [self.gates.finish(gates)]

    def expert_names(self, task_names: Sequence[Hashable]) -> list[list[str]]:
        """Return ``expert_0``, ``expert_1`` and so on."""
        return [numbered(["expert"], self.experts.n_experts)]

"""The wiring of sub-network routing."""

from collections.abc import Hashable, Sequence
from itertools import pairwise
from typing import Unpack

import torch
from torch import Tensor, nn

from sk_mtl.nn._encoding._encoded import Encoded
from sk_mtl.nn._experts._experts import Experts
from sk_mtl.nn._experts._hard_concrete import HardConcrete
from sk_mtl.nn._experts._penalty_weight import PenaltyWeight
from sk_mtl.nn._layers import BatchedMLP, LayerOptions
from sk_mtl.nn._wirings._mixture_wiring import MixtureWiring, numbered
from sk_mtl.nn._wirings._transfers import TRANSFERS


class SNR(MixtureWiring):
    r"""shared (n, in_width) -> (n, n_tasks, subnetwork_hidden_sizes[-1]).

    Sub-network routing. The layers that tasks share are split into ``n_subnetworks``
    small ones side by side, and between two levels a gate :math:`z_{ij}` decides
    whether sub-network :math:`i` of the upper level reads sub-network :math:`j` of the
    lower one. With the results :math:`u_j` of the latter, the input of :math:`i` is

    .. math:: v_i = \sum_j z_{ij} u_j \quad\text{or}\quad
              v_i = \sum_j z_{ij} W_{ij} u_j,

    the first for ``transfer="average"``, the second, with learnt matrices
    :math:`W_{ij}`, for ``transfer="transform"``. As in the paper the sum is not divided
    by the number of sub-networks: a single open connection passes its result on
    unscaled. Sub-networks of the first level read the encoder's row; above the last
    level the tasks' towers take the place of sub-networks :math:`i`.

    The gates are learnt (`HardConcrete`). In training they are drawn at random, closed
    (0), open (1) or between; otherwise they are fixed numbers. Nearly all gates start
    open, so every task reads everything, and tasks learn to close unhelpful gates.
    Gates that start half open vary most between draws, and the layers above would learn
    from random inputs until the gates differ, which takes many epochs. The loss also
    has the penalty

    .. math:: \lambda \sum_{ij} P(z_{ij} > 0),

    the expected number of gates that are not closed times :math:`\lambda` =
    ``l0_penalty``. The gates do not depend on the row: one draw holds for the batch.

    Parameters
    ----------
    in_width : int
        The encoder's width.
    n_tasks : int
        The number of towers that read the last level.
    n_subnetworks : int, default=4
        The number of sub-networks at every level. One with open gates is a shared
        bottom.
    subnetwork_hidden_sizes : sequence of int, default=(64, 64)
        The width of the sub-networks of each level, at least one. Each sub-network is
        one dense layer.
    transfer : {"average", "transform"}, default="average"
        Whether a connection only scales the lower result by its gate, or also
        multiplies it by a matrix. The latter lets a sub-network read each of the others
        differently and takes ``n_subnetworks ** 2`` matrices between two levels.
    l0_penalty : float, default=1e-4
        :math:`\lambda`. The larger, the fewer connections remain; at 0 there is no
        penalty.
    gate_temperature : float, default=2/3
        :math:`\beta` of `HardConcrete`.
    gate_limits : pair of float, default=(-0.1, 1.1)
        :math:`\gamma` and :math:`\zeta` of `HardConcrete`.
    gate_start : float, default=0.95
        ``start`` of `HardConcrete`. The nearer to 1, the longer the penalty takes to
        close a gate.
    **layers
        `LayerOptions` of the sub-networks.

    Attributes
    ----------
    out_width : int
        The last of ``subnetwork_hidden_sizes``.

    shared_by_members : tuple of str
        With ``sharing="most"`` the members of an ensemble share sub-networks and
        matrices. Each has gates of its own.

    References
    ----------
    J. Ma, Z. Zhao, J. Chen, A. Li, L. Hong and E. H. Chi (2019). SNR: Sub-Network
    Routing for Flexible Parameter Sharing in Multi-Task Learning. AAAI.

    Examples
    --------
    Two levels of three sub-networks: nine gates between them, six below two towers.

    >>> import torch
    >>> from sk_mtl.nn import SNR, Encoded
    >>> wiring = SNR(5, 2, n_subnetworks=3, subnetwork_hidden_sizes=(16, 8))
    >>> rows, penalty = wiring.with_penalty(Encoded(torch.ones(7, 5)))
    >>> rows.shape, [tuple(gates.shape) for gates in wiring.open_gates()]
    (torch.Size([7, 2, 8]), [(3, 3), (2, 3)])
    """

    shared_by_members = ("subnetworks", "transfers")

    def __init__(
        self,
        in_width: int,
        n_tasks: int,
        *,
        n_subnetworks: int = 4,
        subnetwork_hidden_sizes: Sequence[int] = (64, 64),
        transfer: str = "average",
        l0_penalty: float = 1e-4,
        gate_temperature: float = 2 / 3,
        gate_limits: tuple[float, float] = (-0.1, 1.1),
        gate_start: float = 0.95,
        **layers: Unpack[LayerOptions],
    ) -> None:
        super().__init__()
        if transfer not in TRANSFERS:
            raise ValueError(
                f"transfer must be one of {list(TRANSFERS)}; found {transfer!r}. "
                "Choose one of these names."
            )
        self.n_tasks, self.l0_penalty = n_tasks, PenaltyWeight(l0_penalty)
        widths, name = list(subnetwork_hidden_sizes), "subnetwork_hidden_sizes"
        first = Experts(in_width, n_subnetworks, widths[:1], name=name, **layers)
        self.subnetworks = nn.ModuleList([first])
        self.subnetworks.extend(
            BatchedMLP(n_subnetworks, width, (after,), **layers)
            for width, after in pairwise(widths)
        )
        targets = [n_subnetworks] * (len(widths) - 1) + [n_tasks]
        self.gates = nn.ModuleList(
            HardConcrete(
                n_targets,
                n_subnetworks,
                temperature=gate_temperature,
                limits=gate_limits,
                start=gate_start,
            )
            for n_targets in targets
        )
        self.transfers = nn.ModuleList(
            TRANSFERS[transfer](n_targets, n_subnetworks, width)
            for n_targets, width in zip(targets, widths)
        )
        self.out_width = widths[-1]

    def forward(self, encoded: Encoded) -> Tensor:
        """Run the levels and route their results to the next."""
        first, *deeper = self.subnetworks
        rows = first(encoded.shared).transpose(0, 1)
        for gates, transfer, subnetworks in zip(
            self.gates, self.transfers, [*deeper, nn.Identity()]
        ):
            rows = subnetworks(transfer(rows, gates()))
        return rows.transpose(0, 1)

    def with_penalty(self, encoded: Encoded) -> tuple[Tensor, Tensor | None]:
        """Return each task's row and the scaled expected number of gates not closed."""
        if self.l0_penalty.is_zero:
            return self(encoded), None
        each = [gates.open_probability().sum() for gates in self.gates]
        return self(encoded), self.l0_penalty(torch.stack(each).sum())

    def open_gates(self) -> list[Tensor]:
        """Return the gates used in evaluation, lowest first; 0 is closed and 1 open.

        Their shape is (n_tasks, n_subnetworks) above the last level and
        (n_subnetworks, n_subnetworks) above the others: a row holds the inputs of one
        sub-network or tower.
        """
        return [gates.deterministic().detach() for gates in self.gates]

    def gate_weights(self, encoded: Encoded) -> list[Tensor]:
        """Return the gates below the towers, (n_samples, n_tasks, n_subnetworks).

        They are the same for all rows, each from 0 to 1. `open_gates` also returns the
        gates of lower levels, which belong to no task.
        """
        return [self.gates[-1].deterministic().expand(len(encoded.shared), -1, -1)]

    def expert_names(self, task_names: Sequence[Hashable]) -> list[list[str]]:
        """Return ``subnetwork_0``, ``subnetwork_1`` and so on, of the last level."""
        return [numbered(["subnetwork"], self.subnetworks[0].n_experts)]

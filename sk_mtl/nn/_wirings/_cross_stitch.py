"""The wiring of cross-stitch networks."""

from collections.abc import Hashable, Sequence
from itertools import pairwise
from typing import Unpack

import torch
from torch import Tensor, nn

from sk_mtl.nn._encoding._encoded import Encoded
from sk_mtl.nn._layers import BatchedMLP, LayerOptions, mix_groups
from sk_mtl.nn._wirings._mixture_wiring import MixtureWiring


class CrossStitch(MixtureWiring):
    r"""per_task (n, n_tasks, in_width) -> (n, n_tasks, hidden_sizes[-1]).

    Every task :math:`k` has its own perceptron and encoder, as in `SingleTask`, and
    after each hidden layer :math:`l` a *cross-stitch unit* mixes the results of the
    layers of all :math:`K` = ``n_tasks`` tasks,

    .. math:: \tilde a^k_l = \sum_{j=1}^{K} \alpha^{kj}_l a^j_l, \quad
              a^k_{l+1} = \phi(W^k_{l+1} \tilde a^k_l + b^k_{l+1}),

    with the ``activation`` :math:`\phi` and a learnt matrix :math:`\alpha_l` of
    (n_tasks, n_tasks) numbers. So each layer learns how much to share: a unit that is
    the identity separates the tasks, a unit with equal entries gives all the same row.

    Parameters
    ----------
    in_width : int
        The width of the encoders' rows.
    n_tasks : int
        The number of perceptrons side by side, and of rows of a unit.
    self_weight : float, default=0.9
        Initial diagonal of the units. The row's other entries share the rest up to 1
        equally, so that a mixture has the scale of its parts. At 1 the network starts
        as separate tasks; values closer to ``1 / n_tasks`` start with more similar
        rows. A single task has nothing to mix and starts at 1.
    hidden_sizes : sequence of int, default=(256,)
        The layers of every perceptron, at least one, each with a unit behind it.
    **layers
        `LayerOptions` of the perceptrons.

    Attributes
    ----------
    out_width : int
        The last of ``hidden_sizes``.

    shared_by_members : tuple of str
        With ``sharing="most"`` the members of an ensemble share the perceptrons. Each
        has units of its own.

    References
    ----------
    I. Misra, A. Shrivastava, A. Gupta and M. Hebert (2016). Cross-stitch Networks for
    Multi-task Learning. CVPR.

    Examples
    --------
    Three tasks and two layers: two units, whose rows sum to one at the start.

    >>> import torch
    >>> from sk_mtl.nn import CrossStitch, Encoded
    >>> wiring = CrossStitch(5, 3, hidden_sizes=(16, 8), self_weight=0.8)
    >>> wiring(Encoded(None, per_task=torch.ones(7, 3, 5))).shape
    torch.Size([7, 3, 8])
    >>> wiring.units[0].detach()
    tensor([[0.8000, 0.1000, 0.1000],
            [0.1000, 0.8000, 0.1000],
            [0.1000, 0.1000, 0.8000]])
    """

    embedding_sets = "per_task"
    shared_by_members = ("layers",)

    def __init__(
        self,
        in_width: int,
        n_tasks: int,
        *,
        self_weight: float = 0.9,
        hidden_sizes: Sequence[int] = (256,),
        **layers: Unpack[LayerOptions],
    ) -> None:
        super().__init__()
        if len(hidden_sizes) < 1:
            raise ValueError(
                "hidden_sizes must hold at least one layer width, since a cross-stitch "
                f"unit follows a layer; found {tuple(hidden_sizes)}. Give for "
                "example (64,)."
            )
        self.n_tasks = n_tasks
        widths = [in_width, *hidden_sizes]
        self.layers = nn.ModuleList(
            BatchedMLP(n_tasks, width, (after,), **layers)
            for width, after in pairwise(widths)
        )
        self.units = nn.ParameterList(
            _first_unit(n_tasks, self_weight) for _ in hidden_sizes
        )
        self.out_width = widths[-1]

    def forward(self, encoded: Encoded) -> Tensor:
        """Run the tasks' layers side by side and mix after each of them."""
        tasks = encoded.per_task.transpose(0, 1)
        for layer, unit in zip(self.layers, self.units):
            tasks = mix_groups(unit, layer(tasks))
        return tasks.transpose(0, 1)

    def gate_weights(self, encoded: Encoded) -> list[Tensor]:
        """Return the units, (n_samples, n_tasks, n_tasks), the same for all rows."""
        n_rows = len(encoded.per_task)
        return [unit.expand(n_rows, -1, -1) for unit in self.units]

    def expert_names(self, task_names: Sequence[Hashable]) -> list[list[str]]:
        """Return the names of the tasks, whose layers a unit mixes."""
        return [list(map(str, task_names)) for _ in self.units]


def _first_unit(n_tasks: int, self_weight: float) -> Tensor:
    """Return the start of a unit, a matrix whose rows sum to one."""
    if n_tasks == 1:
        return torch.ones(1, 1)
    unit = torch.full((n_tasks, n_tasks), (1 - self_weight) / (n_tasks - 1))
    return unit.fill_diagonal_(self_weight)

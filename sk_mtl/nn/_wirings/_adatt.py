"""The wiring of the adaptive task-to-task fusion network."""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sk_mtl.nn._wirings._levels import LevelResults, LevelWiring


class AdaTT(LevelWiring):
    r"""shared (n, in_width) -> (n, n_tasks, expert_hidden_sizes[-1]).

    Adaptive task-to-task fusion network. At every level each task has a fusion unit
    that sums two parts: the gate's mixture of the experts of *all* tasks, and a linear
    combination of its own, native experts, a residual that keeps what the task has
    learnt by itself. With :math:`x^k_0` the encoder's row, level :math:`l` = 1,
    ..., ``n_levels`` is

    .. math:: x^k_l = \sum_{e \in E_1 \cup ... \cup E_K \cup E_s} g^k_e(x^k_{l-1}) f_e
              + \sum_{e \in E_k} v^k_e f_e, \quad
              g^k(x) = \mathrm{softmax}(W^k x + b^k),

    where :math:`E_k` are the ``n_task_experts`` of task :math:`k`, which read
    :math:`x^k_{l-1}`, :math:`f_e` is the result of an expert, and the native weights
    :math:`v` are the same for all rows and of any sign. With shared experts
    :math:`E_s` there is a shared unit of the same form, which feeds the shared experts
    of the next level; the last level has none. The native weight of a unit with a
    single expert is fixed at 1.

    A task with an even gate and a large native part learns alone; a gate with large
    weights of another task's experts reuses that task's features.

    Parameters
    ----------
    in_width : int
        The encoder's width.
    n_tasks : int
        The number of tasks, :math:`K`.
    n_shared_experts : int, default=0
        The number of shared experts of each level. Tasks can learn from each other
        without any, since gates reach all experts.
    expert_hidden_sizes : sequence of int, default=(48,)
        The layers of every expert, at least one. The default makes two tasks that read
        a row of 100 numbers about as large as an `MMoE` of four experts of 64 units.
    **options
        ``n_levels=2``, ``n_task_experts=2``, ``gate_hidden_sizes=()``,
        ``gate="softmax"`` and `LayerOptions`, as in `PLE`. More levels fuse tasks more
        often.

    Attributes
    ----------
    out_width : int
        The last of ``expert_hidden_sizes``.

    shared_by_members : tuple of str
        With ``sharing="most"`` the members of an ensemble share the experts. Each has
        gates and native weights of its own.

    References
    ----------
    D. Li, Z. Zhang, S. Yuan, M. Gao, W. Zhang, C. Yang, X. Liu and J. Yang (2023).
    AdaTT: Adaptive Task-to-Task Fusion Network for Multitask Learning in
    Recommendations. KDD.

    Examples
    --------
    A task's gate weighs the two experts of each of three tasks, then the shared one.

    >>> import torch
    >>> from sk_mtl.nn import AdaTT, Encoded
    >>> wiring, encoded = AdaTT(5, 3, n_shared_experts=1), Encoded(torch.ones(7, 5))
    >>> wiring(encoded).shape, [each.shape for each in wiring.gate_weights(encoded)]
    (torch.Size([7, 3, 48]), [torch.Size([7, 3, 7]), torch.Size([7, 3, 7])])
    """

    reaches_all = True
    least_shared = 0

    def __init__(
        self,
        in_width: int,
        n_tasks: int,
        *,
        n_shared_experts: int = 0,
        expert_hidden_sizes: Sequence[int] = (48,),
        **options: Any,
    ) -> None:
        super().__init__(
            in_width,
            n_tasks,
            n_shared_experts=n_shared_experts,
            expert_hidden_sizes=expert_hidden_sizes,
            **options,
        )
        n_own = n_tasks * self.n_task_experts
        self.native, self.shared_native = nn.ModuleList(), nn.ModuleList()
        for gates in self.gates:
            self.native.append(
                NativeWeights(n_tasks, self.n_task_experts, behind=n_shared_experts)
            )
            if gates.shared is not None:
                self.shared_native.append(
                    NativeWeights(1, n_shared_experts, before=n_own)
                )

    def fuse(self, level: int, results: LevelResults) -> tuple[Tensor, Tensor | None]:
        """Add the native part to the mixture of all experts, in each unit."""
        tasks = results.mix_all(self.task_weights(level, results))
        if results.shared_gate is None:
            return tasks, None
        weights = self.shared_native[level](results.shared_gate)
        return tasks, results.mix_shared(weights)

    def task_weights(self, level: int, results: LevelResults) -> Tensor:
        """Return the sum of the gates' weights, which sum to 1, and native weights."""
        return self.native[level](results.task_gates)


class NativeWeights(nn.Module):
    """gates' weights (n, n_units, n_experts) -> the same, native weights added.

    Both parts of a fusion unit are linear in the experts' results, so adding their
    weights first allows reading the results once.

    Parameters
    ----------
    n_units, n_native : int
        The number of units, and of native experts of each, which are ordered by unit.
    before, behind : int, default=0
        The number of other experts before and behind them.

    Attributes
    ----------
    weight : Parameter of shape (n_units, n_native) or None
        Starts as the weights of a dense layer of ``n_native`` inputs. None, which
        counts as 1, for a single expert.
    """

    def __init__(
        self, n_units: int, n_native: int, *, before: int = 0, behind: int = 0
    ) -> None:
        super().__init__()
        self.n_units, self.others = n_units, (before, behind)
        weight = None
        if n_native > 1:
            bound = n_native**-0.5
            weight = nn.Parameter(torch.empty(n_units, n_native))
            nn.init.uniform_(weight, -bound, bound)
        self.register_parameter("weight", weight)

    def forward(self, gates: Tensor) -> Tensor:
        """Add each unit's native weights in the columns of its own experts."""
        weight = self.weight
        if weight is None:
            weight = gates.new_ones(self.n_units, 1)
        # The diagonal holds the weights of a unit's experts in the unit's own row.
        native = torch.diag_embed(weight.mT).permute(1, 2, 0).flatten(1)
        return gates + F.pad(native, self.others)

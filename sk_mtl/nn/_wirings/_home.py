"""The wiring of the hierarchy of multi-gate experts."""

from collections.abc import Hashable, Sequence
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sk_mtl._task_groups import group_of_each_task
from sk_mtl.nn._encoding._encoded import Encoded
from sk_mtl.nn._experts._experts import (
    Experts,
    Gates,
    at_least_one_layer,
    linear_beside,
)
from sk_mtl.nn._experts._feature_gates import FeatureGates
from sk_mtl.nn._experts._grouped import (
    GroupedExperts,
    GroupedGates,
    batched_beside,
    mix_own,
)
from sk_mtl.nn._wirings._levels import LevelResults, at_least
from sk_mtl.nn._wirings._mixture_wiring import (
    MixtureWiring,
    among_all,
    numbered,
)


class HoME(MixtureWiring):
    r"""shared (n, in_width) -> (n, n_tasks, expert_hidden_sizes[-1]).

    Hierarchy of multi-gate experts, for tasks in groups, such as watching and
    interacting. Experts are normalised, so that their results are comparable for gates.
    A hierarchy of masks decides which experts a task reads: the shared experts, the
    experts of its group, and its own.

    The first, *meta* level has experts :math:`E_s` shared by all groups and
    :math:`E_c` of each group :math:`c`. They turn the encoder's row :math:`x` into one
    row for each group and one for all,

    .. math:: z^c = \sum_{e \in E_c \cup E_s} g^c_e(x) f_e
                    + \sum_{e \in E_c} h^c_e(x) f_e, \quad
              z^s = \sum_{e \in E_1 \cup ... \cup E_G \cup E_s} g^s_e(x) f_e
                    + \sum_{e \in E_s} h^s_e(x) f_e.

    At the second level a task :math:`k` of group :math:`c` reads
    :math:`z = [z^c, z^s]` through three sets of experts, the shared, the group's and
    its own :math:`E'_k`,

    .. math:: y^k = \sum_{e \in E'_k \cup E'_c \cup E'_s} g^k_e(z) f_e
                    + \sum_{e \in E'_k} h^k_e(z) f_e.

    :math:`f_e` is the result of expert :math:`e`, from layers of the form
    ``activation`` (norm(:math:`W x + b`)). Gates :math:`g` are softmaxes. The second
    sums are *self gates*: a path to a set's own experts that does not compete with
    other experts, so that the experts of tasks with few labels are trained too.
    :math:`h` is a softmax, or a sigmoid for a single expert. Every set of experts reads
    its rows through its own low-rank *feature gate*, which scales each column by 0 to
    2. Gates read the rows unscaled. The shared experts of the second level read the
    rows of every group, and are normalised over all of them at once. This, the offsets
    of feature gates and hidden layers of gates are additions to the paper.

    Parameters
    ----------
    in_width : int
        The encoder's width.
    n_tasks : int
        The number of tasks.
    groups : sequence of sequence of int or None, default=None
        The tasks of each group, by their index; every task belongs to exactly one
        group. None makes one group of all tasks. With groups of one task each, a
        group's experts are the task's.
    n_shared_experts : int, default=2
        The experts of each level that all tasks share, at least 1.
    n_group_experts : int, default=1
        The experts of each group at each level, at least 1.
    n_task_experts : int, default=1
        The experts of each task at the second level, at least 1.
    expert_hidden_sizes : sequence of int, default=(32,)
        The layers of every expert, at least one. With the other defaults, two tasks
        and a row of 100 numbers this is about as large as an `MMoE` of four experts of
        64 units.
    gate_hidden_sizes : sequence of int, default=()
        Hidden layers of gates and self gates before the softmax.
    n_feature_gates : int, default=2
        Number of low-rank gates that a feature gate mixes, at least 1.
    feature_gate_rank : int, default=3
        Rank of these gates, at least 1. A larger rank lets the choice of columns depend
        on more of the row, with 2 * in_width more weights for each gate and unit of
        rank.
    activation : str, default="silu"
        One of `ACTIVATIONS`, for experts and for hidden layers of gates. The default,
        also called Swish, is the paper's: unlike a rectifier it has no units that are
        zero for most rows.
    dropout : float, default=0.0
        The share of each expert layer's units that are zeroed in training.
    batch_norm : bool, default=True
        Whether expert layers are normalised over the batch before their activation, as
        always in the paper. Without normalisation a gate may settle on the experts with
        the largest results.

    Attributes
    ----------
    out_width : int
        The last of ``expert_hidden_sizes``.

    shared_by_members : tuple of str
        With ``sharing="most"`` the members of an ensemble share the experts, without
        their normalisations. Each has its own gates of all kinds.

    References
    ----------
    X. Wang, J. Cao, Z. Fu, K. Gai and G. Zhou (2024). HoME: Hierarchy of Multi-Gate
    Experts for Multi-Task Learning at Kuaishou. arXiv:2408.05430.

    Examples
    --------
    Three tasks in two groups. At the meta level there are an expert of each group and
    two that all share, at the second level also an expert of each task.

    >>> import torch
    >>> from sk_mtl.nn import Encoded, HoME
    >>> wiring = HoME(5, 3, groups=[[0, 2], [1]])
    >>> encoded = Encoded(torch.randn(7, 5))
    >>> wiring(encoded).shape, [each.shape for each in wiring.gate_weights(encoded)]
    (torch.Size([7, 3, 32]), [torch.Size([7, 3, 4]), torch.Size([7, 3, 7])])
    """

    shared_by_members = ("experts",)
    group_of_task: Tensor

    def __init__(
        self,
        in_width: int,
        n_tasks: int,
        *,
        groups: Sequence[Sequence[int]] | None = None,
        n_shared_experts: int = 2,
        n_group_experts: int = 1,
        n_task_experts: int = 1,
        expert_hidden_sizes: Sequence[int] = (32,),
        gate_hidden_sizes: Sequence[int] = (),
        n_feature_gates: int = 2,
        feature_gate_rank: int = 3,
        activation: str = "silu",
        dropout: float = 0.0,
        batch_norm: bool = True,
    ) -> None:
        super().__init__()
        numbers = {
            "n_shared_experts": n_shared_experts,
            "n_group_experts": n_group_experts,
            "n_task_experts": n_task_experts,
            "n_feature_gates": n_feature_gates,
            "feature_gate_rank": feature_gate_rank,
        }
        for name, number in numbers.items():
            at_least(name, number, 1)
        group_of_task = group_of_each_task(groups, range(n_tasks))
        n_groups = max(group_of_task) + 1
        self.n_tasks, self.n_groups = n_tasks, n_groups
        self.register_buffer(
            "group_of_task", torch.tensor(group_of_task), persistent=False
        )
        sizes = at_least_one_layer(expert_hidden_sizes, "expert_hidden_sizes")
        self.out_width = sizes[-1]
        width = 2 * self.out_width

        layers = {
            "hidden_sizes": expert_hidden_sizes,
            "activation": activation,
            "dropout": dropout,
            "batch_norm": batch_norm,
        }
        shared, grouped = partial(Experts, **layers), partial(GroupedExperts, **layers)
        self.experts = nn.ModuleDict(
            {
                "meta_shared": shared(in_width, n_shared_experts),
                "meta_groups": grouped(in_width, n_groups, n_group_experts),
                "shared": shared(width, n_shared_experts),
                "groups": grouped(width, n_groups, n_group_experts),
                "tasks": grouped(width, n_tasks, n_task_experts),
            }
        )
        options = {"hidden_sizes": gate_hidden_sizes, "activation": activation}
        gates, own_gates = partial(Gates, **options), partial(GroupedGates, **options)
        reached = n_group_experts + n_shared_experts
        every = n_groups * n_group_experts + n_shared_experts
        self.gates = nn.ModuleDict(
            {
                "meta_groups": gates(in_width, n_groups, reached),
                "meta_shared": gates(in_width, 1, every),
                "tasks": own_gates(width, n_tasks, n_task_experts + reached),
            }
        )
        # For a single expert, a softmax over its score and 0 is the sigmoid.
        self.self_gates = nn.ModuleDict(
            {
                "meta_groups": gates(in_width, n_groups, max(n_group_experts, 2)),
                "meta_shared": gates(in_width, 1, max(n_shared_experts, 2)),
                "tasks": own_gates(width, n_tasks, max(n_task_experts, 2)),
            }
        )
        features = partial(
            FeatureGates, n_gates=n_feature_gates, rank=feature_gate_rank
        )
        self.feature_gates = nn.ModuleDict(
            {
                "meta": features(in_width, n_groups + 1, own_rows=False),
                "shared": features(width, 1, own_rows=False),
                "groups": features(width, n_groups, own_rows=True),
                "tasks": features(width, n_tasks, own_rows=True),
            }
        )

    def forward(self, encoded: Encoded) -> Tensor:
        """Return each task's row after both levels."""
        return self._tasks(self._meta(encoded.shared)[0])[0]

    def gate_weights(self, encoded: Encoded) -> list[Tensor]:
        """Return the weights of gates and self gates, added, at both levels.

        At the meta level a task has the weights of its group, over the experts of all
        groups and the shared ones; at the second level the experts of all tasks stand
        before these. The gate of the row that all groups share is left out.
        """
        meta, results = self._meta(encoded.shared)
        own, shared = results.task_gates.tensor_split([results.tasks.shape[2]], 2)
        groups = torch.cat([among_all(own), shared], 2)
        own, common = self._tasks(meta)[1]
        of_group, shared = common.tensor_split([self.experts["groups"].n_experts], 2)
        is_group = F.one_hot(self.group_of_task, self.n_groups).unsqueeze(2)
        of_groups = (of_group.unsqueeze(2) * is_group).flatten(2)
        return [
            groups.index_select(1, self.group_of_task),
            torch.cat([among_all(own), of_groups, shared], 2),
        ]

    def expert_names(self, task_names: Sequence[Hashable]) -> list[list[str]]:
        """Return the names of the experts of groups, as ``group_0_1``, and shared ones.

        At the second level the names of each task's experts come first.
        """
        groups = [f"group_{k}" for k in range(self.n_groups)]
        meta = numbered(groups, self.experts["groups"].n_experts)
        meta += numbered(["shared"], self.experts["shared"].n_experts)
        return [meta, numbered(task_names, self.experts["tasks"].n_experts) + meta]

    def _meta(self, x: Tensor) -> tuple[Tensor, LevelResults]:
        """(n, in_width) -> (n, n_groups, 2 * out_width), each group's row and all's."""
        features, experts = self.feature_gates["meta"], self.experts
        gates = [*_both(self.gates), *_both(self.self_gates)]
        first = [features.first, *(gate.first for gate in gates)]
        seen, *scores = linear_beside(x, *((each.weight, each.bias) for each in first))
        seen = features.finish(seen, x.unsqueeze(1))
        of_groups, of_all = seen.split([self.n_groups, 1], 1)
        groups = experts["meta_groups"](of_groups)
        shared = experts["meta_shared"](of_all.squeeze(1))
        n_own, n_shared = groups.shape[2], shared.shape[1]
        group, every, own, own_shared = (
            gate.finish(score) for gate, score in zip(gates, scores)
        )
        # Groups at the meta level correspond to tasks at a level of other wirings.
        results = LevelResults(
            groups,
            shared,
            group + F.pad(own[..., :n_own], (0, n_shared)),
            every + F.pad(own_shared[..., :n_shared], (self.n_groups * n_own, 0)),
        )
        common = results.mix_shared(results.shared_gate).unsqueeze(1)
        rows = [results.mix_own(), common.expand(-1, self.n_groups, -1)]
        return torch.cat(rows, 2), results

    def _tasks(self, meta: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """(n, n_groups, 2 * out_width) -> (n, n_tasks, out_width), and the weights.

        Those of each task's own experts, and of its group's and the shared ones.
        """
        rows = meta.index_select(1, self.group_of_task)
        ways = [self.feature_gates, self.gates, self.self_gates]
        features, gates, self_gates = (way["tasks"] for way in ways)
        seen, scores, self_scores = batched_beside(
            rows, features.first, gates.first, self_gates.first
        )
        own = self.experts["tasks"](features.finish(seen, rows))
        common = self._common(meta).index_select(1, self.group_of_task)
        weights, self_weights = gates.finish(scores), self_gates.finish(self_scores)
        own_weights, common_weights = weights.split([own.shape[2], common.shape[2]], 2)
        own_weights = own_weights + self_weights[..., : own.shape[2]]
        rows = mix_own(own_weights, own) + mix_own(common_weights, common)
        return rows, (own_weights, common_weights)

    def _common(self, meta: Tensor) -> Tensor:
        """Return the results of each group's experts and of the shared ones."""
        groups = self.experts["groups"](self.feature_gates["groups"](meta))
        # The shared experts are the same for all groups and read their rows as one
        # larger batch.
        rows = self.feature_gates["shared"](meta.flatten(0, 1).unsqueeze(1)).squeeze(1)
        shared = self.experts["shared"](rows).unflatten(0, meta.shape[:2])
        return torch.cat([groups, shared], 2)


def _both(gates: nn.ModuleDict) -> tuple[nn.Module, nn.Module]:
    """Return the gates of the meta level."""
    return gates["meta_groups"], gates["meta_shared"]

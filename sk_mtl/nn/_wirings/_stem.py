"""The wiring of shared and task-specific embeddings."""

from collections.abc import Hashable, Sequence
from typing import Unpack

import torch
from torch import Tensor

from sk_mtl.nn._encoding._encoded import Encoded
from sk_mtl.nn._experts._experts import Experts
from sk_mtl.nn._experts._task_experts import TaskExperts, TaskGates
from sk_mtl.nn._layers import LayerOptions
from sk_mtl.nn._wirings._mixture_wiring import MixtureWiring, numbered


class STEM(MixtureWiring):
    r"""shared (n, in_width), per_task (n, n_tasks, in_width) -> (n, n_tasks, width).

    Shared and task-specific embeddings; the width is ``expert_hidden_sizes[-1]``. The
    experts :math:`f^k_e` of task :math:`k` read the row :math:`x^k` of the task's own
    encoder; shared experts :math:`f_s` read the row :math:`x` of a shared encoder. The
    task's gate mixes its own experts, the shared ones and, with the gradient stopped
    (:math:`\mathrm{sg}`), the experts of all other tasks,

    .. math:: y^k = \sum_e g^k_{ke} f^k_e(x^k) + \sum_s g^k_s f_s(x)
              + \sum_{j \ne k} \sum_e g^k_{je}\, \mathrm{sg}(f^j_e(x^j)), \quad
              g^k = \mathrm{softmax}(W^k (x^k + x) + b^k),

    with ``n_task_experts`` experts :math:`e` per task and ``n_shared_experts`` experts
    :math:`s`. In the forward pass every task uses the other tasks' features; in the
    backward pass its loss changes only its own and the shared embeddings, so a task's
    embeddings stay specific to that task.

    Parameters
    ----------
    in_width : int
        The width of the shared row and of each task's.
    n_tasks : int
        The number of tasks, one gate each.
    n_shared_experts : int, default=1
        The number of experts that all tasks train.
    n_task_experts : int, default=1
        The number of experts of each task.
    expert_hidden_sizes : sequence of int, default=(64,)
        The layers of every expert, at least one.
    gate_hidden_sizes : sequence of int, default=()
        Hidden layers of every gate before the softmax. With none the gate is linear.
    **layers
        `LayerOptions` of the experts; hidden layers of gates have the ``activation``.

    Attributes
    ----------
    out_width : int
        The last of ``expert_hidden_sizes``.

    shared_by_members : tuple of str
        With ``sharing="most"`` the members of an ensemble share the shared and the task
        experts. Each has its own gates.

    References
    ----------
    L. Su, J. Pan, X. Wang, X. Xiao, S. Quan, X. Chen and J. Jiang (2024). STEM:
    Unleashing the Power of Embeddings for Multi-Task Recommendation. AAAI.

    Examples
    --------
    Two tasks with two experts each and a shared one: a gate weighs all five.

    >>> import torch
    >>> from sk_mtl.nn import STEM, Encoded
    >>> wiring = STEM(5, 2, n_task_experts=2)
    >>> encoded = Encoded(torch.ones(7, 5), per_task=torch.ones(7, 2, 5))
    >>> wiring(encoded).shape, wiring.gate_weights(encoded)[0].shape
    (torch.Size([7, 2, 64]), torch.Size([7, 2, 5]))
    """

    embedding_sets = "both"
    shared_by_members = ("shared_experts", "task_experts")

    other_tasks: Tensor

    def __init__(
        self,
        in_width: int,
        n_tasks: int,
        *,
        n_shared_experts: int = 1,
        n_task_experts: int = 1,
        expert_hidden_sizes: Sequence[int] = (64,),
        gate_hidden_sizes: Sequence[int] = (),
        **layers: Unpack[LayerOptions],
    ) -> None:
        super().__init__()
        self.n_tasks, self.n_task_experts = n_tasks, n_task_experts
        self.shared_experts = Experts(
            in_width, n_shared_experts, expert_hidden_sizes, **layers
        )
        self.task_experts = TaskExperts(
            n_tasks, in_width, n_task_experts, expert_hidden_sizes, **layers
        )
        self.gates = TaskGates(
            n_tasks,
            in_width,
            n_tasks * n_task_experts + n_shared_experts,
            hidden_sizes=gate_hidden_sizes,
            activation=layers.get("activation", "relu"),
        )
        others = 1.0 - torch.eye(n_tasks).unsqueeze(2)
        self.register_buffer("other_tasks", others, persistent=False)
        self.out_width = self.shared_experts.out_width

    def forward(self, encoded: Encoded) -> Tensor:
        """Mix own, shared and other tasks' experts by each task's gate."""
        shared = self.shared_experts(encoded.shared)
        experts = self.task_experts(encoded.per_task.transpose(0, 1))
        (weights,) = self.gate_weights(encoded)
        n_of_tasks = weights.shape[2] - shared.shape[1]
        of_tasks, of_shared = weights.split([n_of_tasks, shared.shape[1]], 2)
        of_tasks = of_tasks.unflatten(2, (self.n_tasks, -1))
        own = of_tasks.diagonal(dim1=1, dim2=2).mT.unsqueeze(3)
        others = (of_tasks * self.other_tasks).flatten(2)
        # One product mixes all results whose gradient does not reach the task's own
        # experts.
        rest = torch.bmm(
            torch.cat([others, of_shared], 2),
            torch.cat([experts.detach().flatten(1, 2), shared], 1),
        )
        return rest + (own * experts).sum(2)

    def gate_weights(self, encoded: Encoded) -> list[Tensor]:
        """Return the mixing weights, (n_samples, n_tasks, n_experts), each row sum 1.

        The experts are ordered by task, with the shared ones last.
        """
        rows = encoded.per_task + encoded.shared.unsqueeze(1)
        return [self.gates(rows.transpose(0, 1))]

    def expert_names(self, task_names: Sequence[Hashable]) -> list[list[str]]:
        """Return the names of each task's experts, then of the shared ones."""
        names = numbered(task_names, self.n_task_experts)
        return [names + numbered(["shared"], self.shared_experts.n_experts)]

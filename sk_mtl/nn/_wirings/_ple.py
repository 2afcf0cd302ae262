"""The wiring of progressive layered extraction."""

from torch import Tensor

from sk_mtl.nn._wirings._levels import LevelResults, LevelWiring


class PLE(LevelWiring):
    r"""shared (n, in_width) -> (n, n_tasks, expert_hidden_sizes[-1]).

    Progressive layered extraction. Every level has experts that belong to one task and
    experts that all tasks share, so that common and task-specific features are separate
    from the start. At level :math:`l` = 1, ..., ``n_levels`` the experts of task
    :math:`k` read its rows :math:`x^k_{l-1}`, the shared ones :math:`x^s_{l-1}`, and
    gates mix the results,

    .. math:: x^k_l = \sum_{e \in E_k \cup E_s} g^k_e(x^k_{l-1}) f_e, \quad
              x^s_l = \sum_{e \in E_1 \cup ... \cup E_K \cup E_s} g^s_e(x^s_{l-1}) f_e,

    where :math:`x^k_0 = x^s_0` is the encoder's row, :math:`E_k` are the
    ``n_task_experts`` of the task, :math:`E_s` the ``n_shared_experts``, :math:`f_e`
    the result of expert :math:`e`, and :math:`g` a softmax. A task does not read other
    tasks' experts directly, only through the shared rows from the level below. The last
    level has no shared gate. With one level this is `CGC`.

    At the first level all experts and gates read the same rows and are **one** product;
    from the second on each task has its own rows, and the product is batched over the
    tasks.

    Parameters
    ----------
    in_width : int
        The encoder's width.
    n_tasks : int
        The number of tasks, :math:`K`.
    n_levels : int, default=2
        The number of levels, at least 1. More separate the tasks more gradually.
    n_shared_experts : int, default=2
        The number of shared experts of each level, at least 1. More increase sharing.
    n_task_experts : int, default=2
        The number of experts of each task at each level, at least 1. More separate the
        tasks.
    expert_hidden_sizes : sequence of int, default=(32,)
        The layers of every expert, at least one. The default makes two tasks that read
        a row of 100 numbers about as large as an `MMoE` of four experts of 64 units.
    gate_hidden_sizes : sequence of int, default=()
        Hidden layers of every gate before the softmax. With none the gate is linear,
        as in the paper.
    gate : {"softmax", "top_k", "dselect_k"} or callable, default="softmax"
        The head that turns a gate's scores into weights, as in `MMoE`, for both task
        and shared gates.
    **layers
        `LayerOptions` of the experts; hidden layers of gates take its activation.

    Attributes
    ----------
    out_width : int
        The last of ``expert_hidden_sizes``.

    shared_by_members : tuple of str
        With ``sharing="most"`` the members of an ensemble share the experts. Each has
        gates of its own.

    References
    ----------
    H. Tang, J. Liu, M. Zhao and X. Gong (2020). Progressive Layered Extraction (PLE): A
    Novel Multi-Task Learning (MTL) Model for Personalized Recommendations. RecSys.

    Examples
    --------
    Four tasks with two experts each, and three shared ones. At each of two levels a
    task's gate weighs five of these eleven.

    >>> import torch
    >>> from sk_mtl.nn import PLE, Encoded
    >>> wiring, encoded = PLE(5, 4, n_shared_experts=3), Encoded(torch.ones(7, 5))
    >>> wiring(encoded).shape
    torch.Size([7, 4, 32])
    >>> [(each.shape, int((each[0, 0] > 0).sum()))
    ...  for each in wiring.gate_weights(encoded)]
    [(torch.Size([7, 4, 11]), 5), (torch.Size([7, 4, 11]), 5)]
    """

    reaches_all = False
    least_shared = 1

    def fuse(self, level: int, results: LevelResults) -> tuple[Tensor, Tensor | None]:
        """Mix own and shared experts for each task, and all experts for shared rows."""
        if results.shared_gate is None:
            return results.mix_own(), None
        return results.mix_own(), results.mix_shared(results.shared_gate)

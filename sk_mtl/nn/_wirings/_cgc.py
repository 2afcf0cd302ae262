"""The wiring of customised gate control."""

from typing import Any

from sk_mtl.nn._wirings._ple import PLE


class CGC(PLE):
    r"""shared (n, in_width) -> (n, n_tasks, expert_hidden_sizes[-1]).

    Customised gate control: `PLE` with one level. Each task :math:`k` mixes its own
    experts :math:`E_k` and the shared ones :math:`E_s` by its own gate,

    .. math:: x^k = \sum_{e \in E_k \cup E_s} g^k_e(x) f_e(x), \quad
              g^k(x) = \mathrm{softmax}(W^k x + b^k),

    with ``n_task_experts`` in each :math:`E_k` and ``n_shared_experts`` in
    :math:`E_s`. In an `MMoE` every task trains every expert; here other tasks cannot
    change a task's own experts.

    Parameters
    ----------
    in_width : int
        The encoder's width.
    n_tasks : int
        The number of tasks.
    **options
        As in `PLE`, without ``n_levels``.

    References
    ----------
    Tang et al. (2020), the paper of `PLE`.

    Examples
    --------
    A task's gate weighs its own expert and the three shared ones; the other task's
    expert has the weight 0.

    >>> import torch
    >>> from sk_mtl.nn import CGC, Encoded
    >>> wiring = CGC(5, 2, n_shared_experts=3, n_task_experts=1)
    >>> encoded = Encoded(torch.ones(7, 5))
    >>> wiring(encoded).shape, wiring.gate_weights(encoded)[0].shape
    (torch.Size([7, 2, 32]), torch.Size([7, 2, 5]))
    """

    def __init__(self, in_width: int, n_tasks: int, **options: Any) -> None:
        super().__init__(in_width, n_tasks, n_levels=1, **options)

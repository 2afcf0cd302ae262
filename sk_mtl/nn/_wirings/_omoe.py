"""The wiring of the one-gate mixture of experts."""

from typing import Any

from torch import Tensor

from sk_mtl.nn._encoding._encoded import Encoded
from sk_mtl.nn._wirings._mmoe import MMoE


class OMoE(MMoE):
    r"""shared (n, in_width) -> (n, n_tasks, expert_hidden_sizes[-1]), a view.

    One-gate mixture of experts: as `MMoE`, but all tasks share one gate,

    .. math:: f(x) = \sum_{e=1}^{E} g_e(x) f_e(x), \quad
              g(x) = \mathrm{softmax}(W x + b),

    with :math:`E` = ``n_experts``. The experts specialise in rows, and not in tasks.

    Parameters
    ----------
    in_width : int
        The encoder's width.
    n_tasks : int
        The number of towers that read the mixture.
    **options
        As in `MMoE`.

    References
    ----------
    R. A. Jacobs, M. I. Jordan, S. J. Nowlan and G. E. Hinton (1991). Adaptive Mixtures
    of Local Experts. Neural Computation 3(1), 79-87.

    Examples
    --------
    Two tasks read the same mixture of three experts.

    >>> import torch
    >>> from sk_mtl.nn import Encoded, OMoE
    >>> wiring, encoded = OMoE(5, 2, n_experts=3), Encoded(torch.ones(7, 5))
    >>> wiring(encoded).shape, wiring.gate_weights(encoded)[0].shape
    (torch.Size([7, 2, 64]), torch.Size([7, 2, 3]))
    """

    def __init__(self, in_width: int, n_tasks: int, **options: Any) -> None:
        super().__init__(in_width, 1, **options)
        self.n_tasks = n_tasks

    def with_penalty(self, encoded: Encoded) -> tuple[Tensor, Tensor | None]:
        """Return the one mixture for every task; its gate's penalty is added once."""
        rows, penalty = super().with_penalty(encoded)
        return rows.expand(-1, self.n_tasks, -1), penalty

    def gate_weights(self, encoded: Encoded) -> list[Tensor]:
        """Return the mixing weights, (n_samples, n_tasks, n_experts), a view."""
        (weights,) = super().gate_weights(encoded)
        return [weights.expand(-1, self.n_tasks, -1)]

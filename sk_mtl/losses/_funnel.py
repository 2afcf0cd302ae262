"""Each column of y a step that is reached only through the one before."""

import torch
import torch.nn.functional as F
from torch import Tensor

from sk_mtl.losses._structures import Structure, binary_log_proba, log_mean_exp


class FunnelStructure(Structure):
    r"""logits (n, n_steps) -> losses (n, n_steps) over the entire space.

    Column k of y says "reached step k", for instance clicked, then bought. The logit
    :math:`z_k` is that of reaching step k *given* step k - 1, so

    .. math:: P_k = \prod_{j \le k} \sigma(z_j),

    and a row's loss on step k is the binary cross-entropy of the product :math:`P_k`
    against column k. It is taken over all rows, those that failed before included.
    With two steps the sum of both columns is the paper's loss, that of the
    click-through rate plus that of click-and-conversion, and no conversion rate is
    learnt on clicked rows alone.

    Nothing is multiplied: with :math:`\ell_k = \sum_{j \le k} \log \sigma(z_j) = \log
    P_k`, the ways to miss step k are "lost at step j" for each :math:`j \le k`,

    .. math:: \log(1 - P_k) = \mathrm{logsumexp}_{j \le k}
              (\ell_{j-1} + \log \sigma(-z_j)),

    and the difference of the two is the logit of :math:`P_k`. Losses and probabilities
    are computed from this *cumulative logit* by the usual stable functions. Gradients
    and probabilities so keep their relative precision in very rare steps, where
    :math:`1 - P_k` rounds to 1, and stay finite where all logits are in the hundreds.

    Parameters
    ----------
    n_steps : int
        The number of steps.

    References
    ----------
    X. Ma, L. Zhao, G. Huang, Z. Wang, Z. Hu, X. Zhu and K. Gai (2018). Entire Space
    Multi-Task Model: An Effective Approach for Estimating Post-Click Conversion Rate.
    SIGIR.

    Examples
    --------
    Each step is reached with probability 1/2 from the one before.

    >>> import torch
    >>> from sk_mtl.losses import FunnelStructure
    >>> structure = FunnelStructure(2)
    >>> [log_proba.exp() for log_proba in structure.log_proba(torch.zeros(1, 2))]
    [tensor([[0.5000, 0.5000]]), tensor([[0.7500, 0.2500]])]
    """

    def __init__(self, n_steps: int) -> None:
        if n_steps < 1:
            raise ValueError(
                f"n_steps must be at least 1; found {n_steps}. Give one column of y "
                "for each step."
            )
        self.n_tasks = n_steps
        self.head_widths = (1,) * n_steps

    def row_losses(self, logits: Tensor, y: Tensor) -> Tensor:
        """Return the cross-entropy of reaching each step, (n_samples, n_steps)."""
        return F.binary_cross_entropy_with_logits(
            self.cumulative_logits(logits), y, reduction="none"
        )

    def log_proba(self, logits: Tensor) -> list[Tensor]:
        """Return per step the log-probabilities of not reaching and of reaching it."""
        return binary_log_proba(self.cumulative_logits(logits))

    def conditional_log_proba(self, logits: Tensor) -> list[Tensor]:
        """Return per step the log-probabilities given that the step before was reached.

        Each is (n_samples, 2); the second column is the step's own rate, such as the
        click-through rate and the conversion rate of a click.
        """
        return binary_log_proba(logits)

    def combine(self, logits: Tensor) -> Tensor:
        """Return the logits of the mean of several networks' probabilities.

        The mean is taken of the products P_k, and what is returned are the logits of
        the steps that give them: the odds of going on at step k are those of the
        members' mean chance to reach it to their mean chance to be lost there.
        """
        reached = F.logsigmoid(logits).cumsum(2)
        lost_here = F.pad(reached[..., :-1], (1, 0)) + F.logsigmoid(-logits)
        return log_mean_exp(reached) - log_mean_exp(lost_here)

    def cumulative_logits(self, logits: Tensor) -> Tensor:
        """Return the logits of the products P_k, (n_samples, n_steps)."""
        reached = F.logsigmoid(logits).cumsum(1)
        lost_here = F.pad(reached[:, :-1], (1, 0)) + F.logsigmoid(-logits)
        # One row of `ways` per step. The mask instead of a cumulative logsumexp
        # costs nothing at a handful of steps, is more exact at large logits, and
        # has a counterpart in ONNX.
        shape = (self.n_tasks, self.n_tasks)
        later = torch.ones(shape, dtype=torch.bool, device=logits.device).triu(1)
        ways = lost_here.unsqueeze(1).masked_fill(later, -torch.inf)
        return reached - torch.logsumexp(ways, 2)

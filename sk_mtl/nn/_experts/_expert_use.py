"""Measures against gates that rely on too few experts."""

import torch
from torch import Tensor, nn


class ExpertDropout(nn.Module):
    r"""weights (n, n_gates, n_experts) -> the same shape; training drops experts.

    In training every weight is zeroed with the chance :math:`p` = ``rate``, drawn for
    each row and gate, and the others are scaled to keep the sum: whole experts are
    missing from the mixture, which does not shrink. A gate that would lose all its
    experts in a row keeps all of them.

    Parameters
    ----------
    rate : float
        In [0, 1). Larger makes tasks rely less on any single expert; too large blurs
        the differences between the experts.

    Examples
    --------
    Of three even weights some are zero, and the others share the rest.

    >>> import torch
    >>> from sk_mtl.nn._experts._expert_use import ExpertDropout
    >>> weights = ExpertDropout(0.5)(torch.full((1000, 1, 3), 1 / 3))
    >>> sorted({round(weight, 2) for weight in weights.flatten().tolist()})
    [0.0, 0.33, 0.5, 1.0]
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, weights: Tensor) -> Tensor:
        """Drop experts in training; return the weights unchanged otherwise."""
        if not self.training or self.rate == 0:
            return weights
        kept = weights * (torch.rand_like(weights) >= self.rate)
        total = kept.sum(2, keepdim=True)
        # Do not divide by a sum that consists of rounding errors.
        some = total > torch.finfo(total.dtype).eps
        scale = weights.sum(2, keepdim=True) / torch.where(some, total, 1.0)
        return torch.where(some, kept * scale, weights)

    def extra_repr(self) -> str:
        """Return the settings that ``repr`` shows."""
        return f"rate={self.rate}"


def uneven_use(weights: Tensor) -> Tensor:
    r"""(n, n_gates, n_experts) -> (), a measure of uneven use of the experts.

    The importance :math:`I_{ke} = \sum_n g^k_e(x_n)` of expert :math:`e` to gate
    :math:`k` is the sum of its weights over the batch. The result is the squared
    coefficient of variation, summed over the gates,

    .. math:: \sum_k \frac{\mathrm{Var}_e(I_{ke})}{\mathrm{Mean}_e(I_{ke})^2},

    with the variance over the :math:`E` experts (divided by :math:`E`): 0 for a gate
    that uses all experts equally, and :math:`E - 1` for a gate that uses only one.

    References
    ----------
    N. Shazeer et al. (2017). Outrageously Large Neural Networks: The Sparsely-Gated
    Mixture-of-Experts Layer. ICLR. arXiv:1701.06538.

    Examples
    --------
    Over four rows, one gate uses only the first of three experts.

    >>> import torch
    >>> from sk_mtl.nn._experts._expert_use import uneven_use
    >>> uneven_use(torch.tensor([1.0, 0.0, 0.0]).expand(4, 1, 3))
    tensor(2.)
    """
    importance = weights.sum(0)
    mean = importance.mean(1)
    # Without rows there is no importance, and the result is 0.
    least = torch.finfo(mean.dtype).tiny
    return (importance.var(1, correction=0) / mean.square().clamp_min(least)).sum()

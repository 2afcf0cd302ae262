"""The zero-inflated log-normal: many zeros, and a few large numbers."""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from sk_mtl.losses._outputs._numerics import (
    LARGEST_LOG_MEAN,
    inverse_softplus,
    log_mean_exp,
)
from sk_mtl.losses._outputs._task_output import TaskOutput

# The least spread of the logarithms: without it a target that is the same in all rows
# would have an infinite likelihood. And the largest, whose square is a number.
_LEAST_SIGMA, _LARGEST_SIGMA = 1e-3, 1e6


@dataclass(frozen=True)
class ZILNOutput(TaskOutput):
    r"""heads (n, n_tasks, 3) -> mean and log-chance of a positive, (n, n_tasks, 2).

    A target that is zero with probability :math:`1 - p` and else log-normal, as what a
    customer spends:

    .. math:: \ell = \mathrm{CE}(p, [y > 0]) + [y > 0] \left( \log y + \log \sigma
              + \tfrac12 \log 2 \pi + \frac{(\log y - \mu)^2}{2 \sigma^2} \right),

    with the logits of :math:`p`, :math:`\mu`, and of :math:`\sigma` through a
    softplus. The mean is :math:`p \, e^{\mu + \sigma^2 / 2}`, at most
    :math:`e^{70}`.

    Beyond the paper, 0.001 is added to the softplus: without such a floor a target that
    is the same in all rows makes an infinite likelihood. The authors' code takes the
    larger of the softplus and 0.0003 instead, which stops the gradient of
    :math:`\sigma` there. And :math:`\sigma` is cut off at a million.

    References
    ----------
    X. Wang, T. Liu and J. Miao (2019). A Deep Probabilistic Model for Customer Lifetime
    Value Prediction. arXiv:1912.07753.

    Examples
    --------
    Even odds of a log-normal of logarithmic mean 0.

    >>> import torch
    >>> from sk_mtl.losses import ZILNOutput
    >>> heads = torch.tensor([[[0.0, 0.0, 0.5413]]])
    >>> ZILNOutput().answers(heads)
    tensor([[[ 0.8252, -0.6931]]])
    """

    domain = "nonnegative"
    width = 3
    may_be_negative = True
    zero_inflated = True

    def row_losses(self, heads: Tensor, y: Tensor) -> Tensor:
        """Return the negative log-likelihoods."""
        logit, mu, sigma = _parts(heads)
        positive = y > 0
        # Where y is zero any logarithm will do: a masked NaN still has a gradient.
        log_y = torch.where(positive, y, 1.0).log()
        amount = (
            log_y
            + sigma.log()
            + 0.5 * math.log(2 * math.pi)
            + 0.5 * ((log_y - mu) / sigma).square()
        )
        chance = F.binary_cross_entropy_with_logits(
            logit, positive.to(logit.dtype), reduction="none"
        )
        return chance + positive * amount

    def answers(self, heads: Tensor) -> Tensor:
        """Return the mean, and the logarithm of the chance of a positive number."""
        logit, mu, sigma = _parts(heads)
        chance = F.logsigmoid(logit)
        log_mean = chance + mu + sigma.square() / 2
        return torch.stack([log_mean.clamp(max=LARGEST_LOG_MEAN).exp(), chance], 2)

    def combine(self, heads: Tensor) -> Tensor:
        """Return logits with the mean chance and the mean of several networks' means.

        A mixture of log-normals is none. The spread is the networks' mean spread, and
        the location is set so that the mean is right.
        """
        logit, mu, sigma = _parts(heads)
        positive = log_mean_exp(F.logsigmoid(logit))
        negative = log_mean_exp(F.logsigmoid(-logit))
        log_mean = log_mean_exp(F.logsigmoid(logit) + mu + sigma.square() / 2)
        spread = sigma.mean(0)
        location = log_mean - positive - spread.square() / 2
        raw = inverse_softplus(spread - _LEAST_SIGMA)
        return torch.stack([positive - negative, location, raw], 2)


def _parts(heads: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    logit, mu, raw = heads.unbind(-1)
    sigma = (F.softplus(raw) + _LEAST_SIGMA).clamp(max=_LARGEST_SIGMA)
    return logit, mu, sigma

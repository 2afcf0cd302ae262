"""Numbers: means under squared, absolute, Huber, Poisson and gamma losses."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from sk_mtl.losses._outputs._numerics import bounded_exp, log_mean_exp, steady_exp
from sk_mtl.losses._outputs._task_output import TaskOutput


class _IdentityOutput(TaskOutput):
    """One logit, which is the answer itself."""

    domain = "real"
    width = 1

    def answers(self, heads: Tensor) -> Tensor:
        """Return the predicted numbers, (n_samples, n_tasks, 1)."""
        return heads

    def combine(self, heads: Tensor) -> Tensor:
        """Return the mean of several networks' numbers."""
        return heads.mean(0)


class _LogOutput(TaskOutput):
    """One logit, the logarithm of a mean that is positive.

    Means are answered between e^-70 and e^70, and the exponential in the loss continues
    as a logarithm beyond e^70: no logit makes an infinite answer or loss.
    """

    width = 1

    def answers(self, heads: Tensor) -> Tensor:
        """Return the predicted means, (n_samples, n_tasks, 1)."""
        return bounded_exp(heads)

    def combine(self, heads: Tensor) -> Tensor:
        """Return the logarithm of the mean of several networks' means."""
        return log_mean_exp(heads)


@dataclass(frozen=True)
class SquaredErrorOutput(_IdentityOutput):
    """A number and its squared error; what is predicted is the conditional mean."""

    def row_losses(self, heads: Tensor, y: Tensor) -> Tensor:
        """Return the squared errors."""
        return (heads.squeeze(2) - y).square()


@dataclass(frozen=True)
class AbsoluteErrorOutput(_IdentityOutput):
    """A number and its absolute error; what is predicted is the conditional median."""

    def row_losses(self, heads: Tensor, y: Tensor) -> Tensor:
        """Return the absolute errors."""
        return (heads.squeeze(2) - y).abs()


@dataclass(frozen=True)
class HuberOutput(_IdentityOutput):
    """A number and its Huber loss.

    Parameters
    ----------
    delta : float, default=1.0
        Errors up to it are squared (and halved), larger ones count in proportion, so
        that outliers pull less. In units of the target's standard deviation where the
        targets are standardised.

    References
    ----------
    P. J. Huber (1964). Robust Estimation of a Location Parameter. Annals of
    Mathematical Statistics 35(1), 73-101.
    """

    delta: float = 1.0

    def row_losses(self, heads: Tensor, y: Tensor) -> Tensor:
        """Return the Huber losses."""
        return F.huber_loss(heads.squeeze(2), y, reduction="none", delta=self.delta)


@dataclass(frozen=True)
class PoissonOutput(_LogOutput):
    r"""A count with mean :math:`e^z`: loss :math:`e^z - y + y (\log y - z)`.

    It is half the deviance of a Poisson distribution, for targets >= 0: 0 where the
    mean is the target, and never negative. The answer is a mean between e^-70 and e^70;
    beyond them the exponential in the loss grows as a logarithm, so that it cannot
    overflow.
    """

    domain = "nonnegative"

    def row_losses(self, heads: Tensor, y: Tensor) -> Tensor:
        """Return half the Poisson deviances."""
        z = heads.squeeze(2)
        return steady_exp(z) - y * z + torch.xlogy(y, y) - y


@dataclass(frozen=True)
class GammaOutput(_LogOutput):
    r"""A positive number with mean :math:`e^z`: loss :math:`z + y e^{-z} - \log y - 1`.

    It is half the deviance of a gamma distribution, whose spread is in proportion to
    its mean: 0 where the mean is the target, and never negative. The answer is a mean
    between e^-70 and e^70; beyond them the exponential in the loss grows as a
    logarithm, so that it cannot overflow.
    """

    domain = "positive"

    def row_losses(self, heads: Tensor, y: Tensor) -> Tensor:
        """Return half the gamma deviances."""
        z = heads.squeeze(2)
        return z + y * steady_exp(-z) - y.log() - 1

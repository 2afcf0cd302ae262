"""Gates that are learnt and can be exactly open or closed."""

import math

import torch
from torch import Tensor, nn

# Random spread of the initial logarithm of a gate's odds: small enough for all gates to
# start alike, and enough that no two of them are equal.
_START_SD = 0.01


class HardConcrete(nn.Module):
    r"""() -> gates of the given shape, from 0 to 1, many of them exactly 0 or 1.

    A gate :math:`z` is closed (0), open (1) or between. In training each call draws it
    from a distribution whose parameter :math:`\log\alpha` is learnt:
    with :math:`u` uniform on (0, 1),

    .. math:: s = \sigma\big((\log u - \log(1 - u) + \log\alpha) / \beta\big), \quad
              z = \min(1, \max(0, s (\zeta - \gamma) + \gamma)).

    :math:`s` is stretched beyond 0 and 1 and clipped, which puts a part of its mass on
    both ends; in between the gradient passes. Outside training

    .. math:: \hat z = \min(1, \max(0, \sigma(\log\alpha) (\zeta - \gamma) + \gamma)).

    The chance that a gate is not closed is a smooth function of its parameter, so the
    expected number of such gates can be a penalty,

    .. math:: P(z > 0) = \sigma(\log\alpha - \beta \log(-\gamma / \zeta)).

    Parameters
    ----------
    *shape : int
        Number of gates along each axis.
    temperature : float, default=2/3
        :math:`\beta`. The nearer to zero, the more draws are exactly 0 or 1, and the
        fewer pass a gradient.
    limits : pair of float, default=(-0.1, 1.1)
        :math:`\gamma < 0` and :math:`\zeta > 1`. The further out, the more mass lies
        on the ends.
    start : float, default=0.5
        :math:`\sigma(\log\alpha)` at the start, in (0, 1). At 0.5 gates are half open
        and vary most from draw to draw; near 1 nearly every draw is open.

    Attributes
    ----------
    log_alpha : Parameter of the given shape
        It starts near the logarithm of the odds of ``start``, with a small random
        difference for each gate.

    References
    ----------
    C. Louizos, M. Welling and D. P. Kingma (2018). Learning Sparse Neural Networks
    through L0 Regularization. ICLR.
    """

    def __init__(
        self,
        *shape: int,
        temperature: float = 2 / 3,
        limits: tuple[float, float] = (-0.1, 1.1),
        start: float = 0.5,
    ) -> None:
        super().__init__()
        if not temperature > 0:
            raise ValueError(
                f"temperature must be positive; found {temperature}. Give for example "
                "2/3."
            )
        low, high = limits
        if not (low < 0 and high > 1):
            raise ValueError(
                "limits must be a number below 0 and one above 1, or no gate would be "
                f"exactly closed or open; found {tuple(limits)}. Give for example "
                "(-0.1, 1.1)."
            )
        if not 0 < start < 1:
            raise ValueError(
                "start must lie between 0 and 1, or no gradient would reach a gate; "
                f"found {start}. Give for example 0.95."
            )
        self.temperature, self.limits = temperature, (low, high)
        log_odds = math.log(start / (1 - start))
        self.log_alpha = nn.Parameter(log_odds + torch.randn(shape) * _START_SD)

    def forward(self) -> Tensor:
        """Return gates: drawn in training, deterministic otherwise."""
        if not self.training:
            return self.deterministic()
        # The bound keeps the logarithms finite.
        noise = torch.rand_like(self.log_alpha).logit(eps=1e-6)
        return self._stretch((noise + self.log_alpha) / self.temperature)

    def deterministic(self) -> Tensor:
        """Return the gates that are used outside training."""
        return self._stretch(self.log_alpha)

    def open_probability(self) -> Tensor:
        """Return the chance that each gate is not closed in a training step."""
        low, high = self.limits
        return torch.sigmoid(self.log_alpha - self.temperature * math.log(-low / high))

    def _stretch(self, logits: Tensor) -> Tensor:
        low, high = self.limits
        return (torch.sigmoid(logits) * (high - low) + low).clamp(0.0, 1.0)

    def extra_repr(self) -> str:
        """Return the settings that ``repr`` shows."""
        return (
            f"{tuple(self.log_alpha.shape)}, temperature={self.temperature:.3g}, "
            f"limits={self.limits}"
        )

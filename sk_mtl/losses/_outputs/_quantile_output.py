"""Several quantiles of a number, which cannot cross."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from numbers import Real

import torch
import torch.nn.functional as F
from torch import Tensor

from sk_mtl.losses._outputs._numerics import inverse_softplus
from sk_mtl.losses._outputs._task_output import TaskOutput


@dataclass(frozen=True)
class QuantileOutput(TaskOutput):
    r"""heads (n, n_tasks, n_levels) -> answers (n, n_tasks, 1 + n_levels).

    The answers are the prediction, which is the central quantile, and all quantiles.
    The central level is the one nearest to 1/2. Its logit is its quantile; the other
    logits are steps away from it, positive by a softplus:

    .. math:: q_c = z_c, \quad q_k = q_{k-1} + \mathrm{softplus}(z_k) \; (k > c), \quad
              q_k = q_{k+1} - \mathrm{softplus}(z_k) \; (k < c).

    So the quantiles of every row are in the order of their levels. The loss is the mean
    over the levels :math:`\tau_k` of the pinball losses,

    .. math:: \ell = \frac{1}{K} \sum_k \max(\tau_k (y - q_k), (\tau_k - 1) (y - q_k)),

    half the absolute error for the only level 1/2.

    Parameters
    ----------
    levels : sequence of float, default=(0.1, 0.5, 0.9)
        Shares of the targets that are to be below the quantiles, strictly increasing
        and between 0 and 1.

    References
    ----------
    R. Koenker and G. Bassett (1978). Regression Quantiles. Econometrica 46(1), 33-50.

    Examples
    --------
    Steps of log 2 from the median, and a loss of each level.

    >>> import torch
    >>> from sk_mtl.losses import QuantileOutput
    >>> output = QuantileOutput((0.1, 0.5, 0.9))
    >>> output.answers(torch.zeros(1, 1, 3))
    tensor([[[ 0.0000, -0.6931,  0.0000,  0.6931]]])
    >>> output.row_losses(torch.zeros(1, 1, 3), torch.ones(1, 1))
    tensor([[0.3152]])
    """

    domain = "real"

    levels: tuple[float, ...] = (0.1, 0.5, 0.9)

    def __post_init__(self) -> None:
        object.__setattr__(self, "levels", check_levels(self.levels))

    @property
    def width(self) -> int:
        """The number of logits: one for each level."""
        return len(self.levels)

    @property
    def quantile_levels(self) -> tuple[float, ...]:
        """The levels of the answers behind the first."""
        return self.levels

    @property
    def central(self) -> int:
        """The position of the level nearest to 1/2, of two the lower one."""
        distances = [round(abs(level - 0.5), 12) for level in self.levels]
        return distances.index(min(distances))

    def row_losses(self, heads: Tensor, y: Tensor) -> Tensor:
        """Return the mean pinball loss over the levels."""
        errors = y.unsqueeze(2) - self.quantiles(heads)
        levels = heads.new_tensor(self.levels)
        return torch.maximum(levels * errors, (levels - 1) * errors).mean(2)

    def answers(self, heads: Tensor) -> Tensor:
        """Return the central quantile, then the quantile of each level."""
        quantiles = self.quantiles(heads)
        centre = quantiles.narrow(-1, self.central, 1)
        return torch.cat([centre, quantiles], -1)

    def quantiles(self, heads: Tensor) -> Tensor:
        """Return the quantiles of all levels along the last axis."""
        lower, centre, upper = self._parts(heads)
        up = torch.cat([centre, F.softplus(upper)], -1).cumsum(-1)
        if not self.central:
            return up
        # Summed from the centre outwards, and turned round again.
        down = F.softplus(lower).flip(-1).cumsum(-1).flip(-1)
        return torch.cat([centre - down, up], -1)

    def combine(self, heads: Tensor) -> Tensor:
        """Return the logits of the mean of several networks' quantiles, by level."""
        lower, centre, upper = self._parts(heads)
        parts = [
            inverse_softplus(F.softplus(lower).mean(0)),
            centre.mean(0),
            inverse_softplus(F.softplus(upper).mean(0)),
        ]
        return torch.cat(parts, -1)

    def _parts(self, heads: Tensor) -> tuple[Tensor, ...]:
        above = self.width - self.central - 1
        return heads.split([self.central, 1, above], -1)


def check_levels(levels: Iterable[float]) -> tuple[float, ...]:
    """Return the levels of quantiles as a tuple, or raise."""
    given = tuple(levels) if isinstance(levels, Iterable) else None
    numbers = given and all(isinstance(level, Real) for level in given)
    inside = numbers and all(0 < level < 1 for level in given)
    if not inside or any(a >= b for a, b in pairwise(given)):
        raise ValueError(
            "levels must be numbers between 0 and 1, strictly increasing; found "
            f"{levels!r}. Sort them, and leave out 0, 1 and repeated ones."
        )
    return tuple(map(float, given))

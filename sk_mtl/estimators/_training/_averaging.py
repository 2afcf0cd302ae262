"""The moving average of the weights during training."""

from __future__ import annotations

from collections.abc import Collection

import torch
from torch import nn


class WeightAverage:
    r"""An exponential moving average of a module's weights.

    Mini-batch steps end around the minimum, not in it. The average of the weights
    during training is closer to it (Polyak averaging), and gives a single network part
    of the benefit of averaging the predictions of several. After step t,

    .. math:: \bar w_t = \bar w_{t-1} + \max(1 - d, \tfrac{2}{t + 1})
              (w_t - \bar w_{t-1})

    with :math:`d` = ``decay``: the average covers about the last :math:`1 / (1 - d)`
    steps. During the first :math:`2 / (1 - d)` steps the weight of a step is
    proportional to its number, so the latter half has three quarters of the weight: the
    starting weights are soon forgotten, and a short training averages over fewer steps.

    The running means and variances of batch normalisation are averaged together with
    the weights, since they describe the hidden units of these weights. Counts are
    copied.

    Parameters
    ----------
    module : Module
        The module that is trained. Training always continues from the plain weights;
        `show` replaces them by the averages during a validation, and `hide` restores
        them.

    decay : float
        In [0, 1). Larger averages over more steps.

    left_out : collection of str, default=()
        Parameters that are not averaged: tables with sparse gradients, which would have
        to be read in full at every step.

    References
    ----------
    Polyak, B. T. and Juditsky, A. B. (1992). Acceleration of stochastic approximation
    by averaging. SIAM Journal on Control and Optimization 30(4).
    https://doi.org/10.1137/0330046

    Examples
    --------
    The starting weight has no influence after the first update.

    >>> import torch
    >>> from torch import nn
    >>> from sk_mtl.estimators._training._averaging import WeightAverage
    >>> module = nn.Linear(1, 1, bias=False)
    >>> average = WeightAverage(module, 0.5)
    >>> for step in range(1, 8):
    ...     _ = nn.init.constant_(module.weight, step)
    ...     average.update()
    >>> average.show()
    >>> round(module.weight.item(), 2)
    6.02
    >>> average.hide()
    >>> module.weight.item()
    7.0
    """

    def __init__(
        self, module: nn.Module, decay: float, left_out: Collection[str] = ()
    ) -> None:
        self._decay = decay
        self._plain = [
            value.detach()
            for name, value in module.state_dict(keep_vars=True).items()
            if value.is_floating_point() and name not in left_out
        ]
        self._other = [value.clone() for value in self._plain]
        self._n_updates = 0
        self._shown = False

    @torch.no_grad()
    def update(self) -> None:
        """Add the weights of another step to the average."""
        self._n_updates += 1
        share = max(1 - self._decay, 2 / (self._n_updates + 1))
        torch._foreach_lerp_(self._other, self._plain, share)

    def show(self) -> None:
        """Put the averages into the module."""
        if not self._shown and self._n_updates:
            self._exchange()

    def hide(self) -> None:
        """Restore the plain weights, from which training continues."""
        if self._shown:
            self._exchange()

    @torch.no_grad()
    def _exchange(self) -> None:
        held = [value.clone() for value in self._plain]
        torch._foreach_copy_(self._plain, self._other)
        torch._foreach_copy_(self._other, held)
        self._shown = not self._shown

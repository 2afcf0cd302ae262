"""The average of the weights along the way of training."""

from __future__ import annotations

from collections.abc import Collection

import torch
from torch import nn


class WeightAverage:
    r"""An exponential moving average of a module's weights.

    Mini-batch steps end around the minimum, not in it; the average of the weights along
    the way is nearer to it than any of them (Polyak averaging), and does in one network
    part of what averaging the predictions of several does. After step t,

    .. math:: \bar w_t = \bar w_{t-1} + \max(1 - d, \tfrac{2}{t + 1})
              (w_t - \bar w_{t-1})

    with :math:`d` = ``decay``: the average reaches back over the last
    :math:`1 / (1 - d)` steps. In the first :math:`2 / (1 - d)` of them each step counts
    by its number, three quarters of it all for the latter half, so that the starting
    weights are soon forgotten and a short training looks back less.

    The running means and variances of batch normalisation are averaged along with the
    weights, since they belong to the hidden units that these weights make. Counts are
    taken as they are.

    Parameters
    ----------
    module : Module
        What is trained. Training always goes on from the plain weights; `show` puts the
        averages in their place for the time of a validation, `hide` takes them back.

    decay : float
        In [0, 1). Larger reaches further back.

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
    The first update is the weight itself, as it would be without a start.

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
        """Take the weights of another step in."""
        self._n_updates += 1
        share = max(1 - self._decay, 2 / (self._n_updates + 1))
        torch._foreach_lerp_(self._other, self._plain, share)

    def show(self) -> None:
        """Put the averages into the module."""
        if not self._shown and self._n_updates:
            self._exchange()

    def hide(self) -> None:
        """Put the weights that training goes on from into the module."""
        if self._shown:
            self._exchange()

    @torch.no_grad()
    def _exchange(self) -> None:
        held = [value.clone() for value in self._plain]
        torch._foreach_copy_(self._plain, self._other)
        torch._foreach_copy_(self._other, held)
        self._shown = not self._shown

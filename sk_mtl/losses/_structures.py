"""What logits mean: the base class of structures."""

import math
from abc import ABC, abstractmethod

import torch
import torch.nn.functional as F
from torch import Tensor

# Where softplus(x) equals x to the last digit of double precision.
_LINEAR_FROM = 40.0


class Structure(ABC):
    """logits (n, n_heads) -> losses (n, n_tasks) and probabilities.

    A structure says what the logits of a network mean, independently of its wiring:
    how many logits (heads) each task needs, what a row loses on each column of y, and
    the probabilities of each column's classes.

    Attributes
    ----------
    head_widths : tuple of int
        The number of logits of each head; their sum is the width of the logits.
    n_tasks : int
        The number of columns of y.
    """

    head_widths: tuple[int, ...]
    n_tasks: int

    @abstractmethod
    def row_losses(self, logits: Tensor, y: Tensor) -> Tensor:
        """Return what every row loses on every task, (n_samples, n_tasks).

        Parameters
        ----------
        logits : Tensor of shape (n_samples, sum of head_widths)
        y : Tensor of shape (n_samples, n_tasks)
            Class indices as floating-point numbers. Where a label is missing any valid
            index, by custom 0, stands in its place (never NaN, which no weight of zero
            could remove), and the row's weight is zero.
        """

    @abstractmethod
    def log_proba(self, logits: Tensor) -> list[Tensor]:
        """Return log-probabilities, one (n_samples, n_classes) tensor per task."""

    @abstractmethod
    def combine(self, logits: Tensor) -> Tensor:
        """Return the logits of the mean of several networks' probabilities.

        Parameters
        ----------
        logits : Tensor of shape (n_members, n_samples, sum of head_widths)

        Returns
        -------
        logits : Tensor of shape (n_samples, sum of head_widths)
        """


def binary_log_proba(logits: Tensor) -> list[Tensor]:
    """Return for each column of logits the (n_samples, 2) log-probabilities.

    The logarithm of a sigmoid is a negative softplus. `logsigmoid` is the same number,
    but wakes every thread even for a single row, which costs more than all else there.
    """
    both = torch.stack([logits, -logits], 2)
    return list(F.softplus(both, threshold=_LINEAR_FROM).neg().unbind(1))


def log_mean_exp(values: Tensor) -> Tensor:
    """Return the logarithm of the mean, over the first axis, of the exponentials."""
    return torch.logsumexp(values, 0) - math.log(len(values))

"""Logarithms of probabilities that keep their digits."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

# Where softplus(x) equals x to the last digit of double precision.
_LINEAR_FROM = 40.0


def binary_log_proba(logits: Tensor) -> Tensor:
    """Return the log-probabilities of both classes, along a new last axis.

    The logarithm of a sigmoid is a negative softplus. `logsigmoid` is the same number,
    but wakes every thread even for a single row, which costs more than all else there.
    """
    both = torch.stack([logits, -logits], -1)
    return F.softplus(both, threshold=_LINEAR_FROM).neg()


def mean_binary_logits(logits: Tensor) -> Tensor:
    """Return the logits of the mean, over the first axis, of sigmoids."""
    positive, negative = F.logsigmoid(logits), F.logsigmoid(-logits)
    return log_mean_exp(positive) - log_mean_exp(negative)


def log_mean_exp(values: Tensor) -> Tensor:
    """Return the logarithm of the mean, over the first axis, of the exponentials."""
    return torch.logsumexp(values, 0) - math.log(len(values))


def check_n_steps(n_steps: int) -> None:
    """Raise where there is no step."""
    if n_steps < 1:
        raise ValueError(
            f"n_steps must be at least 1; found {n_steps}. Give one column of y for "
            "each step."
        )

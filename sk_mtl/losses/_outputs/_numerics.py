"""Logarithms of probabilities that keep their digits."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

# Where softplus(x) equals x to the last digit of double precision.
_LINEAR_FROM = 40.0

LARGEST_LOG_MEAN = 70.0
"""A predicted mean is between exp of minus this and of this, 4e-31 and 2.5e30.

In units of the mean of the training targets, as which estimators give them. Both ends
and their products with weights and targets are finite in single precision.
"""


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


def inverse_softplus(values: Tensor) -> Tensor:
    """Return the logits whose softplus is these values, which are not negative."""
    # Zero has no logarithm.
    values = values.clamp(min=1e-30)
    return values + torch.log(-torch.expm1(-values))


def bounded_exp(log_mean: Tensor) -> Tensor:
    """Return the exponential of what is cut off at plus and minus LARGEST_LOG_MEAN."""
    return log_mean.clamp(-LARGEST_LOG_MEAN, LARGEST_LOG_MEAN).exp()


def steady_exp(z: Tensor) -> Tensor:
    """Return the exponential, which grows as a logarithm beyond LARGEST_LOG_MEAN.

    It is finite for every finite number and never flat, so that a loss made of it
    always has a gradient.
    """
    beyond = (z - LARGEST_LOG_MEAN).clamp(min=0)
    return z.clamp(max=LARGEST_LOG_MEAN).exp() * (1 + beyond.log1p())


def check_n_steps(n_steps: int) -> None:
    """Raise where there is no step."""
    if n_steps < 1:
        raise ValueError(
            f"n_steps must be at least 1; found {n_steps}. Give one column of y for "
            "each step."
        )

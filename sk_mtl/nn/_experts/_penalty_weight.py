"""The weight of a penalty relative to the losses."""

import torch
from torch import Tensor, nn


class PenaltyWeight(nn.Module):
    """The penalty of the batch, () -> its term in the loss, ().

    The weight is a tensor, because `torch.compile` generates broken code for a number
    times a scalar of each member of an ensemble.

    Parameters
    ----------
    weight : float
        The factor of the penalty.
    """

    weight: Tensor

    def __init__(self, weight: float) -> None:
        super().__init__()
        self.is_zero = weight == 0
        value = torch.tensor(float(weight))
        self.register_buffer("weight", value, persistent=False)

    def forward(self, penalty: Tensor) -> Tensor:
        """Return the penalty times its weight."""
        return self.weight * penalty

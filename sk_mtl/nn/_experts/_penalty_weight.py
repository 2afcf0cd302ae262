"""The weight of a penalty beside the losses."""

import torch
from torch import Tensor, nn


class PenaltyWeight(nn.Module):
    """A penalty of the batch, () -> what it adds to the loss, ().

    The weight is a tensor: of a number times a scalar of each member of an ensemble
    `torch.compile` makes code that does not run.

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

"""Transfers from one level of sub-networks to the next."""

import torch
from torch import Tensor, nn

from sk_mtl.nn._layers import mix_groups


class AverageTransfer(nn.Module):
    """rows (n_sources, n, width), gates (n_targets, n_sources) -> (n_targets, n, width)

    Each target reads the sum of all sources, each times its gate.

    Parameters
    ----------
    n_targets, n_sources, width : int
        Not needed here; every transfer is made of them.
    """

    def __init__(self, n_targets: int, n_sources: int, width: int) -> None:
        super().__init__()

    def forward(self, rows: Tensor, gates: Tensor) -> Tensor:
        """Add the sources up for each target."""
        return mix_groups(gates, rows)


class TransformTransfer(nn.Module):
    """rows (n_sources, n, width), gates (n_targets, n_sources) -> (n_targets, n, width)

    As `AverageTransfer`, with every source first multiplied by a matrix of the pair's
    own. The gates scale the matrices and not their products with the rows: so all
    products and the sums over them are a single product of one wide matrix.

    Parameters
    ----------
    n_targets, n_sources, width : int

    Attributes
    ----------
    weight : Parameter of shape (n_sources, width, n_targets, width)
        Each matrix starts as that of ``nn.Linear``, uniform on +-width^-0.5.
    """

    def __init__(self, n_targets: int, n_sources: int, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(n_sources, width, n_targets, width))
        nn.init.uniform_(self.weight, -(width**-0.5), width**-0.5)

    def forward(self, rows: Tensor, gates: Tensor) -> Tensor:
        """Multiply by the gated matrices and add up for each target."""
        gated = self.weight * gates.t()[:, None, :, None]
        product = rows.transpose(0, 1).flatten(1) @ gated.flatten(2).flatten(0, 1)
        return product.unflatten(1, gated.shape[2:]).transpose(0, 1)


TRANSFERS: dict[str, type[nn.Module]] = {
    "average": AverageTransfer,
    "transform": TransformTransfer,
}

"""Transfers from one level of sub-networks to the next."""

import torch
from torch import Tensor, nn

from sk_mtl.nn._layers import mix_groups


class AverageTransfer(nn.Module):
    """rows (n_sources, n, width), gates (n_targets, n_sources) -> (n_targets, n, width)

    Each target reads the sum of all sources, each multiplied by its gate.

    Parameters
    ----------
    n_targets, n_sources, width : int
        Unused; all transfers have the same arguments.
    """

    def __init__(self, n_targets: int, n_sources: int, width: int) -> None:
        super().__init__()

    def forward(self, rows: Tensor, gates: Tensor) -> Tensor:
        """Add the sources up for each target."""
        return mix_groups(gates, rows)


class TransformTransfer(nn.Module):
    """rows (n_sources, n, width), gates (n_targets, n_sources) -> (n_targets, n, width)

    As `AverageTransfer`, with every source first multiplied by the pair's own matrix.
    The gates scale the matrices and not their products with the rows, so all products
    and their sums are a single product with one wide matrix.

    Parameters
    ----------
    n_targets, n_sources, width : int

    Attributes
    ----------
    weight : Parameter of shape (n_sources, width, n_targets, width)
        Each matrix starts as in ``nn.Linear``, uniform on +-width^-0.5.
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

"""Sums of groups of rows, weighed by a small matrix."""

from torch import Tensor


def mix_groups(weights: Tensor, groups: Tensor) -> Tensor:
    """Return (n_sums, n, width), each a weighted sum of (n_groups, n, width).

    The weights are (n_sums, n_groups). One product of this small matrix with long rows,
    n * width entries each: a product per sample would be n small ones.
    """
    return (weights @ groups.flatten(1)).unflatten(1, groups.shape[1:])

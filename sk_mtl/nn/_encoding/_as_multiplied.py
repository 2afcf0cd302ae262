"""Rows in the type in which the next products are computed."""

import torch
from torch import Tensor


def as_multiplied(x: Tensor) -> Tensor:
    """Return rows in the type of the products that read them, under `torch.autocast`.

    Otherwise every layer that reads the rows would convert them anew, and its gradient
    back. Rows of half the size also halve the time of what is not a product: most of a
    step of a small network waits for memory.
    """
    kind = x.device.type
    if x.dtype != torch.float32 or not torch.is_autocast_enabled(kind):
        return x
    return x.to(torch.get_autocast_dtype(kind))

"""Isolation of fits and answers from the caller's settings of torch."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch


@contextmanager
def plain_products(device: torch.device) -> Iterator[None]:
    """Multiply in the precision of the network, also in a caller's `torch.autocast`.

    New tensors are on the processor, for any default device of the caller.

    Parameters
    ----------
    device : torch.device
        The device of the network.
    """
    with ExitStack() as stack:
        for kind in {"cpu", device.type}:
            if torch.is_autocast_enabled(kind):
                stack.enter_context(torch.autocast(kind, enabled=False))
        # A default device slows down each call of torch, so it is set only if the
        # caller has set one.
        if torch.get_default_device().type != "cpu":
            stack.enter_context(torch.device("cpu"))
        yield


@contextmanager
def single_precision_default() -> Iterator[None]:
    """Make new tensors in single precision, for any default of the caller.

    The weights of a network are drawn in this precision. All threads share the default,
    so only one thread may be in the block at a time.
    """
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float32)
    try:
        yield
    finally:
        torch.set_default_dtype(before)

"""torch's settings of a caller, from which fits and answers are kept apart."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch


@contextmanager
def plain_products(device: torch.device) -> Iterator[None]:
    """Multiply in the precision of the network, also in a caller's `torch.autocast`.

    New tensors are made on the processor, whatever default device the caller has set.

    Parameters
    ----------
    device : torch.device
        The device of the network.
    """
    with ExitStack() as stack:
        for kind in {"cpu", device.type}:
            if torch.is_autocast_enabled(kind):
                stack.enter_context(torch.autocast(kind, enabled=False))
        # A default device costs time at each call of torch, so that none is set unless
        # the caller has set one.
        if torch.get_default_device().type != "cpu":
            stack.enter_context(torch.device("cpu"))
        yield


@contextmanager
def single_precision_default() -> Iterator[None]:
    """Make new tensors in single precision, whatever the caller's default is.

    The weights of a network are drawn in it. The default is one for all threads, so
    that the block must be one thread's at a time.
    """
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float32)
    try:
        yield
    finally:
        torch.set_default_dtype(before)

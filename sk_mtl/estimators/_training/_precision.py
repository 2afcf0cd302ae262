"""The floating-point types of weights and products."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

# Weights, inputs and losses. With "bfloat16" only the products of training steps are
# computed in fewer bits.
DTYPES = {
    "float32": torch.float32,
    "float64": torch.float64,
    "bfloat16": torch.float32,
}

# A dense layer as a default network has on rows of forty columns.
_ROWS, _INPUTS, _OUTPUTS = 1024, 512, 256

# The share of the time in float32 from which bfloat16 is worth its lost digits.
_WORTH = 0.8


def autocasts(precision: str, device: torch.device) -> bool:
    """Return whether training steps multiply in bfloat16 on the device.

    That is where it was asked for and where it pays: without instructions for it, a
    processor takes several times as long.
    """
    return precision == "bfloat16" and bfloat16_pays(device.type, device.index)


@functools.cache
def bfloat16_pays(device: str, index: int | None = None) -> bool:
    """Return whether dense layers are faster in bfloat16 than in float32 here.

    One layer of usual size is timed both ways, forward and backward, in turns; the
    least of five runs of each is compared, or of two where bfloat16 takes more than
    twice as long. That takes some hundredths of a second, on a processor without such
    instructions a few tenths, and is done once in a process.
    """
    where = torch.device(device, index)
    x = torch.ones(_ROWS, _INPUTS, device=where)
    weight = torch.ones(_OUTPUTS, _INPUTS, device=where, requires_grad=True)

    def step(enabled: bool) -> Tensor:
        with torch.autocast(device, torch.bfloat16, enabled=enabled):
            product = F.linear(x, weight)
        (gradient,) = torch.autograd.grad(product.float().sum(), weight)
        return gradient

    with torch.enable_grad():
        seconds = {True: float("inf"), False: float("inf")}
        for n_before in range(5):
            # The very first runs are slower than any other.
            if n_before > 1 and seconds[True] > 2 * seconds[False]:
                break
            for enabled in seconds:
                run = functools.partial(step, enabled)
                seconds[enabled] = min(seconds[enabled], _seconds(run, where))
    # With a margin, so that two processes on one machine come to one answer.
    return seconds[True] < _WORTH * seconds[False]


def _seconds(run: Callable[[], Tensor], device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    start = time.perf_counter()
    run()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - start

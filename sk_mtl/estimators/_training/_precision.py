"""The floating-point types of weights and products."""

from __future__ import annotations

import functools
from pathlib import Path

import torch
from torch import nn

# Weights, inputs and losses. With "bfloat16" only the products of training steps are
# computed in fewer bits.
DTYPES = {
    "float32": torch.float32,
    "float64": torch.float64,
    "bfloat16": torch.float32,
}

# bfloat16 is used in steps with at least this many multiplications of a row with a
# weight. In smaller steps converting inputs and weights takes as long as it saves
# (benchmarks/precision.py).
LEAST_PRODUCTS = 2**25

# The names of such instructions in a processor's list of features: for Intel and AMD,
# and for Arm.
_FLAGS = frozenset({"avx512_bf16", "amx_bf16", "bf16"})
_PROCESSORS = Path("/proc/cpuinfo")

# Parameters that are looked up and not multiplied.
_LOOKED_UP = frozenset({"table", "tables"})


def autocasts(precision: str, device: torch.device, n_products: int) -> bool:
    """Return whether training steps multiply in bfloat16 on the device.

    They do if `precision` asks for it, if the processor or GPU has instructions for it
    (otherwise it takes several times as long as single precision), and if a step is
    large enough. No timing is involved, so the result is the same on the same machine.
    """
    return (
        precision == "bfloat16"
        and n_products >= LEAST_PRODUCTS
        and multiplies_bfloat16(device)
    )


def count_products(network: nn.Module, n_rows: int) -> int:
    """Return the number of multiplications of rows with weights in a step."""
    n_weights = sum(
        parameter.numel()
        for name, parameter in network.named_parameters()
        if is_multiplied(name, parameter)
    )
    return n_rows * n_weights


def is_multiplied(name: str, parameter: nn.Parameter) -> bool:
    """Return whether a parameter of a network is a factor of products of rows."""
    return parameter.dim() > 1 and not _LOOKED_UP & set(name.split("."))


def multiplies_bfloat16(device: torch.device) -> bool:
    """Return whether the device has instructions for products in bfloat16."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    return _processor_multiplies_bfloat16()


@functools.cache
def _processor_multiplies_bfloat16() -> bool:
    # Private names of torch, some of which older versions do not have.
    for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"):
        if getattr(torch.cpu, name, bool)():
            return True
    try:
        return bool(_FLAGS & set(_PROCESSORS.read_text().split()))
    except OSError:
        return False

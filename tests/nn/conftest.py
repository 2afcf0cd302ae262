"""Device and dtype of the network tests come from the environment.

SK_MTL_TEST_DEVICE (default "cpu") and SK_MTL_TEST_DTYPE ("float32" or "float64").
"""

import os

import pytest
import torch


@pytest.fixture
def device():
    return torch.device(os.environ.get("SK_MTL_TEST_DEVICE", "cpu"))


@pytest.fixture
def dtype():
    return getattr(torch, os.environ.get("SK_MTL_TEST_DTYPE", "float32"))


@pytest.fixture
def put(device, dtype):
    """Move a module, or a tensor if it is floating, to the tested device and dtype."""

    def move(thing):
        if isinstance(thing, torch.nn.Module) or thing.is_floating_point():
            return thing.to(device=device, dtype=dtype)
        return thing.to(device)

    return move


@pytest.fixture(autouse=True)
def _seed():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield

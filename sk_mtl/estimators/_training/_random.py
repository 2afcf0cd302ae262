"""torch's state in a fit: its randomness, which leaves the caller's as it was."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import joblib
import numpy as np
import torch
from numpy.random import RandomState
from sklearn.utils import check_random_state

from sk_mtl._process_lock import ProcessLock
from sk_mtl.estimators._training._forked_threads import use_own_threads
from sk_mtl.estimators._training._plain_torch import (
    plain_products,
    single_precision_default,
)

# torch and NumPy keep one global generator per process. Two fits in two threads would
# draw from each other's stream, so the seeded part of a fit is one thread's at a time.
_LOCK = ProcessLock()


class FitSeed(NamedTuple):
    """The seed of a fit.

    Attributes
    ----------
    value : int
        Decides everything random in the fit.

    generator : RandomState
        The source of the seeds of fits that continue from it.
    """

    value: int
    generator: RandomState

    @classmethod
    def draw(cls, random_state: Any, before: RandomState | None) -> FitSeed:
        """Return the seed of a first fit, or the next one of the generator before."""
        if before is not None:
            # A copy, so that a fit that fails leaves the former generator as it was.
            generator = copy.deepcopy(before)
        else:
            # Fresh entropy for None: scikit-learn's own answer is NumPy's global
            # generator, which is the caller's.
            source = RandomState() if random_state is None else random_state
            source = check_random_state(source)
            generator = RandomState(source.randint(2**31 - 1))
        return cls(int(generator.randint(2**31 - 1)), generator)


@contextmanager
def isolated_random_state(seed: int, device: torch.device) -> Iterator[None]:
    """Seed torch's and NumPy's global generators, and restore them on leaving.

    Parallel work that is started inside runs in this thread: tasks on other threads
    would share the generators in an order of their own, tasks in other processes would
    not be seeded, and a cluster's may wait for a worker that waits for this block.

    Parameters
    ----------
    seed : int
        The seed of both generators inside the block.

    device : torch.device
        The generator of this device is seeded and restored beside the processor's.
    """
    devices = [device] if device.type == "cuda" else []
    with (
        _LOCK.held(),
        torch.random.fork_rng(devices=devices),
        joblib.parallel_config(backend="sequential"),
    ):
        numpy_state = np.random.get_state()  # noqa: NPY002
        _seed_torch(seed, devices)
        np.random.seed(seed)  # noqa: NPY002
        try:
            yield
        finally:
            np.random.set_state(numpy_state)  # noqa: NPY002


@contextmanager
def training_state(seed: int, device: torch.device) -> Iterator[None]:
    """Enter an isolated random state in which gradients are computed.

    Also where the caller is in `torch.inference_mode` or `torch.no_grad`, or in the
    child of a fork. Numbers are the same in a caller's `torch.autocast`, and with any
    default dtype and default device.

    Parameters
    ----------
    seed, device : as for `isolated_random_state`
    """
    use_own_threads()
    with (
        isolated_random_state(seed, device),
        torch.inference_mode(False),
        torch.enable_grad(),
        plain_products(device),
        single_precision_default(),
    ):
        yield


def _seed_torch(seed: int, devices: list[torch.device]) -> None:
    # torch.manual_seed would seed every card, also those that are not restored.
    torch.default_generator.manual_seed(seed)
    for device in devices:
        with torch.cuda.device(device):
            torch.cuda.manual_seed(seed)

"""torch's random state in a fit, isolated from the caller's."""

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
        Seed of everything random in the fit.

    generator : RandomState
        The source of the seeds of fits that continue from it.
    """

    value: int
    generator: RandomState

    @classmethod
    def draw(cls, random_state: Any, before: RandomState | None) -> FitSeed:
        """Return the seed of a first fit, or the next seed of an earlier generator."""
        if before is not None:
            # A copy, so that a failed fit does not change the earlier generator.
            generator = copy.deepcopy(before)
        else:
            # Fresh entropy for None: scikit-learn would draw from NumPy's global
            # generator, which belongs to the caller.
            source = RandomState() if random_state is None else random_state
            source = check_random_state(source)
            generator = RandomState(source.randint(2**31 - 1))
        return cls(int(generator.randint(2**31 - 1)), generator)


@contextmanager
def isolated_random_state(seed: int, device: torch.device) -> Iterator[None]:
    """Seed torch's and NumPy's global generators, and restore them on leaving.

    Parallel work that is started inside runs in this thread: tasks on other threads
    would draw from the generators in a random order, tasks in other processes would not
    be seeded, and tasks of a cluster may wait for a worker that waits for this block.

    Parameters
    ----------
    seed : int
        The seed of both generators inside the block.

    device : torch.device
        The generator of this device is seeded and restored together with the
        processor's.
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

    Gradients are also computed if the caller is in `torch.inference_mode` or
    `torch.no_grad`, or in the child of a fork. Results do not depend on a caller's
    `torch.autocast`, default dtype or default device.

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
    # torch.manual_seed would seed every GPU, including GPUs that are not restored.
    torch.default_generator.manual_seed(seed)
    for device in devices:
        with torch.cuda.device(device):
            torch.cuda.manual_seed(seed)

"""One thread for torch in a forked child, whose pool of threads is gone."""

import os

import torch

_forked = False


def _remember() -> None:
    global _forked
    _forked = True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_remember)


def use_own_threads() -> None:
    """Let torch compute in one thread if this process was forked.

    A fork copies the thread that calls it and no other. OpenMP, which torch computes
    with, still believes in its pool of threads and waits for them for ever. The number
    is set at the first fit or prediction in the child, and in the child alone.
    """
    global _forked
    if _forked:
        torch.set_num_threads(1)
        _forked = False

"""A limit of one thread for torch in a forked child, which has no thread pool."""

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

    A fork copies only the calling thread. OpenMP, which torch uses, would wait for ever
    for the other threads of its pool. The number is set at the first fit or prediction
    in the child, and only there.
    """
    global _forked
    if _forked:
        torch.set_num_threads(1)
        _forked = False

"""Sizes of layers: hidden layers, towers, and normalisation between them."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral

import numpy as np

from sk_mtl._task_names import per_task


def resolve_tower_sizes(sizes, task_names: list) -> list[tuple[int, ...]]:
    """Return the hidden sizes of each task's tower."""
    each = per_task("tower_hidden_sizes", sizes, task_names, is_single=_is_one_tower)
    return [check_sizes(size) for size in each]


def _is_one_tower(sizes) -> bool:
    return not isinstance(sizes, Mapping) and not any(map(np.iterable, sizes))


def check_sizes(sizes) -> tuple[int, ...]:
    given = tuple(sizes) if np.iterable(sizes) else (sizes,)
    whole = all(isinstance(size, Integral) and size >= 1 for size in given)
    if not (whole and np.iterable(sizes)):
        raise ValueError(
            f"Hidden sizes must be tuples of integers >= 1; found {sizes}. Give for "
            "instance (64, 32), or () for no hidden layer."
        )
    return given


def resolve_batch_norm(batch_norm, n_samples: int, above: int) -> bool:
    """Return whether layers are normalised over the batch.

    "auto" does so with more rows than the model's own number.
    """
    return n_samples > above if batch_norm == "auto" else bool(batch_norm)

"""Sizes of hidden layers and of towers."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral

import numpy as np

from sk_mtl._task_names import per_task


def resolve_tower_sizes(sizes, task_names: list) -> list[tuple[int, ...]]:
    """Return the hidden sizes of each task's tower.

    A number or a flat sequence describes the tower of every task; a nested sequence
    has an entry per task.
    """
    each = per_task("tower_hidden_sizes", sizes, task_names, is_single=_is_one_tower)
    return [resolve_sizes("tower_hidden_sizes", size) for size in each]


def _is_one_tower(sizes) -> bool:
    if isinstance(sizes, Mapping):
        return False
    return not np.iterable(sizes) or not any(map(np.iterable, sizes))


def resolve_sizes(parameter: str, sizes) -> tuple[int, ...]:
    """Return the widths of layers that a parameter gives; a number is one layer."""
    widths = tuple(sizes) if np.iterable(sizes) else (sizes,)
    if not all(isinstance(width, Integral) and width >= 1 for width in widths):
        raise ValueError(
            f"{parameter} must hold integers >= 1, one per layer; found {sizes}. Give "
            "for instance (64, 32), 64 for a single layer, or () for none."
        )
    return widths

"""Weights of the tasks in the sum of their losses."""

from __future__ import annotations

import torch

from sk_mtl._task_names import per_task
from sk_mtl.losses import AGGREGATORS, WEIGHTINGS


def resolve_task_weights(task_weights, task_names: list) -> torch.Tensor:
    """Return one weight per task."""
    if isinstance(task_weights, str):
        raise ValueError(
            f"task_weights must be numbers, one per task {task_names}; found "
            f"{task_weights!r}. {_remedy(task_weights)}"
        )
    each = per_task(
        "task_weights",
        {} if task_weights is None else task_weights,
        task_names,
        is_single=lambda value: False,
        default=1.0,
        left_out="count 1",
    )
    try:
        values = torch.tensor(list(map(float, each)), dtype=torch.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"task_weights must be numbers, one per task {task_names}; found {each}. "
            "Give numbers; balancing takes the name of one method for all tasks."
        ) from error
    if not (torch.isfinite(values).all() and (values >= 0).all() and values.any()):
        raise ValueError(
            f"task_weights must be finite and >= 0, not all 0; found {values.tolist()}."
        )
    return values


def _remedy(name: str) -> str:
    if name in (*WEIGHTINGS, *AGGREGATORS):
        return f"Set balancing={name!r} for the method of this name."
    return "Leave it out to weigh all tasks alike; balancing takes names of methods."

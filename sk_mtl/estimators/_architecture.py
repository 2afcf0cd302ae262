"""From parameters to the parts of a network."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from numbers import Integral

import numpy as np
import torch

from sk_mtl._relations import funnel_parents
from sk_mtl._task_names import per_task
from sk_mtl.estimators._targets._targets import Targets
from sk_mtl.losses import (
    ClassOutput,
    FunnelStructure,
    IndependentStructure,
    Structure,
)


def resolve_device(device) -> torch.device:
    """Return the device that a parameter names, or raise where there is none."""
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        resolved = torch.device(device)
    except (RuntimeError, TypeError):
        resolved = None
    if resolved is None or resolved.type not in ("cpu", "cuda"):
        raise ValueError(
            "device must be 'cpu', 'cuda', 'cuda:<number>' or 'auto'; found "
            f"{device!r}. Use one of these."
        )
    if resolved.type == "cpu":
        # There is one, whatever its number.
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise ValueError(
            f"device={str(device)!r} needs a CUDA device; found none: torch "
            f"{torch.__version__} sees no card here. Use device='cpu' or 'auto', or "
            "install a CUDA build of torch."
        )
    n_cards = torch.cuda.device_count()
    if (resolved.index or 0) >= n_cards:
        raise ValueError(
            f"device={str(device)!r} must name one of the CUDA devices here; found "
            f"{n_cards}, numbered from 0. Use a smaller number, or 'cuda'."
        )
    return resolved


def available_device(device) -> torch.device:
    """Return the device that a parameter names; the processor if it is missing.

    A model of a card answers on a machine without one, too.
    """
    try:
        return resolve_device(device)
    except ValueError:
        if str(device).partition(":")[0] != "cuda":
            raise
        return torch.device("cpu")


def make_class_structure(
    name: str,
    targets: Targets,
    output: Callable[[int], ClassOutput],
    *,
    funnel: Mapping | None = None,
) -> Structure:
    """Return the structure of tasks that all are classes.

    `output` makes what the logits of so many classes mean.
    """
    if name == "independent":
        refuse_funnel(funnel, name)
        return IndependentStructure([output(len(each)) for each in targets.classes])
    check_binary(targets)
    parents = funnel_parents(funnel, targets.task_names)
    return FunnelStructure(targets.n_tasks, parents, output=output(2))


def refuse_funnel(funnel: Mapping | None, structure: str) -> None:
    """Raise where steps are given an order that the structure does not look at."""
    if funnel is not None:
        raise ValueError(
            f"funnel needs structure='funnel'; found structure={structure!r}. Set "
            "structure='funnel', or leave funnel=None."
        )


def check_binary(
    targets: Targets, remedy: str = "Use structure='independent'."
) -> None:
    """Raise where a step has more than two classes."""
    for task, classes in zip(targets.task_names, targets.classes, strict=True):
        if len(classes) != 2:
            raise ValueError(
                "Only binary classification is supported. The type of the target is "
                f"multiclass: a step of a funnel is reached or not, and task {task!r} "
                f"has {len(classes)} classes. {remedy}"
            )


def resolve_tower_sizes(sizes, task_names: list) -> list[tuple[int, ...]]:
    """Return the hidden sizes of each task's tower."""
    each = per_task("tower_hidden_sizes", sizes, task_names, is_single=_is_one_tower)
    return [check_sizes(size) for size in each]


def resolve_task_weights(task_weights, task_names: list) -> torch.Tensor:
    """Return one weight per task."""
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
            "Give numbers, or the name of one method for all."
        ) from error
    if not (torch.isfinite(values).all() and (values >= 0).all() and values.any()):
        raise ValueError(
            f"task_weights must be finite and >= 0, not all 0; found {values.tolist()}."
        )
    return values


def _is_one_tower(sizes) -> bool:
    return not isinstance(sizes, Mapping) and not any(map(np.iterable, sizes))


def resolve_batch_size(batch_size, n_samples: int) -> int:
    """Return the rows per step.

    "auto" is the power of two nearest to twice the square root of the rows, from 16 to
    1,024. The steps of an epoch then grow with the square root, too: a table of 20,000
    rows has 80, enough to learn its embeddings in a few epochs.
    """
    if batch_size != "auto":
        return int(batch_size)
    nearest = 2 ** round(math.log2(2 * math.sqrt(n_samples)))
    return max(16, min(1024, nearest))


def resolve_batch_norm(batch_norm, n_samples: int, above: int) -> bool:
    """Return whether layers are normalised over the batch.

    "auto" does so with more rows than the model's own number.
    """
    return n_samples > above if batch_norm == "auto" else bool(batch_norm)


def resolve_early_stopping(
    early_stopping, n_samples: int, *, max_epochs: int, monitor="valid_loss"
) -> bool:
    """Return whether rows are held out to tell when to stop.

    "auto" does so with more than 2,000 rows; those of a smaller table are missed in
    training, and too few to tell one of five epochs from another. More than ten epochs
    overfit soon, so that ten rows help already. And who names what is to be monitored
    wants it monitored.
    """
    if early_stopping != "auto":
        return bool(early_stopping)
    long = max_epochs > 10 and n_samples > 100
    return n_samples > 2_000 or long or monitor != "valid_loss"


def check_sizes(sizes) -> tuple[int, ...]:
    given = tuple(sizes) if np.iterable(sizes) else (sizes,)
    whole = all(isinstance(size, Integral) and size >= 1 for size in given)
    if not (whole and np.iterable(sizes)):
        raise ValueError(
            f"Hidden sizes must be tuples of integers >= 1; found {sizes}. Give for "
            "instance (64, 32), or () for no hidden layer."
        )
    return given

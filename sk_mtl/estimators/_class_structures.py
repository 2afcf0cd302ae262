"""Structures of tasks that all are classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sk_mtl._close_names import did_you_mean
from sk_mtl._relations import funnel_parents
from sk_mtl.estimators._targets._targets import Targets
from sk_mtl.losses import FunnelStructure, IndependentStructure, Structure


def make_class_structure(structure: str | Mapping, targets: Targets) -> Structure:
    """Return the structure of tasks that all are classes."""
    if not is_funnel(structure):
        return IndependentStructure(targets.outputs)
    check_binary(targets)
    parents = step_parents(structure, targets.task_names)
    return FunnelStructure(targets.n_tasks, parents, output=targets.outputs)


def check_structure(structure: Any, named: Sequence[str], task_names: list) -> None:
    """Raise where a value of the parameter is neither a name nor a tree."""
    is_text = isinstance(structure, str)
    if isinstance(structure, Mapping) or (is_text and structure in named):
        return
    step, *_, later = (*task_names, "click", "conversion")[:2]
    remedy = did_you_mean(structure, named) if is_text else ""
    raise ValueError(
        f"structure must be one of {list(named)} or a dict of steps, such as "
        f"{{{later!r}: {step!r}}}; found {structure!r}. "
        + (remedy or "Use one of these names, or name the step that each builds on.")
    )


def is_funnel(structure: Any) -> bool:
    """Return whether the parameter describes a funnel: by its name or as a tree."""
    by_name = isinstance(structure, str) and structure == "funnel"
    return by_name or isinstance(structure, Mapping)


def step_parents(structure: Any, task_names: list) -> list[int | None] | None:
    """Return the position of the step that each step builds on.

    None means the chain of the columns, for a structure that is not a tree.
    """
    if not isinstance(structure, Mapping):
        return None
    if not structure:
        raise ValueError(
            "structure must name at least one step and the step that it builds on; "
            f"found {structure!r}. Set structure='independent' for tasks that do not "
            "build on each other, or 'funnel' for the chain of the columns."
        )
    return funnel_parents("structure", structure, task_names)


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

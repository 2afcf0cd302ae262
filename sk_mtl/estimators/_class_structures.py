"""Structures of tasks that all are classes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sk_mtl._relations import funnel_parents
from sk_mtl.estimators._targets._targets import Targets
from sk_mtl.losses import (
    ClassOutput,
    FunnelStructure,
    IndependentStructure,
    Structure,
)


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

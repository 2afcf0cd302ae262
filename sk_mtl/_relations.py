"""Relations between tasks, given by their names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any

import numpy as np

from sk_mtl._task_names import find_task


def task_positions(parameter: str, given: Sequence, task_names: list) -> list[int]:
    """Return the positions of tasks, or raise where a name is none of theirs."""
    positions = [find_task(name, task_names) for name in given]
    unknown = [name for name, k in zip(given, positions, strict=True) if k is None]
    if unknown:
        raise ValueError(
            f"{parameter} must name tasks of {task_names}; found {unknown}. Correct "
            "the names."
        )
    return positions


def resolve_parents(
    parameter: str, given: Mapping, task_names: list
) -> list[tuple[int, ...]]:
    """Return the positions of the tasks that each task builds on.

    Parameters
    ----------
    parameter : str
        Its name, for errors.

    given : mapping
        By the name of a task the name of the one that it builds on, or several.
        Tasks left out build on no other.

    task_names : list
    """
    task_positions(parameter, list(given), task_names)
    parents = {}
    for name, value in given.items():
        single = isinstance(value, str) or find_task(value, task_names) is not None
        if not single and not np.iterable(value):
            raise ValueError(
                f"{parameter} must lead from a task to the name of one, or to a list "
                f"of names; found {value!r} for {name!r}. Leave out a task that builds "
                "on no other."
            )
        on = [value] if single else list(value)
        if len(set(task_positions(parameter, on, task_names))) < len(on):
            raise ValueError(
                f"{parameter} must name each task once; found {value!r} for {name!r}. "
                "Drop the repeated names."
            )
        parents[name] = on
    order_tasks(parameter, parents)
    return [
        tuple(task_positions(parameter, parents.get(name, []), task_names))
        for name in task_names
    ]


def order_tasks(parameter: str, parents: Mapping[Any, Sequence]) -> list:
    """Return tasks so that each comes after those that it builds on.

    Parameters
    ----------
    parameter : str
        Its name, for the error where the tasks lead in a circle.

    parents : mapping
        By the name or position of a task those that it builds on.
    """
    try:
        return [*TopologicalSorter(parents).static_order()]
    except CycleError as error:
        # From each task to one that it builds on, as in the parameter.
        circle = " -> ".join(map(repr, reversed(error.args[1])))
        raise ValueError(
            f"{parameter} must not lead from a task back to itself; found {circle}. "
            "Drop one of these relations."
        ) from None


def chain_of(task_names: list) -> list[tuple[int, ...]]:
    """Return the parents where each task builds on the one before it."""
    return [(k - 1,) if k else () for k in range(len(task_names))]


def funnel_parents(
    parameter: str, given: Mapping, task_names: list
) -> list[int | None]:
    """Return the position of the step that each step builds on, None for a first step.

    Parameters
    ----------
    parameter : str
        Its name, for errors.

    given : mapping
        By the name of a step the name of the one that it builds on. Steps left out
        build on no other.

    task_names : list
    """
    has_tuples = any(isinstance(name, tuple) for name in task_names)
    for step, on in given.items():
        # A tuple may be a misspelt name where names are tuples.
        is_name = isinstance(on, str) or (has_tuples and isinstance(on, tuple))
        if on is None or (np.iterable(on) and not is_name):
            raise ValueError(
                f"{parameter} must name one step that a step builds on; found {on!r} "
                f"for {step!r}. Give a single name, and leave out steps that build on "
                "no other."
            )
    parents = resolve_parents(
        parameter, {step: [on] for step, on in given.items()}, task_names
    )
    return [each[0] if each else None for each in parents]


def as_tuples(parents: Sequence[int | None]) -> list[tuple[int, ...]]:
    """Return for each step the steps that it builds on, at most one."""
    return [() if parent is None else (parent,) for parent in parents]

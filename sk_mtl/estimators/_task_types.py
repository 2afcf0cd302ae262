"""The type and the loss of each task that may hold classes or numbers."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from sk_mtl._labels import is_missing, plain_values
from sk_mtl._task_names import per_task
from sk_mtl.estimators._choices._loss import Loss
from sk_mtl.estimators._choices._number_losses import SquaredError
from sk_mtl.estimators._choices._task_losses import (
    LOSSES,
    fits,
    is_one_loss,
    loss_parameter,
    losses_by_task,
    name_of,
    resolve_loss,
)

_AUTO = "auto"
_CLASSES = ("binary", "multiclass")

# The types of numbers that stand for the loss of their name.
_LOSS_TYPES = ("poisson", "gamma", "ziln")
TASK_TYPES: tuple[str, ...] = (*_CLASSES, "regression", *_LOSS_TYPES)

_DEFAULT_LOSSES = {
    **dict.fromkeys(_CLASSES, "log_loss"),
    "regression": "squared_error",
    **{kind: kind for kind in _LOSS_TYPES},
}

# Whole numbers of more values than these are quantities, not classes.
_MOST_CLASSES = 20

# pandas' names for columns that hold only numbers, or only times and durations.
_NUMBER_OBJECTS = ("integer", "floating", "mixed-integer-float", "decimal")
_TIMES = ("datetime64", "datetime", "date", "timedelta64", "timedelta", "time")


class TaskType(NamedTuple):
    """The type of a task, one of `TASK_TYPES`, and its loss."""

    kind: str
    loss: Loss

    @property
    def has_classes(self) -> bool:
        """True for a task of classes."""
        return self.kind in _CLASSES


def resolve_task_types(
    named: Mapping[Hashable, Any], task_types, loss, missing_label
) -> dict[Hashable, TaskType]:
    """Return the type and the loss of each task by its name.

    Parameters
    ----------
    named : dict
        The columns of y by the names of their tasks.

    task_types : str, sequence of str, or dict by task name
        One for all tasks, or one for each; "auto" and tasks left out are inferred.

    loss : str, Loss or TaskOutput, or a sequence or dict of these
        One for all tasks that it fits, or one for each; "auto" and tasks left out take
        the default of their type.

    missing_label : object
        The value that marks a missing label in addition to NaN and None.
    """
    kinds = _types_by_task(task_types, list(named))
    losses = _losses_by_task(loss, list(named))
    # A loss for a single task is named for that task.
    shared = losses[0] if is_one_loss(loss) and len(named) > 1 else None
    resolved = {}
    for (name, column), kind, own in zip(named.items(), kinds, losses, strict=True):
        own = None if shared is not None else own
        _check_type(name, kind)
        if kind == _AUTO:
            kind = _infer_type(name, column, missing_label, own)
        if shared is not None and _fits(shared, kind):
            own = shared
        resolved[name] = _with_loss(name, kind, own)
    if shared is not None and all(each.loss != shared for each in resolved.values()):
        raise ValueError(
            f"loss must fit the type of a task; found {name_of(shared)}, of domain "
            f"{shared.domain!r}, and tasks of the types "
            f"{ {name: each.kind for name, each in resolved.items()} }. Use another "
            "loss, or name it by task: that decides the type, too."
        )
    return resolved


def types_by_classes(task_types, classes: list, names: list, *, only: bool) -> dict:
    """Return the types of tasks; the named classes decide the type of "auto" tasks.

    Parameters
    ----------
    task_types : str, sequence of str, or dict by task name

    classes : list of (array-like or None)
        The classes of each task that were named.

    names : list
        Names of the tasks.

    only : bool
        Whether the tasks without named classes hold numbers.
    """

    def named(kind: str, own) -> str:
        if kind != _AUTO or (own is None and not only):
            return kind
        if own is None:
            return "regression"
        return "binary" if len(own) == 2 else "multiclass"

    kinds = _types_by_task(task_types, names)
    return dict(zip(names, map(named, kinds, classes), strict=True))


def _types_by_task(task_types, names: list) -> list:
    return per_task(
        "task_types",
        task_types,
        names,
        is_single=lambda value: isinstance(value, str),
        default=_AUTO,
        left_out="are 'auto'",
    )


def _losses_by_task(loss, names: list) -> list[Loss | None]:
    """Return the loss given for each task, None for "auto"."""
    given = losses_by_task(loss, names, _AUTO)
    return [
        None
        if isinstance(each, str) and each == _AUTO
        else resolve_loss(
            loss_parameter(loss, name), each, {_AUTO: SquaredError(), **LOSSES}
        )
        for name, each in given.items()
    ]


def _fits(loss: Loss, kind: str) -> bool:
    """Return whether a loss is one that a type of tasks can have."""
    if kind in _LOSS_TYPES:
        return loss == LOSSES[kind]
    return fits(loss, has_classes=kind in _CLASSES)


def _with_loss(name: Hashable, kind: str, loss: Loss | None) -> TaskType:
    default = _DEFAULT_LOSSES[kind]
    loss = LOSSES[default] if loss is None else loss
    if not _fits(loss, kind):
        fitting = repr(kind)
        if kind not in _LOSS_TYPES:
            held = "classes" if kind in _CLASSES else "numbers"
            fitting = f"a loss of {held}, such as {default!r}"
        raise ValueError(
            f"The loss of task {name!r}, of type {kind!r}, must be {fitting}; found "
            f"{name_of(loss)}. Change its loss, or its entry in task_types."
        )
    # A loss with the name of a type is more specific than "regression".
    named = [each for each in _LOSS_TYPES if LOSSES[each] == loss]
    return TaskType(named[0] if named else kind, loss)


def _check_type(name: Hashable, kind: str) -> None:
    if kind not in (*TASK_TYPES, _AUTO):
        raise ValueError(
            f"task_types must be 'auto' or of {list(TASK_TYPES)}; found {kind!r} "
            f"for task {name!r}. Use one of these."
        )


def _infer_type(name: Hashable, column, missing_label, loss: Loss | None) -> str:
    """Return the type of a task by its loss, and by its labels without one."""
    if loss is not None and not fits(loss, has_classes=True):
        return "regression"
    labels = plain_values(column[~is_missing(column, missing_label)])
    held = pd.api.types.infer_dtype(labels, skipna=False)
    if held in _NUMBER_OBJECTS:
        # One array made from text and numbers holds its numbers as objects.
        labels = labels.astype(np.float64)
    if loss is None and held in _TIMES:
        raise ValueError(
            f"Task {name!r} must hold classes or numbers where its type is 'auto'; "
            f"found {held} values. Convert them to numbers, such as days, or set its "
            "type to 'multiclass' to take each one as a class."
        )
    n_values = len(pd.unique(labels))
    numbers = loss is None and labels.dtype.kind in "iuf"
    if numbers and (n_values > _MOST_CLASSES or (labels != np.floor(labels)).any()):
        return "regression"
    return "binary" if n_values <= 2 else "multiclass"

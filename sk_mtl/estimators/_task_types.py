"""The type and the loss of each task that may hold classes or numbers."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from sk_mtl._labels import is_missing, plain_values
from sk_mtl._task_names import per_task
from sk_mtl.estimators._regressor import LOSSES
from sk_mtl.estimators._targets._targets import is_single

_AUTO, _LOG_LOSS = "auto", "log_loss"
_CLASSES = ("binary", "multiclass")

# The losses that fit each type, that of "auto" first.
_FITTING: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(_CLASSES, (_LOG_LOSS,)),
    "regression": tuple(LOSSES),
    **{loss: (loss,) for loss in ("poisson", "gamma", "ziln")},
}
TASK_TYPES: tuple[str, ...] = tuple(_FITTING)

# Whole numbers of more values than these are quantities, not classes.
_MOST_CLASSES = 20

# What pandas calls values that all are numbers, or points in time and durations.
_NUMBER_OBJECTS = ("integer", "floating", "mixed-integer-float", "decimal")
_TIMES = ("datetime64", "datetime", "date", "timedelta64", "timedelta", "time")

_OPTIONS = {"is_single": is_single, "default": _AUTO, "left_out": "are 'auto'"}


class TaskType(NamedTuple):
    """The type of a task, one of `TASK_TYPES`, and the name of its loss."""

    kind: str
    loss: str

    @property
    def has_classes(self) -> bool:
        """Whether the task holds classes."""
        return self.kind in _CLASSES


def resolve_task_types(
    named: Mapping[Hashable, Any], task_types, loss, missing_label
) -> dict[Hashable, TaskType]:
    """Return the type and the loss of each task by its name.

    Parameters
    ----------
    named : dict
        The columns of y by the names of their tasks.

    task_types, loss : str, sequence of str, or dict by task name
        One for all tasks, or one for each; "auto" and tasks left out are inferred.

    missing_label : object
        The value that marks a missing label beside NaN and None.
    """
    kinds = per_task("task_types", task_types, list(named), **_OPTIONS)
    losses = per_task("loss", loss, list(named), **_OPTIONS)
    resolved = {}
    for (name, column), kind, wanted in zip(named.items(), kinds, losses, strict=True):
        _check_names(name, kind, wanted)
        # Given once for all, a loss is that of the tasks that it fits.
        own = _AUTO if isinstance(loss, str) and wanted != _LOG_LOSS else wanted
        if kind == _AUTO:
            kind = _infer_type(name, column, missing_label, own)
        if kind == "regression" and own == _AUTO:
            own = wanted
        resolved[name] = _with_loss(name, kind, own)
    return resolved


def types_by_classes(task_types, classes: list, names: list, *, only: bool) -> dict:
    """Return the types of tasks, those of "auto" by the classes that were named.

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

    kinds = per_task("task_types", task_types, names, **_OPTIONS)
    return dict(zip(names, map(named, kinds, classes), strict=True))


def _with_loss(name: Hashable, kind: str, loss: str) -> TaskType:
    fitting = _FITTING[kind]
    if loss == _AUTO:
        loss = fitting[0]
    if loss not in fitting:
        raise ValueError(
            f"The loss of task {name!r}, of type {kind!r}, must be one of "
            f"{list(fitting)}; found {loss!r}. Change its loss, or its entry in "
            "task_types."
        )
    # Where the name of a loss is that of a type, it says more than "regression".
    return TaskType(loss if loss in TASK_TYPES else kind, loss)


def _check_names(name: Hashable, kind: str, loss: str) -> None:
    if kind not in (*TASK_TYPES, _AUTO):
        raise ValueError(
            f"task_types must be 'auto' or of {list(TASK_TYPES)}; found {kind!r} "
            f"for task {name!r}. Use one of these."
        )
    if loss not in (*LOSSES, _LOG_LOSS, _AUTO):
        raise ValueError(
            f"loss must be 'auto' or of {[_LOG_LOSS, *LOSSES]}; found {loss!r} for "
            f"task {name!r}. Use one of these."
        )


def _infer_type(name: Hashable, column, missing_label, loss: str) -> str:
    """Return the type of a task by its loss, and by its labels where that is "auto"."""
    if loss in LOSSES:
        return "regression"
    labels = plain_values(column[~is_missing(column, missing_label)])
    held = pd.api.types.infer_dtype(labels, skipna=False)
    if held in _NUMBER_OBJECTS:
        # A table of text and numbers that became one array holds numbers as objects.
        labels = labels.astype(np.float64)
    if loss == _AUTO and held in _TIMES:
        raise ValueError(
            f"Task {name!r} must hold classes or numbers where its type is 'auto'; "
            f"found {held} values. Convert them to numbers, such as days, or set its "
            "type to 'multiclass' to take each one as a class."
        )
    n_values = len(pd.unique(labels))
    numbers = loss == _AUTO and labels.dtype.kind in "iuf"
    if numbers and (n_values > _MOST_CLASSES or (labels != np.floor(labels)).any()):
        return "regression"
    return "binary" if n_values <= 2 else "multiclass"

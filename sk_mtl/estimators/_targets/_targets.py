"""The columns of y: what each task is called, and what its labels are."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sk_mtl._labels import read_labels
from sk_mtl._task_names import per_task
from sk_mtl.estimators._targets._class_column import ClassColumn
from sk_mtl.estimators._targets._number_column import NumberColumn
from sk_mtl.estimators._targets._target_column import TargetColumn


@dataclass(frozen=True)
class Targets:
    """What `fit` learnt about y.

    Attributes
    ----------
    columns : list of TargetColumn
        One per task.

    one_dimensional : bool
        Whether y was a vector: then answers are single arrays, not lists.
    """

    columns: list[TargetColumn]
    one_dimensional: bool

    @property
    def n_tasks(self) -> int:
        """The number of columns of y."""
        return len(self.columns)

    @property
    def task_names(self) -> list:
        """One name per column of y, of any hashable type."""
        return [column.name for column in self.columns]

    @property
    def classes(self) -> list[np.ndarray | None]:
        """The sorted classes of each task, None where it holds numbers."""
        return [getattr(column, "classes", None) for column in self.columns]

    def encode(self, y, *, what: str = "y", strict: bool = True) -> np.ndarray:
        """Return numbers of shape (n_samples, n_tasks), NaN where a label lacks.

        Classes are numbered. A label that `fit` would refuse raises; with
        ``strict=False`` a class that is not known becomes -1. The columns of a frame
        are found by the names of the tasks.
        """
        columns = read_labels(y, what).columns_of(self.task_names, what)
        return np.column_stack(
            [
                column.encode(labels, what=what, strict=strict)
                for column, labels in zip(self.columns, columns, strict=True)
            ]
        )

    def decode(self, answers: Sequence[np.ndarray]) -> np.ndarray:
        """Return the predicted labels, given the answers on each task."""
        columns = self.decode_columns(answers)
        if self.one_dimensional:
            return columns[0]
        kinds = {column.dtype.kind for column in columns}
        if len(kinds) > 1 and not kinds <= set("iuf"):
            # np.stack would turn every label of a mixed table into text.
            columns = [column.astype(object) for column in columns]
        return np.stack(columns, axis=1)

    def decode_columns(self, answers: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Return the predicted labels of each task in their own type."""
        return [
            column.decode(answer)
            for column, answer in zip(self.columns, answers, strict=True)
        ]

    def check_counts(self, codes: np.ndarray, weight: np.ndarray | None) -> None:
        """Raise where the labelled rows of a task are too few to learn from."""
        for k, column in enumerate(self.columns):
            column.check_counts(codes[:, k], None if weight is None else weight[:, k])

    def fit_scale(self, codes: np.ndarray, weight: np.ndarray | None) -> Targets:
        """Return the targets with the units in which the network learns numbers."""
        columns = [
            column.fit_scale(codes[:, k], None if weight is None else weight[:, k])
            for k, column in enumerate(self.columns)
        ]
        return replace(self, columns=columns)

    def scale_codes(self, codes: np.ndarray) -> np.ndarray:
        """Return codes with numbers in the units in which the network learns them."""
        return self._each(TargetColumn.scale_codes.__name__, codes)

    def strata(self, codes: np.ndarray) -> np.ndarray:
        """Return what a split into parts should spread evenly, per task."""
        return self._each(TargetColumn.strata.__name__, codes)

    def _each(self, method: str, codes: np.ndarray) -> np.ndarray:
        each = zip(self.columns, codes.T, strict=True)
        return np.column_stack([getattr(column, method)(own) for column, own in each])


def learn_classes(
    y, *, task_names: Sequence[str] | None, missing_label: Any, classes=None
) -> Targets:
    """Return what there is to know about classes, or raise.

    Parameters
    ----------
    y : array-like of shape (n_samples,) or (n_samples, n_tasks)

    task_names : sequence of str or None
        Names for a y that carries none.

    missing_label : object
        The value that marks a missing label beside NaN and None.

    classes : array-like, list of array-like, dict or None
        All classes, where y may hold only some of them (``partial_fit``); a dict holds
        them by task name.
    """
    named, one_dimensional = named_columns(y, task_names)
    if classes is None:
        columns = [ClassColumn.learn(*item, missing_label) for item in named.items()]
        return Targets(columns, one_dimensional)
    names = list(named)
    if one_dimensional and not isinstance(classes, Mapping):
        classes = [classes]
    each = per_task("classes", classes, names, is_single=lambda value: False)
    columns = [
        ClassColumn.given(name, own, missing_label)
        for name, own in zip(names, each, strict=True)
    ]
    return Targets(columns, one_dimensional)


def learn_numbers(
    y, *, task_names: Sequence[str] | None, missing_label: Any, loss
) -> Targets:
    """Return what there is to know about numbers, or raise.

    Parameters
    ----------
    y, task_names, missing_label
        As of `learn_classes`.

    loss : str, sequence of str or dict
        What is learnt, the same for every task or one for each.
    """
    named, one_dimensional = named_columns(y, task_names)
    losses = per_task("loss", loss, list(named), is_single=is_single)
    columns = [
        NumberColumn.learn(name, column, missing_label, own)
        for (name, column), own in zip(named.items(), losses, strict=True)
    ]
    return Targets(columns, one_dimensional)


def named_columns(y, task_names: Sequence | None) -> tuple[dict[Hashable, Any], bool]:
    """Return the columns of y by the names of their tasks, and whether y is a vector.

    `task_names` are names for a y that carries none.
    """
    table = read_labels(y)
    names = table.task_names(task_names)
    return dict(zip(names, table.columns, strict=True)), table.is_vector


def is_single(value) -> bool:
    """Return whether a value is one name or function, not one for each task."""
    return isinstance(value, str) or callable(value)

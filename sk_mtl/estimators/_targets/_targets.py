"""The columns of y: what each task is called, and what its labels are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sk_mtl.estimators._targets._class_column import ClassColumn
from sk_mtl.estimators._targets._labels import named_columns, split_targets
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
    def task_names(self) -> list[str]:
        """One name per column of y."""
        return [column.name for column in self.columns]

    @property
    def classes(self) -> list[np.ndarray | None]:
        """The sorted classes of each task, None where it holds numbers."""
        return [getattr(column, "classes", None) for column in self.columns]

    def encode(self, y, *, what: str = "y", strict: bool = True) -> np.ndarray:
        """Return numbers of shape (n_samples, n_tasks), NaN where a label lacks.

        Classes are numbered. A label that `fit` would refuse raises; with
        ``strict=False`` a class that is not known becomes -1.
        """
        columns, names, _ = split_targets(y, what=what)
        if len(columns) != self.n_tasks:
            raise ValueError(
                f"{what} must have {self.n_tasks} column(s), one per task "
                f"{self.task_names}; found {len(columns)}. Give the columns that the "
                "estimator was fitted with."
            )
        if names is not None and not self.one_dimensional and names != self.task_names:
            raise ValueError(
                f"{what} must have the columns {self.task_names}, in this order; found "
                f"{names}. Reorder or rename the columns."
            )
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

    classes : array-like, list of array-like or None
        All classes, where y may hold only some of them (``partial_fit``).
    """
    named, one_dimensional = named_columns(y, task_names)
    if classes is None:
        columns = [ClassColumn.learn(*item, missing_label) for item in named.items()]
        return Targets(columns, one_dimensional)
    classes = [classes] if one_dimensional else classes
    if len(classes) != len(named):
        raise ValueError(
            f"classes must hold one array of classes per task {list(named)}; found "
            f"{len(classes)}. Give a list with the classes of every task."
        )
    given = zip(named, classes, strict=True)
    columns = [ClassColumn.given(name, each, missing_label) for name, each in given]
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
    losses = per_task("loss", loss, list(named))
    columns = [
        NumberColumn.learn(name, column, missing_label, losses[name])
        for name, column in named.items()
    ]
    return Targets(columns, one_dimensional)


def per_task(
    parameter: str, value, task_names: list[str], *, default: Any = None
) -> dict[str, Any]:
    """Return a parameter's value for each task, given once or for each.

    Parameters
    ----------
    parameter : str
        Its name, for errors.

    value : str, sequence of str, or dict by task name

    task_names : list of str

    default : object
        The value of the tasks that a dict leaves out; None lets it leave out none.
    """
    if isinstance(value, str):
        return dict.fromkeys(task_names, value)
    if isinstance(value, Mapping):
        if default is not None:
            return _some_tasks(parameter, value, task_names, default)
        wrong = sorted(set(map(str, value)) ^ set(task_names))
        if wrong:
            raise ValueError(
                f"{parameter} must have one entry per task {task_names}; found "
                f"{list(value)}, which differs in {wrong}. Name every task once."
            )
        return {name: value[name] for name in task_names}
    if len(value) != len(task_names):
        raise ValueError(
            f"{parameter} must hold one entry per task {task_names}; found "
            f"{len(value)}: {list(value)}. Give one per task, or a dict by task name."
        )
    return dict(zip(task_names, value, strict=True))


def _some_tasks(parameter: str, given, task_names: list[str], default) -> dict:
    unknown = [name for name in given if name not in task_names]
    if unknown:
        raise ValueError(
            f"{parameter} must be keyed by task names {task_names}; found {unknown}. "
            f"Correct the names; tasks left out are {default!r}."
        )
    return {name: given.get(name, default) for name in task_names}

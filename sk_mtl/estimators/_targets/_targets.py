"""The columns of y: the names of the tasks and the meaning of their labels."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from sk_mtl._labels import LabelTable, read_labels
from sk_mtl._masked_arrays import EXACT_INTEGERS
from sk_mtl._positive_class import pos_label_per_task
from sk_mtl._task_names import per_task
from sk_mtl._weights import read_weights
from sk_mtl.estimators._choices._task_losses import resolve_losses
from sk_mtl.estimators._targets._class_column import ClassColumn
from sk_mtl.estimators._targets._number_column import NumberColumn
from sk_mtl.estimators._targets._target_column import TargetColumn
from sk_mtl.losses import TaskOutput


@dataclass(frozen=True)
class Targets:
    """The tasks that `fit` learns from y.

    Attributes
    ----------
    columns : list of TargetColumn
        One per task.

    one_dimensional : bool
        Whether y was a vector; if so, answers are single arrays, not lists.

    framed : bool
        Whether y was a data frame.

    kinds : dict or None
        The type of each task by its name, if the types differ.
    """

    columns: list[TargetColumn]
    one_dimensional: bool
    framed: bool = False
    kinds: Mapping[Hashable, str] | None = None

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
        """The classes of each task in the order of their numbers; None for numbers."""
        return [getattr(column, "classes", None) for column in self.columns]

    @property
    def sorted_classes(self) -> list[np.ndarray | None]:
        """The sorted classes of each task, None where it holds numbers."""
        return [getattr(column, "sorted_classes", None) for column in self.columns]

    @property
    def outputs(self) -> list[TaskOutput]:
        """The meaning of each task's logits."""
        return [column.output for column in self.columns]

    @property
    def pos_labels(self) -> dict[Hashable, Any]:
        """The positive class of the tasks of two classes for which it is named."""
        named = {each.name: getattr(each, "pos_label", None) for each in self.columns}
        return {name: label for name, label in named.items() if label is not None}

    def encode(self, y, *, what: str = "y", strict: bool = True) -> np.ndarray:
        """Return numbers of shape (n_samples, n_tasks), NaN where a label is missing.

        Classes are numbered. Raise for labels that `fit` would refuse; with
        ``strict=False`` return -1 for an unknown class instead. The columns of a frame
        are found by the names of the tasks.
        """
        return self.encode_table(read_labels(y, what), None, what=what, strict=strict)

    def encode_table(
        self,
        table: LabelTable,
        weight: np.ndarray | None,
        *,
        what: str = "y",
        strict: bool = True,
    ) -> np.ndarray:
        """Return numbers as `encode` does, NaN also where the weight of a label is 0.

        Labels of weight 0 are not read, so any value is allowed.
        """
        columns = table.columns_of(self.task_names, what)
        codes = np.full((table.n_samples, self.n_tasks), np.nan)
        for k, (column, labels) in enumerate(zip(self.columns, columns, strict=True)):
            rows = slice(None) if weight is None else weight[:, k] > 0
            codes[rows, k] = column.encode(labels[rows], what=what, strict=strict)
        return codes

    def decode(self, answers: Sequence[np.ndarray]) -> np.ndarray:
        """Return the predicted labels, given the answers for each task."""
        columns = self.decode_columns(answers)
        if self.one_dimensional:
            return columns[0]
        kinds = {column.dtype.kind for column in columns}
        if len(kinds) > 1 and not _have_a_common_type(columns):
            # np.stack would convert every label of a mixed table to text.
            columns = [_as_objects(column) for column in columns]
        return np.stack(columns, axis=1)

    def decode_columns(self, answers: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Return the predicted labels of each task in their own type."""
        return [
            column.decode(answer)
            for column, answer in zip(self.columns, answers, strict=True)
        ]

    def as_given(self, arrays: Iterable) -> Any:
        """Return a list with one entry per task, or the only entry of a vector y."""
        arrays = list(arrays)
        return arrays[0] if self.one_dimensional else arrays

    def check_same_classes(self, given: Targets) -> None:
        """Raise if a fit that continues gets other classes."""
        for name, old, new in zip(
            self.task_names, self.classes, given.classes, strict=True
        ):
            if not np.array_equal(old, new):
                raise ValueError(
                    f"classes of task {name!r} must be the same as in the first call, "
                    f"{old.tolist()}; found {new.tolist()}. Give the same classes, or "
                    "None."
                )

    def check_counts(self, codes: np.ndarray, weight: np.ndarray | None) -> None:
        """Raise if the labelled rows of a task are too few to learn from."""
        for k, column in enumerate(self.columns):
            column.check_counts(codes[:, k], None if weight is None else weight[:, k])

    def fit_scale(self, codes: np.ndarray, weight: np.ndarray | None) -> Targets:
        """Return the targets with the units in which the network learns numbers."""
        columns = [
            column.fit_scale(codes[:, k], None if weight is None else weight[:, k])
            for k, column in enumerate(self.columns)
        ]
        return replace(self, columns=columns)

    def with_errors(
        self, answers: np.ndarray, scaled: np.ndarray, weight: np.ndarray
    ) -> Targets:
        """Return the targets with the errors of a network in training.

        All arrays are of shape (n_samples, n_tasks), as in `TargetColumn.with_errors`.
        """
        columns = [
            column.with_errors(answers[:, k], scaled[:, k], weight[:, k])
            for k, column in enumerate(self.columns)
        ]
        return replace(self, columns=columns)

    def mark_untrained(
        self, codes: np.ndarray, soft: Sequence[np.ndarray | None] | None = None
    ) -> Targets:
        """Return the targets with a record of the classes that no training row has.

        `soft` are the soft labels of each task.
        """
        each = [None] * self.n_tasks if soft is None else soft
        columns = [
            column.mark_untrained(codes[:, k], own)
            for k, (column, own) in enumerate(zip(self.columns, each, strict=True))
        ]
        return replace(self, columns=columns)

    def logit_offsets(self, head_widths: Sequence[int]) -> list[float] | None:
        """Return the constants to add to the logits of all heads, or None.

        The heads of the tasks come first.
        """
        widths = list(head_widths)
        offsets = [value for each in self.columns for value in each.logit_offsets()]
        offsets += [0.0] * sum(widths[self.n_tasks :])
        return offsets if any(offsets) else None

    def scale_codes(self, codes: np.ndarray) -> np.ndarray:
        """Return the targets in the network's units, with values for missing labels."""
        return self._each(TargetColumn.scale_codes.__name__, codes)

    def strata(self, codes: np.ndarray) -> np.ndarray:
        """Return the values to stratify a split by, per task."""
        return self._each(TargetColumn.strata.__name__, codes)

    def _each(self, method: str, codes: np.ndarray) -> np.ndarray:
        each = zip(self.columns, codes.T, strict=True)
        return np.column_stack([getattr(column, method)(own) for column, own in each])


def learn_classes(
    y,
    *,
    task_names: Sequence[str] | None,
    missing_label: Any,
    loss: Any = "log_loss",
    classes=None,
    weight=None,
    pos_label=None,
) -> Targets:
    """Return the tasks of classes that y holds, or raise.

    Parameters
    ----------
    y : array-like of shape (n_samples,) or (n_samples, n_tasks)

    task_names : sequence of str or None
        Names of the tasks if y has none.

    missing_label : object
        The value that marks a missing label in addition to NaN and None.

    loss : str, Loss or TaskOutput, or a sequence or dict of these
        The loss of every task, or one for each.

    classes : array-like, list of array-like, dict or None
        All classes, if y may hold only some of them; a dict holds them by task name.

    weight : array-like or None
        Sample weights: labels of weight 0 are ignored.

    pos_label : label, dict or None
        The positive class of two, for all tasks or by task name.
    """
    named, one_dimensional = named_columns(y, task_names, weight)
    names = list(named)
    each = classes_by_task(classes, names, one_dimensional)
    positive = pos_label_per_task(pos_label, names)
    losses = resolve_losses(loss, names, "log_loss")
    columns = [
        ClassColumn.learn_or_given(
            name, named[name], own, missing_label, label, losses[name]
        )
        for name, own, label in zip(names, each, positive, strict=True)
    ]
    return Targets(columns, one_dimensional)


def classes_by_task(classes, names: list, one_dimensional: bool) -> list:
    """Return the classes that the caller named for each task, None for others."""
    if classes is None:
        return [None] * len(names)
    if one_dimensional and not isinstance(classes, Mapping):
        classes = [classes]
    return per_task(
        "classes",
        classes,
        names,
        is_single=lambda value: False,
        default=None,
        left_out="have the classes of y",
    )


def learn_numbers(
    y, *, task_names: Sequence[str] | None, missing_label: Any, loss, weight=None
) -> Targets:
    """Return the tasks of numbers that y holds, or raise.

    Parameters
    ----------
    y, task_names, missing_label, loss, weight
        As in `learn_classes`.
    """
    named, one_dimensional = named_columns(y, task_names, weight)
    losses = resolve_losses(loss, list(named), "squared_error")
    columns = [
        NumberColumn.learn(name, column, missing_label, losses[name])
        for name, column in named.items()
    ]
    return Targets(columns, one_dimensional)


def named_columns(
    y, task_names: Sequence | None, weight=None
) -> tuple[dict[Hashable, Any], bool]:
    """Return the columns of y by the names of their tasks, and whether y is a vector.

    `task_names` are the names if y has none. Labels of weight 0 are left out.
    """
    table = read_labels(y)
    names, columns = table.task_names(task_names), table.columns
    weight = read_weights(weight, table.n_samples, names)
    # The check of the rows refuses weights that all are 0.
    if weight is not None and weight.any():
        columns = [c[own > 0] for c, own in zip(columns, weight.T, strict=True)]
    return dict(zip(names, columns, strict=True)), table.is_vector


def _have_a_common_type(columns: Sequence[np.ndarray]) -> bool:
    """Return whether numbers can stand in one array without being rounded."""
    if any(column.dtype.kind not in "iuf" for column in columns):
        return False
    common = np.result_type(*columns)
    return all(
        column.min(initial=0) >= -EXACT_INTEGERS
        and column.max(initial=0) <= EXACT_INTEGERS
        for column in columns
        if common.kind == "f" and column.dtype.kind in "iu"
    )


def _as_objects(labels: np.ndarray) -> np.ndarray:
    # NumPy would convert times in nanoseconds to integers.
    if labels.dtype.kind in "mM":
        return pd.Series(labels).astype(object).to_numpy()
    return labels.astype(object)

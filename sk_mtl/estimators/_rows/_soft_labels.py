"""Soft labels: a teacher's probabilities and numbers beside the labels of the rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch

from sk_mtl._labels import as_numbers, is_missing, label_list, read_labels
from sk_mtl._task_names import column_order, per_task
from sk_mtl.estimators._choices._task_losses import name_of
from sk_mtl.estimators._rows._inputs import check_same_length
from sk_mtl.estimators._targets._class_column import ClassColumn
from sk_mtl.estimators._targets._number_column import NumberColumn
from sk_mtl.estimators._targets._targets import Targets
from sk_mtl.losses import SoftTargets

# Means of probabilities may leave the interval by rounding, and probabilities that
# were rounded to three digits may not quite sum to 1.
_ROUNDING, _ROUNDED_SUM = 1e-6, 2e-3


@dataclass(frozen=True)
class SoftLabels:
    """A teacher's answers for the rows of a fit.

    Attributes
    ----------
    tables : tuple of (ndarray or None)
        For a task of classes the probabilities of shape (n_samples, n_classes), in the
        order of the class numbers; for a task of numbers the numbers of shape
        (n_samples, 1) in the target's own units. None for a task without soft labels.

    weight : ndarray of shape (n_samples, n_tasks)
        Weight of each soft label, 0 where a row has none.
    """

    tables: tuple[np.ndarray | None, ...]
    weight: np.ndarray

    @classmethod
    def read(
        cls, given, n_samples: int, weight: np.ndarray | None, targets: Targets
    ) -> SoftLabels | None:
        """Return the soft labels, None without any, or raise.

        Parameters
        ----------
        given : array-like, DataFrame, list, dict or None
            As of `fit`.

        n_samples : int
            The number of rows of X.

        weight : ndarray of shape (n_samples, n_tasks) or None
            Sample weights.

        targets : Targets
        """
        if given is None:
            return None
        tables = []
        counts = np.ones((n_samples, targets.n_tasks)) if weight is None else weight
        counts = counts.copy()
        by_task = zip(targets.columns, _by_task(given, n_samples, targets), strict=True)
        for k, (column, own) in enumerate(by_task):
            table = None if own is None else _read_task(own, n_samples, column)
            known = False if table is None else ~np.isnan(table[:, 0])
            counts[:, k] = np.where(known, counts[:, k], 0.0)
            tables.append(None if table is None else np.nan_to_num(table))
        return cls(tuple(tables), counts) if counts.any() else None

    def take(self, rows: np.ndarray) -> SoftLabels:
        """Return the soft labels of the rows of the given numbers."""
        tables = tuple(None if each is None else each[rows] for each in self.tables)
        return SoftLabels(tables, self.weight[rows])

    def weight_classes(self, by_class: list[np.ndarray | None] | None) -> SoftLabels:
        """Return the soft labels with the weights of the classes of each task.

        As the loss of a class counts by its weight, so does its probability.
        """
        if by_class is None:
            return self
        tables, weight = list(self.tables), self.weight.copy()
        for k, values in enumerate(by_class):
            if values is None or tables[k] is None:
                continue
            weighted = tables[k] * values
            total = weighted.sum(axis=1)
            weight[:, k] *= total
            tables[k] = weighted / np.where(total > 0, total, 1.0)[:, None]
        return SoftLabels(tuple(tables), weight)

    def mix_numbers(self, codes: np.ndarray, distillation: float) -> np.ndarray:
        """Return targets in which numbers are mixed with their soft labels."""
        codes, share = codes.copy(), self._shares(codes, distillation)
        for k, table in enumerate(self.tables):
            if table is None or table.shape[1] > 1:
                continue
            rows = share[:, k] > 0
            label, part = np.nan_to_num(codes[rows, k]), share[rows, k]
            codes[rows, k] = (1 - part) * label + part * table[rows, 0]
        return codes

    def targets_of_classes(
        self, codes: np.ndarray, distillation: float, targets: Targets
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
        """Return the arrays of `SoftTargets`, None if no task of classes has any."""
        share, tables = self._shares(codes, distillation), []
        for k, (table, classes) in enumerate(zip(self.tables, targets.classes)):
            if table is None or classes is None:
                share[:, k] = 0.0
            if classes is not None:
                empty = np.zeros((len(codes), len(classes)))
                tables.append(empty if table is None else table)
        if not share.any():
            return None
        return np.hstack(tables), 1 - share, self.weight * share

    def _shares(self, codes: np.ndarray, distillation: float) -> np.ndarray:
        """Return the share of the soft label in each target, 1 without a label."""
        share = np.where(np.isnan(codes), 1.0, distillation)
        return np.where(self.weight > 0, share, 0.0)


def to_soft_targets(
    arrays: tuple[np.ndarray, ...] | None, dtype: torch.dtype
) -> SoftTargets | None:
    """Return the tensors of `SoftLabels.targets_of_classes`."""
    if arrays is None:
        return None
    return SoftTargets(*(torch.from_numpy(each).to(dtype) for each in arrays))


def _by_task(given, n_samples: int, targets: Targets) -> list:
    """Return the soft labels of each task, None for a task without."""
    names = targets.task_names
    if _is_one_per_task(given, n_samples):
        if len(given) != len(names):
            raise ValueError(
                f"soft_labels must hold one entry per task {names}; found {len(given)} "
                f"entries. Give what predict_proba returns, a table of {n_samples} "
                "rows with a column per task, or a dict by task name."
            )
        return list(given)
    if isinstance(given, Mapping):
        return per_task(
            "soft_labels",
            given,
            names,
            is_single=lambda value: False,
            default=None,
            left_out="have no soft labels",
        )
    if len(names) == 1:
        return [given]
    table = read_labels(given, "soft_labels")
    return table.columns_of(names, "soft_labels")


def _is_one_per_task(given, n_samples: int) -> bool:
    """Return whether a list has an entry per task, and not one per row."""
    if not isinstance(given, list | tuple):
        return False
    has_tables = any(each is None or np.ndim(each) == 2 for each in given)
    return has_tables or len(given) != n_samples


def _read_task(given, n_samples: int, column) -> np.ndarray:
    """Return the soft labels of a task, with NaN in rows that have none."""
    what = f"soft_labels of task {column.name!r}"
    table = read_labels(given, what)
    check_same_length(X=range(n_samples), soft_labels=table.columns[0])
    if isinstance(column, ClassColumn):
        return _read_proba(table, column, what)
    if len(table.columns) != 1:
        raise ValueError(
            f"{what} must be one number per row; found {len(table.columns)} columns. "
            "Give a predicted number, not probabilities."
        )
    return _read_numbers(table.columns[0], column)


def _read_numbers(labels, column: NumberColumn) -> np.ndarray:
    output = column.output
    if is_missing(labels).all():
        return np.full((len(labels), 1), np.nan)
    if output.zero_inflated or output.quantile_levels:
        raise ValueError(
            "soft_labels must be of tasks of classes, or of numbers that are learnt as "
            f"a mean or a median; found some for task {column.name!r} with "
            f"loss={name_of(column.loss)}, for which a mixed number is not an "
            "observation. Leave the task out of soft_labels, or use another loss."
        )
    # A predicted number can be the one that marks a missing label.
    column = replace(column, missing_label=None)
    return column.encode(labels, what="soft_labels", strict=True)[:, None]


def _read_proba(table, column: ClassColumn, what: str) -> np.ndarray:
    classes, n_columns = label_list(column.sorted_classes), len(table.columns)
    proba = np.column_stack([_as_floats(each, what) for each in table.columns])
    if table.names is not None and sorted(map(str, table.names)) == sorted(
        map(str, classes)
    ):
        proba = proba[:, column_order(table.names, classes, what)]
    if n_columns not in ([1, 2] if len(classes) == 2 else [len(classes)]):
        raise ValueError(
            f"{what} must have a column for each of its {len(classes)} classes "
            f"{classes}{', or one for the positive class' * (len(classes) == 2)}; "
            f"found {n_columns}. Give what predict_proba returns."
        )
    _check_proba(proba, what)
    proba = proba.clip(0, 1)
    if n_columns == 1:
        return np.hstack([1 - proba, proba])
    # Two classes are numbered backwards where the first is the positive one.
    return column.sort_answers(proba / proba.sum(axis=1, keepdims=True))


def _check_proba(proba: np.ndarray, what: str) -> None:
    missing = np.isnan(proba)
    partly = missing.any(axis=1) & ~missing.all(axis=1)
    if partly.any():
        raise ValueError(
            f"{what} must hold the probabilities of all classes of a row, or NaN for "
            f"all; found NaN for some in row {partly.argmax()}. Fill the row in, or "
            "set all of it to NaN."
        )
    outside = ~missing & ~((proba >= -_ROUNDING) & (proba <= 1 + _ROUNDING))
    if outside.any():
        row, k = np.argwhere(outside)[0]
        raise ValueError(
            f"{what} must be probabilities from 0 to 1; found {proba[row, k]:g} in row "
            f"{row}. Give what predict_proba returns, not logits or labels."
        )
    total = proba.sum(axis=1)
    wrong = np.abs(total - 1) > _ROUNDED_SUM
    if proba.shape[1] > 1 and wrong.any():
        row = wrong.argmax()
        raise ValueError(
            f"{what} must sum to 1 in each row; found {total[row]:g} in row {row}. "
            "Divide each row by its sum."
        )


def _as_floats(labels, what: str) -> np.ndarray:
    missing = is_missing(labels)
    values = np.full(len(labels), np.nan)
    values[~missing] = as_numbers(labels[~missing], what, "Give probabilities")
    return values

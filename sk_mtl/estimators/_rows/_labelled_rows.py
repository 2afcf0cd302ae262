"""Checked rows, from X, y, weights and groups to tables of tensors."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch

from sk_mtl._groups import group_names
from sk_mtl._labels import read_labels
from sk_mtl.estimators._rows._inputs import check_same_length, check_weights
from sk_mtl.estimators._rows._soft_labels import SoftLabels, to_soft_targets
from sk_mtl.estimators._rows._tensor_table import TensorTable
from sk_mtl.estimators._targets._class_weights import (
    apply_class_weights,
    class_weight_table,
)
from sk_mtl.estimators._targets._targets import Targets
from sk_mtl.preprocessing import FeatureArrays

# Sums of products of larger weights with losses may overflow in single precision.
_LARGEST_WEIGHT = 1e20


@dataclass(frozen=True)
class LabelledRows:
    """Checked rows with labels, weights and groups.

    Attributes
    ----------
    X : DataFrame, ndarray or FeatureArrays with n_samples rows
        The columns, raw or encoded.

    codes : ndarray of shape (n_samples, n_tasks)
        Class numbers, or numbers in the target's own units; NaN where the label is
        missing or its weight is 0.

    weight : ndarray of shape (n_samples, n_tasks) or None
        Sample weights, later multiplied by class weights.

    groups : ndarray of shape (n_samples,) or None
        The name of each row's group.

    soft : SoftLabels or None
        A teacher's answers for the rows.

    folds : ndarray of shape (n_samples,) or None
        The member of an ensemble that does not train on the row, -1 for none. None
        where every member trains on every row.
    """

    X: pd.DataFrame | np.ndarray | FeatureArrays
    codes: np.ndarray
    weight: np.ndarray | None
    groups: np.ndarray | None = None
    soft: SoftLabels | None = None
    folds: np.ndarray | None = None

    @classmethod
    def check(
        cls, X, y, weight, groups, targets: Targets, suffix: str = "", soft_labels=None
    ) -> LabelledRows:
        """Return the rows, or raise if y, weights or groups do not match X."""
        what, names = "y" + suffix, targets.task_names
        table = read_labels(y, what)
        check_same_length(**{"X" + suffix: X, what: table.columns[0]})
        weight = check_weights(weight, table.n_samples, names, "sample_weight" + suffix)
        codes = targets.encode_table(table, weight, what=what)
        if groups is not None:
            groups = group_names(groups)
            check_same_length(X=X, groups=groups)
        soft = SoftLabels.read(soft_labels, len(codes), weight, targets)
        return cls(X, codes, weight, groups, soft)

    def __len__(self) -> int:
        return len(self.codes)

    def weighted(self, weight: np.ndarray | None) -> LabelledRows:
        """Return the rows with other weights; labels of weight 0 become missing."""
        if weight is None:
            return self
        return replace(
            self, codes=np.where(weight > 0, self.codes, np.nan), weight=weight
        )

    def take(self, rows: np.ndarray) -> LabelledRows:
        """Return the rows of the given numbers."""
        X = self.X.iloc[rows] if hasattr(self.X, "iloc") else self.X[rows]
        weight = None if self.weight is None else self.weight[rows]
        groups = None if self.groups is None else self.groups[rows]
        soft = self.soft and self.soft.take(rows)
        folds = None if self.folds is None else self.folds[rows]
        return LabelledRows(X, self.codes[rows], weight, groups, soft, folds)

    def to_table(
        self,
        targets: Targets,
        dtype: torch.dtype,
        device: torch.device,
        distillation: float = 0.0,
    ) -> TensorTable:
        """Return encoded rows as tensors.

        `distillation` is the share of the soft labels in the targets of rows that have
        both; at 0 they are left out.
        """
        codes, weight, soft = self.codes, self.weight, None
        if self.soft is not None and distillation > 0:
            soft = self.soft.targets_of_classes(codes, distillation, targets)
            codes = self.soft.mix_numbers(codes, distillation)
        missing = np.isnan(codes)
        if missing.any():
            weight = np.where(missing, 0.0, 1.0 if weight is None else weight)
        if weight is not None and (weight == 1).all():
            weight = None
        _refuse_extreme_weights(weight, targets.task_names)
        y = targets.scale_codes(codes)
        table = TensorTable(
            torch.from_numpy(self.X.codes),
            torch.from_numpy(self.X.numeric).to(dtype),
            torch.from_numpy(y).to(dtype),
            None if weight is None else torch.from_numpy(weight.copy()).to(dtype),
            tuple(map(torch.from_numpy, self.X.sequences)),
            to_soft_targets(soft, dtype),
            None if self.folds is None else torch.from_numpy(self.folds),
        )
        return table.to(device)


def _refuse_extreme_weights(weight: np.ndarray | None, task_names: list[str]) -> None:
    """Raise if a task's weights become zero or infinity in single precision."""
    if weight is None:
        return
    for name, largest in zip(task_names, weight.max(axis=0, initial=0.0), strict=True):
        if largest > _LARGEST_WEIGHT or 0 < largest < 1 / _LARGEST_WEIGHT:
            raise ValueError(
                f"The weights of task {name!r}, sample_weight times class_weight, must "
                f"have a maximum from {1 / _LARGEST_WEIGHT:g} to {_LARGEST_WEIGHT:g}; "
                f"found {largest:g}. Multiply them by a constant, which changes "
                "nothing else."
            )


def weight_classes(class_weight, targets: Targets, train, *others):
    """Return the row sets with class weights, computed from the training rows."""
    table = class_weight_table(class_weight, targets, train.codes, train.weight)
    return tuple(
        rows
        and replace(
            rows.weighted(apply_class_weights(table, rows.codes, rows.weight)),
            soft=rows.soft and rows.soft.weight_classes(table),
        )
        for rows in (train, *others)
    )

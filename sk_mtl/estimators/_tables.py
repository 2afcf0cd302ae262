"""From X, y and weights to tables of tensors."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch

from sk_mtl.estimators._batches import TensorTable
from sk_mtl.estimators._class_weights import apply_class_weights, class_weight_table
from sk_mtl.estimators._inputs import check_same_length, check_weights
from sk_mtl.estimators._targets import ClassTargets
from sk_mtl.exceptions import FunnelWarning, LeakWarning
from sk_mtl.preprocessing import FeatureArrays

# Rows that decide whether a feature is worth comparing with a label in full.
_LEAK_SAMPLE = 1000

# In fewer rows a feature may agree with a label by chance.
_LEAK_MINIMUM = 30


@dataclass(frozen=True)
class LabelledRows:
    """Checked rows before encoding.

    Attributes
    ----------
    X : DataFrame or ndarray with n_samples rows

    codes : ndarray of shape (n_samples, n_tasks)
        Class numbers, NaN where a label lacks.

    weight : ndarray of shape (n_samples, n_tasks) or None
        Sample weights, then times class weights.
    """

    X: pd.DataFrame | np.ndarray
    codes: np.ndarray
    weight: np.ndarray | None

    @classmethod
    def check(cls, X, y, weight, targets: ClassTargets, suffix: str = ""):
        """Return the rows, or raise where y or the weights do not fit X."""
        codes = targets.encode(y, what="y" + suffix)
        check_same_length(**{"X" + suffix: X, "y" + suffix: codes})
        name, names = "sample_weight" + suffix, targets.task_names
        return cls(X, codes, check_weights(weight, *codes.shape, name, names))

    def __len__(self) -> int:
        return len(self.codes)

    def take(self, rows: np.ndarray) -> LabelledRows:
        """Return the rows of the given numbers."""
        X = self.X.iloc[rows] if hasattr(self.X, "iloc") else self.X[rows]
        weight = None if self.weight is None else self.weight[rows]
        return LabelledRows(X, self.codes[rows], weight)

    def to_table(
        self, arrays: FeatureArrays, dtype: torch.dtype, device: torch.device
    ) -> TensorTable:
        """Return the rows as tensors, given their encoded features."""
        missing = np.isnan(self.codes)
        weight = self.weight
        if missing.any():
            weight = np.where(missing, 0.0, 1.0 if weight is None else weight)
        if weight is not None and (weight == 1).all():
            weight = None
        y = np.where(missing, 0.0, self.codes)
        table = TensorTable(
            torch.from_numpy(arrays.codes),
            torch.from_numpy(arrays.numeric).to(dtype),
            torch.from_numpy(y).to(dtype),
            None if weight is None else torch.from_numpy(weight.copy()).to(dtype),
            tuple(map(torch.from_numpy, arrays.sequences)),
        )
        return table.to(device)


def weight_classes(class_weight, targets: ClassTargets, train, *others):
    """Return the row sets with class weights, which the training rows decide."""
    table = class_weight_table(class_weight, targets, train.codes)
    return tuple(
        rows
        and replace(rows, weight=apply_class_weights(table, rows.codes, rows.weight))
        for rows in (train, *others)
    )


def check_funnel(codes: np.ndarray, targets: ClassTargets) -> None:
    """Warn of rows in which a later step was reached without the earlier one."""
    with np.errstate(invalid="ignore"):
        # NaN compares as False: a missing label contradicts nothing. The smallest
        # label of all earlier steps sees past one that is missing in between.
        earlier = np.fmin.accumulate(codes, axis=1)
        broken = (codes[:, 1:] > earlier[:, :-1]).any(axis=1)
    if broken.any():
        warnings.warn(
            f"The columns of y must be the steps of a funnel, {targets.task_names}, "
            "each reached only after the one before it; found "
            f"{broken.mean():.1%} of the rows with a later step and not the earlier. "
            "Use structure='independent' for tasks that do not build on each other, "
            "or fix the labels.",
            FunnelWarning,
            stacklevel=2,
        )


def check_leaks(
    arrays: FeatureArrays, names: list[str], codes: np.ndarray, task_names: list[str]
) -> None:
    """Warn of a feature that is a label under another name.

    A feature leaks where its values correspond one to one to the labels. The first
    rows rule out nearly every feature, so that the full comparison is seldom made.
    Tables of fewer than 30 labelled rows are not looked at.
    """
    for column, name in zip(_columns(arrays), names, strict=True):
        for k, task in enumerate(task_names):
            if _is_relabelling(column, codes[:, k]):
                warnings.warn(
                    f"Feature {name!r} must not tell the label of task {task!r}; found "
                    "that it equals the label in every labelled row, which is a leak: "
                    f"the model will read the answer off it. Drop {name!r} from X.",
                    LeakWarning,
                    stacklevel=2,
                )


def _columns(arrays: FeatureArrays):
    yield from arrays.codes.T
    yield from arrays.numeric.T


def _is_relabelling(column: np.ndarray, label: np.ndarray) -> bool:
    labelled = np.flatnonzero(~np.isnan(label))
    if len(labelled) < _LEAK_MINIMUM:
        return False
    for rows in (labelled[:_LEAK_SAMPLE], labelled):
        pairs = np.unique(np.column_stack([column[rows], label[rows]]), axis=0)
        n_values = len(np.unique(pairs[:, 0]))
        if len(pairs) < 2 or not n_values == len(pairs) == len(np.unique(pairs[:, 1])):
            return False
    return True

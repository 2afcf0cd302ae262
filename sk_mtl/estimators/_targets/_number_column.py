"""A column of y that holds numbers."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace

import numpy as np
from sklearn.metrics import r2_score

from sk_mtl._labels import as_numbers, is_missing
from sk_mtl.estimators._targets._target_column import TargetColumn, raise_unlabelled
from sk_mtl.metrics import TaskMetric

# Losses of positive numbers: their logarithms are learnt, and shifting them would make
# some of them negative.
_POSITIVE_LOSSES = ("poisson", "gamma", "ziln")

# Rows that rule out features of which the number is no linear function, and how far
# such a row may lie beside the line, as a share of the range.
_TELLING = 64
_NEAR_LINE = 1e-3


@dataclass(frozen=True)
class NumberColumn(TargetColumn):
    """The numbers of a task, and the units in which the network learns them.

    Numbers are shifted to mean 0 and scaled to standard deviation 1, so that no task
    swamps another. Those that cannot be negative are scaled to mean 1.

    Attributes
    ----------
    loss : str
        What is learnt, one of `LOSSES`.

    shift, scale : float
        What is taken from a number and by what the rest is divided.
    """

    loss: str = "squared_error"
    shift: float = 0.0
    scale: float = 1.0

    @classmethod
    def learn(cls, name: Hashable, column, missing_label, loss: str) -> NumberColumn:
        """Return the column, or raise where it holds what the loss cannot learn."""
        learnt = cls(name, missing_label, loss)
        values = learnt.encode(column, what="y", strict=True)
        if np.isnan(values).all():
            raise_unlabelled(name, column)
        return learnt

    def encode(self, column, *, what: str, strict: bool) -> np.ndarray:
        """Return the numbers, NaN where there is none."""
        missing = is_missing(column, self.missing_label)
        values = np.full(len(column), np.nan)
        values[~missing] = as_numbers(
            column[~missing],
            f"{what} of task {self.name!r}",
            "Give numbers, or learn its classes with a classifier",
        )
        if np.isinf(values).any():
            raise ValueError(
                f"Input {what} contains infinity: the numbers of task {self.name!r} "
                "must be finite. Replace them, or mark them as missing with NaN."
            )
        if strict:
            self._check_range(values, what)
        return values

    def decode(self, answers: np.ndarray) -> np.ndarray:
        """Return the means in the target's own units."""
        return answers[:, 0].astype(np.float64) * self.scale + self.shift

    def score(
        self, codes: np.ndarray, answers: np.ndarray, weight: np.ndarray
    ) -> float:
        """Return the coefficient of determination, R²."""
        return r2_score(codes, self.decode(answers), sample_weight=weight)

    def evaluate(
        self, metric: TaskMetric, codes, answers, weight, pos_label=None
    ) -> float:
        """Return a metric of numbers and predictions."""
        metric = metric.of_kind("number", self.name)
        return metric(codes, self.decode(answers), sample_weight=weight)

    def telling_rows(self, codes: np.ndarray) -> np.ndarray:
        """Return the positions of the extremes, then of a few rows between."""
        between = np.linspace(0, len(codes) - 1, _TELLING).astype(int)
        return np.concatenate([[codes.argmin(), codes.argmax()], between])

    def may_be_told_by(self, features: np.ndarray, codes: np.ndarray) -> np.ndarray:
        """Return which columns lie on the line through the first two rows."""
        start, step = features[0], features[1] - features[0]
        label = (codes - codes[0]) / ((codes[1] - codes[0]) or 1.0)
        with np.errstate(all="ignore"):
            place = (features - start) / step
        return (np.abs(place - label[:, None]) < _NEAR_LINE).all(axis=0)

    def is_told_by(self, feature: np.ndarray, codes: np.ndarray) -> bool:
        """Return whether the numbers are a linear function of the feature."""
        centred = feature - feature.mean(dtype=np.float64), codes - codes.mean()
        x, y = (each / (np.abs(each).max() or 1.0) for each in centred)
        if not x.any() or not y.any():
            return False
        rest = y - x * (x @ y) / (x @ x)
        # Features are single-precision numbers.
        return np.abs(rest).max() < 1e-5

    def fit_scale(self, codes: np.ndarray, weight: np.ndarray | None) -> NumberColumn:
        """Return the column with the shift and scale of the labelled rows."""
        labelled = ~np.isnan(codes)
        if weight is not None:
            labelled &= weight > 0
        if not labelled.any():
            return self
        values = codes[labelled]
        weight = None if weight is None else weight[labelled]
        mean = np.average(values, weights=weight)
        if self.loss in _POSITIVE_LOSSES:
            return replace(self, shift=0.0, scale=float(mean) or 1.0)
        spread = float(np.sqrt(np.average((values - mean) ** 2, weights=weight)))
        # Of equal numbers rounding alone may leave a spread.
        constant = spread <= 1e-12 * abs(mean)
        return replace(self, shift=float(mean), scale=1.0 if constant else spread)

    def check_counts(self, codes: np.ndarray, weight: np.ndarray | None) -> None:
        """Raise where no labelled row has a positive weight."""
        active = ~np.isnan(codes)
        if weight is not None:
            active &= weight > 0
        if not active.any():
            raise ValueError(
                f"Task {self.name!r} must have labelled rows of positive weight; found "
                "none. Drop the task, or give rows that count."
            )

    def scale_codes(self, codes: np.ndarray) -> np.ndarray:
        """Return the numbers in the units in which the network learns them."""
        return (codes - self.shift) / self.scale

    def strata(self, codes: np.ndarray) -> np.ndarray:
        """Return whether a number is zero, of numbers that often are."""
        positive = (codes > 0) if self.loss == "ziln" else np.zeros(len(codes))
        return np.where(np.isnan(codes), np.nan, positive)

    def _check_range(self, values: np.ndarray, what: str) -> None:
        labelled = values[~np.isnan(values)]
        if self.loss not in _POSITIVE_LOSSES or not len(labelled):
            return
        smallest, strict = labelled.min(), self.loss == "gamma"
        if smallest < 0 or (strict and smallest == 0):
            raise ValueError(
                f"{what} of task {self.name!r} must hold numbers "
                f"{'> 0' if strict else '>= 0'} for loss={self.loss!r}; the smallest "
                f"found is {smallest:g}. Use another loss, or correct the numbers."
            )

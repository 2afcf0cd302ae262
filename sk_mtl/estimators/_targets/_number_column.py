"""A column of y that holds numbers."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field, replace

import numpy as np
from sklearn.metrics import r2_score

from sk_mtl._labels import as_numbers, is_missing
from sk_mtl.estimators._automatic._auto_choice import is_auto
from sk_mtl.estimators._automatic._auto_transform import auto_transform
from sk_mtl.estimators._choices._loss import Loss
from sk_mtl.estimators._choices._number_losses import SquaredError
from sk_mtl.estimators._choices._task_losses import name_of
from sk_mtl.estimators._targets._target_column import TargetColumn, raise_unlabelled
from sk_mtl.estimators._targets._target_curves import CURVES, TargetCurve
from sk_mtl.losses import TaskOutput
from sk_mtl.metrics import TaskMetric

# Number of rows that rule out features of which the label is no linear function, and
# the largest distance of such a row from the line, as a share of the range.
_TELLING = 64
_NEAR_LINE = 1e-3

# Numbers between these have squares whose sums are finite and not zero.
_LEAST, _LARGEST = 1e-150, 1e150

# Scaled numbers are squared and summed in single precision.
_LARGEST_SCALED = 1e16


@dataclass(frozen=True)
class NumberColumn(TargetColumn):
    """A task of numbers, with the units in which the network learns them.

    Numbers are shifted to mean 0 and scaled to standard deviation 1, so that no task
    dominates another. Numbers that cannot be negative are scaled to mean 1. A curve
    may bend them before.

    Attributes
    ----------
    loss : Loss
        The loss by which the task is learnt.

    shift, scale : float
        The number that is subtracted, and the divisor of the difference.

    curve : TargetCurve or None
        The curve that bends the numbers before.
    """

    loss: Loss = field(default_factory=SquaredError)
    shift: float = 0.0
    scale: float = 1.0
    curve: TargetCurve | None = None

    @property
    def output(self) -> TaskOutput:
        """The meaning of the task's logits."""
        return self.loss.checked_output()

    @classmethod
    def learn(cls, name: Hashable, column, missing_label, loss: Loss) -> NumberColumn:
        """Return the column, or raise if it holds values that the loss cannot learn."""
        learnt = cls(name, missing_label, loss)
        values = learnt.encode(column, what="y", strict=True)
        if np.isnan(values).all():
            raise_unlabelled(name, column)
        return learnt

    def encode(self, column, *, what: str, strict: bool) -> np.ndarray:
        """Return the numbers, NaN where the number is missing."""
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
        self._refuse_huge(values, what)
        if strict:
            self._check_range(values, what)
        return values

    def decode(self, answers: np.ndarray) -> np.ndarray:
        """Return the predictions in the target's own units."""
        return self._in_own_units(answers[:, 0])

    def decode_quantiles(self, answers: np.ndarray) -> np.ndarray:
        """Return the quantiles in the target's own units, (n_samples, n_levels)."""
        n_levels = len(self.output.quantile_levels)
        return self._in_own_units(answers[:, answers.shape[1] - n_levels :])

    def score(
        self, codes: np.ndarray, answers: np.ndarray, weight: np.ndarray
    ) -> float:
        """Return the coefficient of determination, R²."""
        return r2_score(codes, self.decode(answers), sample_weight=weight)

    def evaluate(
        self, metric: TaskMetric, codes, answers, weight, pos_label=None, groups=None
    ) -> float:
        """Return a metric of numbers and predictions."""
        metric = metric.of_kind("number", self.name)
        answers = self.decode(answers)
        return metric(codes, answers, sample_weight=weight, groups=groups)

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

    def is_leaked_by(self, feature: np.ndarray, codes: np.ndarray) -> bool:
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
        # The sum of the largest finite weights must not overflow.
        weight = None if weight is None else weight[labelled] / weight[labelled].max()
        transform = self._transform_of(values)
        if transform is None:
            return replace(self, shift=0.0, scale=1.0)
        if transform in CURVES:
            curve = CURVES[transform].fit(values, weight)
            return replace(self, curve=curve)._fit_line(curve.bend(values), weight)
        return self._fit_line(values, weight)

    @property
    def needs_errors(self) -> bool:
        """True if predictions depend on the errors of the network in training."""
        return self.curve is not None

    def with_errors(
        self, answers: np.ndarray, scaled: np.ndarray, weight: np.ndarray
    ) -> NumberColumn:
        """Return the column with the errors of a network in training."""
        labelled = weight > 0
        if self.curve is None or not labelled.any():
            return self
        bent = (
            each[labelled].astype(np.float64) * self.scale + self.shift
            for each in (answers, scaled)
        )
        return replace(self, curve=self.curve.with_errors(*bent, weight[labelled]))

    def _transform_of(self, values: np.ndarray) -> str | None:
        """Return the transform of the targets, "standard" if the loss has no choice."""
        if not isinstance(self.loss, SquaredError):
            return "standard"
        chosen = self.loss.transform
        return auto_transform(values) if is_auto(chosen) else chosen

    def _fit_line(self, values: np.ndarray, weight: np.ndarray | None) -> NumberColumn:
        mean = np.average(values, weights=weight)
        if self.loss.domain != "real":
            self._refuse_tiny(float(mean), "0, or have a mean of")
            return replace(self, shift=0.0, scale=float(mean) or 1.0)
        spread = _standard_deviation(values, mean, weight)
        # Equal numbers may have a spread above 0 by rounding.
        rounding = float(1e-12 * abs(mean))
        if spread <= rounding:
            return replace(self, shift=float(mean), scale=max(1.0, rounding))
        self._refuse_tiny(spread, "equal, or have a standard deviation of")
        return replace(self, shift=float(mean), scale=spread)

    def check_counts(self, codes: np.ndarray, weight: np.ndarray | None) -> None:
        """Raise if no labelled row has a positive weight."""
        active = ~np.isnan(codes)
        if weight is not None:
            active &= weight > 0
        if not active.any():
            raise ValueError(
                f"Task {self.name!r} must have labelled rows of positive weight; found "
                "none. Drop the task, or give rows that count."
            )

    def scale_codes(self, codes: np.ndarray) -> np.ndarray:
        """Return the targets in the network's units, with values for missing labels."""
        # The mean is in the domain of every loss; 0 is not.
        mean = self.shift if self.loss.domain == "real" else self.scale
        bent = codes if self.curve is None else self.curve.bend(codes)
        scaled = (np.where(np.isnan(bent), mean, bent) - self.shift) / self.scale
        far = np.abs(scaled) > _LARGEST_SCALED
        if far.any():
            raise ValueError(
                f"The targets of task {self.name!r} must be within {_LARGEST_SCALED:g} "
                "standard deviations of their mean, or means for "
                f"loss={name_of(self.loss)}; found {codes[far][0]:g}, where the unit "
                f"is {self.scale:g}. Correct it, or mark it as missing with NaN."
            )
        return scaled

    def _in_own_units(self, answers: np.ndarray) -> np.ndarray:
        numbers = answers.astype(np.float64) * self.scale + self.shift
        return numbers if self.curve is None else self.curve.mean(numbers)

    def strata(self, codes: np.ndarray) -> np.ndarray:
        """Return whether each number is zero, for numbers that often are."""
        inflated = self.output.zero_inflated
        positive = (codes > 0) if inflated else np.zeros(len(codes))
        return np.where(np.isnan(codes), np.nan, positive)

    def _refuse_huge(self, values: np.ndarray, what: str) -> None:
        huge = np.abs(values) > _LARGEST
        if huge.any():
            raise ValueError(
                f"The targets of task {self.name!r} in {what} must be at most "
                f"{_LARGEST:g} in size, so that their squares are finite; found "
                f"{values[huge][0]:g}. Divide them by a constant, or mark it as "
                "missing with NaN."
            )

    def _refuse_tiny(self, unit: float, required: str) -> None:
        if 0 < unit < _LEAST:
            raise ValueError(
                f"The targets of task {self.name!r} must be {required} at least "
                f"{_LEAST:g}, so that squares are not rounded to zero; found {unit:g}. "
                "Multiply them by a constant."
            )

    def _check_range(self, values: np.ndarray, what: str) -> None:
        labelled, domain = values[~np.isnan(values)], self.loss.domain
        if domain == "real" or not len(labelled):
            return
        smallest, strict = labelled.min(), domain == "positive"
        if smallest < 0 or (strict and smallest == 0):
            raise ValueError(
                f"{what} of task {self.name!r} must hold numbers "
                f"{'> 0' if strict else '>= 0'} for loss={name_of(self.loss)}; the "
                f"smallest found is {smallest:g}. Use another loss, or correct the "
                "numbers."
            )


def _standard_deviation(
    values: np.ndarray, mean: float, weight: np.ndarray | None
) -> float:
    """Return the weighted standard deviation of numbers of any size."""
    deviations = values - mean
    largest = np.abs(deviations).max()
    if largest == 0:
        return 0.0
    shares = (deviations / largest) ** 2
    return float(largest * np.sqrt(np.average(shares, weights=weight)))

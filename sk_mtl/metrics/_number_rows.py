"""The labelled rows of a task of numbers, and the predictions of them."""

from typing import NamedTuple

import numpy as np

from sk_mtl.metrics._inputs import label_columns
from sk_mtl.metrics._labels import keep_labelled


class NumberRows(NamedTuple):
    """The labelled rows of one task of numbers.

    Attributes
    ----------
    labels : ndarray of shape (n_labelled,)
        The numbers.
    answers : ndarray of shape (n_labelled,)
        The predictions.
    weight : ndarray of shape (n_labelled,) or None
    """

    labels: np.ndarray
    answers: np.ndarray
    weight: np.ndarray | None

    kind = "number"

    @property
    def total(self):
        """Number of labelled rows, or the sum of their weights."""
        return float(len(self.labels) if self.weight is None else self.weight.sum())

    def apply(self, function):
        """Value of ``function(numbers, predictions, sample_weight=weight)``."""
        return function(self.labels, self.answers, sample_weight=self.weight)


def number_rows(column, prediction, weight=None, missing_label=None, name="task"):
    """Labelled rows of one task with a positive weight, as `NumberRows`."""
    keep, weight = keep_labelled(column, weight, missing_label)
    prediction = np.asarray(prediction)
    if prediction.shape == (len(column), 1):
        prediction = prediction[:, 0]
    if prediction.shape != (len(column),):
        raise ValueError(
            f"The predictions of {name!r} must have shape ({len(column)},); found "
            f"{prediction.shape}. Pass one prediction per row, as predict returns them."
        )
    labels = _finite(column[keep], f"The labels of {name!r}", "Score it by its classes")
    remedy = "Pass the output of predict"
    prediction = _finite(prediction[keep], f"The predictions of {name!r}", remedy)
    return NumberRows(labels, prediction, weight)


def prediction_columns(y_pred, names, n_samples):
    """Predictions of each task, by name where `y_pred` names its columns so."""
    columns, own_names = label_columns(y_pred, "y_pred")
    own_names = [str(name) for name in own_names or ()]
    if len(names) > 1 and sorted(own_names) == sorted(names):
        columns = [columns[own_names.index(name)] for name in names]
    if len(columns) != len(names) or len(columns[0]) != n_samples:
        found = (len(columns[0]) if columns else 0, len(columns))
        raise ValueError(
            f"y_pred must hold one column per task, ({n_samples}, {len(names)}); found "
            f"{found}. Pass the output of predict."
        )
    return columns


def _finite(values, what, remedy):
    """Values as finite floats."""
    try:
        numbers = values.astype(np.float64)
    except (TypeError, ValueError):
        wrong = next(value for value in values if not _is_number(value))
        raise ValueError(
            f"{what} must be numbers; found {wrong!r}. {remedy}."
        ) from None
    if not np.isfinite(numbers).all():
        wrong = numbers[~np.isfinite(numbers)][0]
        raise ValueError(f"{what} must be finite; found {wrong}. {remedy}.")
    return numbers


def _is_number(value):
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True

"""The labelled rows of a task of numbers, and the predictions of them."""

from typing import NamedTuple

import numpy as np

from sk_mtl._groups import group_names
from sk_mtl._labels import as_numbers, keep_labelled, read_labels
from sk_mtl._masked_arrays import without_mask


class NumberRows(NamedTuple):
    """The labelled rows of one task of numbers.

    Attributes
    ----------
    labels : ndarray of shape (n_labelled,)
        The numbers.
    answers : ndarray of shape (n_labelled,)
        The predictions.
    weight : ndarray of shape (n_labelled,) or None
    groups : ndarray of shape (n_labelled,) or None
        The group of each row.
    positions : ndarray of int of shape (n_labelled,) or None
        Where the rows stand among all rows.
    """

    labels: np.ndarray
    answers: np.ndarray
    weight: np.ndarray | None
    groups: np.ndarray | None = None
    positions: np.ndarray | None = None

    kind = "number"

    @property
    def total(self):
        """Number of labelled rows, or the sum of their weights."""
        return float(len(self.labels) if self.weight is None else self.weight.sum())

    def take(self, chosen):
        """Return the rows that a mask chooses."""
        return take_rows(self, chosen)

    def apply(self, function):
        """Return ``function(numbers, predictions, sample_weight=weight)``."""
        return function(self.labels, self.answers, sample_weight=self.weight)


def take_rows(rows, chosen, *others):
    """Return the `ClassRows` or `NumberRows` that a mask chooses.

    Parameters
    ----------
    rows : ClassRows or NumberRows
    chosen : ndarray of bool of shape (n_labelled,)
    *others : str
        Further fields with an entry for each row.
    """
    fields = ("labels", "answers", "weight", "groups", "positions", *others)
    columns = {name: getattr(rows, name) for name in fields}
    return rows._replace(
        **{
            name: each if each is None else each[chosen]
            for name, each in columns.items()
        }
    )


def number_rows(
    column, prediction, weight=None, missing_label=None, name="task", *, groups=None
):
    """Return the labelled rows of one task with a positive weight, as `NumberRows`."""
    keep, weight = keep_labelled(column, weight, missing_label)
    groups = None if groups is None else group_names(groups, keep)
    prediction = np.asarray(without_mask(prediction))
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
    return NumberRows(labels, prediction, weight, groups, np.flatnonzero(keep))


def prediction_columns(y_pred, names, n_samples):
    """Return the predictions of each task; the columns of a frame are found by name."""
    table = read_labels(y_pred, "y_pred")
    found = table.n_samples, len(table.columns)
    if found != (n_samples, len(names)):
        raise ValueError(
            f"y_pred must hold one column per task, ({n_samples}, {len(names)}); found "
            f"{found}. Pass the output of predict."
        )
    # Predictions of a single task cannot belong to another.
    return table.columns if len(names) == 1 else table.columns_of(names, "y_pred")


def _finite(values, what, remedy):
    """Return the values as finite floats."""
    numbers = as_numbers(values, what, remedy)
    if not np.isfinite(numbers).all():
        wrong = numbers[~np.isfinite(numbers)][0]
        raise ValueError(f"{what} must be finite; found {wrong}. {remedy}.")
    return numbers

"""The labelled rows of a task of classes, with labels as positions among them.

Missing labels, weights of 0 and the order of classes are decided here for every metric.
"""

from typing import NamedTuple

import numpy as np

from sk_mtl.metrics._labels import class_codes, keep_labelled, sorted_classes


class ClassRows(NamedTuple):
    """The labelled rows of one task of classes.

    Attributes
    ----------
    labels : ndarray of shape (n_labelled,)
        Labels in their own type.
    codes : ndarray of shape (n_labelled,)
        Position of each label among `classes`.
    answers : ndarray of shape (n_labelled, n_classes)
        The probabilities.
    weight : ndarray of shape (n_labelled,) or None
    classes : ndarray of shape (n_classes,) or None
        None where a single class is labelled and the other one's name is unknown.
    """

    labels: np.ndarray
    codes: np.ndarray
    answers: np.ndarray
    weight: np.ndarray | None
    classes: np.ndarray | None

    kind = "class"

    @property
    def total(self):
        """Number of labelled rows, or the sum of their weights."""
        return float(len(self.codes) if self.weight is None else self.weight.sum())

    def apply(self, function):
        """Value of ``function(codes, proba, sample_weight)``, NaN without classes."""
        if self.classes is None:
            return np.nan
        return function(self.codes, self.answers, sample_weight=self.weight)


def class_rows(
    column, proba, weight=None, classes=None, missing_label=None, name="task"
):
    """Labelled rows of one task with a positive weight, as `ClassRows`."""
    keep, weight = keep_labelled(column, weight, missing_label)
    labels, proba = column[keep], proba[keep]
    classes = _known_classes(labels, classes, proba.shape[1], name)
    if classes is None:
        return ClassRows(labels, np.zeros(len(labels), np.intp), proba, weight, None)
    codes = class_codes(labels, classes)
    if (codes < 0).any():
        raise ValueError(
            f"The labels of {name!r} must be among its classes {classes.tolist()}; "
            f"found {labels[codes < 0][0]!r}. Give the classes in the order of the "
            "columns of the probabilities."
        )
    return ClassRows(labels, codes, proba, weight, classes)


def _known_classes(labels, classes, n_classes, name):
    """Classes in the order of the probabilities' columns, or None if unknowable."""
    found = sorted_classes(labels, name) if classes is None else np.asarray(classes)
    if len(found) == n_classes:
        return found
    if classes is None and n_classes == 2 and set(found.tolist()) <= {0, 1}:
        return np.array([0, 1])
    if classes is None and len(found) <= 1 < n_classes:
        return None
    raise ValueError(
        f"{name!r} must have as many classes as its probabilities have columns "
        f"({n_classes}); found {len(found)}: {found.tolist()}. Pass classes=, in the "
        "order of the columns, where y_true lacks some of them."
    )

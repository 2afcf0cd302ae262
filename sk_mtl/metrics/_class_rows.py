"""The labelled rows of a task of classes, with labels as positions among them.

Missing labels, weights of 0 and the order of classes are decided here for every metric.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from sk_mtl._groups import group_names
from sk_mtl._labels import (
    class_codes,
    keep_labelled,
    label_list,
    plain_values,
    sorted_classes,
)
from sk_mtl._positive_class import is_conventional, positive_position
from sk_mtl.metrics._number_rows import take_rows


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
    positive : int
        Position of the positive one of two classes.
    is_named : bool
        Whether the caller said which class is positive.
    one_sided : bool
        Whether the probabilities were given of one class only.
    groups : ndarray of shape (n_labelled,) or None
        The group of each row.
    positions : ndarray of int of shape (n_labelled,) or None
        Where the rows stand among all rows.
    threshold : (int, float) or None
        Position of one of two classes, and the probability from which on an estimator
        predicts it. None predicts the likeliest class.
    """

    labels: np.ndarray
    codes: np.ndarray
    answers: np.ndarray
    weight: np.ndarray | None
    classes: np.ndarray | None
    positive: int = 1
    is_named: bool = False
    one_sided: bool = False
    groups: np.ndarray | None = None
    positions: np.ndarray | None = None
    threshold: tuple[int, float] | None = None

    kind = "class"

    @property
    def total(self):
        """Number of labelled rows, or the sum of their weights."""
        return float(len(self.codes) if self.weight is None else self.weight.sum())

    @property
    def is_open(self):
        """Return whether it is open which of two classes is positive."""
        two = self.classes is not None and len(self.classes) == 2
        return two and not self.is_named and not is_conventional(self.classes)

    @property
    def pos_label(self):
        """The positive one of two classes."""
        return self.classes[self.positive]

    def take(self, chosen):
        """Return the rows that a mask chooses."""
        return take_rows(self, chosen, "codes")

    def decided(self):
        """Return rows whose likeliest class is the one that is predicted."""
        if self.threshold is None:
            return self
        position, least = self.threshold
        answers = np.empty(self.answers.shape)
        answers[:, position] = self.answers[:, position] >= least
        answers[:, 1 - position] = 1 - answers[:, position]
        return self._replace(answers=answers, threshold=None)

    def apply(self, function, *, positive_last=False):
        """Return ``function(codes, proba, sample_weight)``, NaN without classes.

        With `positive_last` the second of two classes is the positive one.
        """
        if self.classes is None:
            return np.nan
        codes, proba = self.codes, self.answers
        if positive_last and len(self.classes) == 2 and self.positive == 0:
            codes, proba = 1 - codes, proba[:, ::-1]
        return function(codes, proba, sample_weight=self.weight)


def class_rows(
    column,
    proba,
    weight=None,
    classes=None,
    missing_label=None,
    name="task",
    *,
    pos_label=None,
    one_sided=False,
    groups=None,
):
    """Return the labelled rows of one task with a positive weight, as `ClassRows`.

    Probabilities that are `one_sided` hold the positive class in their second column.
    """
    keep, weight = keep_labelled(column, weight, missing_label)
    groups = None if groups is None else group_names(groups, keep)
    labels, proba = plain_values(column[keep]), proba[keep]
    common = {
        "one_sided": one_sided,
        "groups": groups,
        "positions": np.flatnonzero(keep),
    }
    if classes is None and pos_label is not None:
        classes = _with_positive(labels, pos_label, name)
    classes = _known_classes(labels, classes, proba.shape[1], name)
    if classes is None:
        codes = np.zeros(len(labels), np.intp)
        return ClassRows(labels, codes, proba, weight, None, **common)
    positive = positive_position(classes, pos_label, name)
    if one_sided and positive == 0:
        proba = proba[:, ::-1]
    codes = class_codes(labels, classes)
    if (codes < 0).any():
        found, *_ = label_list(labels[codes < 0])
        raise ValueError(
            f"The labels of {name!r} must be among its classes {label_list(classes)}; "
            f"found {found!r}. Give the classes in the order of the columns of the "
            "probabilities."
        )
    return ClassRows(
        labels,
        codes,
        proba,
        weight,
        classes,
        positive=positive,
        is_named=pos_label is not None,
        **common,
    )


def _with_positive(labels, pos_label, name):
    """Return the classes of rows without a positive one; None where they need it."""
    found = sorted_classes(labels, name)
    if len(found) != 1 or pos_label in label_list(found):
        return None
    return sorted_classes(
        plain_values(np.array([*label_list(found), pos_label], object)), name
    )


def _known_classes(labels, classes, n_classes, name):
    """Return the classes in the order of the probabilities, or None if unknown."""
    found = sorted_classes(labels, name) if classes is None else np.asarray(classes)
    if len(pd.unique(found)) < len(found):
        raise ValueError(
            f"The classes of {name!r} must differ; found {label_list(found)}. Pass the "
            "estimator's classes_."
        )
    if len(found) == n_classes:
        return found
    if classes is None and n_classes == 2 and set(label_list(found)) <= {0, 1}:
        return np.array([0, 1])
    if classes is None and len(found) <= 1 < n_classes:
        return None
    raise ValueError(
        f"{name!r} must have as many classes as its probabilities have columns "
        f"({n_classes}); found {len(found)}: {label_list(found)}. Pass classes=, in "
        "the order of the columns, where some of them are missing in y_true."
    )

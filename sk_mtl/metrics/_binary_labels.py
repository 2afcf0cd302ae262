"""Labels of one task with two classes, one of which is positive."""

from typing import NamedTuple

import numpy as np

from sk_mtl._labels import label_list, sorted_classes
from sk_mtl._positive_class import (
    is_conventional,
    positive_position,
    warn_positive_class,
)


class BinaryLabels(NamedTuple):
    """Labels of one task with two classes.

    Attributes
    ----------
    positive : ndarray of bool of shape (n_labelled,)
        Mask of the labels of the positive class.
    position : {0, 1}
        Position of the positive class among the sorted classes, and so among the
        columns of the probabilities.
    open_classes : ndarray of shape (2,) or None
        The classes where it is open which of them is positive, so that the one that
        sorts last was taken.
    """

    positive: np.ndarray
    position: int
    open_classes: np.ndarray | None

    def warn_if_open(self, metric, task):
        """Warn that a metric depends on a positive class that nothing names."""
        if self.open_classes is not None:
            warn_positive_class(f"{metric} needs", {task: self.open_classes})


def binary_labels(labels, pos_label=None, task="y"):
    """Return the labels of one task as `BinaryLabels`.

    Without `pos_label` the class that sorts last is positive. A single class besides 1
    is then negative.

    Parameters
    ----------
    labels : ndarray of shape (n_labelled,)
        None of them missing.
    pos_label : label, default=None
    task : str, default="y"
        What the labels are called in errors.
    """
    classes = sorted_classes(labels, task)
    if len(classes) > 2:
        raise ValueError(
            f"{task} must hold two classes; found {len(classes)}: "
            f"{label_list(classes)}. Score one class against the others, for "
            f"instance {task} == 'a'."
        )
    if pos_label is not None:
        # A label that is missing in these rows is still one of the two classes.
        if len(classes) < 2 and pos_label not in label_list(classes):
            classes = sorted_classes(
                np.array([*label_list(classes), pos_label], object), task
            )
        if len(classes) < 2:
            return BinaryLabels(np.ones(len(labels), bool), 1, None)
        position = positive_position(classes, pos_label, task)
        return BinaryLabels(_equal(labels, classes[position]), position, None)
    if len(classes) < 2:
        return BinaryLabels(np.full(len(labels), classes.tolist() == [1]), 1, None)
    open_classes = None if is_conventional(classes) else classes
    return BinaryLabels(_equal(labels, classes[1]), 1, open_classes)


def _equal(labels, label):
    return np.asarray(labels == label, dtype=bool)

"""The labelled rows of binary tasks, from a fitted estimator or from predictions."""

from typing import NamedTuple

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sk_mtl._positive_class import warn_positive_class
from sk_mtl.metrics._fitted_tasks import FittedTasks


class BinaryRows(NamedTuple):
    """The labelled rows of one binary task.

    Attributes
    ----------
    positive : ndarray of bool of shape (n_labelled,)
        Whether the label is the positive class.
    proba : ndarray of shape (n_labelled,)
        Predicted probability of the positive class.
    weight : ndarray of shape (n_labelled,) or None
    """

    positive: np.ndarray
    proba: np.ndarray
    weight: np.ndarray | None


def rows_of_estimator(estimator, X, y, sample_weight=None, pos_label=None):
    """Return the names of the tasks of a fitted estimator and their rows."""
    check_is_fitted(estimator)
    tasks = FittedTasks(estimator, y)
    rows = tasks.rows(X, sample_weight=sample_weight, pos_label=pos_label)
    return tasks.names, rows


def binary_rows(display, names, rows):
    """Return the rows of each binary task, and why other tasks are left out.

    Parameters
    ----------
    display : str
        What draws them, for messages.
    names : list
    rows : list of ClassRows, NumberRows or None

    Returns
    -------
    tasks : dict of task to BinaryRows
    left_out : dict of task to str
    """
    tasks, left_out, open_classes = {}, {}, {}
    for name, each in zip(names, rows, strict=True):
        reason = _reason(each)
        if reason:
            left_out[name] = reason
            continue
        # The last digit of a number of 32 bits may lift it above 1.
        proba = np.clip(each.answers[:, each.positive].astype(float), 0, 1)
        tasks[name] = BinaryRows(each.codes == each.positive, proba, each.weight)
        if each.is_open:
            open_classes[name] = each.classes
    if not tasks:
        raise ValueError(
            f"{display} needs a binary task with labels of both classes; found "
            f"{left_out}. Give rows with both, or another display."
        )
    if open_classes:
        only = len(names) == 1
        warn_positive_class(f"{display} needs", open_classes, only_task=only)
    return tasks, left_out


def _reason(rows):
    if rows is None or rows.kind == "number":
        return "holds numbers"
    if rows.classes is not None and len(rows.classes) > 2:
        return f"has {len(rows.classes)} classes"
    if len(np.unique(rows.codes)) < 2:
        return "has labels of one class only"
    return None

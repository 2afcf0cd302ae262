"""The labelled rows of each task, with labels as positions among the classes.

Missing labels, weights of 0 and the order of classes are decided here for every metric.
"""

import warnings
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.exceptions import UndefinedMetricWarning

from sk_mtl.metrics._inputs import (
    label_columns,
    probability_list,
    task_names_of,
    task_position,
    weight_columns,
)


class TaskRows(NamedTuple):
    """The labelled rows of one task.

    Attributes
    ----------
    labels : ndarray of shape (n_labelled,)
        Labels in their own type.
    codes : ndarray of shape (n_labelled,)
        Position of each label among `classes`.
    proba : ndarray of shape (n_labelled, n_classes)
    weight : ndarray of shape (n_labelled,) or None
    classes : ndarray of shape (n_classes,) or None
        None where a single class is labelled and the other one's name is unknown.
    """

    labels: np.ndarray
    codes: np.ndarray
    proba: np.ndarray
    weight: np.ndarray | None
    classes: np.ndarray | None

    @property
    def total(self):
        """Number of labelled rows, or the sum of their weights."""
        return float(len(self.codes) if self.weight is None else self.weight.sum())


def is_missing(column, missing_label=None):
    """Mask of the rows that have no label: NaN, None, NA or `missing_label`."""
    missing = np.asarray(pd.isna(column))
    if missing_label is not None and not pd.isna(missing_label):
        missing = missing | pd.Series(column).isin([missing_label]).to_numpy()
    return missing


def labelled_rows(
    column, proba, weight=None, classes=None, missing_label=None, name="task"
):
    """Labelled rows of one task with a positive weight, as `TaskRows`."""
    keep = ~is_missing(column, missing_label)
    if weight is not None:
        keep &= weight > 0
        weight = weight[keep]
    labels, proba = column[keep], proba[keep]
    classes = _known_classes(labels, classes, proba.shape[1], name)
    if classes is None:
        return TaskRows(labels, np.zeros(len(labels), np.intp), proba, weight, None)
    codes = class_codes(labels, classes)
    if (codes < 0).any():
        raise ValueError(
            f"The labels of {name!r} must be among its classes {classes.tolist()}; "
            f"found {labels[codes < 0][0]!r}. Give the classes in the order of the "
            "columns of the probabilities."
        )
    return TaskRows(labels, codes, proba, weight, classes)


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


def sorted_classes(labels, name="task"):
    """Distinct labels in sorted order, as `classes_` holds them."""
    try:
        return np.sort(pd.unique(labels))
    except TypeError:
        kinds = sorted({type(label).__name__ for label in labels})
        raise ValueError(
            f"The labels of {name!r} must be of one type; found {kinds}. "
            "Convert them, for instance with astype(str)."
        ) from None


def class_codes(labels, classes):
    """Position of each label among `classes`; -1 for a label that is none of them."""
    labels, classes = _bool_as_int(labels), _bool_as_int(classes)
    return pd.Index(classes).get_indexer(pd.Index(labels))


def _bool_as_int(values):
    # pandas keeps True and 1 apart, scikit-learn's estimators do not.
    return values.astype(np.int8) if values.dtype == bool else values


def is_second_class(labels):
    """Mask of the labels that equal the greater one of two classes, such as 1."""
    classes = sorted_classes(labels)
    if len(classes) > 2:
        raise ValueError(
            f"y must hold two classes; found {len(classes)}: {classes.tolist()}. Score "
            "one class against the others, for instance y == 'a'."
        )
    if len(classes) < 2:
        return np.full(len(labels), classes.tolist() == [1])
    return (labels == classes[1]).astype(bool)


def classes_per_task(classes, names):
    """Classes of each task, None where they are to be read off its labels.

    `classes` is a list with one entry per task, a dict by task name, or the classes
    of the only task.
    """
    if classes is None:
        return [None] * len(names)
    if isinstance(classes, dict):
        for task in classes:
            task_position(task, names)
        return [classes.get(name) for name in names]
    if len(names) == 1 and (not len(classes) or np.ndim(classes[0]) == 0):
        return [classes]
    if len(classes) != len(names):
        raise ValueError(
            f"classes must hold one array per task ({len(names)}); found "
            f"{len(classes)}. Pass the estimator's classes_."
        )
    return list(classes)


def read_tasks(
    y_true, y_proba, sample_weight=None, classes=None, names=None, missing_label=None
):
    """Names and `TaskRows` of every task of `y_true`."""
    columns, own_names = label_columns(y_true)
    n_tasks, n_samples = len(columns), len(columns[0]) if columns else 0
    names = task_names_of(n_tasks, own_names if names is None else names)
    rows = [
        labelled_rows(column, proba, weight, known, missing_label, name)
        for column, proba, weight, known, name in zip(
            columns,
            probability_list(y_proba, n_tasks, n_samples),
            weight_columns(sample_weight, n_tasks, n_samples),
            classes_per_task(classes, names),
            names,
            strict=True,
        )
    ]
    return names, rows


def warn_undefined(metric_name, task_names):
    """Warn that a metric is NaN for some tasks, and why."""
    warnings.warn(
        f"{metric_name} is undefined and NaN for {task_names}: their labelled rows do "
        "not hold two known classes. Score more rows, or pass classes= for metrics "
        "that need one class only.",
        UndefinedMetricWarning,
        stacklevel=3,
    )

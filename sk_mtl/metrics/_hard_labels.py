"""Checks for labels in place of probabilities, and for classes in place of numbers."""

import numpy as np
import pandas as pd

from sk_mtl._labels import label_list, read_labels

# Whole numbers of more values than these are quantities, not classes.
_MOST_CLASSES = 20


def refuse_labels(y_proba, n_tasks, name="y_proba"):
    """Raise where probabilities of one class are labels, as `predict` returns them.

    A probability of every class, in an array of shape (n_samples, n_classes), may be
    exactly 0 or 1; probabilities of one class that are all 0 or 1 count as labels.

    Parameters
    ----------
    y_proba : list of n_tasks arrays, one array, or None
        As of :func:`task_scores`.
    n_tasks : int
    name : str, default="y_proba"
        What it is called in errors.
    """
    for column in _one_sided_columns(y_proba, n_tasks):
        labels = pd.Series(column)
        if _are_labels(labels):
            raise ValueError(
                f"{name} must hold probabilities; found labels: "
                f"{label_list(pd.unique(labels)[:3])}. Pass the output of "
                "predict_proba, not of predict; probabilities that all are 0 or 1 "
                "need a column for each class, in shape (n_samples, n_classes) per "
                "task."
            )


def refuse_probabilities(y_pred):
    """Raise where predictions are a list of probabilities from `predict_proba`."""
    if isinstance(y_pred, list | tuple) and any(
        hasattr(each, "__array__") and np.ndim(each) == 2 for each in y_pred
    ):
        raise ValueError(
            "y_pred must hold one prediction per row and task; found a list of arrays "
            "of shape (n_samples, n_classes), from predict_proba. Pass it as y_proba."
        )


def refuse_classes(names, rows):
    """Raise where labels and predictions of numbers look like classes.

    Parameters
    ----------
    names : list
        Names of the tasks.
    rows : list of ClassRows, NumberRows or None
    """
    found = [
        name
        for name, each in zip(names, rows, strict=True)
        if each is not None and each.kind == "number" and _are_classes(each)
    ]
    if found:
        raise ValueError(
            "y_pred alone must be of tasks of numbers; found that all predictions of "
            f"{found} are labels, a few whole numbers, like classes. Pass the "
            "probabilities of classes, y_proba=model.predict_proba(X); where these are "
            f"numbers, pass y_proba={[None] * len(names)}."
        )


def _one_sided_columns(y_proba, n_tasks):
    """Return the probabilities that are given of one class only."""
    if isinstance(y_proba, list | tuple) and any(
        hasattr(each, "__array__") and np.ndim(each) for each in y_proba
    ):
        each = [
            read_labels(proba, "y_proba").columns
            for proba in y_proba
            if proba is not None
        ]
        return [columns[0] for columns in each if len(columns) == 1]
    if y_proba is None or np.ndim(y_proba) > 2:
        return []
    columns = read_labels(y_proba, "y_proba").columns
    return columns if n_tasks > 1 or len(columns) == 1 else []


def _are_labels(column):
    if column.dtype.kind == "f":
        numbers = column.to_numpy(np.float64, na_value=np.nan)
        return len(numbers) > 0 and np.isin(numbers, (0, 1)).all()
    if column.dtype.kind == "O" and not isinstance(column.dtype, pd.CategoricalDtype):
        inferred = column.infer_objects()
        if inferred.dtype.kind != "O":
            return _are_labels(inferred)
        return any(isinstance(value, str) for value in column)
    return True


def _are_classes(rows):
    """Return whether every prediction is one of a few whole numbers that are labels.

    Means of numbers are not; in a handful of rows they may be by chance.
    """
    known = set(rows.labels.tolist())
    few = 0 < len(known) <= min(_MOST_CLASSES, len(rows.labels) // 2)
    if not few or not all(map(float.is_integer, known)):
        return False
    known |= {0.0, 1.0} if known <= {0, 1} else set()
    return set(rows.answers.tolist()) <= known

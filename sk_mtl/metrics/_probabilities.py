"""Probabilities in any form, as checked arrays per task."""

import numpy as np
import pandas as pd

from sk_mtl._frames import as_pandas, is_frame
from sk_mtl._masked_arrays import without_mask
from sk_mtl._task_names import column_order, own_names


def probability_list(y_proba, names, n_samples):
    """Return the probabilities as a list of checked (n_samples, n_classes) arrays.

    Parameters
    ----------
    y_proba : list of n_tasks arrays, or one array
        A list holds, per task, an array of shape (n_samples, n_classes), or of shape
        (n_samples,) with the probability of the second class. One array belongs to
        the only task, or holds the probability of each task's second class in
        shape (n_samples, n_tasks); the columns of a frame are found by name.
    names : list
        Names of the tasks.
    n_samples : int
    """
    n_tasks = len(names)
    if n_tasks > 1 and is_frame(y_proba):
        y_proba = as_pandas(y_proba)
        order = column_order(own_names(y_proba.columns), names, "y_proba")
        y_proba = y_proba.iloc[:, order]
    if not isinstance(y_proba, (list, tuple)) or not _holds_arrays(y_proba):
        array = np.asarray(without_mask(y_proba))
        if n_tasks == 1 and array.ndim < 3:
            y_proba = [array]
        else:
            y_proba = array if array.ndim == 3 else array.T
    if len(y_proba) != n_tasks:
        raise ValueError(
            f"y_proba must hold one array per task ({n_tasks}); found {len(y_proba)}. "
            "Pass the list that predict_proba returns."
        )
    return [_class_probabilities(proba, n_samples) for proba in y_proba]


def _holds_arrays(items):
    return any(hasattr(item, "__array__") and np.ndim(item) > 0 for item in items)


def _class_probabilities(proba, n_samples):
    proba = np.asarray(without_mask(proba))
    if proba.ndim not in (1, 2) or len(proba) != n_samples:
        raise ValueError(
            f"The probabilities of a task must have shape ({n_samples}, n_classes), or "
            f"({n_samples},) for the second of two classes; found {proba.shape}."
        )
    if proba.dtype.kind == "O":
        proba = np.where(pd.isna(proba), np.nan, proba)
    if proba.dtype.kind != "f":
        proba = proba.astype(np.float64)
    missing = np.unique(np.argwhere(np.isnan(proba))[:, 0])
    if len(missing):
        raise ValueError(
            "Probabilities must be given for every row; found none (NaN) in "
            f"{len(missing)} of {n_samples} rows, the first of which is row "
            f"{missing[0]}. Predict these rows, or leave them out of y and y_proba."
        )
    if not ((proba >= 0).all() and (proba <= 1).all()):
        raise ValueError(
            "Probabilities must lie between 0 and 1; found values from "
            f"{proba.min()} to {proba.max()}. Pass the output of predict_proba, not "
            "logits or labels."
        )
    if proba.ndim == 1:
        return np.column_stack([1 - proba, proba])
    _check_sums(proba.sum(axis=1, dtype=np.float64))
    return proba


def _check_sums(sums):
    wrong = np.flatnonzero(np.abs(sums - 1) > 1e-3)
    if len(wrong):
        raise ValueError(
            "Each row of a task's probabilities must sum to 1; found "
            f"{sums[wrong[0]]:.4g} in row {wrong[0]}. Pass the output of predict_proba."
        )

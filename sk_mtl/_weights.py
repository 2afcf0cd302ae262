"""Weights of rows, or of rows and tasks, in any form."""

from collections.abc import Mapping
from numbers import Real

import numpy as np

from sk_mtl._labels import as_numbers, is_missing, read_labels
from sk_mtl._task_names import column_order, per_task


def read_weights(weight, n_samples, names, what="sample_weight"):
    """Return weights as a float array of shape (n_samples, n_tasks), or None.

    Parameters
    ----------
    weight : array-like, DataFrame, dict, float or None
        One weight per row, one per row and task, or by task name the weights of the
        rows; tasks that a dict leaves out count 1. A frame is read by the names of its
        columns. A masked weight is 0.
    n_samples : int
    names : list
        Names of the tasks.
    what : str, default="sample_weight"
        The argument's name in errors.
    """
    if weight is None:
        return None
    if isinstance(weight, Mapping):
        array = _read_each(weight, n_samples, names, what)
    else:
        array = _read_table(weight, n_samples, names, what)
    _check_weights(array, what)
    array = array if array.ndim == 2 else array[:, None]
    return np.broadcast_to(array, (n_samples, len(names)))


def weight_columns(weight, n_samples, names):
    """Return weights as one array of shape (n_samples,) per task, or None per task."""
    weight = read_weights(weight, n_samples, names)
    return [None] * len(names) if weight is None else list(weight.T)


def _read_each(weight, n_samples, names, what):
    each = per_task(
        what,
        weight,
        names,
        is_single=lambda value: False,
        default=1.0,
        left_out="count 1",
    )
    return np.column_stack(
        [
            _read_table(own, n_samples, [name], f"{what} of task {name!r}")
            for name, own in zip(names, each)
        ]
    )


def _read_table(weight, n_samples, names, what):
    if isinstance(weight, Real | str) or getattr(weight, "shape", None) == ():
        weight = np.full(n_samples, weight)
    if isinstance(weight, np.ma.MaskedArray):
        weight = weight.filled(0)
    table = read_labels(weight, what)
    array = np.column_stack([_as_floats(column, what) for column in table.columns])
    shape, n_tasks = array.shape[: 1 if table.is_vector else 2], len(names)
    if shape not in ((n_samples,), (n_samples, n_tasks)):
        raise ValueError(
            f"{what} must have shape ({n_samples},) or ({n_samples}, {n_tasks}), one "
            f"weight per row, or per row and task; found {shape}."
        )
    # The weights of a single task cannot belong to another.
    if n_tasks > 1 and not table.is_vector:
        array = array[:, column_order(table.names, names, what)]
    return array


def _as_floats(column, what):
    missing = is_missing(column)
    weight = np.full(len(column), np.nan)
    weight[~missing] = as_numbers(column[~missing], what, "Give weights >= 0")
    return weight


def _check_weights(array, what):
    for wrong, need in (
        (~np.isfinite(array), "hold finite weights; found"),
        (array < 0, "not be negative; found weight"),
    ):
        if wrong.any():
            row, column = np.argwhere(wrong)[0]
            raise ValueError(
                f"{what} must {need} {array[row, column]} in row {row}. Use weight 0 "
                "for a row that must not count."
            )

"""Labels, probabilities and weights in any form, as checked arrays per task.

Every metric of this folder reads its arguments through these functions, so that they
take the same forms and refuse the same mistakes.
"""

import numpy as np


def label_columns(y, what="y"):
    """Columns of `y` and their names.

    Parameters
    ----------
    y : array-like or DataFrame of shape (n_samples,) or (n_samples, n_tasks)
    what : str, default="y"
        What it is called in errors.

    Returns
    -------
    columns : list of ndarray of shape (n_samples,)
    names : list or None
        None for an array, which has no names.
    """
    if hasattr(y, "iloc") and y.ndim == 2:
        return [y.iloc[:, k].to_numpy() for k in range(y.shape[1])], list(y.columns)
    if hasattr(y, "get_columns"):
        return [column.to_numpy() for column in y.get_columns()], list(y.columns)
    if hasattr(y, "column_names"):
        return [column.to_numpy() for column in y.columns], list(y.column_names)
    if hasattr(y, "to_numpy") and hasattr(y, "name"):
        return [y.to_numpy()], None if y.name in (None, "") else [y.name]
    array = np.asarray(y)
    if array.dtype.kind == "U" and not isinstance(y, np.ndarray):
        # NumPy turns a NaN among strings of a list into the string "nan".
        array = np.asarray(y, dtype=object)
    if array.ndim not in (1, 2):
        raise ValueError(
            f"{what} must have shape (n_samples,) or (n_samples, n_tasks); found shape "
            f"{array.shape}. Pass one column per task."
        )
    return [array] if array.ndim == 1 else list(array.T), None


def one_label_column(y, name="y"):
    """The only column of `y`, as an array of shape (n_samples,)."""
    columns, _ = label_columns(y)
    if len(columns) != 1:
        raise ValueError(
            f"{name} must hold one task; found {len(columns)} columns. "
            f"Pass one of them, for instance {name}['click']."
        )
    return columns[0]


def task_names_of(n_tasks, names=None):
    """Checked names of the tasks; task_0, task_1, ... where there are none."""
    if names is None:
        return [f"task_{k}" for k in range(n_tasks)]
    names = [names] if isinstance(names, str) else [str(name) for name in names]
    if len(names) != n_tasks or len(set(names)) != n_tasks:
        raise ValueError(
            f"task_names must be {n_tasks} distinct names, one per column of y; found "
            f"{names}. Give one name per task."
        )
    return names


def task_position(task, names):
    """Position of `task`, a name or a position, among `names`."""
    if isinstance(task, str) and task in names:
        return names.index(task)
    if isinstance(task, (int, np.integer)) and -len(names) <= task < len(names):
        return int(task) % len(names)
    raise ValueError(
        f"task must be one of {list(names)} or a position below {len(names)}; "
        f"found {task!r}. Use one of these names."
    )


def probability_list(y_proba, n_tasks, n_samples):
    """Probabilities as a list of checked (n_samples, n_classes) arrays.

    Parameters
    ----------
    y_proba : list of n_tasks arrays, or one array
        A list holds, per task, an array of shape (n_samples, n_classes), or of shape
        (n_samples,) with the probability of the second class. One array belongs to
        the only task, or holds the probability of each task's second class in
        shape (n_samples, n_tasks).
    n_tasks, n_samples : int
        Shape of y.
    """
    if not isinstance(y_proba, (list, tuple)) or not _holds_arrays(y_proba):
        array = np.asarray(y_proba)
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
    proba = np.asarray(proba)
    if proba.ndim not in (1, 2) or len(proba) != n_samples:
        raise ValueError(
            f"The probabilities of a task must have shape ({n_samples}, n_classes), or "
            f"({n_samples},) for the second of two classes; found {proba.shape}."
        )
    if proba.dtype.kind != "f":
        proba = proba.astype(np.float64)
    if not (np.isfinite(proba).all() and (proba >= 0).all() and (proba <= 1).all()):
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


def weight_columns(sample_weight, n_tasks, n_samples):
    """Weights as one array of shape (n_samples,) per task, or None per task."""
    if sample_weight is None:
        return [None] * n_tasks
    weight = np.asarray(sample_weight, dtype=np.float64)
    if weight.shape not in ((n_samples,), (n_samples, n_tasks)):
        raise ValueError(
            f"sample_weight must have shape ({n_samples},) or ({n_samples}, {n_tasks});"
            f" found {weight.shape}. Pass one weight per row, or one per row and task."
        )
    if not np.isfinite(weight).all() or (weight < 0).any():
        raise ValueError(
            "sample_weight must be finite and not negative; found "
            f"{weight.min()} to {weight.max()}. Use 0 to leave a row out."
        )
    return [weight] * n_tasks if weight.ndim == 1 else list(weight.T)

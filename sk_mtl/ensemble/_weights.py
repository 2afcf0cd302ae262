"""The weights of an ensemble as its parameter gives them."""

from collections.abc import Mapping

import numpy as np

from sk_mtl._task_names import per_task

AUTO = "auto"


def given_weights(weights, part_names, task_names):
    """Return the weights of each task, an array of the parts, or None for "auto".

    Parameters
    ----------
    weights : None, "auto", array-like or dict
        The parameter of the ensemble.
    part_names : list of str
        Names of all parts, dropped ones too.
    task_names : list
    """
    if weights is None or isinstance(weights, str):
        each = [weights] * len(task_names)
    elif isinstance(weights, Mapping):
        each = per_task(
            "weights",
            weights,
            task_names,
            is_single=lambda value: False,
            default=None,
            left_out="have equal weights",
        )
    else:
        array = _floats(weights, part_names)
        shapes = (len(part_names),), (len(part_names), len(task_names))
        if array.shape not in shapes:
            raise ValueError(
                f"weights must have shape {shapes[0]} or {shapes[1]}, one weight per "
                f"estimator of {part_names}, or per estimator and task of "
                f"{task_names}; found {array.shape}. Give one for each."
            )
        array = array if array.ndim == 2 else array[:, None]
        each = np.broadcast_to(array, shapes[1]).T
    return [
        _of_task(own, part_names, name)
        for own, name in zip(each, task_names, strict=True)
    ]


def _of_task(weights, part_names, task):
    if isinstance(weights, str):
        if weights != AUTO:
            raise ValueError(
                f"weights must be 'auto', None or numbers; found {weights!r} for task "
                f"{task!r}. Use one of these."
            )
        return None
    if weights is None:
        return np.ones(len(part_names))
    array = _floats(weights, part_names)
    if array.shape != (len(part_names),):
        raise ValueError(
            f"weights of task {task!r} must hold one number per estimator of "
            f"{part_names}; found {np.size(weights)}. Give one for each."
        )
    return array


def _floats(weights, part_names):
    try:
        array = np.asarray(weights, dtype=float)
    except (TypeError, ValueError):
        array = np.array(np.nan)
    if not np.isfinite(array).all() or (array < 0).any():
        raise ValueError(
            f"weights must be finite numbers >= 0, one per estimator of {part_names}; "
            f"found {weights!r}. Use 0 for an estimator that must not count."
        )
    return array


def normalised(weights, answered, part_names, task_names):
    """Return weights of shape (n_parts, n_tasks) that sum to 1 for each task.

    Parameters
    ----------
    weights : ndarray of shape (n_parts, n_tasks)
    answered : ndarray of bool of shape (n_parts, n_tasks)
        Whether each part can answer each task.
    part_names, task_names : list
        For the error where no part of positive weight answers a task.
    """
    weights = np.where(answered, weights, 0.0)
    for k, name in enumerate(task_names):
        if not answered[:, k].any():
            raise ValueError(
                f"Task {name!r} must have an estimator that can learn it; found none "
                f"among {part_names}. Add a classifier for classes, a regressor for "
                "numbers, or give rows with other labels."
            )
        if not weights[:, k].any():
            able = [
                part
                for part, can in zip(part_names, answered[:, k], strict=True)
                if can
            ]
            raise ValueError(
                f"weights of task {name!r} must be positive for an estimator that can "
                f"learn it, one of {able}; found only zeros. Raise one of them."
            )
    return weights / weights.sum(axis=0)

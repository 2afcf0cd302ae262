"""Class weights, given for all tasks or by task name."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from sk_mtl._labels import label_list
from sk_mtl._task_names import per_task
from sk_mtl.estimators._targets._targets import Targets


def class_weight_table(
    class_weight,
    targets: Targets,
    codes: np.ndarray,
    sample_weight: np.ndarray | None = None,
) -> list[np.ndarray | None] | None:
    """Return the weight of each class of each task, or None if all are 1.

    The entry of a task of numbers is None.

    Parameters
    ----------
    class_weight : None, "balanced", dict, or sequence
        A dict maps labels to weights, the same for every task, or task names to
        "balanced", None or a dict of labels. A sequence holds one of these per task.

    targets : Targets

    codes : ndarray of shape (n_samples, n_tasks)
        Class numbers of the training rows, NaN where the label is missing.

    sample_weight : ndarray of shape (n_samples, n_tasks) or None
        Weights with which "balanced" gives the classes equal totals.
    """
    each = per_task(
        "class_weight",
        class_weight,
        targets.task_names,
        is_single=_is_one_weight,
        default=None,
        left_out="are not weighted",
    )
    if not _is_one_weight(class_weight):
        _refuse_numbers(each, targets)
    if all(weight is None for weight in each):
        return None
    return [
        _task_class_weight(
            weight,
            targets,
            k,
            codes[:, k],
            None if sample_weight is None else sample_weight[:, k],
        )
        for k, weight in enumerate(each)
    ]


def apply_class_weights(
    table: list[np.ndarray | None] | None, codes: np.ndarray, weight: np.ndarray | None
) -> np.ndarray | None:
    """Return label weights times the weights of their classes."""
    if table is None:
        return weight
    by_class = np.ones(codes.shape)
    for k, values in enumerate(table):
        if values is None:
            continue
        labelled = ~np.isnan(codes[:, k])
        by_class[labelled, k] = values[codes[labelled, k].astype(int)]
    return by_class if weight is None else by_class * weight


def _is_one_weight(class_weight) -> bool:
    """Return whether a class weight is the same for all tasks."""
    if not isinstance(class_weight, Mapping):
        return class_weight is None or isinstance(class_weight, str)
    values = class_weight.values()
    return not any(each is None or isinstance(each, str | Mapping) for each in values)


def _refuse_numbers(each: list, targets: Targets) -> None:
    """Raise if a task of numbers has class weights."""
    for column, weight in zip(targets.columns, each, strict=True):
        name, classes = column.name, getattr(column, "classes", None)
        if classes is None and weight is not None:
            raise ValueError(
                f"class_weight must be of tasks of classes; found {weight!r} "
                f"for task {name!r}, which holds numbers. Leave it out, "
                "or weight its rows by sample_weight."
            )


def _task_class_weight(
    weight, targets, k: int, codes: np.ndarray, sample_weight: np.ndarray | None
) -> np.ndarray | None:
    classes = targets.classes[k]
    if classes is None:
        return None
    if weight is None:
        return np.ones(len(classes))
    if weight != "balanced" and not isinstance(weight, Mapping):
        raise ValueError(
            "class_weight must be 'balanced', None or a dict of weights for each task; "
            f"found {weight!r} for task {targets.task_names[k]!r}. Use one of these."
        )
    if weight == "balanced":
        return _balanced(len(classes), codes, sample_weight)
    known = label_list(classes)
    unknown = [label for label in weight if label not in known]
    if unknown:
        raise ValueError(
            f"class_weight of task {targets.task_names[k]!r} must be keyed by its "
            f"classes {known}; found {unknown}. Key a per-task class_weight by task "
            "name: {'task': {label: weight}}."
        )
    values = np.array([float(weight.get(label, 1.0)) for label in known])
    if not (np.isfinite(values).all() and (values >= 0).all() and values.any()):
        raise ValueError(
            f"class_weight of task {targets.task_names[k]!r} must hold weights >= 0, "
            f"not all 0; found {dict(weight)}."
        )
    return values


def _balanced(
    n_classes: int, codes: np.ndarray, sample_weight: np.ndarray | None
) -> np.ndarray:
    """Return weights that give each class the same total; 1 for a class without rows.

    With weights of 1 they are ``n_samples / (n_classes * np.bincount(codes))``, as in
    scikit-learn.
    """
    labelled = ~np.isnan(codes)
    counted = None if sample_weight is None else sample_weight[labelled]
    totals = np.bincount(codes[labelled].astype(int), counted, minlength=n_classes)
    found = totals > 0
    values = np.ones(n_classes)
    values[found] = totals.sum() / (found.sum() * totals[found])
    return values

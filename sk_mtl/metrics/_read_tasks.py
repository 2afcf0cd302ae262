"""The labelled rows of every task, of classes and of numbers alike."""

from collections.abc import Mapping

import numpy as np
from sklearn.exceptions import UndefinedMetricWarning

from sk_mtl._labels import read_labels
from sk_mtl._positive_class import pos_label_per_task, warn_positive_class
from sk_mtl._task_names import per_task
from sk_mtl._warnings import warn_user
from sk_mtl._weights import weight_columns
from sk_mtl.metrics._class_rows import class_rows
from sk_mtl.metrics._funnel_rows import FunnelRows
from sk_mtl.metrics._hard_labels import (
    refuse_classes,
    refuse_labels,
    refuse_probabilities,
)
from sk_mtl.metrics._number_rows import number_rows, prediction_columns
from sk_mtl.metrics._open_classes import one_sided_tasks
from sk_mtl.metrics._probabilities import probability_list

# Why a metric may be undefined: by its name, by its kind of task, or as a user's own.
_REASONS = {
    "top_k_accuracy": "they have no more than k classes, or no labelled rows. Use a "
    "smaller k, or score other tasks.",
    "grouped": "no group of their labelled rows can be ranked well or badly. Score "
    "more rows, or larger groups.",
    "class": "their labelled rows do not hold two known classes. Score more rows, or "
    "pass classes= for metrics that need one class only.",
    "number": "their labelled rows do not define it: r2 needs numbers that differ, a "
    "percentage error none that is 0, a Poisson deviance numbers >= 0, a gamma "
    "deviance numbers > 0. Score more rows, or use another metric.",
    None: "it returned NaN, or there are no labelled rows. Score more rows, or use "
    "another metric.",
}


def read_tasks(
    y_true,
    y_proba=None,
    sample_weight=None,
    classes=None,
    names=None,
    missing_label=None,
    y_pred=None,
    pos_label=None,
    conditional=False,
    funnel=None,
    groups=None,
):
    """Return the names and rows of every task of `y_true`.

    A task is one of numbers where `y_proba` is None, or holds None in its place. With
    `conditional` the rows of a step of a funnel are those that reached its parent.

    Returns
    -------
    names : list
    rows : list of ClassRows, NumberRows or None
        None for a task of numbers without predictions.
    """
    table = read_labels(y_true, "y_true")
    own_names, n_samples = table.task_names(), table.n_samples
    names = table.task_names(names, rename=True)
    # Other tables are read by the names of y, even where its tasks are renamed.
    own_names = names if table.names is None else own_names
    if isinstance(y_proba, Mapping):
        y_proba = per_task("y_proba", y_proba, own_names, is_single=lambda each: False)
    refuse_labels(y_proba, len(names))
    refuse_probabilities(y_pred)
    predictions = [None] * len(names)
    if y_pred is not None:
        predictions = prediction_columns(y_pred, own_names, n_samples)
    probas = probability_arrays(y_proba, own_names, n_samples)
    weights = weight_columns(sample_weight, n_samples, own_names)
    classes = classes_per_task(classes, names)
    if conditional:
        _check_steps(names, probas)
        pos_labels = pos_label_per_task(pos_label, names)
        steps = FunnelRows(table.columns, names, funnel, pos_labels, missing_label)
        weights, classes = _of_steps(steps, weights, classes)
    elif funnel is not None:
        raise ValueError(
            "funnel must come with conditional=True, for conditional rates; found "
            f"conditional={conditional!r}. Set it, or drop funnel."
        )
    rows = rows_per_task(
        table.columns,
        names,
        probas,
        predictions,
        weights,
        classes,
        missing_label,
        pos_label,
        one_sided_tasks(y_proba, len(names)),
        groups,
    )
    if y_proba is None:
        refuse_classes(names, rows)
    return names, rows


def _check_steps(names, probas):
    """Raise where a task has no probabilities, and so is no step of a funnel."""
    numbers = [name for name, proba in zip(names, probas) if proba is None]
    if numbers:
        raise ValueError(
            "conditional=True needs the probabilities of each step; found none of "
            f"{numbers}. Pass y_proba=model.predict_conditional_proba(X)."
        )


def _of_steps(steps, weights, classes):
    """Return weights, 0 where the step before was not reached, and all classes."""
    reached = [steps.reached_before(k) for k in range(len(weights))]
    if steps.open_classes:
        what = "conditional=True needs"
        warn_positive_class(what, steps.open_classes, only_task=False)
    weights = [
        rows.astype(float) if weight is None else rows * weight
        for rows, weight in zip(reached, weights, strict=True)
    ]
    # A class may be missing in the rows that count and present in others.
    own = [steps.classes(k) for k in range(len(weights))]
    return weights, [a if a is not None else b for a, b in zip(classes, own)]


def rows_per_task(
    columns,
    names,
    probas,
    predictions,
    weights,
    classes,
    missing_label=None,
    pos_label=None,
    one_sided=None,
    groups=None,
):
    """Return the rows of every task; None where a task has neither kind of answer."""
    one_sided = [False] * len(names) if one_sided is None else one_sided
    pos_labels = _pos_labels(pos_label, names, probas)
    rows = []
    for column, name, proba, prediction, weight, known, positive, one_side in zip(
        columns,
        names,
        probas,
        predictions,
        weights,
        classes,
        pos_labels,
        one_sided,
        strict=True,
    ):
        if proba is not None:
            each = class_rows(
                column,
                proba,
                weight,
                known,
                missing_label,
                name,
                pos_label=positive,
                one_sided=one_side,
                groups=groups,
            )
            rows.append(each)
        elif prediction is not None:
            each = number_rows(
                column, prediction, weight, missing_label, name, groups=groups
            )
            rows.append(each)
        else:
            rows.append(None)
    return rows


def _pos_labels(pos_label, names, probas):
    """Return the positive label of each task; named tasks must hold classes."""
    labels = pos_label_per_task(pos_label, names)
    numbers = [name for name, proba in zip(names, probas) if proba is None]
    if isinstance(pos_label, Mapping):
        wrong = [task for task in pos_label if task in numbers]
    else:
        wrong = numbers if labels and len(numbers) == len(names) else []
    if pos_label is not None and wrong:
        raise ValueError(
            "pos_label must be of tasks of classes, which have probabilities; found "
            f"{wrong} without. Leave it out for tasks of numbers."
        )
    return labels


def probability_arrays(y_proba, names, n_samples):
    """Return the checked probabilities per task, None for the tasks of numbers."""
    if y_proba is None:
        return [None] * len(names)
    gaps = isinstance(y_proba, (list, tuple)) and any(p is None for p in y_proba)
    if not gaps or len(y_proba) != len(names):
        return probability_list(y_proba, names, n_samples)
    known = [k for k, proba in enumerate(y_proba) if proba is not None]
    given, of_classes = [y_proba[k] for k in known], [names[k] for k in known]
    checked = iter(probability_list(given, of_classes, n_samples) if given else ())
    return [None if proba is None else next(checked) for proba in y_proba]


def classes_per_task(classes, names):
    """Return the classes of each task, None where they are to be read off its labels.

    `classes` is a list with one entry per task, a dict by task name, or the classes
    of the only task. A task of numbers has None.
    """
    if classes is None:
        return [None] * len(names)

    def is_single(classes):
        return (
            len(names) == 1
            and not isinstance(classes, Mapping)
            and (not len(classes) or _is_label(classes[0]))
        )

    return per_task(
        "classes",
        classes,
        names,
        is_single=is_single,
        default=None,
        left_out="have the classes of their labels",
    )


def _is_label(entry):
    return entry is not None and np.ndim(entry) == 0


def warn_undefined(metric, task_names):
    """Warn that a metric is NaN for some tasks, and why."""
    name = metric.name.partition("@")[0]
    name = name.partition("_")[0] if metric.needs_groups else name
    reason = _REASONS.get(name, _REASONS[metric.kind])
    warn_user(
        f"{metric.name} is undefined and NaN for {task_names}: {reason}",
        UndefinedMetricWarning,
    )

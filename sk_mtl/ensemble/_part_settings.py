"""The settings of tasks that an ensemble takes from its multi-task parts."""

from typing import Any, NamedTuple

import numpy as np
from sklearn.base import is_classifier, is_regressor
from sklearn.pipeline import Pipeline

from sk_mtl.ensemble._voted_tasks import is_funnel
from sk_mtl.estimators import (
    MultiTaskClassifier,
    MultiTaskEstimator,
    MultiTaskRegressor,
)


class PartSettings(NamedTuple):
    """The settings of the tasks, which all multi-task parts must have in common.

    Attributes
    ----------
    task_names : list or None
    missing_label : object
    pos_label : label, dict or None
    structure : str or dict
        "independent", "funnel" or a dict of steps.
    task_types : str, list or dict
        As of `MultiTaskEstimator`.
    """

    task_names: Any = None
    missing_label: Any = None
    pos_label: Any = None
    structure: Any = "independent"
    task_types: Any = "auto"

    @classmethod
    def of(cls, parts):
        """Return the settings of parts, or raise where two of them contradict.

        Parameters
        ----------
        parts : list of (str, estimator)
        """
        models = {name: model_of(part) for name, part in parts if is_multi_task(part)}
        defaults = cls._field_defaults.items()
        return cls(*(_common(name, models, default) for name, default in defaults))


def model_of(part):
    """Return the model at the end of pipelines and inside searches."""
    while True:
        if isinstance(part, Pipeline):
            part = part.steps[-1][1]
        elif not is_own(part) and hasattr(part, "estimator"):
            part = part.estimator
        else:
            return part


def is_own(part):
    """Return whether an estimator is one of this package with several tasks."""
    own = (MultiTaskClassifier, MultiTaskRegressor, MultiTaskEstimator)
    return isinstance(part, own) or hasattr(part, "row_aligned_keywords")


def is_multi_task(part):
    """Return whether a part learns all tasks at once, alone or wrapped."""
    return is_own(model_of(part))


def answered_tasks(part, tasks):
    """Return the positions of the tasks that a part answers by its type."""
    if is_classifier(part):
        return tasks.class_tasks
    if is_regressor(part):
        return tasks.number_tasks
    return list(range(len(tasks.names)))


def _common(name, models, default):
    """Return the setting of the models that have one."""
    found = {}
    for part, model in models.items():
        value = getattr(model, name, default)
        if name == "structure" and not is_funnel(value):
            # Independent answers become rates of steps where another part has steps.
            value = default
        if name == "missing_label" or not _equal(value, default):
            found[part] = value
    values = list(found.values())
    if any(not _equal(value, values[0]) for value in values[1:]):
        raise ValueError(
            f"{name} must be the same in all multi-task estimators; found {found}. Set "
            "one value, or leave it out where it is not needed."
        )
    return values[0] if values else default


def _equal(first, second):
    if isinstance(first, np.ndarray) or isinstance(second, np.ndarray):
        return np.array_equal(first, second)
    return type(first) is type(second) and first == second

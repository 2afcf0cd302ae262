"""The baseline of a multi-task model: a network of its own for each task."""

import inspect
from collections.abc import Mapping

from sklearn.base import clone, is_classifier, is_regressor
from sklearn.pipeline import Pipeline

import sk_mtl.estimators as estimators

_UNBALANCED = {"task_weights": None, "balancing": None}


def single_task_baseline(estimator):
    """Return one network per task, with the estimator's encoder, towers and budget.

    Every parameter that both have is the estimator's, so that what differs is what the
    tasks share; but nothing is balanced, where nothing is shared. In a pipeline the
    last step is replaced.
    """
    if isinstance(estimator, Pipeline):
        name, last = estimator.steps[-1]
        return clone(estimator).set_params(**{name: single_task_baseline(last)})
    if isinstance(estimator, estimators.MultiTaskEstimator):
        alone = {"wiring": "single_task"}
        return clone(estimator).set_params(**alone, **_UNBALANCED)
    own = tuple(getattr(estimators, name) for name in estimators.__all__)
    kinds = {"Classifier": is_classifier, "Regressor": is_regressor}
    kind = next((kind for kind, is_kind in kinds.items() if is_kind(estimator)), None)
    if not isinstance(estimator, own) or kind is None:
        raise ValueError(
            "baseline='single_task' needs a first estimator of sk_mtl, alone or as "
            f"the last step of a pipeline; found {type(estimator).__name__}. Give an "
            "estimator as the baseline."
        )
    baseline = getattr(estimators, f"SingleTask{kind}")
    shared = inspect.signature(baseline).parameters
    values = {**estimator.get_params(deep=False), **_UNBALANCED}
    structure = values.get("structure")
    if not (structure in ("independent", "funnel") or isinstance(structure, Mapping)):
        # A structure of the model's own, of tasks with probabilities of their own.
        values.pop("structure", None)
    return baseline(**{name: v for name, v in values.items() if name in shared})

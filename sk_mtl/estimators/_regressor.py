"""Base of the multi-task regressors: numbers in, numbers out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils.metaestimators import available_if

from sk_mtl.estimators._choices._loss import Loss
from sk_mtl.estimators._multi_task_model import MultiTaskModel
from sk_mtl.estimators._targets._targets import Targets, learn_numbers
from sk_mtl.losses import IndependentStructure, Structure, TaskOutput


def _has_zero_inflated(estimator: NumberTasks) -> bool:
    outputs = estimator.predictor_.targets.outputs
    if not any(output.zero_inflated for output in outputs):
        raise AttributeError(
            "predict_proba_positive needs a task that is learnt by 'ziln'; found none. "
            "Set loss='ziln' for tasks of many zeros."
        )
    return True


def _has_quantiles(estimator: NumberTasks) -> bool:
    outputs = estimator.predictor_.targets.outputs
    if not any(output.quantile_levels for output in outputs):
        raise AttributeError(
            "predict_quantiles needs a task that is learnt by quantiles; found none. "
            "Set loss=Quantile(levels=(0.1, 0.5, 0.9)), or the like for a task."
        )
    return True


class NumberTasks:
    """Mixin of models with tasks of numbers: their answers."""

    @available_if(_has_zero_inflated)
    def predict_proba_positive(self, X) -> np.ndarray:
        """Return the chance that a zero-inflated number is not zero.

        Parameters
        ----------
        X : {DataFrame, array-like} of shape (n_samples, n_features)

        Returns
        -------
        chance : ndarray of shape (n_samples,) or (n_samples, n_tasks)
            NaN for tasks that are not learnt by ``"ziln"``.
        """
        network = self.predictor_
        answers = network.map_rows(X, network.answers)
        chances = [
            np.exp(answer[:, 1] if output.zero_inflated else np.nan * answer[:, 0])
            for output, answer in zip(network.targets.outputs, answers, strict=True)
        ]
        if network.targets.one_dimensional:
            return chances[0]
        return np.stack(chances, axis=1)

    @available_if(_has_quantiles)
    def predict_quantiles(self, X) -> list[np.ndarray | None] | np.ndarray:
        """Return the quantiles of numbers that are learnt by `Quantile`.

        The quantiles of a row never decrease from one level to the next.

        Parameters
        ----------
        X : {DataFrame, array-like} of shape (n_samples, n_features)

        Returns
        -------
        quantiles : list of (ndarray of shape (n_samples, n_levels) or None), or ndarray
            One array per column of y in the target's own units, its columns in the
            order of the levels, and None for a task of another loss; a single array
            if y was 1-d.
        """
        network = self.predictor_
        answers, targets = network.map_rows(X, network.answers), network.targets
        return targets.as_given(
            column.decode_quantiles(answer) if column.output.quantile_levels else None
            for column, answer in zip(targets.columns, answers, strict=True)
        )


@dataclass(kw_only=True, eq=False, repr=False)
class MultiTaskRegressor(RegressorMixin, NumberTasks, MultiTaskModel):
    """Base of the multi-task regressors: one network, one number per task.

    Parameters
    ----------
    loss : str, Loss or TaskOutput, or a list or dict of these, default="squared_error"
        The loss. ``"squared_error"`` learns the mean and ``"absolute_error"`` the
        median. ``"huber"`` is between the two: less sensitive to outliers than the
        mean. ``"poisson"`` (counts, >= 0) and ``"gamma"`` (> 0) learn a positive mean
        and expect errors that grow with it. ``"ziln"`` is for many zeros and a few
        large numbers, such as customers' spending: it learns the chance of a positive
        number and a log-normal distribution. An object has settings, such as `Huber`,
        or is a loss of your own. One for all tasks, a list with one per task, or a
        dict by task name; tasks left out take ``"squared_error"``.
    """

    _parameter_constraints: ClassVar[dict] = {
        # Errors that name the task are raised once the tasks are known.
        "loss": "no_validation",
    }

    loss: str | Loss | TaskOutput | Sequence | Mapping = "squared_error"

    # The mixin's own score does not handle missing labels.
    score = MultiTaskModel.score

    def _learn_targets(self, y, classes=None, weight=None) -> Targets:
        if classes is not None:
            raise ValueError(
                f"classes must be None for a task of numbers; found {classes!r}. "
                "Leave it out, or use a classifier."
            )
        return learn_numbers(
            y,
            task_names=self.task_names,
            missing_label=self.missing_label,
            loss=self.loss,
            weight=weight,
        )

    def _make_structure(self, targets: Targets) -> Structure:
        return IndependentStructure(targets.outputs)

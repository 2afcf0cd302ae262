"""What every multi-task regressor does: numbers in, numbers out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real
from typing import Any, ClassVar

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from sk_mtl._sklearn_compat import Interval
from sk_mtl.estimators._atomic_fit import answer_from_fit
from sk_mtl.estimators._multi_task_model import MultiTaskModel
from sk_mtl.estimators._targets._number_column import NumberColumn
from sk_mtl.estimators._targets._target_column import TargetColumn
from sk_mtl.estimators._targets._targets import Targets, learn_numbers
from sk_mtl.losses import (
    AbsoluteErrorOutput,
    GammaOutput,
    HuberOutput,
    IndependentStructure,
    PoissonOutput,
    SquaredErrorOutput,
    Structure,
    TaskOutput,
    ZILNOutput,
)

#: What a task of numbers can be learnt by: each makes an output, given `huber_delta`.
LOSSES: dict[str, Callable[[float], TaskOutput]] = {
    "squared_error": lambda delta: SquaredErrorOutput(),
    "absolute_error": lambda delta: AbsoluteErrorOutput(),
    "huber": HuberOutput,
    "poisson": lambda delta: PoissonOutput(),
    "gamma": lambda delta: GammaOutput(),
    "ziln": lambda delta: ZILNOutput(),
}


def _learns_ziln(estimator: NumberTasks) -> bool:
    check_is_fitted(estimator)
    if not any(_is_ziln(column) for column in estimator._targets.columns):
        raise AttributeError(
            "predict_proba_positive needs a task that is learnt by 'ziln'; found none. "
            "Set loss='ziln' for tasks of many zeros."
        )
    return True


def _is_ziln(column: TargetColumn) -> bool:
    return getattr(column, "loss", None) == "ziln"


@dataclass(kw_only=True, eq=False, repr=False)
class NumberTasks:
    """How tasks of numbers are learnt and answered; mixed into a `MultiTaskModel`.

    Parameters
    ----------
    huber_delta : float, default=1.0
        Errors up to it are squared by ``loss="huber"``, in standard deviations of the
        target. Larger is nearer to the squared error.
    """

    _parameter_constraints: ClassVar[dict] = {
        "huber_delta": [Interval(Real, 0, None, closed="neither")],
    }

    huber_delta: float = 1.0

    def _number_output(self, column: NumberColumn) -> TaskOutput:
        """Return what the logits of a task of numbers mean, or raise."""
        if column.loss not in LOSSES:
            raise ValueError(
                f"loss must be one of {list(LOSSES)} for each task; found "
                f"{column.loss!r} for task {column.name!r}. Use one of these names; "
                "functions and modules are not taken."
            )
        return LOSSES[column.loss](self.huber_delta)

    @available_if(_learns_ziln)
    @answer_from_fit
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
        answers = self._predict_answers(X)
        chances = [
            np.exp(answer[:, 1]) if _is_ziln(column) else np.full(len(answer), np.nan)
            for column, answer in zip(self._targets.columns, answers, strict=True)
        ]
        if self._targets.one_dimensional:
            return chances[0]
        return np.stack(chances, axis=1)


@dataclass(kw_only=True, eq=False, repr=False)
class MultiTaskRegressor(RegressorMixin, NumberTasks, MultiTaskModel):
    """Base of the multi-task regressors: one network, one number per task.

    Parameters
    ----------
    loss : str, list of str or dict, default="squared_error"
        What is learnt: one for all tasks, a list with one per task, or a dict by task
        name. ``"squared_error"`` learns the mean, ``"absolute_error"`` the median,
        ``"huber"`` something between, which outliers pull less. ``"poisson"`` (counts,
        >= 0) and ``"gamma"`` (> 0) learn a mean that is positive and errors in
        proportion. ``"ziln"`` is for many zeros and a few large numbers, such as what
        customers spend: the chance of a positive number and a log-normal.
    """

    _parameter_constraints: ClassVar[dict] = {
        "loss": [str, list, tuple, dict, callable]
    }

    loss: Any = "squared_error"

    # Not the mixin's, which knows nothing of missing labels.
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
        return IndependentStructure(list(map(self._number_output, targets.columns)))

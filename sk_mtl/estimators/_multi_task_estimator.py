"""One network for tasks of different types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from sk_mtl._sklearn_compat import validate_parameter_constraints
from sk_mtl.estimators._documentation import share_documentation
from sk_mtl.estimators._multi_task_model import MultiTaskModel
from sk_mtl.estimators._network_trainer import merged_constraints
from sk_mtl.estimators._regressor import NumberAnswers, number_output
from sk_mtl.estimators._targets._class_column import ClassColumn
from sk_mtl.estimators._targets._labels import is_missing, named_columns, plain_values
from sk_mtl.estimators._targets._number_column import NumberColumn
from sk_mtl.estimators._targets._target_column import TargetColumn
from sk_mtl.estimators._targets._targets import Targets, per_task
from sk_mtl.estimators._wiring_model import WIRINGS, WiringModel
from sk_mtl.losses import ClassOutput, IndependentStructure, Structure, TaskOutput

# The loss of each type of number.
_NUMBERS = {
    "regression": "squared_error",
    "poisson": "poisson",
    "gamma": "gamma",
    "ziln": "ziln",
}
TASK_TYPES = ("binary", "multiclass", *_NUMBERS)

# Whole numbers of more values than these are quantities, not classes.
_MOST_CLASSES = 20


@share_documentation
@dataclass(kw_only=True, eq=False, repr=False)
class MultiTaskEstimator(NumberAnswers, MultiTaskModel):
    """One network for tasks of different types: classes beside numbers.

    Each column of `y` is a task of its own type: whether a user clicks, how much is
    spent, which segment it is. The network is that of any model of the package, and
    each type has its loss; numbers are standardised inside, so that no task swamps
    another, and predicted in their own units.

    ============== ===================== ======================== ==================
    type           what y holds          `predict`                `predict_proba`
    ============== ===================== ======================== ==================
    ``binary``     two classes           the likelier class       (n_samples, 2)
    ``multiclass`` several classes       the likeliest class      (n_samples,
                                                                  n_classes)
    ``regression`` numbers               the mean                 None
    ``poisson``    counts, >= 0          the mean                 None
    ``gamma``      positive numbers      the mean                 None
    ``ziln``       many zeros and a few  the mean; the chance of  None
                   large numbers         a positive number is
                                         `predict_proba_positive`
    ============== ===================== ======================== ==================

    Parameters
    ----------
    wiring : str, default="mmoe"
        The model, by the name of its wiring: ``"single_task"``, ``"shared_bottom"``,
        ``"omoe"``, ``"mmoe"``, ``"cross_stitch"``, ``"snr"``, ``"cgc"``, ``"ple"``,
        ``"stem"``, ``"adatt"``, ``"home"`` or the like.

    wiring_params : dict or None, default=None
        Parameters of that model, such as ``{"n_experts": 8}``. None takes its defaults.
        Parameters that all models have are this estimator's: ``wiring="home"`` does not
        bring the ``activation`` and ``batch_norm`` of `HoMEClassifier` with it.

    task_types : "auto", str, list or dict, default="auto"
        The type of each task: one for all, a list, or a dict by task name. ``"auto"``:
        text, categories and booleans are classes, and so are whole numbers of at most
        20 values; all other numbers are ``"regression"``.

    Attributes
    ----------
    classes_ : list of (ndarray or None), or ndarray
        The sorted classes of each task, None where it holds numbers.

    task_types_ : dict
        The type of each task by its name.

    See Also
    --------
    MMOEClassifier : Tasks that all are classes.
    MMOERegressor : Tasks that all are numbers.

    Examples
    --------
    Income as a class, hours as a number, capital gains as many zeros.

    >>> from sk_mtl import MultiTaskEstimator
    >>> from sk_mtl.datasets import load_adult
    >>> X, y = load_adult(return_X_y=True)
    >>> X, y = X[:1000].copy(), y[:1000].copy()
    >>> y["hours"], y["gain"] = X.pop("hours_per_week"), X.pop("capital_gain")
    >>> types = {"income": "binary", "married": "binary", "hours": "regression"}
    >>> model = MultiTaskEstimator(task_types={**types, "gain": "ziln"}, max_epochs=2)
    >>> list(model.fit(X, y).predict(X))
    ['income', 'married', 'hours', 'gain']
    """

    _parameter_constraints: ClassVar[dict] = {
        "wiring": [str],
        "wiring_params": [Mapping, None],
        "task_types": [str, list, tuple, Mapping],
    }

    wiring: str = "mmoe"
    wiring_params: Mapping | None = None
    task_types: Any = "auto"

    def predict(self, X):
        """Return what is predicted on each task.

        Parameters
        ----------
        X : {DataFrame, array-like} of shape (n_samples, n_features)

        Returns
        -------
        predicted : DataFrame or ndarray of shape (n_samples,) or (n_samples, n_tasks)
            The likeliest class in its own type, or the mean in the target's own units;
            a DataFrame with one column per task where `y` was one.
        """
        answers = self._predict_answers(X)
        if not self._framed:
            return self._targets.decode(answers)
        columns = self._targets.decode_columns(answers)
        index = X.index if isinstance(X, pd.DataFrame) else None
        return pd.DataFrame(
            dict(zip(self.task_names_, columns, strict=True)), index=index
        )

    def predict_proba(self, X):
        """Return the probability of every class, of the tasks that have classes.

        Parameters
        ----------
        X : {DataFrame, array-like} of shape (n_samples, n_features)

        Returns
        -------
        proba : list of (ndarray of shape (n_samples, n_classes) or None)
            One entry per column of y, None where it holds numbers; a single one where
            y was 1-d.
        """
        answers = self._predict_answers(X)
        return self._answer(
            np.exp(answer) if isinstance(column, ClassColumn) else None
            for column, answer in zip(self._targets.columns, answers, strict=True)
        )

    def _model(self) -> WiringModel:
        if self.wiring not in WIRINGS:
            raise ValueError(
                f"wiring must be one of {list(WIRINGS)}; found {self.wiring!r}. Use "
                "one of these names."
            )
        model, given = WIRINGS[self.wiring], dict(self.wiring_params or {})
        known = model._own_parameters()
        unknown = [name for name in given if name not in known]
        if unknown:
            raise ValueError(
                f"wiring_params of {self.wiring!r} must be among {known}; found "
                f"{unknown}. Correct the names; what all models have, such as dropout, "
                "is a parameter of MultiTaskEstimator."
            )
        validate_parameter_constraints(
            merged_constraints(model), given, caller_name=f"wiring {self.wiring!r}"
        )
        return model(**given)

    def _learn_targets(self, y, classes=None) -> Targets:
        self._framed = hasattr(y, "columns")
        named, one_dimensional = named_columns(y, self.task_names)
        if self.task_types == "auto":
            types = {
                name: infer_type(column, self.missing_label)
                for name, column in named.items()
            }
        else:
            types = per_task("task_types", self.task_types, list(named))
        self.task_types_ = types
        columns = [
            self._learn_column(name, column, types[name])
            for name, column in named.items()
        ]
        return Targets(columns, one_dimensional)

    def _learn_column(self, name: str, column, kind: str) -> TargetColumn:
        if kind in _NUMBERS:
            return NumberColumn.learn(name, column, self.missing_label, _NUMBERS[kind])
        if kind not in TASK_TYPES:
            raise ValueError(
                f"task_types must be 'auto' or of {list(TASK_TYPES)}; found {kind!r} "
                f"for task {name!r}. Use one of these."
            )
        learnt = ClassColumn.learn(name, column, self.missing_label)
        if kind == "binary" and len(learnt.classes) > 2:
            raise ValueError(
                f"Task {name!r} of type 'binary' must have two classes; found "
                f"{len(learnt.classes)}. Set its type to 'multiclass'."
            )
        return learnt

    def _make_structure(self, targets: Targets) -> Structure:
        return IndependentStructure([_output_of(column) for column in targets.columns])

    def _set_answers(self) -> None:
        super()._set_answers()
        self.classes_ = self._answer(self._targets.classes)


def infer_type(column, missing_label) -> str:
    """Return the type of a task by its labels: classes or numbers."""
    labels = plain_values(column[~is_missing(column, missing_label)])
    n_values = len(pd.unique(labels))
    numbers = labels.dtype.kind in "iuf"
    if numbers and (n_values > _MOST_CLASSES or (labels != np.floor(labels)).any()):
        return "regression"
    return "binary" if n_values <= 2 else "multiclass"


def _output_of(column: TargetColumn) -> TaskOutput:
    if isinstance(column, ClassColumn):
        return ClassOutput(len(column.classes))
    return number_output(column)

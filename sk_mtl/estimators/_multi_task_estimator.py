"""One network for tasks of different types."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pandas as pd

from sk_mtl._positive_class import pos_label_per_task
from sk_mtl.estimators._choices._loss import Loss
from sk_mtl.estimators._choices._wiring_choice import (
    WiringChoice,
    resolve_wiring,
)
from sk_mtl.estimators._class_tasks import ClassTasks
from sk_mtl.estimators._documentation import share_documentation
from sk_mtl.estimators._fit_state import FitState
from sk_mtl.estimators._multi_task_model import MultiTaskModel
from sk_mtl.estimators._regressor import NumberTasks
from sk_mtl.estimators._targets._class_column import ClassColumn
from sk_mtl.estimators._targets._number_column import NumberColumn
from sk_mtl.estimators._targets._target_column import TargetColumn
from sk_mtl.estimators._targets._targets import (
    Targets,
    classes_by_task,
    named_columns,
)
from sk_mtl.estimators._task_types import (
    TaskType,
    resolve_task_types,
    types_by_classes,
)
from sk_mtl.losses import IndependentStructure, Structure, TaskOutput


@share_documentation
@dataclass(kw_only=True, eq=False, repr=False)
class MultiTaskEstimator(ClassTasks, NumberTasks, MultiTaskModel):
    """One network for tasks of different types: classes and numbers together.

    Each column of `y` is a task of its own type: whether a user clicks, how much is
    spent, which segment it is. `wiring` chooses the network of any model of the
    package, and each type has its loss. Numbers are standardised inside, so that no
    task dominates the others, and predicted in their own units.

    ============== ===================== ======================== ==================
    type           what y holds          `predict`                `predict_proba`
    ============== ===================== ======================== ==================
    ``binary``     two classes           the likelier class       (n_samples, 2)
    ``multiclass`` several classes       the likeliest class      (n_samples,
                                                                  n_classes)
    ``regression`` numbers               the mean, or by its      None
                                         `loss` the median
    ``poisson``    counts, >= 0          the mean                 None
    ``gamma``      positive numbers      the mean                 None
    ``ziln``       many zeros and a few  the mean; the chance of  None
                   large numbers         a positive number is
                                         `predict_proba_positive`
    ============== ===================== ======================== ==================

    Parameters
    ----------
    wiring : str or WiringChoice, default="mmoe"
        The model, by the name of its wiring: ``"single_task"``, ``"shared_bottom"``,
        ``"omoe"``, ``"mmoe"``, ``"cross_stitch"``, ``"snr"``, ``"cgc"``, ``"ple"``,
        ``"stem"``, ``"adatt"``, ``"home"`` or another; or an object with the parameters
        of that model, such as ``PLE(n_levels=3)``, or an object of your own class
        (`WiringChoice`). A name takes the defaults. Parameters that all models share
        keep this estimator's values: ``wiring="home"`` does not set the ``activation``
        of `HoMEClassifier`.

    task_types : "auto", str, list or dict, default="auto"
        The type of each task: one for all, a list with one per task, or a dict by task
        name. ``"auto"``, which also applies to tasks that a dict leaves out, follows
        the task's `loss` if it names one, and otherwise the labels: text, categories,
        booleans and whole numbers of at most 20 values are classes; all other numbers
        are ``"regression"``.

    loss : "auto", str, Loss or TaskOutput, or a list or dict of these, default="auto"
        The loss, by its name or as an object. Tasks of classes take the losses of
        classifiers, tasks of the type ``"regression"`` the losses of regressors; the
        other types of numbers take the loss of the same name. One for all tasks whose
        type it fits, a list with one per task, or a dict by task name. ``"auto"``,
        which also applies to tasks that a dict leaves out, is ``"log_loss"``,
        ``"squared_error"`` or the loss of the type's name.

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
        # Errors that name the task are raised where the values are resolved.
        "wiring": "no_validation",
        "loss": "no_validation",
        "task_types": [str, list, tuple, Mapping],
    }

    wiring: str | WiringChoice = "mmoe"
    task_types: str | Sequence[str] | Mapping[Hashable, str] = "auto"
    loss: str | Loss | TaskOutput | Sequence | Mapping = "auto"

    def predict(self, X):
        """Return the prediction of each task.

        Parameters
        ----------
        X : {DataFrame, array-like} of shape (n_samples, n_features)

        Returns
        -------
        predicted : DataFrame or ndarray of shape (n_samples,) or (n_samples, n_tasks)
            The likeliest class in its own type, or the mean in the target's own units;
            a DataFrame with one column per task if `y` was a DataFrame.
        """
        network = self.predictor_
        answers, targets = network.map_rows(X, network.answers), network.targets
        if not targets.framed:
            return network.decode(answers)
        columns = targets.decode_columns(answers)
        index = X.index if isinstance(X, pd.DataFrame) else None
        return pd.DataFrame(
            dict(zip(targets.task_names, columns, strict=True)), index=index
        )

    def _model(self) -> WiringChoice:
        return resolve_wiring(self.wiring)

    def _learn_targets(self, y, classes=None, weight=None) -> Targets:
        named, one_dimensional = named_columns(y, self.task_names, weight)
        given = classes_by_task(classes, list(named), one_dimensional)
        task_types = self.task_types
        if classes is not None:
            only = not isinstance(classes, Mapping)
            task_types = types_by_classes(task_types, given, list(named), only=only)
        types = resolve_task_types(named, task_types, self.loss, self.missing_label)
        positive = self._pos_labels(types)
        columns = [
            self._learn_column(name, column, types[name], own, positive[name])
            for (name, column), own in zip(named.items(), given, strict=True)
        ]
        kinds = {name: each.kind for name, each in types.items()}
        return Targets(columns, one_dimensional, hasattr(y, "columns"), kinds)

    def _pos_labels(self, types: dict[Hashable, TaskType]) -> dict[Hashable, Any]:
        """Return the positive label of each task, None where it is not named."""
        given = dict(zip(types, pos_label_per_task(self.pos_label, list(types))))
        if isinstance(self.pos_label, Mapping):
            wrong = [name for name in self.pos_label if not types[name].has_classes]
        else:
            wrong = [] if any(each.has_classes for each in types.values()) else [*types]
        if self.pos_label is not None and wrong:
            raise ValueError(
                "pos_label must be of tasks of classes; found that these hold numbers: "
                f"{wrong}. Leave them out."
            )
        return given

    def _learn_column(
        self, name: Hashable, column, task_type: TaskType, classes, pos_label
    ) -> TargetColumn:
        if not task_type.has_classes:
            if classes is not None:
                raise ValueError(
                    "classes must be of tasks of classes; found some for task "
                    f"{name!r}, which holds numbers. Leave it out, or change its entry "
                    "in task_types."
                )
            return NumberColumn.learn(name, column, self.missing_label, task_type.loss)
        learnt = ClassColumn.learn_or_given(
            name, column, classes, self.missing_label, pos_label, task_type.loss
        )
        if task_type.kind == "binary" and len(learnt.classes) > 2:
            raise ValueError(
                f"Task {name!r} of type 'binary' must have two classes; found "
                f"{len(learnt.classes)}. Set its type to 'multiclass'."
            )
        return learnt

    def _make_structure(self, targets: Targets) -> Structure:
        return IndependentStructure(targets.outputs)

    def _attributes_of(self, state: FitState) -> dict[str, Any]:
        attributes = super()._attributes_of(state)
        return {**attributes, "task_types_": state.targets.kinds}

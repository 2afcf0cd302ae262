"""Base of the multi-task classifiers: classes in, probabilities out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.metaestimators import available_if

from sk_mtl._relations import as_tuples
from sk_mtl.estimators._choices._loss import Loss
from sk_mtl.estimators._class_structures import (
    check_structure,
    is_funnel,
    make_class_structure,
)
from sk_mtl.estimators._class_tasks import ClassTasks
from sk_mtl.estimators._multi_task_model import MultiTaskModel
from sk_mtl.estimators._rows._funnel_labels import (
    check_funnel,
    complete_funnel,
    warn_open_steps,
)
from sk_mtl.estimators._rows._labelled_rows import LabelledRows
from sk_mtl.estimators._targets._targets import Targets, learn_classes
from sk_mtl.losses import FunnelStructure, Structure, TaskOutput


def _is_funnel(estimator: MultiTaskClassifier) -> bool:
    structure = estimator._setting("structure")
    if not is_funnel(structure):
        raise AttributeError(
            "predict_conditional_proba needs steps that build on each other; found "
            f"structure={structure!r}. Fit with structure='funnel', or with a dict of "
            "steps."
        )
    return True


@dataclass(kw_only=True, eq=False, repr=False)
class MultiTaskClassifier(ClassifierMixin, ClassTasks, MultiTaskModel):
    """Base of the multi-task classifiers: one network, one probability per task.

    Parameters
    ----------
    structure : {"independent", "funnel"} or dict, default="independent"
        Meaning of the columns of `y`. ``"independent"``: each is a task of its own.
        ``"funnel"``: column k holds whether step k was reached, which requires step
        k - 1; the probability of step k is the product of the conditional
        probabilities up to k, and every step is trained on all rows. A dict is a funnel
        that is not a chain: it maps a step to the step that it builds on, such as
        ``{"buy": "click", "like": "click"}``, and steps left out build on no other.
        With text labels, set `pos_label` to the label that means "reached".

    loss : str, Loss or TaskOutput, or a list or dict of these, default="log_loss"
        The loss: ``"log_loss"``, ``"focal"``, or an object with settings,
        `CrossEntropy` or `Focal`, or a loss of your own. One for all tasks, a list
        with one per task, or a dict by task name; tasks left out take ``"log_loss"``.

    Attributes
    ----------
    classes_ : list of ndarray, or ndarray
        The sorted classes of each task; a single array if `y` was 1-d.
    """

    _parameter_constraints: ClassVar[dict] = {
        # Errors that name the task are raised once the tasks are known.
        "structure": "no_validation",
        "loss": "no_validation",
    }

    _structures: ClassVar[tuple[str, ...]] = ("independent", "funnel")

    structure: str | Mapping = "independent"
    loss: str | Loss | TaskOutput | Sequence | Mapping = "log_loss"

    # The mixin's own score does not handle missing labels.
    score = MultiTaskModel.score

    @available_if(_is_funnel)
    def predict_conditional_proba(self, X):
        """Return the probability of each step, given that the one before was reached.

        With click and conversion these are the click-through rate (CTR) and the
        conversion rate (CVR) of every row, clicked or not.

        Parameters
        ----------
        X : {DataFrame, array-like} of shape (n_samples, n_features)

        Returns
        -------
        proba : list of ndarray of shape (n_samples, 2)
            One array per step, as from `predict_proba`.
        """
        network = self.predictor_

        def proba(logits: np.ndarray) -> list[np.ndarray]:
            return network.probabilities(network.conditional_answers(logits))

        return network.targets.as_given(network.map_rows(X, proba))

    def __sklearn_tags__(self):
        """Return scikit-learn's tags of the estimator."""
        tags = super().__sklearn_tags__()
        # The steps of every structure have two classes.
        tags.classifier_tags.multi_class = self._setting("structure") == "independent"
        return tags

    def _learn_targets(self, y, classes=None, weight=None) -> Targets:
        return learn_classes(
            y,
            task_names=self.task_names,
            missing_label=self.missing_label,
            loss=self.loss,
            classes=classes,
            weight=weight,
            pos_label=self.pos_label,
        )

    def _make_structure(self, targets: Targets) -> Structure:
        check_structure(self.structure, self._structures, targets.task_names)
        return make_class_structure(self.structure, targets)

    def _check_labels(self, rows: LabelledRows, targets: Targets) -> None:
        super()._check_labels(rows, targets)
        parents = self._step_parents(targets)
        if parents is not None:
            warn_open_steps(targets, parents)
            check_funnel(rows.codes, targets.task_names, parents)

    def _complete_labels(
        self, rows: LabelledRows, targets: Targets, what: str = "y"
    ) -> LabelledRows:
        parents = self._step_parents(targets)
        if parents is None:
            return rows
        return complete_funnel(rows, targets.task_names, parents, what)

    def _step_parents(self, targets: Targets) -> list[tuple[int, ...]] | None:
        structure = self._make_structure(targets)
        if not isinstance(structure, FunnelStructure):
            return None
        return as_tuples(structure.parents)

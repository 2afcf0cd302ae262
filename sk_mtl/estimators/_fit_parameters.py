"""The parameters of a fit, and the parts of it that a kind of model decides."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from dataclasses import dataclass

from torch import nn

from sk_mtl.estimators._choices._wiring_choice import WiringChoice
from sk_mtl.estimators._rows._labelled_rows import LabelledRows
from sk_mtl.estimators._rows._training_rows import TrainingRows
from sk_mtl.estimators._shared_parameters import SharedParameters
from sk_mtl.estimators._targets._targets import Targets
from sk_mtl.losses import Structure


@dataclass(kw_only=True, eq=False, repr=False)
class FitParameters(SharedParameters, ABC):
    """Parameters, and the parts of a fit that follow from them and from y.

    A fit changes nothing here. A subclass defines the meaning of the columns of y, the
    meaning of the logits, and the network.
    """

    @abstractmethod
    def _learn_targets(self, y, classes=None, weight=None) -> Targets:
        """Return the tasks, learnt from the labels with a positive weight.

        `classes` may be given, as to `fit`.
        """

    @abstractmethod
    def _make_structure(self, targets: Targets) -> Structure:
        """Return the meaning of the logits."""

    @abstractmethod
    def _model(self) -> WiringChoice:
        """Return the model that makes the part of the network behind the encoder."""

    def _answering_structure(self, structure: Structure, targets: Targets) -> Structure:
        """Return the structure that answers, given the one that was trained."""
        return structure

    def _step_parents(self, targets: Targets) -> list[tuple[int, ...]] | None:
        """Return the steps that each step builds on; None where y holds no steps."""
        return None

    def _check_labels(self, rows: LabelledRows, targets: Targets) -> None:
        """Warn about labels that contradict the structure."""

    def _complete_labels(
        self, rows: LabelledRows, targets: Targets, what: str = "y"
    ) -> LabelledRows:
        """Return the rows, with labels filled in that follow from other labels."""
        return rows

    def _weight_rows(
        self, targets: Targets, train: LabelledRows, valid: LabelledRows | None
    ) -> tuple[LabelledRows, LabelledRows | None]:
        """Return training and validation rows with the weights of their classes."""
        return train, valid

    def _warn_after_training(
        self,
        module: nn.Module,
        structure: Structure,
        targets: Targets,
        rows: TrainingRows,
    ) -> None:
        """Warn about problems that the trained network shows on the training rows."""

    def _without_callbacks(self) -> FitParameters:
        """Return a copy without callbacks, which may not be picklable."""
        new = copy.copy(self)
        new.callbacks = None
        return new

"""The objects of one call of `train`."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from sk_mtl.estimators._rows._fold_weights import FoldWeights
from sk_mtl.estimators._rows._tensor_table import TensorTable
from sk_mtl.estimators._training._control import TrainingControl
from sk_mtl.estimators._training._fit_tasks import FitTasks
from sk_mtl.estimators._training._progress import Progress
from sk_mtl.estimators._training._validation import Validation
from sk_mtl.losses import SoftTargets


@dataclass
class TrainingRun:
    """The validation, the control and the reporters of a training.

    Attributes
    ----------
    validation : Validation

    control : TrainingControl

    progress : Progress

    tasks : FitTasks or None

    weights : FoldWeights or None
        The weights of rows for each member, where members train on different rows.

    parameters : list of Parameter
        All weights of the network. Collecting them from its modules at every step would
        take a hundredth of a training.
    """

    validation: Validation
    control: TrainingControl
    progress: Progress
    tasks: FitTasks | None
    weights: FoldWeights | None
    parameters: list[nn.Parameter]

    def labels_of(
        self, batch: TensorTable
    ) -> tuple[Tensor, Tensor | None, SoftTargets | None]:
        """Return the arguments of the losses beside the logits."""
        return batch.labels if batch.fold is None else self.weights.labels_of(batch)

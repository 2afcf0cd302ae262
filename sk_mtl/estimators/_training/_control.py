"""The control of training: when it stops, and which weights are kept."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning
from torch import Tensor, nn

from sk_mtl._warnings import warn_user
from sk_mtl.estimators._training._averaging import WeightAverage
from sk_mtl.estimators._training._embedding_penalty import EmbeddingPenalty
from sk_mtl.estimators._training._evaluation import ADVICE
from sk_mtl.estimators._training._fit_clock import FitClock
from sk_mtl.estimators._training._member_rates import MemberRates
from sk_mtl.estimators._training._monitor import Monitor
from sk_mtl.estimators._training._schedules import StepRates


class NonFiniteLossError(ArithmeticError):
    """A loss of training or validation, or a gradient, became infinite or NaN.

    Parameters
    ----------
    what : str, default="the loss"
        The quantity that became so.
    """

    def __init__(self, what: str = "the loss") -> None:
        super().__init__(what)
        self.what = what


@dataclass
class TrainingControl:
    """Keeper of the best weights, which also sets the learning rate and stops training.

    Weights are kept as a copy in memory. For a table with sparse gradients the copy
    holds only the rows that training can change, since SparseAdam leaves the others
    unchanged: a log of a million rows with two million distinct users and items needs
    at most those two million rows, in a table of any size. A second copy exists only
    while a better epoch replaces the previous one.

    Attributes
    ----------
    monitor : Monitor or None
        The value computed on the validation rows. None without validation rows; the
        weights of the latest epoch are then kept.

    patience : int or None
        Number of epochs without an improvement of more than ``tol`` after which
        training stops. None never stops.

    tol : float
        The smallest improvement that counts.

    schedule : callable or None
        Called after each epoch with the score, or with None if there is no score.

    rows : dict of str to Tensor
        For each table with sparse gradients, by its name in the module's state: the
        sorted unique numbers of the rows that training can change, on the table's
        device. These are the rows that the training rows read, and the rows of unknown
        categories, which stand in for others. All other tensors are kept whole.

    average : WeightAverage or None
        The average of the weights, which is validated and kept.

    rates : StepRates or None
        Changes the learning rate from step to step.

    penalty : EmbeddingPenalty or None
        Adds gradients to the gradients of the losses.

    member_rates : MemberRates or None
        Takes each step with the rates of the members.

    clock : FitClock
        The time since the start of the fit, and its limit.

    is_cut : bool
        Whether the limit ended the latest epoch before its last batch.

    best_epoch : int
        The number of the epoch whose weights are kept, 0 before the first.

    best_score : float or None
        The monitored value of that epoch.
    """

    monitor: Monitor | None = None
    patience: int | None = None
    tol: float = 0.0
    schedule: Callable[[float | None], None] | None = None
    rows: Mapping[str, Tensor] = field(default_factory=dict, repr=False)
    average: WeightAverage | None = None
    rates: StepRates | None = None
    penalty: EmbeddingPenalty | None = None
    member_rates: MemberRates | None = None
    clock: FitClock = field(default_factory=FitClock)
    is_cut: bool = False
    best_epoch: int = 0
    best_score: float | None = None
    _weights: dict[str, Tensor] | None = field(default=None, repr=False)
    _reference: float | None = None
    _misses: int = 0

    def begin_epoch(self) -> None:
        """Restore the plain weights, from which training continues."""
        if self.average is not None:
            self.average.hide()

    def cut_epoch(self) -> bool:
        """Return whether an epoch must end before its next step."""
        self.is_cut = self.clock.is_over
        return self.is_cut

    def end_backward(self) -> None:
        """Complete the gradients of a step."""
        if self.penalty is not None:
            self.penalty.add_gradients()
        if self.member_rates is not None:
            self.member_rates.begin_step()

    def end_step(self) -> None:
        """Record the weights after a step."""
        if self.average is not None:
            self.average.update()

    def end_steps(self) -> None:
        """Load the weights that are validated and visible to callbacks."""
        if self.average is not None:
            self.average.show()

    def end_epoch(
        self,
        module: nn.Module,
        epoch: int,
        score: float | None,
        train_loss: float | None = None,
    ) -> bool:
        """Record an epoch; return whether training should stop.

        The learning rate follows the score, or the training loss without a score.
        """
        if score is not None and math.isnan(score) and self.best_epoch == 0:
            raise ValueError(
                "monitor must be defined on the validation rows; found that "
                f"{self.monitor.name!r} is NaN. Give validation rows with labels of "
                "every class of the monitored tasks, or set another monitor."
            )
        if self._is_better(score, self.best_score):
            self._keep(module, epoch, score)
        if self.schedule is not None:
            self.schedule(train_loss if score is None else score)
        return self._out_of_patience(score)

    @torch.no_grad()
    def restore(self, module: nn.Module) -> bool:
        """Load the kept weights into the module; return whether there were any."""
        if self._weights is None:
            return False
        for name, value in module.state_dict().items():
            kept = self._weights[name]
            if name in self.rows:
                value.index_copy_(0, self.rows[name], kept)
            else:
                value.copy_(kept)
        self._weights = None
        return True

    def end_training(self) -> None:
        """Restore the optimiser to its state without this control."""
        for hooks in (self.member_rates, self.rates):
            if hooks is not None:
                hooks.remove()

    def members(self, before: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return columns about each member, given the columns before the fit."""
        return dict(before)

    def _keep(self, module: nn.Module, epoch: int, score: float | None) -> None:
        weights = {k: self._copy(k, v) for k, v in module.state_dict().items()}
        if not all(map(_is_finite, weights.values())):
            raise NonFiniteLossError
        self._weights, self.best_epoch, self.best_score = weights, epoch, score

    def _copy(self, name: str, value: Tensor) -> Tensor:
        value = value.detach()
        if name in self.rows:
            return value.index_select(0, self.rows[name])
        return value.clone()

    def _is_better(self, score: float | None, than: float | None, by=0.0) -> bool:
        if score is None or than is None:
            return True
        gain = score - than if self.monitor.greater_is_better else than - score
        return gain > by

    def _out_of_patience(self, score: float | None) -> bool:
        if self.patience is None or score is None:
            return False
        if self._is_better(score, self._reference, self.tol):
            self._reference, self._misses = score, 0
        else:
            self._misses += 1
        return self._misses >= self.patience


def recover(control: TrainingControl, what: str, epoch: int) -> None:
    """Warn that training ended in an epoch; raise if no weights were kept before.

    `what` became NaN or infinite.
    """
    if control.best_epoch == 0:
        raise ValueError(
            f"{what.capitalize()} must stay finite; it became NaN or infinite in "
            f"epoch {epoch}, before any epoch was complete. {ADVICE}"
        )
    warn_user(
        f"Training stopped: {what} became NaN or infinite in epoch {epoch}. The "
        f"weights of epoch {control.best_epoch} are kept. {ADVICE}",
        ConvergenceWarning,
    )


def _is_finite(value: Tensor) -> bool:
    """Return whether all numbers are finite, without a temporary of their size.

    The smallest and the largest number are NaN if any number is NaN.
    """
    return value.numel() == 0 or all(bool(end.isfinite()) for end in value.aminmax())

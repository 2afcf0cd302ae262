"""The validation at the end of each epoch, of one network or of each member."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sk_mtl.estimators._rows._tensor_table import TensorTable
from sk_mtl.estimators._training._evaluation import EVALUATION_BATCH
from sk_mtl.estimators._training._history import EpochLosses, record_losses
from sk_mtl.estimators._training._member_selection import select_members
from sk_mtl.estimators._training._monitor import Monitor


class Validation:
    """The rows that decide when to stop, and the score of an epoch on them.

    Parameters
    ----------
    rows : TensorTable or None
        None without validation rows.

    monitor : Monitor or None
        The value that is the score. None computes the losses alone.
    """

    #: Whether the score is an array with the value of each member.
    by_member = False

    def __init__(self, rows: TensorTable | None, monitor: Monitor | None = None):
        self.rows, self.monitor = rows, monitor

    def score(self, net) -> Any:
        """Record the losses of the validation rows; return the monitored value."""
        logits = net.run_single_epoch(self.rows, False, "valid", net.validation_step)
        if self.monitor is None:
            return None
        score = self.monitor.score(net.history[-1], logits)
        net.history.record(self.monitor.name, score)
        return score


class MemberValidation(Validation):
    """Validation of an ensemble and of each of its members on the same rows.

    The losses and the value of the ensemble are recorded. The score is an array of
    shape (n_members,).
    """

    by_member = True

    def score(self, net) -> np.ndarray:
        """Record the losses of the ensemble; return the value of each member."""
        parts: list[Tensor] = []

        def step(batch: TensorTable, **_) -> dict[str, Tensor]:
            with torch.no_grad():
                logits = net.module_.member_logits(*batch.inputs)
                parts.append(logits)
                return net.validated(net.module_.average(logits), batch)

        joined = net.run_single_epoch(self.rows, False, "valid", step)
        value = self.monitor.score(net.history[-1], joined)
        net.history.record(self.monitor.name, value)
        return self._scores(net, torch.cat(parts, 1))

    def select(self, net) -> None:
        """Keep the members whose average is best on the validation rows."""
        with torch.no_grad():
            batches = self.rows.batches(EVALUATION_BATCH, shuffle=False)
            parts = [net.module_.member_logits(*batch.inputs) for batch in batches]
        logits = torch.cat(parts, 1)
        sign = -1 if self.monitor.greater_is_better else 1

        def loss_of(picks: Sequence[int]) -> float:
            combined = net.module_.combine(logits[list(picks)])
            return sign * float(self._scores(net, combined[None])[0])

        scores = sign * self._scores(net, logits)
        net.keep_members(select_members(scores, loss_of))

    def _scores(self, net, logits: Tensor) -> np.ndarray:
        """Return the value of each member, given (n_members, n, n_heads) logits."""
        rows = self.rows
        losses = net.criterion_.task_losses(logits, rows.y, rows.weight).double()
        losses = (losses * net.validation_scale(rows)).cpu().numpy()
        names = net.task_names
        return np.array(
            [
                self.monitor.score(_named(each, names), own)
                for each, own in zip(losses, logits, strict=True)
            ]
        )


class FoldValidation(Validation):
    """Validation of each member of an ensemble on its own fold.

    The recorded losses and the recorded value are means over the members. The score is
    an array of shape (n_members,).

    Parameters
    ----------
    rows : TensorTable
        The rows of all folds.

    monitors : sequence of Monitor
        One for each member, bound to the rows of its fold.
    """

    by_member = True

    def __init__(self, rows: TensorTable, monitors: Sequence[Monitor]):
        super().__init__(rows, monitors[0])
        self.monitors = monitors
        self._folds = [
            replace(rows.take(torch.nonzero(rows.fold == member).squeeze(1)), fold=None)
            for member in range(len(monitors))
        ]

    def score(self, net) -> np.ndarray:
        """Record the means over the members; return the value of each member."""
        means, scores = [], []
        for member, rows in enumerate(self._folds):
            losses, logits = self._run(net, member, rows)
            mean = losses.means(net.validation_scale(rows))
            named = _named(mean, net.task_names)
            means.append(mean)
            scores.append(self.monitors[member].score(named, logits))
        mean = np.array([_mean(each) for each in zip(*means, strict=True)])
        record_losses(net.history, "valid", net.task_names, mean)
        net.history.record(self.monitor.name, _mean(scores))
        return np.array(scores)

    def _run(self, net, member: int, rows: TensorTable) -> tuple[EpochLosses, Tensor]:
        def step(batch: TensorTable, **_) -> dict[str, Tensor]:
            with torch.no_grad():
                logits = net.module_.logits_of(member, *batch.inputs)
                return net.validated(logits, batch)

        return net.run_batches(rows, False, step)


def _named(losses: Sequence[float], task_names: Sequence) -> Mapping[str, float]:
    """Return the losses of tasks by the names of their columns in the history."""
    named = {f"valid_loss_{n}": float(v) for n, v in zip(task_names, losses)}
    return {**named, "valid_loss": _mean(losses)}


def _mean(values: Sequence[float]) -> float:
    """Return the mean of the numbers, NaN if there is none."""
    found = np.asarray(values, dtype=float)
    found = found[~np.isnan(found)]
    return float(found.mean()) if len(found) else float("nan")

"""The history of a fit: mean losses of its epochs, by task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from torch import Tensor

# skorch's marks of an epoch that was the best so far.
_MARKS = ("train_loss_best", "valid_loss_best")


class EpochLosses:
    """Sums of the losses of an epoch's batches, on the device until they are recorded.

    Attributes
    ----------
    total : Tensor of shape (n_tasks,)
        The sum over rows of each task's loss, in double precision.

    n_rows : int
        The number of these rows.
    """

    def __init__(self) -> None:
        self.total: Tensor | float = 0.0
        self.n_rows = 0
        self._others: dict[str, Tensor] = {}

    def add(self, step: Mapping, n_rows: int, *, training: bool) -> None:
        """Add the mean losses of a batch of `n_rows` rows."""
        self.total = self.total + step["task_losses"].double() * n_rows
        self.n_rows += n_rows
        if training:
            for name, mean in step["auxiliary"].items():
                before = self._others.get(name, 0.0)
                self._others[name] = before + mean.double() * n_rows

    @property
    def is_finite(self) -> bool:
        """True if the loss of every task is finite."""
        return bool(self.total.isfinite().all())

    def means(self, scale: Tensor | float = 1.0) -> list[float]:
        """Return the mean over rows of each task's loss, times a scale."""
        return (self.total / self.n_rows * scale).tolist()

    def record(
        self,
        history,
        prefix: str,
        task_names: Sequence,
        scale: Tensor | float = 1.0,
    ) -> None:
        """Record the mean over rows of each loss, and over tasks.

        Parameters
        ----------
        history : skorch.history.History
        prefix : {"train", "valid"}
        task_names : sequence
        scale : Tensor of shape (n_tasks,) or float, default=1.0
            Factor of the means of the tasks.
        """
        record_losses(history, prefix, task_names, self.means(scale))
        for name, total in self._others.items():
            history.record(f"train_{name}", total.item() / self.n_rows)


def record_losses(
    history, prefix: str, task_names: Sequence, means: Sequence[float]
) -> None:
    """Record the mean loss of each task, and the mean over tasks."""
    _record_mean(history, f"{prefix}_loss", float(np.nanmean(means)))
    for name, value in zip(task_names, means, strict=True):
        history.record(f"{prefix}_loss_{name}", float(value))


def _record_mean(history, name: str, value: float) -> None:
    earlier = [row[name] for row in history[:-1] if name in row]
    history.record(name, value)
    # skorch's own mark of a best epoch, which its `Checkpoint` reads.
    history.record(f"{name}_best", value < min(earlier, default=np.inf))


def history_frame(history) -> pd.DataFrame:
    """Return the history, one row per complete epoch, without the batches."""
    rows = [shown_epoch(row) for row in history if "seconds" in row]
    frame = pd.DataFrame(rows)
    first = ["epoch", "seconds", "train_loss", "valid_loss"]
    present = [name for name in first if name in frame]
    return frame[present + [name for name in frame if name not in present]]


def shown_epoch(row: Mapping) -> dict:
    """Return an epoch without its batches and marks, also if a task is named "best"."""
    return {
        name: value
        for name, value in row.items()
        if name != "batches" and not (name in _MARKS and isinstance(value, bool))
    }

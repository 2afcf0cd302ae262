"""What is watched on the validation rows to decide when to stop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from torch import Tensor

from sk_mtl.estimators._targets._targets import Targets
from sk_mtl.losses import Structure
from sk_mtl.metrics import (
    CLASS_METRICS,
    NUMBER_METRICS,
    TASK_METRICS,
    TaskMetric,
    task_metric,
)


@dataclass(frozen=True)
class Monitor:
    """One number per epoch, read off the losses or computed from the probabilities.

    Attributes
    ----------
    name : str
        The column of ``history_`` that holds it.

    metric : TaskMetric or None
        None where the number is one of the losses.

    tasks : list of int
        The tasks whose mean it is.
    """

    name: str
    metric: TaskMetric | None
    tasks: list[int] = field(default_factory=list)
    _rows: ValidationRows | None = None

    @property
    def greater_is_better(self) -> bool:
        """Whether a larger number is better."""
        return self.metric is not None and self.metric.greater_is_better

    def watching(self, rows: ValidationRows) -> Monitor:
        """Return the monitor, bound to the validation rows."""
        return replace(self, _rows=rows)

    def score(self, losses: Mapping[str, float], logits: Tensor) -> float:
        """Return the number, given the epoch's losses and validation logits."""
        if self.metric is None:
            return losses[self.name]
        scores = [self._rows.score(self.metric, k, logits) for k in self.tasks]
        return float(np.nanmean(scores)) if not np.isnan(scores).all() else np.nan


@dataclass(frozen=True)
class ValidationRows:
    """The labels, in their own type, that a metric compares with probabilities."""

    targets: Targets
    structure: Structure
    codes: np.ndarray
    weight: np.ndarray | None

    def score(self, metric: TaskMetric, k: int, logits: Tensor) -> float:
        """Return a metric of task k."""
        answers = self.structure.answers(logits)[k].cpu().numpy()
        labelled = ~np.isnan(self.codes[:, k])
        weight = None if self.weight is None else self.weight[labelled, k]
        column, codes = self.targets.columns[k], self.codes[labelled, k]
        return column.evaluate(metric, codes, answers[labelled], weight)


def resolve_monitor(monitor, targets: Targets) -> Monitor:
    """Return the monitor that a parameter means, or raise where it means none.

    Parameters
    ----------
    monitor : "valid_loss", task name, metric or (metric, task name)
        A metric is a name of `TASK_METRICS` or a callable ``f(y_true, y_proba)``.

    targets : Targets
    """
    names = targets.task_names
    if isinstance(monitor, str):
        if monitor == "valid_loss":
            return Monitor("valid_loss", None)
        if monitor in names:
            return Monitor(f"valid_loss_{monitor}", None)
        if monitor not in TASK_METRICS:
            raise ValueError(
                f"monitor must be 'valid_loss', one of the tasks {names}, one of the "
                f"metrics {_fitting_metrics(targets)}, a pair (metric, task) or a "
                f"callable; found {monitor!r}. Use one of these names."
            )
    if isinstance(monitor, tuple | list):
        return _resolve_pair(monitor, names)
    metric = task_metric(monitor)
    # A user's function may be called anything, "loss" included.
    kind = "valid_metric" if metric.name.startswith("loss") else "valid"
    return Monitor(f"{kind}_{metric.name}", metric, _tasks_of(metric, targets))


def _tasks_of(metric: TaskMetric, targets: Targets) -> list[int]:
    """Return the tasks that a metric can be the mean over, or raise."""
    kinds = ["number" if c is None else "class" for c in targets.classes]
    tasks = [k for k, kind in enumerate(kinds) if metric.kind in (None, kind)]
    if not tasks:
        # Raises in words.
        metric.of_kind(kinds[0], targets.task_names[0])
    return tasks


def _fitting_metrics(targets: Targets) -> list[str]:
    """Return the names of the metrics that some task of these has."""
    numbers = [classes is None for classes in targets.classes]
    return [
        *(CLASS_METRICS if not all(numbers) else ()),
        *(NUMBER_METRICS if any(numbers) else ()),
    ]


def _resolve_pair(pair, names: list[str]) -> Monitor:
    if len(pair) != 2 or pair[1] not in names:
        raise ValueError(
            f"monitor as a pair must be (metric, task) with a task of {names}; found "
            f"{tuple(pair)!r}. Use for instance ('roc_auc', {names[0]!r})."
        )
    metric = task_metric(pair[0])
    return Monitor(f"valid_{metric.name}_{pair[1]}", metric, [names.index(pair[1])])

"""What is watched on the validation rows to decide when to stop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from torch import Tensor

from sk_mtl.estimators._targets import ClassTargets
from sk_mtl.losses import Structure
from sk_mtl.metrics import TASK_METRICS, TaskMetric, task_metric


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

    targets: ClassTargets
    structure: Structure
    codes: np.ndarray
    weight: np.ndarray | None

    def score(self, metric: TaskMetric, k: int, logits: Tensor) -> float:
        """Return a metric of task k."""
        proba = self.structure.log_proba(logits)[k].exp().cpu().numpy()
        labelled = ~np.isnan(self.codes[:, k])
        classes = self.targets.classes[k]
        labels = classes[self.codes[labelled, k].astype(int)]
        weight = None if self.weight is None else self.weight[labelled, k]
        return metric(labels, proba[labelled], sample_weight=weight, classes=classes)


def resolve_monitor(monitor, targets: ClassTargets) -> Monitor:
    """Return the monitor that a parameter means, or raise where it means none.

    Parameters
    ----------
    monitor : "valid_loss", task name, metric or (metric, task name)
        A metric is a name of `TASK_METRICS` or a callable ``f(y_true, y_proba)``.

    targets : ClassTargets
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
                f"metrics {list(TASK_METRICS)}, a pair (metric, task) or a callable; "
                f"found {monitor!r}. Use one of these names."
            )
    if isinstance(monitor, tuple | list):
        return _resolve_pair(monitor, names)
    metric = task_metric(monitor)
    # A user's function may be called anything, "loss" included.
    kind = "valid_metric" if metric.name.startswith("loss") else "valid"
    return Monitor(f"{kind}_{metric.name}", metric, list(range(len(names))))


def _resolve_pair(pair, names: list[str]) -> Monitor:
    if len(pair) != 2 or pair[1] not in names:
        raise ValueError(
            f"monitor as a pair must be (metric, task) with a task of {names}; found "
            f"{tuple(pair)!r}. Use for instance ('roc_auc', {names[0]!r})."
        )
    metric = task_metric(pair[0])
    return Monitor(f"valid_{metric.name}_{pair[1]}", metric, [names.index(pair[1])])

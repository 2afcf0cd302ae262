"""The value on the validation rows that decides when to stop."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from numbers import Integral
from typing import Any

import numpy as np
from torch import Tensor

from sk_mtl._positive_class import (
    is_conventional,
    pos_label_per_task,
    positive_position,
    warn_positive_class,
)
from sk_mtl._task_names import find_task, is_task, task_position
from sk_mtl.estimators._targets._targets import Targets
from sk_mtl.losses import Structure
from sk_mtl.metrics import (
    CLASS_METRICS,
    NUMBER_METRICS,
    TASK_METRICS,
    TaskMetric,
    TaskScorer,
    make_task_scorer,
    task_metric,
)
from sk_mtl.metrics._task_scorer import average_of_tasks


@dataclass(frozen=True)
class Monitor:
    """One number per epoch, taken from the losses or computed from the probabilities.

    Attributes
    ----------
    name : str
        The column of ``history_`` that holds it.

    metric : TaskMetric or None
        None if the number is one of the losses.

    tasks : list of int
        The tasks whose mean is monitored.

    average : {"mean", "min", "weighted"}
        Rule that combines the tasks' numbers, as in `make_task_scorer`.

    positive : dict of int to object
        The positive class of tasks for which the monitor names one.
    """

    name: str
    metric: TaskMetric | None
    tasks: list[int] = field(default_factory=list)
    average: str = "mean"
    positive: Mapping[int, Any] = field(default_factory=dict)
    _rows: ValidationRows | None = None

    @property
    def greater_is_better(self) -> bool:
        """True if a larger number is better."""
        return self.metric is not None and self.metric.greater_is_better

    def watching(self, rows: ValidationRows) -> Monitor:
        """Return the monitor, bound to the validation rows, or raise."""
        needs_groups = self.metric is not None and self.metric.needs_groups
        if needs_groups and rows.groups is None:
            raise ValueError(
                f"monitor={self.metric.name!r} ranks within groups and needs the "
                "groups of the validation rows; found none. Call fit(X, y, "
                "groups=...) without X_val, which has no groups."
            )
        return replace(self, _rows=rows)

    def score(self, losses: Mapping[str, float], logits: Tensor) -> float:
        """Return the number, given the epoch's losses and validation logits."""
        if self.metric is None:
            return losses[self.name]
        sign = 1 if self.greater_is_better else -1
        scores = [
            sign * self._rows.score(self.metric, k, logits, self.positive.get(k))
            for k in self.tasks
        ]
        totals = [self._rows.total(k) for k in self.tasks]
        return float(sign * average_of_tasks(scores, totals, self.average))


@dataclass(frozen=True)
class ValidationRows:
    """The labels, in their own type, that a metric compares with probabilities."""

    targets: Targets
    structure: Structure
    codes: np.ndarray
    weight: np.ndarray | None
    groups: np.ndarray | None = None

    def take(self, rows: np.ndarray) -> ValidationRows:
        """Return the labels of some rows."""
        weight = None if self.weight is None else self.weight[rows]
        groups = None if self.groups is None else self.groups[rows]
        return replace(self, codes=self.codes[rows], weight=weight, groups=groups)

    def total(self, k: int) -> float:
        """Return the weight of the labelled rows of task k."""
        labelled = ~np.isnan(self.codes[:, k])
        return float(
            labelled.sum() if self.weight is None else self.weight[labelled, k].sum()
        )

    def score(
        self, metric: TaskMetric, k: int, logits: Tensor, pos_label: Any = None
    ) -> float:
        """Return a metric of task k."""
        answers = self.structure.answers(logits)[k].cpu().numpy()
        labelled = ~np.isnan(self.codes[:, k])
        weight = None if self.weight is None else self.weight[labelled, k]
        groups = None if self.groups is None else self.groups[labelled]
        column, codes = self.targets.columns[k], self.codes[labelled, k]
        return column.evaluate(
            metric, codes, answers[labelled], weight, pos_label, groups
        )


def resolve_monitor(monitor, targets: Targets) -> Monitor:
    """Return the monitor that a parameter names, or raise.

    Parameters
    ----------
    monitor : "valid_loss", task name, metric, (metric, task) or TaskScorer
        The task of a pair is a name, or a position if no task has that name. A metric
        is a name that `task_metric` takes or a callable ``f(y_true, y_proba)``.

    targets : Targets
    """
    names = targets.task_names
    if isinstance(monitor, str) and monitor == "valid_loss":
        return Monitor("valid_loss", None)
    task = find_task(monitor, names)
    if task is not None:
        return Monitor(f"valid_loss_{names[task]}", None)
    if isinstance(monitor, str | Integral) and not _is_metric(monitor):
        raise ValueError(
            f"monitor must be 'valid_loss', one of the tasks {names}, one of the "
            f"metrics {_fitting_metrics(targets)}, a pair (metric, task) or a "
            f"callable; found {monitor!r}. Use one of these names."
        )
    if isinstance(monitor, tuple | list):
        monitor = _scorer_of_pair(monitor, names)
    if not isinstance(monitor, TaskScorer):
        monitor = make_task_scorer(_metric(monitor))
    return _resolve_scorer(monitor, targets)


def _is_metric(name) -> bool:
    """Return whether a name is one of a metric, with or without a setting."""
    return isinstance(name, str) and name.partition("@")[0] in TASK_METRICS


def _tasks_of(metric: TaskMetric, targets: Targets) -> list[int]:
    """Return the tasks over which a metric can be averaged, or raise."""
    kinds = _kinds(targets)
    tasks = [k for k, kind in enumerate(kinds) if metric.kind in (None, kind)]
    if not tasks:
        # Raises an error that names a remedy.
        metric.of_kind(kinds[0], targets.task_names[0])
    return tasks


def _kinds(targets: Targets) -> list[str]:
    return ["number" if c is None else "class" for c in targets.classes]


def _fitting_metrics(targets: Targets) -> list[str]:
    """Return the names of the metrics that at least one task has."""
    numbers = [classes is None for classes in targets.classes]
    return [
        *(CLASS_METRICS if not all(numbers) else ()),
        *(NUMBER_METRICS if any(numbers) else ()),
    ]


def _scorer_of_pair(pair, names: list) -> TaskScorer:
    if len(pair) != 2 or not is_task(pair[1], names):
        raise ValueError(
            f"monitor as a pair must be (metric, task) with a task of {names}; found "
            f"{tuple(pair)!r}. Use for instance ('roc_auc', {names[0]!r})."
        )
    metric, task = pair
    if isinstance(metric, TaskScorer):
        return make_task_scorer(metric.metric, task=task, pos_label=metric.pos_label)
    return make_task_scorer(_metric(metric), task=task)


def _metric(monitor) -> TaskMetric:
    try:
        return task_metric(monitor)
    except ValueError as error:
        raise ValueError(f"monitor must be a metric or the like: {error}") from None


def _resolve_scorer(scorer: TaskScorer, targets: Targets) -> Monitor:
    """Return the monitor of a scorer, with the scorer's tasks and average."""
    metric, names = scorer.metric, targets.task_names
    tasks = _tasks_of(metric, targets)
    if scorer.task is not None:
        tasks = [task_position(scorer.task, names)]
        metric.of_kind(_kinds(targets)[tasks[0]], names[tasks[0]])
    average = scorer.average or "mean"
    # A user's function may be called anything, "loss" included.
    parts = ["valid_metric" if metric.name.startswith("loss") else "valid", metric.name]
    parts += [str(names[tasks[0]])] if scorer.task is not None else []
    parts += [average] if average != "mean" else []
    return Monitor(
        "_".join(parts),
        metric,
        tasks,
        average,
        _positive_classes(metric, tasks, targets, scorer.pos_label),
    )


def _positive_classes(
    metric: TaskMetric, tasks: list[int], targets: Targets, pos_label
) -> dict[int, Any]:
    """Return the named positive classes; warn about missing ones."""
    given = pos_label_per_task(pos_label, targets.task_names)
    classes = {k: targets.classes[k] for k in tasks if targets.classes[k] is not None}
    named = {k: given[k] for k in classes if given[k] is not None}
    for k, label in named.items():
        positive_position(classes[k], label, targets.task_names[k])
    left_open = {
        targets.task_names[k]: found
        for k, found in classes.items()
        if k not in named
        and targets.columns[k].pos_label is None
        and len(found) == 2
        and not is_conventional(found)
    }
    if metric.is_asymmetric and left_open:
        what = f"monitor={metric.name!r} needs"
        warn_positive_class(what, left_open, only_task=targets.n_tasks == 1)
    return named


def refuse_monitors(callbacks: Iterable[tuple[str, Any]]) -> None:
    """Raise for callbacks that monitor the loss of validation rows without any."""
    for _, callback in callbacks:
        watched = getattr(callback, "monitor", None)
        if isinstance(watched, str) and watched.startswith("valid_loss"):
            raise ValueError(
                f"A callback that monitors {watched!r} needs rows that are held "
                f"out; found {type(callback).__name__} and none. Set "
                "early_stopping=True, give X_val and y_val to fit, or let the "
                f"callback monitor {watched.replace('valid', 'train')!r}."
            )

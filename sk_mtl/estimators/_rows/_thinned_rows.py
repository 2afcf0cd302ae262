"""Rows from which a share of the negatives of one task was dropped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from numbers import Real
from typing import Any

import numpy as np

from sk_mtl._positive_class import is_conventional, warn_positive_class
from sk_mtl._task_names import per_task
from sk_mtl.estimators._rows._labelled_rows import LabelledRows
from sk_mtl.estimators._targets._targets import Targets
from sk_mtl.losses import FunnelStructure, SequentialStructure, Structure, Thinning

_NAME = "negative_sampling_rate"


def resolve_thinning(
    value: Any, targets: Targets, structure: Structure
) -> Thinning | None:
    """Return which negatives the rows lack, or None if none, or raise.

    Parameters
    ----------
    value : float or dict
        The parameter.
    targets : Targets
    structure : Structure
        The structure that is trained.
    """
    rates = _rates(value, targets.task_names)
    thinned = {k: rate for k, rate in enumerate(rates) if rate != 1}
    if not thinned:
        return None
    names = targets.task_names
    if len(thinned) > 1:
        raise ValueError(
            f"{_NAME} must be of one task, as rows that are negative for two would be "
            f"dropped for either; found {[names[k] for k in thinned]}. Thin the "
            "negatives of one task."
        )
    ((task, rate),) = thinned.items()
    n_classes = getattr(targets.outputs[task], "n_classes", None)
    if n_classes != 2:
        found = "numbers" if n_classes is None else f"{n_classes} classes"
        raise ValueError(
            f"{_NAME} must be of a task with two classes; found {found} in "
            f"{names[task]!r}. Weight the rows by sample_weight instead."
        )
    lost = structure.uncorrectable_tasks(task)
    if lost:
        raise ValueError(
            f"{_NAME} must be of a task that is on the way to every other step, or "
            f"behind it; found {names[task]!r}, whose negatives do not determine the "
            f"probability of {[names[k] for k in lost]}. Thin the negatives of the "
            "first step."
        )
    return Thinning(task, rate)


def _rates(value: Any, names: list) -> list[float]:
    """Return the rate of each task."""
    if not isinstance(value, Mapping) and len(names) > 1:
        raise ValueError(
            f"{_NAME} must name the task whose negatives were thinned, one of {names}; "
            f"found {value!r}. Give for example {{{names[0]!r}: 0.2}}."
        )
    rates = per_task(
        _NAME,
        value,
        names,
        is_single=lambda each: not isinstance(each, Mapping),
        default=1.0,
        left_out="kept all rows",
    )
    for name, rate in zip(names, rates, strict=True):
        is_number = isinstance(rate, Real) and not isinstance(rate, bool)
        if not is_number or not 0 < rate <= 1:
            raise ValueError(
                f"{_NAME} must hold rates greater than 0 and at most 1; found {rate!r} "
                f"for {name!r}. Give the share of its negatives that was kept."
            )
    return [float(rate) for rate in rates]


def has_steps(structure: Structure) -> bool:
    """Return whether tasks are steps, all corrected in closed form."""
    return isinstance(structure, FunnelStructure | SequentialStructure)


def check_thinned_rows(
    thinning: Thinning, rows: LabelledRows, targets: Targets, structure: Structure
) -> None:
    """Raise for rows that cannot be corrected, and warn about an open class."""
    column = targets.columns[thinning.task]
    if rows.soft is not None:
        raise ValueError(
            f"{_NAME} must be None with soft_labels, which are probabilities of all "
            f"rows; found a rate for {column.name!r}. Fit without one of them."
        )
    unknown = np.isnan(rows.codes[:, thinning.task])
    unknown &= ~np.isnan(rows.codes).all(axis=1)
    if has_steps(structure) and unknown.any():
        raise ValueError(
            f"{_NAME} needs a label of step {column.name!r} in every row with labels, "
            f"as rows without one were not thinned; found {int(unknown.sum())} rows "
            "without. Drop them."
        )
    if column.pos_label is None and not is_conventional(column.classes):
        warn_positive_class(f"{_NAME} needs", {column.name: column.classes})


def weight_negatives(rows: LabelledRows, thinning: Thinning) -> LabelledRows:
    """Return rows in which kept negatives stand for all, in the other tasks.

    A row without a label of the thinned task was not thinned.
    """
    weight = np.ones(rows.codes.shape) if rows.weight is None else rows.weight.copy()
    factor = np.where(rows.codes[:, thinning.task] == 0, 1 / thinning.rate, 1.0)
    others = np.arange(rows.codes.shape[1]) != thinning.task
    weight[:, others] *= factor[:, None]
    return replace(rows, weight=weight)

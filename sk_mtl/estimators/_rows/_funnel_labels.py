"""Labels of the steps of a funnel: contradictions, and labels that can be filled in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from sk_mtl._positive_class import is_conventional, warn_positive_class
from sk_mtl._warnings import warn_user
from sk_mtl.estimators._rows._labelled_rows import LabelledRows
from sk_mtl.estimators._targets._targets import Targets
from sk_mtl.exceptions import FunnelWarning


def warn_open_steps(targets: Targets, parents: Sequence[Sequence[int]]) -> None:
    """Warn about steps without a named label that means "reached".

    A step that is not connected to any other is learnt the same either way.
    """
    related = {j for k, on in enumerate(parents) for j in (k, *on) if on}
    left_open = {
        column.name: column.classes
        for k, column in enumerate(targets.columns)
        if k in related
        and column.pos_label is None
        and not is_conventional(column.classes)
    }
    if left_open:
        what = "A funnel, in which the positive class means that a step was reached, "
        warn_positive_class(what + "needs", left_open, only_task=False)


def check_funnel(
    codes: np.ndarray, names: Sequence[str], parents: Sequence[Sequence[int]]
) -> None:
    """Warn about rows in which a step was reached without the one that it builds on.

    `parents` are the positions of the steps that each step builds on directly.
    """
    broken = np.zeros(len(codes), dtype=bool)
    for k, on in enumerate(ancestors_of(parents)):
        broken |= (codes[:, k] == 1) & (codes[:, on] == 0).any(axis=1)
    if broken.any():
        warn_user(
            f"The columns of y must be the steps of a funnel, {list(names)}, "
            "each reached only after the one before it; found "
            f"{broken.mean():.1%} of the rows with a later step and not the earlier. "
            "Fix the labels, or use a classifier with structure='independent' for "
            "tasks that do not build on each other.",
            FunnelWarning,
        )


def complete_funnel(
    rows: LabelledRows,
    names: Sequence[str],
    parents: Sequence[Sequence[int]],
    what: str = "y",
) -> LabelledRows:
    """Return the rows with label 0 for steps that were out of reach.

    If an earlier step was not reached, the later one was not reached either. The label
    that is filled in takes the weight of the earlier label, unless it has its own.

    A step whose labels are missing in rows that reached it is not filled in. Its labels
    are not yet known, for instance because a conversion may still come, and zeros in
    the rows that did not reach it would leave only failures of that time.
    """
    ancestors = ancestors_of(parents)
    unknown = _unknown_shares(rows.codes, ancestors)
    _warn_unknown(dict(zip(names, unknown, strict=True)), what)
    codes = rows.codes.copy()
    weight = None if rows.weight is None else rows.weight.copy()
    for k, on in enumerate(ancestors):
        known_zero = rows.codes[:, on] == 0
        filled = np.isnan(codes[:, k]) & known_zero.any(axis=1)
        if unknown[k] or not filled.any():
            continue
        codes[filled, k] = 0.0
        if weight is not None:
            inherited = np.where(known_zero, rows.weight[:, on], 0.0).max(axis=1)
            filled &= weight[:, k] == 0
            weight[filled, k] = inherited[filled]
    return replace(rows, codes=codes, weight=weight)


def ancestors_of(parents: Sequence[Sequence[int]]) -> list[list[int]]:
    """Return the positions of all steps on the way to each step."""

    def above(k: int) -> set[int]:
        return set(parents[k]).union(*map(above, parents[k]))

    return [sorted(above(k)) for k in range(len(parents))]


def _unknown_shares(codes: np.ndarray, ancestors: list[list[int]]) -> list[float]:
    """Return, per step, the share of unlabelled rows among those that reached it.

    A step that led to a later one was reached, with or without a label.
    """
    shares = []
    for k, on in enumerate(ancestors):
        later = [j for j, others in enumerate(ancestors) if k in others]
        reached = (codes[:, on] == 1).any(axis=1) & ~(codes[:, on] == 0).any(axis=1)
        unknown = np.isnan(codes[:, k]) & ~(codes[:, later] == 1).any(axis=1)
        shares.append(float(unknown[reached].mean()) if reached.any() else 0.0)
    return shares


def _warn_unknown(shares: dict[str, float], what: str) -> None:
    found = [f"{share:.1%} for {name!r}" for name, share in shares.items() if share]
    if found:
        warn_user(
            f"A step of a funnel must have a label in every row of {what} that reached "
            "the step before it, or in no row of that time, reached or not; found rows "
            f"that reached it without a label: {', '.join(found)}. Missing labels of "
            "these steps are treated as not yet known, and none is filled in with 0. "
            "Set the labels of all rows that are too recent to NaN or to weight 0, or "
            "the rates of these steps are biased.",
            FunnelWarning,
        )

"""Labels of the steps of a funnel: contradictions, and labels that can be filled in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from sk_mtl._funnel_codes import ancestors_of, fill_out_of_reach, unknown_shares
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

    Warn about a step whose labels are missing in rows that reached it, which is not
    filled in.
    """
    ancestors = ancestors_of(parents)
    unknown = unknown_shares(rows.codes, ancestors)
    _warn_unknown(dict(zip(names, unknown, strict=True)), what)
    codes, weight = fill_out_of_reach(rows.codes, rows.weight, ancestors, unknown)
    return replace(rows, codes=codes, weight=weight)


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

"""Labels of the steps of a funnel as numbers: 1 reached, 0 not reached, NaN unknown."""

from collections.abc import Sequence

import numpy as np


def ancestors_of(parents: Sequence[Sequence[int]]) -> list[list[int]]:
    """Return the positions of all steps on the way to each step.

    `parents` are the positions of the steps that each step builds on directly.
    """

    def above(k: int) -> set[int]:
        return set(parents[k]).union(*map(above, parents[k]))

    return [sorted(above(k)) for k in range(len(parents))]


def unknown_shares(codes: np.ndarray, ancestors: list[list[int]]) -> list[float]:
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


def fill_out_of_reach(
    codes: np.ndarray,
    weight: np.ndarray | None,
    ancestors: list[list[int]],
    unknown: list[float],
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return codes and weights with label 0 for steps that were out of reach.

    If an earlier step was not reached, the later one was not reached either. The label
    that is filled in takes the weight of the earlier label, unless it has its own.

    Parameters
    ----------
    codes : ndarray of shape (n_samples, n_steps)

    weight : ndarray of shape (n_samples, n_steps) or None

    ancestors : list of list of int
        From `ancestors_of`.

    unknown : list of float
        From `unknown_shares`. A step with unknown labels is not filled in. Its labels
        are not yet known, for instance because a conversion may still come, and zeros
        in the rows that did not reach it would leave only failures of that time.
    """
    filled = codes.copy()
    weight = None if weight is None else weight.copy()
    own_weight = None if weight is None else weight.copy()
    for k, on in enumerate(ancestors):
        known_zero = codes[:, on] == 0
        fills = np.isnan(codes[:, k]) & known_zero.any(axis=1)
        if unknown[k] or not fills.any():
            continue
        filled[fills, k] = 0.0
        if weight is not None:
            inherited = np.where(known_zero, own_weight[:, on], 0.0).max(axis=1)
            fills &= weight[:, k] == 0
            weight[fills, k] = inherited[fills]
    return filled, weight

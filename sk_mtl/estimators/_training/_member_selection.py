"""The choice of the members of an ensemble that are averaged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

# The mean of a few good members is a start that validation rows cannot have picked by
# chance alone.
_N_START = 3
_MOST_PICKS = 12
# A single member that is best on few rows by chance must not outweigh all others.
_MOST_REPEATS = 3


def select_members(
    scores: Sequence[float], evaluate: Callable[[Sequence[int]], float]
) -> np.ndarray:
    """Return how often each member is in the average; for most it is 0.

    Greedy selection with replacement [1]_: the average starts with the best few
    members, and the member whose addition improves it most is added again and again,
    until none improves it. A member that is added twice has twice the weight. The
    start, and the limits of steps and repeats, keep the choice from fitting the
    validation rows too closely.

    Parameters
    ----------
    scores : sequence of float
        The loss of each member by itself.

    evaluate : callable
        Maps members, some of them several times, to the loss of their average.

    References
    ----------
    .. [1] Caruana, R., Niculescu-Mizil, A., Crew, G. and Ksikes, A. (2004). Ensemble
       selection from libraries of models. ICML.

    Examples
    --------
    Errors of opposite sign cancel; the fourth member helps nothing.

    >>> import numpy as np
    >>> from sk_mtl.estimators._training._member_selection import select_members
    >>> errors = np.array([1.0, -2.0, 1.0, 9.0])
    >>> select_members(errors**2, lambda picks: errors[picks].mean() ** 2)
    array([1, 1, 1, 0])
    """
    picks = np.argsort(scores, kind="stable")[:_N_START].tolist()
    best = evaluate(picks)
    while len(picks) < _MOST_PICKS:
        losses = {
            member: evaluate([*picks, member])
            for member in range(len(scores))
            if picks.count(member) < _MOST_REPEATS
        }
        chosen = min(losses, key=losses.get, default=None)
        if chosen is None or not losses[chosen] < best:
            break
        picks, best = [*picks, chosen], losses[chosen]
    counts = Counter(picks)
    return np.array([counts[k] for k in range(len(scores))])

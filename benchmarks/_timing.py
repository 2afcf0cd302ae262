"""The minimum of alternating runs: how every benchmark takes its seconds."""

import time
from collections.abc import Callable


def best_seconds(
    runs: dict[str, Callable[[], object]], n_rounds: int
) -> dict[str, float]:
    """Return the least seconds of each run, over rounds in which they take turns.

    A machine that others use slows down for a while and recovers. Runs that take turns
    meet the same weather, and the minimum is the round in which they met least of it.
    """
    best = dict.fromkeys(runs, float("inf"))
    for _ in range(n_rounds):
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            best[name] = min(best[name], time.perf_counter() - start)
    return best

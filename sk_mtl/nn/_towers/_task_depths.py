"""The depths of tasks in the graph of their relations."""

from collections.abc import Sequence

from sk_mtl._relations import order_tasks


def task_depths(relations: Sequence[Sequence[int]]) -> list[int]:
    """Return the number of tasks before each task on the longest path to it."""
    n_tasks = len(relations)
    for k, parents in enumerate(relations):
        unknown = [j for j in parents if j not in range(n_tasks)]
        if unknown or len(set(parents)) < len(parents):
            raise ValueError(
                f"relations must name tasks by their indices, 0 to {n_tasks - 1}, each "
                f"at most once; found {tuple(parents)} for task {k}. Correct the "
                "indices."
            )
    depths: dict[int, int] = {}
    for k in order_tasks("relations", dict(enumerate(relations))):
        depths[k] = 1 + max((depths[j] for j in relations[k]), default=-1)
    return [depths[k] for k in range(n_tasks)]

"""How far each task is from those that build on no other."""

from collections.abc import Sequence


def task_depths(relations: Sequence[Sequence[int]]) -> list[int]:
    """Return how many tasks stand before each on the longest path to it."""
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
    while len(depths) < n_tasks:
        left = [k for k in range(n_tasks) if k not in depths]
        ready = [k for k in left if depths.keys() >= set(relations[k])]
        if not ready:
            raise ValueError(
                "relations must not lead from a task back to itself; found "
                f"{_circle(relations, left)}. Drop one of these relations."
            )
        depth = 1 + max(depths.values(), default=-1)
        depths.update(dict.fromkeys(ready, depth))
    return [depths[k] for k in range(n_tasks)]


def _circle(relations: Sequence[Sequence[int]], left: list[int]) -> str:
    """Return a circle among tasks that each depend on another one of them."""
    path = [left[0]]
    while path[-1] not in path[:-1]:
        path.append(next(j for j in relations[path[-1]] if j in left))
    circle = path[path.index(path[-1]) :]
    return ", which depends on ".join(f"task {k}" for k in circle)

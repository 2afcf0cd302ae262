"""Tasks that come in groups."""

from collections import Counter
from collections.abc import Hashable, Sequence


def group_of_each_task(
    groups: Sequence[Sequence[Hashable]] | None, tasks: Sequence[Hashable]
) -> list[int]:
    """Return the group of each task, given the tasks of each group.

    None is one group of all tasks. Every task must be in exactly one group.

    Parameters
    ----------
    groups : sequence of sequences, or None
        Of names of tasks, or of their positions.

    tasks : sequence
        The names, or the range of the positions.

    Examples
    --------
    Tasks 0 and 2 are the first group, task 1 is the second.

    >>> from sk_mtl._task_groups import group_of_each_task
    >>> group_of_each_task([[0, 2], [1]], range(3))
    [0, 1, 0]
    >>> group_of_each_task([["like"], ["click", "buy"]], ["click", "like", "buy"])
    [1, 0, 1]
    """
    if groups is None:
        return [0] * len(tasks)
    groups = [list(group) for group in groups]
    counts = Counter(task for group in groups for task in group)
    faults = {
        "missing": [task for task in tasks if task not in counts],
        "more than once": [task for task, count in counts.items() if count > 1],
        "not a task": [task for task in counts if task not in tasks],
        "an empty group": [
            group for group, members in enumerate(groups) if not members
        ],
    }
    found = "; ".join(f"{fault}: {which}" for fault, which in faults.items() if which)
    if found:
        raise ValueError(
            f"groups must hold every task of {list(tasks)} in exactly one group; found "
            f"{groups} ({found}). Give each task one group, or None for one group of "
            "all tasks."
        )
    group_of = {task: index for index, group in enumerate(groups) for task in group}
    return [group_of[task] for task in tasks]

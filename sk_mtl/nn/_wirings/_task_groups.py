"""Tasks that come in groups."""

from collections import Counter
from collections.abc import Sequence


def group_of_each_task(
    groups: Sequence[Sequence[int]] | None, n_tasks: int
) -> list[int]:
    """Return the group of each task, given the tasks of each group.

    None is one group of all tasks. Every task must be in exactly one group.

    Examples
    --------
    Tasks 0 and 2 are the first group, task 1 is the second.

    >>> from sk_mtl.nn._wirings._task_groups import group_of_each_task
    >>> group_of_each_task([[0, 2], [1]], 3)
    [0, 1, 0]
    """
    if groups is None:
        return [0] * n_tasks
    groups = [list(group) for group in groups]
    counts = Counter(task for group in groups for task in group)
    faults = {
        "missing": [task for task in range(n_tasks) if task not in counts],
        "more than once": [task for task, count in counts.items() if count > 1],
        "not a task": [task for task in counts if task not in range(n_tasks)],
        "an empty group": [group for group, tasks in enumerate(groups) if not tasks],
    }
    found = "; ".join(f"{fault}: {which}" for fault, which in faults.items() if which)
    if found:
        raise ValueError(
            f"groups must hold every task, 0 to {n_tasks - 1}, in exactly one group; "
            f"found {groups} ({found}). Give each task one group, or None for one "
            "group of all tasks."
        )
    group_of = {task: index for index, group in enumerate(groups) for task in group}
    return [group_of[task] for task in range(n_tasks)]

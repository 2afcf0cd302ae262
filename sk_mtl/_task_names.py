"""Names of tasks: what columns are called, and what is given by these names.

A task is known by its column's own name, be it text, an integer or a tuple. Messages
and histories show a name as text, so names must differ as text, and columns are
matched by it.
"""

from collections.abc import Mapping
from numbers import Integral

import numpy as np

_REQUIRED = object()


def name_tasks(found, given, n_tasks, *, rename=False):
    """Return the names of the tasks.

    Parameters
    ----------
    found : list or None
        The columns' own names.
    given : array-like, str or None
        Names for columns that have none. A single text names one task.
    n_tasks : int
    rename : bool, default=False
        Whether columns may have names of their own that differ from the given ones.

    Returns
    -------
    names : list
        task_0, task_1 and so on where there are no others.
    """
    if given is None:
        return _default_names(n_tasks) if found is None else found
    given = own_names(given)
    check_names(given, "task_names")
    if len(given) != n_tasks:
        raise ValueError(
            f"task_names must hold one name per column of y; found {len(given)} names "
            f"{given} for {n_tasks} column(s). Name every column."
        )
    if found is None or _texts(found) == _texts(given):
        return given
    same = sorted(_texts(found)) == sorted(_texts(given))
    if same or not (rename or _are_numbered(found)):
        raise ValueError(
            f"task_names must agree with the columns of y; found {given} and {found}. "
            "Leave task_names=None where y carries its own names."
        )
    return given


def own_names(names):
    """Return names as a list in Python's own types."""
    if isinstance(names, str):
        return [names]
    if hasattr(names, "tolist"):
        return names.tolist()
    return [name.item() if isinstance(name, np.generic) else name for name in names]


def check_names(names, what):
    """Raise where two names are equal, as 1 and True, or read the same."""
    texts = _texts(names)
    alike = [
        name
        for name, text in zip(names, texts)
        if texts.count(text) > 1 or names.count(name) > 1
    ]
    if alike:
        raise ValueError(
            f"The task names in {what} must differ, also as text; found {alike}. "
            "Rename the columns."
        )


def column_order(found, wanted, what):
    """Return, for each wanted task, the position of its column.

    Parameters
    ----------
    found : list or None
        Names of the columns; None, or the numbers of a frame without names, take them
        as they stand.
    wanted : list
        Names of the tasks.
    what : str
        What holds the columns, for the error where the names differ.
    """
    if found is not None:
        texts, wanted_texts = _texts(found), _texts(wanted)
        if sorted(texts) == sorted(wanted_texts):
            return [texts.index(text) for text in wanted_texts]
        unnamed = _are_numbered(wanted) or wanted_texts == _default_names(len(wanted))
        if not (_are_numbered(found) or unnamed) or len(found) != len(wanted):
            raise ValueError(
                f"{what} must have the columns {wanted}, one per task; found {found}. "
                "Rename the columns, or give those that are missing."
            )
    return list(range(len(wanted)))


def task_position(task, names, parameter="task"):
    """Return the position of the task called `task`, or else at this position.

    Parameters
    ----------
    task : object
        The name of a task. An integer that no task is called is a position.
    names : list
        Names of the tasks.
    parameter : str, default="task"
        What gives the task, for the error.
    """
    position = find_task(task, names)
    if position is not None:
        return position
    if is_task(task, names):
        return int(task) % len(names)
    raise ValueError(
        f"{parameter} must be one of {names} or a position below {len(names)}; found "
        f"{task!r}. Use one of these names."
    )


def is_task(task, names):
    """Return whether `task` is the name of a task or, as an integer, a position."""
    is_position = isinstance(task, Integral) and -len(names) <= task < len(names)
    return is_position or find_task(task, names) is not None


def find_task(name, names):
    """Return the position of the task of this name, None where there is none."""
    try:
        return {own: k for k, own in enumerate(names)}.get(name)
    except TypeError:
        # A list or an array is no name.
        return None


def per_task(parameter, value, names, *, is_single, default=_REQUIRED, left_out=""):
    """Return a list with the value of a parameter for each task.

    Parameters
    ----------
    parameter : str
        Its name, for errors.
    value : object
        One value for all tasks, a sequence with one per task, or a dict by task name.
    names : list
        Names of the tasks.
    is_single : callable
        Whether a value is one for all tasks.
    default : object
        What a dict means for tasks that it leaves out. Without it, it must name all.
    left_out : str
        The same in words, such as "count 1".
    """
    if is_single(value):
        return [value] * len(names)
    if isinstance(value, Mapping):
        return _by_name(parameter, value, names, default, left_out)
    if len(value) != len(names):
        raise ValueError(
            f"{parameter} must hold one entry per task {names}; found {len(value)}: "
            f"{list(value)}. Give one per task, or a dict by task name."
        )
    return list(value)


def _by_name(parameter, value, names, default, left_out):
    unknown = [name for name in value if find_task(name, names) is None]
    missing = [name for name in names if name not in value]
    if default is _REQUIRED and (unknown or missing):
        raise ValueError(
            f"{parameter} must have one entry per task {names}; found {list(value)}, "
            f"which differs in {missing + unknown}. Name every task once."
        )
    if unknown:
        raise ValueError(
            f"{parameter} must be keyed by task names {names}; found {unknown}. "
            f"Correct the names; tasks left out {left_out}."
        )
    return [value.get(name, default) for name in names]


def _default_names(n_tasks):
    return [f"task_{k}" for k in range(n_tasks)]


def _are_numbered(names):
    """Return whether names only count the columns, as in a frame made of an array."""
    return _texts(names) == [str(k) for k in range(len(names))]


def _texts(names):
    return [str(name) for name in names]

"""The positive one of two classes: named by the caller, or taken with a warning."""

from collections.abc import Mapping

import numpy as np

from sk_mtl._labels import label_list
from sk_mtl._task_names import per_task
from sk_mtl._warnings import warn_user
from sk_mtl.exceptions import PositiveClassWarning

# In these pairs 1 is positive beyond doubt; True equals 1.
_CONVENTIONS = ({0, 1}, {-1, 1})


def is_conventional(classes):
    """Return whether the labels themselves show which of them is positive."""
    found = set(label_list(classes))
    return any(found <= convention for convention in _CONVENTIONS)


def pos_label_per_task(pos_label, names):
    """Return the positive label of each task, None where it is not named.

    Parameters
    ----------
    pos_label : label, dict of task name to label, or None
    names : list
        Names of the tasks.
    """
    if not isinstance(pos_label, Mapping):
        _check_one_label(pos_label)
    return per_task(
        "pos_label",
        pos_label,
        names,
        is_single=lambda value: not isinstance(value, Mapping),
        default=None,
        left_out="take the class that sorts last",
    )


def positive_position(classes, pos_label, task):
    """Return the position of the positive class: `pos_label`, or what sorts last.

    Parameters
    ----------
    classes : ndarray
        The classes of the task, in any order.
    pos_label : label or None
    task : str
        What the task is called in errors.
    """
    known = label_list(classes)
    if pos_label is None:
        return known.index(max(known))
    _check_one_label(pos_label)
    if len(known) != 2:
        raise ValueError(
            f"pos_label must be of a task of two classes; found {pos_label!r} for "
            f"{task!r} with the classes {known}. Give a dict that names tasks of two "
            "classes only, or score one class against the others."
        )
    if pos_label not in known:
        raise ValueError(
            f"pos_label must be one of the classes {known} of {task!r}; found "
            f"{pos_label!r}. Name one of them, or give a dict of task name to label."
        )
    return known.index(pos_label)


def _check_one_label(pos_label):
    if isinstance(pos_label, Mapping) or np.ndim(pos_label):
        raise ValueError(
            f"pos_label must be one label; found {pos_label!r}. Where tasks differ, "
            "functions of several tasks take a dict of task name to label."
        )


def warn_positive_class(what, classes_by_task, *, only_task=True):
    """Warn that the class that sorts last was taken for the positive one.

    Parameters
    ----------
    what : str
        What depends on it, with its verb, such as "A funnel needs".
    classes_by_task : dict of str to ndarray of shape (2,)
        The tasks whose labels leave it open.
    only_task : bool, default=True
        Whether there is no other task, which `pos_label` would be of as well.
    """
    found = {task: sorted(label_list(c)) for task, c in classes_by_task.items()}
    taken = {task: classes[1] for task, classes in found.items()}
    other = {task: classes[0] for task, classes in found.items()}
    if only_task:
        (taken,), (other,) = taken.values(), other.values()
    warn_user(
        f"{what} to know which of two classes is positive, and the labels do not say "
        f"it: found {found}. Taken as positive: {taken!r}, which sorts last. Set "
        f"pos_label={taken!r} to confirm it, or pos_label={other!r}.",
        PositiveClassWarning,
    )

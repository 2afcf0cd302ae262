"""Tasks whose positive class is open."""

import numpy as np

from sk_mtl._positive_class import warn_positive_class


def one_sided_tasks(y_proba, n_tasks):
    """Return for each task whether the probabilities are of one class only.

    Parameters
    ----------
    y_proba : list of n_tasks arrays, one array, or None
        As of :func:`task_scores`.
    n_tasks : int
    """
    if isinstance(y_proba, list | tuple) and any(
        hasattr(each, "__array__") and np.ndim(each) for each in y_proba
    ):
        return [np.ndim(proba) == 1 for proba in y_proba]
    return [np.ndim(y_proba) == (1 if n_tasks == 1 else 2)] * n_tasks


def warn_open_classes(metrics, rows):
    """Warn of metrics that depend on a positive class that nothing names.

    Parameters
    ----------
    metrics : list of TaskMetric
    rows : dict of str to ClassRows or NumberRows
        The rows of each task by its name.
    """
    open_rows = {
        task: each
        for task, each in rows.items()
        if each.kind == "class" and each.is_open
    }
    names, classes = [], {}
    for metric in metrics:
        found = {
            task: each.classes
            for task, each in open_rows.items()
            if metric.kind in (None, "class")
            and (each.one_sided or metric.is_asymmetric)
        }
        if found:
            names.append(metric.name)
            classes |= found
    if names:
        what = f"{' and '.join(names)} need{'s' * (len(names) == 1)}"
        warn_positive_class(what, classes, only_task=len(rows) == 1)

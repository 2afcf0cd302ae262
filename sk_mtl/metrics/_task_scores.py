"""Table of metrics, one row per task."""

import numpy as np
import pandas as pd

from sk_mtl.metrics._task_metric import task_metric
from sk_mtl.metrics._tasks import read_tasks, warn_undefined


def task_scores(
    y_true,
    y_proba,
    metrics=("roc_auc", "average_precision", "log_loss", "brier"),
    task_names=None,
    sample_weight=None,
    *,
    classes=None,
    missing_label=None,
):
    """Metrics of every task, each on the rows that have a label for it.

    Parameters
    ----------
    y_true : array-like or DataFrame of shape (n_samples,) or (n_samples, n_tasks)
        Labels of any type, one column per task. NaN, None and `missing_label` mean
        that the row has no label for the task; it is skipped for this task only.
    y_proba : list of n_tasks arrays, or one array
        What `predict_proba` returns: a list with an array of shape (n_samples,
        n_classes) per task, or a single such array for one task. The columns follow
        the sorted classes, as in the estimators' `classes_`. For one task also shape
        (n_samples,), and for several binary tasks also one array of shape (n_samples,
        n_tasks), with the probabilities of the second class.
    metrics : tuple of str or callable, default=("roc_auc", "average_precision", \
            "log_loss", "brier")
        Names or callables that :func:`task_metric` takes, or a single one of them.
    task_names : list of str, default=None
        Names of the rows of the table. None takes the columns of `y_true`, or task_0,
        task_1, ... where it has none.
    sample_weight : array-like of shape (n_samples,) or (n_samples, n_tasks), \
            default=None
        Rows of weight 0 count as not labelled.
    classes : list of array-like, or dict of task name to array-like, default=None
        Classes in the order of the probabilities' columns, needed where `y_true` does
        not hold all of them: usually the estimator's `classes_`. None takes the sorted
        labels; a task with two columns whose labels are 0 or 1 has the classes 0, 1.
    missing_label : object, default=None
        A label that stands for "no label", besides NaN and None.

    Returns
    -------
    scores : DataFrame of shape (n_tasks, n_metrics)
        Index `task`, one column per metric. A metric is NaN, with an
        `UndefinedMetricWarning`, where the labelled rows of a task do not define it,
        as the area under the ROC curve with one class.

    Examples
    --------
    Two tasks, the second one with a missing label and two thirds of its rows right.

    >>> import numpy as np, pandas as pd
    >>> from sk_mtl.metrics import task_scores
    >>> y = pd.DataFrame({"click": [0, 1, 1, 0], "like": ["no", "yes", "no", None]})
    >>> proba = np.array([[0.1, 0.2], [0.8, 0.4], [0.7, 0.1], [0.3, 0.5]])
    >>> task_scores(y, proba, metrics=("roc_auc", "accuracy")).round(3)
           roc_auc  accuracy
    task
    click      1.0     1.000
    like       1.0     0.667
    """
    if isinstance(metrics, str) or callable(metrics):
        metrics = (metrics,)
    metrics = [task_metric(metric) for metric in metrics]
    names, rows = read_tasks(
        y_true, y_proba, sample_weight, classes, task_names, missing_label
    )
    values = np.array([[metric.of_rows(r) for metric in metrics] for r in rows])
    for metric, column in zip(metrics, np.isnan(values).T, strict=True):
        if column.any():
            warn_undefined(metric.name, [n for n, nan in zip(names, column) if nan])
    return pd.DataFrame(
        values,
        index=pd.Index(names, name="task"),
        columns=[metric.name for metric in metrics],
    )

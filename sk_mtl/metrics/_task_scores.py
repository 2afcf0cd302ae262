"""Table of metrics, one row per task."""

import numpy as np
import pandas as pd

from sk_mtl._labels import read_labels
from sk_mtl.metrics._calibration_metrics import calibration_ratio
from sk_mtl.metrics._open_classes import warn_open_classes
from sk_mtl.metrics._read_tasks import read_tasks, warn_undefined
from sk_mtl.metrics._segments import read_segments, segment_frame
from sk_mtl.metrics._task_metric import task_metric

_DEFAULTS = {
    "class": ("roc_auc", "average_precision", "log_loss", "brier"),
    "number": ("r2", "root_mean_squared_error", "mean_absolute_error"),
}


def task_scores(
    y_true,
    y_proba=None,
    metrics=None,
    task_names=None,
    sample_weight=None,
    *,
    y_pred=None,
    classes=None,
    missing_label=None,
    pos_label=None,
    conditional=False,
    funnel=None,
    groups=None,
    by=None,
):
    """Compute metrics of every task, each on the rows that have a label for it.

    Parameters
    ----------
    y_true : array-like or DataFrame of shape (n_samples,) or (n_samples, n_tasks)
        Labels of any type, one column per task. NaN, None, masked entries and
        `missing_label` mean that the row has no label for the task; it is skipped for
        this task only.
    y_proba : list of n_tasks arrays, or one array, default=None
        What `predict_proba` returns: a list with an array of shape (n_samples,
        n_classes) per task, or a single such array for one task. The columns follow
        the sorted classes, as in the estimators' `classes_`. For one task also shape
        (n_samples,), and for several binary tasks also one array of shape (n_samples,
        n_tasks), with the probabilities of the positive class; a frame is read by the
        names of its columns. A dict holds the arrays by task. None in the place of a
        task means that it is a task of numbers; None for all of them, that all are.
        Labels, as `predict` returns them, are refused, and so are probabilities of one
        class that all are 0 or 1: give both classes.
    metrics : tuple of str or callable, default=None
        Names or callables that :func:`task_metric` takes, or a single one of them.
        None takes `"roc_auc"`, `"average_precision"`, `"log_loss"` and `"brier"` if
        there are tasks of classes, and `"r2"`, `"root_mean_squared_error"` and
        `"mean_absolute_error"` if there are tasks of numbers.
    task_names : list, default=None
        Names of the rows of the table. None takes the columns of `y_true`, or task_0,
        task_1, ... where it has none. Give the `task_names_` of the model whose
        probabilities these are, and a `y_true` with its columns in another order is
        refused.
    sample_weight : array-like of shape (n_samples,) or (n_samples, n_tasks), or dict, \
            default=None
        Rows of weight 0 count as not labelled. A frame is read by the names of its
        columns; a dict holds the weights of the rows by task, and tasks that it leaves
        out count 1.
    y_pred : array-like or DataFrame of shape (n_samples,) or (n_samples, n_tasks), \
            default=None
        What `predict` returns, needed where there are tasks of numbers. A frame is
        read by the names of its columns.
    classes : list of array-like, or dict of task name to array-like, default=None
        Classes in the order of the probabilities' columns, needed where `y_true` does
        not hold all of them: usually the estimator's `classes_`. None takes the sorted
        labels; a task with two columns whose labels are 0 or 1 has the classes 0, 1.
    missing_label : object, default=None
        A label that stands for "no label", besides NaN and None.
    pos_label : label, or dict of task name to label, default=None
        The positive one of two classes, for all tasks or by task. None takes 1 of 0 and
        1 or of -1 and 1, and of other labels the one that sorts last. That decides
        `"average_precision"`, and all metrics where `y_proba` holds the probability of
        one class only; there a `PositiveClassWarning` names the class. Tasks of more
        classes have no positive one.
    conditional : bool, default=False
        Whether `y_proba` holds conditional rates, as `predict_conditional_proba`
        returns them. Each step is then scored on the rows that reached the step that it
        builds on, such as a conversion rate on clicked rows; see
        :func:`conditional_roc_auc`.
    funnel : dict, default=None
        With `conditional`, maps the name of a step to the step that it builds on, such
        as ``{"like": "click", "buy": "click"}``; steps left out build on no other.
        None is the chain of the columns.
    groups : array-like of shape (n_samples,), default=None
        The group of each row, such as its user, for metrics that rank within groups.
    by : array-like of shape (n_samples,), default=None
        The segment of each row, such as ``X["device"]``. The table then has a row for
        all rows of a task, and one for each segment.

    Returns
    -------
    scores : DataFrame of shape (n_tasks, n_metrics)
        Index `task`, one column per metric. A metric is NaN, with an
        `UndefinedMetricWarning`, where the labelled rows of a task do not define it,
        as the area under the ROC curve with one class. Metrics of classes are NaN for
        tasks of numbers, and metrics of numbers for tasks of classes.

        With `by` the index has the levels `task` and segment, and the metrics follow
        three columns: `n_rows`, the labelled rows; `n_positive`, the positive ones of
        two classes; and `calibration_ratio`, the mean probability of the positive class
        divided by its share, or the mean prediction divided by the mean number. They
        are NaN for tasks of more classes. What a segment leaves undefined is NaN
        without a warning.

    Examples
    --------
    Two tasks, the second one with a missing label and two thirds of its rows right.

    >>> import numpy as np, pandas as pd
    >>> from sk_mtl.metrics import task_scores
    >>> y = pd.DataFrame({"click": [0, 1, 1, 0], "like": ["no", "yes", "no", None]})
    >>> proba = np.array([[0.1, 0.2], [0.8, 0.4], [0.7, 0.1], [0.3, 0.5]])
    >>> positive = {"like": "yes"}
    >>> metrics = ("roc_auc", "accuracy")
    >>> task_scores(y, proba, metrics, pos_label=positive).round(3)
           roc_auc  accuracy
    task
    click      1.0     1.000
    like       1.0     0.667

    Numbers are scored by what `predict` returns.

    >>> y = pd.DataFrame({"visits": [1, 2, 3], "spend": [0.0, 9.0, None]})
    >>> pred = np.array([[1.0, 3.0], [2.5, 6.0], [2.5, 1.0]])
    >>> task_scores(y, y_pred=pred, metrics=("r2", "mean_absolute_error")).round(3)
              r2  mean_absolute_error
    task
    visits  0.75                0.333
    spend   0.56                3.000

    The conversion rate is scored on the rows that were clicked.

    >>> y = pd.DataFrame({"click": [0, 1, 1, 1], "conversion": [0, 0, 1, 0]})
    >>> rates = np.array([[0.1, 0.9], [0.8, 0.4], [0.7, 0.6], [0.9, 0.7]])
    >>> task_scores(y, rates, metrics="roc_auc", conditional=True)
                roc_auc
    task
    click           1.0
    conversion      0.5

    Probabilities that are right on the whole may be wrong in each segment.

    >>> y = pd.Series([0, 1, 1, 1], name="click")
    >>> device = pd.Series(["web", "web", "app", "app"], name="device")
    >>> task_scores(y, [0.75, 0.75, 0.75, 0.75], "accuracy", by=device)
                    n_rows  n_positive  calibration_ratio  accuracy
    task  device
    click all rows       4           3               1.00      0.75
          app            2           2               0.75      1.00
          web            2           1               1.50      0.50
    """
    names, rows = read_tasks(
        y_true,
        y_proba,
        sample_weight,
        classes,
        task_names,
        missing_label,
        y_pred,
        pos_label,
        conditional,
        funnel,
        groups,
    )
    unanswered = [name for name, r in zip(names, rows) if r is None]
    if unanswered:
        raise ValueError(
            f"Tasks without probabilities must have predictions of numbers; found "
            f"neither for {unanswered}. Pass y_pred=model.predict(X), or the list of "
            "predict_proba as y_proba."
        )
    metrics = _metrics_for(metrics, names, rows)
    warn_open_classes(metrics, dict(zip(names, rows, strict=True)))
    values = np.array([[_value(metric, r) for metric in metrics] for r in rows])
    segments = (
        None
        if by is None
        else read_segments(by, read_labels(y_true, "y_true").n_samples)
    )
    for metric, column in zip(metrics, np.isnan(values).T, strict=True):
        undefined = [
            name
            for name, r, nan in zip(names, rows, column, strict=True)
            if nan and metric.kind in (None, r.kind)
        ]
        if undefined:
            warn_undefined(metric, undefined)
    if segments is not None:
        return _by_segment(names, rows, metrics, segments)
    return pd.DataFrame(
        values,
        index=pd.Index(names, name="task", tupleize_cols=False),
        columns=[metric.name for metric in metrics],
    )


def _by_segment(names, rows, metrics, segments):
    """Return the table with a row for each task and segment."""
    table = [
        (name, label, _segment_values(task.take(chosen), metrics))
        for name, task in zip(names, rows, strict=True)
        for label, chosen in segments.split(task.positions)
    ]
    return segment_frame(table, "task", segments)


def _segment_values(rows, metrics):
    labels = answers = None
    if rows.kind == "number":
        labels, answers = rows.labels, rows.answers
    elif rows.classes is not None and len(rows.classes) == 2:
        labels = rows.codes == rows.positive
        answers = rows.answers[:, rows.positive]
    ratio = (
        np.nan if labels is None else calibration_ratio(labels, answers, rows.weight)
    )
    is_binary = rows.kind == "class" and labels is not None
    return {
        "n_rows": len(rows.labels),
        "n_positive": int(labels.sum()) if is_binary else np.nan,
        "calibration_ratio": float(ratio),
        **{metric.name: _value(metric, rows) for metric in metrics},
    }


def _metrics_for(metrics, names, rows):
    """Return the metrics, each of which applies to some task."""
    kinds = [r.kind for r in rows]
    if metrics is None:
        known = [_DEFAULTS[kind] for kind in _DEFAULTS if kind in kinds]
        return [task_metric(name) for each in known for name in each]
    if isinstance(metrics, str) or callable(metrics):
        metrics = (metrics,)
    metrics = [task_metric(metric) for metric in metrics]
    for metric in metrics:
        if metric.kind not in (None, *kinds):
            metric.of_kind(kinds[0], names[0])
    return metrics


def _value(metric, rows):
    return metric.of_rows(rows) if metric.kind in (None, rows.kind) else np.nan

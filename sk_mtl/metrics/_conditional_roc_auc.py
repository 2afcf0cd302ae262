"""Area under the ROC curve of one step of a funnel, among the rows that got there."""

import numpy as np
from sklearn.exceptions import UndefinedMetricWarning

from sk_mtl._labels import read_labels
from sk_mtl._positive_class import pos_label_per_task, warn_positive_class
from sk_mtl._task_names import task_position
from sk_mtl._warnings import warn_user
from sk_mtl._weights import weight_columns
from sk_mtl.metrics._class_rows import class_rows
from sk_mtl.metrics._funnel_rows import FunnelRows
from sk_mtl.metrics._hard_labels import refuse_labels
from sk_mtl.metrics._probabilities import probability_list
from sk_mtl.metrics._task_metric import task_metric


def conditional_roc_auc(
    y, proba, step, sample_weight=None, *, funnel=None, pos_label=None
):
    """Compute the area under a step's ROC curve on rows that reached the step before.

    In the funnel impression, click, conversion, the conversion rate (CVR) is the
    probability of a conversion after a click, so its area under the ROC curve is taken
    on clicked rows: conversions against clicks without conversion. The first step is
    scored on all rows.

    Parameters
    ----------
    y : array-like or DataFrame of shape (n_samples, n_steps)
        One column per step, of two labels, one of which means "reached". A row whose
        label of the step, or of the step before, is missing does not count.
    proba : list of n_steps arrays, or one array
        The **conditional** probabilities: either the list that
        `predict_conditional_proba` returns, one array of shape (n_samples, 2) per step,
        from which the step's is taken; or the array of this step alone, of shape
        (n_samples,), of having reached it, or (n_samples, 2). The list of
        `predict_proba` holds probabilities of click *and* conversion; it is accepted,
        and ranks clicked rows by the product of both rates, which is another question.
    step : str or int
        Name of the column of y, or position of the step where no column is called
        so; 0 is the first one.
    sample_weight : array-like of shape (n_samples,), default=None
    funnel : dict, default=None
        Maps the name of a step to the name of the step that it builds on, such as
        ``{"like": "click", "buy": "click"}``. Steps left out build on no other. None is
        the chain of the columns.
    pos_label : label, or dict of step name to label, default=None
        The label that means "reached". None takes 1 of 0 and 1 or of -1 and 1, and of
        other labels the one that sorts last, with a `PositiveClassWarning`.

    Returns
    -------
    auc : float
        NaN, with an `UndefinedMetricWarning`, where the rows that reached the step
        before are all of one class.

    Examples
    --------
    Three rows were clicked, one of them converted. The first row was not clicked, so
    its high conversion rate is neither right nor wrong.

    >>> import pandas as pd
    >>> from sk_mtl.metrics import conditional_roc_auc
    >>> y = pd.DataFrame({"click": [0, 1, 1, 1], "conversion": [0, 0, 0, 1]})
    >>> conditional_roc_auc(y, [0.9, 0.1, 0.6, 0.4], step="conversion")
    0.5

    After a click users may like, buy, or both: a like is scored among the clicks, not
    among the purchases that stand before it.

    >>> y = pd.DataFrame({"click": [1, 1, 1], "buy": [0, 1, 0], "like": [1, 0, 0]})
    >>> tree = {"buy": "click", "like": "click"}
    >>> conditional_roc_auc(y, [0.9, 0.1, 0.2], step="like", funnel=tree)
    1.0
    """
    table = read_labels(y)
    columns, names, n_samples = table.columns, table.task_names(), table.n_samples
    k = task_position(step, names, "step")
    proba, one_sided = _proba_of_step(proba, k, names, n_samples)
    (weight,) = weight_columns(sample_weight, n_samples, [names[k]])
    pos_labels = pos_label_per_task(pos_label, names)
    funnel_rows = FunnelRows(columns, names, funnel, pos_labels)
    reached = funnel_rows.reached_before(k)
    rows = class_rows(
        columns[k],
        proba,
        reached.astype(float) if weight is None else weight * reached,
        funnel_rows.classes(k),
        name=names[k],
        pos_label=pos_labels[k],
        one_sided=one_sided,
    )
    left_open = funnel_rows.open_classes
    left_open |= {names[k]: rows.classes} if one_sided and rows.is_open else {}
    if left_open:
        warn_positive_class("conditional_roc_auc needs", left_open, only_task=False)
    value = task_metric("roc_auc").of_rows(rows)
    if np.isnan(value):
        warn_user(
            f"conditional_roc_auc is undefined and NaN for {names[k]!r}: the labelled "
            "rows that reached the step before do not hold both classes.",
            UndefinedMetricWarning,
        )
    return value


def _proba_of_step(proba, k, names, n_samples):
    """Return the probabilities of step k, and whether one class was given."""
    if isinstance(proba, (list, tuple)) and np.ndim(proba[0]) > 0:
        if len(proba) != len(names):
            raise ValueError(
                f"proba must hold one array per step {names}; found {len(proba)}. "
                "Pass the list of predict_conditional_proba, or the step's array."
            )
        proba = proba[k]
    if np.ndim(proba) > 2 or (np.ndim(proba) == 2 and np.shape(proba)[1] != 2):
        raise ValueError(
            f"proba of {names[k]!r} must have shape ({n_samples},) or ({n_samples}, 2);"
            f" found {np.shape(proba)}. Pass the step's own column."
        )
    refuse_labels(proba, 1, "proba")
    one_sided = np.ndim(proba) == 1
    (proba,) = probability_list(proba, [names[k]], n_samples)
    return proba, one_sided

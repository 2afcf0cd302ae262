"""Table of the steps of a funnel: their probabilities and their conditional rates."""

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_is_fitted

from sk_mtl._funnel_codes import ancestors_of, fill_out_of_reach, unknown_shares
from sk_mtl._labels import label_list
from sk_mtl._positive_class import warn_positive_class
from sk_mtl._relations import as_tuples, funnel_parents
from sk_mtl.metrics._calibration_metrics import calibration_ratio
from sk_mtl.metrics._class_rows import class_rows
from sk_mtl.metrics._fitted_tasks import FittedTasks, last_estimator, model_and_input
from sk_mtl.metrics._probabilities import probability_list
from sk_mtl.metrics._read_tasks import warn_undefined
from sk_mtl.metrics._segments import Segments, read_segments, segment_frame
from sk_mtl.metrics._task_metric import task_metric

_BOTH = np.array([0, 1])
# Smaller probabilities of the step before give no rate.
_LEAST = 1e-12


def funnel_scores(
    model,
    X,
    y,
    groups=None,
    *,
    by=None,
    sample_weight=None,
    pos_label=None,
    funnel=None,
):
    """Compute the scores of every step of a funnel, and of its conditional rate.

    A model of impressions, clicks and conversions answers two questions about a step.
    The probability of reaching it (CTR, CTCVR) is scored on all rows. Its conditional
    rate, given that the step before was reached (CVR), is scored on the rows that
    reached the step before; it is what `predict_conditional_proba` returns or, for
    models without this method, the quotient of two probabilities.

    Parameters
    ----------
    model : estimator
        Fitted; its tasks are the steps. Also a pipeline or a search.
    X : {DataFrame, array-like} of shape (n_samples, n_features)
    y : {DataFrame, array-like} of shape (n_samples, n_steps)
        One column per step, of two classes; missing labels are left out. As in `fit`, a
        missing label of a step counts as "not reached" where an earlier step was not
        reached and where all rows that reached the step before have a label.
    groups : array-like of shape (n_samples,), default=None
        The user of each row. Adds the area under the ROC curve within users (GAUC), as
        of :func:`grouped_roc_auc`.
    by : str, callable or array-like of shape (n_samples,), default=None
        Segments: the name of a column of X, a function that returns the segments of X,
        or an array or Series of them. The table then has a row for all rows of a step,
        and one for each segment.
    sample_weight : array-like of shape (n_samples,) or (n_samples, n_steps), \
            default=None
        Weights of rows, or of rows and steps. Counts are of rows, without weights.
    pos_label : label, or dict of step name to label, default=None
        The label that means "reached". None takes the one that the model was fitted
        with, else 1 of 0 and 1 or of -1 and 1, else the label that sorts last, with a
        `PositiveClassWarning`.
    funnel : dict, default=None
        Maps the name of a step to the step that it builds on, such as
        ``{"like": "click", "buy": "click"}``; steps left out build on no other. None
        takes the model's own, and for models without one the chain of the steps.

    Returns
    -------
    scores : DataFrame of shape (n_steps, n_columns)
        Index `step`; with `by`, also the segment. The columns are

        ======================= =====================================================
        ``n_rows``              rows with a label
        ``n_reached``           rows that reached the step
        ``roc_auc``             area under the ROC curve of the probability
        ``grouped_roc_auc``     the same within `groups`
        ``log_loss``            mean log-loss of the probability, in nats
        ``calibration_ratio``   mean probability divided by the share that reached it
        ``n_before``            rows that reached the step before, with a label
        ``rate_roc_auc``, ...   the four scores of the conditional rate, on these rows
        ======================= =====================================================

        For a first step both questions are the same. NaN where rows do not define a
        score, with an `UndefinedMetricWarning` for all rows and without for a segment.

    Raises
    ------
    NotFittedError
        If the model is not fitted.
    ValueError
        If a task does not have two classes, `by` names no column of X, or X and y
        differ in their number of rows.

    Examples
    --------
    >>> from sk_mtl import ESMMClassifier
    >>> from sk_mtl.datasets import make_conversion_funnel
    >>> from sk_mtl.metrics import funnel_scores
    >>> X, y, _ = make_conversion_funnel(2000, random_state=0)
    >>> model = ESMMClassifier(max_epochs=1, random_state=0).fit(X[:1000], y[:1000])
    >>> scores = funnel_scores(model, X[1000:], y[1000:], groups=X["user_id"][1000:])
    >>> scores[["n_rows", "n_reached", "n_before"]]
                n_rows  n_reached  n_before
    step
    click         1000        325      1000
    conversion    1000         93       325
    >>> bool(scores.loc["conversion", "rate_roc_auc"] > 0.5)
    True
    """
    check_is_fitted(model)
    tasks = FittedTasks(model, y)
    _check_steps(tasks)
    fitted, X_fitted = model_and_input(model, X)
    parents = _parents(fitted, funnel, tasks.names)
    codes, weight, positive, open_classes = tasks.steps(sample_weight, pos_label)
    if open_classes:
        warn_positive_class("funnel_scores needs", open_classes, only_task=False)
    ancestors = ancestors_of(as_tuples(parents))
    unknown = unknown_shares(codes, ancestors)
    codes, weight = fill_out_of_reach(codes, weight, ancestors, unknown)
    proba = _positive_columns(fitted.predict_proba(X_fitted), tasks.names, positive)
    if len(proba) != len(codes):
        raise ValueError(
            f"X and y must have as many rows; found {len(proba)} and {len(codes)}. "
            "Give the labels of the rows of X."
        )
    rates = _rates(fitted, X_fitted, proba, tasks.names, positive, parents)
    segments = None if by is None else read_segments(by, len(codes), X, has_X=True)
    metrics = [task_metric(name) for name in ("roc_auc", "log_loss")]
    if groups is not None:
        metrics.insert(1, task_metric("grouped_roc_auc"))
    rows = []
    for k, step in enumerate(tasks.names):
        before = codes[:, parents[k]] == 1 if parents[k] is not None else True
        columns = codes[:, k], np.where(before, codes[:, k], np.nan)
        own_weight = None if weight is None else weight[:, k]
        both = [
            class_rows(
                column,
                np.column_stack([1 - answer, answer]),
                own_weight,
                _BOTH,
                name=step,
                groups=groups,
            )
            for column, answer in zip(columns, (proba[:, k], rates[:, k]), strict=True)
        ]
        rows += _rows_of_step(step, *both, metrics, segments)
    if segments is not None:
        return segment_frame(rows, "step", segments)
    steps = pd.Index(tasks.names, name="step", tupleize_cols=False)
    return pd.DataFrame([values for _, _, values in rows], index=steps)


def _check_steps(tasks):
    wrong = {
        name: "numbers" if classes is None else label_list(classes)
        for name, classes in zip(tasks.names, tasks.classes, strict=True)
        if classes is None or len(classes) != 2
    }
    if wrong:
        raise ValueError(
            f"funnel_scores needs steps, tasks of two classes; found {wrong}. Score "
            "these tasks with task_scores."
        )


def _parents(fitted, funnel, names):
    """Return the position of the step that each step builds on, None for a first."""
    if funnel is not None:
        return funnel_parents("funnel", funnel, names)
    # A calibrated model holds the one that knows its steps.
    own = last_estimator(getattr(fitted, "estimator_", fitted))
    network = getattr(own, "predictor_", None)
    known = getattr(getattr(network, "structure", None), "parents", None)
    return [None, *range(len(names) - 1)] if known is None else list(known)


def _positive_columns(answers, names, positive):
    """Return the probabilities of "reached", of shape (n_samples, n_steps)."""
    answers = answers if isinstance(answers, list) else [answers]
    checked = probability_list(answers, names, len(answers[0]))
    pairs = zip(checked, positive, strict=True)
    return np.column_stack([proba[:, k] for proba, k in pairs])


def _rates(fitted, X, proba, names, positive, parents):
    """Return the conditional rates, of shape (n_samples, n_steps)."""
    if hasattr(fitted, "predict_conditional_proba"):
        return _positive_columns(fitted.predict_conditional_proba(X), names, positive)
    rates = proba.copy()
    for k, parent in enumerate(parents):
        if parent is not None:
            before = np.maximum(proba[:, parent], _LEAST)
            rates[:, k] = np.minimum(proba[:, k] / before, 1)
    return rates


def _rows_of_step(step, reached, rate, metrics, segments: Segments | None):
    """Return the rows of the table of one step, as (step, segment, values)."""
    _warn(step, reached, "", metrics)
    _warn(step, rate, "rate of ", metrics)
    if segments is None:
        return [(step, None, _values(reached, rate, metrics))]
    pairs = zip(segments.split(reached.positions), segments.split(rate.positions))
    return [
        (step, label, _values(reached.take(own), rate.take(before), metrics))
        for (label, own), (_, before) in pairs
    ]


def _values(reached, rate, metrics):
    return {
        "n_rows": len(reached.codes),
        "n_reached": int(reached.codes.sum()),
        **_scores(reached, "", metrics),
        "n_before": len(rate.codes),
        **_scores(rate, "rate_", metrics),
    }


def _scores(rows, prefix, metrics):
    values = {metric.name: metric.of_rows(rows) for metric in metrics}
    ratio = calibration_ratio(rows.codes, rows.answers[:, 1], rows.weight)
    values["calibration_ratio"] = float(ratio)
    return {f"{prefix}{name}": value for name, value in values.items()}


def _warn(step, rows, what, metrics):
    for metric in metrics:
        if np.isnan(metric.of_rows(rows)):
            warn_undefined(metric, [f"{what}{step}"])

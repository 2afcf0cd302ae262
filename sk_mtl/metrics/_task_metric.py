"""Metrics of one task, with the direction in which each of them is better."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score

from sk_mtl.metrics._inputs import (
    one_label_column,
    probability_list,
    weight_columns,
)
from sk_mtl.metrics._tasks import labelled_rows


@dataclass(frozen=True)
class TaskMetric:
    """A metric of one task that knows whether a greater value is better.

    Made by :func:`task_metric`. It reads labels of any type, skips missing ones and
    rows of weight 0, and returns NaN where the metric is undefined.

    Attributes
    ----------
    name : str
    greater_is_better : bool
    function : callable
        ``function(codes, proba, weight)`` on labelled rows, where codes are the
        positions of the labels among the classes; for a callable of the user's,
        the callable itself.
    sign : int
        -1 for the names that begin with ``neg_``.
    custom : bool
        Whether `function` was given by the user and so takes labels.
    """

    name: str
    greater_is_better: bool
    function: Callable
    sign: int = 1
    custom: bool = False

    def __call__(
        self, y_true, y_proba, sample_weight=None, classes=None, missing_label=None
    ):
        """Value of the metric on the labelled rows.

        Parameters
        ----------
        y_true : array-like of shape (n_samples,)
            Labels of one task; NaN, None and `missing_label` are skipped.
        y_proba : array of shape (n_samples, n_classes) or (n_samples,)
            Probabilities, columns in the order of `classes`; in one dimension, the
            probability of the second of two classes.
        sample_weight : array-like of shape (n_samples,), default=None
        classes : array-like of shape (n_classes,), default=None
            None takes the sorted labels of `y_true`.
        missing_label : object, default=None
            A label that stands for "no label", besides NaN and None.

        Returns
        -------
        value : float
            NaN where the metric is undefined.
        """
        column = one_label_column(y_true, "y_true")
        (proba,) = probability_list(y_proba, 1, len(column))
        (weight,) = weight_columns(sample_weight, 1, len(column))
        return self.of_rows(
            labelled_rows(column, proba, weight, classes, missing_label)
        )

    def of_rows(self, rows):
        """Value of the metric on `TaskRows`."""
        if not len(rows.labels):
            return float("nan")
        if self.custom:
            return float(self._custom_value(rows))
        if rows.classes is None:
            return float("nan")
        return float(self.sign * self.function(rows.codes, rows.proba, rows.weight))

    def _custom_value(self, rows):
        if rows.weight is None:
            return self.function(rows.labels, rows.proba)
        if not _takes_sample_weight(self.function):
            raise ValueError(
                f"The metric {self.name!r} must take sample_weight, because weights "
                "were given; found no such parameter. Add it, or pass no weights."
            )
        return self.function(rows.labels, rows.proba, sample_weight=rows.weight)

    def __repr__(self):
        direction = "greater" if self.greater_is_better else "less"
        return f"<task metric {self.name!r}, {direction} is better>"


def _takes_sample_weight(function):
    parameters = inspect.signature(function).parameters.values()
    return any(p.name == "sample_weight" or p.kind == p.VAR_KEYWORD for p in parameters)


def _one_vs_rest(score, codes, proba, weight, by_prevalence=False):
    """Binary score of the second class, or the mean over each class against the rest.

    A class that no row holds has no score of its own and is left out of the mean.
    """
    present = np.unique(codes)
    if len(present) < 2:
        return np.nan
    if proba.shape[1] == 2:
        return score(codes, proba[:, 1], sample_weight=weight)
    scores = [score(codes == k, proba[:, k], sample_weight=weight) for k in present]
    prevalence = np.bincount(codes, weight)[present] if by_prevalence else None
    return np.average(scores, weights=prevalence)


def _roc_auc(codes, proba, weight):
    return _one_vs_rest(roc_auc_score, codes, proba, weight)


def _roc_auc_ovr_weighted(codes, proba, weight):
    return _one_vs_rest(roc_auc_score, codes, proba, weight, by_prevalence=True)


def _average_precision(codes, proba, weight):
    return _one_vs_rest(average_precision_score, codes, proba, weight)


def _log_loss(codes, proba, weight):
    # The smallest probability that counts is scikit-learn's: the precision of the
    # probabilities' own dtype.
    eps = np.finfo(proba.dtype).eps
    own = np.clip(proba[np.arange(len(codes)), codes], eps, 1 - eps)
    return -np.average(np.log(own, dtype=np.float64), weights=weight)


def _brier(codes, proba, weight):
    if proba.shape[1] == 2:
        return np.average((codes - proba[:, 1].astype(np.float64)) ** 2, weights=weight)
    error = proba.astype(np.float64)
    error[np.arange(len(codes)), codes] -= 1
    return np.average((error**2).sum(axis=1), weights=weight)


def _accuracy(codes, proba, weight):
    return np.average(proba.argmax(axis=1) == codes, weights=weight)


_GAINS = {
    "roc_auc": _roc_auc,
    "roc_auc_ovr_weighted": _roc_auc_ovr_weighted,
    "average_precision": _average_precision,
    "accuracy": _accuracy,
}
_LOSSES = {"log_loss": _log_loss, "brier": _brier}

#: Names that :func:`task_metric` knows.
TASK_METRICS = (*_GAINS, *_LOSSES, *(f"neg_{name}" for name in _LOSSES))


def task_metric(metric, *, greater_is_better=None):
    """Metric of one task's labels and probabilities.

    Parameters
    ----------
    metric : str, callable or TaskMetric
        A name of the lists below, or a callable ``metric(y_true, y_proba)`` of
        the labelled rows: labels in their own type, and probabilities of shape
        (n_labelled, n_classes). It takes `sample_weight` as a third parameter if
        weights are to be used; with weights and without this parameter it raises.

        Of these, greater is better:

        - `"roc_auc"`: area under the ROC curve; with more than two classes, the mean
          over each class against the rest.
        - `"roc_auc_ovr_weighted"`: the same, each class weighted by its rows.
        - `"average_precision"`: area under the precision-recall curve as a sum of
          steps; with more than two classes, the mean over each class against the rest.
        - `"accuracy"`: share of rows whose likeliest class is the label.

        Of these, less is better:

        - `"log_loss"`: mean negative logarithm of the label's probability, in nats.
        - `"brier"`: mean squared error of the second class's probability, 0 to 1; with
          more than two classes, summed over the classes, 0 to 2.

        `"neg_log_loss"` and `"neg_brier"` are the losses with their sign changed, so
        that greater is better.
    greater_is_better : bool, default=None
        For a callable, whether a greater value is better. None reads the callable's
        own attribute `greater_is_better`, and takes True if there is none.

    Returns
    -------
    task_metric : TaskMetric
        Called as ``task_metric(y_true, y_proba, sample_weight=None, classes=None)``,
        with attributes `name` and `greater_is_better`.

    Examples
    --------
    The third row has no label and does not count.

    >>> from sk_mtl.metrics import task_metric
    >>> auc = task_metric("roc_auc")
    >>> auc([0, 1, None, 1], [0.2, 0.4, 0.1, 0.9])
    1.0
    >>> auc.greater_is_better, task_metric("log_loss").greater_is_better
    (True, False)
    """
    if isinstance(metric, TaskMetric):
        return metric
    if callable(metric):
        if greater_is_better is None:
            greater_is_better = getattr(metric, "greater_is_better", True)
        name = getattr(metric, "__name__", None) or type(metric).__name__
        return TaskMetric(name, bool(greater_is_better), metric, custom=True)
    if isinstance(metric, str) and metric in TASK_METRICS:
        loss = metric.removeprefix("neg_")
        if loss not in _LOSSES:
            return TaskMetric(metric, True, _GAINS[metric])
        sign = 1 if metric == loss else -1
        return TaskMetric(metric, sign < 0, _LOSSES[loss], sign)
    raise ValueError(
        f"metric must be one of {list(TASK_METRICS)} or a callable metric(y_true, "
        f"y_proba); found {metric!r}. Use one of these names."
    )

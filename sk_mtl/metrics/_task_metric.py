"""Metrics of one task, with the direction in which each of them is better."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from sk_mtl._close_names import did_you_mean
from sk_mtl._labels import one_label_column
from sk_mtl._weights import weight_columns
from sk_mtl.metrics._callables import (
    check_callable,
    is_gain,
    metric_kind,
    metric_name,
    own_name,
)
from sk_mtl.metrics._class_rows import class_rows
from sk_mtl.metrics._hard_labels import refuse_labels
from sk_mtl.metrics._named_metrics import (
    CLASS_METRICS,
    NUMBER_METRICS,
    TASK_METRICS,
    is_asymmetric,
    is_grouped,
    is_of_decisions,
    named_metric,
)
from sk_mtl.metrics._number_rows import number_rows
from sk_mtl.metrics._open_classes import one_sided_tasks, warn_open_classes
from sk_mtl.metrics._probabilities import probability_list

_NAMES = {"class": CLASS_METRICS, "number": NUMBER_METRICS}
_PLURALS = {"class": "classes", "number": "numbers"}


@dataclass(frozen=True)
class TaskMetric:
    """A metric of one task, with the direction in which it improves.

    Made by :func:`task_metric`. It reads labels of any type, skips missing ones and
    rows of weight 0, and returns NaN where the metric is undefined.

    Attributes
    ----------
    name : str
    greater_is_better : bool
    function : callable
        ``function(codes, proba, sample_weight)`` on labelled rows, where codes are the
        positions of the labels among the classes, or ``function(numbers, predictions,
        sample_weight)`` of a task of numbers; for a callable of the user's, the
        callable itself. A metric that ranks within groups takes `groups` as well.
    sign : int
        -1 for the names that begin with ``neg_``.
    custom : bool
        Whether `function` was given by the user and so takes labels.
    kind : {"class", "number"} or None
        What it is a metric of: labels and probabilities, or numbers and predictions.
        None is a callable of the user's that takes what the task has.
    """

    name: str
    greater_is_better: bool
    function: Callable
    sign: int = 1
    custom: bool = False
    kind: str | None = "class"

    def __call__(
        self,
        y_true,
        y_pred,
        sample_weight=None,
        classes=None,
        missing_label=None,
        pos_label=None,
        groups=None,
    ):
        """Return the value of the metric on the labelled rows.

        Parameters
        ----------
        y_true : array-like of shape (n_samples,)
            Labels of one task; NaN, None and `missing_label` are skipped.
        y_pred : array of shape (n_samples, n_classes) or (n_samples,)
            Of a metric of classes: probabilities, columns in the order of `classes`; in
            one dimension, the probability of the positive one of two classes. Of a
            metric of numbers: predictions. A callable is taken as one of classes unless
            :meth:`of_kind` made it one of numbers.
        sample_weight : array-like of shape (n_samples,), default=None
        classes : array-like of shape (n_classes,), default=None
            None takes the sorted labels of `y_true`. Numbers have none.
        missing_label : object, default=None
            A label that stands for "no label", besides NaN and None.
        pos_label : label, default=None
            The positive one of two classes. None takes 1 of 0 and 1 or of -1 and 1, and
            of other labels the one that sorts last, with a `PositiveClassWarning` where
            the value depends on it.
        groups : array-like of shape (n_samples,), default=None
            The group of each row, such as its user, for metrics that take groups.

        Returns
        -------
        value : float
            NaN where the metric is undefined.
        """
        column = one_label_column(y_true, "y_true")
        (weight,) = weight_columns(sample_weight, len(column), ["y_true"])
        if self.kind == "number":
            if classes is not None or pos_label is not None:
                self.of_kind("class", "y_true")
            rows = number_rows(
                column, y_pred, weight, missing_label, "y_true", groups=groups
            )
        else:
            refuse_labels(y_pred, 1, "y_pred")
            (proba,) = probability_list(y_pred, ["y_true"], len(column))
            (one_sided,) = one_sided_tasks(y_pred, 1)
            rows = class_rows(
                column,
                proba,
                weight,
                classes,
                missing_label,
                pos_label=pos_label,
                one_sided=one_sided,
                groups=groups,
            )
            warn_open_classes([self], {"y_true": rows})
        return self.of_rows(rows)

    @property
    def is_asymmetric(self):
        """Return whether the value changes where two classes are swapped."""
        if self.custom:
            return _takes(self.function, "pos_label")
        return is_asymmetric(self.name)

    @property
    def needs_groups(self):
        """Return whether the metric cannot do without the groups of rows."""
        if self.custom:
            return _takes(self.function, "groups", required=True)
        return is_grouped(self.name)

    @property
    def takes_groups(self):
        """Return whether the metric makes use of the groups of rows."""
        if self.custom:
            return _takes(self.function, "groups")
        return is_grouped(self.name)

    def of_kind(self, kind, task="the task"):
        """Return this metric for a task of classes or of numbers, or an error in words.

        Parameters
        ----------
        kind : {"class", "number"}
            What the task holds.
        task : str, default="the task"
            Name of the task, for the error.

        Returns
        -------
        metric : TaskMetric
            A metric of this kind: itself, or a callable of the user's, which from then
            on reads labels and probabilities, or numbers and predictions.

        Raises
        ------
        ValueError
            If it is a metric of the other kind.
        """
        if self.kind is None:
            return replace(self, kind=kind)
        if self.kind != kind:
            raise ValueError(
                f"The metric {self.name!r} is of tasks of {_PLURALS[self.kind]}; found "
                f"{_PLURALS[kind]} in {task!r}. Use one of {list(_NAMES[kind])}, or "
                "another task."
            )
        return self

    def of_rows(self, rows):
        """Return the value of the metric on `ClassRows` or `NumberRows`."""
        if self.needs_groups and rows.groups is None:
            raise ValueError(
                f"The metric {self.name!r} must be given the groups of rows; found "
                "none. Pass groups=; a search hands them to its scorer where "
                "scikit-learn's enable_metadata_routing is on."
            )
        if not len(rows.labels):
            return float("nan")
        if self.custom:
            return float(self._custom_value(rows))
        if is_of_decisions(self.name) and rows.kind == "class":
            rows = rows.decided()
        function = self.function
        if self.takes_groups:
            function = partial(function, groups=rows.groups)
        if self.is_asymmetric:
            return float(self.sign * rows.apply(function, positive_last=True))
        return float(self.sign * rows.apply(function))

    def _custom_value(self, rows):
        keywords = {}
        two = rows.kind == "class" and rows.classes is not None
        if two and len(rows.classes) == 2 and _takes(self.function, "pos_label"):
            keywords["pos_label"] = rows.pos_label
        if rows.weight is not None:
            if not _takes(self.function, "sample_weight", or_any=True):
                raise ValueError(
                    f"The metric {self.name!r} must take sample_weight, because "
                    "weights were given; found no such parameter. Add it, or pass no "
                    "weights."
                )
            keywords["sample_weight"] = rows.weight
        if rows.groups is not None and self.takes_groups:
            keywords["groups"] = rows.groups
        return self.function(rows.labels, rows.answers, **keywords)

    def __repr__(self):
        direction = "greater" if self.greater_is_better else "less"
        return f"<task metric {self.name!r}, {direction} is better>"


def _takes(function, name, *, or_any=False, required=False):
    """Return whether a function has a parameter.

    With `or_any` all names count that it takes, with `required` only a parameter
    without a default.
    """
    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError:
        # Some functions written in C have no signature.
        return False
    return any(
        (p.name == name and not (required and p.default is not p.empty))
        or (or_any and p.kind == p.VAR_KEYWORD)
        for p in parameters
    )


def task_metric(metric, *, greater_is_better=None, kind=None):
    """Return the metric of one task, of labels and probabilities or of numbers.

    Parameters
    ----------
    metric : str, callable or TaskMetric
        A name of the lists below, or a callable of the labelled rows:
        ``metric(y_true, y_proba)`` with labels in their own type and probabilities of
        shape (n_labelled, n_classes), or ``metric(y_true, y_pred)`` with numbers. It
        takes `sample_weight` as a third parameter if weights are to be used; with
        weights and without this parameter it raises. One that takes `pos_label` is
        given the positive one of two classes, and one that takes `groups` the group of
        each row. scikit-learn's functions that have a name here, such as ``log_loss``
        and ``f1_score``, are taken as the metric of that name; others that take
        predicted labels are to be wrapped: ``lambda y, p: cohen_kappa_score(y,
        p.argmax(1))``.

        Of these, for tasks of classes, greater is better:

        - `"roc_auc"`: area under the ROC curve; with more than two classes, the mean
          over each class against the rest.
        - `"roc_auc_ovr_weighted"`: the same, each class weighted by its rows.
        - `"average_precision"`: area under the precision-recall curve of the positive
          class, as a sum of steps; with more than two classes, the mean over each class
          against the rest.
        - `"accuracy"`: share of rows whose likeliest class is the label.
        - `"balanced_accuracy"`: mean over the classes of the share of their rows that
          is recognised by the likeliest class.
        - `"f1"`, `"precision"` and `"recall"` of the positive class where it is the
          likelier one; with more than two classes, the plain mean over the classes
          (macro). They are NaN where no row is positive.
        - `"matthews_corrcoef"`: correlation of label and likeliest class, -1 to 1.
        - `"top_k_accuracy@3"`: share of rows whose label is one of the 3 likeliest
          classes; 2 without a number. NaN for tasks with no more classes than that.
        - `"lift@0.05"`: rate of positives among the 5 % of rows with the highest
          probabilities, divided by their rate among all rows; 10 % without a number.
          With more than two classes, the mean over each class against the rest.

        For tasks of classes, within groups of rows, which must be given, greater is
        better:

        - `"grouped_roc_auc"`, `"grouped_ndcg@10"`, `"grouped_recall@10"` and
          `"grouped_hit_rate@10"`: :func:`grouped_roc_auc`, :func:`grouped_ndcg`,
          :func:`grouped_recall_at_k` and :func:`grouped_hit_rate_at_k`, the last two at
          10 places without a number, NDCG of all places. With other settings, pass
          ``partial(grouped_roc_auc, weights="users")``.

        Of these, for tasks of classes, less is better:

        - `"log_loss"`: mean negative logarithm of the label's probability, in nats.
        - `"brier"`: mean squared error of the second class's probability, 0 to 1; with
          more than two classes, summed over the classes, 0 to 2.
        - `"normalized_entropy"`: log-loss divided by the log-loss of a model that
          predicts the shares of the classes for every row; 1 is no better than that.
        - `"expected_calibration_error@15"`: mean distance between the probability of
          a class and its share, in 15 bins that hold equally many rows; 10 without a
          number. Averaged over the classes, each against the rest.

        For tasks of numbers, greater is better of `"r2"`, the share of the variance
        that is explained, and NaN where all numbers are equal. Less is better of

        - `"mean_squared_error"`, `"root_mean_squared_error"` and
          `"mean_absolute_error"`, in the numbers' units, the first one squared.
        - `"mean_absolute_percentage_error"`, as a share of the number; NaN where a
          number is 0.
        - `"mean_pinball_loss@0.9"`, of predictions of the quantile of level 0.9; 0.5
          without a number.
        - `"mean_poisson_deviance"`, of numbers >= 0, and `"mean_gamma_deviance"`, of
          numbers > 0; NaN for other numbers, and infinite where a prediction is not
          greater than 0.

        A loss with `"neg_"` in front, such as `"neg_log_loss"`, has its sign changed,
        so that greater is better.
    greater_is_better : bool, default=None
        For a callable, whether a greater value is better. None reads the callable's
        own attribute `greater_is_better`, and takes True if there is none. Of
        scikit-learn's own functions those ending in "_error", "_loss" or "_deviance"
        are better the less they are.
    kind : {"class", "number"}, default=None
        For a callable, which tasks it is for. None takes probabilities of tasks of
        classes and predictions of tasks of numbers.

    Returns
    -------
    task_metric : TaskMetric
        Called as ``task_metric(y_true, y_proba, sample_weight=None, classes=None,
        pos_label=None, groups=None)`` or ``task_metric(y_true, y_pred,
        sample_weight=None, groups=None)``, with attributes `name`,
        `greater_is_better` and `kind`.

    Examples
    --------
    The third row has no label and does not count.

    >>> from sk_mtl.metrics import task_metric
    >>> auc = task_metric("roc_auc")
    >>> auc([0, 1, None, 1], [0.2, 0.4, 0.1, 0.9])
    1.0
    >>> auc.greater_is_better, task_metric("log_loss").greater_is_better
    (True, False)
    >>> task_metric("mean_absolute_error")([3.0, 1.0, None], [2.0, 1.0, 5.0])
    0.5

    A setting stands behind an "@": the upper half of these rows has all the positives.

    >>> task_metric("lift@0.5")([0, 1, 0, 1], [0.2, 0.4, 0.1, 0.9])
    2.0
    """
    if isinstance(metric, TaskMetric):
        return metric
    if kind not in (None, *_NAMES):
        raise ValueError(
            f"kind must be one of {list(_NAMES)} or None; found {kind!r}. Say what "
            "the tasks hold."
        )
    if callable(metric) and (name := own_name(metric)) is None:
        return _custom_metric(metric, greater_is_better, kind)
    if callable(metric):
        known = task_metric(name)
        if greater_is_better not in (None, known.greater_is_better):
            raise ValueError(
                "greater_is_better must be None for scikit-learn's functions, whose "
                f"direction is known; found {greater_is_better!r} for {name!r}. Leave "
                "it out."
            )
        return known if kind is None else known.of_kind(kind)
    if isinstance(metric, str) and (named := named_metric(metric)) is not None:
        return TaskMetric(
            metric,
            named.greater_is_better,
            named.function,
            named.sign,
            kind=named.kind,
        )
    raise ValueError(
        f"metric must be one of {list(TASK_METRICS)} or a callable metric(y_true, "
        f"y_proba); found {metric!r}. "
        + (did_you_mean(str(metric), TASK_METRICS) or "Use one of these names.")
    )


def _custom_metric(metric, greater_is_better, kind):
    """Return the metric of a user's function."""
    check_callable(metric)
    if greater_is_better is None:
        greater_is_better = is_gain(metric)
    kind = kind or metric_kind(metric)
    name = metric_name(metric)
    return TaskMetric(name, bool(greater_is_better), metric, custom=True, kind=kind)

"""A score of decisions against the threshold, task by task."""

import inspect

import numpy as np
import pandas as pd
from sklearn import config_context, metrics

from sk_mtl._close_names import did_you_mean
from sk_mtl.inspection._plots._binary_tasks import binary_rows, rows_of_estimator
from sk_mtl.inspection._plots._display import Display, stack_tables
from sk_mtl.inspection._plots._task_lines import LineBlock, plot_task_lines
from sk_mtl.metrics._read_tasks import read_tasks

_METRICS = {
    "accuracy": metrics.accuracy_score,
    "balanced_accuracy": metrics.balanced_accuracy_score,
    "f1": metrics.f1_score,
    "jaccard": metrics.jaccard_score,
    "matthews_corrcoef": metrics.matthews_corrcoef,
    "precision": metrics.precision_score,
    "recall": metrics.recall_score,
}
_N_THRESHOLDS = 100


class ThresholdDisplay(Display):
    """A score of decisions against the threshold of each task, with the best one.

    A row is decided as positive from a predicted probability of the threshold on. A
    flat maximum means that the exact threshold hardly matters; a sharp one that it
    should be tuned on many rows.

    Parameters
    ----------
    table : DataFrame
        What `frame` returns: columns `task`, `threshold` and `score`.
    metric_name : str, default="score"
    thresholds : dict of task to float, default=None
        The threshold to mark. None takes the one of the largest score.

    Attributes
    ----------
    figure_, axes_, ax_ : Figure, list of Axes, Axes
        Of the last picture; `ax_` is the first of the axes.
    lines_ : dict
        By task, the lines of the last picture.
    thresholds : dict of task to float
        The thresholds that are marked.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_mtl.inspection import ThresholdDisplay
    >>> y = np.array([0, 0, 1, 1])
    >>> display = ThresholdDisplay.from_predictions(y, np.array([0.1, 0.2, 0.3, 0.9]))
    >>> display.thresholds
    {'task_0': 0.3}
    """

    def __init__(self, table, metric_name="score", thresholds=None):
        super().__init__(table)
        self.metric_name = metric_name
        self.thresholds = _best(table) if thresholds is None else dict(thresholds)

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        y,
        *,
        metric="f1",
        sample_weight=None,
        pos_label=None,
        ax=None,
    ):
        """Draw the tasks of a fitted estimator.

        Parameters
        ----------
        estimator : estimator
            Fitted; a multi-task model, a pipeline or search of one, or any classifier
            of several outputs.
        X : {DataFrame, array-like} of shape (n_samples, n_features)
        y : {DataFrame, array-like} of shape (n_samples,) or (n_samples, n_tasks)
            Missing labels are left out.
        metric : str or callable, default="f1"
            As of :meth:`from_predictions`.
        sample_weight : array-like of shape (n_samples,) or (n_samples, n_tasks), \
                default=None
        pos_label : label or dict of task to label, default=None
            The positive one of two classes. None takes the estimator's own, else the
            class that sorts last.
        ax : Axes, default=None
            The axes to draw in; small panels divide their place. None makes a figure.

        Returns
        -------
        display : ThresholdDisplay
        """
        names, rows = rows_of_estimator(estimator, X, y, sample_weight, pos_label)
        return cls._of_rows(names, rows, metric).plot(ax=ax)

    @classmethod
    def from_predictions(
        cls,
        y_true,
        y_proba,
        *,
        metric="f1",
        sample_weight=None,
        names=None,
        missing_label=None,
        pos_label=None,
        ax=None,
    ):
        """Draw predicted probabilities.

        Parameters
        ----------
        y_true : {DataFrame, array-like} of shape (n_samples,) or (n_samples, n_tasks)
            Missing labels are left out.
        y_proba : list of ndarray, or ndarray
            What `predict_proba` returns, or the probability of the positive class, one
            column per task.
        metric : str or callable, default="f1"
            The score of decisions: ``"accuracy"``, ``"balanced_accuracy"``, ``"f1"``,
            ``"jaccard"``, ``"matthews_corrcoef"``, ``"precision"`` or ``"recall"``, or
            ``metric(y_true, y_pred)`` of zeros and ones, of which a greater value is
            better.
        sample_weight : array-like of shape (n_samples,) or (n_samples, n_tasks), \
                default=None
        names : list of str, default=None
            Names of the tasks. None takes the columns of `y_true`.
        missing_label : object, default=None
            A label that stands for "no label", besides NaN and None.
        pos_label : label or dict of task to label, default=None
            The positive one of two classes; None takes the class that sorts last.
        ax : Axes, default=None
            The axes to draw in; small panels divide their place. None makes a figure.

        Returns
        -------
        display : ThresholdDisplay
        """
        names, rows = read_tasks(
            y_true,
            y_proba,
            sample_weight,
            names=names,
            missing_label=missing_label,
            pos_label=pos_label,
        )
        return cls._of_rows(names, rows, metric).plot(ax=ax)

    @classmethod
    def from_tuner(cls, tuner, *, ax=None):
        """Draw the thresholds that a fitted `TaskThresholdTuner` tried and chose.

        Parameters
        ----------
        tuner : TaskThresholdTuner
            Fitted.
        ax : Axes, default=None
            The axes to draw in; small panels divide their place. None makes a figure.

        Returns
        -------
        display : ThresholdDisplay
        """
        if not hasattr(tuner, "curves_") or not hasattr(tuner, "thresholds_"):
            raise TypeError(
                f"{cls.__name__}.from_tuner needs a fitted TaskThresholdTuner, with "
                f"curves_ and thresholds_; found {type(tuner).__name__}. Fit one, or "
                "call from_estimator."
            )
        table = stack_tables(tuner.curves_)[["task", "threshold", "score"]]
        return cls(table, "score", tuner.thresholds_).plot(ax=ax)

    @classmethod
    def _of_rows(cls, names, rows, metric):
        name, function = _metric(cls.__name__, metric)
        tasks, _ = binary_rows(cls.__name__, names, rows)
        curves = {task: _curve(each, function) for task, each in tasks.items()}
        return cls(stack_tables(curves), name)

    def plot(self, ax=None):
        """Draw the scores.

        Up to six tasks share one pair of axes; more get a small panel each.

        Parameters
        ----------
        ax : Axes, default=None
            The axes to draw in; small panels divide their place. None makes a figure.

        Returns
        -------
        self : ThresholdDisplay
            With the artists `figure_`, `axes_`, `ax_` and `lines_`.
        """
        by_task = {
            task: rows[np.isfinite(rows["threshold"])]
            for task, rows in self._by_task().items()
        }

        def after(ax, task, colour):
            threshold = self.thresholds.get(task, np.inf)
            if np.isfinite(threshold):
                rows = by_task[task]
                score = np.interp(threshold, rows["threshold"], rows["score"])
                ax.axvline(threshold, color=colour, linestyle=":", linewidth=1)
                ax.plot(threshold, score, "o", color=colour, markersize=5)

        block = LineBlock(
            {
                task: (rows["threshold"], rows["score"])
                for task, rows in by_task.items()
            },
            "threshold (predicted probability)",
            self.metric_name,
            notes={task: f"at {value:.2f}" for task, value in self.thresholds.items()},
            after=after,
            legend="outside",
        )
        return self._keep(*plot_task_lines([block], ax))


def _best(table):
    best = table.loc[table.groupby("task", sort=False)["score"].idxmax()]
    return dict(zip(best["task"], best["threshold"].astype(float).tolist()))


def _metric(display, metric):
    """Return the name and the function of a metric."""
    if callable(metric):
        return getattr(metric, "__name__", type(metric).__name__), metric
    if metric not in _METRICS:
        names = list(_METRICS)
        raise ValueError(
            f"{display} needs a metric among {names}, or a function of labels and "
            f"decisions; found {metric!r}. "
            + (did_you_mean(str(metric), names) or "Use one of these names.")
        )
    return metric, _METRICS[metric]


def _curve(rows, function):
    """Return the score of each of at most 100 predicted probabilities as threshold."""
    thresholds = np.unique(rows.proba)
    if len(thresholds) > _N_THRESHOLDS:
        places = np.linspace(0, len(thresholds) - 1, _N_THRESHOLDS).round().astype(int)
        thresholds = thresholds[places]
    score = _of_counts if _takes_weights(function) else _of_rows
    # Checks of arguments take most of the time of a call.
    with config_context(assume_finite=True, skip_parameter_validation=True):
        scores = score(function, rows, thresholds)
    return pd.DataFrame({"threshold": thresholds, "score": scores})


def _takes_weights(function):
    try:
        return "sample_weight" in inspect.signature(function).parameters
    except (TypeError, ValueError):
        # Some functions written in C have no signature.
        return False


def _of_counts(function, rows, thresholds):
    """Return scores of the four outcomes, weighted by their counts.

    It does not depend on the number of rows, as a call with all of them would.
    """
    weight = np.ones(len(rows.proba)) if rows.weight is None else rows.weight
    order = np.argsort(rows.proba, kind="stable")
    starts = np.searchsorted(rows.proba[order], thresholds)
    below = np.array(
        [
            np.r_[0.0, np.cumsum((weight * (rows.positive == label))[order])][starts]
            for label in (False, True)
        ]
    )
    totals = np.array([weight[~rows.positive].sum(), weight[rows.positive].sum()])
    above = totals[:, None] - below
    truth, decided = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    options = {}
    if "zero_division" in inspect.signature(function).parameters:
        options["zero_division"] = 0
    return [
        float(
            function(
                truth,
                decided,
                sample_weight=[low[0], high[0], low[1], high[1]],
                **options,
            )
        )
        for low, high in zip(below.T, above.T, strict=True)
    ]


def _of_rows(function, rows, thresholds):
    truth = rows.positive.astype(int)
    return [
        float(function(truth, (rows.proba >= each).astype(int))) for each in thresholds
    ]

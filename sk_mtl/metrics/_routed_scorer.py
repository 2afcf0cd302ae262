"""Scorer that asks scikit-learn's metadata routing for what its metrics need."""

from sk_mtl._sklearn_compat import _BaseScorer
from sk_mtl.metrics._fitted_tasks import FittedTasks
from sk_mtl.metrics._open_classes import warn_open_classes

# What scikit-learn looks for in an estimator before it lets a scorer score it.
_RESPONSES = {
    "class": "predict_proba",
    "number": "predict",
    None: ["predict_proba", "predict"],
}


class RoutedScorer(_BaseScorer):
    """Base of scorers of tasks.

    Where a metric takes groups, the scorer requests them without `set_score_request`.

    Parameters
    ----------
    metrics : list of TaskMetric
    sign : {1, -1}, default=1
    """

    def __init__(self, metrics, sign=1):
        kinds = {metric.kind for metric in metrics}
        self._takes_groups = any(metric.takes_groups for metric in metrics)
        super().__init__(
            _grouped_parameters if self._takes_groups else _scored_parameters,
            sign=sign,
            kwargs={},
            response_method=_RESPONSES[kinds.pop() if len(kinds) == 1 else None],
        )

    def __call__(
        self, estimator, X, y_true, sample_weight=None, *, groups=None, **kwargs
    ):
        """Return the score of an estimator.

        Parameters
        ----------
        estimator : estimator
            Fitted; also a pipeline or a search.
        X : array-like or DataFrame of shape (n_samples, n_features)
        y_true : array-like or DataFrame of shape (n_samples,) or (n_samples, n_tasks)
        sample_weight : array-like of shape (n_samples,) or (n_samples, n_tasks), \
                default=None
        groups : array-like of shape (n_samples,), default=None
            The group of each row, for metrics that take groups.
        **kwargs : dict
            Refused.
        """
        if groups is None:
            return super().__call__(
                estimator, X, y_true, sample_weight=sample_weight, **kwargs
            )
        # scikit-learn takes groups only where metadata routing is on.
        return self._score(None, estimator, X, y_true, sample_weight, groups)

    def _get_metadata_request(self):
        requests = super()._get_metadata_request()
        if self._takes_groups and requests.score.requests.get("groups") is None:
            requests.score.add_request(param="groups", alias=True)
        return requests


def scored_rows(
    tasks: FittedTasks, metrics, scored, X, sample_weight, respond, pos_label, groups
):
    """Return the rows of the scored tasks by position; warn about open classes.

    Parameters
    ----------
    tasks : FittedTasks
    metrics : list of TaskMetric
    scored : list of int
        Positions of the tasks.
    X, sample_weight, respond, pos_label, groups
        As of `FittedTasks.rows`.
    """
    rows = tasks.rows(X, scored, sample_weight, respond, pos_label, groups)
    names = [tasks.names[k] for k in scored]
    warn_open_classes(metrics, dict(zip(names, rows, strict=True)))
    return dict(zip(scored, rows, strict=True))


def check_one_kind(metric, kinds):
    """Raise where an average over tasks of both kinds is open to two meanings."""
    if metric.kind is None and len(set(kinds)) > 1:
        raise ValueError(
            f"An average over tasks must be of one kind of metric; found "
            f"{metric.name!r}, whose kind is open, for tasks of "
            "classes and of numbers. Name a task, or use "
            "task_metric(metric, kind='class') or kind='number'."
        )


def _scored_parameters(y_true, y_pred, sample_weight=None):
    """Return the signature in which scikit-learn looks up routable parameters."""


def _grouped_parameters(y_true, y_pred, sample_weight=None, groups=None):
    """Return the signature of metrics that take groups."""

"""Name and direction of a callable that is given as a metric."""

from functools import partial

import sklearn.metrics

from sk_mtl._sklearn_compat import _BaseScorer

# scikit-learn's functions that have a name here.
_OWN_NAMES = {
    sklearn.metrics.roc_auc_score: "roc_auc",
    sklearn.metrics.average_precision_score: "average_precision",
    sklearn.metrics.accuracy_score: "accuracy",
    sklearn.metrics.balanced_accuracy_score: "balanced_accuracy",
    sklearn.metrics.f1_score: "f1",
    sklearn.metrics.precision_score: "precision",
    sklearn.metrics.recall_score: "recall",
    sklearn.metrics.matthews_corrcoef: "matthews_corrcoef",
    sklearn.metrics.top_k_accuracy_score: "top_k_accuracy",
    sklearn.metrics.log_loss: "log_loss",
    sklearn.metrics.brier_score_loss: "brier",
    sklearn.metrics.r2_score: "r2",
    sklearn.metrics.mean_squared_error: "mean_squared_error",
    sklearn.metrics.root_mean_squared_error: "root_mean_squared_error",
    sklearn.metrics.mean_absolute_error: "mean_absolute_error",
    sklearn.metrics.mean_absolute_percentage_error: "mean_absolute_percentage_error",
    sklearn.metrics.mean_pinball_loss: "mean_pinball_loss",
    sklearn.metrics.mean_poisson_deviance: "mean_poisson_deviance",
    sklearn.metrics.mean_gamma_deviance: "mean_gamma_deviance",
}
# Those of labels and of probabilities that have a column for each class.
_OF_PROBABILITIES = ("log_loss", "d2_log_loss_score", "d2_brier_score")
# scikit-learn ends the names of losses so.
_LOSS_ENDINGS = ("_error", "_loss", "_deviance")


def own_name(metric):
    """Return what scikit-learn's function is called here; None where it has no name."""
    try:
        return _OWN_NAMES.get(metric)
    except TypeError:
        # A callable that cannot be hashed is the user's own.
        return None


def metric_name(metric):
    """Return what to call a callable: `partial` has the name of its function."""
    function = _unwrapped(metric)
    return getattr(function, "__name__", None) or type(function).__name__


def is_gain(metric):
    """Return whether a callable declares that a greater value is better."""
    given = getattr(metric, "greater_is_better", None)
    if given is not None:
        return bool(given)
    loses = _is_of_sklearn(metric) and metric_name(metric).endswith(_LOSS_ENDINGS)
    return not loses


def metric_kind(metric):
    """Return which tasks scikit-learn's functions are of; None for other functions."""
    if _is_beside(metric, sklearn.metrics.r2_score):
        return "number"
    known = _is_of_sklearn(metric) and metric_name(metric) in _OF_PROBABILITIES
    return "class" if known else None


def check_callable(metric):
    """Raise where a callable is no function of one task's labels and answers."""
    if isinstance(metric, type):
        raise ValueError(
            "metric must be a name or a function metric(y_true, y_proba); found the "
            f"class {metric.__name__}. Give an instance, {metric.__name__}(...), or "
            "a name."
        )
    if isinstance(metric, _BaseScorer):
        own = getattr(metric, "metric", None)
        remedy = "Pass a metric's name" if own is None else f"Pass {own.name!r}"
        raise ValueError(
            "metric must be a name or a function metric(y_true, y_proba); found a "
            f"scorer, {metric!r}, which is called with an estimator. {remedy}."
        )
    name = metric_name(metric)
    known = _is_beside(metric, sklearn.metrics.r2_score) or name in _OF_PROBABILITIES
    if not _is_of_sklearn(metric) or known:
        return
    if _is_beside(metric, sklearn.metrics.f1_score):
        needs = "takes predicted labels, not probabilities"
        call = f"{name}(y, p.argmax(1)) for the classes 0, 1, ..."
    elif _is_beside(metric, sklearn.metrics.roc_auc_score):
        if isinstance(metric, partial):
            return
        needs = "takes scores of one class"
        call = f"{name}(y, p[:, 1]) for two classes"
    else:
        needs = "takes something else"
        call = f"{name}(...)"
    raise ValueError(
        "metric must be a function of one task's labels and probabilities, in shape "
        f"(n_samples, n_classes); found scikit-learn's {name}, which {needs}. Wrap it: "
        f"lambda y, p: {call}."
    )


def _unwrapped(metric):
    while isinstance(metric, partial):
        metric = metric.func
    return metric


def _is_of_sklearn(metric):
    function = _unwrapped(metric)
    return getattr(sklearn.metrics, metric_name(metric), None) is function


def _is_beside(metric, function):
    """Return whether scikit-learn defines the metric in the file of the function."""
    return (
        _is_of_sklearn(metric) and _unwrapped(metric).__module__ == function.__module__
    )

"""The network inside a fitted estimator."""

from sk_mtl.metrics._fitted_tasks import last_estimator


def innermost(model):
    """Return the fitted model inside searches, pipelines and wrappers."""
    last = last_estimator(model)
    while hasattr(last, "estimator_"):
        last = last_estimator(last.estimator_)
    return last


def fitted_network(model):
    """Return the `predictor_` of a network of this package, or None."""
    return getattr(innermost(model), "predictor_", None)

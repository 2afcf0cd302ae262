"""The fitted multi-task model that a display reads."""

from sklearn.utils.validation import check_is_fitted

from sk_mtl.metrics._fitted_tasks import last_estimator, model_and_input


def fitted_model(display, estimator, attribute="task_names_"):
    """Return the fitted model at the end of searches and pipelines, or raise.

    Parameters
    ----------
    display : str
        What reads it, for the error.
    estimator : estimator
    attribute : str, default="task_names_"
        What the display reads of it.
    """
    if isinstance(estimator, type) or not hasattr(estimator, "fit"):
        raise TypeError(
            f"{display} needs a fitted multi-task model; found {estimator!r}. Give "
            "the estimator itself."
        )
    check_is_fitted(estimator)
    model = last_estimator(estimator)
    if not hasattr(model, attribute):
        raise TypeError(
            f"{display} needs a multi-task model of sk_mtl, alone or at the end of a "
            f"pipeline or search; found {type(model).__name__}, which has no "
            f"{attribute}. Give such a model."
        )
    return model


def model_and_rows(display, estimator, X, attribute="task_names_"):
    """Return the model and X as the steps before it in a pipeline return it."""
    fitted_model(display, estimator, attribute)
    return model_and_input(estimator, X)


def check_several_tasks(display, task_names, what):
    """Raise for a model of a single task."""
    if len(task_names) < 2:
        raise ValueError(
            f"{display} {what} and needs two or more; found one, {task_names[0]!r}. "
            "Fit a model of several tasks."
        )

"""Keywords of `fit` that a fold's model gets, in pipelines too."""

import inspect
from collections.abc import Mapping

import numpy as np
from sklearn import get_config
from sklearn.pipeline import Pipeline

from sk_mtl._sklearn_compat import _safe_indexing
from sk_mtl.model_selection._folds import n_rows


def fit_arguments(model, X, y, rows, *, groups=None, **given):
    """Return the keywords of `model.fit` for some rows of X and y.

    They are the classes of all rows of y, where `fit` takes classes, and what is given:
    keywords with an entry per row are cut to the rows.

    Parameters
    ----------
    model : estimator
        Alone or a pipeline. Where metadata is routed its last step is made to ask for
        keywords that it has no request for, so give a clone.
    X, y : array-like or DataFrame
    rows : ndarray of int
    groups : array-like or None
        Left out where `fit` takes none.
    **given : dict
        Keywords of the last step's `fit`, or of another step with the step's name
        before them, as ``scaler__sample_weight``. None values are left out.
    """
    arguments = all_classes(model, y)
    if groups is not None and (name := fit_keyword(model, "groups")):
        arguments[name] = groups
    for name, value in given.items():
        if value is not None:
            arguments[name if "__" in name else _required(model, name)] = value
    return {
        name: _rows_of(value, rows, name, n_rows(X))
        if _is_by_row(model, name, value, n_rows(X))
        else value
        for name, value in arguments.items()
    }


def fit_keyword(model, name):
    """Return the name by which `model.fit` hands a keyword to its last step.

    It is None where the last step's `fit` does not take the keyword.
    """
    last, steps = model, []
    while isinstance(last, Pipeline):
        step, last = last.steps[-1]
        steps.append(step)
    parameters = inspect.signature(last.fit).parameters
    # A search hands keywords on, but takes groups for its own folds.
    is_open = any(each.kind is each.VAR_KEYWORD for each in parameters.values())
    if name not in parameters and (name == "groups" or not is_open):
        return None
    if steps and get_config()["enable_metadata_routing"]:
        _request(last, name)
        return name
    return "__".join([*steps, name])


def all_classes(model, y):
    """Return keywords that pass the classes of all rows of y to `model.fit`.

    A fold then may miss a class. Estimators of other packages learn the classes that
    their rows have.
    """
    last = _step_of(model, [])
    if not hasattr(last, "find_classes"):
        return {}
    classes = last.find_classes(y)
    each = classes if isinstance(classes, list) else [classes]
    if all(own is None for own in each) or any(
        own is not None and len(own) < 2 for own in each
    ):
        # The fit raises its own error for a single class.
        return {}
    return {fit_keyword(model, "classes"): classes}


def _required(model, name):
    keyword = fit_keyword(model, name)
    if keyword is None:
        last = type(_step_of(model, [])).__name__
        raise ValueError(
            f"{name} needs an estimator whose fit takes it; found {last}, which does "
            f"not. Leave {name} out."
        )
    return keyword


def _request(last, name):
    """Let an estimator ask for a keyword, unless its request is decided on."""
    if not hasattr(last, "set_fit_request"):
        return
    requests = last.get_metadata_routing().fit.requests
    if requests.get(name) is None:
        last.set_fit_request(**{name: True})


def _step_of(model, steps):
    """Return the named step of nested pipelines, or the last one without names."""
    for step in steps:
        known = isinstance(model, Pipeline) and step in model.named_steps
        model = model.named_steps[step] if known else model
    while not steps and isinstance(model, Pipeline):
        model = model.steps[-1][1]
    return model


def _is_by_row(model, name, value, n):
    """Return whether a keyword of `fit` has an entry for each row.

    Our estimators declare theirs; of others a value of as many entries counts.
    """
    *steps, keyword = name.split("__")
    step = _step_of(model, steps)
    while hasattr(step, "estimator"):
        step = step.estimator
    declared = getattr(step, "row_aligned_keywords", None)
    if declared is not None and keyword in inspect.signature(step.fit).parameters:
        return keyword in declared
    each = value.values() if isinstance(value, Mapping) else [value]
    return any(_has_entries(entry) and n_rows(entry) == n for entry in each)


def _rows_of(value, rows, name, n):
    """Return the entries of some rows, of each task's where a dict holds them."""
    if isinstance(value, Mapping):
        return {
            task: _rows_of(own, rows, f"{name} of {task!r}", n)
            for task, own in value.items()
        }
    if _is_one_per_task(value, n):
        return [_rows_of(own, rows, name, n) for own in value]
    if not _has_entries(value):
        return value
    if n_rows(value) != n:
        raise ValueError(
            f"{name} must have an entry for each of the {n} rows of X; found "
            f"{n_rows(value)}. Give one per row."
        )
    return _safe_indexing(value, rows)


def _is_one_per_task(value, n):
    """Return whether a list has a table with n rows for each task, or None for some."""
    if not isinstance(value, list | tuple) or not value:
        return False
    tables = [each for each in value if each is not None]
    has_rows = all(_has_entries(each) and n_rows(each) == n for each in tables)
    return has_rows and (len(value) != n or any(np.ndim(each) == 2 for each in tables))


def _has_entries(value):
    """Return whether a value is no number or text that stands for all rows."""
    return (
        hasattr(value, "__len__") and not isinstance(value, str) and np.ndim(value) > 0
    )

"""Keywords of `fit` that a fold's model gets, in pipelines too."""

import inspect

from sklearn import get_config
from sklearn.pipeline import Pipeline


def fit_keyword(model, name):
    """Name by which `model.fit` hands `name` to its last step, None where it cannot.

    Parameters
    ----------
    model : estimator
        Alone or a pipeline. Where metadata is routed its last step is made to ask for
        the keyword, so give a clone.
    name : str
        Keyword of the last step's `fit`.
    """
    last, steps = model, []
    while isinstance(last, Pipeline):
        step, last = last.steps[-1]
        steps.append(step)
    if name not in inspect.signature(last.fit).parameters:
        return None
    if steps and get_config()["enable_metadata_routing"]:
        last.set_fit_request(**{name: True})
        return name
    return "__".join([*steps, name])


def all_classes(model, y):
    """Keywords that tell `model.fit` the classes of all rows of y.

    A fold then may lack a class. Estimators of other packages learn the classes that
    their rows have.
    """
    last = model
    while isinstance(last, Pipeline):
        last = last.steps[-1][1]
    if not hasattr(last, "find_classes"):
        return {}
    classes = last.find_classes(y)
    each = classes if isinstance(classes, list) else [classes]
    if all(own is None for own in each) or any(
        own is not None and len(own) < 2 for own in each
    ):
        # The fit says in its own words what is wrong with a single class.
        return {}
    return {fit_keyword(model, "classes"): classes}

"""Labels of steps that follow from labels of earlier steps."""

import numpy as np
import pandas as pd

from sk_mtl._funnel_codes import ancestors_of, fill_out_of_reach, unknown_shares
from sk_mtl._labels import read_labels
from sk_mtl._relations import as_tuples
from sk_mtl.metrics._fitted_tasks import FittedTasks, last_estimator


def complete_steps(model, y):
    """Return labels in which steps out of reach are labelled "not reached", as in fit.

    A row that did not click did not convert, with or without a label that says so.
    Without these rows a score of the conversion would be of clicked rows only.

    Parameters
    ----------
    model : estimator
        Fitted; also a pipeline or a search. Labels of a model whose tasks are no steps
        of a funnel are returned unchanged.
    y : array-like or DataFrame of shape (n_samples, n_tasks)

    Returns
    -------
    y : the same, or DataFrame of shape (n_samples, n_tasks)
        With the columns of the model's tasks.
    """
    # A calibrated model holds the one that knows its steps.
    fitted = last_estimator(model)
    network = getattr(
        last_estimator(getattr(fitted, "estimator_", fitted)), "predictor_", None
    )
    parents = getattr(getattr(network, "structure", None), "parents", None)
    if parents is None:
        return y
    tasks = FittedTasks(model, y)
    codes, _, positive, _ = tasks.steps()
    ancestors = ancestors_of(as_tuples(parents))
    filled, _ = fill_out_of_reach(
        codes, None, ancestors, unknown_shares(codes, ancestors)
    )
    fills = np.isnan(codes) & (filled == 0)
    if not fills.any():
        return y
    columns = {}
    for k, column in enumerate(read_labels(y).columns_of(tasks.names)):
        labels = pd.Series(np.asarray(column, dtype=object))
        labels[fills[:, k]] = tasks.classes[k][1 - positive[k]]
        columns[tasks.names[k]] = labels
    return pd.DataFrame(columns)

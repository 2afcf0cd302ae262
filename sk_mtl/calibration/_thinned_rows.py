"""Rows of a training on thinned negatives, weighted to stand for all rows."""

import numpy as np

from sk_mtl._labels import is_missing, plain_values, read_labels
from sk_mtl._weights import read_weights
from sk_mtl.calibration._fitted_network import fitted_network


def weights_of_all_rows(model, y, sample_weight, names):
    """Return the weights with which training rows stand for all rows.

    The given weights change only for a model with a `negative_sampling_rate`, whose
    probabilities are of all rows.

    Parameters
    ----------
    model : estimator
        Fitted to `y`.
    y : array-like or DataFrame
    sample_weight : array-like, dict or None
    names : list
        Names of the tasks.
    """
    network = fitted_network(model)
    thinning = None if network is None else network.structure.thinning
    if thinning is None:
        return sample_weight
    table = read_labels(y)
    weight = read_weights(sample_weight, table.n_samples, names)
    weight = np.ones((table.n_samples, len(names))) if weight is None else weight.copy()
    column = table.columns_of(names)[thinning.task]
    negative = ~is_missing(column, network.targets.columns[thinning.task].missing_label)
    label = network.classes[thinning.task][0]
    negative[negative] = np.asarray(plain_values(column[negative]) == label, bool)
    weight[negative] /= thinning.rate
    return weight

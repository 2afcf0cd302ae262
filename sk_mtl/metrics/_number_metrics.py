"""Metrics of numbers and predictions, which take `sample_weight` by keyword.

They are scikit-learn's, with two rules of their own. Where scikit-learn raises, or puts
0 or 1 for a fraction without a denominator, the labels leave the metric undefined, and
it is NaN. And a mean that the model predicts and that cannot be, such as a negative
count, is infinitely bad: were it NaN too, the task would be left out of an average over
tasks, and a search would prefer the model that fails.
"""

import numpy as np
from sklearn.metrics import (
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_gamma_deviance,
    mean_pinball_loss,
    mean_poisson_deviance,
    mean_squared_error,
    r2_score,
    root_mean_squared_error,
)


def _r2(numbers, predictions, sample_weight):
    if np.ptp(numbers) == 0:
        return np.nan
    return r2_score(numbers, predictions, sample_weight=sample_weight)


def _percentage_error(numbers, predictions, sample_weight):
    if not numbers.all():
        return np.nan
    return mean_absolute_percentage_error(
        numbers, predictions, sample_weight=sample_weight
    )


def _pinball_loss(numbers, predictions, sample_weight, level=0.5):
    return mean_pinball_loss(
        numbers, predictions, sample_weight=sample_weight, alpha=level
    )


def _poisson_deviance(numbers, predictions, sample_weight):
    if numbers.min() < 0:
        return np.nan
    return _deviance(mean_poisson_deviance, numbers, predictions, sample_weight)


def _gamma_deviance(numbers, predictions, sample_weight):
    if numbers.min() <= 0:
        return np.nan
    return _deviance(mean_gamma_deviance, numbers, predictions, sample_weight)


def _deviance(score, numbers, predictions, sample_weight):
    if predictions.min() <= 0:
        return np.inf
    return score(numbers, predictions, sample_weight=sample_weight)


NUMBER_GAINS = {"r2": _r2}
NUMBER_LOSSES = {
    "mean_squared_error": mean_squared_error,
    "root_mean_squared_error": root_mean_squared_error,
    "mean_absolute_error": mean_absolute_error,
    "mean_absolute_percentage_error": _percentage_error,
    "mean_pinball_loss": _pinball_loss,
    "mean_poisson_deviance": _poisson_deviance,
    "mean_gamma_deviance": _gamma_deviance,
}

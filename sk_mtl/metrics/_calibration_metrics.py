"""Metrics of probabilities as numbers: how far they are from the shares of labels."""

import numpy as np


def expected_calibration_error(codes, proba, sample_weight, n_bins=10):
    """Return the mean distance of probabilities from shares, in bins of equal weight.

    Of each class against the others, averaged over the classes; of two classes both
    have the same error.
    """
    classes = [1] if proba.shape[1] == 2 else range(proba.shape[1])
    weight = np.ones(len(codes)) if sample_weight is None else sample_weight
    errors = [_error(codes == k, proba[:, k], weight, n_bins) for k in classes]
    return np.mean(errors)


def calibration_ratio(positive, score, weight=None):
    """Return the mean of the predictions divided by the mean of the labels.

    Parameters
    ----------
    positive, score : ndarray of shape (n_labelled,)
        Labels, 0 and 1 or numbers, and their predictions.
    weight : ndarray of shape (n_labelled,) or None

    Returns
    -------
    ratio : float
        NaN without rows, or where the labels have the mean 0.
    """
    if not len(score) or not (observed := np.average(positive, weights=weight)):
        return np.nan
    return np.average(score, weights=weight) / observed


def _error(positive, score, weight, n_bins):
    """Return the calibration error of one class.

    Rows of one probability stay together, in the bin that holds the middle of their
    weight, so that the order of rows does not matter.
    """
    values, block = np.unique(score.astype(np.float64), return_inverse=True)
    block_weight = np.bincount(block, weight)
    middle = np.cumsum(block_weight) - block_weight / 2
    bins = (n_bins * middle / block_weight.sum()).astype(int)
    gap = values * block_weight - np.bincount(block, weight * positive)
    return np.abs(np.bincount(bins, gap)).sum() / block_weight.sum()

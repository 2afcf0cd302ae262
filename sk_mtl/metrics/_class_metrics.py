"""Metrics of positions of classes and probabilities, with `sample_weight`.

Of two classes the second one is positive.
"""

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score


def _one_vs_rest(score, codes, proba, sample_weight, by_prevalence=False):
    """Return the score of the second of two classes, or the one-vs-rest mean.

    A class that no row holds has no score of its own and is left out of the mean.
    """
    present = np.unique(codes)
    if len(present) < 2:
        return np.nan
    if proba.shape[1] == 2:
        return score(codes, proba[:, 1], sample_weight=sample_weight)
    scores = [
        score(codes == k, proba[:, k], sample_weight=sample_weight) for k in present
    ]
    prevalence = np.bincount(codes, sample_weight)[present] if by_prevalence else None
    return np.average(scores, weights=prevalence)


def _roc_auc(codes, proba, sample_weight):
    return _one_vs_rest(roc_auc_score, codes, proba, sample_weight)


def _roc_auc_ovr_weighted(codes, proba, sample_weight):
    return _one_vs_rest(roc_auc_score, codes, proba, sample_weight, by_prevalence=True)


def _average_precision(codes, proba, sample_weight):
    return _one_vs_rest(average_precision_score, codes, proba, sample_weight)


def _log_loss(codes, proba, sample_weight):
    # The smallest probability that counts is scikit-learn's: the precision of the
    # probabilities' own dtype.
    eps = np.finfo(proba.dtype).eps
    own = np.clip(proba[np.arange(len(codes)), codes], eps, 1 - eps)
    return -np.average(np.log(own, dtype=np.float64), weights=sample_weight)


def _brier(codes, proba, sample_weight):
    if proba.shape[1] == 2:
        return np.average(
            (codes - proba[:, 1].astype(np.float64)) ** 2, weights=sample_weight
        )
    error = proba.astype(np.float64)
    error[np.arange(len(codes)), codes] -= 1
    return np.average((error**2).sum(axis=1), weights=sample_weight)


def _accuracy(codes, proba, sample_weight):
    return np.average(proba.argmax(axis=1) == codes, weights=sample_weight)


CLASS_GAINS = {
    "roc_auc": _roc_auc,
    "roc_auc_ovr_weighted": _roc_auc_ovr_weighted,
    "average_precision": _average_precision,
    "accuracy": _accuracy,
}
CLASS_LOSSES = {"log_loss": _log_loss, "brier": _brier}
#: Metrics that change where the two classes are swapped.
ASYMMETRIC_METRICS = frozenset({"average_precision"})

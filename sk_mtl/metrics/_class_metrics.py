"""Metrics of positions of classes and probabilities, with `sample_weight`.

Of two classes the second one is positive.
"""

import warnings

import numpy as np
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import average_precision_score, roc_auc_score

from sk_mtl.metrics._calibration_metrics import expected_calibration_error
from sk_mtl.metrics._likeliest_class_metrics import (
    accuracy,
    balanced_accuracy,
    f1,
    matthews_correlation,
    precision,
    recall,
    top_k_accuracy,
)
from sk_mtl.metrics._ranking._grouped_at_k import (
    grouped_hit_rate_at_k,
    grouped_recall_at_k,
)
from sk_mtl.metrics._ranking._grouped_ndcg import grouped_ndcg
from sk_mtl.metrics._ranking._grouped_roc_auc import grouped_roc_auc


def _one_vs_rest(score, codes, proba, sample_weight, by_prevalence=False, **settings):
    """Return the score of the second of two classes, or the one-vs-rest mean.

    A class that no row holds has no score of its own and is left out of the mean.
    """
    present = np.unique(codes)
    if len(present) < 2:
        return np.nan
    settings["sample_weight"] = sample_weight
    if proba.shape[1] == 2:
        return score(codes, proba[:, 1], **settings)
    scores = [score((codes == k) * 1, proba[:, k], **settings) for k in present]
    prevalence = np.bincount(codes, sample_weight)[present] if by_prevalence else None
    return np.average(scores, weights=prevalence)


def _roc_auc(codes, proba, sample_weight):
    return _one_vs_rest(roc_auc_score, codes, proba, sample_weight)


def _roc_auc_ovr_weighted(codes, proba, sample_weight):
    return _one_vs_rest(roc_auc_score, codes, proba, sample_weight, by_prevalence=True)


def _average_precision(codes, proba, sample_weight):
    return _one_vs_rest(average_precision_score, codes, proba, sample_weight)


def _lift(codes, proba, sample_weight, share=0.1):
    return _one_vs_rest(_lift_of_class, codes, proba, sample_weight, share=share)


def _lift_of_class(positive, score, sample_weight, share):
    """Return the rate of positives among the highest scores, divided by that of all.

    Of rows that share a score, the share counts that is needed to fill the places.
    """
    weight = np.ones(len(score)) if sample_weight is None else sample_weight
    values, block = np.unique(-score, return_inverse=True)
    block_weight = np.bincount(block, weight, len(values))
    block_positive = np.bincount(block, weight * positive, len(values))
    places = share * block_weight.sum()
    above = np.cumsum(block_weight) - block_weight
    taken = np.clip((places - above) / block_weight, 0, 1)
    return (taken @ block_positive) / block_positive.sum() / share


def _log_loss(codes, proba, sample_weight):
    # The smallest probability that counts is scikit-learn's: the precision of the
    # probabilities' own dtype.
    eps = np.finfo(proba.dtype).eps
    own = np.clip(proba[np.arange(len(codes)), codes], eps, 1 - eps)
    return -np.average(np.log(own, dtype=np.float64), weights=sample_weight)


def _normalized_entropy(codes, proba, sample_weight):
    totals = np.bincount(codes, sample_weight)
    shares = totals[totals > 0] / totals.sum()
    if len(shares) < 2:
        return np.nan
    return _log_loss(codes, proba, sample_weight) / -(shares @ np.log(shares))


def _brier(codes, proba, sample_weight):
    if proba.shape[1] == 2:
        return np.average(
            (codes - proba[:, 1].astype(np.float64)) ** 2, weights=sample_weight
        )
    error = proba.astype(np.float64)
    error[np.arange(len(codes)), codes] -= 1
    return np.average((error**2).sum(axis=1), weights=sample_weight)


def _grouped_roc_auc(codes, proba, sample_weight, groups):
    return _by_group(grouped_roc_auc, codes, proba, sample_weight, groups=groups)


def _grouped_ndcg(codes, proba, sample_weight, groups, k=None):
    return _by_group(grouped_ndcg, codes, proba, sample_weight, groups=groups, k=k)


def _grouped_recall(codes, proba, sample_weight, groups, k=10):
    score = grouped_recall_at_k
    return _by_group(score, codes, proba, sample_weight, groups=groups, k=k)


def _grouped_hit_rate(codes, proba, sample_weight, groups, k=10):
    score = grouped_hit_rate_at_k
    return _by_group(score, codes, proba, sample_weight, groups=groups, k=k)


def _by_group(score, codes, proba, sample_weight, **settings):
    with warnings.catch_warnings():
        # The caller warns for all metrics and tasks together.
        warnings.simplefilter("ignore", UndefinedMetricWarning)
        return _one_vs_rest(score, codes, proba, sample_weight, **settings)


CLASS_GAINS = {
    "roc_auc": _roc_auc,
    "roc_auc_ovr_weighted": _roc_auc_ovr_weighted,
    "average_precision": _average_precision,
    "accuracy": accuracy,
    "balanced_accuracy": balanced_accuracy,
    "f1": f1,
    "precision": precision,
    "recall": recall,
    "matthews_corrcoef": matthews_correlation,
    "top_k_accuracy": top_k_accuracy,
    "lift": _lift,
    "grouped_roc_auc": _grouped_roc_auc,
    "grouped_ndcg": _grouped_ndcg,
    "grouped_recall": _grouped_recall,
    "grouped_hit_rate": _grouped_hit_rate,
}
CLASS_LOSSES = {
    "log_loss": _log_loss,
    "normalized_entropy": _normalized_entropy,
    "brier": _brier,
    "expected_calibration_error": expected_calibration_error,
}
#: Metrics that change where the two classes are swapped.
ASYMMETRIC_METRICS = frozenset(
    {
        *("average_precision", "f1", "precision", "recall", "lift"),
        *("grouped_ndcg", "grouped_recall", "grouped_hit_rate"),
    }
)
#: Metrics of predicted classes, whatever their probabilities.
DECISION_METRICS = frozenset(
    {
        *("accuracy", "balanced_accuracy", "f1", "precision", "recall"),
        "matthews_corrcoef",
    }
)
#: Metrics that need the group of each row.
GROUPED_METRICS = frozenset(name for name in CLASS_GAINS if name.startswith("grouped_"))

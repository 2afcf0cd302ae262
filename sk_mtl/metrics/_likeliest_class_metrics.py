"""Metrics of the class with the largest probability, the one that `predict` returns.

The functions are scikit-learn's, with one rule of their own: labels may leave a metric
undefined, which is NaN, while a class that the model never predicts has precision 0.
"""

import numpy as np
from sklearn.metrics import (
    f1_score,
    matthews_corrcoef,
    precision_score,
    recall_score,
    top_k_accuracy_score,
)


def accuracy(codes, proba, sample_weight):
    """Return the share of rows whose likeliest class is the label."""
    return np.average(proba.argmax(axis=1) == codes, weights=sample_weight)


def f1(codes, proba, sample_weight):
    """Return F1 of the positive class, or the mean over several classes."""
    return _of_positive(f1_score, codes, proba, sample_weight)


def precision(codes, proba, sample_weight):
    """Return the precision of the positive class, or the mean over several classes."""
    return _of_positive(precision_score, codes, proba, sample_weight)


def recall(codes, proba, sample_weight):
    """Return the recall of the positive class, or the mean over several classes."""
    return _of_positive(recall_score, codes, proba, sample_weight)


def balanced_accuracy(codes, proba, sample_weight):
    """Return the mean recall of the classes that some row holds."""
    present = np.unique(codes)
    if len(present) < 2:
        return np.nan
    # scikit-learn's own function warns about classes that are predicted and not held.
    return recall_score(
        codes,
        proba.argmax(axis=1),
        labels=present,
        average="macro",
        sample_weight=sample_weight,
    )


def matthews_correlation(codes, proba, sample_weight):
    """Return the Matthews correlation of labels and likeliest classes."""
    if len(np.unique(codes)) < 2:
        return np.nan
    return matthews_corrcoef(codes, proba.argmax(axis=1), sample_weight=sample_weight)


def top_k_accuracy(codes, proba, sample_weight, k=2):
    """Return the share of rows whose label is one of the k likeliest classes."""
    n_classes = proba.shape[1]
    if k >= n_classes:
        return np.nan
    if k == 1:
        return accuracy(codes, proba, sample_weight)
    return top_k_accuracy_score(
        codes, proba, k=k, labels=np.arange(n_classes), sample_weight=sample_weight
    )


def _of_positive(score, codes, proba, sample_weight):
    if len(np.unique(codes)) < 2 and (proba.shape[1] > 2 or not codes.any()):
        return np.nan
    return score(
        codes,
        proba.argmax(axis=1),
        average="binary" if proba.shape[1] == 2 else "macro",
        sample_weight=sample_weight,
        zero_division=0,
    )

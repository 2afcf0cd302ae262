"""Scores of thresholds equal scikit-learn's scores of the decisions."""

import numpy as np
import pytest
from sklearn import metrics

from sk_mtl.calibration._threshold_scores import (
    THRESHOLD_SCORES,
    Decisions,
    candidate_thresholds,
)

FUNCTIONS = {
    "f1": metrics.f1_score,
    "balanced_accuracy": metrics.balanced_accuracy_score,
    "accuracy": metrics.accuracy_score,
    "jaccard": metrics.jaccard_score,
    "matthews_corrcoef": metrics.matthews_corrcoef,
}


def test_outcomes_are_counted_by_hand():
    positive = np.array([True, False, True, False])
    found = Decisions.count(positive, np.array([0.9, 0.5, 0.5, 0.1]), [0.5, 0.6])
    assert [each.tolist() for each in found] == [[2, 1], [1, 0], [0, 1], [1, 2]]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", THRESHOLD_SCORES)
def test_score_equals_scikit_learns(name, weighted):
    rng = np.random.default_rng(0)
    positive, proba = rng.random(60) < 0.3, rng.random(60).round(1)
    weight = rng.random(60) if weighted else None
    thresholds = np.unique(proba)
    decisions = Decisions.count(positive, proba, thresholds, weight)
    found = THRESHOLD_SCORES[name](*decisions)
    wanted = [
        FUNCTIONS[name](positive, proba >= each, sample_weight=weight)
        for each in thresholds
    ]
    np.testing.assert_allclose(found, wanted, atol=1e-12)


def test_thresholds_are_probabilities_of_positive_rows():
    positive = np.array([True, False, True, True, True])
    proba = np.array([0.2, 0.3, 0.4, 0.6, 0.8])
    assert candidate_thresholds(positive, proba, 9).tolist() == [
        0.2,
        0.4,
        0.6,
        0.8,
        np.inf,
    ]
    assert candidate_thresholds(positive, proba, 2).tolist() == [0.2, 0.8, np.inf]
    assert candidate_thresholds(positive, proba, [0.5, 0.1]).tolist() == [0.1, 0.5]

import time

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import roc_auc_score

from sk_mtl.metrics import grouped_roc_auc


def by_loop(y, proba, groups, weight=None):
    weight = np.ones(len(y)) if weight is None else weight
    auc, size = [], []
    for group in np.unique(groups):
        rows = (groups == group) & (weight > 0)
        if len(np.unique(y[rows])) == 2:
            auc.append(roc_auc_score(y[rows], proba[rows], sample_weight=weight[rows]))
            size.append(weight[rows].sum())
    return np.average(auc, weights=size)


def impressions(n_samples, n_groups, seed=0, n_scores=20):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n_samples)
    proba = rng.integers(0, n_scores, n_samples) / n_scores
    return y, proba, rng.integers(0, n_groups, n_samples), rng


def test_small_groups_worked_by_hand():
    y = [1, 0, 1, 0, 0, 1, 1]
    proba = [0.9, 0.1, 0.5, 0.5, 0.8, 0.2, 0.3]
    groups = ["a", "a", "b", "b", "b", "c", "c"]
    # Group a is in order; in b one pair ties and one is wrong; c has one class.
    expected = (2 * 1 + 3 * 0.25) / 5
    assert grouped_roc_auc(y, proba, groups) == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_equals_a_loop_over_groups(seed, weighted):
    y, proba, groups, rng = impressions(500, 60, seed)
    weight = rng.integers(0, 3, 500) * rng.random(500) if weighted else None
    found = grouped_roc_auc(y, proba, groups, sample_weight=weight)
    assert found == pytest.approx(by_loop(y, proba, groups, weight), rel=1e-12)


@pytest.mark.parametrize("n_scores", [1, 2, 10**9])
def test_all_few_and_no_ties(n_scores):
    y, proba, groups, _ = impressions(300, 20, n_scores=n_scores)
    found = grouped_roc_auc(y, proba, groups)
    assert found == pytest.approx(by_loop(y, proba, groups), rel=1e-12)
    if n_scores == 1:
        assert found == 0.5


def test_one_group_is_the_plain_area():
    y, proba, groups, _ = impressions(200, 1)
    assert grouped_roc_auc(y, proba, groups) == pytest.approx(roc_auc_score(y, proba))


def test_rows_of_different_groups_are_not_compared():
    y, proba, groups, rng = impressions(400, 30)
    shifted = proba + rng.normal(size=30)[groups] * 100
    expected = grouped_roc_auc(y, proba, groups)
    assert grouped_roc_auc(y, shifted, groups) == pytest.approx(expected)


def test_order_of_rows_does_not_matter():
    y, proba, groups, rng = impressions(400, 30)
    p = rng.permutation(400)
    found = grouped_roc_auc(y[p], proba[p], groups[p])
    assert found == pytest.approx(grouped_roc_auc(y, proba, groups), rel=1e-14)


def test_integer_weights_equal_repeated_rows():
    y, proba, groups, rng = impressions(200, 15)
    n = rng.integers(0, 4, 200)
    repeated = grouped_roc_auc(y.repeat(n), proba.repeat(n), groups.repeat(n))
    assert grouped_roc_auc(y, proba, groups, n) == pytest.approx(repeated, rel=1e-12)


def test_labels_probabilities_and_groups_of_any_form():
    y, proba, groups, _ = impressions(200, 15)
    expected = grouped_roc_auc(y, proba, groups)
    both = np.column_stack([1 - proba, proba])
    names = np.array([f"user {g}" for g in groups])
    for labels in (y.astype(bool), y.astype(float), np.where(y, "yes", "no"), y * 3):
        assert grouped_roc_auc(labels, both, names) == pytest.approx(expected)
    frame = pd.DataFrame({"y": y, "user": pd.Categorical(names)}, index=proba)
    assert grouped_roc_auc(frame["y"], proba, frame["user"]) == pytest.approx(expected)
    assert grouped_roc_auc(y.tolist(), proba.tolist(), groups.tolist()) == expected


def test_rows_without_a_label_are_skipped_and_may_lack_a_group():
    y, proba, groups, rng = impressions(200, 15)
    known = rng.random(200) < 0.7
    expected = grouped_roc_auc(y[known], proba[known], groups[known])
    labels, users = np.where(known, y, np.nan), np.where(known, groups, np.nan)
    assert grouped_roc_auc(labels, proba, groups) == expected
    assert grouped_roc_auc(labels, proba, users) == expected


@pytest.mark.parametrize(
    "y", [[0, 0, 1], [0, 0, 0], [1, 1, 1], [np.nan] * 3, ["a"] * 3]
)
def test_no_group_of_both_classes_is_nan_and_warns(y):
    with pytest.warns(
        UndefinedMetricWarning, match="no group holds labelled rows of both"
    ):
        assert np.isnan(grouped_roc_auc(y, [0.1, 0.2, 0.3], ["a", "a", "b"]))


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"groups": [1, 1]}, r"one entry per row of y \(3\); found 2"),
        ({"groups": ["a", None, "a"]}, r"every labelled row; found 1 missing"),
        ({"y": [0, 1, 2]}, r"two classes; found 3: \[0, 1, 2\]"),
        ({"y": np.zeros((3, 2))}, r"y must hold one task; found 2 columns"),
        ({"proba": [0.1, 0.2]}, r"shape \(3,\) or \(3, 2\); found shape \(2,\)"),
        ({"proba": [0.1, np.inf, 0.2]}, r"finite numbers"),
        ({"sample_weight": [1, -1, 1]}, r"not negative"),
    ],
)
def test_bad_input_says_required_found_remedy(kwargs, message):
    given = {"y": [0, 1, 0], "proba": [0.1, 0.2, 0.3], "groups": ["a", "a", "b"]}
    with pytest.raises(ValueError, match=message):
        grouped_roc_auc(**{**given, **kwargs})


@pytest.mark.slow
def test_a_million_rows_of_a_hundred_thousand_users_take_two_seconds():
    rng = np.random.default_rng(0)
    y, proba = rng.integers(0, 2, 10**6), rng.random(10**6)
    groups = rng.integers(0, 10**5, 10**6)
    start = time.perf_counter()
    grouped_roc_auc(y, proba, groups)
    assert time.perf_counter() - start < 2

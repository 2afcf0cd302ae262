import time

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import roc_auc_score

from sk_mtl.exceptions import PositiveClassWarning
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


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        # Group a is in order; in b two of six pairs are; c has no positive row.
        ("impressions", (2 * 1 + 5 * 2 / 6) / 7),
        ("users", (1 + 2 / 6) / 2),
        ("positives", (1 * 1 + 3 * 2 / 6) / 4),
    ],
)
def test_what_a_group_counts_worked_by_hand(weights, expected):
    y = [1, 0, 1, 1, 1, 0, 0, 0]
    proba = [0.9, 0.1, 0.2, 0.3, 0.4, 0.25, 0.5, 0.7]
    groups = list("aabbbbbc")
    found = grouped_roc_auc(y, proba, groups, weights=weights)
    assert found == pytest.approx(expected, abs=1e-15)
    doubled = grouped_roc_auc(y, proba, groups, [2] * 8, weights=weights)
    assert doubled == pytest.approx(expected, abs=1e-15)


def test_sample_weights_reach_the_weights_of_groups():
    y, proba = [1, 0, 1, 0], [0.9, 0.1, 0.1, 0.9]
    found = {
        weights: grouped_roc_auc(y, proba, list("aabb"), [3, 1, 2, 4], weights=weights)
        for weights in ("impressions", "users", "positives")
    }
    # Only group a is in order: rows of weight 4 of 10, mean 2 of 5, positives 3 of 5.
    assert found == pytest.approx({"impressions": 0.4, "users": 0.4, "positives": 0.6})


@pytest.mark.parametrize("weights", ["impressions", "users", "positives"])
def test_positive_class_by_name(weights):
    y, proba, groups, _ = impressions(200, 15)
    expected = grouped_roc_auc(y, proba, groups, weights=weights)
    both = np.column_stack([proba, 1 - proba])
    text = np.where(y, "churn", "stay")
    for scores in (proba, both):
        found = grouped_roc_auc(
            text, scores, groups, weights=weights, pos_label="churn"
        )
        assert found == pytest.approx(expected)


def test_class_that_nothing_names_is_taken_with_a_warning_where_it_matters():
    y, proba, groups, _ = impressions(200, 15)
    text, both = np.where(y, "churn", "stay"), np.column_stack([proba, 1 - proba])
    # The area of both classes' probabilities does not depend on the positive one.
    expected = grouped_roc_auc(y, proba, groups)
    assert grouped_roc_auc(text, both, groups) == pytest.approx(expected)
    message = r"\['churn', 'stay'\].* positive: 'stay'.*pos_label='churn'"
    with pytest.warns(PositiveClassWarning, match=message):
        assert grouped_roc_auc(text, 1 - proba, groups) == pytest.approx(expected)
    with pytest.warns(PositiveClassWarning, match="pos_label"):
        grouped_roc_auc(text, both, groups, weights="positives")


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
        ({"groups": ["a", None, "a"]}, r"every labelled row; found missing"),
        ({"y": [0, 1, 2]}, r"two classes; found 3: \[0, 1, 2\]"),
        ({"y": np.zeros((3, 2))}, r"y must hold one task; found 2 columns"),
        ({"proba": [0.1, 0.2]}, r"shape \(3,\) or \(3, 2\); found shape \(2,\)"),
        ({"proba": [0.1, np.inf, 0.2]}, r"finite numbers"),
        ({"proba": ["a", "b", "c"]}, r"finite numbers .* found values such as 'a'"),
        ({"sample_weight": [1, -1, 1]}, r"not be negative"),
        ({"weights": "clicks"}, r"one of \['impressions', 'users', .* found 'clicks'"),
        ({"weights": [1, 2, 3]}, r"weights of rows are sample_weight"),
        ({"pos_label": 2}, r"one of the classes \[0, 1\] of 'y'; found 2"),
        ({"pos_label": [1]}, r"pos_label must be one label; found \[1\]"),
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

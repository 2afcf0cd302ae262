"""NDCG, recall and hit rate within groups, beside scikit-learn and plain loops."""

import itertools
import time

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import ndcg_score

from sk_mtl.exceptions import PositiveClassWarning
from sk_mtl.metrics import grouped_hit_rate_at_k, grouped_ndcg, grouped_recall_at_k

METRICS = [grouped_ndcg, grouped_recall_at_k, grouped_hit_rate_at_k]
every_metric = pytest.mark.parametrize("metric", METRICS, ids=lambda m: m.__name__)


def dcg_of(gain, k):
    return sum(g / np.log2(place + 2) for place, g in enumerate(gain[:k]))


def ndcg_of(y, weight, k):
    gain = y * weight
    best = dcg_of(sorted(gain, reverse=True), k)
    return dcg_of(gain, k) / best if best else np.nan


def recall_of(y, weight, k):
    total = (y * weight).sum()
    return (y * weight)[:k].sum() / total if total else np.nan


def hit_of(y, weight, k):
    return float(y[:k].any()) if y.any() else np.nan


ONE_ORDER = dict(zip(METRICS, [ndcg_of, recall_of, hit_of]))


def by_loop(metric, y, score, groups, k, weight=None, average="groups"):
    """Mean over groups of the mean over all orders that agree with the scores."""
    weight = np.ones(len(y)) if weight is None else np.asarray(weight, float)
    values, sizes = [], []
    for group in np.unique(groups):
        rows = np.flatnonzero((groups == group) & (weight > 0))
        if not len(rows):
            continue
        orders = [
            np.array(order)
            for order in itertools.permutations(rows)
            if (np.diff(score[list(order)]) <= 0).all()
        ]
        values.append(np.mean([ONE_ORDER[metric](y[o], weight[o], k) for o in orders]))
        size = weight[rows].sum()
        sizes.append(size if average == "rows" else size / len(rows))
    defined = ~np.isnan(values)
    return np.average(np.array(values)[defined], weights=np.array(sizes)[defined])


def small_groups(seed, n_scores=3, grades=2):
    """Groups of one to six rows, most of them with ties."""
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(25), rng.integers(1, 7, 25))
    rng.shuffle(groups)
    n = len(groups)
    return rng.integers(0, grades, n), rng.integers(0, n_scores, n), groups, rng


@pytest.mark.parametrize(
    ("metric", "k", "value"),
    [
        # Group a has places 0, 1, 1 and group b 1, 0: group c has no positive row.
        (grouped_ndcg, 3, ((1 / np.log2(3) + 0.5) / (1 + 1 / np.log2(3)) + 1) / 2),
        (grouped_ndcg, 1, (0 + 1) / 2),
        (grouped_recall_at_k, 2, (0.5 + 1) / 2),
        (grouped_recall_at_k, 9, 1),
        (grouped_hit_rate_at_k, 1, (0 + 1) / 2),
        (grouped_hit_rate_at_k, 2, 1),
    ],
)
def test_small_groups_worked_by_hand(metric, k, value):
    y = [0, 1, 1, 1, 0, 0]
    score = [0.9, 0.8, 0.1, 0.7, 0.6, 0.5]
    groups = ["a", "a", "a", "b", "b", "c"]
    assert metric(y, score, groups, k) == pytest.approx(value, abs=1e-15)


def test_ties_worked_by_hand():
    # Two positives and a negative share three places.
    args = [1, 1, 0], [0.5, 0.5, 0.5], [7, 7, 7]
    assert grouped_recall_at_k(*args, k=1) == pytest.approx(1 / 3)
    assert grouped_hit_rate_at_k(*args, k=1) == pytest.approx(2 / 3)
    assert grouped_hit_rate_at_k(*args, k=2) == 1
    assert grouped_ndcg(*args, k=1) == pytest.approx(2 / 3)


@every_metric
@pytest.mark.parametrize("average", ["groups", "rows"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("k", [1, 2, 4, 20])
def test_equals_a_loop_over_groups_and_orders(metric, k, weighted, average):
    y, score, groups, rng = small_groups(k)
    weight = rng.integers(0, 3, len(y)) * rng.random(len(y)) if weighted else None
    found = metric(y, score, groups, k, sample_weight=weight, average=average)
    expected = by_loop(metric, y, score, groups, k, weight, average)
    assert found == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("k", [None, 1, 3, 5, 100])
@pytest.mark.parametrize("grades", [2, 5])
@pytest.mark.parametrize("n_scores", [1, 4, 10**9])
def test_ndcg_equals_sklearn_group_by_group(n_scores, grades, k):
    rng = np.random.default_rng(0)
    y, score = rng.integers(0, grades, 400), rng.integers(0, n_scores, 400)
    groups = rng.integers(0, 30, 400)
    expected = []
    for group in range(30):
        rows = groups == group
        expected.append(ndcg_score([y[rows]], [score[rows]], k=k))
        one = grouped_ndcg(y[rows], score[rows], groups[rows], k)
        assert one == pytest.approx(expected[-1], rel=1e-12)
    found = grouped_ndcg(y, score, groups, k)
    assert found == pytest.approx(np.mean(expected), rel=1e-12)


def test_ndcg_of_relevances_that_are_no_whole_numbers():
    y, score, groups, rng = small_groups(3)
    y = y * rng.random(len(y))
    found = grouped_ndcg(y, score, groups, 3)
    assert found == pytest.approx(by_loop(grouped_ndcg, y, score, groups, 3))


def test_perfect_and_reversed_order():
    y = np.array([3.0, 2, 1, 0] * 5)
    groups = np.repeat(np.arange(5), 4)
    assert grouped_ndcg(y, y, groups) == pytest.approx(1, abs=1e-15)
    worst = grouped_ndcg(y, -y, groups)
    assert worst == pytest.approx(dcg_of([0, 1, 2, 3], 4) / dcg_of([3, 2, 1, 0], 4))


@every_metric
def test_rows_of_different_groups_are_not_compared(metric):
    y, score, groups, rng = small_groups(0)
    shifted = score + rng.normal(size=25)[groups] * 100
    expected = metric(y, score, groups, 2)
    assert metric(y, shifted, groups, 2) == pytest.approx(expected, rel=1e-12)


@every_metric
def test_order_of_rows_does_not_matter(metric):
    y, score, groups, rng = small_groups(1)
    p = rng.permutation(len(y))
    found = metric(y[p], score[p], groups[p], 2)
    assert found == pytest.approx(metric(y, score, groups, 2), rel=1e-13)


@every_metric
def test_rows_without_a_label_take_no_place_and_may_lack_a_group(metric):
    y, score, groups, rng = small_groups(2)
    known = rng.random(len(y)) < 0.7
    expected = metric(y[known], score[known], groups[known], 2)
    labels, users = np.where(known, y, np.nan), np.where(known, groups, np.nan)
    assert metric(labels, score, groups, 2) == expected
    assert metric(labels, score, users, 2) == expected
    assert metric(y, score, groups, 2, sample_weight=known) == expected


@every_metric
def test_all_ones_equals_no_weight_and_scale_does_not_matter(metric):
    y, score, groups, rng = small_groups(4)
    plain = metric(y, score, groups, 2)
    assert metric(y, score, groups, 2, np.ones(len(y))) == plain
    weight = rng.random(len(y))
    found = metric(y, score, groups, 2, weight * 8)
    assert found == pytest.approx(metric(y, score, groups, 2, weight), rel=1e-12)


@every_metric
def test_weights_that_are_the_same_within_a_group_weigh_the_groups(metric):
    y = np.array([1, 0, 1, 0])
    score, groups = np.array([0.9, 0.1, 0.1, 0.9]), np.array(["a", "a", "b", "b"])
    # The first group is right in its first place, the second one wrong.
    assert metric(y, score, groups, 1, [3, 3, 1, 1]) == 0.75


@every_metric
def test_labels_scores_and_groups_of_any_form(metric):
    y, score, groups, _ = small_groups(5)
    score = score / 3
    expected = metric(y, score, groups, 2)
    both = np.column_stack([1 - score, score])
    names = np.array([f"user {g}" for g in groups])
    for labels in (y.astype(bool), y.astype(float), np.where(y, "yes", "no"), y * 3):
        found = metric(labels, both, names, 2, pos_label=max(labels))
        assert found == pytest.approx(expected, rel=1e-13)
    frame = pd.DataFrame({"y": y, "user": pd.Categorical(names)}, index=score)
    found = metric(frame["y"], score, frame["user"], 2)
    assert found == pytest.approx(expected, rel=1e-13)
    assert metric(y.tolist(), score.tolist(), groups.tolist(), 2) == expected
    assert metric(pl.Series(y), pl.Series(score), pl.Series(groups), 2) == expected


@every_metric
def test_positive_class_that_sorts_first(metric):
    y, score, groups, _ = small_groups(5)
    score = score / 3
    expected = metric(y, score, groups, 2)
    text, both = np.where(y, "clicked", "none"), np.column_stack([score, 1 - score])
    for scores in (score, both):
        found = metric(text, scores, groups, 2, pos_label="clicked")
        assert found == pytest.approx(expected, rel=1e-13)
    swapped = metric(1 - y, both, groups, 2, pos_label=0)
    assert swapped == pytest.approx(expected, rel=1e-13)
    message = rf"{metric.__name__} needs .*\['clicked', 'none'\].* positive: 'none'"
    with pytest.warns(PositiveClassWarning, match=message) as record:
        taken = metric(text, both, groups, 2)
    assert record[0].filename == __file__
    assert taken == pytest.approx(metric(1 - y, 1 - score, groups, 2), rel=1e-13)


@every_metric
def test_rows_that_lack_the_positive_class(metric):
    with pytest.warns(UndefinedMetricWarning, match="no group holds"):
        assert np.isnan(metric(["no"] * 2, [0.1, 0.2], [1, 1], 1, pos_label="yes"))
    assert metric(["yes"] * 2, [0.1, 0.2], [1, 1], 2, pos_label="yes") == 1


@every_metric
@pytest.mark.parametrize("y", [[0, 0, 0], [np.nan] * 3, ["a"] * 3])
def test_no_group_with_a_positive_row_is_nan_and_warns(metric, y):
    message = rf"{metric.__name__} is undefined and NaN: no group holds a .*row"
    with pytest.warns(UndefinedMetricWarning, match=message) as record:
        assert np.isnan(metric(y, [0.1, 0.2, 0.3], ["a", "a", "b"], 1))
    assert record[0].filename == __file__


@every_metric
@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"groups": [1, 1]}, r"one entry per row of y \(3\); found 2"),
        ({"groups": ["a", None, "a"]}, r"every labelled row; found missing"),
        ({"y_true": np.zeros((3, 2))}, r"y_true must hold one task; found 2 columns"),
        ({"y_score": [0.1, 0.2]}, r"y_score .*\(3,\) or \(3, 2\); found shape \(2,\)"),
        ({"y_score": [0.1, np.nan, 0.2]}, r"y_score must hold finite numbers"),
        ({"sample_weight": [1, -1, 1]}, r"not be negative"),
        ({"k": 0}, r"k must be a whole number of at least 1; found 0"),
        ({"k": 1.5}, r"k must be a whole number of at least 1; found 1\.5"),
        ({"average": "mean"}, r"average must be 'groups' or 'rows'; found 'mean'"),
    ],
)
def test_bad_input_says_required_found_remedy(metric, kwargs, message):
    given = {"y_true": [0, 1, 0], "y_score": [0.1, 0.2, 0.3], "groups": list("aab")}
    with pytest.raises(ValueError, match=message):
        metric(**{**given, "k": 1, **kwargs})


def test_labels_that_cannot_be_ranked_raise():
    args = [0.1, 0.2, 0.3], list("aab"), 1
    with pytest.raises(ValueError, match=r"finite relevances >= 0; found -1\.0"):
        grouped_ndcg([0, -1, 2], *args)
    with pytest.raises(ValueError, match=r"y_true must hold two classes; found 3"):
        grouped_ndcg([0, 1, 2], *args, pos_label=2)
    for metric in (grouped_recall_at_k, grouped_hit_rate_at_k):
        with pytest.raises(ValueError, match=r"two classes; found 3: \[0, 1, 2\]"):
            metric([0, 1, 2], *args)
        with pytest.raises(
            ValueError, match=r"one of the classes \[0, 1\] of 'y_true'"
        ):
            metric([0, 1, 1], *args, pos_label="a")
        with pytest.raises(ValueError, match="k must be a whole number"):
            metric([0, 1, 1], *args[:2], None)


@pytest.mark.slow
@every_metric
def test_a_million_rows_of_a_hundred_thousand_users_take_two_seconds(metric):
    rng = np.random.default_rng(0)
    y, score = rng.integers(0, 2, 10**6), rng.random(10**6)
    groups = rng.integers(0, 10**5, 10**6)
    start = time.perf_counter()
    metric(y, score, groups, 10)
    assert time.perf_counter() - start < 2

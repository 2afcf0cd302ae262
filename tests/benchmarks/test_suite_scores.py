"""Scores of the suite's tasks, and how models are compared by them."""

import numpy as np
import pandas as pd
import pytest
from _suite import SuiteTable, Task
from _suite_scores import (
    bootstrap_interval,
    common_runs,
    normalise,
    over_tasks,
    rank_models,
    score_answers,
    score_classes,
    score_numbers,
    summarise_gaps,
)
from sklearn.metrics import d2_tweedie_score, log_loss, roc_auc_score

BINARY, MULTICLASS = Task("b", "binary"), Task("m", "multiclass")


def two_columns(positive):
    return np.column_stack([1 - np.asarray(positive), positive])


def test_scores_of_two_classes():
    y, p = np.array([0, 0, 1, 1]), two_columns([0.1, 0.4, 0.35, 0.8])
    scores = score_classes(BINARY, y, p, pd.Series([0, 1]))
    assert scores["main"] == 0.75
    assert scores["log_loss"] == pytest.approx(log_loss(y, p))
    assert scores["skill"] == pytest.approx(1 - log_loss(y, p) / np.log(2))
    # One row a bin: the mean of .1, .4, .65 and .2.
    assert scores["ece"] == pytest.approx(0.3375)


def test_auc_of_classes_is_the_mean_one_against_the_rest():
    rng = np.random.default_rng(0)
    y = rng.choice(["a", "b", "c"], 60)
    p = rng.dirichlet(np.ones(3), 60)
    scores = score_classes(MULTICLASS, y, p, pd.Series(["c", "a", "b"]))
    expected = roc_auc_score(y, p, multi_class="ovr", average="macro")
    assert scores["main"] == pytest.approx(expected)
    assert "ece" not in scores


def test_class_without_test_rows_does_not_count_in_the_auc():
    y, p = np.array(["a", "b"]), np.array([[0.8, 0.1, 0.1], [0.2, 0.7, 0.1]])
    scores = score_classes(MULTICLASS, y, p, pd.Series(["a", "b", "c"]))
    assert scores["main"] == 1


def test_class_without_training_rows_does_not_count_in_the_log_loss():
    y, p = np.array(["a", "b", "z"]), np.full((3, 2), 0.5)
    scores = score_classes(MULTICLASS, y, p, pd.Series(["a", "b"]))
    assert scores["log_loss"] == pytest.approx(np.log(2))
    assert scores["skill"] == pytest.approx(0)


def test_one_class_in_training_is_a_constant():
    scores = score_classes(BINARY, np.array([0, 1]), np.ones((2, 1)), pd.Series([0, 0]))
    assert scores["main"] == 0.5
    assert np.isnan(scores["skill"])


def test_auc_without_both_classes_in_the_test_part_is_missing():
    p = two_columns([0.2, 0.4])
    scores = score_classes(BINARY, np.zeros(2), p, pd.Series([0, 1]))
    assert np.isnan(scores["main"])


def test_score_of_counts_is_the_share_of_the_deviance():
    y, answer = np.array([0.0, 1.0, 5.0]), np.array([0.5, 1.0, 4.0])
    score = score_numbers(Task("c", "poisson"), y, answer, y.mean())
    assert score == pytest.approx(d2_tweedie_score(y, answer, power=1))


def test_score_of_amounts_is_their_order():
    y, task = np.array([0.0, 0.0, 1.0, 10.0]), Task("v", "ziln")
    assert score_numbers(task, y, 3 * y, 0.0) == 1
    # Sums of the amounts from the largest answer to the least: 0, 0, 1/11, 1, less one
    # half; in the best order 10/11, 1, 1, 1.
    reverse = (12 / 11 / 4 - 0.5) / (43 / 11 / 4 - 0.5)
    assert score_numbers(task, y, -y, 0.0) == pytest.approx(reverse)


def test_rows_without_a_label_are_not_scored():
    y = pd.DataFrame({"b": [0, 1, 0, 1, np.nan], "r": [1.0, 2.0, np.nan, 1.0, 3.0]})
    tasks = BINARY, Task("r", "regression")
    table = SuiteTable("t", tasks, y, y, "random")
    answers = [two_columns([0.9, 0.1, 0.2]), np.array([100.0, 1.0, 3.0])]
    scores = score_answers(table, np.arange(2), np.arange(2, 5), answers)
    assert scores.loc["b", "main"] == 0
    assert scores.loc["r", "main"] == 1
    assert scores["ece"].isna().tolist() == [False, True]


def test_common_runs_are_of_every_model():
    frame = pd.DataFrame(
        {
            "model": ["a", "b", "a", "c", "a", "b"],
            "table": ["s", "s", "s", "s", "t", "t"],
            "repeat": [0, 0, 1, 0, 0, 0],
        }
    )
    assert common_runs(frame, ["a", "b"]).index.tolist() == [0, 1, 4, 5]
    assert common_runs(frame, ["a", "c"]).index.tolist() == [0, 3]


def means_of(**models):
    index = pd.MultiIndex.from_tuples(
        [("s", "one"), ("s", "two"), ("t", "one")], names=["table", "task"]
    )
    return pd.DataFrame(models, index=index)


def test_normalised_scores_lie_between_a_constant_and_the_best():
    means = means_of(a=[0.9, 0.8, -0.2], b=[0.7, 0.4, -0.1])
    constant = pd.Series([0.5, 0.0, 0.0], index=means.index)
    found = normalise(means, constant)
    assert found["a"].tolist()[:2] == pytest.approx([1, 1])
    assert found["b"].tolist()[:2] == pytest.approx([0.5, 0.5])
    # Nobody has learnt anything of the last task.
    assert found.iloc[2].isna().all()


def test_worse_than_a_constant_counts_as_a_constant():
    means = means_of(a=[0.9, 0.8, 0.5], b=[0.4, -3.0, 0.5])
    found = normalise(means, pd.Series([0.5, 0.0, 0.0], index=means.index))
    assert found["b"].tolist() == [0, 0, 1]


def test_ranks_start_at_the_best_and_share_ties():
    means = means_of(a=[0.9, 0.8, 0.5], b=[0.4, 0.9, 0.5], c=[0.5, 0.1, 0.4])
    ranks = rank_models(means)
    assert ranks.to_numpy().tolist() == [[1, 3, 2], [2, 1, 3], [1.5, 1.5, 3]]
    assert over_tasks(ranks).loc["s"].tolist() == [1.5, 2, 2.5]


def test_bootstrap_interval_draws_tables():
    assert bootstrap_interval(pd.Series([0.5] * 6)) == (0.5, 0.5)
    low, high = bootstrap_interval(pd.Series([0.0, 1.0] * 50))
    # Of a mean of 100 coins: .5 ± 1.96 × .05.
    assert (low, high) == pytest.approx((0.402, 0.598), abs=0.01)


def test_gaps_are_clipped_in_the_mean_alone():
    gaps = pd.Series({"s": 0.5, "t": -0.001, "u": -0.08})
    found = summarise_gaps(gaps)
    assert found["mean"] == pytest.approx(-0.001 / 3)
    assert (found["worst"], found["worst table"]) == (-0.08, "u")
    assert (found["not behind"], found["tables"]) == (2, 3)

"""Folds in which every class of every task has its share."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import (
    BaseCrossValidator,
    StratifiedKFold,
    cross_val_score,
    cross_validate,
)

from sk_mtl.model_selection import TaskStratifiedKFold


def table(n_samples=203, seed=0):
    """Classes of several types, a rare one, and gaps."""
    rng = np.random.default_rng(seed)
    y = pd.DataFrame(
        {
            "click": rng.integers(0, 2, n_samples),
            "segment": rng.choice(["a", "b", "c"], n_samples, p=[0.6, 0.35, 0.05]),
            "churn": rng.choice([True, False], n_samples),
        }
    ).astype({"segment": object})
    y.loc[rng.random(n_samples) < 0.3, "segment"] = None
    y["rare"] = 0.0
    y.loc[rng.choice(n_samples, 5, replace=False), "rare"] = 1.0
    return y


def held_out_rows(y, groups=None, **options):
    X = np.zeros((len(y), 1))
    return [t for _, t in TaskStratifiedKFold(**options).split(X, y, groups)]


@pytest.mark.parametrize("shuffle", [False, True])
def test_folds_are_a_partition_of_equal_sizes(shuffle):
    y = table()
    tests = held_out_rows(y, shuffle=shuffle, random_state=0 if shuffle else None)
    assert sorted(np.concatenate(tests)) == list(range(203))
    assert [len(test) for test in tests] == [41, 41, 41, 40, 40]
    for train, test in TaskStratifiedKFold().split(y, y):
        assert sorted([*train, *test]) == list(range(203))


@pytest.mark.parametrize("shuffle", [False, True])
def test_each_class_and_each_gap_is_spread_evenly(shuffle):
    y = table()
    for test in held_out_rows(y, shuffle=shuffle, random_state=1 if shuffle else None):
        fold = y.iloc[test]
        assert fold["rare"].sum() == 1
        for name in y:
            counts = y[name].value_counts(dropna=False) / 5
            found = fold[name].value_counts(dropna=False)
            assert (counts - found.reindex(counts.index, fill_value=0)).abs().max() < 2


def test_one_task_is_as_even_as_scikit_learn():
    y = np.random.default_rng(0).choice(4, 501, p=[0.7, 0.2, 0.09, 0.01])
    for own, other in zip(
        held_out_rows(y), (t for _, t in StratifiedKFold().split(y, y)), strict=True
    ):
        counts = [np.bincount(y[test], minlength=4) for test in (own, other)]
        assert np.abs(counts[0] - counts[1]).max() <= 1


@pytest.mark.parametrize(
    "container",
    [pl.from_pandas, pa.Table.from_pandas, lambda y: y.to_numpy().tolist()],
)
def test_containers_give_the_same(container):
    y = table()[["click", "segment"]]
    for found, expected in zip(
        held_out_rows(container(y)), held_out_rows(y), strict=True
    ):
        np.testing.assert_array_equal(found, expected)


def test_of_numbers_with_fractions_the_gaps_are_spread():
    y = np.random.default_rng(0).normal(size=(100, 2))
    y[:10, 1] = np.nan
    assert [np.isnan(y[test, 1]).sum() for test in held_out_rows(y)] == [2] * 5


def test_groups_stay_together():
    y, rng = table(600), np.random.default_rng(0)
    groups = rng.choice([*"abcdefghijklmnopqrstuvwxyz", 1, 2, 3], 600).astype(object)
    tests = held_out_rows(y, groups)
    assert sorted(np.concatenate(tests)) == list(range(600))
    for test in tests:
        assert not set(groups[test]) & set(np.delete(groups, test))
        assert abs(len(test) - 120) < 20
        assert abs(y["click"].iloc[test].sum() - y["click"].sum() / 5) < 20


def test_random_state_decides():
    y = table()
    first, again, other = (
        held_out_rows(y, shuffle=True, random_state=seed) for seed in (0, 0, 1)
    )
    assert [t.tolist() for t in first] == [t.tolist() for t in again]
    assert [t.tolist() for t in first] != [t.tolist() for t in other]


def test_it_is_a_splitter_of_scikit_learn():
    splitter = TaskStratifiedKFold(3, shuffle=True, random_state=7)
    assert isinstance(splitter, BaseCrossValidator)
    assert repr(splitter) == (
        "TaskStratifiedKFold(n_splits=3, random_state=7, shuffle=True)"
    )
    assert repr(clone(splitter, safe=False)) == repr(splitter)
    assert splitter.get_n_splits() == splitter.get_n_splits(None, None, None) == 3
    X = np.random.default_rng(0).normal(size=(60, 2))
    assert len(cross_val_score(LinearRegression(), X, X, cv=splitter)) == 3
    with config_context(enable_metadata_routing=True):
        groups = {"groups": np.arange(60) // 2}
        cross_validate(LinearRegression(), X, X, cv=splitter, params=groups)


@pytest.mark.parametrize(
    ("n_splits", "groups", "message"),
    [
        (1, None, "n_splits must be an integer >= 2; found 1. Give a number of folds."),
        (
            2.5,
            None,
            "n_splits must be an integer >= 2; found 2.5. Give a number of folds.",
        ),
        (
            7,
            None,
            "n_splits=7 folds need at least as many rows; found 6. Take fewer folds.",
        ),
        (
            3,
            [0, 0, 0, 1, 1, 1],
            "n_splits=3 folds need at least as many groups; found 2. Take fewer folds.",
        ),
        (
            2,
            [[0, 1]] * 6,
            "groups must hold one group per row, of shape (n_samples,); found shape "
            "(6, 2). Give one column, or join several into one, for instance by "
            "frame.groupby(columns).ngroup().",
        ),
    ],
)
def test_what_cannot_be_split_is_refused(n_splits, groups, message):
    y = np.arange(6) % 2
    with pytest.raises(ValueError) as caught:
        list(TaskStratifiedKFold(n_splits).split(y, y, groups))
    assert str(caught.value) == message


def test_labels_are_needed():
    with pytest.raises(ValueError, match="the target y is None"):
        list(TaskStratifiedKFold().split(np.zeros((6, 1)), None))

"""Which rows train, and which tell when to stop."""

from collections import Counter

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import (
    GroupKFold,
    GroupShuffleSplit,
    KFold,
    PredefinedSplit,
    ShuffleSplit,
    StratifiedKFold,
    TimeSeriesSplit,
)

from sk_mtl import MMOEClassifier
from sk_mtl._stratification import joint_labels
from sk_mtl.estimators._rows._splitting import validation_rows
from tests.estimators.common import QUICK, assert_equal_proba, mixed_table


def split(codes, method="random", *, fraction=0.1, groups=None, seed=0, X=None):
    codes = np.asarray(codes, dtype=float)
    X = codes if X is None else X
    return validation_rows(
        method, codes, X, fraction=fraction, groups=groups, seed=seed
    )


def assert_parts(train, valid, n_samples):
    assert sorted([*train, *valid]) == list(range(n_samples))


@pytest.fixture
def codes():
    rng = np.random.default_rng(0)
    return rng.choice(2, size=(1000, 3), p=[0.7, 0.3]).astype(float)


def test_random_parts_share_the_rows(codes):
    train, valid = split(codes, fraction=0.2)
    assert_parts(train, valid, 1000)
    assert len(valid) == 200


def test_random_part_is_stratified_over_the_joint_labels(codes):
    _, valid = split(codes, fraction=0.1)
    joint = joint_labels(codes.astype(int))
    everywhere, held_out = Counter(joint.tolist()), Counter(joint[valid].tolist())
    for label, count in everywhere.items():
        assert abs(held_out[label] - 0.1 * count) < 1


def test_random_part_follows_the_seed(codes):
    first, again = split(codes, seed=1)[1], split(codes, seed=1)[1]
    np.testing.assert_array_equal(first, again)
    assert set(first.tolist()) != set(split(codes, seed=2)[1].tolist())


def test_a_gap_is_a_stratum_of_its_own(codes):
    codes[:500, 1] = np.nan
    codes[200:700, 2] = np.nan
    train, valid = split(codes)
    assert_parts(train, valid, 1000)
    assert abs(np.isnan(codes[valid, 1]).mean() - 0.5) < 0.02


def test_rare_combinations_never_fail():
    rng = np.random.default_rng(0)
    for n_samples in (2, 3, 5, 10, 50, 300):
        for n_classes in (2, 3, 40):
            for fraction in (0.01, 0.1, 0.5, 0.9):
                table = rng.integers(0, n_classes, size=(n_samples, 3)).astype(float)
                table[rng.random(table.shape) < 0.3] = np.nan
                if max(1, round(fraction * n_samples)) < n_samples:
                    train, valid = split(table, fraction=fraction)
                    assert_parts(train, valid, n_samples)
                    assert len(train)
                    assert len(valid)


def test_a_single_rare_row_leaves_the_others_stratified():
    table = np.zeros((100, 1))
    table[:40] = 1
    table[0] = 2
    _, valid = split(table)
    assert len(valid) == 10
    assert abs((table[valid] == 1).sum() - 4) <= 1


@pytest.mark.parametrize("seed", range(5))
def test_each_class_of_each_task_is_on_both_sides(seed):
    rng = np.random.default_rng(seed)
    table = rng.integers(0, 2, size=(300, 4)).astype(float)
    table[rng.choice(300, 2, replace=False), 0] = 2
    table[rng.choice(300, 5, replace=False), 2] = 3
    table[rng.random(table.shape) < 0.1] = np.nan
    train, valid = split(table, seed=seed)
    assert_parts(train, valid, 300)
    assert len(valid) == 30
    for column in table.T:
        classes, counts = np.unique(column[~np.isnan(column)], return_counts=True)
        assert set(classes) <= set(column[train])
        assert set(classes[counts > 1]) <= set(column[valid])


def test_a_single_row_of_a_class_trains():
    for seed in range(20):
        table = np.zeros((20, 2))
        table[7, 1] = 1
        train, _ = split(table, seed=seed, fraction=0.5)
        assert 7 in train


def test_groups_leave_a_class_to_training():
    """Two groups have the rare class; one of them is held out."""
    table = np.zeros((600, 1))
    groups = np.arange(600) // 10
    table[[5, 15]] = 1
    for seed in range(10):
        train, valid = split(table, groups=groups, seed=seed)
        assert table[train].sum() == table[valid].sum() == 1
        assert set(groups[train]).isdisjoint(groups[valid])
        assert 30 <= len(valid) <= 90


def test_one_row_cannot_be_split():
    for method in ("random", "last"):
        with pytest.raises(ValueError) as caught:
            split([[1.0]], method)
        assert str(caught.value) == (
            "Early stopping needs a row for training besides those for validation; "
            "found validation_fraction=0.1 of 1 rows. Give more rows, a smaller "
            "fraction, or early_stopping=False."
        )


@pytest.mark.parametrize("kind", [int, str])
def test_groups_stay_together(codes, kind):
    groups = np.repeat(np.arange(50), 20).astype(kind)
    groups = np.random.default_rng(0).permutation(groups)
    train, valid = split(codes, groups=groups, fraction=0.2)
    assert_parts(train, valid, 1000)
    assert set(groups[train]).isdisjoint(groups[valid])
    assert len(set(groups[valid])) == 10


def test_two_groups_are_enough_and_one_is_not(codes):
    train, valid = split(codes, groups=np.arange(1000) < 300)
    assert (len(train), len(valid)) == (700, 300)
    with pytest.raises(ValueError) as caught:
        split(codes, groups=np.zeros(1000))
    assert str(caught.value) == (
        "groups must hold at least two groups, so that one can be held out for "
        "validation; found one. Give X_val and y_val, or set early_stopping=False."
    )


@pytest.mark.parametrize("seed", range(6))
def test_groups_of_uneven_size_leave_most_rows_to_training(codes, seed):
    two = np.arange(1000) < 50
    assert split(codes, groups=two, seed=seed)[1].tolist() == list(range(50))
    halves = np.minimum(np.arange(1000) // 10, 50)
    train, valid = split(codes, groups=halves, seed=seed)
    assert len(valid) == 100
    assert set(halves[train]).isdisjoint(halves[valid])
    others = split(codes, groups=halves, seed=seed + 6)[1]
    assert valid.tolist() != others.tolist()


def test_last_takes_the_last_rows(codes):
    train, valid = split(codes, "last", fraction=0.3)
    np.testing.assert_array_equal(train, np.arange(700))
    np.testing.assert_array_equal(valid, np.arange(700, 1000))


def test_stratified_folds_see_the_joint_labels(codes):
    train, valid = split(codes, StratifiedKFold(5))
    assert_parts(train, valid, 1000)
    joint = joint_labels(codes.astype(int))
    for label, count in Counter(joint.tolist()).items():
        assert abs((joint[valid] == label).sum() - count / 5) <= 1


def test_of_a_splitter_the_first_split_counts(codes):
    expected = next(KFold(4, shuffle=True, random_state=3).split(codes))
    found = split(codes, KFold(4, shuffle=True, random_state=3))
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a, b)
    fold = np.where(np.arange(1000) < 10, 0, -1)
    np.testing.assert_array_equal(split(codes, PredefinedSplit(fold))[1], np.arange(10))


def test_group_folds_get_the_groups(codes):
    groups = np.arange(1000) % 7
    train, valid = split(codes, GroupKFold(7), groups=groups)
    assert set(groups[train]).isdisjoint(groups[valid])


def test_time_series_validate_after_they_train(codes):
    train, valid = split(codes, TimeSeriesSplit(3))
    assert train.max() < valid.min()
    assert len(train) + len(valid) < 1000


class SeenRows(GroupShuffleSplit):
    """A splitter that remembers what it was handed."""

    def split(self, X, y=None, groups=None):
        type(self).seen = X, y, groups
        return super().split(X, y, groups)


def early(**options):
    settings = {**QUICK, "early_stopping": True, "max_epochs": 2, **options}
    return MMOEClassifier(**settings)


def test_a_splitter_sees_raw_rows_joint_labels_and_groups():
    X, y = mixed_table()
    groups = np.arange(len(X)) // 2
    early(validation_split=SeenRows(1, test_size=0.2)).fit(X, y, groups=groups)
    seen_X, seen_y, seen_groups = SeenRows.seen
    assert seen_X.columns.tolist() == X.columns.tolist()
    np.testing.assert_array_equal(seen_y, joint_labels(y.to_numpy()))
    np.testing.assert_array_equal(seen_groups, groups)


def test_a_splitter_without_a_state_follows_random_state():
    X, y = mixed_table()
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    first = early(validation_split=ShuffleSplit(1, test_size=0.2)).fit(X, y)
    again = early(validation_split=ShuffleSplit(1, test_size=0.2)).fit(X, y)
    assert_equal_proba(first.predict_proba(X), again.predict_proba(X))
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002


@pytest.mark.parametrize(
    ("method", "grouped"),
    [
        ("random", True),
        ("last", False),
        (StratifiedKFold(4), False),
        (GroupKFold(4), True),
        (TimeSeriesSplit(4), False),
    ],
)
def test_a_fit_takes_the_split(method, grouped):
    X, y = mixed_table()
    groups = np.arange(len(X)) // 3 if grouped else None
    model = early(validation_split=method).fit(X, y, groups=groups)
    assert model.history_["valid_loss"].notna().all()


def test_a_fit_with_gaps_and_rare_labels_does_not_fail():
    X, y = mixed_table(60)
    y = y.astype(float)
    y.iloc[::2, 0] = np.nan
    y.iloc[::3, 1] = np.nan
    early().fit(X, y)
    early(max_epochs=1).fit(X, y.assign(kind=np.arange(60) % 20))


def test_encoders_never_see_validation_rows():
    X, y = mixed_table()
    X = X.assign(age=np.where(np.arange(len(X)) >= 216, 1e6, X["age"]))
    X["town"] = X["town"].where(np.arange(len(X)) < 216, "Late")
    model = early(validation_split="last").fit(X, y)
    numbers = model.preprocessor_.named_transformers_["num"]
    assert numbers.scaler_.mean_[0] == pytest.approx(X["age"][:216].mean())
    (towns, _) = model.preprocessor_.named_transformers_["cat"].categories_
    assert towns.tolist() == ["Bonn", "Oslo", "Rome"]


def test_class_weights_never_see_validation_rows():
    X, y = mixed_table()
    # In the training part both classes of both tasks have as many rows.
    order = np.arange(len(X))
    y = pd.DataFrame({"a": order % 2, "b": (order // 2) % 2})
    y.iloc[200:] = 1
    options = {"validation_split": "last", "validation_fraction": 40 / 240}
    balanced = early(class_weight="balanced", **options).fit(X, y)
    plain = early(**options).fit(X, y)
    assert_equal_proba(balanced.predict_proba(X), plain.predict_proba(X))


# With so many "auto" holds rows out.
MANY_EPOCHS = {"early_stopping": "auto", "max_epochs": 11}


def unlabelled_tail():
    X, y = mixed_table()
    y = y.astype(float)
    y.iloc[200:] = np.nan
    return X, y


@pytest.mark.parametrize(
    ("table", "options", "groups", "reason"),
    [
        (mixed_table(), {}, np.zeros(240), "groups must hold at least two groups"),
        (
            unlabelled_tail(),
            {"validation_split": "last"},
            None,
            "The validation part of y must hold labels",
        ),
        (
            mixed_table(),
            {"validation_fraction": 0.9999},
            None,
            "Early stopping needs a row for training",
        ),
    ],
)
def test_auto_trains_on_all_rows_where_none_can_be_held_out(
    table, options, groups, reason
):
    X, y = table
    with pytest.raises(ValueError, match=f"^{reason}"):
        early(**options).fit(X, y, groups=groups)
    message = f'early_stopping="auto" holds out no row, and all of them train. {reason}'
    with pytest.warns(UserWarning, match=f"^{message}"):
        model = early(**MANY_EPOCHS, **options).fit(X, y, groups=groups)
    assert "valid_loss" not in model.history_


def test_groups_without_a_name_are_an_error_also_of_auto():
    X, y = mixed_table()
    groups = np.where(np.arange(240) % 2, 1.0, np.nan)
    with pytest.raises(ValueError, match=r"^groups must name the group of every row"):
        early(**MANY_EPOCHS).fit(X, y, groups=groups)


def test_auto_holds_rows_out_for_what_is_to_be_monitored():
    X, y = mixed_table()
    plain = early(early_stopping="auto").fit(X, y)
    assert "valid_loss" not in plain.history_
    watched = early(early_stopping="auto", monitor="roc_auc").fit(X, y)
    assert watched.history_["valid_roc_auc"].notna().all()


def test_groups_must_be_as_many_as_rows():
    X, y = mixed_table()
    with pytest.raises(ValueError) as caught:
        early().fit(X, y, groups=[1, 2])
    assert str(caught.value) == (
        "X and groups must have the same number of samples; found: X has 240, groups "
        "has 2. Give one row of each per sample."
    )


def test_a_validation_part_without_labels_is_refused():
    X, y = mixed_table()
    y = y.astype(float)
    y.iloc[-50:] = np.nan
    with pytest.raises(ValueError) as caught:
        early(validation_split="last").fit(X, y)
    assert str(caught.value) == (
        "The validation part of y must hold labels with positive weight, to decide "
        "when to stop; found none. Give labelled validation rows, or set "
        "early_stopping=False."
    )

"""Rows that stay held out, and classes that no training row has."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import GroupKFold, TimeSeriesSplit

from sk_mtl import MMOEClassifier, MMOERegressor
from sk_mtl.estimators._rows._held_out import HeldOutRows
from sk_mtl.estimators._rows._labelled_rows import LabelledRows
from sk_mtl.estimators._rows._row_split import without_untrained_classes
from tests.estimators.common import QUICK, class_targets, mixed_table

SHORT = {**QUICK, "max_epochs": 1, "early_stopping": True}


def rows_of(X, groups=None):
    return LabelledRows(X, np.zeros((len(X), 1)), None, groups)


def held_out_of(X, valid, groups=None):
    train = np.setdiff1d(np.arange(len(X)), valid)
    return HeldOutRows.of(rows_of(X, groups), train, np.array(valid))


def found(held_out, X, groups=None, fraction=0.1):
    parts = held_out.find(rows_of(X, groups), fraction)
    return parts and [part.tolist() for part in parts]


def test_rows_of_an_array_are_known_by_their_position():
    X = np.zeros((6, 1))
    assert found(held_out_of(X, [1, 4]), X) == [[0, 2, 3, 5], [1, 4]]
    assert found(held_out_of(X, [1, 4]), np.zeros((8, 1))) == [
        [0, 2, 3, 5, 6, 7],
        [1, 4],
    ]


@pytest.mark.parametrize(
    "index",
    [
        list("abcdef"),
        [7, 3, 5, 0, 1, 2],
        pd.date_range("2024-01-01", periods=6),
        pd.MultiIndex.from_product([[0, 1], list("xyz")]),
    ],
)
def test_rows_of_a_frame_are_known_by_its_index(index):
    X = pd.DataFrame({"x": range(6)}, index=index)
    held_out = held_out_of(X, [1, 4])
    assert found(held_out, X[::-1]) == [[0, 2, 3, 5], [1, 4]]
    assert found(held_out, X[:3]) == [[0, 2], [1]]
    other = pd.DataFrame({"x": range(6)}, index=np.arange(100, 106))
    assert found(held_out, other) is None


def test_labels_of_an_index_that_repeat_are_no_names():
    X = pd.DataFrame({"x": range(4)}, index=[0, 0, 1, 1])
    assert found(held_out_of(X, [3]), X) == [[0, 1, 2], [3]]


def test_groups_that_were_held_out_are_known_again():
    X, groups = np.zeros((6, 1)), ["a", "a", 1, 1, "c", "c"]
    held_out = held_out_of(X, [2, 3], groups)
    assert found(held_out, np.zeros((4, 1)), [1, "b", 1, "a"]) == [[1, 3], [0, 2]]
    assert found(held_out, np.zeros((2, 1)), ["x", "y"]) is None


def test_rows_that_a_splitter_left_out_stay_out():
    X = np.zeros((6, 1))
    held_out = HeldOutRows.of(rows_of(X), np.array([0, 1]), np.array([2, 3]))
    assert found(held_out, X) == [[0, 1], [2, 3]]
    joined = held_out.joined(held_out_of(X, [5]))
    assert found(joined, X) == [[0, 1], [2, 3, 5]]


def test_few_rows_that_were_held_out_draw_a_warning():
    held_out = held_out_of(np.zeros((10, 1)), [9])
    message = (
        "A fit that continues validates on the rows that the first fit held out; found "
        "1 of them among 30 rows, less than half of validation_fraction=0.1. Give "
        "X_val and y_val, or fit a clone to hold out others."
    )
    with pytest.warns(UserWarning, match=f"^{re.escape(message)}$"):
        found(held_out, np.zeros((30, 1)))


def test_only_held_out_rows_cannot_train():
    held_out = held_out_of(np.zeros((4, 1)), [0, 1])
    with pytest.raises(ValueError) as caught:
        found(held_out, np.zeros((2, 1)))
    assert str(caught.value) == (
        "A fit that continues must have rows that the first fit did not hold out; "
        "found that all 2 rows were held out. Give other rows, or set "
        "early_stopping=False to train on these."
    )


def coin_flips(n_samples=300):
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"id": [f"u{i}" for i in range(n_samples)]})
    return X, pd.DataFrame(rng.integers(0, 2, (n_samples, 2)), columns=["a", "b"])


@pytest.mark.parametrize("change", ["nothing", "order", "rows", "array", "groups"])
def test_fits_that_continue_hold_out_the_same_rows(change):
    """Labels that nothing tells cannot be predicted in rows that never trained."""
    X, y = coin_flips()
    groups = {"groups": np.arange(300) // 2} if change == "groups" else {}
    if change == "array":
        X, y = X.to_numpy(), y.to_numpy()
    model = MMOEClassifier(
        random_state=0,
        warm_start=True,
        early_stopping=True,
        validation_fraction=0.3,
        max_epochs=8,
        n_iter_no_change=8,
        categorical_features=[0],
    )
    best = []
    for turn in range(3):
        rows = np.random.default_rng(turn).permutation(300)
        rows = rows if change == "order" else np.arange(300)
        rows = rows[: 300 - 20 * turn] if change == "rows" else rows
        X_now, y_now = (
            (X[rows], y[rows])
            if change == "array"
            else (
                X.iloc[rows],
                y.iloc[rows],
            )
        )
        model.fit(X_now, y_now, **groups)
        best.append(model.history_["valid_loss"].min())
    assert min(best) > 0.68


def test_other_rows_get_held_out_rows_of_their_own():
    X, y = mixed_table()
    model = MMOEClassifier(**SHORT, warm_start=True).fit(X, y)
    model.fit(X.set_axis(X.index + 1000), y)
    assert "valid_loss" in model.history_


def test_a_smaller_table_keeps_its_held_out_rows():
    """Of 200 rows "auto" holds out none, unless they were held out before."""
    X, y = coin_flips(2100)
    options = {**QUICK, "max_epochs": 1, "categorical_features": [0]}
    model = MMOEClassifier(**options, warm_start=True).fit(X, y)
    model.fit(X[:200], y[:200])
    assert "valid_loss" in model.history_
    small = MMOEClassifier(**options).fit(X[:200], y[:200])
    assert "valid_loss" not in small.history_


@pytest.mark.parametrize("change", ["early_stopping", "X_val"])
def test_held_out_rows_that_trained_after_all_draw_a_warning(change):
    X, y = mixed_table()
    model = MMOEClassifier(**SHORT, warm_start=True).fit(X, y)
    if change == "X_val":
        model.fit(X, y, X_val=X, y_val=y)
    else:
        model.set_params(early_stopping=False).fit(X, y)
        model.set_params(early_stopping=True)
    message = (
        "Validation rows must not have trained; found 24 that a fit between trained "
        "on, with X_val or without early stopping, so that they decide too late when "
        "to stop. Give X_val and y_val, or fit a clone."
    )
    with pytest.warns(UserWarning, match=f"^{re.escape(message)}$"):
        model.fit(X, y)
    model.fit(X.set_axis(X.index + 500), y, X_val=X, y_val=y)


def test_a_new_fit_forgets_what_was_held_out():
    X, y = mixed_table()
    model = MMOEClassifier(**{**SHORT, "random_state": None}).fit(X, y)
    before = model._state.held_out
    model.fit(X, y)
    assert before.valid.tolist() != model._state.held_out.valid.tolist()
    assert len(model._state.held_out.valid) == len(before.valid) == 24


def test_partial_fit_and_then_fit():
    X, y = mixed_table()
    model = MMOEClassifier(**SHORT, warm_start=True).partial_fit(X, y)
    assert "valid_loss" not in model.history_
    assert "valid_loss" in model.fit(X, y).history_


def test_a_splitter_leaves_the_same_rows_out():
    X, y = mixed_table()
    model = MMOEClassifier(
        **SHORT, warm_start=True, validation_split=TimeSeriesSplit(3)
    ).fit(X, y)
    before = model._state.held_out
    assert (len(before.valid), len(before.unused)) == (60, 120)
    model.set_params(validation_split="random").fit(X, y)
    np.testing.assert_array_equal(model._state.held_out.valid, before.valid)
    np.testing.assert_array_equal(model._state.held_out.unused, before.unused)


def late_segment(n_samples=300):
    X, y = mixed_table(n_samples)
    segment = np.where(np.arange(n_samples) % 2, "p", "q").astype(object)
    segment[-20:] = "new"
    return X, y[["buy"]].assign(seg=segment)


LATE = (
    "Every class of task 'seg' must be among the rows that train; found ['new'] among "
    "the validation rows alone, 20 of them. A class that is new there cannot be "
    "learnt, and its labels do not decide when to stop. Hold out other rows, for "
    'instance by validation_split="random", or set early_stopping=False.'
)


def test_a_class_only_among_the_held_out_rows_is_named():
    X, y = late_segment()
    with pytest.warns(UserWarning, match=f"^{re.escape(LATE)}$"):
        model = MMOEClassifier(**SHORT, validation_split="last").fit(X, y)
    assert model.classes_[1].tolist() == ["new", "p", "q"]


def test_labels_of_an_untrained_class_are_left_out():
    targets = class_targets(["buy", "seg"], [[0, 1], ["new", "p", "q"]])
    codes = np.array([[0, 1], [1, 2], [0, np.nan]])
    train = LabelledRows(np.zeros((3, 1)), codes, None)
    late = np.array([[0, 0], [1, 2], [np.nan, np.nan]])
    with pytest.warns(UserWarning, match=r"found \['new'\] .*, 1 of them\."):
        valid = without_untrained_classes(replace(train, codes=late), train, targets)
    np.testing.assert_array_equal(valid.codes, [[0, np.nan], [1, 2], [np.nan, np.nan]])
    unchanged = without_untrained_classes(train, train, targets)
    np.testing.assert_array_equal(unchanged.codes, codes)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (
            MMOEClassifier(),
            "Task 'seg' must have at least two classes among its labelled rows of "
            "positive weight; found only one class: [0]. Drop the task, or give rows "
            "of another class. Where other rows have one, name all classes by "
            "classes=.",
        ),
        (
            MMOERegressor(),
            "Task 'seg' must have labelled rows of positive weight; found none. Drop "
            "the task, or give rows that count.",
        ),
    ],
)
def test_too_little_left_for_training_is_refused(model, message):
    X, y = mixed_table()
    late = np.arange(240) >= 220
    unknown = 0 if isinstance(model, MMOEClassifier) else np.nan
    y = y.assign(seg=np.where(late, np.arange(240) % 2, unknown))
    model.set_params(**SHORT, validation_split="last")
    with pytest.raises(ValueError) as caught:
        model.fit(X, y)
    assert str(caught.value) == (
        f"Without the rows held out for validation too little is left. {message} Or "
        "hold out other rows (validation_split, validation_fraction), give X_val and "
        "y_val, or set early_stopping=False."
    )
    model.set_params(validation_split="random").fit(X, y)


def test_groups_of_several_columns_or_types():
    X, y = mixed_table()
    for groups, found in (
        (np.zeros((240, 2)), "(240, 2)"),
        (X[["town", "plan"]], "(240, 2), the columns ['town', 'plan']"),
        ([("a", 1)] * 240, "(240, 2)"),
        ("town", "()"),
    ):
        with pytest.raises(ValueError) as caught:
            MMOEClassifier(**SHORT).fit(X, y, groups=groups)
        assert str(caught.value) == (
            "groups must hold one group per row, of shape (n_samples,); found shape "
            f"{found}. Give one column, or join several into one, for instance by "
            "frame.groupby(columns).ngroup()."
        )
    mixed = [k // 2 if k % 4 < 2 else str(k // 2) for k in range(240)]
    for split in ("random", GroupKFold(4)):
        MMOEClassifier(**SHORT, validation_split=split).fit(X, y, groups=mixed)
    MMOEClassifier(**SHORT).fit(X, y, groups=X[["town"]])


@pytest.mark.parametrize(
    ("make", "make_val", "found"),
    [
        (pd.DataFrame, np.asarray, "only X has them"),
        (np.asarray, pd.DataFrame, "only X_val has them"),
    ],
)
def test_a_frame_beside_an_array_is_refused(make, make_val, found):
    X, y = mixed_table()
    X = X[["age", "visits"]]
    with pytest.raises(ValueError) as caught:
        MMOEClassifier(**SHORT).fit(make(X), y, X_val=make_val(X), y_val=y)
    assert str(caught.value) == (
        "X and X_val must both have names for their columns, or neither; found that "
        f"{found}. Give both as data frames, or both as arrays."
    )
    MMOEClassifier(**SHORT).fit(make(X), y, X_val=make(X), y_val=y)

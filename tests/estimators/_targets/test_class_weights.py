"""Class weights: their values, and that a fit follows them."""

import numpy as np
import pytest

from sk_mtl import MMOEClassifier
from sk_mtl.estimators._targets._class_weights import (
    apply_class_weights,
    class_weight_table,
)
from tests.estimators.common import (
    QUICK,
    assert_equal_proba,
    class_targets,
    mixed_table,
)

TARGETS = class_targets(["a", "b"], [np.array(["n", "y"]), np.array(["n", "y"])], False)
# Three n and one y in task a; one n, one y and two gaps in task b.
CODES = np.array([[0, 0], [0, 1], [0, np.nan], [1, np.nan]])


def table(class_weight, targets=TARGETS, codes=CODES):
    found = class_weight_table(class_weight, targets, codes)
    return found and [values.tolist() for values in found]


def test_none_weights_nothing():
    assert table(None) is None
    assert table([None, None]) is None
    assert apply_class_weights(None, CODES, None) is None


def test_balanced_is_rows_over_classes_and_count_per_task():
    np.testing.assert_allclose(table("balanced"), [[4 / 6, 4 / 2], [1, 1]])


def test_a_dict_of_labels_counts_for_every_task():
    assert table({"y": 3}) == [[1, 3], [1, 3]]


@pytest.mark.parametrize(
    "class_weight",
    [{"a": {"y": 3}}, {"a": {"y": 3}, "b": None}, [{"y": 3}, None], ({"y": 3}, None)],
)
def test_a_task_may_have_its_own(class_weight):
    assert table(class_weight) == [[1, 3], [1, 1]]


def test_balanced_for_one_task_only():
    np.testing.assert_allclose(table({"a": "balanced"}), [[4 / 6, 2], [1, 1]])


def test_a_class_without_rows_keeps_weight_one():
    targets = class_targets(["a"], [np.array([0, 1, 2])], True)
    assert table("balanced", targets, np.array([[0.0], [2.0]])) == [[1, 1, 1]]


def test_labels_of_any_type_are_found():
    targets = class_targets(["a"], [np.array([False, True])], True)
    assert table({True: 2, False: 0.5}, targets, CODES[:, :1]) == [[0.5, 2]]
    targets = class_targets(["a"], [np.array([0.0, 1.0])], True)
    assert table({1: 2}, targets, CODES[:, :1]) == [[1, 2]]


def test_balanced_classes_count_the_same_with_sample_weights():
    weight = np.array([[1, 1], [0, 1], [3, 1], [2, 1.0]])
    found = class_weight_table("balanced", TARGETS, CODES, weight)
    weighted = apply_class_weights(found, CODES, weight)
    for k in range(2):
        totals = [weighted[CODES[:, k] == c, k].sum() for c in range(2)]
        assert totals[0] == pytest.approx(totals[1])
    ones = class_weight_table("balanced", TARGETS, CODES, np.ones((4, 2)))
    none = class_weight_table("balanced", TARGETS, CODES)
    for a, b in zip(ones, none, strict=True):
        np.testing.assert_array_equal(a, b)


def test_weights_multiply_and_leave_gaps_alone():
    values = class_weight_table({"y": 3}, TARGETS, CODES)
    np.testing.assert_array_equal(
        apply_class_weights(values, CODES, None), [[1, 1], [1, 3], [1, 1], [3, 1]]
    )
    np.testing.assert_array_equal(
        apply_class_weights(values, CODES, np.full((4, 2), 0.5))[-1], [1.5, 0.5]
    )


@pytest.mark.parametrize(
    ("class_weight", "message"),
    [
        (
            {"c": "balanced"},
            "class_weight must be keyed by task names ['a', 'b']; found ['c']. Correct "
            "the names; tasks left out are not weighted.",
        ),
        (
            ["balanced"],
            "class_weight must hold one entry per task ['a', 'b']; found 1: "
            "['balanced']. Give one per task, or a dict by task name.",
        ),
        (
            {"a": "balance"},
            "class_weight must be 'balanced', None or a dict of weights for each task; "
            "found 'balance' for task 'a'. Use one of these.",
        ),
        (
            {"a": "balanced", "b": 3},
            "class_weight must be 'balanced', None or a dict of weights for each task; "
            "found 3 for task 'b'. Use one of these.",
        ),
        (
            {"maybe": 2},
            "class_weight of task 'a' must be keyed by its classes ['n', 'y']; found "
            "['maybe']. Key a per-task class_weight by task name: {'task': {label: "
            "weight}}.",
        ),
        (
            {"y": -1},
            "class_weight of task 'a' must hold weights >= 0, not all 0; found "
            "{'y': -1}.",
        ),
        (
            {"b": {"n": 0, "y": 0}},
            "class_weight of task 'b' must hold weights >= 0, not all 0; found "
            "{'n': 0, 'y': 0}.",
        ),
    ],
)
def test_class_weights_that_make_no_sense_are_refused(class_weight, message):
    with pytest.raises(ValueError) as caught:
        table(class_weight)
    assert str(caught.value) == message


def test_class_weights_are_sample_weights_of_the_labels():
    X, y = mixed_table()
    by_class = MMOEClassifier(class_weight={"buy": {1: 4}}, **QUICK).fit(X, y)
    weight = np.column_stack([np.ones(len(y)), np.where(y["buy"] == 1, 4, 1)])
    by_row = MMOEClassifier(**QUICK).fit(X, y, sample_weight=weight)
    assert_equal_proba(by_class.predict_proba(X), by_row.predict_proba(X))
    assert by_class.history_.drop(columns="seconds").equals(
        by_row.history_.drop(columns="seconds")
    )


def test_balanced_weights_raise_the_probability_of_the_rare_class():
    X, y = mixed_table(400)
    rare = y.assign(buy=y["buy"] * (np.arange(len(y)) % 4 == 0))
    longer = {**QUICK, "max_epochs": 12}
    plain = MMOEClassifier(**longer).fit(X, rare).predict_proba(X)
    model = MMOEClassifier(class_weight={"buy": "balanced"}, **longer).fit(X, rare)
    churn, buy = model.predict_proba(X)
    assert buy[:, 1].mean() > 2 * plain[1][:, 1].mean()
    assert abs(churn[:, 1].mean() - plain[0][:, 1].mean()) < 0.05


def test_partial_fit_takes_numbers_only():
    X, y = mixed_table()
    message = (
        "class_weight must hold numbers for partial_fit, which gets a part of the "
        "rows; found {}. Compute the weights on all rows with "
        "sklearn.utils.compute_class_weight and give them as a dict."
    )
    for class_weight in ("balanced", {"buy": "balanced"}, [None, "balanced"]):
        model = MMOEClassifier(class_weight=class_weight, **QUICK)
        with pytest.raises(ValueError) as caught:
            model.partial_fit(X, y)
        assert str(caught.value) == message.format(repr(class_weight))
    named = y.replace({0: "unbalanced", 1: "balanced"}).astype(object)
    model = MMOEClassifier(class_weight={"balanced": 2, "unbalanced": 1}, **QUICK)
    model.partial_fit(X, named)

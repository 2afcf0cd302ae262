"""What tasks are called, and how their names are found."""

import numpy as np
import pandas as pd
import pytest

from sk_mtl._task_names import (
    check_names,
    column_order,
    find_task,
    name_tasks,
    own_names,
    per_task,
    task_position,
)

PAIRS = [("a", 1), ("a", 2)]


def test_names_come_from_the_columns_or_else_from_the_caller():
    assert name_tasks(None, None, 2) == ["task_0", "task_1"]
    assert name_tasks(["a", "b"], None, 2) == ["a", "b"]
    assert name_tasks(None, np.array(["a", "b"]), 2) == ["a", "b"]
    # A frame that was made of an array has no names of its own.
    assert name_tasks([0, 1], ["a", "b"], 2) == ["a", "b"]
    assert name_tasks(["a"], "a", 1) == ["a"]


def test_columns_may_have_other_names_only_where_that_cannot_mislead():
    message = (
        r"task_names must agree with the columns of y; found \['b', 'a'\] and "
        r"\['a', 'b'\]. Leave task_names=None"
    )
    for rename in (False, True):
        with pytest.raises(ValueError, match=message):
            name_tasks(["a", "b"], ["b", "a"], 2, rename=rename)
    assert name_tasks(["a", "b"], ["c", "d"], 2, rename=True) == ["c", "d"]
    with pytest.raises(ValueError, match="must agree"):
        name_tasks(["a", "b"], ["c", "d"], 2)


@pytest.mark.parametrize(
    "names",
    [
        [2, 1],
        np.array([2, 1]),
        [np.int64(2), np.int32(1)],
        pd.Index([2, 1]),
        pd.RangeIndex(2, 0, -1),
    ],
)
def test_names_are_given_in_the_types_of_python(names):
    found = own_names(names)
    assert found == [2, 1]
    assert [type(name) for name in found] == [int, int]


def test_pairs_stay_pairs():
    assert own_names(pd.MultiIndex.from_tuples(PAIRS)) == PAIRS


def test_numbers_in_another_order_are_other_names():
    for rename in (False, True):
        with pytest.raises(ValueError, match="must agree with the columns of y"):
            name_tasks([0, 1], [1, 0], 2, rename=rename)


def test_names_that_are_equal_are_refused():
    with pytest.raises(ValueError, match=r"must differ, also as text; found \[True, 1"):
        check_names([True, 1, "a"], "y")


def test_names_that_read_the_same_are_refused():
    check_names([1, "a", ("a", 1)], "y")
    with pytest.raises(ValueError) as caught:
        check_names([1, "a", "1"], "y")
    assert str(caught.value) == (
        "The task names in y must differ, also as text; found [1, '1']. Rename the "
        "columns."
    )


@pytest.mark.parametrize(
    ("found", "wanted", "order"),
    [
        (None, ["a", "b"], [0, 1]),
        (["a", "b"], ["a", "b"], [0, 1]),
        (["b", "a"], ["a", "b"], [1, 0]),
        ([1, 0], [0, 1], [1, 0]),
        (["1", "0"], [0, 1], [1, 0]),
        (PAIRS[::-1], PAIRS, [1, 0]),
        ([0, 1], ["a", "b"], [0, 1]),
        (["a", "b"], [0, 1], [0, 1]),
        (["a", "b"], ["task_0", "task_1"], [0, 1]),
        (["task_1", "task_0"], ["task_0", "task_1"], [1, 0]),
    ],
)
def test_columns_are_found_by_name(found, wanted, order):
    assert column_order(found, wanted, "y") == order


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        (["a", "c"], ["a", "b"]),
        (["a"], ["a", "b"]),
        (["a", "b", "c"], ["a", "b"]),
        ([1, 0], ["a", "b"]),
        ([0, 1, 2], ["a", "b"]),
        (["task_0", "task_1"], ["a", "b"]),
    ],
)
def test_other_columns_are_refused(found, wanted):
    with pytest.raises(ValueError) as caught:
        column_order(found, wanted, "y_val")
    assert str(caught.value) == (
        f"y_val must have the columns {wanted}, one per task; found {found}. Rename "
        "the columns, or give those that are missing."
    )


def test_an_integer_is_a_name_before_it_is_a_position():
    assert task_position(1, [2, 1, 0]) == 1
    assert task_position(np.int64(2), [2, 1, 0]) == 0
    assert task_position(-1, [2, 1, 0]) == 2
    assert task_position(1, ["a", "b"]) == 1
    assert task_position("b", ["a", "b"]) == 1
    assert task_position(("a", 2), PAIRS) == 1
    with pytest.raises(ValueError) as caught:
        task_position(2, ["a", "b"], "step")
    assert str(caught.value) == (
        "step must be one of ['a', 'b'] or a position below 2; found 2. Use one of "
        "these names."
    )


@pytest.mark.parametrize("name", ["c", 3, ["a"], np.array(["a", "b"]), None, pd.NA])
def test_what_no_task_is_called(name):
    assert find_task(name, ["a", "b"]) is None


def is_text(value):
    return isinstance(value, str)


def test_one_value_per_task():
    options = {"is_single": is_text}
    assert per_task("loss", "huber", [1, 2], **options) == ["huber"] * 2
    assert per_task("loss", ("huber", "gamma"), [1, 2], **options) == ["huber", "gamma"]
    by_name = {2: "gamma", np.int64(1): "huber"}
    assert per_task("loss", by_name, [1, 2], **options) == ["huber", "gamma"]
    some = per_task("loss", {2: "gamma"}, [1, 2], default="auto", **options)
    assert some == ["auto", "gamma"]


@pytest.mark.parametrize(
    ("value", "options", "message"),
    [
        (
            {"a": 1},
            {},
            "loss must have one entry per task ['a', 2]; found ['a'], which differs in "
            "[2]. Name every task once.",
        ),
        (
            {"a": 1, 2: 1, "c": 1},
            {},
            "loss must have one entry per task ['a', 2]; found ['a', 2, 'c'], which "
            "differs in ['c']. Name every task once.",
        ),
        (
            {"c": 1},
            {"default": 1, "left_out": "count 1"},
            "loss must be keyed by task names ['a', 2]; found ['c']. Correct the "
            "names; tasks left out count 1.",
        ),
        (
            [1],
            {},
            "loss must hold one entry per task ['a', 2]; found 1: [1]. Give one per "
            "task, or a dict by task name.",
        ),
    ],
)
def test_values_that_do_not_fit_the_tasks(value, options, message):
    with pytest.raises(ValueError) as caught:
        per_task("loss", value, ["a", 2], is_single=is_text, **options)
    assert str(caught.value) == message

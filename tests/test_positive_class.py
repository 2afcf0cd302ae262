import numpy as np
import pandas as pd
import pytest

from sk_mtl._positive_class import (
    is_conventional,
    pos_label_per_task,
    positive_position,
    warn_positive_class,
)
from sk_mtl.exceptions import PositiveClassWarning


@pytest.mark.parametrize(
    ("classes", "expected"),
    [
        ([0, 1], True),
        ([-1, 1], True),
        ([0.0, 1.0], True),
        ([False, True], True),
        ([1], True),
        ([1, 2], False),
        (["0", "1"], False),
        (["no", "yes"], False),
        ([0, 1, 2], False),
    ],
)
def test_pairs_of_which_1_is_positive(classes, expected):
    assert is_conventional(np.array(classes)) is expected


@pytest.mark.parametrize(
    ("pos_label", "expected"),
    [
        (None, [None, None]),
        ("a", ["a", "a"]),
        ({"buy": 1}, [None, 1]),
        ({"click": "x", "buy": 0}, ["x", 0]),
    ],
)
def test_one_label_or_one_for_each_task(pos_label, expected):
    assert pos_label_per_task(pos_label, ["click", "buy"]) == expected


def test_position_among_the_classes():
    classes = np.array(["churn", "stay"])
    assert positive_position(classes, None, "state") == 1
    assert positive_position(classes, "churn", "state") == 0
    assert positive_position(classes[::-1], None, "state") == 0
    assert positive_position(np.array([1, 0]), None, "a") == 0
    assert positive_position(np.array([False, True]), 1, "a") == 1
    assert positive_position(np.array([0.0, 1.0]), 0, "a") == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: pos_label_per_task({"clik": 1}, ["click"]),
            r"keyed by task names \['click'\]; found \['clik'\]",
        ),
        (
            lambda: pos_label_per_task(["a", "b"], ["click", "buy"]),
            r"one label; found \['a', 'b'\].*a dict of task name to label",
        ),
        (
            lambda: positive_position(np.arange(3), 2, "stars"),
            r"of two classes; found 2 for 'stars' with the classes \[0, 1, 2\]",
        ),
        (
            lambda: positive_position(np.array([0, 1]), "1", "click"),
            r"one of the classes \[0, 1\] of 'click'; found '1'",
        ),
    ],
)
def test_errors_say_required_found_remedy(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_warning_names_the_class_taken_and_the_remedy():
    text = r"AP needs .*'state': \['churn', 'stay'\].* positive: 'stay'.*"
    with pytest.warns(PositiveClassWarning, match=text + "pos_label='churn'"):
        warn_positive_class("AP needs", {"state": np.array(["churn", "stay"])})
    text = r"positive: \{'a': 'n', 'b': 2\}.*pos_label=\{'a': 'c', 'b': 1\}"
    classes = {"a": np.array(["c", "n"]), "b": np.array([1, 2])}
    with pytest.warns(PositiveClassWarning, match=text):
        warn_positive_class("AP needs", classes, only_task=False)


def test_times_are_found_among_the_classes():
    classes = np.array(["2020-01-01", "2021-01-01"], "M8[ns]")
    for label in (pd.Timestamp("2020-01-01"), np.datetime64("2020-01-01")):
        assert positive_position(classes, label, "a") == 0

"""What the labels of a funnel's steps say about each other."""

import warnings

import numpy as np
import pytest

from sk_mtl.estimators._rows._funnel_labels import (
    ancestors_of,
    check_funnel,
    complete_funnel,
)
from sk_mtl.estimators._rows._labelled_rows import LabelledRows
from sk_mtl.exceptions import FunnelWarning

NAMES = ["click", "cart", "buy"]
nan = np.nan
CHAIN = [(), (0,), (1,)]


def share_told(y):
    with pytest.warns(FunnelWarning) as caught:
        check_funnel(np.array(y, dtype=float), NAMES, CHAIN[: len(y[0])])
    return str(caught[0].message)


def test_the_share_of_broken_funnels_is_told():
    assert "found 50.0% of the rows" in share_told([[0, 1], [1, 1]])
    assert "found 33.3% of the rows" in share_told([[0, 0, 1], [1, 1, 1], [1, 0, 0]])
    assert "found 100.0% of the rows" in share_told([[0, np.nan, 1]])


def test_sound_funnels_draw_no_warning():
    sound = [[0, 0, 0], [1, 0, 0], [1, 1, 0], [1, 1, 1], [nan, 1, 1], [1, nan, 1]]
    check_funnel(np.array(sound), NAMES, CHAIN)
    check_funnel(np.array([[0.0], [1.0]]), NAMES, CHAIN[:1])


def test_ancestors_are_all_steps_on_the_way():
    assert ancestors_of(CHAIN) == [[], [0], [0, 1]]
    assert ancestors_of([(2,), (2,), ()]) == [[2], [2], []]
    assert ancestors_of([(1, 2), (), (1,)]) == [[1, 2], [], [1]]


def complete(codes, parents=CHAIN, weight=None):
    codes = np.array(codes, dtype=float)
    weight = None if weight is None else np.array(weight, dtype=float)
    rows = LabelledRows(np.zeros((len(codes), 1)), codes, None).weighted(weight)
    found = complete_funnel(rows, NAMES[: len(parents)], parents)
    return found.codes.tolist(), None if weight is None else found.weight.tolist()


def test_steps_out_of_reach_are_zero():
    codes, _ = complete([[0, nan, nan], [1, 0, nan], [1, 1, 1], [nan, 0, nan]])
    assert codes[:3] == [[0, 0, 0], [1, 0, 0], [1, 1, 1]]
    assert codes[3][1:] == [0, 0]
    siblings, _ = complete([[0, nan, nan], [1, 0, 1], [1, 1, 0]], [(), (0,), (0,)])
    assert siblings[0] == [0, 0, 0]


@pytest.mark.parametrize("hidden", ["missing", "weightless"])
def test_a_label_that_follows_weighs_as_much_as_the_one_that_it_follows_from(hidden):
    value, own = (nan, 0) if hidden == "missing" else (1, 0)
    codes, weight = complete(
        [[0, value], [1, 1], [0, nan]], [(), (0,)], [[3, own], [2, 2], [3, 5]]
    )
    assert codes == [[0, 0], [1, 1], [0, 0]]
    assert weight == [[3, 3], [2, 2], [3, 5]]


def test_rows_without_any_weight_are_not_completed():
    codes, weight = complete([[0, nan], [1, 1]], [(), (0,)], [[0, 0], [1, 1]])
    np.testing.assert_array_equal(codes, [[nan, nan], [1, 1]])
    assert weight == [[0, 0], [1, 1]]


LATE = (
    "A step of a funnel must have a label in every row of y that reached the step "
    "before it, or in no row of that time, reached or not; found rows that reached it "
    "without a label: {}. Missing labels of these steps are treated as not yet known, "
    "and none is filled in with 0. Set the labels of all rows that are too recent to "
    "NaN or to weight 0, or the rates of these steps are biased."
)


def late(codes, parents, weight=None):
    with pytest.warns(FunnelWarning) as caught:
        found, _ = complete(codes, parents, weight)
    return np.array(found), str(caught[0].message)


@pytest.mark.parametrize("weight", [None, [[1, 1]] * 3 + [[1, 0]] * 2])
def test_labels_that_are_not_yet_known_are_not_zero(weight):
    value = nan if weight is None else 1
    codes = [[0, 0], [1, 1], [1, 0], [0, value], [1, value]]
    found, message = late(codes, [(), (0,)], weight)
    np.testing.assert_array_equal(found[3:, 1], [nan, nan])
    assert message == LATE.format("33.3% for 'cart'")


def test_what_is_not_yet_known_leaves_later_steps_unknown():
    codes = [[0, 0, 0], [1, 1, 1], [0, nan, nan], [1, nan, nan]]
    found, message = late(codes, CHAIN)
    np.testing.assert_array_equal(found[2], [0, nan, nan])
    assert message == LATE.format("50.0% for 'cart', 50.0% for 'buy'")


def test_in_a_tree_a_late_step_leaves_its_sibling_alone():
    codes = [[0, nan, nan], [1, nan, 1], [1, 1, 0]]
    found, message = late(codes, [(), (0,), (0,)])
    np.testing.assert_array_equal(found[0], [0, nan, 0])
    assert message == LATE.format("50.0% for 'cart'")


def test_a_gap_before_a_step_that_was_reached_is_not_late():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        codes, _ = complete([[1, nan, 1], [0, nan, nan]])
    assert codes[1] == [0, 0, 0]

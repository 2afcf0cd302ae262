import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import roc_auc_score

from sk_mtl.exceptions import PositiveClassWarning
from sk_mtl.metrics import conditional_roc_auc

Y = pd.DataFrame(
    {
        "click": [0, 1, 1, 1, 1, 0],
        "cart": [0, 0, 1, 1, 1, 0],
        "buy": [0, 0, 0, 1, 1, 0],
    }
)
# The rows that did not reach a step have probabilities that would spoil its order.
P = [
    np.array([0.1, 0.2, 0.3, 0.4, 0.05, 0.0]),
    np.array([0.99, 0.5, 0.6, 0.4, 0.7, 0.98]),
    np.array([0.99, 0.97, 0.5, 0.6, 0.5, 0.98]),
]
BOTH = [np.column_stack([1 - p, p]) for p in P]


@pytest.mark.parametrize(
    ("step", "value"),
    [
        # Among all rows, 7 of 8 pairs are in order: the last click is below row 0.
        ("click", 7 / 8),
        # Among clicks, cart rows 0.6, 0.4, 0.7 against 0.5.
        ("cart", 2 / 3),
        # Among carts, buy rows 0.6 and 0.5 against 0.5: one win and one tie.
        ("buy", 0.75),
    ],
)
def test_each_step_is_scored_among_rows_that_reached_the_one_before(step, value):
    position = list(Y).index(step)
    assert conditional_roc_auc(Y, BOTH, step) == pytest.approx(value)
    assert conditional_roc_auc(Y, BOTH, position) == pytest.approx(value)


@pytest.mark.parametrize(
    "proba",
    [P, tuple(BOTH), P[2], BOTH[2], P[2].tolist(), pd.Series(P[2])],
    ids=["vectors", "tuple", "vector", "matrix", "list", "series"],
)
def test_list_of_all_steps_or_array_of_the_step(proba):
    assert conditional_roc_auc(Y, proba, "buy") == 0.75


def test_labels_of_any_container_and_type():
    for y in (Y.astype(bool), Y.astype(float)):
        assert conditional_roc_auc(y, BOTH, "buy") == 0.75
    text = Y.replace({0: "no", 1: "yes"})
    assert conditional_roc_auc(text, BOTH, "buy", pos_label="yes") == 0.75
    assert conditional_roc_auc(pl.from_pandas(Y), BOTH, "buy") == 0.75
    assert conditional_roc_auc(Y.to_numpy(), BOTH, 2) == 0.75
    assert conditional_roc_auc(Y.to_numpy(), BOTH, "task_2") == 0.75


# A like and a purchase build on the click, a review on the purchase.
TREE = pd.DataFrame(
    {
        "click": [0, 1, 1, 1, 1, 1],
        "like": [0, 0, 1, 1, 0, 0],
        "buy": [0, 0, 0, 1, 1, 1],
        "review": [0, 0, 0, 1, 0, 0],
    }
)
PARENTS = {"like": "click", "buy": "click", "review": "buy"}
RATES = [np.array([0.99, 0.6, 0.5, 0.4, 0.7, 0.3])] * 4


@pytest.mark.parametrize(
    ("step", "value"),
    [
        # Among clicks 0.5 and 0.4 against 0.6, 0.7 and 0.3: two pairs of six.
        ("like", 2 / 6),
        # 0.4, 0.7 and 0.3 against 0.6 and 0.5.
        ("buy", 2 / 6),
        # Among purchases 0.4 against 0.7 and 0.3.
        ("review", 1 / 2),
    ],
)
def test_a_step_of_a_tree_is_scored_among_rows_that_reached_its_parent(step, value):
    found = conditional_roc_auc(TREE, RATES, step, funnel=PARENTS)
    assert found == pytest.approx(value)
    shuffled = TREE[["review", "like", "click", "buy"]]
    assert conditional_roc_auc(shuffled, RATES, step, funnel=PARENTS) == found
    assert conditional_roc_auc(TREE, RATES, "click", funnel=PARENTS) == 0


def test_a_step_without_a_parent_is_scored_on_all_rows():
    found = conditional_roc_auc(Y, BOTH, "buy", funnel={"cart": "click"})
    assert found == pytest.approx(roc_auc_score(Y["buy"], P[2]))


def test_label_that_means_reached():
    text = Y.replace({0: "none", 1: "clicked"})
    flipped = [p[:, ::-1] for p in BOTH]
    for step, value in [("click", 7 / 8), ("cart", 2 / 3), ("buy", 0.75)]:
        for proba in (flipped, P):
            found = conditional_roc_auc(text, proba, step, pos_label="clicked")
            assert found == pytest.approx(value)
    by_step = {"click": "clicked", "cart": "clicked"}
    found = conditional_roc_auc(text, flipped, "cart", pos_label=by_step)
    assert found == pytest.approx(2 / 3)
    # Of both classes' probabilities the area of a first step leaves no question.
    assert conditional_roc_auc(text, flipped, "click") == pytest.approx(7 / 8)
    message = r"conditional_roc_auc needs .* positive: \{'cart': 'none'\}"
    # Nobody has bought without a cart.
    undefined = pytest.warns(UndefinedMetricWarning)
    with pytest.warns(PositiveClassWarning, match=message), undefined:
        assert np.isnan(conditional_roc_auc(text, flipped, "buy"))


def test_rows_of_one_class_only_keep_the_order_of_the_classes():
    y = pd.DataFrame({"click": [1, 1, 0], "buy": ["yes", "yes", "no"]})
    with pytest.warns(UndefinedMetricWarning, match="do not hold both classes"):
        assert np.isnan(
            conditional_roc_auc(
                y, [P[0][:3], P[1][:3]], "buy", pos_label={"buy": "yes"}
            )
        )
    only = pd.DataFrame({"click": ["clicked"] * 3, "buy": [0, 1, 1]})
    proba = np.array([0.1, 0.2, 0.05])
    with pytest.raises(ValueError, match=r"label of 'click' that .*\['clicked'\]"):
        conditional_roc_auc(only, proba, "buy")
    found = conditional_roc_auc(only, proba, "buy", pos_label={"click": "clicked"})
    assert found == 0.5


def test_equals_sklearn_on_the_rows_that_count():
    rng = np.random.default_rng(0)
    click = rng.integers(0, 2, 200)
    y = pd.DataFrame({"click": click, "buy": click * rng.integers(0, 2, 200)})
    proba, weight, rows = rng.random(200), rng.random(200), click == 1
    expected = roc_auc_score(y["buy"][rows], proba[rows], sample_weight=weight[rows])
    found = conditional_roc_auc(y, proba, "buy", sample_weight=weight)
    assert found == pytest.approx(expected)


def test_missing_labels_of_the_step_or_the_one_before_do_not_count():
    y = Y.astype(float)
    y.loc[2, "cart"] = np.nan
    # Row 2 was the only one that lost or tied: nothing but purchases is left.
    with pytest.warns(UndefinedMetricWarning, match="undefined and NaN for 'buy'"):
        assert np.isnan(conditional_roc_auc(y, BOTH, "buy"))
    y = Y.astype(float)
    y.loc[4, "buy"] = np.nan
    assert conditional_roc_auc(y, BOTH, "buy") == 1


def test_every_row_reached_is_the_plain_area():
    y = Y.assign(click=1)
    expected = roc_auc_score(Y["cart"], P[1])
    assert conditional_roc_auc(y, BOTH, "cart") == pytest.approx(expected)


def test_nobody_reached_the_step_before():
    with pytest.warns(UndefinedMetricWarning, match="do not hold both classes"):
        assert np.isnan(conditional_roc_auc(Y * 0, BOTH, "buy"))


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((Y, BOTH, "by"), r"one of \['click', 'cart', 'buy'\].*found 'by'"),
        ((Y, BOTH[:2], "buy"), r"one array per step .*found 2"),
        ((Y, np.array(P).T, "buy"), r"\(6,\) or \(6, 2\); found \(6, 3\)"),
        ((Y, np.array(P[1:]).T, "buy"), r"must sum to 1"),
        ((Y, P[2][:4], "buy"), r"found \(4,\)"),
        ((Y, P[2] * 9, "buy"), r"between 0 and 1"),
        ((Y.assign(cart=range(6)), BOTH, "buy"), r"two classes; found 6"),
        ((Y, BOTH, "buy", np.ones(3)), r"shape \(6,\)"),
        ((Y, Y["buy"], "buy"), r"proba must hold probabilities; found labels"),
    ],
)
def test_bad_input_says_required_found_remedy(args, message):
    with pytest.raises(ValueError, match=message):
        conditional_roc_auc(*args)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"funnel": {"by": "click"}}, r"funnel must name tasks of .*; found \['by'\]"),
        (
            {"funnel": {"buy": "clik"}},
            r"funnel must name tasks of .*; found \['clik'\]",
        ),
        ({"funnel": {"buy": ["click", "cart"]}}, r"funnel must name one step"),
        ({"funnel": {"buy": "cart", "cart": "buy"}}, r"back to itself; found"),
        ({"pos_label": 2}, r"one of the classes \[0, 1\] of 'cart'; found 2"),
    ],
)
def test_bad_keywords_say_required_found_remedy(keywords, message):
    with pytest.raises(ValueError, match=message):
        conditional_roc_auc(Y, BOTH, "buy", **keywords)

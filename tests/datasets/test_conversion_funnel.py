from time import perf_counter

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score
from sklearn.utils import check_random_state

from sk_mtl.datasets import make_conversion_funnel


@pytest.fixture(scope="module")
def funnel():
    return make_conversion_funnel(60_000, random_state=0)


def test_columns_and_types(funnel):
    X, y, truth = funnel
    assert list(y.columns) == ["click", "conversion"]
    assert list(truth.columns) == ["click_rate", "conversion_rate"]
    assert (y.dtypes == np.int64).all()
    assert list(X.select_dtypes("category")) == [
        "user_id",
        "user_age_group",
        "user_country",
        "item_id",
        "item_category",
        "item_brand",
    ]
    assert list(X.select_dtypes("number")) == [
        "price",
        "discount",
        "position",
        "hour",
        "item_age",
    ]
    assert X["user_id"].cat.categories.tolist() == list(range(500))
    assert X["item_id"].cat.categories.tolist() == list(range(100))
    assert not X.isna().any().any()
    for frame in funnel:
        assert frame.index.equals(pd.RangeIndex(60_000))


def test_numbers_lie_in_their_ranges(funnel):
    X = funnel[0]
    assert (X["price"] > 0).all()
    assert set(X["discount"]) == {0, 0.1, 0.2, 0.3, 0.5}
    assert set(X["position"]) == set(range(1, 11))
    assert set(X["hour"]) == set(range(24))
    assert (X["item_age"] > 0).all()


def test_columns_of_users_and_items_belong_to_them(funnel):
    X = funnel[0]
    for key, names in (
        ("user_id", ["user_age_group", "user_country"]),
        ("item_id", ["item_category", "item_brand"]),
    ):
        assert (X.groupby(key, observed=True)[names].nunique() == 1).all().all()


def test_history_is_what_the_user_was_shown_before(funnel):
    X = funnel[0]
    seen = {}
    for user, item, history in zip(X["user_id"], X["item_id"], X["history"]):
        assert history == seen.get(user, [])[-6:]
        seen.setdefault(user, []).append(item)
    assert all(type(item) is int for item in X["history"].iloc[-1])


def test_sequence_length_bounds_the_history_and_nothing_else_in_X():
    short = make_conversion_funnel(2000, n_users=20, sequence_length=3, random_state=0)
    long = make_conversion_funnel(2000, n_users=20, sequence_length=50, random_state=0)
    assert short[0]["history"].map(len).max() == 3
    assert long[0]["history"].map(len).max() == 50
    pd.testing.assert_frame_equal(
        short[0].drop(columns="history"), long[0].drop(columns="history")
    )


def test_histories_are_lists_of_their_own(funnel):
    lists = funnel[0]["history"]
    assert len({id(history) for history in lists}) == len(lists)


def test_a_later_step_implies_the_earlier_ones(funnel):
    y = funnel[1]
    assert (y["conversion"] <= y["click"]).all()


@pytest.mark.parametrize("selection_strength", [0.0, 2.0])
def test_mean_rates_are_those_asked_for(selection_strength):
    truth = make_conversion_funnel(
        click_rate=0.05,
        conversion_rate=0.4,
        selection_strength=selection_strength,
        random_state=0,
    )[2]
    np.testing.assert_allclose(truth.mean(), [0.05, 0.4], atol=1e-9)


def test_labels_come_at_the_true_rates(funnel):
    _, y, truth = funnel
    clicked = y["click"] == 1
    for rate, label in (
        (truth["click_rate"], y["click"]),
        (truth["conversion_rate"][clicked], y["conversion"][clicked]),
        (truth.prod(axis=1), y["conversion"]),
    ):
        tenth = pd.qcut(rate, 10, labels=False)
        got, expected = label.groupby(tenth).mean(), rate.groupby(tenth).mean()
        error = np.sqrt((expected * (1 - expected) / (len(rate) / 10)).clip(1e-8))
        assert ((got - expected).abs() < 4 * error + 0.003).all()


@pytest.mark.parametrize("seed", range(3))
def test_clicked_rows_differ_more_the_stronger_the_selection(seed):
    gaps = []
    for strength in (0.0, 0.5, 1.0, 2.0):
        _, y, truth = make_conversion_funnel(
            60_000, selection_strength=strength, random_state=seed
        )
        cvr = truth["conversion_rate"]
        gaps.append(np.average(cvr, weights=truth["click_rate"]) - cvr.mean())
        seen = y["conversion"][y["click"] == 1].mean()
        assert seen == pytest.approx(cvr.mean() + gaps[-1], abs=0.015)
    assert gaps[0] == pytest.approx(0, abs=0.002)
    assert gaps[1] > 0.03
    assert gaps[2] > gaps[1] + 0.02
    assert gaps[3] > gaps[2] + 0.04


def test_selection_changes_the_first_step_only():
    X, _, truth = make_conversion_funnel(selection_strength=0, random_state=0)
    X2, _, truth2 = make_conversion_funnel(selection_strength=2, random_state=0)
    pd.testing.assert_frame_equal(X, X2, check_exact=True)
    pd.testing.assert_series_equal(
        truth["conversion_rate"], truth2["conversion_rate"], check_exact=True
    )
    assert not truth["click_rate"].equals(truth2["click_rate"])


def test_the_best_possible_auc_leaves_room(funnel):
    _, y, truth = funnel
    clicked = y["click"] == 1
    assert 0.8 < roc_auc_score(y["click"], truth["click_rate"]) < 0.87
    conversion, rate = y["conversion"][clicked], truth["conversion_rate"][clicked]
    assert 0.75 < roc_auc_score(conversion, rate) < 0.87


def test_a_similar_item_in_the_history_raises_the_click_rate(funnel):
    X, _, truth = funnel
    category = dict(zip(X["item_id"], X["item_category"]))
    seen = [
        any(category[item] == shown for item in history)
        for history, shown in zip(X["history"], X["item_category"])
    ]
    seen = np.array(seen)
    rate = truth["click_rate"]
    assert 0.3 < seen.mean() < 0.9
    assert rate[seen].mean() > rate[~seen].mean() + 0.1


def test_higher_slots_are_clicked_more_and_do_not_convert_more():
    X, _, truth = make_conversion_funnel(60_000, selection_strength=0, random_state=0)
    by_slot = truth.groupby(X["position"]).mean()
    assert by_slot["click_rate"].loc[1] > by_slot["click_rate"].loc[10] + 0.05
    assert np.ptp(by_slot["conversion_rate"]) < 0.02


def test_a_funnel_of_four_steps():
    names = ["view", "click", "cart", "purchase"]
    _, y, truth = make_conversion_funnel(
        step_names=names,
        click_rate=0.6,
        conversion_rate=(0.4, 0.3, 0.5),
        random_state=0,
    )
    assert list(y.columns) == names
    assert list(truth.columns) == [f"{name}_rate" for name in names]
    np.testing.assert_allclose(truth.mean(), [0.6, 0.4, 0.3, 0.5], atol=1e-9)
    assert (y.diff(axis=1).iloc[:, 1:] <= 0).all().all()


def test_one_rate_serves_all_later_steps():
    truth = make_conversion_funnel(step_names=("a", "b", "c"), random_state=0)[2]
    np.testing.assert_allclose(truth.mean(), [0.3, 0.2, 0.2], atol=1e-9)


def test_a_single_step_needs_no_selection():
    _, y, truth = make_conversion_funnel(step_names=("click",), random_state=0)
    stronger = make_conversion_funnel(
        step_names=("click",), selection_strength=3, random_state=0
    )
    assert list(y.columns) == ["click"]
    pd.testing.assert_frame_equal(truth, stronger[2], check_exact=True)


@pytest.mark.parametrize(
    "params",
    [
        {"n_samples": 1},
        {"n_samples": 2},
        {"n_users": 1},
        {"n_items": 1},
        {"n_users": 1, "n_items": 1, "n_samples": 1},
        {"n_users": 100_000, "n_items": 20_000},
        {"selection_strength": 100},
        {"click_rate": 1e-3, "conversion_rate": 1 - 1e-3},
    ],
)
def test_extremes_give_finite_rates(params):
    X, y, truth = make_conversion_funnel(
        **({"n_samples": 500} | params), random_state=0
    )
    assert len(X) == len(y) == len(truth)
    assert truth.to_numpy().min() >= 0
    assert truth.to_numpy().max() <= 1


def test_random_state_alone_decides():
    shared = check_random_state(None)
    before = shared.get_state()[1].copy()
    frames = make_conversion_funnel(500, random_state=5)
    again = make_conversion_funnel(500, random_state=np.random.RandomState(5))
    for frame, same in zip(frames, again):
        pd.testing.assert_frame_equal(frame, same, check_exact=True)
    assert not make_conversion_funnel(500, random_state=6)[2].equals(frames[2])
    assert (shared.get_state()[1] == before).all()


def test_60_000_rows_take_less_than_a_second():
    def seconds():
        start = perf_counter()
        make_conversion_funnel(60_000, random_state=0)
        return perf_counter() - start

    assert min(seconds() for _ in range(3)) < 1


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"n_samples": 0}, r"'n_samples' parameter .* Got 0"),
        ({"click_rate": 1.0}, r"'click_rate' parameter .* \(0.0?, 1.0?\). Got 1.0"),
        ({"conversion_rate": 20}, r"'conversion_rate' parameter .* Got 20"),
        ({"selection_strength": -1}, r"'selection_strength' parameter .* Got -1"),
        ({"sequence_length": 0}, r"'sequence_length' parameter .* Got 0"),
        ({"step_names": "click"}, r"'step_names' parameter .* Got 'click'"),
        ({"step_names": ()}, r"step_names must hold one or more .* found \[\]. Write"),
        ({"step_names": ("a", 1)}, r"different strings; found \['a', 1\]. Write for"),
        ({"step_names": ("a", "a")}, r"found \['a', 'a'\]. Rename the repeated step"),
        (
            {"conversion_rate": (0.1, 0.2)},
            r"each of the 1 steps after the first; found 2: .*one for each of \['conv",
        ),
        ({"conversion_rate": (20,)}, r"between 0 and 1; found \[20\]. Write percent"),
    ],
)
def test_bad_parameters(params, message):
    with pytest.raises(ValueError, match=message):
        make_conversion_funnel(**({"n_samples": 10} | params))

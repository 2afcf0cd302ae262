"""Rates of the steps of a funnel: deciles, intervals, conditional rates, refusals."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from sk_mtl import AITMClassifier, ESMMClassifier
from sk_mtl.inspection import FunnelDisplay
from tests.estimators.common import PLAIN, QUICK, refuse

ONE = {**QUICK, **PLAIN, "max_epochs": 1, "n_members": 1}


def test_groups_have_the_means_of_their_rows():
    proba = np.arange(20) / 20
    y = pd.DataFrame({"click": (np.arange(20) % 4 == 3) * 1})
    table = FunnelDisplay.from_predictions(y, proba, n_bins=2).frame()
    assert table["rows"].tolist() == [10, 10]
    assert table["predicted"].tolist() == pytest.approx([0.225, 0.725])
    assert table["observed"].tolist() == pytest.approx([0.2, 0.3])
    low, high = binomtest(2, 10).proportion_ci(method="wilson")
    assert table.loc[0, ["lower", "upper"]].tolist() == pytest.approx([low, high])


def test_all_rows_count_for_each_step(funnel):
    model, X, y = funnel
    display = FunnelDisplay.from_estimator(model, X, y[["conversion", "click"]])
    table = display.frame()
    assert table.groupby("step", sort=False)["rows"].sum().to_dict() == {
        "click": len(X),
        "conversion": len(X),
    }
    for step, proba in zip(y, model.predict_proba(X), strict=True):
        own = table[table["step"] == step]
        mean = np.average(own["predicted"], weights=own["rows"])
        assert mean == pytest.approx(proba[:, 1].mean(), rel=1e-5)
        observed = np.average(own["observed"], weights=own["rows"])
        assert observed == pytest.approx(y[step].mean())
    assert list(display.lines_) == ["click", "conversion"]
    assert len(display.axes_) == 2


def test_conditional_rates_are_of_rows_that_reached_the_step_before(funnel):
    model, X, y = funnel
    table = FunnelDisplay.from_estimator(model, X, y, conditional=True).frame()
    own = table[table["step"] == "conversion"]
    assert own["rows"].sum() == y["click"].sum()
    clicked = (y["click"] == 1).to_numpy()
    cvr = model.predict_conditional_proba(X)[1][clicked, 1]
    mean = np.average(own["predicted"], weights=own["rows"])
    assert mean == pytest.approx(cvr.mean(), rel=1e-5)


def test_missing_labels_are_left_out(funnel):
    model, X, y = funnel
    y = y.astype(float)
    y.loc[:99, "conversion"] = np.nan
    table = FunnelDisplay.from_estimator(model, X, y).frame()
    assert table.groupby("step")["rows"].sum()["conversion"] == len(X) - 100


def test_steps_of_a_tree_build_on_their_own_parents(funnel):
    _, X, y = funnel
    y = y.assign(like=y["click"] * (X["age"] > 40))
    tree = {"conversion": "click", "like": "click"}
    model = ESMMClassifier(structure=tree, **ONE).fit(X, y)
    table = FunnelDisplay.from_estimator(model, X, y, conditional=True).frame()
    n_clicked = y["click"].sum()
    assert table.groupby("step", sort=False)["rows"].sum().tolist() == [
        len(X),
        n_clicked,
        n_clicked,
    ]


def test_sequential_steps_are_drawn_without_rates(funnel):
    _, X, y = funnel
    model = AITMClassifier(**ONE).fit(X, y)
    assert len(FunnelDisplay.from_estimator(model, X, y).axes_) == 2
    refuse(
        lambda: FunnelDisplay.from_estimator(model, X, y, conditional=True),
        "FunnelDisplay needs a model that predicts the rates of a funnel; found "
        "AITMClassifier with structure='sequential'. Fit with structure='funnel', or "
        "draw independent tasks with TaskCalibration.",
    )


def test_independent_tasks_are_refused(model, table):
    refuse(
        lambda: FunnelDisplay.from_estimator(model, *table),
        "FunnelDisplay needs a model whose tasks are the steps of a funnel; found "
        "MMOEClassifier with structure='independent'. Fit with structure='funnel', or "
        "draw independent tasks with TaskCalibration.",
    )

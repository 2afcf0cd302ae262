"""Gates: means and spread over rows, order, groups, levels, members, refusals."""

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError

from sk_mtl import MMOEClassifier, PLEClassifier, SharedBottomClassifier
from sk_mtl.inspection import GateDisplay
from tests.estimators.common import PLAIN, QUICK, refuse

ONE = {**QUICK, **PLAIN, "max_epochs": 1, "n_members": 1}


def test_frame_holds_mean_and_spread_over_rows(model, table):
    X, _ = table
    gates = model.predict_gates(X)
    frame = GateDisplay.from_estimator(model, X).frame()
    for k, task in enumerate(model.task_names_):
        own = frame[frame["task"] == task].set_index("expert").loc[model.expert_names_]
        np.testing.assert_allclose(own["mean"], gates[:, k].mean(axis=0), rtol=1e-5)
        np.testing.assert_allclose(own["std"], gates[:, k].std(axis=0), rtol=1e-4)
        lower = np.quantile(gates[:, k], 0.1, axis=0)
        np.testing.assert_allclose(own["lower"], lower, rtol=1e-5)
    means = frame.groupby("expert", sort=False)["mean"].mean()
    assert means.is_monotonic_decreasing


def test_groups_are_the_values_of_a_column(model, table):
    X, _ = table
    display = GateDisplay.from_estimator(model, X, by="town")
    frame = display.frame()
    assert set(frame["group"]) == {"Oslo", "Rome", "Bonn"}
    rome = model.predict_gates(X[X["town"] == "Rome"]).mean(axis=0)
    own = frame[(frame["task"] == "buy") & (frame["group"] == "Rome")]
    mean = own.set_index("expert").loc[model.expert_names_, "mean"]
    np.testing.assert_allclose(mean, rome[1], rtol=1e-5)
    assert display.legend_.get_title().get_text() == "town"


def test_groups_are_an_array_or_ranges_of_numbers(model, table):
    X, _ = table
    frame = GateDisplay.from_estimator(model, X, by="age").frame()
    assert frame["group"].nunique() == 4
    assert frame.drop_duplicates("group")["rows"].sum() == len(X)
    half = np.arange(len(X)) < 100
    frame = GateDisplay.from_estimator(model, X, by=half).frame()
    assert frame.drop_duplicates("group")["rows"].tolist() == [140, 100]


def test_rare_and_missing_groups_are_put_together(model, table):
    X, _ = table
    by = pd.Series(np.arange(len(X)) % 9).map(lambda k: f"shop {k}")
    by[:5] = None
    frame = GateDisplay.from_estimator(model, X, by=by).frame()
    assert frame["group"].nunique() == 7
    assert {"other", "missing"} <= set(frame["group"])


def test_each_level_has_panels_with_the_experts_that_a_task_reads(table):
    X, y = table
    model = PLEClassifier(n_shared_experts=1, n_task_experts=1, **ONE).fit(X, y)
    display = GateDisplay.from_estimator(model, X)
    assert set(display.frame()["level"]) == {0, 1}
    assert len(display.axes_) == 4
    labels = [text.get_text() for text in display.axes_[0].get_yticklabels()]
    assert sorted(labels) == ["churn_0", "shared_0"]


def test_one_member_is_drawn(table):
    X, y = table
    model = MMOEClassifier(n_experts=2, **{**ONE, "n_members": 2}).fit(X, y)
    frame = GateDisplay.from_estimator(model, X, member=1).frame()
    mean = frame[frame["task"] == "buy"].set_index("expert")["mean"]
    expected = model.predict_gates(X)[:, 1, 1].mean(axis=0)
    np.testing.assert_allclose(mean[model.expert_names_], expected, rtol=1e-5)
    refuse(
        lambda: GateDisplay.from_estimator(model, X, member=2),
        "member must be from 0 to 1; found 2. The model has so many members.",
    )


def test_model_without_gates_is_refused(table):
    model = SharedBottomClassifier(**ONE).fit(*table)
    refuse(
        lambda: GateDisplay.from_estimator(model, table[0]),
        "GateDisplay needs a model that mixes experts; found SharedBottomClassifier, "
        "which has no gates. Fit a model with experts, such as MMOEClassifier.",
    )


def test_one_task_and_no_fit_are_refused(table):
    X, y = table
    model = MMOEClassifier(**ONE).fit(X, y[["buy"]])
    refuse(
        lambda: GateDisplay.from_estimator(model, X),
        "GateDisplay compares the gates of tasks and needs two or more; found one, "
        "'buy'. Fit a model of several tasks.",
    )
    with pytest.raises(NotFittedError):
        GateDisplay.from_estimator(MMOEClassifier(), X)


def test_unknown_column_and_short_array_are_refused(model, table):
    X, _ = table
    refuse(
        lambda: GateDisplay.from_estimator(model, X, by="twon"),
        "by must be a column of X, one of ['age', 'visits', 'town', 'plan'], or an "
        "array with a value for each row; found 'twon'. Did you mean 'town'?",
    )
    refuse(
        lambda: GateDisplay.from_estimator(model, X, by=[1, 2]),
        "by must have a value for each of 240 rows of X; found 2. Give one for each, "
        "or the name of a column.",
    )

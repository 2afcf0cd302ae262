"""Numbers: their losses, units and missing labels."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.model_selection import GridSearchCV, KFold

from sk_mtl import MMOERegressor, MultiTaskEstimator
from sk_mtl.exceptions import LeakWarning
from sk_mtl.losses import PoissonOutput, SquaredErrorOutput
from tests.estimators.common import QUICK, mixed_table

LOSSES = ["squared_error", "absolute_error", "huber", "poisson", "gamma", "ziln"]


@pytest.fixture(scope="module")
def numbers():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(1500, 3)), columns=list("abc"))
    mean = np.exp(0.5 * X["a"] + 1)
    y = pd.DataFrame(
        {
            "count": rng.poisson(mean),
            "amount": rng.gamma(4, mean / 4) + 1e-6,
            "spend": (rng.random(1500) < 0.4) * np.exp(X["a"] + rng.normal(size=1500)),
        }
    )
    return X, y


@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_learns(loss, numbers):
    X, y = numbers
    model = MMOERegressor(loss=loss, max_epochs=8, random_state=0)
    model.fit(X[:1000], y.loc[:999, ["amount"]])
    assert model.score(X[1000:], y.loc[1000:, ["amount"]]) > 0.25


def test_each_task_may_have_its_own_loss(numbers):
    X, y = numbers
    losses = {"count": "poisson", "amount": "gamma", "spend": "ziln"}
    model = MMOERegressor(loss=losses, max_epochs=8, random_state=0).fit(X, y)
    predicted = model.predict(X)
    assert (predicted > 0).all()
    np.testing.assert_allclose(predicted.mean(0), y.mean(), rtol=0.2)
    chance = model.predict_proba_positive(X)
    assert np.isnan(chance[:, :2]).all()
    assert chance[:, 2].mean() == pytest.approx(0.4, abs=0.05)
    as_list = MMOERegressor(loss=list(losses.values()), max_epochs=8, random_state=0)
    np.testing.assert_array_equal(as_list.fit(X, y).predict(X), predicted)


def test_units_and_shifts_change_nothing_else(numbers):
    X, y = numbers
    small = MMOERegressor(**QUICK).fit(X, y[["amount"]])
    large = MMOERegressor(**QUICK).fit(X, 1e6 * y[["amount"]] - 3e7)
    np.testing.assert_allclose(
        large.predict(X), 1e6 * small.predict(X) - 3e7, rtol=1e-3, atol=3e3
    )


def test_missing_numbers_are_left_out(numbers):
    X, y = numbers
    y = y[["count", "amount"]].astype(float)
    y.loc[::2, "amount"] = np.nan
    y.loc[::3, "count"] = -1
    model = MMOERegressor(missing_label=-1, max_epochs=5, random_state=0).fit(X, y)
    assert np.isfinite(model.predict(X)).all()
    assert model.score(X, y) > 0.2


def test_a_vector_gives_a_vector(numbers):
    X, y = numbers
    model = MMOERegressor(**QUICK).fit(X, y["amount"])
    assert model.predict(X).shape == (1500,)
    assert model.task_names_ == ["amount"]
    ziln = MMOERegressor(**QUICK, loss="ziln").fit(X, y["spend"])
    assert ziln.predict_proba_positive(X).shape == (1500,)


def test_a_number_is_searched_and_weighted(numbers):
    X, y = numbers
    search = GridSearchCV(
        MMOERegressor(**QUICK), {"n_experts": [1, 2]}, cv=KFold(2), scoring="r2"
    )
    search.fit(X, y[["count", "amount"]])
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    half = np.arange(1500) < 750
    weighted = MMOERegressor(**QUICK, early_stopping=False)
    weighted.fit(X, y["amount"].where(half, 1e6), sample_weight=half)
    assert weighted.predict(X).mean() < 100


def test_partial_fit_keeps_the_units_of_the_first_rows(numbers):
    X, y = numbers
    model = MMOERegressor(**QUICK).partial_fit(X[:500], y.loc[:499, ["amount"]])
    scale = model.predictor_.targets.columns[0].scale
    model.partial_fit(X[500:], y.loc[500:, ["amount"]])
    assert model.predictor_.targets.columns[0].scale == scale


def test_members_average_their_means(numbers):
    X, y = numbers
    model = MMOERegressor(**QUICK, n_members=2, member_sharing="none")
    assert model.fit(X, y[["amount"]]).score(X, y[["amount"]]) > 0


def test_chances_need_a_task_of_many_zeros(numbers):
    X, y = numbers
    model = MMOERegressor(**QUICK).fit(X, y["amount"])
    assert not hasattr(model, "predict_proba_positive")


@pytest.mark.parametrize(
    ("loss", "y", "text"),
    [
        (
            "gamma",
            [1.0, 0.0, 2.0],
            "'y' must hold numbers > 0 for loss='gamma'; the sma",
        ),
        (
            "ziln",
            [1.0, -2.5, 2.0],
            "numbers >= 0 for loss='ziln'; the smallest found is",
        ),
        ("poisson", [1.0, -2.5, 2.0], "the smallest found is -2.5. Use another loss"),
        (
            "squared",
            [1.0, 2.0, 3.0],
            "loss must be one of",
        ),
        (
            "squared_error",
            ["a", "b", "c"],
            "must hold numbers; found 'a'. Give numbers",
        ),
        (
            "squared_error",
            [1.0, np.inf, 2.0],
            "Input y contains infinity: the numbers of",
        ),
        ("squared_error", [np.nan] * 3, "must have labelled rows; found none: all 3"),
    ],
)
def test_what_cannot_be_learnt_is_told(loss, y, text):
    X = [[0.0], [1.0], [2.0]]
    with pytest.raises(ValueError, match=text):
        MMOERegressor(loss=loss).fit(X, pd.Series(y, name="y"))


@pytest.mark.parametrize(
    "loss",
    [
        torch.nn.functional.mse_loss,
        torch.nn.MSELoss(),
        torch.nn.MSELoss,
        {"age": abs, "visits": "huber"},
        [abs, abs],
    ],
)
def test_functions_are_no_losses(loss):
    X, _ = mixed_table(40)
    message = r"loss(\['age'\])? must be one of .*'squared_error'.*; found .*not taken"
    for model in (MMOERegressor, MultiTaskEstimator):
        with pytest.raises(ValueError, match=message):
            model(loss=loss).fit(X, X[["age", "visits"]])


def test_losses_may_leave_tasks_out_but_name_no_others():
    X, _ = mixed_table(40)
    y = X[["age", "visits"]]
    model = MMOERegressor(**QUICK, loss={"visits": "poisson"}).fit(X[["town"]], y)
    outputs = [SquaredErrorOutput(), PoissonOutput()]
    assert list(model.predictor_.structure.outputs) == outputs
    with pytest.raises(ValueError, match="tasks left out take 'squared_error'"):
        MMOERegressor(loss={"visit": "poisson"}).fit(X, y)
    with pytest.raises(ValueError, match=r"one entry per task .* found 1:"):
        MMOERegressor(loss=["poisson"]).fit(X, y)


def test_a_feature_that_is_the_target_leaks():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"a": rng.normal(size=50), "b": rng.normal(size=50)})
    with pytest.warns(LeakWarning, match="Feature 'b' must not tell the label of task"):
        MMOERegressor(**QUICK).fit(X, (3 * X["b"] - 1).rename("y"))

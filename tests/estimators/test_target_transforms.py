"""Targets of long tails that are learnt on a curve, and predicted as means."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV, KFold

from sk_mtl import Huber, MMOERegressor, MultiTaskEstimator, SquaredError
from tests.estimators.common import QUICK, mixed_table, refuse

CURVED = ["log", "quantile"]


@pytest.fixture(scope="module")
def incomes():
    """Log-normal targets with known conditional means."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(4000, 2)), columns=["a", "b"])
    location = 8 + 0.7 * X["a"] + 0.4 * (X["b"] > 0)
    y = np.exp(location + 0.8 * rng.normal(size=4000))
    return X, y, np.exp(location + 0.8**2 / 2)


@pytest.fixture(scope="module", params=CURVED)
def fitted(request, incomes):
    X, y, _ = incomes
    settings = {"max_epochs": 15, "n_members": 1, "random_state": 0}
    model = MMOERegressor(loss=SquaredError(request.param), **settings)
    return model.fit(X[:3000], y[:3000])


def test_predictions_are_conditional_means(fitted, incomes):
    X, _, mean = incomes
    predicted, truth = fitted.predict(X[3000:]), mean[3000:]
    assert predicted.mean() == pytest.approx(truth.mean(), rel=0.05)
    assert r2_score(truth, predicted) > 0.8
    # The mean of a third of the rows, too; the median is e^-0.32 = 0.73 of the mean.
    for rows in np.array_split(np.argsort(truth.to_numpy()), 3)[1:]:
        share = predicted[rows].mean() / truth.to_numpy()[rows].mean()
        assert share == pytest.approx(1, abs=0.15)


def test_scores_and_metrics_are_in_the_targets_own_units(fitted, incomes):
    X, y, _ = incomes
    expected = r2_score(y[3000:], fitted.predict(X[3000:]))
    assert fitted.score(X[3000:], y[3000:]) == pytest.approx(expected, abs=1e-6)


def test_no_prediction_leaves_the_range_of_the_targets(fitted, incomes):
    _, y, _ = incomes
    far = pd.DataFrame({"a": [-1e6, 0.0, 1e6], "b": [-1e6, 0.0, 1e6]})
    predicted = fitted.predict(far)
    assert predicted.min() >= y[:3000].min() * (1 - 1e-6)
    assert predicted.max() <= y[:3000].max() * (1 + 1e-6)


def test_copies_and_pickles_predict_the_same(fitted, incomes):
    X, _, _ = incomes
    expected = fitted.predict(X[:50])
    for other in (copy.deepcopy(fitted), pickle.loads(pickle.dumps(fitted))):
        np.testing.assert_array_equal(other.predict(X[:50]), expected)


def test_auto_is_standard(incomes):
    X, y, _ = incomes
    losses = ["squared_error", SquaredError(), SquaredError("standard")]
    first, *others = (
        MMOERegressor(**QUICK, loss=loss).fit(X[:300], y[:300]).predict(X)
        for loss in losses
    )
    for other in others:
        np.testing.assert_array_equal(other, first)


def test_none_takes_numbers_as_they_are(incomes):
    X, y, _ = incomes
    numbers = np.log(y[:300]) - 8
    model = MMOERegressor(**QUICK, loss=SquaredError(None)).fit(X[:300], numbers)
    (column,) = model.predictor_.targets.columns
    assert (column.shift, column.scale, column.curve) == (0, 1, None)
    network = model.predictor_
    answers = network.answers(network.logits(network.encode(X)))
    np.testing.assert_allclose(model.predict(X), answers[0][:, 0], rtol=1e-6)


@pytest.mark.parametrize("transform", CURVED)
def test_each_task_may_have_its_own_transform(transform, incomes):
    X, y, _ = incomes
    both = pd.DataFrame({"income": y, "rank": y.rank(), "count": np.floor(y / 1000)})
    both.loc[::3, "income"] = np.nan
    losses = {"income": SquaredError(transform), "count": "poisson"}
    model = MMOERegressor(**QUICK, loss=losses, n_members=2).fit(X[:600], both[:600])
    columns = model.predictor_.targets.columns
    assert [column.curve is not None for column in columns] == [True, False, False]
    assert np.isfinite(model.predict(X)).all()


def test_classes_beside_it_and_fits_that_go_on(incomes):
    X, y, _ = incomes
    both = pd.DataFrame({"income": y, "rich": (y > 3000).astype(int)})
    model = MultiTaskEstimator(
        **QUICK,
        loss={"income": SquaredError("log")},
        task_types={"income": "regression", "rich": "binary"},
        warm_start=True,
    )
    curves = []
    for _ in range(2):
        model.fit(X[:500], both[:500])
        curves.append(model.predictor_.targets.columns[0].curve)
    # The units stay, and the errors are those of the network as it is now.
    assert curves[0].unit == curves[1].unit
    assert curves[1].errors.std() < curves[0].errors.std()


def test_weights_of_rows_weigh_their_errors(incomes):
    X, y, _ = incomes
    weight = np.where(np.arange(400) < 200, 1.0, 0.0)
    loss = SquaredError("quantile")
    model = MMOERegressor(**QUICK, loss=loss, early_stopping=False)
    model.fit(X[:400], y[:400].where(weight > 0, 1e9), sample_weight=weight)
    assert model.predict(X).max() <= y[:200].max() * (1 + 1e-6)


@pytest.mark.parametrize("transform", CURVED)
@pytest.mark.parametrize("outlier", [1e16, 1e100, 1e150, -1e149])
def test_outliers_stay_finite(transform, outlier):
    X, y = mixed_table(120)
    numbers = y["buy"] + X["age"]
    numbers[7] = outlier
    model = MMOERegressor(**QUICK, loss=SquaredError(transform)).fit(X, numbers)
    assert np.isfinite(model.predict(X)).all()
    # Validation rows may hold larger numbers than the training rows.
    model.fit(X[8:], numbers[8:], X_val=X[:8], y_val=numbers[:8])
    assert np.isfinite(model.history_["valid_loss"]).all()


def test_equal_numbers_are_predicted():
    X, _ = mixed_table(60)
    for transform in CURVED:
        model = MMOERegressor(**QUICK, loss=SquaredError(transform))
        predicted = model.fit(X, np.full(60, 7.0)).predict(X)
        np.testing.assert_allclose(predicted, 7.0, rtol=1e-6)


def test_a_search_reaches_the_transform(incomes):
    X, y, _ = incomes
    model = MMOERegressor(**QUICK, loss=SquaredError())
    grid = {"loss__transform": ["standard", "log", "quantile"]}
    search = GridSearchCV(model, grid, cv=KFold(2)).fit(X[:200], y[:200])
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert clone(search.best_estimator_).loss == search.best_estimator_.loss


def test_an_unknown_transform_is_refused(incomes):
    X, y, _ = incomes
    model = MMOERegressor(**QUICK, loss=SquaredError("logarithm"))
    with pytest.raises(ValueError, match=r"'transform' parameter of loss=SquaredError"):
        model.fit(X[:50], y[:50])


def test_other_losses_have_no_transform():
    message = (
        "Each keyword must name a parameter of Huber; found 'transform'. Its "
        "parameters are ['delta']."
    )
    refuse(lambda: Huber(transform="log"), message, TypeError)

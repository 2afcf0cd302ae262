import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_linnerud
from sklearn.ensemble import VotingRegressor
from sklearn.linear_model import Ridge
from sklearn.tree import DecisionTreeRegressor

from sk_mtl import MMOERegressor
from sk_mtl.ensemble import MultiTaskVotingRegressor

NET = {"max_epochs": 2, "random_state": 0}


@pytest.fixture
def linnerud():
    return load_linnerud(return_X_y=True, as_frame=True)


def parts():
    return [
        ("linear", Ridge()),
        ("tree", DecisionTreeRegressor(max_depth=2, random_state=0)),
    ]


@pytest.mark.parametrize("weights", [None, [1, 3]])
def test_each_task_votes_as_in_scikit_learn(linnerud, weights):
    X, y = linnerud
    found = MultiTaskVotingRegressor(parts(), weights=weights).fit(X, y).predict(X)
    for k, name in enumerate(y):
        alone = VotingRegressor(parts(), weights=weights).fit(X, y[name])
        np.testing.assert_allclose(found[:, k], alone.predict(X))


def test_networks_are_fitted_to_all_tasks(linnerud):
    X, y = linnerud
    model = MultiTaskVotingRegressor([*parts(), ("net", MMOERegressor(**NET))])
    alone = MMOERegressor(**NET).fit(X, y).predict(X)
    model.set_params(weights=[0, 0, 1]).fit(X, y)
    np.testing.assert_allclose(model.predict(X), alone, rtol=1e-6)


def test_rows_without_a_number_are_left_out(linnerud):
    X, y = linnerud
    y.iloc[:5, 1] = np.nan
    model = MultiTaskVotingRegressor([("linear", Ridge())]).fit(X, y)
    wanted = Ridge().fit(X[5:], y.iloc[5:, 1]).predict(X)
    np.testing.assert_allclose(model.predict(X)[:, 1], wanted)
    name = y.columns[1]
    assert list(model.estimators_[0]) == [*y.columns]
    assert model.score(X[5:], y[5:][[name, *y.columns[::2]]]) <= 1


def test_one_number_is_a_vector(linnerud):
    X, y = linnerud
    model = MultiTaskVotingRegressor(parts(), weights="auto").fit(X, y["Weight"])
    assert model.predict(X).shape == (20,)
    assert model.task_names_ == ["Weight"]
    assert model.weights_["Weight"].sum() == pytest.approx(1)


def test_weights_of_rows_count(linnerud):
    X, y = linnerud
    weight = np.arange(20.0)
    model = MultiTaskVotingRegressor([("linear", Ridge())]).fit(X, y, weight)
    wanted = Ridge().fit(X[1:], y["Waist"][1:], weight[1:]).predict(X)
    np.testing.assert_allclose(model.predict(X)[:, 1], wanted)
    frame = pd.DataFrame(dict.fromkeys(y, weight))
    same = MultiTaskVotingRegressor([("linear", Ridge())]).fit(X, y, frame)
    np.testing.assert_array_equal(model.predict(X), same.predict(X))

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge

from sk_mtl import MMOEClassifier, MultiTaskEstimator
from sk_mtl.ensemble import MultiTaskVotingEstimator
from tests.ensemble.common import NET, linear, table


@pytest.fixture
def mixed():
    X, y = table()
    return X, y.assign(spend=X["c"] + X["a"])


def test_each_part_votes_on_its_type_of_task(mixed):
    X, y = mixed
    parts = [
        ("net", MultiTaskEstimator(**NET)),
        ("own", MMOEClassifier(**NET)),
        ("linear", linear()),
        ("ridge", Ridge()),
    ]
    model = MultiTaskVotingEstimator(parts).fit(X, y)
    third = pytest.approx(1 / 3)
    assert model.weights_["plan"].tolist() == [third, third, third, 0]
    assert model.weights_["spend"].tolist() == [0.5, 0, 0, 0.5]
    assert model.classes_[3] is None
    assert model.predict_proba(X)[3] is None
    wanted = 0.5 * parts[0][1].fit(X, y).predict(X)["spend"] + 0.5 * Ridge().fit(
        X, y["spend"]
    ).predict(X)
    np.testing.assert_allclose(model.predict(X)["spend"], wanted, rtol=1e-5)
    assert isinstance(model.predict(X), pd.DataFrame)


def test_types_are_the_network_s(mixed):
    X, y = mixed
    y["visits"] = np.arange(len(y)) % 5
    types = {"visits": "regression"}
    net = MultiTaskEstimator(**NET, task_types=types)
    model = MultiTaskVotingEstimator([("net", net), ("ridge", Ridge())]).fit(X, y)
    assert model.classes_[4] is None
    assert model.weights_["visits"].tolist() == [0.5, 0.5]


def test_weight_zero_is_as_good_as_no_label(mixed):
    X, y = mixed
    y["visits"] = np.where(np.arange(len(y)) < 100, 0.5, np.arange(len(y)) % 3)
    weight = {"visits": (np.arange(len(y)) >= 100) * 1.0}
    parts = [("net", MultiTaskEstimator(**NET)), ("linear", linear())]
    parts.append(("ridge", Ridge()))
    model = MultiTaskVotingEstimator(parts).fit(X, y, sample_weight=weight)
    assert model.classes_[4].tolist() == [0, 1, 2]


def test_learnt_weights_are_of_each_task_s_own_parts(mixed):
    X, y = mixed
    parts = [("linear", linear()), ("ridge", Ridge()), ("same", Ridge(100.0))]
    model = MultiTaskVotingEstimator(parts, weights="auto").fit(X, y)
    assert model.weights_["click"].tolist() == [1, 0, 0]
    assert model.weights_["spend"].tolist() == [0, 1, 0]
    assert model.score(X, y) > 0.7


def test_a_task_that_no_part_can_learn_is_named(mixed):
    X, y = mixed
    with pytest.raises(ValueError, match=r"Task 'spend' must have an estimator that"):
        MultiTaskVotingEstimator([("linear", linear())]).fit(X, y)

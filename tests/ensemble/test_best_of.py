import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from sk_mtl import ESMMClassifier, MMOEClassifier, MMOERegressor, MultiTaskEstimator
from sk_mtl.ensemble import (
    BoostedTreesClassifier,
    MultiTaskVotingClassifier,
    MultiTaskVotingEstimator,
    MultiTaskVotingRegressor,
    best_of,
)
from tests.ensemble.common import binary_table, table
from tests.estimators.common import assert_equal_proba, refuse

QUICK = {"net__max_epochs": 1, "trees__max_iter": 10}


def numbers():
    X, _ = table()
    return X, pd.DataFrame({"spend": X["a"] + X["b"], "visits": np.arange(200) % 30})


def test_classes_get_a_classifier():
    X, y = table()
    model = best_of(X, y, random_state=0)
    assert isinstance(model, MultiTaskVotingClassifier)
    net, trees = (part for _, part in model.estimators)
    assert isinstance(net, MMOEClassifier)
    assert isinstance(trees, BoostedTreesClassifier)
    assert net.get_params() == MMOEClassifier(random_state=0).get_params()
    assert trees.random_state == 0
    assert not hasattr(model, "classes_")


def test_numbers_get_a_regressor_with_the_loss_of_their_type():
    X, y = numbers()
    model = best_of(X, y, task_types={"visits": "poisson"})
    assert isinstance(model, MultiTaskVotingRegressor)
    net, trees = (part for _, part in model.estimators)
    assert isinstance(net, MMOERegressor)
    assert net.loss == {"visits": "poisson"}
    assert trees.loss == {"visits": "poisson"}
    assert best_of(X, y).estimators[0][1].loss == "squared_error"
    model.set_params(**QUICK, weights=None).fit(X, y)
    assert model.estimators_[1]["visits"].loss == "poisson"
    assert model.estimators_[1]["spend"].loss == "squared_error"


def test_both_types_get_parts_for_each():
    X, y = table()
    y = y.assign(spend=X["a"] + X["b"], visits=np.arange(200) % 30)
    model = best_of(X, y, task_types={"visits": "poisson"}, random_state=0)
    assert isinstance(model, MultiTaskVotingEstimator)
    assert [name for name, _ in model.estimators] == [
        "net",
        "class_trees",
        "number_trees",
    ]
    net = model.named_estimators["net"]
    assert isinstance(net, MultiTaskEstimator)
    model.set_params(net__max_epochs=1, class_trees__max_iter=5, weights=None)
    model.set_params(number_trees__max_iter=5).fit(X, y)
    kinds = ["binary", "binary", "multiclass", "regression", "poisson"]
    assert list(model.estimators_[0].task_types_.values()) == kinds
    assert (model.weights_.loc["net"] == 0.5).all()
    assert model.predict(X)["visits"].min() > 0


def test_steps_get_a_funnel():
    X, y = binary_table()
    model = best_of(X, y, structure={"buy": "click"}, random_state=0)
    assert isinstance(model.named_estimators["net"], ESMMClassifier)
    click, buy = model.set_params(**QUICK).fit(X, y).predict_proba(X)
    assert (buy[:, 1] <= click[:, 1]).all()


def test_weights_are_learnt_on_small_tables():
    X, y = binary_table()
    assert best_of(X, y).weights == "auto"
    many = pd.concat([y] * 100, ignore_index=True)
    assert best_of(pd.concat([X] * 100, ignore_index=True), many).weights is None


def test_a_table_of_any_columns_is_taken():
    rng = np.random.default_rng(0)
    n = 900
    X = pd.DataFrame(
        {
            "town": rng.choice(["Oslo", "Rome", None], n),
            "user_id": rng.integers(0, 300, n),
            "plan": pd.Categorical(rng.choice(["a", "b"], n)),
            "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(n) % 99, "D"),
            "seen": [["x", "y", "z"][: k % 4] for k in range(n)],
            "paid": rng.random(n) < 0.5,
            "age": pd.array(np.where(rng.random(n) < 0.1, None, 30), dtype="Int64"),
            "price": np.where(rng.random(n) < 0.1, np.nan, rng.random(n)),
        }
    )
    y = pd.DataFrame({"click": rng.random(n) < 0.4, "buy": rng.choice(["n", "y"], n)})
    y["click"] = y["click"].astype(object)
    y.loc[::7, "click"] = None
    model = best_of(X, y, random_state=0).set_params(**QUICK, weights=None).fit(X, y)
    assert [proba.shape for proba in model.predict_proba(X[:5])] == [(5, 2)] * 2
    new = X[:2].assign(town="Bonn", user_id=10**6, seen=[["w"], []])
    assert np.isfinite(model.predict_proba(new)[0]).all()


def test_random_state_decides():
    X, y = binary_table()
    model = best_of(X, y, random_state=3).set_params(**QUICK, weights=None)
    first = model.fit(X, y).predict_proba(X)
    assert_equal_proba(clone(model).fit(X, y).predict_proba(X), first)


def test_a_time_limit_is_divided():
    X, y = binary_table()
    model = best_of(X, y, time_limit=8)
    assert model.weights is None
    assert model.named_estimators["trees"].time_limit == 2
    assert model.named_estimators["net"].time_limit == 4


@pytest.mark.parametrize("library", ["lightgbm", "catboost"])
def test_other_libraries_grow_the_trees_where_asked_for(library):
    pytest.importorskip(library)
    X, y = binary_table()
    model = best_of(X, y, trees=library).set_params(**QUICK, weights=None)
    assert model.fit(X, y).estimators_[1]["click"].library == library


def test_bad_values_are_refused():
    X, y = binary_table()
    refuse(
        lambda: best_of(X, y, trees="forest"),
        "trees must be one of ['hist_gradient_boosting', 'lightgbm', 'catboost']; "
        "found 'forest'. Use one of these names.",
    )
    refuse(
        lambda: best_of(X, y, time_limit=0),
        "time_limit must be a number of seconds > 0, or None; found 0. Leave it out "
        "for a fit without a limit.",
    )
    refuse(
        lambda: best_of(*numbers(), structure="funnel"),
        "structure must be 'independent' where tasks hold numbers; found 'funnel' and "
        "the types {'spend': 'regression', 'visits': 'regression'}. Leave out the "
        "numbers, or the structure.",
    )
    with pytest.raises(ValueError, match=r"task_types must be 'auto' or of"):
        best_of(X, y, task_types="count")

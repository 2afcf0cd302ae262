"""Classes beside numbers in one network."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from sk_mtl import MultiTaskEstimator
from tests.estimators.common import QUICK, mixed_table


@pytest.fixture(scope="module")
def table():
    X, y = mixed_table(600)
    y = y.assign(age=X["age"], plan=X["plan"].astype(str), visits=X["visits"] * 1.0)
    return X[["town", "age"]], y


def test_types_are_inferred_by_a_stated_rule(table):
    X, y = table
    y = y.assign(many=np.arange(600), few=np.arange(600) % 5, flag=y["buy"] == 1)
    model = MultiTaskEstimator(**QUICK).fit(X[["town"]], y)
    assert model.task_types_ == {
        "churn": "binary",
        "buy": "binary",
        "age": "regression",
        "plan": "binary",
        "visits": "multiclass",
        "many": "regression",
        "few": "multiclass",
        "flag": "binary",
    }


def test_a_frame_in_gives_a_frame_out(table):
    X, y = table
    types = {
        "churn": "binary",
        "buy": "binary",
        "age": "regression",
        "plan": "multiclass",
        "visits": "ziln",
    }
    model = MultiTaskEstimator(**QUICK, task_types=types).fit(X[["town"]], y)
    predicted = model.predict(X[["town"]])
    assert list(predicted) == list(y)
    assert predicted.index.equals(X.index)
    assert predicted["plan"].isin(["free", "paid"]).all()
    assert predicted["churn"].dtype.kind == "i"
    assert predicted["age"].between(0, 100).all()
    proba = model.predict_proba(X[["town"]])
    assert [None if p is None else p.shape for p in proba] == [
        (600, 2),
        (600, 2),
        None,
        (600, 2),
        None,
    ]
    assert model.classes_[2] is None
    chance = model.predict_proba_positive(X[["town"]])[:, 4]
    assert chance.mean() == pytest.approx((y["visits"] > 0).mean(), abs=0.1)
    assert np.isfinite(model.score(X[["town"]], y))


def test_an_array_in_gives_an_array_out(table):
    X, y = table
    model = MultiTaskEstimator(**QUICK, task_types=["binary", "regression"])
    model.fit(X[["town"]], y[["churn", "age"]].to_numpy())
    assert model.predict(X[["town"]]).shape == (600, 2)
    one = clone(model).set_params(task_types="regression")
    assert one.fit(X[["town"]], y["age"]).predict(X[["town"]]).shape == (600,)


def test_missing_labels_of_any_type(table):
    X, y = table
    y = y.copy()
    y["churn"] = y["churn"].astype("Int64")
    y.loc[::2, "churn"] = pd.NA
    y.loc[1::2, "age"] = np.nan
    y.loc[::3, "plan"] = None
    model = MultiTaskEstimator(**QUICK).fit(X[["town"]], y)
    assert np.isfinite(model.score(X[["town"]], y))


def test_every_wiring_by_its_name(table):
    X, y = table
    for wiring, params in (("ple", {"n_levels": 1}), ("single_task", None)):
        model = MultiTaskEstimator(
            **{**QUICK, "max_epochs": 1}, wiring=wiring, wiring_params=params
        )
        assert model.fit(X, y[["churn", "visits"]]).predict(X).shape == (600, 2)


def test_wrong_names_are_told(table):
    X, y = table
    y = y[["churn", "visits"]]
    with pytest.raises(ValueError, match=r"wiring must be one of .*found 'moe'"):
        MultiTaskEstimator(wiring="moe").fit(X, y)
    with pytest.raises(ValueError, match="wiring_params of 'mmoe' must be among"):
        MultiTaskEstimator(wiring_params={"n_exp": 2}).fit(X, y)
    silu = {"activation": "silu"}
    with pytest.raises(ValueError, match=r"'activation'.*such as dropout, is a param"):
        MultiTaskEstimator(wiring="home", wiring_params=silu).fit(X, y)
    with pytest.raises(ValueError, match=r"task_types must be 'auto' or of .*'number'"):
        MultiTaskEstimator(task_types="number").fit(X, y)
    with pytest.raises(ValueError, match="'visits' of type 'binary' must have two"):
        MultiTaskEstimator(task_types="binary").fit(X, y)


def test_a_metric_is_monitored_on_the_tasks_that_have_it(table):
    X, y = table
    y = y[["churn", "age"]]
    options = {**QUICK, "early_stopping": True}
    for monitor, task in (("roc_auc", "churn"), ("r2", "age")):
        one = MultiTaskEstimator(**options, monitor=monitor).fit(X[["town"]], y)
        pair = MultiTaskEstimator(**options, monitor=(monitor, task))
        scores = pair.fit(X[["town"]], y).history_[f"valid_{monitor}_{task}"]
        assert one.history_[f"valid_{monitor}"].tolist() == scores.tolist()
    with pytest.raises(ValueError, match="'r2' is of tasks of numbers; found classes"):
        MultiTaskEstimator(**options, monitor="r2").fit(X, y[["churn"]])

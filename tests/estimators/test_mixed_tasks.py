"""Classes beside numbers in one network."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from sk_mtl import (
    ZILN,
    CrossEntropy,
    Focal,
    Huber,
    MMOEClassifier,
    MMOERegressor,
    MultiTaskEstimator,
)
from tests.estimators.common import (
    FULL_BATCH,
    PLAIN,
    QUICK,
    assert_equal_proba,
    mixed_table,
)

BRIEF = {**QUICK, "max_epochs": 1}


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
    for log_proba, each in zip(
        model.predict_log_proba(X[["town"]]), proba, strict=True
    ):
        if each is not None:
            np.testing.assert_allclose(log_proba, np.log(each), atol=1e-6)
        else:
            assert log_proba is None
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
    for wiring in ("ple", "single_task"):
        model = MultiTaskEstimator(**{**QUICK, "max_epochs": 1}, wiring=wiring)
        assert model.fit(X, y[["churn", "visits"]]).predict(X).shape == (600, 2)


def test_wrong_names_are_told(table):
    X, y = table
    y = y[["churn", "visits"]]
    with pytest.raises(ValueError, match=r"wiring must be one of .*found 'moe'"):
        MultiTaskEstimator(wiring="moe").fit(X, y)
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


def test_types_of_some_tasks_leave_the_others_to_auto(table):
    X, y = table
    wanted = {
        "churn": "binary",
        "buy": "binary",
        "age": "gamma",
        "plan": "binary",
        "visits": "poisson",
    }
    y = y.assign(age=y["age"].clip(1))
    given = [{"age": "gamma", "visits": "poisson"}, {**wanted, "buy": "auto"}]
    given.append(["auto", "auto", "gamma", "auto", "poisson"])
    for types in given:
        model = MultiTaskEstimator(**BRIEF, task_types=types).fit(X[["town"]], y)
        assert model.task_types_ == wanted


def test_a_loss_named_for_a_task_decides_its_type(table):
    X, y = table
    losses = {"visits": "poisson", "buy": "huber", "age": "absolute_error"}
    model = MultiTaskEstimator(**BRIEF, loss=losses).fit(X[["town"]], y)
    assert model.task_types_ == {
        "churn": "binary",
        "buy": "regression",
        "age": "regression",
        "plan": "binary",
        "visits": "poisson",
    }
    model = MultiTaskEstimator(**BRIEF, loss={"visits": "log_loss"})
    assert model.fit(X[["town"]], y).task_types_["visits"] == "multiclass"


def test_one_loss_is_that_of_the_numbers_only(table):
    X, y = table
    y = y[["churn", "age", "visits"]]
    types = {"visits": "ziln"}
    model = MultiTaskEstimator(**BRIEF, loss="huber", task_types=types)
    model.fit(X[["town"]], y)
    kinds = [type(each).__name__ for each in model.predictor_.structure.outputs]
    assert kinds == ["ClassOutput", "HuberOutput", "ZILNOutput"]


@pytest.mark.parametrize(
    "loss", ["squared_error", "absolute_error", Huber(0.5), "poisson", "gamma", ZILN()]
)
def test_numbers_are_learnt_as_by_a_regressor(table, loss):
    X, y = table
    X, y = X[["age"]], y[["visits"]] + 1.0
    options = {**FULL_BATCH, **PLAIN, "max_epochs": 3, "random_state": 0}
    options["loss"] = loss
    mixed = MultiTaskEstimator(**options, task_types="regression").fit(X, y)
    alone = MMOERegressor(**options).fit(X, y)
    np.testing.assert_array_equal(mixed.predict(X), alone.predict(X))


@pytest.mark.parametrize(
    "option",
    [
        {"class_weight": "balanced"},
        {"class_weight": {"churn": {1: 3.0}}},
        {"class_weight": [None, "balanced"]},
        {"loss": CrossEntropy(label_smoothing=0.2)},
        {"loss": {"churn": Focal(2.0)}},
    ],
)
def test_classes_are_learnt_as_by_a_classifier(table, option):
    X, y = table
    X, y = X[["age"]], y[["churn", "buy"]]
    options = {**FULL_BATCH, **PLAIN, "max_epochs": 3, "random_state": 0, **option}
    mixed = MultiTaskEstimator(**options).fit(X, y)
    alone = MMOEClassifier(**options).fit(X, y)
    assert_equal_proba(mixed.predict_proba(X), alone.predict_proba(X))


def test_class_weights_leave_numbers_alone(table):
    X, y = table
    X, y = X[["town"]], y[["churn", "age"]]
    options = {**BRIEF, "lr": 1e-12}

    def losses(**weights):
        model = MultiTaskEstimator(**options, **weights).fit(X, y)
        return model.history_.filter(like="train_loss_").iloc[0]

    plain, weighted = losses(), losses(class_weight={"churn": {1: 3.0}})
    assert abs(weighted["train_loss_churn"] - plain["train_loss_churn"]) > 0.001
    assert weighted["train_loss_age"] == pytest.approx(plain["train_loss_age"])


def test_balanced_weights_need_all_rows(table):
    X, y = table
    model = MultiTaskEstimator(**BRIEF, class_weight={"churn": "balanced"})
    with pytest.raises(ValueError, match="must hold numbers for partial_fit"):
        model.partial_fit(X[["town"]], y)


def test_a_classifier_names_the_estimator_of_both_kinds(table):
    X, y = table
    with pytest.raises(ValueError) as caught:
        MMOEClassifier(**BRIEF).fit(X[["town"]], y[["churn", "age"]])
    assert str(caught.value).endswith(
        "Bin the values, use a regressor, or MultiTaskEstimator for classes beside "
        "numbers."
    )


@pytest.mark.parametrize("objects", [float, Decimal, np.float64])
def test_numbers_that_are_held_as_objects_are_numbers(objects, table):
    X, y = table
    y = y[["churn", "plan", "age"]].astype(object)
    y["age"] = [objects(round(value, 2)) for value in y["age"]]
    y.loc[::7, "age"] = None
    for labels in (y, y.to_numpy()):
        model = MultiTaskEstimator(**BRIEF).fit(X[["town"]], labels)
        kinds = list(model.task_types_.values())
        assert kinds == ["binary", "binary", "regression"]
    model = MultiTaskEstimator(**BRIEF).fit(X[["town"]], y)
    assert model.predict(X[["town"]])["age"].dtype == float


@pytest.mark.parametrize(
    ("first", "found"),
    [
        (pd.Timestamp("2026-01-01"), "datetime64"),
        (pd.Timestamp("2026-01-01", tz="Europe/Oslo"), "datetime"),
        (pd.Timedelta(0), "timedelta64"),
    ],
)
def test_times_are_neither_classes_nor_numbers(first, found, table):
    X, y = table
    times = first + pd.to_timedelta(np.arange(600), "D")
    with pytest.raises(ValueError) as caught:
        MultiTaskEstimator().fit(X[["town"]], y[["churn"]].assign(when=times))
    assert str(caught.value) == (
        "Task 'when' must hold classes or numbers where its type is 'auto'; found "
        f"{found} values. Convert them to numbers, such as days, or set its type to "
        "'multiclass' to take each one as a class."
    )

"""Fits that are told all classes, of which their rows may lack some."""

import numpy as np
import pandas as pd
import pytest

from sk_mtl import (
    AITMClassifier,
    ESMMClassifier,
    MMOEClassifier,
    MMOERegressor,
    MultiTaskEstimator,
)
from tests.estimators.common import QUICK, funnel_table, mixed_table


def kinds(n_samples=240):
    X, y = mixed_table(n_samples)
    return X, y[["buy"]].assign(kind=np.where(X["age"] > 40, "a", "b"))


ALL = [[0, 1], ["a", "b", "c"]]


@pytest.mark.parametrize("n_members", [1, 3])
@pytest.mark.parametrize(
    "classes", [ALL, {"buy": [0, 1], "kind": ALL[1]}, {"kind": ALL[1]}, [None, ALL[1]]]
)
def test_a_class_without_rows_has_a_column_near_zero(classes, n_members):
    X, y = kinds()
    model = MMOEClassifier(**QUICK, n_members=n_members).fit(X, y, classes=classes)
    assert [known.tolist() for known in model.classes_] == ALL
    buy, kind = model.predict_proba(X)
    assert kind.shape == (240, 3)
    assert kind[:, 2].max() < 1e-3
    assert (kind[:, :2].max(axis=0) > 0.5).all()
    assert buy[:, 1].max() > 0.3
    assert set(model.predict(X)[:, 1]) == {"a", "b"}


def test_classes_that_all_have_rows_change_nothing():
    X, y = kinds()
    plain = MMOEClassifier(**QUICK).fit(X, y)
    named = MMOEClassifier(**QUICK).fit(X, y, classes=[[0, 1], ["b", "a"]])
    for a, b in zip(plain.predict_proba(X), named.predict_proba(X), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("only", [0, 1])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_single_class_is_learnt_where_the_other_is_named(only, early_stopping):
    X, y = mixed_table()
    y = y.assign(buy=only)
    model = MMOEClassifier(**QUICK, early_stopping=early_stopping)
    model.fit(X, y, classes={"buy": [0, 1]})
    proba = model.predict_proba(X)[1]
    assert proba[:, only].min() > 0.999
    one = MMOEClassifier(**QUICK).fit(X, y["buy"], classes=[0, 1])
    assert one.predict_proba(X)[:, only].min() > 0.999


def test_a_task_without_labels_is_left_untrained():
    X, y = mixed_table()
    y = y.astype(float).assign(buy=np.nan)
    model = MMOEClassifier(**QUICK).fit(X, y, classes=[[0, 1], [0, 1]])
    assert np.isfinite(model.predict_proba(X)[1]).all()


@pytest.mark.parametrize("cls", [ESMMClassifier, AITMClassifier])
def test_a_step_that_nobody_reached(cls):
    X, y = funnel_table()
    model = cls(**QUICK).fit(X, y.assign(conversion=0), classes=[[0, 1], [0, 1]])
    click, conversion = model.predict_proba(X)
    assert conversion[:, 1].max() < 1e-3
    assert click[:, 1].max() > 0.5


def test_a_class_only_among_the_held_out_rows_is_near_zero():
    X, y = kinds()
    y.iloc[-10:, 1] = "c"
    with pytest.warns(UserWarning, match="'kind' must be among the rows that train"):
        model = MMOEClassifier(
            **QUICK, early_stopping=True, validation_split="last"
        ).fit(X, y)
    assert model.predict_proba(X)[1][:, 2].max() < 1e-3


def test_classes_beside_numbers():
    X, y = kinds()
    y = y.assign(spend=X["age"] ** 2, visits=X["visits"].to_numpy()[::-1])
    model = MultiTaskEstimator(**QUICK)
    assert [
        known if known is None else known.tolist() for known in model.find_classes(y)
    ] == [[0, 1], ["a", "b"], None, list(range(9))]
    model.fit(X, y, classes=[*ALL, None, None])
    assert model.task_types_ == {
        "buy": "binary",
        "kind": "multiclass",
        "spend": "regression",
        "visits": "regression",
    }
    assert model.predict_proba(X)[1][:, 2].max() < 1e-3
    model.fit(X, y, classes={"kind": ALL[1]})
    assert model.task_types_["visits"] == "multiclass"
    one = MultiTaskEstimator(**QUICK).fit(X, y["kind"], classes=ALL[1])
    assert one.predict_proba(X).shape == (240, 3)


def test_classes_where_they_have_no_place():
    X, y = kinds()
    y = y.assign(spend=X["age"] ** 2)
    with pytest.raises(ValueError) as caught:
        MultiTaskEstimator(task_types={"spend": "regression"}, **QUICK).fit(
            X, y, classes={"spend": [1, 2]}
        )
    assert str(caught.value) == (
        "classes must be of tasks of classes; found some for task 'spend', which holds "
        "numbers. Leave it out, or change its entry in task_types."
    )
    with pytest.raises(ValueError) as caught:
        MMOERegressor(**QUICK).fit(X, y["spend"], classes=[1, 2])
    assert str(caught.value) == (
        "classes must be None for a task of numbers; found [1, 2]. Leave it out, or "
        "use a classifier."
    )
    with pytest.raises(ValueError, match=r"must hold the classes \[0, 2\]; found 1"):
        MMOEClassifier(**QUICK).fit(X, y["buy"], classes=[0, 2])


def test_mixed_tasks_take_classes_day_by_day():
    X, y = kinds()
    first = y.assign(buy=0, spend=X["age"] ** 2)
    model = MultiTaskEstimator(**QUICK)
    with pytest.raises(ValueError, match=r"name all classes by classes=\.$"):
        model.partial_fit(X, first)
    classes = {"buy": [0, 1], "kind": ALL[1]}
    model.partial_fit(X, first, classes=classes).partial_fit(X, y.assign(spend=1.5))
    assert [p if p is None else p.shape[1] for p in model.predict_proba(X)] == [
        *(2, 3, None)
    ]


def test_classes_of_weight_zero_are_no_classes():
    X, y = kinds()
    y.loc[:9, "kind"] = "c"
    weight = np.ones((240, 2))
    weight[:10, 1] = 0
    gone = y.assign(kind=y["kind"].where(y["kind"] != "c"))
    missing = MMOEClassifier(**QUICK).fit(X, gone)
    weightless = MMOEClassifier(**QUICK).fit(X, y, sample_weight=weight)
    assert weightless.classes_[1].tolist() == ["a", "b"]
    for a, b in zip(missing.predict_proba(X), weightless.predict_proba(X), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_labels_of_weight_zero_are_not_read():
    X, y = mixed_table()
    count = pd.Series(np.arange(240.0))
    count[:5] = [-1, np.inf, -3, -4, -5]
    weight = (np.arange(240) >= 5).astype(float)
    MMOERegressor(loss="poisson", **QUICK).fit(X, count, sample_weight=weight)
    late = y.assign(buy=np.where(np.arange(240) < 5, 7, y["buy"]))
    MMOEClassifier(**QUICK).fit(X, y, X_val=X, y_val=late, sample_weight_val=weight)
    model = MultiTaskEstimator(**QUICK)
    number = pd.DataFrame({"a": y["buy"], "b": np.where(np.arange(240) < 5, 0.5, 1)})
    number.loc[100:, "b"] = 0
    assert model.fit(X, number, sample_weight=weight).task_types_["b"] == "binary"

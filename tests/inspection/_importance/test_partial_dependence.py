"""Partial dependence of all tasks."""

import numpy as np
import pandas as pd
from sklearn.inspection import partial_dependence

from sk_mtl import MMOEClassifier, MultiTaskEstimator
from sk_mtl.inspection import partial_dependence_by_task
from tests.estimators.common import PLAIN, QUICK, refuse

ONE = {**QUICK, **PLAIN, "max_epochs": 2, "n_members": 1}


def test_averages_are_scikit_learns(model, table):
    X = table[0][:60]
    found = partial_dependence_by_task(model, X, "age", grid_resolution=4)
    for task in ("churn", "buy"):
        options = {"kind": "average", "grid_resolution": 4}
        expected = partial_dependence(model.task(task), X, ["age"], **options)
        own = found[found["task"] == task]
        np.testing.assert_allclose(own["value"], expected["grid_values"][0])
        np.testing.assert_allclose(own["average"], expected["average"][0])
        assert own["class"].tolist() == [1] * 4


def test_categories_are_set_in_all_rows(model, table):
    X = table[0][:60].copy()
    X.loc[:3, "town"] = None
    found = partial_dependence_by_task(model, X, ["town", "plan"])
    towns, plans = ["Bonn", "Oslo", "Rome"], ["free", "paid"]
    assert found["value"].tolist() == [*towns, *towns, *plans, *plans]
    rome = model.predict_proba(X.assign(town="Rome"))[1][:, 1].mean()
    row = found.query("task == 'buy' and value == 'Rome'")
    np.testing.assert_allclose(row["average"], [rome], rtol=1e-5)


def test_integers_numbers_and_several_classes_are_taken(table):
    X, _ = table
    y = pd.DataFrame({"number": X["age"] + X["visits"], "town": X["town"]})
    model = MultiTaskEstimator(**ONE).fit(X[["age", "visits"]], y)
    options = {"grid_resolution": 3}
    found = partial_dependence_by_task(model, X[["age", "visits"]], "visits", **options)
    classes = found.drop_duplicates(["task", "class"])["class"].tolist()
    assert classes == [None, "Bonn", "Oslo", "Rome"]
    total = found[found["task"] == "town"].groupby("value")["average"].sum()
    np.testing.assert_allclose(total, 1, rtol=1e-5)


def test_positive_class_may_sort_first(table):
    X, y = table
    y = y.map({0: "none", 1: "bought"}.get)
    model = MMOEClassifier(pos_label="bought", **ONE).fit(X, y)
    found = partial_dependence_by_task(model, X[:40], "plan").query("task == 'buy'")
    assert found["class"].tolist() == ["bought", "bought"]
    free = model.predict_proba(X[:40].assign(plan="free"))[1][:, 0].mean()
    np.testing.assert_allclose(found["average"].iloc[0], free, rtol=1e-5)


def test_arrays_are_known_by_position(table):
    X, y = table
    X = X[["age", "visits"]].to_numpy()
    model = MultiTaskEstimator(**ONE).fit(X, y)
    found = partial_dependence_by_task(model, X[:50], "x1", grid_resolution=3)
    assert found["feature"].unique().tolist() == ["x1"]


def test_unknown_column_is_refused(model, table):
    refuse(
        lambda: partial_dependence_by_task(model, table[0], "aeg"),
        "features must be columns of X, among ['age', 'visits', 'town', 'plan']; found "
        "'aeg'. Did you mean 'age'?",
    )

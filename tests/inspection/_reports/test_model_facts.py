"""Facts about a model and the rows that it is judged by."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

import sk_mtl
from sk_mtl import MultiTaskEstimator
from sk_mtl.inspection._reports._model_facts import (
    JudgedRows,
    changed_parameters,
    versions,
)
from tests.estimators.common import PLAIN, QUICK


def test_tasks_have_observed_and_predicted_means(model, table):
    X, y = table
    y = y.astype(float)
    y.loc[:39, "buy"] = np.nan
    tasks = JudgedRows(model, X, y[["buy", "churn"]]).tasks()
    assert tasks["labelled rows"].to_dict() == {"churn": 240, "buy": 200}
    assert tasks.loc["buy", "observed"] == pytest.approx(y["buy"].mean())
    predicted = model.predict_proba(X)[1][40:, 1].mean()
    assert tasks.loc["buy", "predicted"] == pytest.approx(predicted)


def test_scores_are_scikit_learns(model, table):
    X, y = table
    scores = JudgedRows(model, X, y).scores()
    expected = roc_auc_score(y["buy"], model.predict_proba(X)[1][:, 1])
    assert scores.loc["buy", "roc_auc"] == pytest.approx(expected)


def test_segments_have_the_scores_of_their_rows(model, table):
    X, y = table
    segments = JudgedRows(model, X, y).segments("town")
    assert segments["task"].tolist() == ["churn"] * 3 + ["buy"] * 3
    rome = (X["town"] == "Rome").to_numpy()
    row = segments[(segments["task"] == "buy") & (segments["town"] == "Rome")].iloc[0]
    proba = model.predict_proba(X)[1][rome, 1]
    assert row["labelled rows"] == rome.sum()
    assert row["observed"] == pytest.approx(y["buy"][rome].mean())
    assert row["predicted"] == pytest.approx(proba.mean())
    assert row["score"] == pytest.approx(roc_auc_score(y["buy"][rome], proba))


def test_numbers_and_several_classes_are_described(table):
    X, _ = table
    y = pd.DataFrame({"spend": 2 * X["age"] + X["visits"], "town": X["town"]})
    X = X[["age", "visits"]]
    model = MultiTaskEstimator(n_members=1, **QUICK, **PLAIN).fit(X, y)
    judged = JudgedRows(model, X, y)
    assert judged.tasks()["type"].tolist() == ["number", "3 classes"]
    assert judged.tasks().loc["spend", "observed"] == pytest.approx(y["spend"].mean())
    assert not judged.has_binary_task()
    scores = judged.scores()
    assert scores["r2"].notna().tolist() == [True, False]
    assert scores["roc_auc"].notna().tolist() == [False, True]
    assert len(judged.segments("visits")) == 8


def test_changed_parameters_and_versions_are_listed(model):
    changed = changed_parameters(model)
    assert changed["n_experts"] == "3"
    assert "lr" not in changed
    assert versions()["sk_mtl"] == sk_mtl.__version__
    assert "torch" in versions()

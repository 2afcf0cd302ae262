"""Folds whose training rows lack a class cost that task alone."""

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.model_selection import KFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sk_mtl import MMOEClassifier, MultiTaskEstimator
from sk_mtl.metrics import make_task_scorer
from sk_mtl.model_selection import compare_tasks, out_of_fold_proba
from tests.estimators.common import QUICK, mixed_table

X, BOTH = mixed_table(120)
RARE = BOTH[["churn"]].assign(
    one=np.arange(120) == 7, kind=[*["p", "q"] * 59, "r", "p"]
)
MODEL = MMOEClassifier(**{**QUICK, "max_epochs": 1})
MODELS = {
    "alone": MODEL,
    "pipeline": make_pipeline(FunctionTransformer(), MODEL),
    "mixed": MultiTaskEstimator(**{**QUICK, "max_epochs": 1}),
    "forest": RandomForestClassifier(n_estimators=5, random_state=0),
}


@pytest.mark.parametrize("routing", [False, True])
@pytest.mark.parametrize("name", ["alone", "pipeline", "mixed"])
def test_a_comparison_goes_on(name, routing):
    with (
        config_context(enable_metadata_routing=routing),
        pytest.warns(UndefinedMetricWarning, match=r"\['one', 'kind'\] are undefined"),
    ):
        found = compare_tasks(MODELS[name], X, RARE, cv=KFold(3), random_state=0)
    for scores in (found.scores, found.baseline_scores):
        assert scores["churn"].notna().all()
        assert scores["one"].isna().all()
        # The row of the class is tested in the last fold.
        assert scores["kind"].isna().tolist()[2]
    assert found.frame().loc["churn", "mean"] == found.scores["churn"].mean()


def test_a_baseline_that_cannot_be_told_the_classes():
    y = RARE[["churn"]].assign(kind=pd.factorize(RARE["kind"])[0])
    numbers = X[["age", "visits"]]
    with pytest.warns(UndefinedMetricWarning):
        found = compare_tasks(
            MODEL,
            numbers,
            y,
            cv=KFold(3),
            baseline=MODELS["forest"],
            scoring="log_loss",
            random_state=0,
        )
    for scores in (found.scores, found.baseline_scores):
        assert scores["churn"].notna().all()
        assert scores["kind"].isna().tolist() == [False, False, True]


@pytest.mark.parametrize("routing", [False, True])
@pytest.mark.parametrize("name", ["alone", "pipeline", "mixed"])
def test_out_of_fold_probabilities_of_a_rare_class(name, routing):
    with config_context(enable_metadata_routing=routing):
        proba = out_of_fold_proba(MODELS[name], X, RARE, cv=KFold(3))
    assert [p.shape for p in proba] == [(120, 2), (120, 2), (120, 3)]
    assert proba[2][80:, 2].max() < 1e-3
    assert proba[1][:40, 1].max() < 1e-3
    for p in proba:
        np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-5)


def test_classes_that_the_caller_gives_go_first():
    classes = {"kind": [*"pqrs"], "one": [False, True]}
    proba = out_of_fold_proba(MODEL, X, RARE, cv=KFold(3), params={"classes": classes})
    assert proba[2].shape == (120, 4)


def test_numbers_beside_classes_keep_their_type_in_every_fold():
    """Of the 24 whole numbers a fold has at most 20, which would make them classes."""
    y = BOTH.assign(count=np.arange(120) // 5)
    found = compare_tasks(MODELS["mixed"], X, y, cv=KFold(3), random_state=0)
    assert found.frame()["metric"].tolist() == ["roc_auc", "roc_auc", "r2"]


def test_scikit_learn_hands_the_classes_on():
    classes = {"one": [False, True], "kind": [*"pqr"]}
    scores = cross_val_score(
        MODEL,
        X,
        RARE,
        cv=KFold(3),
        scoring=make_task_scorer("roc_auc", task="churn"),
        params={"classes": classes},
    )
    assert np.isfinite(scores).all()


def test_weights_by_task_are_cut_to_the_rows_of_a_fold():
    weight = np.random.default_rng(0).uniform(0.1, 2, (120, 2))
    by_task = dict(zip(BOTH, weight.T, strict=True))
    args = (MODEL, X, BOTH)
    expected = out_of_fold_proba(*args, cv=KFold(3), sample_weight=weight)
    found = out_of_fold_proba(*args, cv=KFold(3), sample_weight=by_task)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a, b)

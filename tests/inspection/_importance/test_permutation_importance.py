"""Permutation importance: scikit-learn's numbers, on the quick way and the raw one."""

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.inspection import permutation_importance
from sklearn.pipeline import make_pipeline

from sk_mtl import MMOEClassifier, MultiTaskEstimator
from sk_mtl.datasets import make_conversion_funnel
from sk_mtl.inspection import permutation_importance_by_task
from sk_mtl.inspection._importance._permuted_rows import PermutedColumns
from sk_mtl.metrics import make_task_scorer
from sk_mtl.preprocessing import CategoryEncoder
from tests.estimators.common import PLAIN, QUICK, refuse

OPTIONS = {"n_repeats": 3, "random_state": 0}
ONE = {**QUICK, **PLAIN, "max_epochs": 2, "n_members": 1}


def naive(estimator, X, y, metric="roc_auc"):
    """Return scikit-learn's importances, task by task."""
    return np.stack(
        [
            permutation_importance(
                estimator, X, y, scoring=make_task_scorer(metric, task=task), **OPTIONS
            ).importances
            for task in y
        ]
    )


def check(estimator, X, y, **options):
    found = permutation_importance_by_task(estimator, X, y, **OPTIONS, **options)
    metric = options.get("scoring", "roc_auc")
    expected = naive(estimator, X, y, metric)
    np.testing.assert_allclose(found.importances, expected, atol=1e-6)
    return found


def test_importances_are_scikit_learns(model, table):
    X, y = table
    found = check(model, X, y)
    assert found.task_names == ["churn", "buy"]
    assert found.feature_names == list(X)
    np.testing.assert_allclose(found.importances_mean, found.importances.mean(axis=2))
    np.testing.assert_allclose(found.importances_std, found.importances.std(axis=2))
    frame = found.frame.query("task == 'buy'")
    assert frame["mean"].tolist() == found.importances_mean[1].tolist()
    columns = PermutedColumns(model, X, model)
    assert all(columns.is_quick(j) for j in range(X.shape[1]))


def test_sign_is_turned_where_less_is_better(model, table):
    X, y = table
    found = permutation_importance_by_task(
        model, X, y, scoring="log_loss", **OPTIONS
    ).importances
    expected = naive(model, X, y, "neg_log_loss")
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_missing_labels_are_left_out(model, table):
    X, y = table
    y = y.astype(float)
    y.loc[:50, "buy"] = np.nan
    check(model, X, y)


def test_columns_that_a_step_mixes_are_permuted_in_the_table(table):
    X, y = table
    mixing = ColumnTransformer(
        [("pca", PCA(2), ["age", "visits"]), ("town", CategoryEncoder(), ["town"])]
    )
    model = MMOEClassifier(preprocessor=mixing, **ONE).fit(X, y)
    found = check(model, X, y)
    columns = PermutedColumns(model, X, model)
    assert [columns.is_quick(j) for j in range(4)] == [False, False, True, True]
    assert not found.importances[:, 3].any()


def test_sequences_are_permuted_too():
    X, y, _ = make_conversion_funnel(160, random_state=0)
    X = X.drop(columns="user_id")
    model = MMOEClassifier(**ONE).fit(X, y)
    check(model, X, y)
    assert PermutedColumns(model, X, model).is_quick(list(X).index("history"))


def test_arrays_and_numbers_are_taken(table):
    X, y = table
    X = X[["age", "visits"]].to_numpy()
    y = pd.DataFrame({"number": X.sum(axis=1), "class": (X[:, 1] > 4) * 1})
    model = MultiTaskEstimator(**ONE).fit(X, y)
    found = permutation_importance_by_task(model, X, y, **OPTIONS)
    assert found.frame["metric"].tolist() == ["r2", "r2", "roc_auc", "roc_auc"]
    expected = permutation_importance(
        model, X, y, scoring=make_task_scorer("r2", task="number"), **OPTIONS
    )
    np.testing.assert_allclose(found.importances[0], expected.importances, atol=1e-5)


def test_pipelines_and_other_estimators_are_answered_anew(model, table):
    X, y = table
    check(make_pipeline("passthrough", model), X, y)
    numbers = X[["age", "visits"]]
    forest = RandomForestClassifier(n_estimators=3, random_state=0).fit(numbers, y)
    check(forest, numbers, y)


def test_rows_in_pieces_give_the_same_answers(model, table, monkeypatch):
    X, y = table
    expected = permutation_importance_by_task(model, X, y, **OPTIONS).importances
    module = "sk_mtl.inspection._importance._permuted_rows._CHUNK"
    monkeypatch.setattr(module, 50)
    found = permutation_importance_by_task(model, X, y, **OPTIONS).importances
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_unfitted_model_and_no_repeats_are_refused(model, table):
    with pytest.raises(NotFittedError):
        permutation_importance_by_task(MMOEClassifier(), *table)
    refuse(
        lambda: permutation_importance_by_task(model, *table, n_repeats=0),
        "n_repeats must be an integer >= 1; found 0. Give a number of permutations.",
    )

import numpy as np
import pandas as pd
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from sk_mtl.ensemble import (
    BoostedTreesClassifier,
    BoostedTreesRegressor,
    _boosted_trees as module,
)

QUICK = {"max_iter": 30, "random_state": 0, "library_params": {"min_samples_leaf": 5}}
FEW = {"max_iter": 20, "random_state": 0}


@parametrize_with_checks(
    [BoostedTreesClassifier(**QUICK), BoostedTreesRegressor(**QUICK)],
    expected_failed_checks=lambda estimator: {
        "check_sample_weight_equivalence_on_dense_data": (
            "rows are held out by their number, not by their weights"
        )
    },
)
def test_scikit_learn_check(estimator, check):
    check(estimator)


def shops(n_samples=600, seed=0):
    rng = np.random.default_rng(seed)
    shop = rng.integers(0, 40, n_samples)
    text = [f"s{each}" for each in shop]
    X = pd.DataFrame({"shop": text, "a": rng.random(n_samples)})
    return X, (shop % 3 == 0) * 1, rng.poisson(1 + shop % 3)


@pytest.mark.parametrize("library", ["hist_gradient_boosting", "lightgbm", "catboost"])
def test_each_library_learns_from_text(library):
    if library != "hist_gradient_boosting":
        pytest.importorskip(library)
    X, y, counts = shops()
    X["a"] = X["a"].where(X["a"] > 0.1)
    trees = BoostedTreesClassifier(library=library, max_iter=200, random_state=0)
    assert trees.fit(X, y).score(X, y) > 0.95
    assert trees.classes_.tolist() == [0, 1]
    regressor = BoostedTreesRegressor(
        library=library, loss="poisson", max_iter=200, random_state=0
    ).fit(X, counts, sample_weight=np.ones(600))
    assert regressor.predict(X).min() > 0
    assert regressor.score(X, counts) > 0.2


@pytest.mark.parametrize("library", ["hist_gradient_boosting", "lightgbm", "catboost"])
def test_a_time_limit_ends_the_rounds(library):
    if library != "hist_gradient_boosting":
        pytest.importorskip(library)
    X, y, _ = shops()
    trees = BoostedTreesClassifier(
        library=library, learning_rate=1e-4, max_iter=100_000, random_state=0
    )
    trees.set_params(time_limit=0.2, n_iter_no_change=100_000).fit(X, y)
    assert 1 <= trees.n_iter_ < 100_000


def test_rounds_end_where_held_out_rows_no_longer_gain():
    X, _, _ = shops()
    y = np.random.default_rng(1).integers(0, 2, 600)
    trees = BoostedTreesClassifier(n_iter_no_change=5, random_state=0).fit(X, y)
    assert trees.model_.n_iter_ < 100


def test_groups_are_held_out_as_a_whole(monkeypatch):
    X, y, _ = shops()
    X["row"] = np.arange(600.0)
    groups = np.arange(600) // 6
    held = {}

    def record(boosting, train, valid):
        held.update(train=train.X[:, -1], valid=valid.X[:, -1])
        return libraries["hist_gradient_boosting"](boosting, train, valid)

    libraries = dict(module.LIBRARIES)
    monkeypatch.setitem(module.LIBRARIES, "hist_gradient_boosting", record)
    BoostedTreesClassifier(**FEW).fit(X, y, groups=groups)
    assert len(held["train"]) + len(held["valid"]) == 600
    assert 30 <= len(held["valid"]) <= 90
    assert set(held["train"] // 6).isdisjoint(held["valid"] // 6)


def test_a_class_of_one_row_is_learnt_from():
    X, y, _ = shops()
    y[0] = 7
    trees = BoostedTreesClassifier(**FEW).fit(X, y)
    assert trees.classes_.tolist() == [0, 1, 7]
    assert trees.predict_proba(X).shape == (600, 3)


def test_few_rows_hold_none_out():
    X, y, _ = shops(30)
    trees = BoostedTreesClassifier(random_state=0).fit(X, y)
    assert trees.model_.n_iter_ == 50


def test_a_loss_by_task_is_of_the_task():
    trees = BoostedTreesRegressor(loss={"visits": "poisson"})
    assert trees.for_task("visits").loss == "poisson"
    assert trees.for_task("spend").loss == "squared_error"
    X, _, counts = shops(60)
    with pytest.raises(ValueError, match=r"loss must be one of .* for a single task"):
        trees.fit(X, counts)


def test_a_library_that_is_not_installed_is_named(monkeypatch):
    X, y, _ = shops(60)
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(ImportError) as caught:
        BoostedTreesClassifier(library="lightgbm").fit(X, y)
    assert str(caught.value) == (
        "lightgbm must be installed for trees of it; found no such package. Run pip "
        "install lightgbm, or use 'hist_gradient_boosting'."
    )

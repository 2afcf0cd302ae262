"""Weights and gradients of tasks, balanced in training."""

import pickle
import sys

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from sk_mtl import MMOEClassifier, MMOERegressor, MultiTaskEstimator
from sk_mtl.datasets import make_related_tasks
from sk_mtl.losses import AGGREGATORS, WEIGHTINGS
from tests.estimators.common import QUICK, assert_equal_proba, mixed_table

OWN = ("gradnorm", "metabalance")
TYPES = {"churn": "binary", "buy": "binary"}


def fit(**parameters):
    X, y = mixed_table()
    return MMOEClassifier(**{**QUICK, **parameters}).fit(X, y)


@pytest.fixture(scope="module")
def related():
    return make_related_tasks(1500, random_state=0)


@pytest.mark.parametrize("name", sorted(WEIGHTINGS))
def test_every_weighting_learns_related_tasks(name, related):
    if name not in OWN:
        pytest.importorskip("torchjd")
    X, y = related
    model = MMOERegressor(balancing=name, max_epochs=4, random_state=0).fit(X, y)
    assert model.score(X, y) > 0.3


def test_ziln_is_not_weighted_by_inverse_losses():
    X, y = mixed_table()
    y = y.assign(spend=y["buy"] * X["age"])
    model = MultiTaskEstimator(**QUICK, task_types={**TYPES, "spend": "ziln"})
    with pytest.raises(ValueError, match=r"found a task whose loss can be .*'ziln'"):
        model.set_params(balancing="geometric").fit(X, y)
    model.set_params(balancing="random")
    pytest.importorskip("torchjd")
    assert model.fit(X, y).predict(X).shape == (240, 3)


@pytest.mark.parametrize("name", sorted(AGGREGATORS))
def test_every_gradient_method_learns_related_tasks(name, related):
    pytest.importorskip("torchjd")
    X, y = related
    model = MMOERegressor(balancing=name, max_epochs=2, batch_size=128, random_state=0)
    assert model.fit(X, y).score(X, y) > 0.2


def test_a_fit_that_goes_on_goes_on_with_its_weights():
    model = fit(balancing="gradnorm", warm_start=True, max_epochs=1)
    X, y = mixed_table()
    first = model.net_.balancer.task_weights.clone()
    model.fit(X, y)
    history = model.history_
    assert len(history) == 2
    assert not np.allclose(history["task_weight_churn"].iloc[-1], first[0].item())
    np.testing.assert_allclose(
        history[["task_weight_churn", "task_weight_buy"]].sum(axis=1), 2, rtol=1e-5
    )
    model.set_params(balancing=None).fit(X, y)
    assert not model.net_.balancer.changes


def test_recorded_losses_are_free_of_weights():
    plain, weighted = fit(max_epochs=1), fit(max_epochs=1, balancing="metabalance")
    assert weighted.history_["train_loss"].iloc[0] == pytest.approx(
        plain.history_["train_loss"].iloc[0], rel=0.2
    )


def test_a_sum_of_gradients_is_the_plain_fit():
    """An aggregator that adds is no balance at all, in eight digits."""
    precise = {"precision": "float64", "dropout": 0.0, "unknown_rate": 0.0}
    plain = fit(**precise)
    added = fit(**precise, balancing=lambda jacobian: jacobian.sum(0))
    X, _ = mixed_table()
    assert_equal_proba(
        plain.predict_proba(X), added.predict_proba(X), rtol=1e-6, atol=1e-8
    )


@pytest.mark.parametrize("name", ["gradnorm", "metabalance"])
def test_balanced_models_are_pickled_and_cloned(name):
    model = fit(balancing=name)
    X, _ = mixed_table()
    copy = pickle.loads(pickle.dumps(model))
    assert_equal_proba(model.predict_proba(X), copy.predict_proba(X))
    assert clone(model).balancing == name


def test_members_share_the_weights():
    pytest.importorskip("torchjd")
    model = fit(balancing="uncertainty", n_members=2)
    assert model.history_["task_weight_churn"].notna().all()


@pytest.mark.parametrize(
    ("parameters", "found"),
    [
        ({"n_members": 2}, "n_members=2"),
        ({"compile": True}, "compile=True"),
        ({"sparse_embedding": True}, "sparse gradients"),
    ],
)
def test_what_has_no_gradient_per_task_is_refused(parameters, found):
    with pytest.raises(ValueError, match=f"each task's gradient .* found {found}"):
        fit(**parameters, balancing="gradnorm")


def test_a_search_over_methods():
    X, y = mixed_table(60)
    methods = [None, "gradnorm", lambda jacobian: jacobian.sum(0)]
    model = MMOEClassifier(**{**QUICK, "max_epochs": 1})
    search = GridSearchCV(model, {"balancing": methods}, cv=2).fit(X, y)
    assert list(search.cv_results_["param_balancing"]) == methods
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_an_absent_library_is_named_with_its_install_line(monkeypatch):
    for name in ("torchjd", "torchjd.scalarization", "torchjd.aggregation"):
        monkeypatch.setitem(sys.modules, name, None)
    for method in ("dwa", "pcgrad"):
        with pytest.raises(ImportError, match=r"pip install 'sk_mtl\[balance\]'"):
            fit(balancing=method)

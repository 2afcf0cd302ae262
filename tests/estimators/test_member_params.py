"""Members with settings of their own, of which the best are kept."""

import copy
import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.metrics import log_loss

from sk_mtl import ESMMClassifier, MMOEClassifier, MMOERegressor
from tests.estimators.common import (
    assert_equal_proba,
    funnel_table,
    mixed_table,
    refuse,
)
from tests.estimators.members import make, proba_of_members

OWN = {"n_members": 6, "member_sharing": "none", "early_stopping": True}
RANGES = {"lr": (0.001, 0.05), "weight_decay": (1e-4, 0.1), "dropout": (0.0, 0.3)}


def fit(X, y, **options):
    return make(**{**OWN, "member_params": RANGES, **options}).fit(X, y)


def test_the_table_of_the_members():
    X, y = mixed_table(200)
    model = fit(X, y)
    table = model.members_
    names = ["lr", "weight_decay", "dropout", "best_epoch", "valid_loss", "weight"]
    assert set(table.columns) == set(names)
    assert len(table) == 6
    assert table["weight"].sum() == pytest.approx(1)
    kept = table["weight"] > 0
    assert model.net_.module_.n_members == kept.sum() < 6
    # The best few are the start of the selection.
    assert kept[table["valid_loss"].nsmallest(3).index].all()
    assert table["lr"].between(0.001, 0.05).all()
    assert model.best_epoch_ == table["best_epoch"].max()


@pytest.mark.parametrize("cls", [MMOEClassifier, ESMMClassifier])
def test_probabilities_are_the_weighted_mean_of_the_kept_members(cls):
    X, y = funnel_table(200)
    model = fit(X, y, cls=cls)
    weight = model.members_["weight"]
    tasks = zip(*proba_of_members(model, X), strict=True)
    expected = [np.average(t, axis=0, weights=weight[weight > 0]) for t in tasks]
    assert_equal_proba(model.predict_proba(X), expected, rtol=0, atol=1e-6)
    kept = (weight > 0).sum()
    assert model.predict_gates(X).shape[1] == kept if cls is MMOEClassifier else True


def test_the_value_of_a_member_is_its_loss_on_validation_rows():
    X, y = mixed_table(240)
    model = make(**OWN, member_params=RANGES, monitor="churn", max_epochs=6)
    model.fit(X[:160], y[:160], X_val=X[160:], y_val=y[160:])
    kept = model.members_[model.members_["weight"] > 0]
    found = [
        log_loss(y["churn"][160:], proba[0][:, 1])
        for proba in proba_of_members(model, X[160:])
    ]
    np.testing.assert_allclose(kept["valid_loss_churn"], found, atol=1e-5)


def test_every_member_is_trained_with_its_rate():
    X, y = mixed_table(160)
    rates = {"member_params": {"lr": [0.02]}, "early_stopping": False, "dropout": 0.0}
    equal = fit(X, y, **rates, lr=0.001)
    plain = fit(X, y, **{**rates, "member_params": None}, lr=0.02)
    assert_equal_proba(
        equal.predict_proba(X), plain.predict_proba(X), rtol=0, atol=1e-4
    )
    slow = fit(X, y, **{**rates, "member_params": {"lr": [1e-12]}}, lr=0.02)
    start = fit(X, y, **{**rates, "member_params": {"lr": [1e-12]}}, max_epochs=1)
    before, after = start.net_.module_.state_dict(), slow.net_.module_.state_dict()
    for name, value in before.items():
        torch.testing.assert_close(value, after[name], rtol=0, atol=1e-6)
    assert list(equal.members_.columns) == ["best_epoch", "lr"]


def test_every_member_drops_its_share_of_units():
    X, y = mixed_table(160)
    model = fit(X, y, member_params={"dropout": [0.0, 0.5]}, early_stopping=False)
    module = model.net_.module_.train()
    arrays = model.predictor_.encode(X)
    inputs = torch.from_numpy(arrays.codes), torch.from_numpy(arrays.numeric)
    module.network.encoder.unknown_rate = 0.0
    with torch.no_grad():
        first, second = module(*inputs), module(*inputs)
    module.eval()
    same = [bool((a == b).all()) for a, b in zip(first, second, strict=True)]
    assert same == (model.members_["dropout"] == 0).tolist()
    assert len(set(same)) == 2


def test_copies_and_fits_that_continue():
    X, y = mixed_table(160)
    model = fit(X, y, warm_start=True)
    again = clone(model).fit(X, y)
    assert_equal_proba(model.predict_proba(X), again.predict_proba(X))
    copies = pickle.loads(pickle.dumps(model)), copy.deepcopy(model)
    weight = model.members_["weight"]
    for other in copies:
        assert_equal_proba(other.predict_proba(X), model.predict_proba(X))
    model.fit(X, y)
    for other in copies:
        assert_equal_proba(other.fit(X, y).predict_proba(X), model.predict_proba(X))
    assert (model.members_["weight"] == weight).all()
    assert (model.members_["best_epoch"][weight > 0] > 3).all()
    assert (model.members_["best_epoch"][weight == 0] <= 3).all()
    answer = model.partial_fit(X, y).predict_proba(X)
    assert_equal_proba(copies[0].partial_fit(X, y).predict_proba(X), answer)


@pytest.mark.parametrize(
    "options",
    [
        {"batch_norm": True, "activation": "gelu"},
        {"monitor": "roc_auc", "optimizer": "sgd"},
        {"precision": "float64", "lr_schedule": "linear", "warmup": 0.5},
        {"member_rows": "folds", "early_stopping": "auto"},
        {"member_params": {"dropout": [0.0]}},
    ],
    ids=str,
)
def test_settings_of_training(options):
    X, y = mixed_table(160)
    model = fit(X, y, **options)
    assert np.isfinite(model.predict_proba(X)[0]).all()
    assert ("weight" in model.members_) == ("member_rows" not in options)


def test_numbers():
    X, _ = mixed_table(160)
    y = X[["visits"]].assign(more=X["visits"] + np.arange(160) % 3)
    options = {**OWN, "n_members": 4, "member_params": "auto", "random_state": 0}
    model = MMOERegressor(max_epochs=2, **options).fit(X[["age", "town"]], y)
    assert model.predict(X[["age", "town"]]).shape == (160, 2)


def test_sixteen_members_by_default():
    X, y = mixed_table(80)
    model = fit(X, y, n_members="auto", max_epochs=1, early_stopping=False)
    assert len(model.members_) == 16


def test_settings_that_do_not_fit():
    X, y = mixed_table(120)
    refuse(
        lambda: fit(X, y, n_members=1),
        "member_params needs at least two members with member_sharing='none'; found "
        "n_members=1 and member_sharing='none'. Set n_members=16 and "
        "member_sharing='none', or member_params=None.",
    )
    refuse(
        lambda: fit(X, y, member_sharing="most"),
        "member_params needs at least two members with member_sharing='none'; found "
        "n_members=6 and member_sharing='most'. Set n_members=16 and "
        "member_sharing='none', or member_params=None.",
    )
    refuse(
        lambda: fit(X, y, optimizer=torch.optim.Rprop, weight_decay=0),
        "member_params must not name weight_decay where the optimizer has none; found "
        "Rprop. Leave weight_decay out.",
    )

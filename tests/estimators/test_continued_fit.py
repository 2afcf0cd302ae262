"""Fits that continue: warm starts, partial fits and what they refuse."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from skorch.callbacks import Callback

from sk_mtl import MMOEClassifier
from tests.estimators.common import (
    QUICK,
    assert_equal_proba,
    largest_difference,
    mixed_table,
)


@pytest.fixture(scope="module")
def table():
    return mixed_table()


def test_warm_start_adds_epochs(table):
    X, y = table
    model = MMOEClassifier(warm_start=True, **QUICK).fit(X, y)
    net, first = model.net_, model.history_
    model.set_params(max_epochs=2).fit(X, y)
    assert model.n_iter_ == 5
    assert model.history_["epoch"].tolist() == [1, 2, 3, 4, 5]
    pd.testing.assert_frame_equal(model.history_[:3], first)
    assert model.net_ is not net
    assert model.history_["train_loss"].is_monotonic_decreasing


def test_without_it_a_fit_starts_anew(table):
    X, y = table
    model = MMOEClassifier(**QUICK)
    first = model.fit(X, y).predict_proba(X)
    assert_equal_proba(first, model.fit(X, y).predict_proba(X))
    assert model.n_iter_ == 3


class Breaks(Callback):
    """Makes a weight NaN at the beginning of the second epoch."""

    def on_epoch_begin(self, net, **_):
        if net.n_epochs == 2:
            torch.nn.init.constant_(next(net.module_.parameters()), torch.nan)


@pytest.mark.parametrize(
    "options", [{}, {"balancing": "uncertainty"}, {"optimizer": torch.optim.Adagrad}]
)
def test_a_fit_continues_from_one_that_stopped_at_nan(options, table):
    model = MMOEClassifier(callbacks=[Breaks()], **options, **QUICK)
    with pytest.warns(ConvergenceWarning, match="became NaN or infinite in epoch 2"):
        model.fit(*table)
    model.set_params(callbacks=None).partial_fit(*table)
    assert model.n_iter_ == 2
    losses = model.history_["train_loss"]
    assert losses[1] < losses[0]


def test_warm_start_keeps_the_preprocessing(table):
    X, y = table
    model = MMOEClassifier(warm_start=True, **QUICK).fit(X, y)
    preprocessor, schema = model.preprocessor_, model.schema_
    model.fit(X.assign(age=X["age"] * 100, town="Atlantis"), y)
    assert model.preprocessor_ is preprocessor
    assert model.schema_ is schema


def test_a_cold_fit_learns_new_columns_and_tasks(table):
    X, y = table
    model = MMOEClassifier(**QUICK).fit(X, y)
    model.fit(X[["age"]], y["buy"])
    assert model.n_features_in_ == 1
    assert model.task_names_ == ["buy"]
    assert model.predict_proba(X[["age"]]).shape == (240, 2)


def test_partial_fit_is_one_pass_a_call(table):
    X, y = table
    model = MMOEClassifier(**QUICK)
    for n in (1, 2, 3):
        assert model.partial_fit(X, y) is model
        assert model.n_iter_ == model.best_epoch_ == n
    assert model.history_["train_loss"].is_monotonic_decreasing
    assert "valid_loss" not in model.history_


def test_partial_fit_freezes_preprocessing_and_classes(table):
    X, y = table
    model = MMOEClassifier(**QUICK).partial_fit(X[:120], y[:120])
    preprocessor, schema, classes = (
        model.preprocessor_,
        model.schema_,
        model.classes_,
    )
    new = X[120:].assign(town="Atlantis", age=X["age"] * 100)
    model.partial_fit(new, y[120:])
    assert model.preprocessor_ is preprocessor
    assert model.schema_ is schema
    assert [c.tolist() for c in model.classes_] == [c.tolist() for c in classes]
    codes = schema.transform(preprocessor, new).codes
    assert (codes[:, schema.categorical_names.index("town")] == 0).all()


def test_partial_fit_takes_classes_that_come_later(table):
    X, y = table
    ones = y["churn"] == 1
    model = MMOEClassifier(**QUICK)
    model.partial_fit(X[ones], y[ones], classes=[[0, 1], [0, 1]])
    model.partial_fit(X[~ones], y[~ones])
    model.partial_fit(X, y, classes=[[0, 1], [0, 1]])
    assert [c.tolist() for c in model.classes_] == [[0, 1], [0, 1]]
    single = MMOEClassifier(**QUICK).partial_fit(X[:5], y["buy"][:5], [0, 1, 2])
    assert single.predict_proba(X).shape == (240, 3)


def test_partial_fit_takes_batches_that_lack_a_task(table):
    X, y = table
    model = MMOEClassifier(**QUICK).partial_fit(X, y)
    gone = y.astype(float).assign(buy=np.nan)
    model.partial_fit(X, gone)
    assert np.isfinite(model.predict_proba(X)[1]).all()


def test_partial_fit_follows_weights(table):
    X, y = table
    weight = np.where(y["churn"] == 1, 10.0, 1.0)
    plain, weighted = MMOEClassifier(**QUICK), MMOEClassifier(**QUICK)
    for _ in range(5):
        plain.partial_fit(X, y)
        weighted.partial_fit(X, y, sample_weight=weight)
    shares = [m.predict_proba(X)[0][:, 1].mean() for m in (plain, weighted)]
    assert shares[1] > shares[0] + 0.05


def test_partial_fit_goes_on_after_a_fit(table):
    X, y = table
    model = MMOEClassifier(**QUICK).fit(X, y)
    before = model.predict_proba(X)
    assert model.partial_fit(X, y).n_iter_ == 4
    assert 1e-4 < largest_difference(before, model.predict_proba(X)) < 0.3


def test_a_clone_trains_from_the_start(table):
    X, y = table
    model = MMOEClassifier(warm_start=True, **QUICK).fit(X, y)
    assert_equal_proba(clone(model).fit(X, y).predict_proba(X), model.predict_proba(X))


@pytest.mark.parametrize(
    "change",
    [{"n_experts": 8}, {"tower_hidden_sizes": (4,)}, {"precision": "float64"}],
    ids=lambda change: next(iter(change)),
)
def test_a_fit_that_goes_on_refuses_another_network(change):
    X, y = mixed_table()
    model = MMOEClassifier(warm_start=True, **QUICK).fit(X, y)
    before = model.predict_proba(X)
    (name,) = change
    for step in (model.set_params(**change).fit, model.partial_fit):
        with pytest.raises(ValueError, match=f"must keep the network.*found {name}="):
            step(X, y)
    assert_equal_proba(model.predict_proba(X), before)


def test_a_fit_that_goes_on_takes_batch_size_and_weight_decay():
    X, y = mixed_table()
    model = MMOEClassifier(warm_start=True, **QUICK).fit(X, y)
    model.set_params(batch_size=32, weight_decay=0.3).fit(X, y)
    assert model.net_.batch_size == 32
    assert model.net_.optimizer_.param_groups[0]["weight_decay"] == 0.3


def test_chunks_with_few_labels_do_not_weigh_them_more():
    X, y = mixed_table()
    y = y.astype(float)
    y.iloc[120:180, 0] = np.nan
    model = MMOEClassifier(**QUICK)
    for start in range(0, 240, 80):
        model.partial_fit(X[start : start + 80], y[start : start + 80])
    weights = model.net_.criterion_.mean_weights
    np.testing.assert_allclose(weights.numpy(), [0.75, 1.0], rtol=1e-6)

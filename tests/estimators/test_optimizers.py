"""Optimisers by name, and learning rates over the epochs."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.optim import lr_scheduler

from sk_mtl import MMOEClassifier
from sk_mtl.estimators._optimizers import OPTIMIZERS, make_schedule, optimizer_options
from tests.estimators.common import QUICK, assert_equal_proba, mixed_table


def rates(schedule, scores, *, maximise=False):
    """Return the learning rate of each epoch, from 1 on."""
    optimizer = torch.optim.SGD(nn.Linear(1, 1).parameters(), lr=1.0)
    step = make_schedule(schedule, optimizer, max_epochs=len(scores), maximise=maximise)
    found = []
    for score in scores:
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        step(score)
    return [*found, optimizer.param_groups[0]["lr"]]


def weights_of(model):
    return [p.detach().clone() for p in model.net_.module_.parameters()]


def moved(model, before):
    return max(
        (a - b).abs().max().item()
        for a, b in zip(weights_of(model), before, strict=True)
    )


def test_none_is_no_schedule():
    optimizer = torch.optim.SGD(nn.Linear(1, 1).parameters(), lr=1.0)
    assert make_schedule(None, optimizer, max_epochs=3, maximise=False) is None


def test_cosine_falls_to_zero_along_half_a_wave():
    expected = (1 + np.cos(np.pi * np.arange(5) / 4)) / 2
    np.testing.assert_allclose(rates("cosine", [None] * 4), expected, atol=1e-9)


def test_linear_falls_in_equal_steps():
    np.testing.assert_allclose(
        rates("linear", [None] * 4), [1, 0.75, 0.5, 0.25, 0], atol=2e-3
    )


def test_plateau_halves_after_an_epoch_without_improvement():
    assert rates("plateau", [3.0, 2.0, 2.5, 1.0, 1.0]) == [1, 1, 1, 0.5, 0.5, 0.25]
    up = rates("plateau", [0.5, 0.6, 0.55, 0.7], maximise=True)
    assert up == [1, 1, 1, 0.5, 0.5]


def test_plateau_without_a_score_waits():
    assert rates("plateau", [None, None]) == [1, 1, 1]


def test_a_callable_makes_any_schedule_of_torch():
    found = rates(lambda opt: lr_scheduler.StepLR(opt, 2, gamma=0.1), [None] * 4)
    np.testing.assert_allclose(found, [1, 1, 0.1, 0.1, 0.01])


def test_names_mean_the_classes_of_torch():
    for name, cls in OPTIMIZERS.items():
        options = optimizer_options(name, weight_decay=0.5)
        assert options["optimizer"] is cls
        assert cls.__name__.lower() == name
        assert options["optimizer__weight_decay"] == 0.5


def test_weight_decay_zero_reaches_a_named_optimizer():
    # The default of torch's AdamW is 0.01.
    assert optimizer_options("adamw", weight_decay=0)["optimizer__weight_decay"] == 0


def test_a_class_without_weight_decay_can_be_given():
    options = optimizer_options(torch.optim.Rprop, weight_decay=0.0)
    assert options == {"optimizer": torch.optim.Rprop}


@pytest.mark.parametrize("optimizer", [*OPTIMIZERS, torch.optim.Adamax])
def test_every_optimizer_trains(optimizer):
    X, y = mixed_table(120)
    start = MMOEClassifier(optimizer=optimizer, lr=1e-30, **QUICK).fit(X, y)
    model = MMOEClassifier(optimizer=optimizer, **QUICK).fit(X, y)
    assert moved(model, weights_of(start)) > 1e-5


def test_parameters_reach_the_optimizer():
    X, y = mixed_table(60)
    model = MMOEClassifier(lr=0.3, weight_decay=0.2, optimizer="sgd", **QUICK).fit(X, y)
    (group,) = model.net_.optimizer_.param_groups
    assert group["lr"] == 0.3
    assert group["weight_decay"] == 0.2


@pytest.mark.parametrize("schedule", ["cosine", "linear", "plateau"])
def test_a_fit_that_goes_on_starts_its_schedule_anew(schedule):
    X, y = mixed_table()
    model = MMOEClassifier(lr_schedule=schedule, warm_start=True, **QUICK).fit(X, y)
    for step in (model.fit, model.partial_fit):
        before = weights_of(model)
        step(X, y)
        assert moved(model, before) > 1e-3


def test_a_fit_that_goes_on_takes_a_new_learning_rate():
    X, y = mixed_table()
    model = MMOEClassifier(warm_start=True, **QUICK).fit(X, y)
    before = weights_of(model)
    model.set_params(lr=1e-9, weight_decay=0.0).fit(X, y)
    assert moved(model, before) < 1e-6


def test_a_schedule_changes_the_outcome():
    X, y = mixed_table()
    plain = MMOEClassifier(**QUICK).fit(X, y)
    cosine = MMOEClassifier(lr_schedule="cosine", **QUICK).fit(X, y)
    step = MMOEClassifier(
        lr_schedule=lambda opt: lr_scheduler.StepLR(opt, 100), **QUICK
    ).fit(X, y)
    assert np.abs(plain.predict_proba(X)[0] - cosine.predict_proba(X)[0]).max() > 1e-3
    assert_equal_proba(plain.predict_proba(X), step.predict_proba(X))


@pytest.mark.parametrize("monitor", ["valid_loss", "roc_auc"])
def test_plateau_follows_what_is_monitored(monitor):
    X, y = mixed_table()
    settings = {**QUICK, "max_epochs": 10, "n_iter_no_change": 10, "lr": 0.02}
    model = MMOEClassifier(lr_schedule="plateau", monitor=monitor, **settings)
    model.fit(X[:160], y[:160], X_val=X[160:], y_val=y[160:])
    scores = model.history_[monitor if "loss" in monitor else f"valid_{monitor}"]
    expected = rates("plateau", scores.tolist(), maximise="loss" not in monitor)[-1]
    found = model.net_.optimizer_.param_groups[0]["lr"]
    assert found == pytest.approx(0.02 * expected)
    assert expected > 0.5**9


@pytest.mark.parametrize("schedule", ["cosine", "linear"])
def test_a_schedule_starts_from_a_new_learning_rate(schedule):
    X, y = mixed_table()
    model = MMOEClassifier(lr_schedule=schedule, warm_start=True, **QUICK).fit(X, y)
    before = weights_of(model)
    model.set_params(lr=1e-9, weight_decay=0.0).fit(X, y)
    assert moved(model, before) < 1e-6


def test_an_optimizer_without_weight_decay_says_so():
    with pytest.raises(ValueError, match=r"must be 0 for Rprop.*Set weight_decay=0"):
        optimizer_options(torch.optim.Rprop, weight_decay=0.01)

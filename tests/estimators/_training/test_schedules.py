"""Learning rates from step to step and from epoch to epoch."""

import numpy as np
import pytest
import torch
from sklearn.exceptions import ConvergenceWarning
from skorch.callbacks import Callback, LRScheduler
from torch import nn
from torch.optim import lr_scheduler

from sk_mtl import ESMMClassifier, MMOEClassifier
from sk_mtl.estimators._training._optimizers import OPTIMIZERS
from sk_mtl.estimators._training._schedules import StepRates, make_schedule, make_share
from tests.estimators.common import (
    QUICK,
    InterruptAt,
    assert_equal_proba,
    interrupted,
    mixed_table,
    moved,
    weights_of,
)


def rates(schedule, scores, *, maximise=False):
    """Return the learning rate of each epoch, from 1 on."""
    optimizer = torch.optim.SGD(nn.Linear(1, 1).parameters(), lr=1.0)
    step = make_schedule(schedule, optimizer, maximise=maximise)
    found = []
    for score in scores:
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        step(score)
    return [*found, optimizer.param_groups[0]["lr"]]


@pytest.mark.parametrize("schedule", [None, "cosine", "linear"])
def test_what_falls_from_step_to_step_stays_from_epoch_to_epoch(schedule):
    optimizer = torch.optim.SGD(nn.Linear(1, 1).parameters(), lr=1.0)
    assert make_schedule(schedule, optimizer, maximise=False) is None


def shares(schedule, n_steps, n_warmup=0):
    """Return what every step takes, and the one that is not taken any more."""
    share = make_share(schedule, n_steps=n_steps, n_warmup=n_warmup)
    return [share(step) for step in range(1, n_steps + 2)]


def test_cosine_falls_to_zero_along_half_a_wave():
    expected = (1 + np.cos(np.pi * np.arange(5) / 4)) / 2
    np.testing.assert_allclose(shares("cosine", 4), expected, atol=1e-9)


def test_linear_falls_in_equal_steps():
    np.testing.assert_allclose(shares("linear", 4), [1, 0.75, 0.5, 0.25, 0])


def test_a_warmup_comes_on_top():
    np.testing.assert_allclose(
        shares("linear", 4, 2), [1 / 3, 0.75 * 2 / 3, 0.5, 0.25, 0]
    )
    np.testing.assert_allclose(shares(None, 4, 2), [1 / 3, 2 / 3, 1, 1, 1])


@pytest.mark.parametrize("schedule", [None, "plateau", lambda optimizer: None])
def test_others_have_no_share(schedule):
    assert make_share(schedule, n_steps=9, n_warmup=0) is None


def test_plateau_halves_after_an_epoch_without_improvement():
    assert rates("plateau", [3.0, 2.0, 2.5, 1.0, 1.0]) == [1, 1, 1, 0.5, 0.5, 0.25]
    up = rates("plateau", [0.5, 0.6, 0.55, 0.7], maximise=True)
    assert up == [1, 1, 1, 0.5, 0.5]


def test_plateau_without_a_score_waits():
    assert rates("plateau", [None, None]) == [1, 1, 1]


def test_a_callable_makes_any_schedule_of_torch():
    found = rates(lambda opt: lr_scheduler.StepLR(opt, 2, gamma=0.1), [None] * 4)
    np.testing.assert_allclose(found, [1, 1, 0.1, 0.1, 0.01])


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
    plain = MMOEClassifier(lr_schedule=None, **QUICK).fit(X, y)
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


class Steps(Callback):
    """Writes down the learning rates that every step is taken with."""

    def __init__(self, interrupt_at=None):
        self.interrupt_at = interrupt_at

    def initialize(self):
        self.rates_ = []
        self.n_finished_ = 0

    def on_train_begin(self, net, **_):
        # Hooks are called in turn, and the warm-up's is there before.
        self.hooks_ = [
            net.optimizer_.register_step_pre_hook(self._write),
            net.optimizer_.register_step_post_hook(self._count),
        ]

    def on_train_end(self, net, **_):
        for hook in self.hooks_:
            hook.remove()
        del self.hooks_

    def _write(self, optimizer, *_):
        self.rates_.append([group["lr"] for group in optimizer.param_groups])
        if len(self.rates_) == self.interrupt_at:
            raise KeyboardInterrupt

    def _count(self, *_):
        self.n_finished_ += 1


def make_steps(*callbacks, cls=MMOEClassifier, **options):
    settings = {"lr": 0.01, "lr_schedule": None, "early_stopping": False, **options}
    settings = {**QUICK, **settings}
    return cls(callbacks=[Steps(), *callbacks], **settings)


def fit_steps(*callbacks, **options):
    """Fit four steps an epoch, three epochs."""
    return make_steps(*callbacks, **options).fit(*mixed_table(240))


def rates_of(model):
    """The learning rate of every step; that of all groups of parameters."""
    ((_, steps), *_) = model.net_.callbacks_
    for rates in steps.rates_:
        assert len(set(rates)) == 1
    return np.array([rates[0] for rates in steps.rates_])


@pytest.mark.parametrize(
    ("warmup", "n_steps"),
    [(0.0, 0), (0.1, 0), (0.25, 1), (0.5, 2), (1, 4), (1.5, 6), (2.0, 8), (5.0, 20)],
)
def test_a_warmup_rises_step_by_step_over_its_epochs(warmup, n_steps):
    model = fit_steps(warmup=warmup)
    share = np.minimum(np.arange(1, 13) / (n_steps + 1), 1.0)
    np.testing.assert_allclose(rates_of(model), 0.01 * share, rtol=1e-12)
    assert model.net_.optimizer_.param_groups[0]["lr"] == 0.01


def test_a_warmup_counts_the_steps_of_the_training_rows():
    # Of 240 rows 192 are left to train on, three steps of 64.
    options = {"early_stopping": True, "validation_fraction": 0.2}
    model = fit_steps(warmup=1.0, **options)
    share = np.minimum(np.arange(1, 10) / 4, 1.0)
    np.testing.assert_allclose(rates_of(model), 0.01 * share, rtol=1e-12)


def test_a_hook_that_comes_later_is_called_at_every_step():
    ((_, steps),) = fit_steps(warmup=1.0).net_.callbacks_
    assert steps.n_finished_ == 12


WAVES = {
    "cosine": (1 + np.cos(np.pi * np.arange(12) / 12)) / 2,
    "linear": 1 - np.arange(12) / 12,
}


@pytest.mark.parametrize("warmup", [0.0, 1.5])
@pytest.mark.parametrize("schedule", WAVES)
def test_a_schedule_falls_over_all_steps_of_a_fit(schedule, warmup):
    model = fit_steps(warmup=warmup, lr_schedule=schedule)
    share = np.minimum(np.arange(1, 13) / (4 * warmup + 1), 1.0)
    wanted = 0.01 * WAVES[schedule] * share
    np.testing.assert_allclose(rates_of(model), wanted, rtol=1e-12)
    assert model.net_.optimizer_.param_groups[0]["lr"] == 0.01


def test_a_last_row_that_joins_a_batch_makes_no_step():
    model = fit_steps(lr_schedule="linear", batch_size=239, max_epochs=2)
    assert rates_of(model).tolist() == [0.01, 0.005]


def test_a_warmup_takes_its_share_of_what_a_schedule_wants():
    falling = lambda opt: lr_scheduler.StepLR(opt, 1, gamma=0.1)  # noqa: E731
    model = fit_steps(warmup=1.5, lr_schedule=falling)
    share = np.minimum(np.arange(1, 13) / 7, 1.0)
    wanted = 0.01 * np.repeat([1, 0.1, 0.01], 4)
    np.testing.assert_allclose(rates_of(model), wanted * share, rtol=1e-12)
    left = model.net_.optimizer_.param_groups[0]["lr"]
    assert left == pytest.approx(1e-5, abs=1e-12)


@pytest.mark.parametrize("schedule", ["cosine", "linear"])
def test_calls_of_partial_fit_keep_the_rate(schedule):
    X, y = mixed_table(240)
    options = {**QUICK, "lr": 0.03, "lr_schedule": schedule, "callbacks": [Steps()]}
    model = MMOEClassifier(**options).partial_fit(X, y).partial_fit(X, y)
    assert rates_of(model).tolist() == [0.03] * 8


def test_a_plateau_halves_the_full_rate_in_the_warmup():
    X, y = mixed_table(240)
    settings = {**QUICK, "lr": 0.3, "max_epochs": 8, "n_iter_no_change": 8}
    model = MMOEClassifier(
        lr_schedule="plateau", warmup=2.0, callbacks=[Steps()], **settings
    )
    model.fit(X[:128], y[:128], X_val=X[128:], y_val=y[128:])
    scores = model.history_["valid_loss"].tolist()
    wanted = 0.3 * np.array(rates("plateau", scores))
    assert wanted[-1] < 0.3
    share = np.minimum(np.arange(1, 17) / 5, 1.0)
    np.testing.assert_allclose(rates_of(model), np.repeat(wanted[:-1], 2) * share)
    assert model.net_.optimizer_.param_groups[0]["lr"] == pytest.approx(wanted[-1])


def test_a_warmup_beside_a_schedule_of_skorch_that_steps_by_batches():
    cycle = LRScheduler(
        lr_scheduler.LambdaLR, lr_lambda=lambda step: 0.9**step, step_every="batch"
    )
    model = fit_steps(cycle, warmup=1.0)
    share = np.minimum(np.arange(1, 13) / 5, 1.0)
    np.testing.assert_allclose(rates_of(model), 0.01 * 0.9 ** np.arange(12) * share)


@pytest.mark.parametrize("goes_on", ["warm_start", "partial_fit"])
def test_a_schedule_of_skorch_goes_on_with_the_fit(goes_on):
    X, y = mixed_table(64)
    halving = LRScheduler(lr_scheduler.LambdaLR, lr_lambda=lambda epoch: 0.5**epoch)
    options = {"max_epochs": 1, "early_stopping": False, "lr_schedule": None}
    model = MMOEClassifier(
        callbacks=[halving], warm_start=True, batch_size=64, lr=0.04, **options
    )
    rates = []
    for _ in range(3):
        model.fit(X, y) if goes_on == "warm_start" else model.partial_fit(X, y)
        rates.append(model.net_.optimizer_.param_groups[0]["lr"])
    np.testing.assert_allclose(rates, [0.02, 0.01, 0.005])


@pytest.mark.parametrize("cls", [MMOEClassifier, ESMMClassifier])
def test_a_warmup_acts_on_dense_and_on_sparse_parameters(cls):
    options = {"structure": "independent", "sparse_embedding": True}
    model = fit_steps(cls=cls, warmup=1.0, **options)
    ((_, steps),) = model.net_.callbacks_
    assert {len(rates) for rates in steps.rates_} == {2}
    share = np.minimum(np.arange(1, 13) / 5, 1.0)
    np.testing.assert_allclose(rates_of(model), 0.01 * share, rtol=1e-12)
    assert [group["lr"] for group in model.net_.optimizer_.param_groups] == [0.01] * 2


@pytest.mark.parametrize("step", ["fit", "partial_fit"])
def test_a_warmup_is_not_repeated(step):
    model = fit_steps(warmup=1.0, warm_start=True)
    n_before = len(rates_of(model))
    getattr(model, step)(*mixed_table(240))
    later = rates_of(model)[n_before:]
    assert len(later) == (12 if step == "fit" else 4)
    assert set(later) == {0.01}


def test_the_first_call_of_partial_fit_warms_up():
    X, y = mixed_table(240)
    model = MMOEClassifier(warmup=0.5, callbacks=[Steps()], **{**QUICK, "lr": 0.03})
    model.partial_fit(X, y).partial_fit(X, y)
    share = [1 / 3, 2 / 3, 1, 1, 1, 1, 1, 1]
    np.testing.assert_allclose(rates_of(model), 0.03 * np.array(share), rtol=1e-12)


@pytest.mark.parametrize("callback", [InterruptAt(2), ("in", Steps(interrupt_at=6))])
@pytest.mark.parametrize("sparse", [True, False])
def test_an_interruption_of_a_warmup_leaves_the_full_rate(callback, sparse):
    model = make_steps(callback, warmup=3.0, sparse_embedding=sparse)
    with pytest.warns(ConvergenceWarning, match="interrupted in epoch 2"):
        interrupted(model, *mixed_table(240))
    found = [group["lr"] for group in model.net_.optimizer_.param_groups]
    assert found == [0.01] * (1 + sparse)
    own = model.callbacks[:1]
    model.set_params(max_epochs=1, warm_start=True, callbacks=own)
    n_before = len(rates_of(model))
    model.fit(*mixed_table(240))
    assert rates_of(model)[n_before:].tolist() == [0.01] * 4


def test_a_first_step_of_a_warmup_is_shorter():
    options = {"optimizer": "sgd", "weight_decay": 0.0, "max_epochs": 1}
    options |= {"dropout": 0.0, "unknown_rate": 0.0, "batch_size": 240}
    start = weights_of(fit_steps(**{**options, "lr": 1e-30}))
    whole = moved(fit_steps(**options), start)
    assert whole > 1e-4
    # One step of the epoch is one step of four in the warm-up of three epochs.
    shorter = moved(fit_steps(warmup=3.0, **options), start)
    assert shorter == pytest.approx(whole / 4, rel=1e-3)


@pytest.mark.parametrize("optimizer", OPTIMIZERS.values())
def test_every_optimizer_can_be_warmed_up(optimizer):
    weight = nn.Parameter(torch.ones(1))
    optimizer = optimizer([weight], lr=0.5)
    warmup = StepRates(optimizer, make_share(None, n_steps=5, n_warmup=3))
    seen = []
    optimizer.register_step_pre_hook(lambda o, *_: seen.append(o.param_groups[0]["lr"]))
    for _ in range(5):
        weight.grad = torch.ones(1)
        optimizer.step()
        assert optimizer.param_groups[0]["lr"] == 0.5
    assert seen == [0.125, 0.25, 0.375, 0.5, 0.5]
    warmup.remove()
    warmup.remove()
    assert optimizer.param_groups[0]["lr"] == 0.5


def test_a_warmup_that_is_removed_lets_the_rate_alone():
    weight = nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([weight], lr=0.5)
    StepRates(optimizer, lambda step: 0.1).remove()
    weight.grad = torch.ones(1)
    optimizer.step()
    assert weight.item() == -0.5


def test_a_step_that_fails_in_a_warmup_can_be_taken_back():
    weight = nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([weight], lr=0.5)
    warmup = StepRates(optimizer, lambda step: 0.5)

    def fail(*_):
        raise RuntimeError("on purpose")

    hook = optimizer.register_step_pre_hook(fail)
    with pytest.raises(RuntimeError, match="on purpose"):
        optimizer.step()
    assert optimizer.param_groups[0]["lr"] == 0.25
    hook.remove()
    warmup.remove()
    assert optimizer.param_groups[0]["lr"] == 0.5


def test_a_class_that_needs_more_than_the_optimiser_is_refused():
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.1)
    make_schedule(torch.optim.lr_scheduler.LinearLR, optimizer, maximise=False)
    message = (
        r"class StepLR: .*step_size.*lambda optimizer: StepLR\(optimizer, \.\.\.\)"
    )
    with pytest.raises(ValueError, match=message):
        make_schedule(torch.optim.lr_scheduler.StepLR, optimizer, maximise=False)

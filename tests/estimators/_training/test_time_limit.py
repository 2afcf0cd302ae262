"""Fits that a limit of time ends, and the reason why training ended."""

import math
import re
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from skorch.callbacks import Callback

from sk_mtl import MMOEClassifier, MMOERegressor
from sk_mtl.estimators._training._fit_clock import FitClock
from tests.estimators.common import (
    QUICK,
    InterruptAt,
    assert_equal_proba,
    interrupted,
    mixed_table,
)

# 240 rows in batches of 64 are 4 steps per epoch.
SETTINGS = {**QUICK, "max_epochs": 5, "early_stopping": False}


class Steps(Callback):
    """Counts the training steps."""

    def __init__(self):
        self.n_steps = 0

    def on_batch_end(self, net, training, **_):
        self.n_steps += training


class StopAfter(Callback):
    """Stops training after the first epoch, as a callback of skorch does."""

    def on_epoch_end(self, net, **_):
        raise KeyboardInterrupt


class Spoil(Callback):
    """Makes a weight NaN before the second epoch."""

    def on_epoch_begin(self, net, **_):
        if len(net.history) == 2:
            next(net.module_.parameters()).data.fill_(math.nan)


@pytest.fixture
def ticks(monkeypatch):
    """A clock that goes on by a second whenever it is read."""

    readings = Counter()

    def seconds(clock):
        readings[clock.start] += 1
        return readings[clock.start]

    monkeypatch.setattr(FitClock, "seconds", property(seconds))


def count_steps(model, X, y, **options):
    steps = Steps()
    model.set_params(callbacks=[steps]).fit(X, y, **options)
    return steps.n_steps


@pytest.mark.parametrize(
    ("limit", "n_steps", "n_epochs"),
    [
        # Read before steps 2, 3, 4 and, after them, at the end of the epoch.
        *[(1, 1, 1), (2, 2, 1), (3, 3, 1), (4, 4, 1), (5, 5, 2), (8, 8, 2)],
        # After the last epoch nothing is left to end.
        *[(19, 19, 5), (20, 20, 5), (21, 20, 5)],
    ],
)
def test_training_ends_at_the_first_step_behind_the_limit(
    ticks, limit, n_steps, n_epochs
):
    X, y = mixed_table()
    model = MMOEClassifier(**SETTINGS, time_limit=limit)
    assert count_steps(model, X, y) == n_steps
    assert model.n_iter_ == model.best_epoch_ == n_epochs
    reason = "time_limit" if limit < 20 else "epochs"
    assert model.stopped_by_ == reason


def test_the_weights_at_the_limit_are_their_average(ticks):
    """Of two steps: weighted by 1 and 2, as in a short fit."""
    X, y = mixed_table()

    def weights(limit, averaging):
        options = {"lr_schedule": None, "weight_averaging": averaging}
        model = MMOEClassifier(**SETTINGS, **options, time_limit=limit).fit(X, y)
        return next(model.net_.module_.towers.parameters()).detach().double()

    first, second = weights(1, None), weights(2, None)
    expected = (first + 2 * second) / 3
    np.testing.assert_allclose(weights(2, 0.999), expected, rtol=0, atol=1e-6)


def test_losses_of_a_part_of_an_epoch_are_means_of_its_rows(ticks):
    X, y = mixed_table()
    options = {"lr_schedule": None, "dropout": 0.0, "unknown_rate": 0.0, "lr": 1e-12}
    parts = [
        MMOEClassifier(**{**SETTINGS, "max_epochs": 1}, **options, time_limit=limit)
        .fit(X, y)
        .history_["train_loss"][0]
        for limit in (2, 99)
    ]
    assert parts[0] == pytest.approx(parts[1], rel=0.05)


def test_the_best_epoch_is_kept_at_the_limit(ticks):
    X, y = mixed_table()
    settings = {**SETTINGS, "early_stopping": True, "lr": 0.5, "lr_schedule": None}
    limited = MMOEClassifier(**settings, time_limit=10).fit(X, y)
    losses = limited.history_["valid_loss"]
    assert limited.stopped_by_ == "time_limit"
    assert len(losses) == 3
    assert limited.best_epoch_ == losses.argmin() + 1


def test_a_limit_that_is_not_reached_changes_nothing():
    X, y = mixed_table()
    plain = MMOEClassifier(**SETTINGS).fit(X, y)
    limited = MMOEClassifier(**SETTINGS, time_limit=3600).fit(X, y)
    assert_equal_proba(limited.predict_proba(X), plain.predict_proba(X))
    columns = plain.history_.columns.drop("seconds")
    pd.testing.assert_frame_equal(limited.history_[columns], plain.history_[columns])


@pytest.mark.parametrize("cls", [MMOEClassifier, MMOERegressor])
def test_one_step_is_taken_in_any_case(cls):
    X, y = mixed_table()
    model = clone(cls(**SETTINGS, time_limit=1e-9))
    assert count_steps(model, X, y) == 1
    assert model.stopped_by_ == "time_limit"
    assert model.predict(X).shape == (240, 2)


def test_rows_and_passes_have_a_limit_too():
    X, y = mixed_table()
    model = MMOEClassifier(**SETTINGS, time_limit=1e-9)
    model.fit_rows(*model.encode_rows(X, y))
    assert model.stopped_by_ == "time_limit"
    model.partial_fit(X, y)
    assert (model.n_iter_, model.stopped_by_) == (2, "time_limit")
    model.set_params(time_limit=None).partial_fit(X, y)
    assert (model.n_iter_, model.stopped_by_) == (3, "epochs")


def test_a_fit_that_continues_has_time_of_its_own():
    X, y = mixed_table()
    model = MMOEClassifier(**SETTINGS, warm_start=True, time_limit=1e-9).fit(X, y)
    model.set_params(time_limit=3600).fit(X, y)
    assert (model.n_iter_, model.stopped_by_) == (6, "epochs")


@pytest.mark.parametrize("limit", [0, -1, math.nan, "60", True, [60]], ids=str)
def test_other_limits_are_refused(limit):
    X, y = mixed_table()
    expected = (
        "time_limit must be a number of seconds above 0, or None for no limit; found "
        f"{limit!r}. Give for instance 60."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(expected)}$"):
        MMOEClassifier(**SETTINGS, time_limit=limit).fit(X, y)


def test_a_fit_tells_why_it_stopped():
    X, y = mixed_table()
    assert MMOEClassifier(**SETTINGS).fit(X, y).stopped_by_ == "epochs"
    settings = {**SETTINGS, "early_stopping": True, "n_iter_no_change": 1, "tol": 9.0}
    model = MMOEClassifier(**settings).fit(X, y)
    assert (model.n_iter_, model.stopped_by_) == (2, "early_stopping")
    model = MMOEClassifier(**SETTINGS, callbacks=[StopAfter()]).fit(X, y)
    assert (model.n_iter_, model.stopped_by_) == (1, "callback")
    model = MMOEClassifier(**SETTINGS, callbacks=[Spoil()])
    with pytest.warns(ConvergenceWarning, match="The weights of epoch 1 are kept"):
        model.fit(X, y)
    assert model.stopped_by_ == "not_finite"
    model = MMOEClassifier(**SETTINGS, callbacks=[InterruptAt(2)])
    interrupted(model, X, y)
    assert model.stopped_by_ == "interruption"

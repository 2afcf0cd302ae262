"""Ctrl-C keeps the best weights so far and is raised."""

import signal

import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from skorch.callbacks import Callback, EarlyStopping

from sk_mtl import MMOEClassifier
from sk_mtl.estimators._training import _net
from sk_mtl.estimators._training._control import TrainingControl
from tests.estimators._training.nets import fit, make, validation_loss
from tests.estimators.common import (
    QUICK,
    InterruptAt,
    assert_equal_proba,
    interrupted,
    largest_difference,
)


@pytest.mark.parametrize("early_stopping", [True, False])
def test_an_interruption_keeps_the_weights_so_far(tables, early_stopping):
    options = {"early_stopping": early_stopping, "n_iter_no_change": 20}
    message = (
        "Training was interrupted in epoch 4; the weights of epoch 3 are kept, and the "
        "estimator is fitted. Call fit again to train in full."
    )
    with pytest.warns(ConvergenceWarning) as caught:
        model = interrupted(make(InterruptAt(4), max_epochs=9, **options), **tables)
    assert [str(w.message) for w in caught] == [message]
    assert model.n_iter_ == model.best_epoch_ == len(model.history_) == 3
    three = fit(tables, max_epochs=3, **options)
    X = tables["X"]
    assert_equal_proba(model.predict_proba(X), three.predict_proba(X))


def test_an_interruption_keeps_the_best_weights(tables):
    options = {"early_stopping": True, "lr": 0.1, "n_iter_no_change": 50}
    with pytest.warns(ConvergenceWarning, match="interrupted in epoch 25"):
        model = interrupted(make(InterruptAt(25), max_epochs=30, **options), **tables)
    best = model.history_["valid_loss"].idxmin()
    assert model.best_epoch_ == model.history_["epoch"][best] < 24
    assert validation_loss(model, tables) == pytest.approx(
        model.history_["valid_loss"].min(), abs=1e-5
    )


@pytest.mark.parametrize("at", ["training", "validation"])
def test_an_interruption_in_the_first_epoch_leaves_no_fit(tables, at):
    model = interrupted(make(InterruptAt(1, at)), **tables)
    assert not any(name.endswith("_") for name in vars(model))
    model.set_params(callbacks=None).fit(**tables)


def test_an_interruption_at_the_end_of_an_epoch_keeps_it(tables):
    with pytest.warns(ConvergenceWarning, match="in epoch 2; the weights of epoch 2"):
        model = interrupted(make(InterruptAt(2, "end"), max_epochs=9), **tables)
    assert model.n_iter_ == model.best_epoch_ == len(model.history_) == 2


def test_an_interruption_is_raised_where_warnings_are_errors(tables):
    model = interrupted(make(InterruptAt(2)), **tables)
    assert model.n_iter_ == 1


def test_an_interruption_after_the_last_epoch_is_raised(tables, monkeypatch):
    plain, restore = fit(tables), TrainingControl.restore

    def interrupt(control, module):
        restored = restore(control, module)
        if restored:
            signal.raise_signal(signal.SIGINT)
        return restored

    monkeypatch.setattr(TrainingControl, "restore", interrupt)
    with pytest.warns(ConvergenceWarning, match="in epoch 3; the weights of epoch 3"):
        model = interrupted(make(), **tables)
    X = tables["X"]
    assert_equal_proba(model.predict_proba(X), plain.predict_proba(X))


@pytest.mark.parametrize("fitted", [False, True])
def test_an_interruption_while_the_training_is_put_away_keeps_nothing_of_it(
    tables, monkeypatch, fitted
):
    model = make()
    if fitted:
        before = model.fit(**tables).predict_proba(tables["X"])
    monkeypatch.setattr(
        TrainingControl, "end_training", lambda _: signal.raise_signal(signal.SIGINT)
    )
    interrupted(model, **tables)
    assert hasattr(model, "net_") == fitted
    if fitted:
        assert_equal_proba(model.predict_proba(tables["X"]), before)


def test_an_interruption_goes_on_from_the_fit_before(tables):
    X, y = tables["X"], tables["y"]
    model = make(max_epochs=2, warm_start=True).fit(X, y)
    before = model.predict_proba(X)
    interrupted(model.set_params(callbacks=[InterruptAt(3)]), X, y)
    assert model.n_iter_ == 2
    assert_equal_proba(model.predict_proba(X), before)
    model.set_params(callbacks=[InterruptAt(4)])
    with pytest.warns(ConvergenceWarning, match="weights of epoch 3 are kept"):
        interrupted(model, X, y)
    assert model.n_iter_ == 3
    assert largest_difference(model.predict_proba(X), before) > 1e-4


def test_partial_fit_is_interrupted_as_fit_is(tables):
    X, y = tables["X"], tables["y"]
    model = make(InterruptAt(1))
    with pytest.raises(KeyboardInterrupt):
        model.partial_fit(X, y)
    assert not hasattr(model, "net_")
    model.set_params(callbacks=[InterruptAt(1, "end")])
    with (
        pytest.warns(ConvergenceWarning, match="weights of epoch 1 are kept"),
        pytest.raises(KeyboardInterrupt),
    ):
        model.partial_fit(X, y)
    assert model.n_iter_ == 1


def test_a_search_ends_at_an_interruption(tables):
    model = make(InterruptAt(2), max_epochs=3)
    search = GridSearchCV(model, {"lr": [0.01, 0.02]}, cv=2)
    interrupted(search, tables["X"], tables["y"])
    assert not hasattr(search, "cv_results_")


@pytest.mark.parametrize("at", ["_warn_after_training", "_attributes_of"])
def test_an_interruption_behind_the_last_epoch_keeps_the_fit(tables, monkeypatch, at):
    pressed, method = [], getattr(MMOEClassifier, at)

    def press(self, *args):
        if not pressed:
            pressed.append(at)
            signal.raise_signal(signal.SIGINT)
        return method(self, *args)

    monkeypatch.setattr(MMOEClassifier, at, press)
    with pytest.warns(ConvergenceWarning, match="the weights of epoch 2 are kept"):
        model = interrupted(make(max_epochs=2), **tables)
    assert_equal_proba(
        model.predict_proba(tables["X"]),
        fit(tables, max_epochs=2).predict_proba(tables["X"]),
    )


def test_a_callback_that_asks_to_stop_is_no_interruption(tables):
    stop = EarlyStopping(patience=2, threshold=10.0, threshold_mode="abs")
    model = fit(tables, stop, max_epochs=9)
    assert model.n_iter_ == 3

    class StopAt(Callback):
        def on_epoch_end(self, net, **_):
            if len(net.history) == 2:
                raise KeyboardInterrupt

    assert fit(tables, StopAt(), max_epochs=9).n_iter_ == 2


def test_a_handler_of_ones_own_interrupts_as_well(tables, monkeypatch):
    def handler(number, frame):
        raise KeyboardInterrupt("pressed")

    before = signal.signal(signal.SIGINT, handler)
    try:
        with pytest.warns(ConvergenceWarning, match="interrupted in epoch 2"):
            model = interrupted(make(InterruptAt(2, "end"), max_epochs=9), **tables)
    finally:
        signal.signal(signal.SIGINT, before)
    assert model.n_iter_ == 2


def test_an_interruption_before_training_is_passed_on(tables):
    class Slow(Callback):
        def initialize(self):
            raise KeyboardInterrupt

    model = MMOEClassifier(callbacks=[Slow()], **QUICK)
    with pytest.raises(KeyboardInterrupt):
        model.fit(**tables)
    assert not hasattr(model, "net_")


def test_an_interruption_before_the_first_epoch_leaves_no_fit(tables, monkeypatch):
    def interrupt(module, sample):
        raise KeyboardInterrupt

    monkeypatch.setattr(_net, "compile_in_place", interrupt)
    model = MMOEClassifier(compile=True, **QUICK)
    with pytest.raises(KeyboardInterrupt):
        model.fit(**tables)
    assert not hasattr(model, "net_")

"""Callbacks hear, see and change a training as in skorch."""

import copy
import pickle
import threading

import numpy as np
import pytest
import torch
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from skorch.callbacks import (
    BatchScoring,
    Callback,
    Checkpoint,
    EarlyStopping,
    EpochScoring,
    Freezer,
    GradientNormClipping,
    LRScheduler,
    PrintLog,
)

from sk_mtl.model_selection import compare_tasks, out_of_fold_proba
from tests.estimators._training.nets import fit, make, validation_loss
from tests.estimators.common import assert_equal_proba


class Recorder(Callback):
    """Writes down what it is told."""

    def __init__(self, tag="mine"):
        self.tag = tag

    def initialize(self):
        self.heard_ = []

    def on_train_begin(self, net, **_):
        self.heard_.append("train_begin")

    def on_epoch_begin(self, net, **_):
        self.heard_.append("epoch_begin")

    def on_batch_end(self, net, batch, training, loss, y_pred, **_):
        assert y_pred.shape == (len(batch), 2)
        assert loss.ndim == 0
        self.heard_.append("train_batch" if training else "valid_batch")

    def on_grad_computed(self, net, named_parameters, **_):
        grads = [p.grad for _, p in named_parameters]
        assert all(grad is not None for grad in grads)
        self.heard_.append("grad")

    def on_epoch_end(self, net, **_):
        self.heard_.append("epoch_end")

    def on_train_end(self, net, **_):
        self.heard_.append("train_end")


class KeepWeights(Callback):
    """Keeps the weights of every epoch."""

    def initialize(self):
        self.weights_ = []

    def on_epoch_end(self, net, **_):
        state = net.module_.state_dict()
        self.weights_.append({k: v.clone() for k, v in state.items()})


def test_a_callback_hears_everything_in_order(tables):
    recorder = Recorder()
    fit(tables, recorder, max_epochs=2, batch_size=80)
    epoch = [
        *("epoch_begin", "grad", "train_batch", "grad", "train_batch", "valid_batch"),
        "epoch_end",
    ]
    assert recorder.heard_ == ["train_begin", *epoch, *epoch, "train_end"]


def test_callbacks_are_the_callers_own(tables):
    recorder = Recorder("tag")
    model = fit(tables, recorder)
    assert recorder.heard_[-1] == "train_end"
    assert model.callbacks == [recorder]


def test_a_class_makes_a_callback_for_each_fit(tables):
    model = fit(tables, Recorder)
    ((name, first),) = model.net_.callbacks_
    assert name == "Recorder"
    assert first.heard_[-1] == "train_end"
    ((_, second),) = model.fit(**tables).net_.callbacks_
    assert second is not first
    assert model.callbacks == [Recorder]


def test_callbacks_may_be_named(tables):
    model = fit(tables, ("first", Recorder()), ("second", Recorder))
    assert [name for name, _ in model.net_.callbacks_] == ["first", "second"]


def test_callbacks_of_a_fit_that_goes_on(tables):
    X, y = tables["X"], tables["y"]
    known, new = Recorder(), Recorder()
    model = make(known, ("made", Recorder), max_epochs=1).partial_fit(X, y)
    heard = len(known.heard_)
    (_, (_, made)) = model.net_.callbacks_
    model.set_params(callbacks=[known, ("made", Recorder), new]).partial_fit(X, y)
    # What was initialised before goes on, and what is new begins.
    assert len(known.heard_) == len(made.heard_) == 2 * heard
    assert len(new.heard_) == heard
    model.set_params(callbacks=None).partial_fit(X, y)
    assert len(known.heard_) == 2 * heard


class Pruned(Exception):
    """Stands for what a study raises to end a trial."""


class Pruning(Callback):
    """Reports to a trial that cannot be copied, under a name of its own."""

    def __init__(self, trial):
        self._trial = trial

    def on_epoch_end(self, net, **_):
        self._trial.values.append(net.history[-1, "valid_loss"])
        if len(self._trial.values) == 2:
            raise Pruned


class Trial:
    def __init__(self):
        self.values, self.lock = [], threading.Lock()


def test_a_callback_reports_to_the_study_that_made_it(tables):
    model, trial = fit(tables), Trial()
    before = model.predict_proba(tables["X"])
    model.set_params(callbacks=[Pruning(trial)])
    with pytest.raises(Pruned):
        model.fit(**tables)
    assert len(trial.values) == 2
    assert model.n_iter_ == 3
    assert_equal_proba(model.predict_proba(tables["X"]), before)


def test_a_fitted_estimator_is_copied_without_its_callbacks(tables):
    pruning = Pruning(Trial())
    model = fit(tables, pruning, max_epochs=1)
    again = pickle.loads(pickle.dumps(model))
    assert again.callbacks is None
    assert again.net_.callbacks_ == []
    assert copy.deepcopy(model).callbacks == copy.copy(model).callbacks == [pruning]
    expected = model.predict_proba(tables["X"])
    for other in (again, copy.deepcopy(model), copy.copy(model)):
        assert_equal_proba(expected, other.predict_proba(tables["X"]))
    recorder = Recorder()
    unfitted = pickle.loads(pickle.dumps(make(recorder)))
    assert isinstance(unfitted.callbacks[0], Recorder)


@pytest.mark.parametrize("named", [True, False])
def test_a_callback_that_cannot_be_cloned_is_named(tables, named):
    callback = Pruning(Trial())
    model = make(("pruning", callback) if named else callback)
    X, y = tables["X"], tables["y"]
    with pytest.raises(TypeError) as caught:
        out_of_fold_proba(model, X, y, cv=2)
    assert "found that Pruning cannot be: TypeError: " in str(caught.value)
    assert "Give the class instead of an instance" in str(caught.value)
    for tool in (compare_tasks, cross_val_score):
        with pytest.raises(TypeError, match="Pruning cannot be"):
            tool(make_pipeline(model), X, y, cv=2)


def test_callbacks_do_not_change_the_result(tables):
    plain, watched = fit(tables), fit(tables, Recorder())
    X = tables["X"]
    assert_equal_proba(plain.predict_proba(X), watched.predict_proba(X))
    assert plain.history_.drop(columns="seconds").equals(
        watched.history_.drop(columns="seconds")
    )


def test_learning_rate_scheduler_of_skorch(tables):
    model = fit(tables, LRScheduler("StepLR", step_size=1, gamma=0.1), lr=1.0)
    (group,) = model.net_.optimizer_.param_groups
    assert group["lr"] == pytest.approx(1e-3)
    plateau = LRScheduler("ReduceLROnPlateau", monitor="valid_loss", patience=0)
    fit(tables, plateau)
    cycle = torch.optim.lr_scheduler.OneCycleLR
    per_batch = LRScheduler(cycle, step_every="batch", max_lr=0.1, total_steps=9)
    (group,) = fit(tables, per_batch).net_.optimizer_.param_groups
    assert group["lr"] not in (0.1, 0.002)


def test_gradient_norm_clipping_of_skorch(tables):
    seen = []

    class Norm(Callback):
        def on_batch_end(self, net, training, **_):
            if training:
                grads = [p.grad.norm() for p in net.module_.parameters()]
                seen.append(torch.stack(grads).norm().item())

    fit(tables, GradientNormClipping(1e-3), ("norm", Norm()))
    assert max(seen) <= 1e-3 * 1.001
    seen.clear()
    fit(tables, ("norm", Norm()))
    assert max(seen) > 1e-2


def test_freezer_of_skorch(tables):
    start = fit(tables, KeepWeights(), max_epochs=1, lr=1e-12, weight_decay=0.0)
    before = start.net_.module_.towers.state_dict()
    frozen = fit(tables, Freezer("towers*"))
    for name, value in frozen.net_.module_.towers.state_dict().items():
        torch.testing.assert_close(value, before[name], rtol=0, atol=1e-6)


@pytest.mark.parametrize("monitor", ["valid_loss_best", "train_loss_best", None])
def test_checkpoint_of_skorch_saves_epochs(tables, tmp_path, monitor):
    model = fit(tables, Checkpoint(monitor, dirname=tmp_path))
    saved = torch.load(tmp_path / "params.pt")
    for name, value in model.net_.module_.state_dict().items():
        torch.testing.assert_close(saved[name], value)


def test_a_callback_may_load_better_weights_at_the_end(tables, tmp_path):
    options = {"max_epochs": 60, "lr": 0.05}
    last = fit(tables, **options)
    for callback in (
        Checkpoint(dirname=tmp_path, load_best=True),
        EarlyStopping(patience=60, load_best=True),
    ):
        model = fit(tables, callback, **options)
        best = last.history_["valid_loss"].min()
        assert validation_loss(model, tables) == pytest.approx(best, abs=1e-5)
        assert validation_loss(last, tables) > best + 1e-3


def test_early_stopping_of_skorch_is_no_interruption(tables):
    model = fit(tables, EarlyStopping(patience=2), max_epochs=50, lr=0.1)
    assert model.n_iter_ < 50
    assert model.best_epoch_ == model.n_iter_
    best = model.history_["valid_loss"].idxmin()
    assert model.n_iter_ == best + 3


def test_a_callback_reads_and_extends_the_history(tables):
    class Gap(Callback):
        def on_epoch_end(self, net, **_):
            row = net.history[-1]
            net.history.record("gap", row["valid_loss"] - row["train_loss"])

    model = fit(tables, Gap())
    expected = model.history_["valid_loss"] - model.history_["train_loss"]
    np.testing.assert_allclose(model.history_["gap"], expected)


def test_marks_of_skorch_are_not_shown(tables, tmp_path):
    model = fit(tables, Checkpoint(dirname=tmp_path))
    assert model.net_.history[:, "valid_loss_best"] == [True] * 3
    assert "valid_loss_best" not in model.history_
    renamed = {k: v.rename(columns={"buy": "best"}) for k, v in tables.items()}
    model = fit(renamed)
    assert model.history_["valid_loss_best"].dtype == float


def test_callbacks_are_as_talkative_as_the_estimator(tables, capsys):
    fit(tables, PrintLog())
    assert capsys.readouterr().out == ""
    fit(tables, PrintLog(), verbose=1)
    assert "valid_loss_churn" in capsys.readouterr().out


@pytest.mark.parametrize(
    "callback",
    [
        EpochScoring("accuracy", use_caching=False),
        ("score", EpochScoring(lambda net, X, y: 0.0)),
        BatchScoring("accuracy"),
        EpochScoring,
    ],
    ids=["epochs", "named", "batches", "class"],
)
def test_scores_of_skorch_are_refused_with_the_remedy(tables, callback):
    with pytest.raises(ValueError, match=r"found \w+Scoring. Set monitor to a metric"):
        fit(tables, callback)


@pytest.mark.parametrize(
    ("callback", "watched"),
    [
        (EarlyStopping, "valid_loss"),
        (("stop", EarlyStopping()), "valid_loss"),
        (Checkpoint(), "valid_loss_best"),
        (LRScheduler("ReduceLROnPlateau", monitor="valid_loss"), "valid_loss"),
    ],
    ids=["class", "named", "checkpoint", "rate"],
)
def test_callbacks_that_watch_rows_not_held_out_are_refused(tables, callback, watched):
    X, y = tables["X"], tables["y"]
    model = make(callback, early_stopping=False)
    message = f"monitors '{watched}' needs rows that are held out; found .* and none"
    for train in (model.fit, model.partial_fit):
        with pytest.raises(ValueError, match=message):
            train(X, y)
    on_training_rows = EarlyStopping(monitor="train_loss")
    model.set_params(callbacks=[on_training_rows]).fit(X, y)


def test_a_callback_records_a_value_of_its_own(tables):
    class Largest(Callback):
        def on_epoch_end(self, net, **_):
            largest = max(p.abs().max().item() for p in net.module_.parameters())
            net.history.record("largest", largest)

    assert fit(tables, Largest()).history_["largest"].gt(0).all()

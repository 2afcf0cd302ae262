"""The bridge to skorch: callbacks, interruptions, losses that blow up, compilation."""

import copy
import pickle
import signal
import threading

import numpy as np
import pytest
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, cross_val_score
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
from torch import nn

from sk_mtl import ESMMClassifier, MMOEClassifier
from sk_mtl.estimators._training import _net
from sk_mtl.estimators._training._control import TrainingControl
from sk_mtl.model_selection import compare_tasks, out_of_fold_proba
from tests.estimators.common import (
    QUICK,
    InterruptAt,
    assert_equal_proba,
    interrupted,
    largest_difference,
    mixed_table,
)


@pytest.fixture(scope="module")
def tables():
    X, y = mixed_table()
    return {"X": X[:160], "y": y[:160], "X_val": X[160:], "y_val": y[160:]}


def make(*callbacks, **options):
    # A rate that falls towards `max_epochs` would tell a shorter training from a part.
    settings = {**QUICK, "lr_schedule": None, "early_stopping": False, **options}
    return MMOEClassifier(callbacks=list(callbacks), **settings)


def fit(tables, *callbacks, **options):
    return make(*callbacks, **options).fit(**tables)


def validation_loss(model, tables):
    """The mean over tasks of the log-loss, computed anew."""
    proba = model.predict_proba(tables["X_val"])
    columns = tables["y_val"].to_numpy().T
    return np.mean([log_loss(y, p[:, 1]) for y, p in zip(columns, proba, strict=True)])


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


class BreakAt(Callback):
    """Makes the loss NaN from an epoch on."""

    def __init__(self, epoch):
        self.epoch = epoch

    def on_epoch_begin(self, net, **_):
        if len(net.history) == self.epoch:
            nn.init.constant_(net.module_.wiring.experts.first.bias, np.nan)


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
    options = {"max_epochs": 30, "lr": 0.05}
    last = fit(tables, **options)
    for callback in (
        Checkpoint(dirname=tmp_path, load_best=True),
        EarlyStopping(patience=30, load_best=True),
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


@pytest.mark.parametrize("at", ["_look_back", "_set_answers"])
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


ADVICE = (
    "Try a smaller lr, check the scale of numeric columns and the sample weights, or "
    "use precision='float64'."
)


def test_a_loss_that_is_nan_at_once_is_an_error(tables):
    with pytest.raises(ValueError) as caught:
        fit(tables, BreakAt(1))
    assert str(caught.value) == (
        "The loss must stay finite; it became NaN or infinite in epoch 1, before any "
        f"epoch was complete. {ADVICE}"
    )


@pytest.mark.parametrize("early_stopping", [True, False])
def test_a_loss_that_becomes_nan_keeps_the_last_good_weights(tables, early_stopping):
    options = {"early_stopping": early_stopping}
    with pytest.warns(ConvergenceWarning) as caught:
        model = fit(tables, BreakAt(4), max_epochs=9, **options)
    assert [str(w.message) for w in caught] == [
        "Training stopped: the loss became NaN or infinite in epoch 4. The weights of "
        f"epoch 3 are kept. {ADVICE}"
    ]
    assert model.n_iter_ == model.best_epoch_ == 3
    assert np.isfinite(model.history_.to_numpy()).all()
    three = fit(tables, max_epochs=3, **options)
    X = tables["X"]
    assert_equal_proba(model.predict_proba(X), three.predict_proba(X))


def test_a_step_too_large_is_never_kept(tables):
    # The loss of the last batch is finite; the step that it causes is not.
    with pytest.raises(ValueError, match="in epoch 1, before any epoch was complete"):
        fit(tables, optimizer="sgd", lr=1e38, batch_size=1000)


def test_losses_of_an_epoch_are_means_over_its_rows(tables):
    # No step moves a weight, so that the network is the same for every batch.
    model = fit(tables, lr=1e-30, dropout=0.0, unknown_rate=0.0, batch_size=100)
    X, y = tables["X"], tables["y"].to_numpy()
    proba = model.predict_proba(X)
    row = model.history_.iloc[-1]
    for k, name in enumerate(("churn", "buy")):
        expected = log_loss(y[:, k], proba[k][:, 1])
        assert row[f"train_loss_{name}"] == pytest.approx(expected, abs=1e-5)
    assert row["valid_loss"] == pytest.approx(validation_loss(model, tables), abs=1e-5)


def test_training_goes_on_in_training_mode_after_a_validation(tables):
    class Modes(Callback):
        def initialize(self):
            self.seen_ = set()

        def on_batch_end(self, net, training, **_):
            modes = {module.training for module in net.module_.modules()}
            self.seen_.add((training, *modes))

    model = fit(tables, Modes(), max_epochs=4)
    ((_, modes),) = model.net_.callbacks_
    assert modes.seen_ == {(True, True), (False, False)}
    assert not model.net_.module_.training


def test_dropout_works_in_every_epoch(tables):
    # Still weights and equal batches: the losses differ by their dropout alone.
    model = fit(tables, lr=1e-30, dropout=0.5, batch_size=1000, max_epochs=4)
    assert model.history_["train_loss"].nunique() == 4
    assert model.history_["valid_loss"].nunique() == 1


def test_a_fitted_net_holds_no_gradients(tables):
    model = fit(tables)
    assert all(p.grad is None for p in model.net_.module_.parameters())


class Broken(RuntimeError):
    pass


@pytest.mark.parametrize("text", ["no compiler found\nand more", ""])
def test_without_a_compiler_training_goes_on_with_a_warning(tables, monkeypatch, text):
    def compile_later(self, *args, **kwargs):
        def fail(*inputs):
            raise Broken(text)

        self._compiled_call_impl = fail

    monkeypatch.setattr(nn.Module, "compile", compile_later)
    with pytest.warns(RuntimeWarning) as caught:
        model = fit(tables, compile=True)
    said = text.partition("\n")[0]
    assert [str(w.message) for w in caught] == [
        f"compile=True needs a working compiler; found Broken: {said}. Training goes "
        "on without it. Install a C++ compiler, or set compile=False."
    ]
    X = tables["X"]
    assert_equal_proba(model.predict_proba(X), fit(tables).predict_proba(X))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("cls", [MMOEClassifier, ESMMClassifier])
def test_a_compiled_network_learns_the_same(tables, cls):
    # A compiled network draws its dropout from another stream of numbers.
    settings = {**QUICK, "dropout": 0.0, "unknown_rate": 0.0}
    settings["structure"] = "independent"
    model = cls(compile=True, **settings)
    try:
        model.fit(**tables)
    except RuntimeWarning as warning:
        pytest.skip(f"no compiler here: {warning}")
    plain, X = cls(**settings).fit(**tables), tables["X"]
    answer = model.predict_proba(X)
    assert_equal_proba(plain.predict_proba(X), answer, rtol=0, atol=1e-4)
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert_equal_proba(other.predict_proba(X), answer, rtol=0, atol=1e-5)
    model.partial_fit(tables["X"], tables["y"])
    drawn = [cls(compile=True, structure="independent", **QUICK) for _ in range(2)]
    answers = [model.fit(**tables).predict_proba(X) for model in drawn]
    # Compiled kernels split rows between threads anew, which may move the last digit.
    assert_equal_proba(*answers, rtol=0, atol=1e-6)


def test_only_this_file_imports_skorch():
    assert issubclass(_net._MultiTaskNet, _net.NeuralNet)
    assert not issubclass(MMOEClassifier, _net.NeuralNet)


def test_an_interruption_before_the_first_epoch_leaves_no_fit(tables, monkeypatch):
    def interrupt(self, table):
        raise KeyboardInterrupt

    monkeypatch.setattr(_net._MultiTaskNet, "_compile", interrupt)
    model = MMOEClassifier(compile=True, **QUICK)
    with pytest.raises(KeyboardInterrupt):
        model.fit(**tables)
    assert not hasattr(model, "net_")


@pytest.mark.parametrize("n_rows", [1, 31, 32, 33, 4096 + 1])
def test_rows_are_evaluated_in_batches_of_whole_blocks(tables, n_rows):
    # So that a row is multiplied by the same kernel, whatever stands beside it.
    model, seen = fit(tables), []
    model.net_.module_.register_forward_pre_hook(
        lambda module, inputs: seen.append(len(inputs[0]))
    )
    rows = tables["X"].iloc[np.arange(n_rows) % 160]
    proba = model.predict_proba(rows)
    assert [len(p) for p in proba] == [n_rows, n_rows]
    assert all(n % _net.EVALUATION_ROWS == 0 for n in seen)
    alone = model.predict_proba(rows.iloc[-1:])
    assert_equal_proba([p[-1:] for p in proba], alone, rtol=0, atol=1e-6)

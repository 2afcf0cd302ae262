"""The bridge to skorch: losses of an epoch, losses that blow up, compilation."""

import copy
import pickle

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss
from skorch.callbacks import Callback
from torch import nn

from sk_mtl import ESMMClassifier, MMOEClassifier
from sk_mtl.estimators._training import _net
from sk_mtl.estimators._training._evaluation import EVALUATION_ROWS
from tests.estimators._training.nets import fit, validation_loss
from tests.estimators.common import PLAIN, QUICK, assert_equal_proba


class BreakAt(Callback):
    """Makes the loss NaN from an epoch on."""

    def __init__(self, epoch):
        self.epoch = epoch

    def on_epoch_begin(self, net, **_):
        if len(net.history) == self.epoch:
            nn.init.constant_(net.module_.wiring.experts.first.bias, np.nan)


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
        f"compile=True needs a working compiler; found Broken: {said}. Training "
        "continues without it. Install a C++ compiler, or set compile=False."
    ]
    X = tables["X"]
    assert_equal_proba(model.predict_proba(X), fit(tables).predict_proba(X))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(
    ("cls", "encoder"),
    [
        (MMOEClassifier, PLAIN),
        pytest.param(ESMMClassifier, {}, marks=pytest.mark.nightly),
    ],
)
def test_a_compiled_network_learns_the_same(tables, cls, encoder):
    settings = {**QUICK, **encoder, "structure": "independent"}
    # A compiled network draws its dropout from another stream of numbers.
    drawing, settings = settings, {**settings, "dropout": 0.0, "unknown_rate": 0.0}
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
    drawn = [cls(compile=True, **drawing) for _ in range(2)]
    answers = [model.fit(**tables).predict_proba(X) for model in drawn]
    # Compiled kernels split rows between threads anew, which may move the last digit.
    assert_equal_proba(*answers, rtol=0, atol=1e-6)


def test_only_this_file_imports_skorch():
    assert issubclass(_net._MultiTaskNet, _net.NeuralNet)
    assert not issubclass(MMOEClassifier, _net.NeuralNet)


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
    assert all(n % EVALUATION_ROWS == 0 for n in seen)
    alone = model.predict_proba(rows.iloc[-1:])
    assert_equal_proba([p[-1:] for p in proba], alone, rtol=0, atol=1e-6)

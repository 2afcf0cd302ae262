"""The average of the weights: what is averaged, and who sees it when."""

import copy
import pickle

import numpy as np
import pytest
import torch
from sklearn.datasets import make_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss
from skorch.callbacks import Callback, EarlyStopping
from torch import nn

from sk_mtl import ESMMClassifier, MMOEClassifier
from sk_mtl.estimators._training._averaging import WeightAverage
from tests.estimators.common import (
    FULL_BATCH,
    QUICK,
    InterruptAt,
    assert_equal_proba,
    funnel_table,
    interrupted,
    largest_difference,
    mixed_table,
)


@pytest.fixture(scope="module")
def tables():
    X, y = mixed_table()
    return {"X": X[:160], "y": y[:160], "X_val": X[160:], "y_val": y[160:]}


def make(*callbacks, cls=MMOEClassifier, **options):
    # A rate that falls towards `max_epochs` would tell a shorter training from a part.
    settings = {**QUICK, "lr_schedule": None, "early_stopping": False, **options}
    settings = {"weight_averaging": 0.9, **settings}
    return cls(callbacks=list(callbacks), **settings)


def fit(tables, *callbacks, **options):
    return make(*callbacks, **options).fit(**tables)


def state_of(module):
    """A copy of all weights and statistics, without counts and fixed tables."""
    state = module.state_dict()
    return {k: v.clone() for k, v in state.items() if v.is_floating_point()}


class Watch(Callback):
    """Writes down the weights at every moment at which a callback is called."""

    def initialize(self):
        self.seen_ = []

    def _write(self, moment, net):
        self.seen_.append((moment, state_of(net.module_)))

    def on_epoch_begin(self, net, **_):
        self._write("epoch_begin", net)

    def on_batch_begin(self, net, training, **_):
        self._write("step_begin" if training else "valid_begin", net)

    def on_batch_end(self, net, training, **_):
        self._write("step_end" if training else "valid_end", net)

    def on_epoch_end(self, net, **_):
        self._write("epoch_end", net)

    def on_train_end(self, net, **_):
        self._write("train_end", net)


def watched(model, *moments):
    """The weights that the callback saw at these moments."""
    (watch,) = (c for _, c in model.net_.callbacks_ if isinstance(c, Watch))
    return [state for moment, state in watch.seen_ if moment in moments]


def average(states, decay):
    """The moving average of weights, step by step."""
    mean = states[0]
    for t, state in enumerate(states[1:], start=2):
        share = max(1 - decay, 2 / (t + 1))
        mean = {k: mean[k] + share * (state[k] - mean[k]) for k in mean}
    return mean


def assert_close_states(first, second, *, atol=1e-6, rtol=1e-5):
    assert first.keys() == second.keys()
    for name, value in first.items():
        torch.testing.assert_close(value, second[name], atol=atol, rtol=rtol)


def assert_same_states(first, second):
    assert_close_states(first, second, atol=0, rtol=0)


def farthest(first, second):
    return max((first[k] - second[k]).abs().max().item() for k in first)


def validation_loss(model, tables):
    """The mean over tasks of the log-loss, computed anew."""
    proba = model.predict_proba(tables["X_val"])
    columns = tables["y_val"].to_numpy().T
    return np.mean([log_loss(y, p[:, 1]) for y, p in zip(columns, proba, strict=True)])


# Of nine steps all but the first two, and none at all, have the share 1 - decay.
@pytest.mark.parametrize("decay", [0.5, 0.999])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"batch_norm": True},
        {"numeric_embedding": ("bins", "ple"), "interaction": "cross"},
        {"n_members": 2, "batch_norm": True},
        {"n_members": 2, "member_sharing": "none", "batch_norm": True},
        {"lr_schedule": "cosine", "warmup": 1.0},
    ],
    ids=str,
)
def test_the_kept_weights_are_the_average_by_hand(tables, decay, options):
    model = fit(tables, Watch(), weight_averaging=decay, **options)
    steps = watched(model, "step_end")
    assert len(steps) == 9
    kept = state_of(model.net_.module_)
    assert_close_states(kept, average(steps, decay))
    assert farthest(kept, steps[-1]) > 1e-4


def test_the_esmm_model_is_averaged_as_well():
    X, y = funnel_table(160)
    model = fit({"X": X, "y": y}, Watch(), cls=ESMMClassifier)
    steps = watched(model, "step_end")
    assert_close_states(state_of(model.net_.module_), average(steps, 0.9))


def test_the_average_goes_on_over_the_epochs_up_to_the_best_one(tables):
    options = {"early_stopping": True, "max_epochs": 40, "lr": 0.05}
    model = fit(tables, Watch(), **options)
    assert 1 < model.best_epoch_ < model.n_iter_ < 40
    steps = watched(model, "step_end")[: 3 * model.best_epoch_]
    assert_close_states(
        state_of(model.net_.module_), average(steps, 0.9), atol=1e-5, rtol=1e-4
    )


def test_running_statistics_are_averaged(tables):
    model = fit(tables, Watch(), batch_norm=True)
    kept, plain = state_of(model.net_.module_), watched(model, "step_end")
    names = [name for name in kept if "running" in name]
    assert len(names) == 4
    for name in names:
        own = average([{name: state[name]} for state in plain], 0.9)[name]
        torch.testing.assert_close(kept[name], own)
        assert not torch.allclose(kept[name], plain[-1][name], rtol=1e-3)
    counts = [v for k, v in model.net_.module_.state_dict().items() if "num_bat" in k]
    assert [count.item() for count in counts] == [9, 9]


def test_callbacks_see_plain_weights_in_training_and_averages_behind_it(tables):
    model = fit(tables, Watch())
    steps, epochs = watched(model, "step_end"), range(1, 4)
    averages = [average(steps[: 3 * epoch], 0.9) for epoch in epochs]
    for moment in ("valid_begin", "valid_end", "epoch_end"):
        for seen, expected in zip(watched(model, moment), averages, strict=True):
            assert_close_states(seen, expected)
    for begun, last in zip(watched(model, "epoch_begin")[1:], steps[2::3]):
        assert_same_states(begun, last)
    for begun, last in zip(watched(model, "step_begin")[1:], steps, strict=False):
        assert_same_states(begun, last)
    (end,) = watched(model, "train_end")
    assert_same_states(end, state_of(model.net_.module_))


def test_training_goes_on_from_the_plain_weights(tables):
    averaged, plain = fit(tables), fit(tables, weight_averaging=None)
    same = [name for name in plain.history_ if name.startswith("train_loss")]
    assert len(same) == 3
    assert averaged.history_[same].equals(plain.history_[same])
    assert (averaged.history_["valid_loss"] != plain.history_["valid_loss"]).all()
    X = tables["X"]
    assert largest_difference(averaged.predict_proba(X), plain.predict_proba(X)) > 1e-3


def test_none_keeps_the_weights_of_the_last_step(tables):
    model = fit(tables, Watch(), weight_averaging=None)
    kept, (*_, last) = state_of(model.net_.module_), watched(model, "step_end")
    assert_same_states(kept, last)
    for moment in ("valid_end", "epoch_end", "train_end"):
        assert_same_states(watched(model, moment)[-1], last)


@pytest.mark.parametrize("options", [{}, {"batch_norm": True}, {"n_members": 2}])
def test_a_decay_of_zero_is_no_average_bit_for_bit(tables, options):
    plain = fit(tables, weight_averaging=None, **options)
    zero = fit(tables, weight_averaging=0.0, **options)
    assert_same_states(state_of(plain.net_.module_), state_of(zero.net_.module_))
    shown = plain.history_.drop(columns="seconds")
    assert shown.equals(zero.history_.drop(columns="seconds"))


def test_validation_losses_are_those_of_the_averages(tables):
    model = fit(tables, Watch(), lr=0.02)
    asked = copy.deepcopy(model)
    losses = {}
    for moment in ("epoch_end", "step_end"):
        losses[moment] = []
        for state in watched(model, moment):
            asked.net_.module_.load_state_dict(state, strict=False)
            losses[moment].append(validation_loss(asked, tables))
    recorded = model.history_["valid_loss"].to_numpy()
    np.testing.assert_allclose(recorded, losses["epoch_end"], atol=1e-5)
    assert np.abs(recorded - losses["step_end"][2::3]).min() > 1e-3


def test_the_best_average_is_what_is_monitored_and_kept(tables):
    options = {"early_stopping": True, "max_epochs": 40, "lr": 0.05}
    model = fit(tables, **options)
    best = model.history_["valid_loss"].min()
    assert model.history_["valid_loss"].iloc[-1] > best + 1e-4
    assert validation_loss(model, tables) == pytest.approx(best, abs=1e-5)


@pytest.mark.parametrize("at", ["training", "validation"])
def test_an_interruption_keeps_the_average_of_the_last_epoch(tables, at):
    with pytest.warns(ConvergenceWarning, match="the weights of epoch 2 are kept"):
        model = interrupted(make(InterruptAt(3, at), max_epochs=9), **tables)
    two = fit(tables, max_epochs=2)
    assert_same_states(state_of(model.net_.module_), state_of(two.net_.module_))
    assert model.n_iter_ == len(model.history_) == 2


def test_a_callback_that_stops_keeps_the_average(tables):
    stopped = fit(tables, EarlyStopping(patience=1), max_epochs=50, lr=0.2)
    assert 1 < stopped.n_iter_ < 50
    alone = fit(tables, max_epochs=stopped.n_iter_, lr=0.2)
    assert_same_states(state_of(stopped.net_.module_), state_of(alone.net_.module_))


def test_a_callback_may_load_a_better_average_at_the_end(tables):
    callback = EarlyStopping(patience=30, load_best=True)
    model = fit(tables, callback, max_epochs=30, lr=0.05)
    best = model.history_["valid_loss"].min()
    assert validation_loss(model, tables) == pytest.approx(best, abs=1e-5)
    assert model.history_["valid_loss"].iloc[-1] > best + 1e-3


class BreakAt(Callback):
    """Makes the weights NaN at the beginning of an epoch, or by its last step."""

    def __init__(self, epoch, *, last_step=False):
        self.epoch = epoch
        self.last_step = last_step

    def on_epoch_begin(self, net, **_):
        self.n_steps_ = 0
        if len(net.history) == self.epoch and not self.last_step:
            nn.init.constant_(net.module_.wiring.experts.first.bias, np.nan)

    def on_grad_computed(self, net, **_):
        self.n_steps_ += 1
        if len(net.history) == self.epoch and self.n_steps_ == 3 and self.last_step:
            nn.init.constant_(net.module_.wiring.experts.first.bias.grad, np.nan)


@pytest.mark.parametrize("last_step", [True, False])
@pytest.mark.parametrize("validated", [True, False])
def test_a_loss_that_becomes_nan_keeps_the_last_average(tables, last_step, validated):
    rows = tables if validated else {"X": tables["X"], "y": tables["y"]}
    with pytest.warns(ConvergenceWarning) as caught:
        model = fit(rows, BreakAt(3, last_step=last_step), max_epochs=9)
    (warning,) = caught
    expected = "NaN or infinite in epoch 3. The weights of epoch 2 are kept."
    assert expected in str(warning.message)
    two = fit(rows, max_epochs=2)
    assert_same_states(state_of(model.net_.module_), state_of(two.net_.module_))


@pytest.mark.parametrize("step", ["fit", "partial_fit"])
def test_a_fit_that_goes_on_starts_from_the_average_and_averages_anew(tables, step):
    model = fit(tables, Watch(), warm_start=True)
    kept, n_before = state_of(model.net_.module_), len(watched(model, "step_end"))
    getattr(model, step)(tables["X"], tables["y"])
    begun = watched(model, "epoch_begin")[3]
    assert_same_states(begun, kept)
    later = watched(model, "step_end")[n_before:]
    assert len(later) == (9 if step == "fit" else 3)
    assert_close_states(state_of(model.net_.module_), average(later, 0.9))


def test_the_optimiser_goes_on_with_the_parameters_of_the_network(tables):
    model = fit(tables)
    (group,) = model.net_.optimizer_.param_groups
    own = list(model.net_.module_.parameters())
    assert all(a is b for a, b in zip(group["params"], own, strict=True))
    assert all(parameter.requires_grad for parameter in own)


def test_the_average_may_be_turned_on_and_off_between_fits(tables):
    X, y = tables["X"], tables["y"]
    model = fit(tables, Watch(), warm_start=True, weight_averaging=None)
    model.set_params(weight_averaging=0.9).fit(X, y)
    steps = watched(model, "step_end")
    assert_close_states(state_of(model.net_.module_), average(steps[9:18], 0.9))
    model.set_params(weight_averaging=None).fit(X, y)
    *_, last = watched(model, "step_end")
    assert_same_states(state_of(model.net_.module_), last)


@pytest.mark.parametrize("n_members", [1, 2])
def test_tables_with_sparse_gradients_are_left_out(tables, n_members):
    options = {"sparse_embedding": True, "n_members": n_members}
    options["member_sharing"] = "most"
    model = fit(tables, Watch(), **options)
    (table,) = model.net_.module_.sparse_parameter_names()
    steps, kept = watched(model, "step_end"), state_of(model.net_.module_)
    torch.testing.assert_close(kept[table], steps[-1][table], rtol=0, atol=0)
    assert not torch.equal(steps[-1][table], steps[-2][table])
    others = [{k: v for k, v in step.items() if k != table} for step in steps]
    del kept[table]
    assert_close_states(kept, average(others, 0.9))


def test_double_precision_is_averaged_in_double_precision(tables):
    model = fit(tables, Watch(), precision="float64")
    steps, kept = watched(model, "step_end"), state_of(model.net_.module_)
    assert {value.dtype for value in kept.values()} == {torch.float64}
    assert_close_states(kept, average(steps, 0.9), rtol=0, atol=1e-13)


def test_a_pickle_holds_the_average_and_nothing_beside_it(tables):
    model = fit(tables)
    again, X = pickle.loads(pickle.dumps(model)), tables["X"]
    assert_equal_proba(model.predict_proba(X), again.predict_proba(X))
    weights = sum(w.nbytes for w in model.net_.module_.state_dict().values())
    # The weights and the two moments of the optimiser.
    assert len(pickle.dumps(model.net_)) < 3.5 * weights + 20_000
    for each in (model, again):
        each.partial_fit(X, tables["y"])
    assert_equal_proba(model.predict_proba(X), again.predict_proba(X))


@pytest.mark.parametrize("cls", [MMOEClassifier, ESMMClassifier])
def test_the_same_state_gives_the_same_bits(cls):
    X, y = funnel_table(160)
    first, again = (fit({"X": X, "y": y}, cls=cls) for _ in range(2))
    assert_equal_proba(first.predict_proba(X), again.predict_proba(X))


def test_all_ones_equal_no_weights_bit_for_bit(tables):
    X, y = tables["X"], tables["y"]
    plain = fit({"X": X, "y": y})
    ones = fit({"X": X, "y": y, "sample_weight": np.ones(len(X))})
    assert_equal_proba(plain.predict_proba(X), ones.predict_proba(X))


@pytest.mark.parametrize("weight", ["counts", "zeros and ones"])
def test_integer_weights_equal_repeated_rows(weight):
    X, y = make_classification(n_samples=120, n_informative=4, random_state=0)
    y = np.column_stack([y, X[:, 0] > 0]).astype(int)
    weights = np.random.default_rng(0).integers(0, 4, len(X))
    if weight == "zeros and ones":
        weights = (weights > 0).astype(int)
    by_weight = fit({"X": X, "y": y, "sample_weight": weights}, **FULL_BATCH)
    rows = np.repeat(np.arange(len(X)), weights)
    by_rows = fit({"X": X[rows], "y": y[rows]}, **FULL_BATCH)
    assert_equal_proba(
        by_weight.predict_proba(X), by_rows.predict_proba(X), rtol=0, atol=1e-6
    )


def filled(value):
    """A module with a weight, a running statistic and a count of this value."""
    module = nn.BatchNorm1d(1)
    for tensor in module.state_dict().values():
        tensor.fill_(value)
    return module


def values_of(module):
    return {name: value.item() for name, value in module.state_dict().items()}


def test_counts_and_what_is_left_out_are_never_exchanged():
    module = filled(1)
    average = WeightAverage(module, 0.9, left_out=["bias"])
    for value in (1, 4):
        for tensor in module.state_dict().values():
            tensor.fill_(value)
        average.update()
    average.show()
    assert values_of(module) == {
        "weight": 3,
        "bias": 4,
        "running_mean": 3,
        "running_var": 3,
        "num_batches_tracked": 4,
    }
    average.hide()
    assert set(values_of(module).values()) == {4}


def test_showing_and_hiding_twice_is_once():
    module = filled(1)
    average = WeightAverage(module, 0.9)
    average.show()
    assert module.weight.item() == 1
    average.hide()
    for value in (1, 4):
        module.weight.data.fill_(value)
        average.update()
    for _ in range(2):
        average.show()
        assert module.weight.item() == 3
    for _ in range(2):
        average.hide()
        assert module.weight.item() == 4


def test_before_the_first_step_there_is_nothing_to_show():
    module = filled(1)
    average = WeightAverage(module, 0.9)
    module.weight.data.fill_(7)
    average.show()
    assert module.weight.item() == 7

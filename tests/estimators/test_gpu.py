"""On a card: the answers of the processor, from a table that stays on the card."""

import os
import pickle
import subprocess
import sys
import warnings

import joblib
import numpy as np
import pytest
import torch
from sklearn.metrics import log_loss
from skorch.callbacks import Callback
from skorch.exceptions import DeviceWarning
from torch.utils._python_dispatch import TorchDispatchMode

from sk_mtl import Bins, Cross, ESMMClassifier, MMOEClassifier, PiecewiseLinear
from sk_mtl.datasets import make_conversion_funnel
from sk_mtl.estimators._training import _net
from tests.estimators.common import (
    QUICK,
    assert_equal_proba,
    funnel_table,
    largest_difference,
    mixed_table,
)

CARD = "cuda"

#: Without draws in training and with one batch an epoch, in which the order of rows
#: decides nothing, processor and card compute the same numbers up to rounding.
EXACT = {
    "dropout": 0.0,
    "embedding_dropout": 0.0,
    "unknown_rate": 0.0,
    "batch_size": 1000,
    "lr": 0.01,
    "max_epochs": 10,
    "random_state": 0,
}

#: On the processor, taking the rows of the batch in another order moves probabilities
#: by 1e-7 and 2e-16.
ROUNDING = {"float32": 1e-4, "float64": 1e-9}

TARGET = {
    "sequence_pooling": "target_attention",
    "sequence_target": {"history": "item_id"},
    "shared_embedding": [["item_id", "history"]],
}


class Waves(torch.nn.Module):
    """A numeric embedding of one's own, with a buffer and weights."""

    def __init__(self, values, width):
        super().__init__()
        self.register_buffer("scale", values.std(0))
        self.weight = torch.nn.Parameter(torch.randn(values.shape[1], width))

    def forward(self, x):
        return ((x / self.scale).unsqueeze(2) * self.weight).sin()


FEATURES = {
    "mean": {},
    "max": {"sequence_pooling": "max"},
    "attention": {"sequence_pooling": "attention"},
    "target attention": TARGET,
    "sparse": {"sparse_embedding": True},
    "sparse target": {"sparse_embedding": True, **TARGET},
    "numbers": {"numeric_embedding": (Bins(8), PiecewiseLinear(8), "periodic")},
    "numbers of one's own": {"numeric_embedding": ["bins", Waves]},
    "fm": {"interaction": "fm"},
    "cross": {"interaction": Cross(4)},
    "senet": {"interaction": "senet"},
    "wide": {"wide": True},
}


@pytest.fixture(scope="module")
def funnel():
    X, y, _ = make_conversion_funnel(n_samples=600, n_users=30, random_state=0)
    return X, y


@pytest.fixture
def generators_untouched():
    """Assert that the test leaves the generators of processor and card alone."""
    torch.manual_seed(3)
    torch.cuda.manual_seed_all(3)
    before = torch.get_rng_state(), torch.cuda.get_rng_state()
    yield
    after = torch.get_rng_state(), torch.cuda.get_rng_state()
    assert all(a.equal(b) for a, b in zip(before, after, strict=True))


def devices_of(net):
    """The kinds of devices on which weights, constants and moments lie."""
    module = net.module_
    tensors = [*module.parameters(), *module.buffers(), *net.criterion_.buffers()]
    for moments in net.optimizer_.state.values():
        tensors += [v for v in moments.values() if torch.is_tensor(v) and v.dim()]
    return {tensor.device.type for tensor in tensors}


class Failure(Callback):
    def on_epoch_end(self, net, **_):
        raise RuntimeError("on purpose")


@pytest.mark.gpu
@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("name", FEATURES)
def test_a_card_learns_what_the_processor_learns(funnel, name, precision):
    X, y = funnel
    settings = {**EXACT, **FEATURES[name], "precision": precision}
    expected = ESMMClassifier(**settings).fit(X, y).predict_proba(X)
    model = ESMMClassifier(device=CARD, **settings).fit(X, y)
    assert devices_of(model.net_) == {CARD}
    proba = model.predict_proba(X)
    assert proba[0].dtype == precision
    assert_equal_proba(expected, proba, rtol=0, atol=ROUNDING[precision])


@pytest.mark.gpu
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_experts_and_gates_too(precision):
    X, y = mixed_table()
    settings = {**EXACT, "precision": precision, "batch_norm": True}
    expected = MMOEClassifier(**settings).fit(X, y)
    model = MMOEClassifier(device=CARD, **settings).fit(X, y)
    atol = ROUNDING[precision]
    assert_equal_proba(
        expected.predict_proba(X), model.predict_proba(X), rtol=0, atol=atol
    )
    np.testing.assert_allclose(
        expected.predict_gates(X), model.predict_gates(X), rtol=0, atol=atol
    )


@pytest.mark.gpu
def test_it_learns_by_default():
    X, y = mixed_table(300)
    assert MMOEClassifier(device=CARD, random_state=0).fit(X, y).score(X, y) > 0.9
    X, y = funnel_table(300)
    assert ESMMClassifier(device=CARD, random_state=0).fit(X, y).score(X, y) > 0.9


@pytest.mark.gpu
def test_weights_and_missing_labels_are_on_the_card_too():
    X, y = mixed_table()
    y = y.astype(float)
    y.iloc[::3, 1] = np.nan
    weight = np.where(y["churn"] == 1, 3.0, 1.0)
    expected, model = (
        MMOEClassifier(device=device, class_weight="balanced", **EXACT)
        .fit(X, y, sample_weight=weight)
        .predict_proba(X)
        for device in ("cpu", CARD)
    )
    assert_equal_proba(expected, model, rtol=0, atol=ROUNDING["float32"])


@pytest.mark.gpu
@pytest.mark.parametrize("device", ["auto", "cuda:0", torch.device("cuda", 0)], ids=str)
def test_names_of_the_card(device):
    X, y = mixed_table()
    model = MMOEClassifier(device=device, **QUICK).fit(X, y)
    assert devices_of(model.net_) == {CARD}
    expected = MMOEClassifier(device=CARD, **QUICK).fit(X, y).predict_proba(X)
    assert_equal_proba(expected, model.predict_proba(X))


@pytest.mark.gpu
def test_the_whole_table_is_on_the_card(funnel, monkeypatch):
    tables = []
    train = _net._MultiTaskNet.train

    def look_and_train(self, train_table, valid_table, *args, **kwargs):
        tables.extend([train_table, valid_table])
        return train(self, train_table, valid_table, *args, **kwargs)

    monkeypatch.setattr(_net._MultiTaskNet, "train", look_and_train)
    X, y = funnel
    ESMMClassifier(device=CARD, early_stopping=True, **QUICK).fit(
        X, y, sample_weight=np.arange(len(X)) + 1.0
    )
    assert sum(map(len, tables)) == len(X)
    for table in tables:
        tensors = [table.codes, table.numeric, table.y, table.weight, *table.sequences]
        assert len(tensors) == 5
        assert {tensor.device.type for tensor in tensors} == {CARD}


@pytest.mark.gpu
def test_the_table_leaves_the_card_after_the_fit():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100_000, 50)).astype(np.float32)
    y = (X[:, :2] > 0).astype(int)
    settings = {"batch_size": 10_000, "max_epochs": 1, "random_state": 0}
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    model = MMOEClassifier(device=CARD, early_stopping=False, **settings).fit(X, y)
    assert torch.cuda.max_memory_allocated() - before > X.nbytes
    assert torch.cuda.memory_allocated() - before < X.nbytes / 4
    model.predict_proba(X)
    assert torch.cuda.memory_allocated() - before < X.nbytes / 4


def waits_of_an_epoch(X, y, batch_size, **options):
    """The waits of which torch warns in an epoch; every copy from the host is one."""
    settings = {**QUICK, "max_epochs": 1, "early_stopping": False}
    settings |= {"batch_size": batch_size, **options}
    model = MMOEClassifier(device=CARD, **settings)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        try:
            model.fit(X, y)
        finally:
            torch.cuda.set_sync_debug_mode("default")
    return sum("called a synchronizing" in str(each.message) for each in caught)


@pytest.mark.gpu
def test_a_step_copies_nothing_to_the_card():
    X, y = mixed_table(1200)
    # What happens once per process, such as loading a library, happens here.
    waits_of_an_epoch(X, y, 100)
    few, many = (waits_of_an_epoch(X, y, size) for size in (100, 20))
    # One wait is that for the loss, to see whether it is finite.
    assert many - few <= 60 - 12


class Waits(TorchDispatchMode):
    """Counts operations of which a card would make the processor wait.

    They read a number, or their result is as large as the numbers say.
    """

    NAMES = ("_local_scalar_dense", "nonzero", "masked_select", "_unique2", "_coalesce")

    def __init__(self):
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        name = operation.overloadpacket.__name__
        if name == "index":
            self.count += any(i is not None and i.dtype == torch.bool for i in args[1])
        self.count += name in self.NAMES
        return operation(*args, **(kwargs or {}))


@pytest.mark.parametrize(
    ("options", "at_most"),
    [
        ({}, 2),  # The loss; the number of real items in the batch's histories.
        (TARGET, 1),
        ({"sequence_pooling": "attention", "sparse_embedding": True}, 2),
        ({"numeric_embedding": ("bins", "ple"), **TARGET}, 1),
    ],
)
def test_a_step_would_seldom_wait_for_a_card(funnel, options, at_most):
    X, y = funnel
    counts = []
    for n_steps in (4, 12):
        settings = {**QUICK, "max_epochs": 1, "batch_size": len(X) // n_steps}
        with Waits() as waits:
            MMOEClassifier(**settings, **options).fit(X, y)
        counts.append(waits.count)
    assert counts[0] > 0
    assert counts[1] - counts[0] <= at_most * (12 - 4)


@pytest.mark.gpu
@pytest.mark.parametrize("cls", [MMOEClassifier, ESMMClassifier])
def test_the_same_state_gives_the_same_bits(cls, generators_untouched):
    X, y = funnel_table()
    settings = {**QUICK, "device": CARD, "early_stopping": True, "dropout": 0.3}
    first = cls(**settings).fit(X, y)
    torch.cuda.manual_seed_all(4)
    again = cls(**settings).fit(X, y)
    torch.cuda.manual_seed_all(3)
    assert_equal_proba(first.predict_proba(X), again.predict_proba(X))
    assert first.history_.drop(columns="seconds").equals(
        again.history_.drop(columns="seconds")
    )
    other = cls(**{**settings, "random_state": 1}).fit(X, y)
    assert largest_difference(first.predict_proba(X), other.predict_proba(X)) > 1e-3


@pytest.mark.gpu
@pytest.mark.parametrize("name", FEATURES)
def test_features_repeat_up_to_rounding(funnel, name, generators_untouched):
    # Some kernels of a card add in an order that changes from run to run.
    X, y = funnel
    settings = {**QUICK, "device": CARD, **FEATURES[name]}
    first, again = (ESMMClassifier(**settings).fit(X, y) for _ in range(2))
    assert_equal_proba(
        first.predict_proba(X), again.predict_proba(X), rtol=0, atol=1e-3
    )


@pytest.mark.gpu
def test_every_entry_point_leaves_the_generators_alone(generators_untouched):
    X, y = mixed_table()
    model = MMOEClassifier(device=CARD, warm_start=True, **QUICK)
    model.fit(X, y).fit(X, y).partial_fit(X, y)
    model.predict_proba(X)
    model.predict_gates(X)
    with pytest.raises(RuntimeError, match="on purpose"):
        model.set_params(callbacks=[Failure()], warm_start=False).fit(X, y)


@pytest.mark.gpu
def test_early_stopping_keeps_the_best_weights(funnel):
    X, y = funnel
    settings = {**QUICK, "lr": 0.02, "max_epochs": 30, "sparse_embedding": True}
    model = ESMMClassifier(device=CARD, **settings)
    model.fit(X[:400], y[:400], X_val=X[400:], y_val=y[400:])
    best = model.history_["valid_loss"].idxmin()
    assert model.best_epoch_ == best + 1 < model.n_iter_ < 30
    clicked = model.predict_proba(X[400:])[0][:, 1]
    expected = model.history_["valid_loss_click"][best]
    assert log_loss(y["click"][400:], clicked) == pytest.approx(expected, rel=1e-4)


@pytest.mark.gpu
@pytest.mark.parametrize("monitor", ["roc_auc", ("log_loss", "buy"), "churn"])
def test_every_monitor_reads_the_card(monitor):
    X, y = mixed_table(400)
    model = MMOEClassifier(
        device=CARD,
        early_stopping=True,
        monitor=monitor,
        lr_schedule="plateau",
        **QUICK,
    )
    assert model.fit(X, y).score(X, y) > 0.5


@pytest.mark.gpu
def test_a_fit_goes_on_on_the_card(funnel):
    X, y = funnel
    model = ESMMClassifier(device=CARD, **FEATURES["sparse"], **QUICK)
    for n in (1, 2, 3):
        assert model.partial_fit(X, y).n_iter_ == n
        assert devices_of(model.net_) == {CARD}
    assert model.history_["train_loss"].is_monotonic_decreasing


@pytest.mark.gpu
def test_a_pickle_comes_back_to_the_card(funnel):
    X, y = funnel
    model = ESMMClassifier(device=CARD, **FEATURES["sparse target"], **QUICK).fit(X, y)
    again = pickle.loads(pickle.dumps(model))
    assert devices_of(again.net_) == {CARD}
    assert_equal_proba(model.predict_proba(X), again.predict_proba(X))
    assert again.partial_fit(X, y).n_iter_ == model.n_iter_ + 1


@pytest.mark.gpu
def test_a_model_of_the_card_answers_where_there_is_none(funnel, tmp_path):
    X, y = funnel
    model = ESMMClassifier(device=CARD, **FEATURES["target attention"], **QUICK)
    joblib.dump((model.fit(X, y), X), tmp_path / "model.joblib")
    code = (
        "import joblib, torch\n"
        "assert not torch.cuda.is_available()\n"
        "model, X = joblib.load('model.joblib')\n"
        "answer = str(model.net_.device), model.predict_proba(X)\n"
        "joblib.dump(answer, 'answer.joblib')\n"
    )
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    assert "DeviceWarning" in result.stderr
    device, proba = joblib.load(tmp_path / "answer.joblib")
    assert device == "cpu"
    assert_equal_proba(model.predict_proba(X), proba, rtol=0, atol=1e-5)


@pytest.mark.gpu
def test_a_model_of_a_card_is_served_on_the_processor(funnel):
    X, y = funnel
    model = ESMMClassifier(device=CARD, balancing="uncertainty", **QUICK).fit(X, y)
    expected = model.predict_proba(X)
    model.set_params(device="cpu")
    assert_equal_proba(expected, model.predict_proba(X), rtol=0, atol=1e-5)
    assert str(model.net_.device) == "cpu"
    model.partial_fit(X, y)
    model.set_params(device=CARD).partial_fit(X, y)
    assert next(model.net_.module_.parameters()).is_cuda


def test_a_net_that_names_a_card_is_loaded_where_there_is_none(funnel, monkeypatch):
    """The way back from a card, as far as a machine without one can go it."""
    X, y = funnel
    model = ESMMClassifier(**FEATURES["sparse target"], **QUICK).fit(X, y)
    expected = model.predict_proba(X)
    model.set_params(device=CARD)
    model.net_.device = CARD
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.warns(DeviceWarning) as caught:
        again = pickle.loads(pickle.dumps(model))
    assert "no CUDA devices are available" in str(caught[0].message)
    assert str(again.net_.device) == "cpu"
    assert_equal_proba(expected, again.predict_proba(X))
    with pytest.raises(ValueError, match="device='cuda' needs a CUDA device"):
        again.fit(X, y)
    assert_equal_proba(expected, again.predict_proba(X))
    assert again.set_params(device="cpu").fit(X, y).net_.device == "cpu"


@pytest.mark.gpu
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("name", ["mean", "target attention", "numbers"])
def test_a_compiled_network_learns_the_same(funnel, name):
    X, y = funnel
    settings = {**EXACT, **FEATURES[name], "device": CARD}
    model = MMOEClassifier(compile=True, **settings)
    try:
        model.fit(X, y)
    except RuntimeWarning as warning:
        pytest.skip(f"no compiler here: {warning}")
    plain = MMOEClassifier(**settings).fit(X, y)
    assert_equal_proba(
        plain.predict_proba(X),
        model.predict_proba(X),
        rtol=0,
        atol=ROUNDING["float32"],
    )

"""Products in fewer digits: where they are used, and what stays in full precision."""

import copy
import functools
import pickle

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from sk_mtl import ESMMClassifier, MMOEClassifier
from sk_mtl.estimators._training import _precision
from sk_mtl.estimators._training._precision import autocasts, bfloat16_pays
from tests.estimators.common import (
    QUICK,
    assert_equal_proba,
    funnel_table,
    largest_difference,
    mixed_table,
)

CPU = torch.device("cpu")
PRODUCTS = {"addmm", "mm", "bmm", "baddbmm", "linear"}


@pytest.fixture
def pays(monkeypatch):
    """A machine on which bfloat16 pays."""
    monkeypatch.setattr(_precision, "bfloat16_pays", lambda *device: True)


@pytest.fixture
def pays_not(monkeypatch):
    """A machine on which it does not."""
    monkeypatch.setattr(_precision, "bfloat16_pays", lambda *device: False)


@pytest.fixture
def no_trial(monkeypatch):
    """A machine on which nobody may ask."""

    def refuse(*device):
        raise AssertionError("a trial was made")

    monkeypatch.setattr(_precision, "bfloat16_pays", refuse)


@pytest.fixture
def fresh_trial():
    """A process in which no trial was made before, and none that is remembered."""
    bfloat16_pays.cache_clear()
    yield
    bfloat16_pays.cache_clear()


@pytest.fixture(scope="module")
def table():
    return mixed_table(160)


def fit(table, precision="bfloat16", *, cls=MMOEClassifier, **options):
    settings = {**QUICK, "early_stopping": False, **options}
    return cls(precision=precision, **settings).fit(*table)


class Products(TorchDispatchMode):
    """Notes the types of all matrix products."""

    def __init__(self):
        super().__init__()
        self.dtypes = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        if func.overloadpacket.__name__ in PRODUCTS:
            self.dtypes.add(result.dtype)
        return result


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"batch_norm": True, "expert_hidden_sizes": (16, 8), "gate_hidden_sizes": (4,)},
        {"numeric_embedding": ("bins", "ple", "periodic"), "n_bins": 4},
        {"interaction": "cross"},
        {"interaction": "fm", "wide": True},
        {"sparse_embedding": True},
        {"n_members": 2},
        {"n_members": 2, "member_sharing": "none", "batch_norm": True},
        {"weight_averaging": 0.9, "warmup": 1.0, "lr_schedule": "cosine"},
        {"optimizer": "sgd", "lr": 0.3},
    ],
    ids=str,
)
def test_probabilities_are_close_to_those_of_single_precision(table, pays, options):
    low, single = fit(table, **options), fit(table, "float32", **options)
    first, second = low.predict_proba(table[0]), single.predict_proba(table[0])
    assert 0 < largest_difference(first, second) < 0.02
    for task in first:
        assert task.dtype == np.float32
        np.testing.assert_allclose(task.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_allclose(
        low.history_["train_loss"], single.history_["train_loss"], rtol=0.02
    )


@pytest.mark.parametrize("structure", ["independent", "funnel"])
def test_the_esmm_model(pays, structure):
    table = funnel_table(160)
    options = {"cls": ESMMClassifier, "structure": structure}
    low, single = fit(table, **options), fit(table, "float32", **options)
    first, second = low.predict_proba(table[0]), single.predict_proba(table[0])
    assert 0 < largest_difference(first, second) < 0.02


def test_weights_and_their_averages_stay_in_single_precision(table, pays):
    model = fit(table, batch_norm=True)
    state = model.net_.module_.state_dict().values()
    assert {v.dtype for v in state if v.is_floating_point()} == {torch.float32}
    moments = model.net_.optimizer_.state.values()
    assert {m["exp_avg"].dtype for m in moments} == {torch.float32}
    # Weights rounded to bfloat16 would be the same after the way there and back.
    weight = model.net_.module_.wiring.experts.first.weight
    assert not torch.equal(weight, weight.bfloat16().float())


def test_only_the_products_of_training_have_fewer_digits(table, pays):
    with Products() as training:
        model = fit(table)
    assert training.dtypes == {torch.bfloat16}
    with Products() as answering:
        model.predict_proba(table[0])
        model.predict_gates(table[0])
    assert answering.dtypes == {torch.float32}
    X, y = table
    # Steps too small to count: training losses of bfloat16, validation of float32.
    still = {**QUICK, "lr": 1e-30, "dropout": 0.0, "unknown_rate": 0.0}
    low, single = (
        MMOEClassifier(precision=precision, **still).fit(X, y, X_val=X, y_val=y)
        for precision in ("bfloat16", "float32")
    )
    assert (low.history_["train_loss"] != single.history_["train_loss"]).all()
    assert low.history_["valid_loss"].equals(single.history_["valid_loss"])


def test_the_same_state_gives_the_same_bits(table, pays):
    first, again = fit(table), fit(table)
    assert_equal_proba(first.predict_proba(table[0]), again.predict_proba(table[0]))


@pytest.mark.parametrize("options", [{}, {"n_members": 2}, {"sparse_embedding": True}])
def test_where_it_does_not_pay_it_is_single_precision(table, pays_not, options):
    with Products() as training:
        low = fit(table, **options)
    assert training.dtypes == {torch.float32}
    single = fit(table, "float32", **options)
    assert_equal_proba(low.predict_proba(table[0]), single.predict_proba(table[0]))
    shown = low.history_.drop(columns="seconds")
    assert shown.equals(single.history_.drop(columns="seconds"))


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_other_precisions_make_no_trial(table, no_trial, precision):
    with Products() as training:
        model = fit(table, precision)
    dtype = getattr(torch, precision)
    assert training.dtypes == {dtype}
    assert model.predict_proba(table[0])[0].dtype == precision
    assert not autocasts(precision, CPU)


def test_a_fit_that_goes_on_multiplies_as_before(table, pays):
    X, y = table
    model = fit(table, warm_start=True)
    copies = model, copy.deepcopy(model), pickle.loads(pickle.dumps(model))
    for each in copies:
        with Products() as training:
            each.partial_fit(X, y)
        assert training.dtypes == {torch.bfloat16}
    answers = [each.predict_proba(X) for each in copies]
    assert_equal_proba(answers[0], answers[1])
    assert_equal_proba(answers[0], answers[2])
    model.set_params(precision="float32")
    with pytest.raises(ValueError, match=r"keep the network.*precision='float32'"):
        model.fit(X, y)


def timed(seconds):
    """A clock on which products take the given seconds: in fewer digits, in single."""
    calls = []

    def read(run, device):
        assert isinstance(run, functools.partial)
        (low,) = run.args
        assert run().dtype == torch.float32
        calls.append(low)
        return seconds[0] if low else seconds[1]

    return read, calls


@pytest.mark.parametrize(
    ("seconds", "pays", "rounds"),
    [((1, 2), True, 5), ((2, 1), False, 5), ((1, 1), False, 5), ((3, 1), False, 2)],
)
def test_the_trial_decides_by_the_time_of_a_layer(
    monkeypatch, fresh_trial, seconds, pays, rounds
):
    read, calls = timed(seconds)
    monkeypatch.setattr(_precision, "_seconds", read)
    assert bfloat16_pays("cpu", None) is pays
    assert autocasts("bfloat16", CPU) is pays
    # In turns, so that a machine which slows down meanwhile slows down both.
    assert calls == [True, False] * rounds


def test_the_trial_is_made_once_in_a_process(table, monkeypatch, fresh_trial):
    read, calls = timed((1.0, 2.0))
    monkeypatch.setattr(_precision, "_seconds", read)
    fit(table, "float32")
    assert calls == []
    first, again = fit(table), fit(table)
    assert len(calls) == 10
    assert first.net_.autocast
    assert again.net_.autocast


def test_the_trial_changes_nothing_else(fresh_trial):
    torch.manual_seed(3)
    before = torch.get_rng_state()
    with torch.no_grad():
        assert bfloat16_pays("cpu") in (True, False)
        assert not torch.is_grad_enabled()
    assert not torch.is_autocast_enabled("cpu")
    assert torch.equal(torch.get_rng_state(), before)


def test_the_trial_multiplies_in_fewer_digits(monkeypatch, fresh_trial):
    seen = {}

    def read(run, device):
        with Products() as products:
            run()
        seen[run.args[0]] = products.dtypes
        return 1.0

    monkeypatch.setattr(_precision, "_seconds", read)
    bfloat16_pays("cpu")
    assert seen == {True: {torch.bfloat16}, False: {torch.float32}}

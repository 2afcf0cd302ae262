"""Products in fewer digits: where they are used, and what stays in full precision."""

import copy
import pickle
from functools import partial

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from sk_mtl import Bins, ESMMClassifier, MMOEClassifier, PiecewiseLinear
from sk_mtl.estimators._training import _precision
from sk_mtl.estimators._training._precision import (
    _processor_multiplies_bfloat16,
    autocasts,
    count_products,
    multiplies_bfloat16,
)
from sk_mtl.nn import FeatureEncoder, MMoE, MultiTaskNetwork, Towers
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
def able(monkeypatch):
    """A machine with instructions for bfloat16, on which every step is large enough."""
    monkeypatch.setattr(_precision, "multiplies_bfloat16", lambda device: True)
    monkeypatch.setattr(_precision, "LEAST_PRODUCTS", 0)


@pytest.fixture
def unable(monkeypatch):
    """A machine without such instructions."""
    monkeypatch.setattr(_precision, "multiplies_bfloat16", lambda device: False)
    monkeypatch.setattr(_precision, "LEAST_PRODUCTS", 0)


@pytest.fixture
def fresh_flags():
    """A process that has not looked at its processor, before and after."""
    _processor_multiplies_bfloat16.cache_clear()
    yield
    _processor_multiplies_bfloat16.cache_clear()


@pytest.fixture(scope="module")
def table():
    return mixed_table(160)


def fit(table, precision="bfloat16", *, cls=MMOEClassifier, **options):
    settings = {**QUICK, "early_stopping": False, **options}
    return cls(precision=precision, **settings).fit(*table)


class Products(TorchDispatchMode):
    """Notes the types of the matrix products of steps, or else of answers."""

    def __init__(self, *, answers=False):
        super().__init__()
        self.answers, self.dtypes = answers, set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        counts = torch.is_inference_mode_enabled() == self.answers
        if counts and func.overloadpacket.__name__ in PRODUCTS:
            self.dtypes.add(result.dtype)
        return result


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"batch_norm": True, "expert_hidden_sizes": (16, 8), "gate_hidden_sizes": (4,)},
        {"numeric_embedding": (Bins(4), PiecewiseLinear(4), "periodic")},
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
def test_probabilities_are_close_to_those_of_single_precision(table, able, options):
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
def test_the_esmm_model(able, structure):
    table = funnel_table(160)
    options = {"cls": ESMMClassifier, "structure": structure}
    low, single = fit(table, **options), fit(table, "float32", **options)
    first, second = low.predict_proba(table[0]), single.predict_proba(table[0])
    assert 0 < largest_difference(first, second) < 0.02


def test_weights_and_their_averages_stay_in_single_precision(table, able):
    model = fit(table, batch_norm=True)
    state = model.net_.module_.state_dict().values()
    assert {v.dtype for v in state if v.is_floating_point()} == {torch.float32}
    moments = model.net_.optimizer_.state.values()
    assert {m["exp_avg"].dtype for m in moments} == {torch.float32}
    # Weights rounded to bfloat16 would be the same after the way there and back.
    weight = model.net_.module_.wiring.experts.first.weight
    assert not torch.equal(weight, weight.bfloat16().float())


def test_only_the_products_of_training_have_fewer_digits(table, able):
    with Products() as training:
        model = fit(table)
    assert training.dtypes == {torch.bfloat16}
    with Products(answers=True) as answering:
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


def test_the_same_state_gives_the_same_bits(table, able):
    first, again = fit(table), fit(table)
    assert_equal_proba(first.predict_proba(table[0]), again.predict_proba(table[0]))


@pytest.mark.parametrize("options", [{}, {"n_members": 2}, {"sparse_embedding": True}])
def test_without_instructions_it_is_single_precision(table, unable, options):
    with Products() as training:
        low = fit(table, **options)
    assert training.dtypes == {torch.float32}
    single = fit(table, "float32", **options)
    assert_equal_proba(low.predict_proba(table[0]), single.predict_proba(table[0]))
    shown = low.history_.drop(columns="seconds")
    assert shown.equals(single.history_.drop(columns="seconds"))


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_other_precisions_are_what_they_say(table, able, precision):
    with Products() as training:
        model = fit(table, precision)
    dtype = getattr(torch, precision)
    assert training.dtypes == {dtype}
    assert model.predict_proba(table[0])[0].dtype == precision


def test_a_fit_that_goes_on_multiplies_as_before(table, able):
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


@pytest.mark.parametrize(
    ("by_torch", "words", "expected"),
    [
        ({}, "flags : fpu avx2 fma", False),
        ({}, "flags : avx512f avx512_bf16", True),
        ({}, "Features : fp asimd bf16 i8mm", True),
        ({}, None, False),
        ({"_is_avx512_bf16_supported": True}, None, True),
        ({"_is_amx_tile_supported": True}, "flags : fpu", True),
        ({"_is_avx512_supported": True}, "flags : avx512f", False),
    ],
)
def test_the_flags_of_the_processor_decide(
    monkeypatch, tmp_path, fresh_flags, by_torch, words, expected
):
    for name in (
        "_is_avx512_bf16_supported",
        "_is_amx_tile_supported",
        "_is_avx512_supported",
    ):
        answer = partial(by_torch.get, name, False)
        monkeypatch.setattr(torch.cpu, name, answer, raising=False)
    file = tmp_path / "cpuinfo"
    if words is not None:
        file.write_text(words)
    monkeypatch.setattr(_precision, "_PROCESSORS", file)
    assert multiplies_bfloat16(CPU) is expected


def test_a_torch_that_does_not_name_the_flags(monkeypatch, tmp_path, fresh_flags):
    for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"):
        monkeypatch.delattr(torch.cpu, name, raising=False)
    monkeypatch.setattr(_precision, "_PROCESSORS", tmp_path / "none")
    assert not multiplies_bfloat16(CPU)


@pytest.mark.parametrize(("capability", "expected"), [((7, 5), False), ((8, 0), True)])
def test_the_capability_of_a_card_decides(monkeypatch, capability, expected):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    assert multiplies_bfloat16(torch.device("cuda")) is expected


def test_a_step_must_be_large_enough(monkeypatch):
    monkeypatch.setattr(_precision, "multiplies_bfloat16", lambda device: True)
    assert autocasts("bfloat16", CPU, 2**25)
    assert not autocasts("bfloat16", CPU, 2**25 - 1)
    assert not autocasts("float32", CPU, 2**25)


def test_products_are_rows_times_weights_without_what_is_looked_up():
    encoder = FeatureEncoder([1000], 2, embedding_dims=[6], n_heads=2, wide=True)
    wiring = MMoE(8, 2, n_experts=3, expert_hidden_sizes=(5,))
    network = MultiTaskNetwork(encoder, wiring, Towers(5, [(4,), (4,)], [1, 1]))
    experts, gates, towers, heads = 8 * 3 * 5, 8 * 2 * 3, 2 * 5 * 4, 2 * 4
    # Biases that lie in a stack of layers are counted, too.
    biases = 2 * 4 + 2
    expected = experts + gates + towers + heads + biases
    assert count_products(network, 10) == 10 * expected


def test_large_steps_are_found_by_a_fit(table, monkeypatch):
    seen = []

    def note(precision, device, n_products):
        seen.append(n_products)
        return False

    monkeypatch.setattr("sk_mtl.estimators._network_builder.autocasts", note)
    model = fit(table, batch_size=40)
    assert seen == [count_products(model.net_.module_, 40)]


def test_one_machine_gives_one_result(table, able):
    first, again = fit(table), fit(table)
    assert first.net_.autocast
    assert again.net_.autocast
    assert_equal_proba(first.predict_proba(table[0]), again.predict_proba(table[0]))

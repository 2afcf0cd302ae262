"""The gates and experts of a fitted MMoE."""

import shutil

import numpy as np
import pytest
import torch

from sk_mtl import (
    DSelectK,
    MMoE,
    MMOEClassifier,
    MMOERegressor,
    MultiTaskEstimator,
    OMOEClassifier,
    TopK,
)
from tests.estimators.common import (
    PLAIN,
    QUICK,
    assert_equal_proba,
    funnel_table,
    mixed_table,
)


def test_gates_are_weights_per_row_task_and_expert():
    X, y = mixed_table()
    gates = MMOEClassifier(n_experts=3, **QUICK).fit(X, y).predict_gates(X)
    assert type(gates) is np.ndarray
    assert gates.shape == (240, 2, 3)
    assert (gates > 0).all()
    np.testing.assert_allclose(gates.sum(axis=2), 1, rtol=0, atol=1e-6)


def test_the_gate_of_a_single_expert_is_one():
    X, y = mixed_table()
    gates = MMOEClassifier(n_experts=1, **QUICK).fit(X, y).predict_gates(X)
    np.testing.assert_array_equal(gates, np.ones((240, 2, 1)))


@pytest.mark.parametrize("hidden", [(), (8,), (8, 4)])
def test_gates_are_trained(hidden):
    X, y = mixed_table()
    options = {**QUICK, "gate_hidden_sizes": hidden, "weight_decay": 0.0}
    before = MMOEClassifier(lr=1e-12, **options).fit(X, y).predict_gates(X)
    after = MMOEClassifier(lr=0.01, **options).fit(X, y).predict_gates(X)
    assert np.abs(after - before).max() > 0.01
    # Each task by itself, so that no gate is left out.
    assert (np.abs(after - before).max(axis=(0, 2)) > 0.005).all()


def test_every_parameter_of_the_network_is_trained():
    X, y = mixed_table()
    options = {**QUICK, "gate_hidden_sizes": (4,), "expert_hidden_sizes": (8, 8)}
    options |= {"weight_decay": 0.0, "dropout": 0.0, "unknown_rate": 0.2}
    start = MMOEClassifier(lr=1e-12, **options).fit(X, y).net_.module_
    trained = MMOEClassifier(lr=0.01, **options).fit(X, y).net_.module_
    for (name, a), b in zip(
        start.named_parameters(), trained.parameters(), strict=True
    ):
        assert (a - b).abs().max() > 1e-4, name


def test_tasks_have_gates_of_their_own():
    X, y = mixed_table()
    gates = MMOEClassifier(**{**QUICK, "lr": 0.01}).fit(X, y).predict_gates(X)
    assert np.abs(gates[:, 0] - gates[:, 1]).max() > 0.01


def test_gates_depend_on_the_row():
    X, y = mixed_table()
    gates = MMOEClassifier(**{**QUICK, "lr": 0.01}).fit(X, y).predict_gates(X)
    assert gates.std(axis=0).max() > 0.01


def test_experts_start_and_stay_different():
    X, y = mixed_table()
    model = MMOEClassifier(expert_hidden_sizes=(6,), **QUICK).fit(X, y)
    width = model.n_experts * 6
    units = model.net_.module_.wiring.experts.first.weight
    assert len(torch.unique(units, dim=0)) == width


def test_sizes_are_those_that_were_asked_for():
    X, y = mixed_table()
    model = MMOEClassifier(
        n_experts=3,
        expert_hidden_sizes=[16, 8],
        gate_hidden_sizes=np.array([5]),
        tower_hidden_sizes=(),
        embedding_dim=4,
        **PLAIN,
        **QUICK,
    ).fit(X, y)
    module = model.net_.module_
    in_width = 2 + 4 + 4
    experts = in_width * 3 * 16 + 3 * 16 + 3 * (16 * 8 + 8)
    gates = in_width * 2 * 5 + 2 * 5 + 2 * (5 * 3 + 3)
    towers = 2 * (8 + 1)
    embeddings = sum(model.schema_.cardinalities) * 4
    counted = sum(p.numel() for p in module.parameters())
    assert counted == experts + gates + towers + embeddings


def test_an_expert_needs_a_layer():
    X, y = mixed_table()
    with pytest.raises(ValueError) as caught:
        MMOEClassifier(expert_hidden_sizes=(), **QUICK).fit(X, y)
    assert str(caught.value) == (
        "expert_hidden_sizes must hold at least one layer width; found (). Give for "
        "example (64,)."
    )


def test_gates_are_those_of_the_prediction():
    X, y = mixed_table()
    model = MMOEClassifier(tower_hidden_sizes=(), **QUICK).fit(X, y)
    module = model.net_.module_
    arrays = model.schema_.transform(model.preprocessor_, X)
    codes, numeric = map(torch.from_numpy, (arrays.codes, arrays.numeric))
    with torch.no_grad():
        encoded = module.encoder(codes, numeric)
        first = module.wiring.experts.first(encoded.shared)
        experts = torch.relu(first).unflatten(1, (4, 64))
        gates = torch.from_numpy(model.predict_gates(X))
        mixed = torch.einsum("nte,neh->nth", gates, experts)
        logits = module.towers(mixed)
    expected = torch.sigmoid(logits).numpy()
    for k, proba in enumerate(model.predict_proba(X)):
        np.testing.assert_allclose(proba[:, 1], expected[:, k], rtol=0, atol=1e-6)


def test_the_experts_serve_a_funnel_too():
    X, y = funnel_table()
    model = MMOEClassifier(structure="funnel", **QUICK).fit(X, y)
    click, conversion = model.predict_proba(X)
    ctr, cvr = model.predict_conditional_proba(X)
    np.testing.assert_allclose(conversion[:, 1], ctr[:, 1] * cvr[:, 1], atol=1e-6)
    np.testing.assert_allclose(click[:, 1], ctr[:, 1], atol=1e-6)
    assert model.predict_gates(X).shape == (400, 2, 4)


def test_two_models_share_nothing():
    X, y = mixed_table()
    first = MMOEClassifier(**QUICK).fit(X, y)
    before = [p.clone() for p in first.net_.module_.parameters()]
    answer = first.predict_proba(X)
    second = MMOEClassifier(preprocessor=first.preprocessor_, **QUICK).fit(X, y)
    second.partial_fit(X, y)
    own = {p.data_ptr() for p in first.net_.module_.parameters()}
    assert own.isdisjoint(p.data_ptr() for p in second.net_.module_.parameters())
    assert second.preprocessor_ is not first.preprocessor_
    for a, b in zip(before, first.net_.module_.parameters(), strict=True):
        assert torch.equal(a, b)
    assert_equal_proba(answer, first.predict_proba(X))


@pytest.mark.parametrize("cls", [MMOEClassifier, OMOEClassifier, MultiTaskEstimator])
@pytest.mark.parametrize("gate", ["top_k", "dselect_k"])
def test_gates_that_select_experts(cls, gate):
    X, y = mixed_table()
    options = {"gate": gate, "expert_dropout": 0.2, "load_balance": 0.01}
    if cls is MultiTaskEstimator:
        options = {"wiring": MMoE(**options)}
    model = cls(**options, **{**QUICK, "lr": 0.02}).fit(X, y)
    wiring = model.net_.module_.wiring
    assert type(wiring.gates.head).__name__.lower() == f"{gate.replace('_', '')}head"
    assert wiring.expert_dropout.rate == 0.2
    assert wiring.load_balance.weight.item() == pytest.approx(0.01)
    for proba in model.predict_proba(X):
        np.testing.assert_allclose(proba.sum(axis=1), 1, atol=1e-6)
    if cls is not MultiTaskEstimator:
        gates = model.predict_gates(X)
        assert gates.shape == (240, 2, 4)
        np.testing.assert_allclose(gates.sum(axis=2), 1, rtol=0, atol=1e-6)
        if gate == "top_k":
            assert ((gates > 0).sum(axis=2) == 2).all()
        else:
            assert gates.std(axis=0).max() > 0.005


@pytest.mark.parametrize("sharing", ["most", "none"])
def test_selected_experts_of_members(sharing):
    X, y = mixed_table()
    options = {**QUICK, "n_members": 2, "member_sharing": sharing}
    model = MMOEClassifier(gate="top_k", n_experts=3, expert_dropout=0.2, **options)
    gates = model.fit(X, y).predict_gates(X)
    assert gates.shape == (240, 2, 2, 3)
    assert ((gates > 0).sum(axis=3) == 2).all()


@pytest.mark.nightly
@pytest.mark.skipif(shutil.which("c++") is None, reason="no compiler here")
# torch's own, on the way to the compiled network.
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:The .grad attribute")
@pytest.mark.parametrize("gate", ["top_k", "dselect_k"])
def test_compiled_members_select_the_same_experts(gate):
    X, y = mixed_table()
    options = {**QUICK, "n_members": 2, "dropout": 0.0, "unknown_rate": 0.0}
    options |= {"gate": gate, "n_experts": 3, "load_balance": 0.1}
    torch._dynamo.reset()
    compiled = MMOEClassifier(compile=True, **options).fit(X, y).predict_proba(X)
    plain = MMOEClassifier(**options).fit(X, y).predict_proba(X)
    assert_equal_proba(compiled, plain, rtol=0, atol=1e-4)


def test_settled_selectors_leave_weights_that_are_exactly_zero():
    X, y = mixed_table()
    options = {**QUICK, "lr": 0.05, "max_epochs": 20}
    model = MMOEClassifier(gate=DSelectK(penalty=1.0), **options).fit(X, y)
    gates = model.predict_gates(X)
    assert (gates == 0).mean() > 0.4


def test_all_experts_selected_is_the_softmax():
    X, y = mixed_table()
    options = {**QUICK, "n_experts": 3}
    model = MMOEClassifier(gate=TopK(3), **options).fit(X, y)
    plain = MMOEClassifier(**options).fit(X, y)
    assert_equal_proba(model.predict_proba(X), plain.predict_proba(X), atol=1e-5)


def test_a_load_balance_makes_use_even():
    X, y = mixed_table()
    options = {**QUICK, "lr": 0.02}

    def unevenness(model):
        return model.fit(X, y).predict_gates(X).mean(axis=0).std()

    balanced = unevenness(MMOEClassifier(load_balance=10.0, **options))
    assert balanced < unevenness(MMOEClassifier(**options)) / 2


def test_regressors_select_experts_too():
    X, _ = mixed_table()
    y = X[["visits", "age"]].fillna(0.0)
    model = MMOERegressor(gate="top_k", **QUICK).fit(X[["town", "plan"]], y)
    assert (model.predict_gates(X[["town", "plan"]]) == 0).any()


@pytest.mark.parametrize("wrong", [{"expert_dropout": 1.0}, {"load_balance": -1}])
def test_wrong_settings_are_refused(wrong):
    X, y = mixed_table()
    with pytest.raises(ValueError, match=f"The '{next(iter(wrong))}' parameter of"):
        MMOEClassifier(**wrong, **QUICK).fit(X, y)

"""Several members in one network: the contract of an estimator with each of them."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import log_loss
from sklearn.utils.estimator_checks import parametrize_with_checks

from sk_mtl import Bins, ESMMClassifier, MMOEClassifier, PiecewiseLinear
from sk_mtl.datasets import make_conversion_funnel
from sk_mtl.estimators._training._sparse_optimizer import DenseAndSparse
from sk_mtl.nn import MEMBER_SHARING, MultiTaskNetwork
from tests.estimators.common import (
    EXPECTED_FAILURES,
    FULL_BATCH,
    QUICK,
    assert_equal_proba,
    funnel_table,
    largest_difference,
    mixed_table,
)
from tests.estimators.members import (
    classes,
    fit,
    mean_proba,
    member,
    proba_of_members,
    sharings,
    stacked_names,
    weights_of,
)
from tests.estimators.test_contract import SHORT, run_check

structures = pytest.mark.parametrize("structure", ["independent", "funnel"])


@classes
@structures
@sharings
def test_probabilities_are_the_mean_of_those_of_the_members(cls, structure, sharing):
    X, y = funnel_table(200)
    options = {"structure": structure, "member_sharing": sharing}
    model = fit(X, y, cls=cls, **options)
    proba = model.predict_proba(X)
    assert_equal_proba(proba, mean_proba(model, X), rtol=0, atol=1e-6)
    for task in proba:
        assert task.shape == (200, 2)
        np.testing.assert_allclose(task.sum(axis=1), 1, rtol=1e-6)
    assert_equal_proba(
        model.predict_log_proba(X), [np.log(p) for p in proba], rtol=1e-5, atol=1e-6
    )
    expected = np.stack([task.argmax(axis=1) for task in proba], axis=1)
    np.testing.assert_array_equal(model.predict(X), expected)
    one, other, _ = proba_of_members(model, X)
    assert largest_difference(one, other) > 1e-3


@sharings
@pytest.mark.parametrize(
    "options",
    [
        {"batch_norm": True},
        {"batch_norm": True, "expert_hidden_sizes": (16, 8), "gate_hidden_sizes": (4,)},
        {"expert_hidden_sizes": (16, 8, 8)},
        {"numeric_embedding": (Bins(4), PiecewiseLinear(4), "periodic")},
        {"interaction": "cross"},
        {"interaction": "fm", "wide": True},
        {"precision": "float64"},
        {"tower_hidden_sizes": [(8, 4), ()]},
        {"weight_averaging": 0.9, "warmup": 1.0},
        {"n_experts": 1, "activation": "gelu", "embedding_dropout": 0.2},
    ],
    ids=str,
)
def test_every_network_can_have_members(sharing, options):
    X, y = mixed_table(100)
    model = fit(X, y, member_sharing=sharing, **options)
    atol = 1e-12 if "precision" in options else 1e-6
    assert_equal_proba(model.predict_proba(X), mean_proba(model, X), rtol=0, atol=atol)
    start = {**options, "lr": 1e-30, "max_epochs": 1}
    start = fit(X, y, member_sharing=sharing, **start)
    before, after = weights_of(start), weights_of(model)
    trained = [name for name, _ in model.net_.module_.named_parameters()]
    assert all(not torch.equal(before[name], after[name]) for name in trained)


@classes
@sharings
def test_steps_of_a_funnel_given_the_step_before(cls, sharing):
    X, y = funnel_table(200)
    model = fit(X, y, cls=cls, structure="funnel", member_sharing=sharing)
    click, conversion = (task[:, 1] for task in mean_proba(model, X))
    rates = model.predict_conditional_proba(X)
    np.testing.assert_allclose(rates[0][:, 1], click, rtol=1e-5)
    np.testing.assert_allclose(rates[1][:, 1], conversion / click, rtol=1e-5)
    for rate in rates:
        np.testing.assert_allclose(rate.sum(axis=1), 1, rtol=1e-6)


@sharings
def test_tasks_of_several_classes_with_missing_labels(sharing):
    X, y = mixed_table(200)
    grade = np.array(["a", "b", "c"])[np.arange(200) % 3].astype(object)
    y = y.assign(grade=np.where(np.arange(200) % 5, grade, None))
    y.loc[::7, "churn"] = np.nan
    model = fit(X, y, member_sharing=sharing)
    assert model.classes_[2].tolist() == ["a", "b", "c"]
    proba = model.predict_proba(X)
    assert [task.shape for task in proba] == [(200, 2), (200, 2), (200, 3)]
    assert_equal_proba(proba, mean_proba(model, X), rtol=0, atol=1e-6)
    np.testing.assert_allclose(proba[2].sum(axis=1), 1, rtol=1e-6)
    assert set(model.predict(X)[:, 2]) <= {"a", "b", "c"}
    # A label that is missing and one of weight zero are the same.
    weight = y.notna().to_numpy().astype(float)
    labelled = y.fillna({"churn": 1, "grade": "b"})
    by_weight = fit(X, labelled, member_sharing=sharing, sample_weight=weight)
    assert_equal_proba(proba, by_weight.predict_proba(X))


def test_a_single_task_answers_with_one_array():
    X, y = mixed_table(160)
    model = fit(X, y["churn"])
    assert model.predict_proba(X).shape == (160, 2)
    assert model.predict(X).shape == (160,)
    assert model.predict_gates(X).shape == (160, 3, 1, 4)


@sharings
def test_all_ones_equal_no_weights_bit_for_bit(sharing):
    X, y = mixed_table(160)
    plain = fit(X, y, member_sharing=sharing)
    ones = fit(X, y, member_sharing=sharing, sample_weight=np.ones(160))
    assert_equal_proba(plain.predict_proba(X), ones.predict_proba(X))


@sharings
@pytest.mark.parametrize("zeros", [True, False])
def test_integer_weights_equal_repeated_rows(sharing, zeros):
    X, y = mixed_table(120)
    X = X[["age", "visits"]].to_numpy()
    weights = np.random.default_rng(0).integers(0, 4, 120)
    weights = (weights > 0).astype(int) if zeros else weights
    options = {**FULL_BATCH, "member_sharing": sharing, "n_members": 2}
    by_weight = fit(X, y, sample_weight=weights, **options)
    rows = np.repeat(np.arange(120), weights)
    by_rows = fit(X[rows], y.iloc[rows], **options)
    assert_equal_proba(
        by_weight.predict_proba(X), by_rows.predict_proba(X), rtol=0, atol=1e-6
    )


def test_class_weights_equal_weights_of_rows():
    X, y = mixed_table(160)
    by_class = fit(X, y, class_weight={0: 1.0, 1: 3.0})
    by_row = fit(X, y, sample_weight=np.where(y.to_numpy() == 1, 3.0, 1.0))
    assert_equal_proba(by_class.predict_proba(X), by_row.predict_proba(X))
    assert largest_difference(by_class.predict_proba(X), fit(X, y).predict_proba(X)) > (
        1e-2
    )


@sharings
def test_gates_of_every_member(sharing):
    X, y = mixed_table(160)
    model = fit(X, y, member_sharing=sharing, n_experts=5)
    gates = model.predict_gates(X)
    assert gates.shape == (160, 3, 2, 5)
    np.testing.assert_allclose(gates.sum(axis=3), 1, rtol=1e-5)
    assert np.abs(gates[:, 0] - gates[:, 1]).max() > 1e-2
    network, scales = member(model.net_.module_, 1)
    arrays = model.predictor_.encode(X)
    inputs = torch.from_numpy(arrays.codes), torch.from_numpy(arrays.numeric)
    with torch.no_grad():
        encoded = network.encoder(*inputs)
        if scales is not None:
            encoded = encoded._replace(shared=encoded.shared * scales)
        own = network.wiring.gate_weights(encoded)[0].numpy()
    np.testing.assert_allclose(gates[:, 1], own, atol=1e-6)


@sharings
def test_early_stopping_watches_the_mean_probability(sharing):
    X, y = mixed_table()
    valid = {"X_val": X[160:], "y_val": y[160:]}
    options = {"early_stopping": True, "lr": 0.02, "max_epochs": 60}
    model = fit(X[:160], y[:160], member_sharing=sharing, **options, **valid)
    assert model.best_epoch_ < model.n_iter_ < 60
    proba = model.predict_proba(X[160:])
    labels = y[160:].to_numpy().T
    loss = np.mean([log_loss(t, p[:, 1]) for t, p in zip(labels, proba, strict=True)])
    assert loss == pytest.approx(model.history_["valid_loss"].min(), abs=1e-5)
    assert loss == pytest.approx(
        model.history_["valid_loss"][model.best_epoch_ - 1], abs=1e-5
    )


@sharings
def test_a_training_loss_is_the_mean_of_those_of_the_members(sharing):
    X, y = mixed_table(160)
    still = {"lr": 1e-30, "dropout": 0.0, "unknown_rate": 0.0}
    model = fit(X, y, member_sharing=sharing, **still)
    members = proba_of_members(model, X)
    for task, name in enumerate(y):
        losses = [log_loss(y[name], proba[task][:, 1]) for proba in members]
        recorded = model.history_[f"train_loss_{name}"].iloc[-1]
        assert recorded == pytest.approx(np.mean(losses), abs=1e-5)
        of_mean = log_loss(y[name], model.predict_proba(X)[task][:, 1])
        assert of_mean < np.mean(losses) - 1e-5


def test_members_of_a_deep_ensemble_learn_as_each_would_alone():
    X, y = mixed_table(160)
    options = {"member_sharing": "none", "optimizer": "sgd", "lr": 0.5}
    options |= {"dropout": 0.0, "unknown_rate": 0.0, "batch_size": 160}
    start = fit(X, y, **{**options, "lr": 1e-30, "max_epochs": 1})
    trained = fit(X, y, **{**options, "weight_decay": 0.0})
    alone = fit(X, y, **{**options, "weight_decay": 0.0, "n_members": 1, "lr": 1e-30})
    alone.set_params(lr=0.5, warm_start=True)
    for number in range(3):
        single = copy.deepcopy(alone)
        network, _ = member(start.net_.module_, number)
        single.net_.module_.load_state_dict(network.state_dict())
        single.fit(X, y)
        expected, _ = member(trained.net_.module_, number)
        for name, value in expected.state_dict().items():
            learned = single.net_.module_.state_dict()[name]
            torch.testing.assert_close(learned, value, atol=1e-5, rtol=1e-4)


@sharings
def test_members_start_and_stay_apart(sharing):
    X, y = mixed_table(160)
    for lr in (1e-30, 0.01):
        model = fit(X, y, member_sharing=sharing, lr=lr, weight_decay=0.0)
        module = model.net_.module_
        state = module.network.state_dict()
        for name in stacked_names(module):
            one, two, three = state[name]
            assert not torch.equal(one, two)
            assert not torch.equal(two, three)


def test_how_much_members_share():
    X, y = mixed_table(160)
    models = {s: fit(X, y, member_sharing=s).net_.module_ for s in MEMBER_SHARING}
    parts = {
        sharing: {name.split(".")[0] for name in stacked_names(module)}
        for sharing, module in models.items()
    }
    assert parts["none"] == {"encoder", "wiring", "towers"}
    assert parts["embedding"] == parts["most"] == {"wiring", "towers"}
    own = {s: set(stacked_names(module)) for s, module in models.items()}
    experts = {"wiring.experts.first.weight", "wiring.experts.first.bias"}
    assert own["embedding"] - own["most"] == experts
    assert models["most"].scales.shape == (3, models["most"].network.encoder.width)
    assert models["none"].scales is models["embedding"].scales is None
    sizes = [sum(p.numel() for p in models[s].parameters()) for s in MEMBER_SHARING]
    assert sizes == sorted(sizes)
    assert MEMBER_SHARING == ("most", "embedding", "none")


@sharings
def test_one_member_is_a_single_network_whatever_is_shared(sharing):
    X, y = mixed_table(160)
    plain = MMOEClassifier(**QUICK).fit(X, y)
    one = MMOEClassifier(n_members=1, member_sharing=sharing, **QUICK).fit(X, y)
    assert isinstance(one.net_.module_, MultiTaskNetwork)
    assert_equal_proba(plain.predict_proba(X), one.predict_proba(X))


POOLINGS = {
    "mean": {},
    "max": {"sequence_pooling": "max"},
    "attention": {"sequence_pooling": "attention"},
    "target attention": {
        "sequence_pooling": "target_attention",
        "sequence_target": {"history": "item_id"},
        "shared_embedding": [["item_id", "history"]],
    },
}


@pytest.fixture(scope="module")
def log():
    """Users, items and their histories, of which the first is empty."""
    X, y, _ = make_conversion_funnel(200, n_users=50, random_state=0)
    first = X["history"].iloc[0]
    X = X.assign(history=[first[:0], *X["history"].iloc[1:]])
    return X, y


@sharings
@pytest.mark.parametrize("pooling", POOLINGS)
def test_sequences(log, sharing, pooling):
    X, y = log
    model = fit(X, y, cls=ESMMClassifier, member_sharing=sharing, **POOLINGS[pooling])
    assert_equal_proba(model.predict_proba(X), mean_proba(model, X), rtol=0, atol=1e-6)
    one = model.predict_proba(X[:1])
    assert_equal_proba(one, [task[:1] for task in model.predict_proba(X)], atol=1e-6)


@pytest.mark.parametrize("sharing", ["most", "embedding"])
@pytest.mark.parametrize("pooling", ["mean", "max", "target attention"])
def test_sparse_tables_are_shared(log, sharing, pooling):
    X, y = log
    options = {"member_sharing": sharing, "sparse_embedding": True}
    model = fit(X, y, **options, **POOLINGS[pooling])
    start = fit(X, y, lr=1e-30, **options, **POOLINGS[pooling])
    module = model.net_.module_
    assert isinstance(model.net_.optimizer_, DenseAndSparse)
    names = module.sparse_parameter_names()
    assert names
    for name in names:
        moved = module.get_parameter(name) - start.net_.module_.get_parameter(name)
        assert moved.abs().max() > 1e-4
    assert_equal_proba(model.predict_proba(X), mean_proba(model, X), rtol=0, atol=1e-6)
    again = pickle.loads(pickle.dumps(model))
    for each in (model, again):
        each.partial_fit(X, y)
    assert_equal_proba(model.predict_proba(X), again.predict_proba(X))


@pytest.mark.parametrize("sparse", ["auto", False])
def test_tables_of_their_own_are_dense(log, sparse):
    model = fit(*log, member_sharing="none", sparse_embedding=sparse)
    assert model.net_.module_.sparse_parameter_names() == []


@sharings
def test_other_kinds_of_tables(sharing):
    X, y = mixed_table(160)
    constant = X.assign(constant=1, text="same", lacking=np.nan)
    model = fit(constant, y, member_sharing=sharing)
    assert np.isfinite(model.predict_proba(constant)[0]).all()
    only_text = fit(X[["town", "plan"]], y, member_sharing=sharing)
    assert_equal_proba(
        only_text.predict_proba(X[["town", "plan"]]),
        mean_proba(only_text, X[["town", "plan"]]),
        rtol=0,
        atol=1e-6,
    )
    only_numbers = fit(X[["age"]].to_numpy(), y, member_sharing=sharing)
    strange = only_text.predict_proba(pd.DataFrame({"town": ["Ur"], "plan": ["paid"]}))
    assert strange[0].shape == (1, 2)
    assert only_numbers.predict_proba(X[["age"]].to_numpy())[0].shape == (160, 2)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sk_mtl.exceptions.FunnelWarning")
@parametrize_with_checks(
    [MMOEClassifier(**SHORT, n_members=2, random_state=0)],
    expected_failed_checks=lambda estimator: EXPECTED_FAILURES,
)
def test_scikit_learn_check(estimator, check):
    run_check(estimator, check)

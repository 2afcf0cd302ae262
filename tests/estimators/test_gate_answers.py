"""How each task uses each expert, and the experts' names."""

import numpy as np
import pytest
import torch

import sk_mtl
from sk_mtl import (
    PLE,
    CGCClassifier,
    CrossStitchClassifier,
    DSelectK,
    HoMEClassifier,
    MultiTaskEstimator,
    OMOEClassifier,
    SNRClassifier,
    TopK,
)
from sk_mtl.nn import MixtureWiring
from tests.estimators.common import CLASSIFIERS, QUICK, mixed_table

BRIEF = {**QUICK, "max_epochs": 1}


@pytest.fixture(scope="module")
def table():
    X, y = mixed_table()
    return X[["town", "age"]], y


def levels_of(answer):
    """Return a list, also of models with a single level."""
    return answer if isinstance(answer, list) else [answer]


def test_exactly_the_models_with_experts_have_gates():
    having = {cls.__name__ for cls in CLASSIFIERS if hasattr(cls(), "predict_gates")}
    models = {cls for cls in CLASSIFIERS if issubclass(cls.wiring_class, MixtureWiring)}
    assert having == {cls.__name__ for cls in models}
    assert len(having) == 9
    for cls in set(CLASSIFIERS) - models:
        assert not hasattr(cls(), "expert_names_")


@pytest.mark.parametrize("n_members", [1, 2])
@pytest.mark.parametrize("wiring", ["omoe", "cgc", "ple", "adatt", "stem", "home"])
def test_weights_of_all_experts_of_every_level(wiring, n_members, table):
    X, y = table
    model = MultiTaskEstimator(wiring=wiring, n_members=n_members, **BRIEF).fit(X, y)
    gates, names = model.predict_gates(X), model.expert_names_
    members = (n_members,) if n_members > 1 else ()
    assert isinstance(gates, list) == (wiring in ("ple", "adatt", "home"))
    if not isinstance(gates, list):
        gates, names = [gates], [names]
    for weights, listed in zip(gates, names, strict=True):
        assert weights.shape == (240, *members, 2, len(listed))
        assert len(set(listed)) == len(listed)


def test_gates_mix_the_results_of_the_experts(table):
    """The rows of the towers, worked out from the weights and the experts' results."""
    X, y = table
    model = CGCClassifier(n_shared_experts=1, **BRIEF).fit(X, y)
    wiring, seen = model.net_.module_.wiring, []
    for module in (wiring.experts[0], wiring):
        module.register_forward_hook(lambda _, inputs, result: seen.append(result))
    gates = torch.from_numpy(model.predict_gates(X))
    model.predict_proba(X)
    results, rows = seen[-2:]
    names = model.expert_names_
    assert names == ["churn_0", "churn_1", "buy_0", "buy_1", "shared_0"]
    for task, name in enumerate(["churn", "buy"]):
        own = results.tasks[:240, task]
        mixed = gates[:, task, names.index("shared_0"), None] * results.shared[:240, 0]
        for k in range(2):
            mixed = mixed + gates[:, task, names.index(f"{name}_{k}"), None] * own[:, k]
        torch.testing.assert_close(mixed, rows[:240, task], rtol=0, atol=1e-5)
    assert (gates[:, 0, 2:4] == 0).all()
    assert (gates[:, 1, :2] == 0).all()


def test_matrices_are_the_same_for_all_rows(table):
    X, y = table
    model = CrossStitchClassifier(hidden_sizes=(8, 4), **BRIEF).fit(X, y)
    gates = model.predict_gates(X)
    assert model.expert_names_ == [["churn", "buy"]] * 2
    for weights, unit in zip(gates, model.net_.module_.wiring.units, strict=True):
        np.testing.assert_array_equal(weights, np.tile(unit.detach(), (240, 1, 1)))
    model = SNRClassifier(n_subnetworks=3, **BRIEF).fit(X, y)
    last = model.net_.module_.wiring.open_gates()[-1].numpy()
    np.testing.assert_array_equal(model.predict_gates(X), np.tile(last, (240, 1, 1)))
    assert model.expert_names_ == ["subnetwork_0", "subnetwork_1", "subnetwork_2"]


def test_names_of_groups_and_tasks(table):
    X, y = table
    model = HoMEClassifier(groups=[["buy"], ["churn"]], **BRIEF).fit(X, y)
    shared = ["group_0_0", "group_1_0", "shared_0", "shared_1"]
    assert model.expert_names_ == [shared, ["churn_0", "buy_0", *shared]]
    meta = model.predict_gates(X)[0]
    assert (meta[:, 0, 0] == 0).all()
    assert (meta[:, 1, 0] > 0).all()


def test_answers_are_those_of_the_fit(table):
    X, y = table
    model = MultiTaskEstimator(wiring=PLE(n_levels=1), **BRIEF).fit(X, y)
    gates = model.predict_gates(X)
    model.set_params(wiring="shared_bottom")
    np.testing.assert_array_equal(model.predict_gates(X), gates)
    assert not hasattr(model.fit(X, y), "predict_gates")
    alone = OMOEClassifier(**BRIEF).fit(X, y)
    mixed = MultiTaskEstimator(wiring="omoe", **BRIEF).fit(X, y)
    np.testing.assert_array_equal(mixed.predict_gates(X), alone.predict_gates(X))


def test_a_wiring_without_experts_has_no_gates_to_show(table):
    X, y = table
    model = sk_mtl.SharedBottomClassifier(**BRIEF).fit(X, y)
    message = (
        "predict_gates and expert_names_ need a wiring that mixes experts; found "
        "SharedBottom. Use one of the models with experts, such as MMOEClassifier or "
        "wiring='mmoe'."
    )
    with pytest.raises(AttributeError) as caught:
        model.predict_gates(X)
    assert str(caught.value.__cause__) == message
    with pytest.raises(AttributeError) as caught:
        model.expert_names_  # noqa: B018
    assert str(caught.value) == message


def test_gates_of_levels_may_select_experts(table):
    X, y = table
    model = MultiTaskEstimator(wiring=PLE(gate=TopK(2)), **BRIEF).fit(X, y)
    for weights in model.predict_gates(X):
        assert ((weights > 0).sum(axis=2) == 2).all()
    model.set_params(wiring__gate=DSelectK(1)).fit(X, y)
    assert (model.history_["train_penalty"] > 0).all()
    with pytest.raises(ValueError, match="from 1 to the number of experts, 4; found 5"):
        model.set_params(wiring__gate=TopK(5)).fit(X, y)

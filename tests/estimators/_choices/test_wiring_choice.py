"""Wirings as names, as objects with parameters, and as classes of one's own."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, KFold

import sk_mtl
from sk_mtl import (
    PLE,
    CrossStitch,
    HoME,
    MMoE,
    MMOEClassifier,
    MultiTaskEstimator,
    PLEClassifier,
    SharedBottom,
    TopK,
    WiringChoice,
)
from sk_mtl.estimators._choices._wiring_choice import known_wirings
from tests.estimators.common import QUICK, assert_equal_proba, mixed_table, refuse
from tests.estimators.toy import Toy, ToyClassifier, ToyWiring

BRIEF = {**QUICK, "max_epochs": 1}


@pytest.fixture(scope="module")
def table():
    X, y = mixed_table()
    return X[["town", "plan"]], y


def test_every_model_is_a_public_choice():
    for name, choice in known_wirings().items():
        assert getattr(sk_mtl, choice.__name__) is choice
        assert choice() == choice()
        assert clone(choice()) == choice()
        assert repr(choice()) == f"{choice.__name__}()", name


def test_an_estimator_of_a_model_is_equal_to_itself_alone():
    model, other = PLEClassifier(), PLEClassifier()
    assert model == model
    assert model != other
    assert len({model, other, clone(model)}) == 3
    assert PLE(n_levels=3) != PLE()
    with pytest.raises(TypeError, match="unhashable"):
        hash(PLE())


def test_an_object_trains_what_its_estimator_trains(table):
    X, y = table
    mixed = MultiTaskEstimator(wiring=PLE(n_levels=1, n_task_experts=1), **BRIEF)
    alone = PLEClassifier(n_levels=1, n_task_experts=1, **BRIEF)
    assert_equal_proba(
        mixed.fit(X, y).predict_proba(X), alone.fit(X, y).predict_proba(X)
    )
    named = MultiTaskEstimator(wiring="mmoe", **BRIEF).fit(X, y)
    given = MultiTaskEstimator(wiring=MMoE(), **BRIEF).fit(X, y)
    assert_equal_proba(named.predict_proba(X), given.predict_proba(X))


def test_parameters_of_a_wiring_are_searched(table):
    X, y = table
    wiring = MMoE(n_experts=5, gate=TopK(2))
    model = MultiTaskEstimator(wiring=wiring, **BRIEF)
    grid = [
        {"wiring__n_experts": [3], "wiring__gate__n_active": [2, 3]},
        {"wiring": ["shared_bottom", CrossStitch(hidden_sizes=8)]},
    ]
    search = GridSearchCV(model, grid, cv=KFold(2), error_score="raise").fit(X, y)
    assert len(search.cv_results_["params"]) == 4
    assert wiring == model.wiring == MMoE(n_experts=5, gate=TopK(2))
    assert clone(model).set_params(wiring__n_experts=3).wiring.n_experts == 3
    assert "wiring__n_experts" not in model.get_params(deep=False)
    again = MultiTaskEstimator().set_params(**model.get_params())
    assert again.wiring == wiring


def test_a_wiring_of_ones_own(table):
    X, y = table
    mixed = MultiTaskEstimator(wiring=Toy(size=5), **BRIEF).fit(X, y)
    assert type(mixed.net_.module_.wiring) is ToyWiring
    alone = ToyClassifier(size=5, **BRIEF).fit(X, y)
    assert_equal_proba(mixed.predict_proba(X), alone.predict_proba(X))
    assert not hasattr(mixed, "predict_gates")


class OwnRows(ToyWiring):
    """A wiring that reads the embeddings of each task."""

    embedding_sets = "per_task"

    def forward(self, encoded):
        return torch.relu(self.dense(encoded.per_task))


@dataclass(kw_only=True, eq=False, repr=False)
class ByHand(WiringChoice):
    """A wiring that is made without the fields, and in wrong ways."""

    kind: str = "own"

    def make_wiring(self, in_width, task_names, **layers):
        wiring = ToyWiring(in_width, len(task_names), size=4)
        if self.kind == "sets":
            return OwnRows(in_width, len(task_names))
        if self.kind == "module":
            return wiring.dense
        if self.kind == "tasks":
            wiring.n_tasks = 1
        if self.kind == "width":
            del wiring.out_width
        return wiring


@dataclass(kw_only=True, eq=False, repr=False)
class OwnSets(ByHand):
    """A wiring that says which encoders it needs."""

    wiring_class = OwnRows


def test_a_wiring_may_be_made_by_hand(table):
    X, y = table
    made = MultiTaskEstimator(wiring=ByHand(), **BRIEF).fit(X, y)
    assert made.net_.module_.wiring.out_width == 4
    own = MultiTaskEstimator(wiring=OwnSets(kind="sets"), n_members=2, **BRIEF)
    assert own.fit(X, y).predict(X).shape == (240, 2)


NAMES = list(known_wirings())


@pytest.mark.parametrize(
    ("wiring", "message"),
    [
        (
            "moe",
            f"wiring must be one of {NAMES} or a WiringChoice; found 'moe'. Did you "
            "mean 'mmoe' or 'omoe'?",
        ),
        (
            PLE,
            f"wiring must be one of {NAMES} or a WiringChoice; found the class PLE. "
            "Write PLE().",
        ),
        (
            TopK(),
            f"wiring must be one of {NAMES} or a WiringChoice; found TopK(), a Gate. "
            "Use one of these names, or an object of that kind.",
        ),
        (
            PLEClassifier(),
            f"wiring must be one of {NAMES} or a WiringChoice; found PLEClassifier, an "
            "estimator. Give the wiring alone, such as PLE().",
        ),
        (
            PLE(n_levels=0),
            "The 'n_levels' parameter of wiring=PLE must be an int in the range [1, "
            "inf). Got 0 instead.",
        ),
        (
            SharedBottom(bottom_hidden_sizes=(8, -1)),
            "bottom_hidden_sizes must hold integers >= 1, one per layer; found (8, "
            "-1). Give for instance (64, 32), 64 for a single layer, or () for none.",
        ),
        (
            HoME(groups=[["visits"]]),
            "groups must name tasks of ['churn', 'buy']; found ['visits']. Correct the "
            "names.",
        ),
        (
            MMoE(gate="topk"),
            "gate must be one of ['softmax', 'top_k', 'dselect_k'] or a Gate; found "
            "'topk'. Did you mean 'top_k'?",
        ),
        (
            ByHand(kind="module"),
            "make_wiring of ByHand must return a sk_mtl.nn.Wiring; found Linear. "
            "Derive its class from sk_mtl.nn.Wiring.",
        ),
        (
            ByHand(kind="sets"),
            "wiring_class of ByHand must be the class that make_wiring returns, since "
            "it says which encoders to make; found Wiring and OwnRows. Set "
            "wiring_class = OwnRows.",
        ),
        (
            ByHand(kind="tasks"),
            "The wiring of ByHand must set n_tasks, 2, and out_width; found n_tasks=1. "
            "Set them in its constructor.",
        ),
        (
            ByHand(kind="width"),
            "The wiring of ByHand must set n_tasks, 2, and out_width; found no "
            "out_width. Set them in its constructor.",
        ),
    ],
)
def test_wrong_wirings_are_refused(table, wiring, message):
    with pytest.raises(ValueError) as caught:
        MultiTaskEstimator(wiring=wiring, **BRIEF).fit(*table)
    assert str(caught.value) == message


def test_names_of_wirings_and_gates_have_no_parameters():
    with pytest.raises(ValueError) as caught:
        MultiTaskEstimator().set_params(wiring__n_experts=2)
    assert str(caught.value) == (
        "wiring__n_experts must lead to a parameter of an object in 'wiring'; found "
        "wiring='mmoe', which has no parameters. Give an object first, such as "
        "wiring=MMoE()."
    )
    with pytest.raises(ValueError, match="found gate='softmax', which has no"):
        MultiTaskEstimator(wiring=MMoE()).set_params(wiring__gate__n_active=2)
    with pytest.raises(TypeError, match=r"'n_expert'\. Did you mean 'n_experts'\?"):
        MMoE(n_expert=2)
    assert not hasattr(MultiTaskEstimator(wiring="moe"), "predict_gates")
    with pytest.raises(ValueError, match="found 'moe'"):
        MultiTaskEstimator(wiring="moe").fit(np.zeros((4, 1)), [0, 1, 0, 1])
    assert MMOEClassifier().set_params(gate=TopK(), gate__n_active=3).gate == TopK(3)


@dataclass(kw_only=True, eq=False, repr=False)
class Mistyped(WiringChoice):
    """A wiring whose field no constructor takes by name."""

    wiring_class = ToyWiring
    siz: int = 3


@dataclass(kw_only=True, eq=False, repr=False)
class Formless(WiringChoice):
    """A wiring without a class."""


class FlatWiring(ToyWiring):
    """A wiring that loses the axis of the tasks."""

    def forward(self, encoded):
        return super().forward(encoded).mean(1)


@dataclass(kw_only=True, eq=False, repr=False)
class Flat(WiringChoice):
    wiring_class = FlatWiring


@pytest.mark.parametrize(
    ("wiring", "message"),
    [
        (
            Mistyped(),
            "The constructor of ToyWiring must take each field of Mistyped by its "
            "name; found none for ['siz']. Correct the name, or define make_wiring.",
        ),
        (
            Formless(),
            "Formless must set wiring_class to a subclass of sk_mtl.nn.Wiring that "
            "defines forward; found Wiring. Set it in the class, or define "
            "make_wiring.",
        ),
        (
            Flat(),
            "The wiring of Flat must return (n_samples, n_tasks, out_width), (2, 2, "
            "32) for two rows; found (2, 32). Return a row of out_width numbers for "
            "each task.",
        ),
    ],
)
def test_a_wiring_of_ones_own_that_is_not_complete(table, wiring, message):
    refuse(lambda: MultiTaskEstimator(wiring=wiring, **BRIEF).fit(*table), message)


def test_a_wiring_class_is_a_wiring():
    with pytest.raises(TypeError, match="wiring_class of Other must be a subclass of"):
        type("Other", (WiringChoice,), {"wiring_class": torch.nn.Linear})

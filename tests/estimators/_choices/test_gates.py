"""Gates as names, as objects with settings, and as classes of one's own."""

from dataclasses import dataclass
from numbers import Real
from typing import ClassVar

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from sk_mtl import DSelectK, Gate, MMOEClassifier, Softmax, TopK
from sk_mtl._sklearn_compat import Interval
from sk_mtl.estimators._choices._choice import Choice
from sk_mtl.nn import GateHead
from tests.estimators.common import QUICK, assert_equal_proba, mixed_table

BRIEF = {**QUICK, "max_epochs": 1, "lr": 0.02}


class TemperedHead(GateHead):
    """A softmax of divided scores, which costs what they are away from 0."""

    def __init__(self, n_experts, temperature):
        super().__init__(n_experts)
        self.temperature = temperature

    def forward(self, scores):
        return (scores / self.temperature).softmax(1)

    def with_penalty(self, scores):
        return self(scores), scores.square().mean(1)


@dataclass(eq=False, repr=False)
class Tempered(Gate):
    """A gate of one's own."""

    _parameter_constraints: ClassVar[dict] = {
        "temperature": [Interval(Real, 0, None, closed="neither")]
    }

    temperature: float = 1.0

    def make_gate(self, n_experts):
        return TemperedHead(n_experts, self.temperature)


class Narrow(Gate):
    """A gate that forgets an expert."""

    def make_gate(self, n_experts):
        return TemperedHead(n_experts - 1, 1.0)


@dataclass(eq=False, repr=False)
class Squared(Choice):
    """A choice of another kind."""


@pytest.mark.parametrize(
    ("name", "gate"),
    [("softmax", Softmax()), ("top_k", TopK(2)), ("dselect_k", DSelectK(2))],
)
def test_a_name_is_the_object_with_its_defaults(name, gate):
    X, y = mixed_table()
    by_name, by_object = (
        MMOEClassifier(gate=each, **BRIEF).fit(X, y) for each in (name, gate)
    )
    assert_equal_proba(by_name.predict_proba(X), by_object.predict_proba(X))


def test_settings_of_a_gate_are_searched():
    X, y = mixed_table()
    gate = TopK(3)
    model = MMOEClassifier(gate=gate, **BRIEF)
    grid = [
        {"gate__n_active": [2, 4]},
        {"gate": ["softmax", DSelectK(penalty=1.0)]},
    ]
    search = GridSearchCV(model, grid, cv=2, error_score="raise").fit(X, y)
    tried = search.cv_results_["params"]
    assert [each.get("gate__n_active") for each in tried] == [2, 4, None, None]
    # A search, a clone and a fit leave the object of the caller as it was.
    assert clone(model).set_params(gate__n_active=2).gate == TopK(2)
    assert gate == model.gate == TopK(3)


def test_later_settings_do_not_change_a_fit():
    X, y = mixed_table()
    model = MMOEClassifier(gate=TopK(2), **BRIEF).fit(X, y)
    before = model.predict_gates(X)
    model.set_params(gate__n_active=4)
    np.testing.assert_array_equal(model.predict_gates(X), before)
    assert ((model.fit(X, y).predict_gates(X) > 0).sum(axis=2) == 4).all()


def test_a_gate_of_ones_own_weighs_and_pays():
    X, y = mixed_table()
    hot = MMOEClassifier(gate=Tempered(1e6), n_members=2, **BRIEF).fit(X, y)
    np.testing.assert_allclose(hot.predict_gates(X), 0.25, atol=1e-4)
    assert (hot.history_["train_penalty"] > 0).all()


@pytest.mark.parametrize(
    ("gate", "message"),
    [
        (
            "topk",
            "gate must be one of ['softmax', 'top_k', 'dselect_k'] or a Gate; found "
            "'topk'. Did you mean 'top_k'?",
        ),
        (
            Squared(),
            "gate must be one of ['softmax', 'top_k', 'dselect_k'] or a Gate; found "
            "Squared(). Use one of these names, or an object of that kind.",
        ),
        (
            TopK,
            "gate must be one of ['softmax', 'top_k', 'dselect_k'] or a Gate; found "
            "the class TopK. Write TopK().",
        ),
        (
            TopK(5),
            "n_active of the gate 'top_k' must be from 1 to the number of experts, 4; "
            "found 5. Give a smaller number, more experts, or gate='softmax'.",
        ),
        (
            TopK(0),
            "The 'n_active' parameter of gate=TopK must be an int in the range [1, "
            "inf). Got 0 instead.",
        ),
        (
            DSelectK(penalty=-0.1),
            "The 'penalty' parameter of gate=DSelectK must be a float in the range "
            "[0.0, inf). Got -0.1 instead.",
        ),
        (
            Tempered(-1.0),
            "The 'temperature' parameter of gate=Tempered must be a float in the range "
            "(0.0, inf). Got -1.0 instead.",
        ),
        (
            Narrow(),
            "gate must make weights of (n_samples, n_experts, n_gates), (2, 4, 2) for "
            "two rows; found (2, 3, 2) of TemperedHead. Keep the experts along the "
            "middle axis.",
        ),
    ],
)
def test_wrong_gates_are_refused(gate, message):
    X, y = mixed_table()
    with pytest.raises(ValueError) as caught:
        MMOEClassifier(gate=gate, **BRIEF).fit(X, y)
    assert str(caught.value) == message


def test_a_name_has_no_settings():
    with pytest.raises(ValueError) as caught:
        MMOEClassifier(gate="softmax").set_params(gate__n_active=2)
    assert str(caught.value) == (
        "gate__n_active must lead to a parameter of an object in 'gate'; found "
        "gate='softmax', which has no parameters. Give an object first, such as "
        "gate=TopK()."
    )
    with pytest.raises(TypeError, match="Gate must define make_gate"):
        Gate()

"""Interactions of features as names and objects."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from sklearn.model_selection import GridSearchCV
from torch import nn

from sk_mtl import FM, Bins, Cross, Interaction, MMOEClassifier, SENet, STEMClassifier
from tests.estimators.common import assert_equal_proba, mixed_table, refuse

QUICK = {"max_epochs": 1, "batch_size": 64, "random_state": 0}


@dataclass(eq=False, repr=False)
class Mixed(Interaction):
    """A dense layer, with `extra` outputs too many."""

    extra: int = 0

    def make_module(self, sizes):
        return nn.Linear(sizes.width, sizes.width + self.extra)


@dataclass(eq=False, repr=False)
class Attended(Interaction):
    place = "fields"

    def make_module(self, sizes):
        return nn.TransformerEncoderLayer(
            sizes.field_width, 2, sizes.field_width, batch_first=True
        )


class Summed(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        self.linear = nn.Linear(sizes.field_width, sizes.n_heads)

    def forward(self, fields):
        return self.linear(fields.sum(1))


@dataclass(eq=False, repr=False)
class Wide(Interaction):
    place = "logits"

    def make_module(self, sizes):
        return Summed(sizes)


@pytest.fixture(scope="module")
def data():
    return mixed_table(160)


@pytest.mark.parametrize(
    ("name", "choice"), [("cross", Cross()), ("fm", FM()), ("senet", SENet())]
)
def test_a_name_means_the_object_with_its_defaults(name, choice, data):
    X, y = data
    named = MMOEClassifier(interaction=name, **QUICK).fit(X, y)
    model = MMOEClassifier(interaction=choice, **QUICK).fit(X, y)
    assert_equal_proba(named.predict_proba(X), model.predict_proba(X))
    assert f"interaction: {name}" in str(model.schema_)


def test_settings_reach_the_modules(data):
    model = MMOEClassifier(interaction=Cross(3), **QUICK).fit(*data)
    assert model.net_.module_.encoder.interaction.down.out_features == 3
    model.set_params(interaction=SENet(1)).fit(*data)
    # Two columns of categories, and two numbers embedded in two ways.
    assert model.net_.module_.encoder.interaction.squeeze.out_features == 6


@pytest.mark.parametrize("choice", [Mixed(), Attended(), Wide()])
@pytest.mark.parametrize("model", [MMOEClassifier, STEMClassifier])
def test_interactions_of_ones_own(choice, model, data):
    X, y = data
    fitted = model(interaction=choice, **QUICK).fit(X, y)
    assert all(np.isfinite(proba).all() for proba in fitted.predict_proba(X))
    assert f"interaction: {type(choice).__name__}" in str(fitted.schema_)
    names = [name for name, _ in fitted.net_.module_.named_parameters()]
    assert any("interaction" in name for name in names)


def test_settings_are_searched(data):
    X, y = data
    model = MMOEClassifier(interaction=Cross(), **QUICK)
    search = GridSearchCV(model, {"interaction__rank": [2, 8]}, cv=2).fit(X, y)
    assert search.best_params_["interaction__rank"] in (2, 8)
    assert model.interaction == Cross(32)


def test_modules_of_another_shape_are_refused(data):
    X, y = data
    width = 2 * 8 + 2 * 2 * 8 + 2
    refuse(
        lambda: MMOEClassifier(interaction=Mixed(1), **QUICK).fit(X, y),
        f"interaction=Mixed(extra=1) must make a module that takes a tensor (n, {width}"
        f") to one (n, {width}); found (n, {width + 1}). Make it for the sizes that it "
        "is given.",
    )


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("corss", "found 'corss'. Did you mean 'cross'?"),
        (FM, "found the class FM. Write FM()."),
        (5, "found 5. Use one of these names, an object of that kind, None for no "),
        ([Cross()], "found [Cross()]. "),
        (Bins(), "found Bins(), a NumericEmbedding. "),
    ],
)
def test_what_is_no_interaction_is_refused(value, message, data):
    with pytest.raises(ValueError) as caught:
        MMOEClassifier(interaction=value, **QUICK).fit(*data)
    assert str(caught.value).startswith(
        "interaction must be one of ['cross', 'fm', 'senet'] or an Interaction; "
        f"{message}"
    )


@pytest.mark.parametrize("choice", [Cross(0), SENet(0)])
def test_settings_out_of_range_are_refused(choice, data):
    with pytest.raises(ValueError, match=r"parameter of interaction=.* must be an int"):
        MMOEClassifier(interaction=choice, **QUICK).fit(*data)


def test_an_unknown_place_is_refused(data, monkeypatch):
    monkeypatch.setattr(Mixed, "place", "row")
    refuse(
        lambda: MMOEClassifier(interaction=Mixed(), **QUICK).fit(*data),
        "place of Mixed must be one of ['input', 'fields', 'logits']; found 'row'. Set "
        "it in the class.",
    )


def test_settings_inside_a_name_are_refused():
    with pytest.raises(ValueError, match="interaction='auto', which has no param"):
        MMOEClassifier().set_params(interaction__rank=4)


def test_numbers_are_crossed_without_categories():
    X, y = np.random.default_rng(0).normal(size=(60, 2)), np.arange(60) % 2
    model = MMOEClassifier(interaction="cross", numeric_embedding=None, **QUICK)
    interaction = model.fit(X, y).net_.module_.encoder.interaction
    assert interaction(torch.zeros(1, 2)).shape == (1, 2)

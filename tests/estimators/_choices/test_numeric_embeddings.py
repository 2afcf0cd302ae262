"""Embeddings of numbers as names, objects and callables."""

import pickle
import re
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from torch import nn

from sk_mtl import (
    Bins,
    Cross,
    MMOEClassifier,
    NumericEmbedding,
    Periodic,
    PiecewiseLinear,
    STEMClassifier,
)
from sk_mtl.estimators._choices._numeric_embeddings import (
    resolve_numeric_embeddings,
)
from tests.estimators.common import assert_equal_proba, mixed_table, refuse

QUICK = {"max_epochs": 1, "batch_size": 64, "random_state": 0}


class Waves(nn.Module):
    """A sine of each number, scaled to the numbers that it was made for."""

    def __init__(self, values, width):
        super().__init__()
        self.register_buffer("scale", values.std(0))
        self.weight = nn.Parameter(torch.randn(values.shape[1], width))

    def forward(self, x):
        return ((x / self.scale).unsqueeze(2) * self.weight).sin()


@dataclass(eq=False, repr=False)
class Stretched(NumericEmbedding):
    factor: float = 1.0

    def make_module(self, values, width):
        return Waves(values * self.factor, width)


def waves(values, width):
    return Waves(values, width)


def embeddings_of(model):
    return model.net_.module_.encoder.numeric_embeddings


@pytest.fixture(scope="module")
def data():
    X, y = mixed_table(160)
    return X.assign(age=X["age"].where(np.arange(160) % 5 > 0)), y


@pytest.mark.parametrize(
    ("name", "choice"),
    [("bins", Bins()), ("ple", PiecewiseLinear()), ("periodic", [Periodic()])],
)
def test_a_name_means_the_object_with_its_defaults(name, choice, data):
    X, y = data
    named = MMOEClassifier(numeric_embedding=name, **QUICK).fit(X, y)
    model = MMOEClassifier(numeric_embedding=choice, **QUICK).fit(X, y)
    assert_equal_proba(named.predict_proba(X), model.predict_proba(X))


def test_settings_reach_the_modules(data):
    choices = Bins(3, width=2), PiecewiseLinear(4, width=5), Periodic(7, width=6)
    model = MMOEClassifier(numeric_embedding=choices, **QUICK).fit(*data)
    bins, linear, periodic = embeddings_of(model)
    # Three bins and one of missing ages; three of visits.
    assert bins.table.shape == (3 + 1 + 3, 2)
    assert linear.embedding.linear.weight.shape == (2, 4, 5)
    assert periodic.embedding.linear.weight.shape == (2, 2 * 7, 6)
    shown = str(model.schema_)
    assert "bins + ple + periodic" in shown
    for line in ("bins, width 2, 3 bins", "ple, width 5, 4 bins", "periodic, width 6"):
        assert f"numbers embedded by {line}" in shown


def test_a_callable_gets_the_numbers_that_its_module_will_get(data):
    X, y = data
    given = []

    def record(values, width):
        given.append((values, width))
        return waves(values, width)

    model = MMOEClassifier(numeric_embedding=record, embedding_dim=5, **QUICK)
    model.fit(X, y)
    ((values, width),) = given
    encoded = model.schema_.transform(model.preprocessor_, X).numeric
    names = model.schema_.numeric_names
    # The indicator of missing ages stands beside the numbers, not among the values.
    assert len(names) == 3
    expected = encoded[:, [names.index("age"), names.index("visits")]]
    np.testing.assert_array_equal(values.numpy(), expected)
    assert width == 5
    assert "numbers embedded by record, width 5" in str(model.schema_)


def test_the_module_of_a_callable_is_trained_and_saved(data):
    X, y = data
    model = MMOEClassifier(numeric_embedding=[waves, "bins"], **QUICK).fit(X, y)
    torch.manual_seed(0)
    name = "encoder.numeric_embeddings.0.embedding.weight"
    weight = model.net_.module_.state_dict()[name]
    assert weight.shape == (2, 8)
    more = clone(model).set_params(max_epochs=2).fit(X, y)
    assert not torch.equal(weight, more.net_.module_.state_dict()[name])
    copied = pickle.loads(pickle.dumps(model))
    assert_equal_proba(model.predict_proba(X), copied.predict_proba(X))


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("member_sharing", ["none", "embedding"])
def test_members_have_modules_of_their_own(member_sharing, precision, data):
    X, y = data
    model = MMOEClassifier(
        numeric_embedding=Waves,
        n_members=2,
        member_sharing=member_sharing,
        precision=precision,
        **QUICK,
    ).fit(X, y)
    assert all(np.isfinite(proba).all() for proba in model.predict_proba(X))
    weights = [
        weight
        for name, weight in model.net_.module_.named_parameters()
        if "numeric_embeddings" in name
    ]
    (weight,) = weights
    if member_sharing == "none":
        first, second = weight
        assert not torch.equal(first, second)


def test_encoders_share_no_module_of_a_callable(data):
    """Not even if it returns the same one each time."""
    X, y = data
    only = Waves(torch.randn(9, 2), 8)
    before = only.weight.detach().clone()
    model = STEMClassifier(numeric_embedding=lambda *_: only, **QUICK).fit(X, y)
    modules = [
        encoder.numeric_embeddings[0].embedding
        for encoder in model.net_.module_.encoder.encoders
    ]
    assert len({id(module.weight) for module in modules}) == 3
    assert torch.equal(only.weight, before)


def test_a_callable_may_build_on_an_embedding_of_the_package(data):
    def centred(values, width):
        return nn.Sequential(
            PiecewiseLinear().make_module(values, width), nn.LayerNorm(width)
        )

    X, y = data
    model = MMOEClassifier(numeric_embedding=[Bins().make_module, centred], **QUICK)
    bins, own = embeddings_of(model.fit(X, y))
    assert bins.embedding.width == own.width == 8


def test_a_class_of_ones_own_is_searched_into(data):
    X, y = data
    model = MMOEClassifier(numeric_embedding=Stretched(2.0), **QUICK)
    grid = {"numeric_embedding__factor": [0.5, 4.0]}
    search = GridSearchCV(model, grid, cv=2).fit(X, y)
    assert search.best_params_["numeric_embedding__factor"] in (0.5, 4.0)
    assert "numbers embedded by Stretched" in str(search.best_estimator_.schema_)


def test_searches_list_names_objects_and_callables(data):
    X, y = data
    choices = [None, "ple", Bins(4), waves, ["bins", waves]]
    search = GridSearchCV(
        MMOEClassifier(**QUICK), {"numeric_embedding": choices}, cv=2
    ).fit(X, y)
    assert len(search.cv_results_["params"]) == 5
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_a_fit_that_continues_keeps_its_embedding(data):
    X, y = data
    choice = Bins(4)
    model = MMOEClassifier(numeric_embedding=choice, warm_start=True, **QUICK)
    model.fit(X, y).fit(X, y)
    assert choice == Bins(4)
    choice.n_bins = 5
    with pytest.raises(ValueError, match=r"numeric_embedding.*n_bins=5"):
        model.fit(X, y)


def test_tables_without_numbers_leave_an_embedding_out():
    X = pd.DataFrame({"town": ["Oslo", "Rome", "Bonn"] * 10})
    y = np.arange(30) % 2
    model = MMOEClassifier(numeric_embedding=["bins", waves], **QUICK).fit(X, y)
    assert not len(embeddings_of(model))
    assert "numbers embedded" not in str(model.schema_)


WRONG = {
    "width": (
        lambda values, width: Waves(values, width + 1),
        "must make a module that takes a tensor (n, 2) to one (n, 2, 8); found "
        "(n, 2, 9). Make it for the columns of `values` and the `width` that it is "
        "given.",
    ),
    "columns": (
        lambda values, width: nn.Linear(values.shape[1], width),
        "must make a module that takes a tensor (n, 2) to one (n, 2, 8); found (n, 8). "
        "Make it for the columns of `values` and the `width` that it is given.",
    ),
    "function": (
        lambda values, width: np.tanh,
        f"must make a torch.nn.Module; found {np.tanh!r}, of type ufunc. Make it for "
        "the columns of `values` and the `width` that it is given.",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_modules_of_another_shape_are_refused(case, data):
    make, message = WRONG[case]
    model = MMOEClassifier(numeric_embedding=["bins", make], **QUICK)
    refuse(lambda: model.fit(*data), f"numeric_embedding=<lambda> {message}")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("bin", "found 'bin'. Did you mean 'bins'?"),
        (["bins", "pel"], "found 'pel'. Did you mean 'ple'?"),
        (
            [None],
            "found None. Use one of these names, an object of that k",
        ),
        ({"bins": 1}, "found {'bins': 1}. "),
        (Bins, "found the class Bins. Write Bins()."),
        (Cross(), "found Cross(), an Interaction. "),
        (Cross, "found the class Cross. "),
    ],
)
def test_what_is_no_embedding_is_refused(value, message, data):
    with pytest.raises(ValueError) as caught:
        MMOEClassifier(numeric_embedding=value, **QUICK).fit(*data)
    assert str(caught.value).startswith(
        "numeric_embedding must be one of ['bins', 'ple', 'periodic'] or a "
        f"NumericEmbedding; {message}"
    )


def test_a_module_is_no_callable_that_makes_one():
    refuse(
        lambda: resolve_numeric_embeddings(nn.Linear(2, 8)),
        "numeric_embedding must take a callable (values, width) that makes a module; "
        "found a module, Linear. Write a function that returns it.",
    )


@pytest.mark.parametrize(
    ("value", "twice"),
    [(("bins", "bins"), "'bins'"), (["bins", Bins()], "Bins()")]
    + [([waves, "ple", waves], repr(waves)), ([Bins(3), Bins(3)], "Bins(n_bins=3)")],
    ids=["names", "name and object", "functions", "objects"],
)
def test_embeddings_are_listed_once(value, twice):
    refuse(
        lambda: resolve_numeric_embeddings(value),
        f"numeric_embedding must hold each embedding at most once; found {twice} "
        "twice. Remove one, or give it other settings.",
    )
    assert len(resolve_numeric_embeddings([Bins(3), Bins(4), "bins"])) == 3


@pytest.mark.parametrize("settings", [{"n_bins": 1}, {"width": 0}, {"width": "wide"}])
def test_settings_out_of_range_are_refused(settings, data):
    with pytest.raises(ValueError, match=r"'.*' parameter of numeric_embedding=Bins"):
        MMOEClassifier(numeric_embedding=Bins(**settings), **QUICK).fit(*data)


@pytest.mark.parametrize("value", ["bins", ["bins", "ple"], waves])
def test_settings_inside_a_name_a_list_or_a_callable_are_refused(value):
    model = MMOEClassifier(numeric_embedding=value)
    with pytest.raises(ValueError) as caught:
        model.set_params(numeric_embedding__n_bins=4)
    assert str(caught.value).startswith(
        "numeric_embedding__n_bins must lead to a parameter of an object in "
        f"'numeric_embedding'; found numeric_embedding={value!r}, which has no "
        "parameters. Give an object first, such as numeric_embedding=Bins()."
    )
    model.set_params(numeric_embedding=Bins(), numeric_embedding__n_bins=4)
    assert model.numeric_embedding == Bins(4)


def test_auto_settings_are_replaced_and_others_kept():
    assert Bins().resolve(n_bins=16, width=4) == Bins(16, width=4)
    assert Bins(5, width=3).resolve(n_bins=16, width=4) == Bins(5, width=3)
    assert Periodic().resolve(n_bins=16, width=4) == Periodic(width=4)


@pytest.mark.parametrize(
    ("embedding", "note"),
    [
        (nn.Linear, "=Linear was called with the numbers of .* and the width 8"),
        (lambda values, width: nn.Linear(99, width), r"=<lambda> was tried with \(2, "),
    ],
)
def test_errors_of_ones_own_code_say_how_it_was_called(embedding, note):
    model = MMOEClassifier(numeric_embedding=embedding, **QUICK)
    with pytest.raises((TypeError, RuntimeError)) as caught:
        model.fit(*mixed_table())
    assert re.search(note, caught.value.__notes__[0])

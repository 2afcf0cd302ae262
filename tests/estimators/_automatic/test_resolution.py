"""Parameters that are "auto" in a fit, in fits that continue, and in searches."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from sk_mtl import Bins, MMOEClassifier, MMOERegressor, PiecewiseLinear
from sk_mtl.estimators._automatic import _resolution
from sk_mtl.estimators._automatic._auto_choice import AutoChoice
from tests.estimators.common import (
    FULL_BATCH,
    QUICK,
    REPRESENTATIVES,
    assert_equal_proba,
    funnel_table,
    mixed_table,
)

pytestmark = pytest.mark.members
SEED = {"random_state": 0}


def values(model):
    return {name: choice.value for name, choice in model.auto_.items()}


@pytest.fixture
def rule(monkeypatch):
    """A function that replaces the rule of a parameter by a constant."""

    def replace(**rules):
        for name, value in rules.items():
            choice = AutoChoice(value, "for a test")
            monkeypatch.setitem(_resolution._RULES, name, lambda *_, c=choice: c)

    return replace


def test_every_choice_of_a_default_fit_is_recorded():
    X, y = mixed_table(200)
    model = MMOEClassifier(**SEED).fit(X, y)
    assert values(model) == {
        "batch_size": 32,
        "max_epochs": 5,
        "early_stopping": False,
        "n_iter_no_change": 3,
        "lr": 0.008,
        "n_members": 4,
        "dropout": 0.1,
        "batch_norm": False,
        "embedding_dim": 8,
        "embedding_l2": 0.0,
        "numeric_embedding": ["ple", "bins"],
        "interaction": "cross",
        "sparse_embedding": (),
        "numeric_embedding__n_bins": 4,
        "numeric_embedding__width": 8,
    }
    assert all(choice.reason for choice in model.auto_.values())


@pytest.mark.parametrize("cls", REPRESENTATIVES)
def test_a_fit_equals_one_with_the_chosen_values(cls, rule):
    X, y = funnel_table(150)
    if cls is MMOERegressor:
        # Many epochs with rows held out, as numbers have, but fewer than 60.
        rule(max_epochs=11)
    model = cls(**SEED).fit(X, y)
    chosen = {k: v for k, v in values(model).items() if "__" not in k}
    chosen["sparse_embedding"] = False
    embeddings = [PiecewiseLinear(4, width=8), Bins(4, width=8)]
    chosen["numeric_embedding"] = embeddings
    again = cls(**SEED, **chosen).fit(X, y)
    assert again.auto_ == {}
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    weights = again.net_.module_.state_dict()
    for name, value in model.net_.module_.state_dict().items():
        np.testing.assert_array_equal(value, weights[name])


def test_a_fit_leaves_the_parameters_as_they_are():
    X, y = mixed_table(80)
    model = MMOEClassifier(**SEED)
    before = model.get_params()
    model.fit(X, y)
    assert model.get_params() == before
    assert clone(model).get_params() == before


def test_only_parameters_that_are_auto_are_recorded():
    X, y = mixed_table(80)
    model = MMOEClassifier(**QUICK, numeric_embedding=None, early_stopping=True)
    found = values(model.fit(X, y))
    assert not {"max_epochs", "batch_size", "early_stopping"} & found.keys()
    assert not [name for name in found if name.startswith("numeric_embedding")]


def test_rules_decide_the_fit(rule):
    rule(max_epochs=2, lr=0.5, n_members=2, dropout=0.0, n_iter_no_change=1)
    rule(embedding_dim={"town": 3}, numeric_embedding=["ple", "bins"])
    rule(interaction=None, batch_norm=True, batch_size=40)
    X, y = mixed_table(200)
    model = MMOEClassifier(**SEED).fit(X, y)
    assert model.n_iter_ == 2
    assert model.net_.lr == 0.5
    assert model.net_.batch_size == 40
    # The width of the column that the rule left out follows its two categories.
    assert model.schema_.embedding_dims == [3, 2]
    assert model.predict_gates(X).shape == (200, 2, 2, 4)
    assert "numbers embedded by ple, width 8, 4 bins" in repr(model.schema_)
    plain = MMOEClassifier(
        max_epochs=2,
        lr=0.5,
        n_members=2,
        dropout=0.0,
        embedding_dim={"town": 3},
        numeric_embedding=["ple", "bins"],
        interaction=None,
        batch_norm=True,
        batch_size=40,
        **SEED,
    )
    assert_equal_proba(model.predict_proba(X), plain.fit(X, y).predict_proba(X))


def test_the_chosen_epochs_decide_whether_rows_are_held_out(rule):
    X, y = mixed_table(200)
    assert "valid_loss" not in MMOEClassifier(**SEED).fit(X, y).history_
    rule(max_epochs=11)
    model = MMOEClassifier(**SEED).fit(X, y)
    assert "valid_loss" in model.history_
    assert model.auto_["early_stopping"] == (True, "11 epochs, more than 10")


def test_epochs_may_follow_the_rows_held_out(monkeypatch):
    """Rules first see a plan in which rows are held out, then the rows that are."""
    seen = []

    def epochs(facts, wanted):
        seen.append((facts.n_train, facts.n_held_out))
        return AutoChoice(2 if facts.n_held_out else 1, "for a test")

    monkeypatch.setitem(_resolution._RULES, "max_epochs", epochs)
    X, y = mixed_table(200)
    assert MMOEClassifier(**SEED).fit(X, y).n_iter_ == 1
    assert MMOEClassifier(early_stopping=True, **SEED).fit(X, y).n_iter_ == 2
    assert MMOEClassifier(early_stopping=False, **SEED).fit(X, y).n_iter_ == 1
    assert MMOEClassifier(**SEED).fit(X, y, X_val=X[:50], y_val=y[:50]).n_iter_ == 2
    planned, all_train, held_out = (180, 20), (200, 0), (180, 20)
    given = (200, 50)
    assert seen == [
        *(planned, all_train),
        *(planned, held_out),
        *(all_train, all_train),
        given,
    ]


def test_reasons_of_rows_held_out():
    X, y = mixed_table(200)
    given = MMOEClassifier(**QUICK).fit(X, y, X_val=X[:50], y_val=y[:50])
    assert given.auto_["early_stopping"] == (True, "X_val is given")
    alone = MMOEClassifier(max_epochs=11, **SEED)
    with pytest.warns(UserWarning, match="holds out no row"):
        alone.fit(X, y, groups=np.zeros(200))
    assert alone.auto_["early_stopping"] == (False, "no rows could be held out")
    rows = MMOEClassifier(early_stopping=True, **QUICK).encode_rows(X, y)
    found = MMOEClassifier(**QUICK).fit_rows(*rows).auto_["early_stopping"]
    assert found == (True, "rows were held out before")


def test_a_fit_that_continues_takes_over_what_was_chosen(rule):
    X, y = mixed_table(200)
    rule(lr=0.02, max_epochs=2, dropout=0.2)
    model = MMOEClassifier(warm_start=True, **SEED).fit(X, y)
    before = values(model)
    rule(lr=0.5, max_epochs=7, dropout=0.7, n_members=3)
    model.fit(X[:100], y[:100])
    assert model.n_iter_ == 4
    assert model.net_.optimizer_.param_groups[0]["lr"] == 0.02
    # The size of a batch follows the rows of the call.
    assert values(model) == {**before, "batch_size": 16}


def test_a_fit_that_continues_may_change_auto_to_a_number():
    X, y = mixed_table(200)
    model = MMOEClassifier(warm_start=True, **SEED).fit(X, y)
    model.set_params(lr=0.02, max_epochs=1, n_iter_no_change=2).fit(X, y)
    assert model.n_iter_ == 6
    assert model.net_.optimizer_.param_groups[0]["lr"] == 0.02
    assert not {"lr", "max_epochs", "n_iter_no_change"} & model.auto_.keys()
    with pytest.raises(ValueError, match=r"with dropout='auto'; found dropout=0\.3"):
        model.set_params(dropout=0.3).fit(X, y)
    model.set_params(dropout="auto", lr="auto").fit(X, y)
    assert model.auto_["lr"].value == 0.008


def test_passes_choose_no_number_of_epochs(rule):
    X, y = mixed_table(200)
    rule(max_epochs=2)
    model = MMOEClassifier(**SEED).partial_fit(X, y)
    unread = {"max_epochs", "early_stopping", "n_iter_no_change"}
    assert not unread & model.auto_.keys()
    model.partial_fit(X[:20], y[:20])
    assert model.net_.batch_size == 16
    model.set_params(warm_start=True).fit(X, y)
    assert model.n_iter_ == 4
    assert unread <= model.auto_.keys()


def test_a_search_tries_auto_beside_numbers():
    X, y = mixed_table(80)
    grid = {"max_epochs": ["auto", 1], "lr": ["auto", 0.02]}
    model = MMOEClassifier(**SEED)
    search = GridSearchCV(model, grid, cv=2, refit=False).fit(X, y)
    assert search.cv_results_["param_max_epochs"].tolist() == ["auto", 1] * 2 or (
        search.cv_results_["param_max_epochs"].tolist() == ["auto", "auto", 1, 1]
    )
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_full_batches_and_numbers_have_their_choices(rule):
    X, y = mixed_table(80)
    y = y.astype(float)
    model = MMOERegressor(**FULL_BATCH, **SEED).fit(X[["age", "visits"]], y)
    assert "numeric_embedding__n_bins" not in model.auto_
    assert model.auto_["interaction"].value == "cross"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("max_epochs", "Auto"), ("lr", "automatic"), ("n_members", 0)],
        *[("dropout", 1.0), ("n_iter_no_change", "none"), ("embedding_dim", "wide")],
    ],
)
def test_other_texts_are_refused(name, value):
    X, y = mixed_table(80)
    with pytest.raises(ValueError, match=rf"The '{name}' parameter .*'auto'"):
        MMOEClassifier(**{name: value}).fit(X, y)


@pytest.mark.parametrize("name", ["interaction", "numeric_embedding"])
def test_the_remedy_names_auto(name):
    X, y = mixed_table(80)
    with pytest.raises(ValueError, match='"auto"'):
        MMOEClassifier(**{name: "x"}).fit(X, y)
    with pytest.raises(ValueError, match="numeric_embedding must be one of"):
        MMOEClassifier(numeric_embedding=["auto", "ple"]).fit(X, y)

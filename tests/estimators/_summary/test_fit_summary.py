"""The summary of a fit, as tables, text and HTML."""

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError

from sk_mtl import (
    MMOEClassifier,
    MultiTaskEstimator,
    SingleTaskClassifier,
    STEMClassifier,
    TopK,
)
from tests.estimators.common import QUICK, REPRESENTATIVES, funnel_table, mixed_table
from tests.estimators.toy import ToyClassifier

SHORT = {**QUICK, "max_epochs": 1}
# Two numbers, and two categories of width 8.
WIDTH = 2 + 2 * 8


def weights(model, X=None, y=None):
    X, y = mixed_table(80) if X is None else (X, y)
    model.set_params(**SHORT, numeric_embedding=None, interaction=None).fit(X, y)
    return model.summary().weights


def test_shared_and_own_weights_are_counted():
    found = weights(MMOEClassifier())
    # The unknown category and 3 towns, the unknown one and 2 plans.
    tables = 8 * (4 + 3)
    experts, gate = 4 * (WIDTH * 64 + 64), WIDTH * 4 + 4
    tower = (64 * 32 + 32) + (32 + 1)
    expected = {
        "encoder.tables": [tables, tables, 0, 0],
        "wiring.experts": [experts, experts, 0, 0],
        "wiring.gates": [2 * gate, 0, gate, gate],
        "towers": [2 * tower, 0, tower, tower],
    }
    expected["all"] = np.sum(list(expected.values()), axis=0).tolist()
    assert found.T.to_dict(orient="list") == expected
    assert found.columns.tolist() == ["weights", "shared", "churn", "buy"]


@pytest.mark.parametrize("sharing", ["most", "none"])
def test_weights_of_members_belong_to_the_same_tasks(sharing):
    model = MMOEClassifier(n_members=3, member_sharing=sharing, gate=TopK(2))
    found, alone = weights(model), weights(MMOEClassifier())
    assert (found.loc["towers"] == 3 * alone.loc["towers"]).all()
    assert found.loc["wiring.gates", "shared"] == 0
    n_tables = 1 if sharing == "most" else 3
    tables = n_tables * alone.loc["encoder.tables"]
    assert (found.loc["encoder.tables"] == tables).all()


def test_separate_networks_share_nothing():
    assert weights(SingleTaskClassifier()).loc["all", "shared"] == 0


def test_tables_of_tasks_are_apart_from_shared_ones():
    tables = weights(STEMClassifier()).loc["encoder.tables"]
    assert tables.tolist() == [3 * 56, 56, 56, 56]


def test_towers_differ_by_their_sizes():
    found = weights(MMOEClassifier(tower_hidden_sizes=[(), (16,)]))
    assert found.loc["towers"].tolist() == [65 + 1057, 0, 65, 64 * 16 + 16 + 17]


def test_linear_terms_are_of_their_task():
    wide = weights(MMOEClassifier(wide=True)).loc["encoder.wide"]
    assert wide.tolist() == [14, 0, 7, 7]


def test_tables_with_sparse_gradients_and_sequences_are_counted():
    X, y = mixed_table(80)
    X["history"] = [[f"i{k % 3}", f"i{k % 2}"] for k in range(80)]
    model = MMOEClassifier(sparse_embedding=True)
    tables = weights(model, X, y).loc["encoder.tables"]
    assert tables["weights"] == tables["shared"] == 56 + 4 * 8


def test_wirings_of_ones_own_are_counted():
    found = weights(ToyClassifier(size=5))
    assert found.loc["wiring.dense"].tolist() == [WIDTH * 5 + 5, WIDTH * 5 + 5, 0, 0]


@pytest.mark.parametrize("cls", REPRESENTATIVES)
def test_every_weight_is_counted_once(cls):
    X, y = funnel_table(80)
    model = cls(**SHORT).fit(X, y)
    found = model.summary().weights
    n_weights = sum(p.numel() for p in model.net_.module_.parameters())
    assert found.loc["all", "weights"] == n_weights
    assert (found.iloc[:, 1:].sum(axis=1) == found["weights"]).all()


def test_rows_epochs_and_reasons_are_told():
    X, y = mixed_table(200)
    model = MMOEClassifier(early_stopping=True, random_state=0).fit(X, y)
    summary = model.summary()
    training = summary.training["value"]
    assert training.drop("seconds").to_dict() == {
        "rows trained": "180",
        "rows held out": "20",
        "epochs trained": "5",
        "epoch kept": str(model.best_epoch_),
        "stopped by": "epochs",
    }
    assert float(training["seconds"]) > 0
    assert summary.choices.index.tolist() == list(model.auto_)
    choice = model.auto_["batch_size"]
    row = summary.choices.loc["batch_size"].tolist()
    assert row == [repr(choice.value), choice.reason]


def test_the_text_is_a_table_for_each_topic():
    X, y = mixed_table(80)
    lines = str(MMOEClassifier(**SHORT).fit(X, y).summary()).splitlines()
    assert lines[0] == "MMOEClassifier, fitted"
    assert [line for line in lines if line and line[0].isupper()][1:] == [
        *("Training", 'Parameters that were "auto"', "Weights")
    ]
    (towers,) = (line.split() for line in lines if line.startswith("towers"))
    assert towers == ["towers", "4,226", "0", "2,113", "2,113"]
    (interaction,) = (line for line in lines if line.startswith("interaction"))
    assert "'cross'" in interaction


def test_html_escapes_names():
    X, y = mixed_table(80)
    y.columns = ["<b>churn</b>", 7]
    html = MMOEClassifier(**SHORT).fit(X, y).summary()._repr_html_()
    assert "&lt;b&gt;churn&lt;/b&gt;" in html
    assert "<b>churn" not in html
    assert "<h4>Weights</h4>" in html
    assert html.count("<table") == 3


def test_tasks_may_have_the_names_of_columns():
    X, y = mixed_table(80)
    y.columns = ["shared", "weights"]
    found = MMOEClassifier(**SHORT).fit(X, y).summary().weights
    assert found.columns.tolist() == ["weights", "shared", "shared", "weights"]
    assert found.loc["towers"].tolist() == [4226, 0, 2113, 2113]


def test_tasks_of_several_types():
    X, y = mixed_table(80)
    y["spend"] = np.linspace(0, 1, 80)
    y["segment"] = np.arange(80) % 3
    found = MultiTaskEstimator(**SHORT).fit(X, y).summary().weights
    own = found.loc["towers", ["churn", "spend", "segment"]].tolist()
    assert own == [2113, 2113, 2080 + 33 * 3]


def test_an_estimator_that_is_not_fitted_has_no_summary():
    with pytest.raises(NotFittedError):
        MMOEClassifier().summary()


def test_a_summary_leaves_the_model_as_it_was():
    X, y = mixed_table(80)
    model = MMOEClassifier(**SHORT).fit(X, y)
    before = model.predict_proba(X)[0]
    first, second = model.summary().weights, model.summary().weights
    pd.testing.assert_frame_equal(first, second)
    np.testing.assert_array_equal(model.predict_proba(X)[0], before)
    assert all(p.grad is None for p in model.net_.module_.parameters())

"""The Markdown card: front matter, scores, what is left to fill in."""

import json

import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import NotFittedError

from sk_mtl import MMOEClassifier
from sk_mtl.inspection import model_card
from sk_mtl.inspection._reports._model_facts import JudgedRows
from tests.estimators.common import PLAIN, QUICK, refuse


def front_matter(card):
    _, front, _ = card.split("---\n", 2)
    pairs = (line.split(": ", 1) for line in front.splitlines())
    return {key: json.loads(value) for key, value in pairs}


def test_front_matter_holds_the_scores_by_task(model, table):
    card = model_card(model, *table, license="mit", dataset="shop", tags=["churn"])
    front = front_matter(card)
    assert front["library_name"] == "sk-mtl"
    assert front["license"] == "mit"
    assert front["pipeline_tag"] == "tabular-classification"
    assert front["tags"][-1] == "churn"
    (index,) = front["model-index"]
    assert [each["task"]["name"] for each in index["results"]] == ["churn", "buy"]
    assert index["results"][0]["dataset"]["name"] == "shop"
    metrics = {m["type"]: m["value"] for m in index["results"][1]["metrics"]}
    expected = JudgedRows(model, *table).scores().loc["buy"]
    assert metrics == pytest.approx(expected.to_dict(), abs=1e-6)


def test_unknown_sections_are_left_to_be_filled_in(model, table, tmp_path):
    card = model_card(model, *table, limitations="Trained on few rows.")
    assert card.count("*To be filled in.*") == 1
    assert "## Limitations\n\nTrained on few rows.\n" in card
    assert "license" not in front_matter(card)
    path = tmp_path / "README.md"
    assert model_card(model, *table, path) != card
    assert path.read_text(encoding="utf-8").startswith("---\nlibrary_name")


def test_tables_have_tasks_columns_and_versions(model, table):
    card = model_card(model, *table, name="Shop", authors="Two people")
    assert "# Shop\n" in card
    assert "| churn | binary | 240 |" in card
    assert "| town | categorical | 4 |" in card
    assert "| n_experts | 3 |" in card
    assert "| sk_mtl |" in card
    assert card.endswith("## Authors\n\nTwo people\n")


def test_bars_are_escaped(table):
    X, y = table
    X = X.rename(columns={"town": "to|wn"})
    model = MMOEClassifier(n_members=1, **QUICK, **PLAIN).fit(X, y)
    assert "| to\\|wn | categorical |" in model_card(model, X, y)


def test_unfitted_and_other_models_are_refused(table):
    forest = RandomForestClassifier(n_estimators=1).fit(table[0][["age"]], table[1])
    refuse(
        lambda: model_card(forest, table[0][["age"]], table[1]),
        "model_card needs a multi-task model of sk_mtl, alone or at the end of a "
        "pipeline or search; found RandomForestClassifier, which has no summary. Give "
        "such a model.",
        TypeError,
    )
    with pytest.raises(NotFittedError):
        model_card(MMOEClassifier(), *table)

"""The report of the suite and the section of the docs, from lines made by hand."""

import _suite_report
import numpy as np
import pandas as pd
import pytest
from _suite import read_entries
from _suite_report import (
    BEGIN,
    END,
    compare,
    divide_models,
    losses_table,
    missing_fits,
    partial_table,
    report,
    summary_table,
    tables_table,
    write_page,
)


def make_scores():
    rows = []
    for table, task, kind, main in [
        ("classes", "bought", "binary", {"default": 0.7, "LightGBM": 0.9}),
        ("classes", "size", "multiclass", {"default": 0.9, "LightGBM": 0.9}),
        ("mixed", "count", "poisson", {"default": 0.5, "LightGBM": 0.25}),
    ]:
        rows += [
            {
                "model": model,
                "table": table,
                "repeat": 0,
                "task": task,
                "type": kind,
                "main": value,
                "skill": value if kind == "binary" else np.nan,
                "ece": 0.01 if kind == "binary" else np.nan,
                "cpu": 2.0,
            }
            for model, value in main.items()
        ]
    return pd.DataFrame(rows)


def test_models_are_compared_by_the_means_of_tables():
    found = compare(make_scores(), ["default", "LightGBM"])
    assert found["main"]["default"].tolist() == pytest.approx([0.8, 0.5])
    assert found["normalised"]["default"].tolist() == pytest.approx([0.75, 1])
    assert found["normalised"]["LightGBM"].tolist() == pytest.approx([1, 0.5])
    assert found["rank"]["default"].tolist() == [1.75, 1]
    assert found["skill"]["default"].dropna().tolist() == [0.7]
    table = summary_table(found).set_index("model")
    assert table.index.tolist() == ["default", "LightGBM"]
    row = table.loc["default"]
    assert row["mean rank"] == "1.38"
    assert row["tables won"] == "50%"
    # Gaps of -.1 and .25, both clipped.
    assert row["to LightGBM"] == "+0.0000"
    assert row["worst"] == "-0.1000 classes"
    assert row["not behind"] == "1 of 2"


def test_losses_name_the_task_and_the_best_rival():
    found = losses_table(make_scores(), "default", ["LightGBM"])
    assert found.to_numpy().tolist() == [
        ["classes", "bought", "0.7000", "0.9000", "LightGBM", "-0.2000"]
    ]


def test_report_without_common_tables_is_an_error():
    with pytest.raises(SystemExit, match="all of default, CatBoost were run on"):
        compare(make_scores(), ["default", "CatBoost"])


@pytest.fixture
def scores():
    """Hold CatBoost beside the others on one of two tables, in another order there."""
    frame = make_scores()
    lines = frame[(frame["model"] == "default") & (frame["table"] == "mixed")]
    return pd.concat([frame, lines.assign(model="CatBoost", main=0.6)])


def test_models_with_fewer_tables_are_told_from_complete_ones(scores):
    assert divide_models(scores) == (["default", "LightGBM"], ["CatBoost"])


def test_partial_models_are_ranked_among_the_complete_ones(scores):
    (row,) = partial_table(scores, *divide_models(scores)).to_dict("records")
    assert (row["model"], row["tables"], row["mean rank"]) == (
        "CatBoost",
        1,
        "1.00",
    )
    assert row["others' ranks"] == "default 2.00, LightGBM 3.00"
    # LightGBM has .25 there; gaps are clipped.
    assert (row["to LightGBM"], row["worst"]) == ("+0.0300", "+0.3500 mixed")


def test_partial_models_without_a_common_repeat_are_left_out(scores):
    scores.loc[scores["model"] == "CatBoost", "repeat"] = 1
    assert partial_table(scores, *divide_models(scores)).empty


def test_tables_begin_with_the_largest_loss(scores, folder):
    models = ["default", "LightGBM", "CatBoost"]
    found = tables_table(scores, read_entries(folder), models)
    assert found.to_dict("records") == [
        {
            "table": "classes",
            "rows": "200",
            "tasks": "2",
            "default": "0.8000",
            "LightGBM": "**0.9000**",
            "CatBoost": "",
            "default to best": "-0.1000",
        },
        {
            "table": "mixed",
            "rows": "200",
            "tasks": "3",
            "default": "0.5000",
            "LightGBM": "0.2500",
            "CatBoost": "**0.6000**",
            "default to best": "-0.1000",
        },
    ]
    scores.loc[scores["model"] == "CatBoost", "main"] = 0.7
    found = tables_table(scores, read_entries(folder), models)
    assert found["table"].tolist() == ["mixed", "classes"]


def test_tables_without_ours_are_ordered_by_size(scores, folder):
    found = tables_table(scores, read_entries(folder), ["LightGBM", "CatBoost"])
    # `mixed` has one feature, `classes` two.
    assert found["table"].tolist() == ["mixed", "classes"]
    assert "default to best" not in found


def test_tables_show_the_repeats_that_a_table_has_of_all(scores, folder):
    more = scores[scores["model"] != "CatBoost"].assign(repeat=1, main=0.0)
    frame = pd.concat([scores, more])
    found = tables_table(frame, read_entries(folder), ["LightGBM", "CatBoost"])
    cells = found.set_index("table")["LightGBM"]
    assert cells.to_dict() == {"mixed": "0.2500", "classes": "0.4500"}


def test_missing_fits_are_named(scores, folder):
    lines = missing_fits(scores, read_entries(folder))
    assert "- default: mixed (1 of 5 repeats), classes (1 of 5 repeats)." in lines
    assert "- CatBoost: mixed (1 of 5 repeats), classes." in lines
    assert "- TabM-D: any table." in lines


def test_section_of_the_docs_is_replaced(scores, folder, tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"Before.\n\n{BEGIN}\n\nOld.\n\n{END}\n\nAfter.\n")
    for _ in range(2):
        write_page(scores, read_entries(folder), page)
        text = page.read_text()
        assert text.startswith(f"Before.\n\n{BEGIN}\n\nThe mean")
        assert text.endswith(f".\n\n{END}\n\nAfter.\n")
        assert "Old." not in text
    assert text.index("| classes | 200 |") < text.index("| default | 1.38 |")
    assert "| CatBoost | 1 | 1.00 |" in text
    assert "- TabM-D: any table." in text


def test_page_without_its_marks_is_an_error(scores, folder, tmp_path):
    page = tmp_path / "page.md"
    page.write_text("No marks.")
    with pytest.raises(SystemExit, match=r"page.md must hold the lines '<!-- suite.py"):
        write_page(scores, read_entries(folder), page)
    assert page.read_text() == "No marks."


def test_report_begins_with_the_summary_and_the_losses(folder, monkeypatch, tmp_path):
    texts = {}
    monkeypatch.setattr(
        _suite_report,
        "write_report",
        lambda name, title, frame, **rest: texts.update(rest),
    )
    report(make_scores(), read_entries(folder))
    notes = texts["notes"]
    assert "1 tasks, by more than 0.002." in notes
    assert notes.index("is behind") < notes.index("Table by table")
    assert "| mixed | 200 | 3 | **0.5000** | 0.2500 |" in notes


def test_slow_models_are_shown_on_their_own_tables(folder, monkeypatch):
    texts = {}
    monkeypatch.setattr(
        _suite_report,
        "write_report",
        lambda name, title, frame, **rest: texts.update(rest),
    )
    scores = make_scores()
    slow = scores[(scores["model"] == "default") & (scores["table"] == "mixed")]
    frame = pd.concat([scores, slow.assign(model="TabM-D")])
    report(frame, read_entries(folder))
    own = texts["notes"].partition("compared there with default, LightGBM:")[2]
    assert own.count("| TabM-D | 1 |") == 1
    # No task of that table has two classes.
    assert "|  |  | 2.0 |" in own

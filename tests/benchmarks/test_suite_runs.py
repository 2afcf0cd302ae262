"""A file of fits that grows, and runs that go on where the last one stopped."""

import numpy as np
import pandas as pd
import pytest
import suite
from _suite import read_entries, read_table
from _suite_runs import AppendedRuns

KEY = ("model", "repeat")


def lines(model, repeat, main):
    return pd.DataFrame(
        {"model": model, "repeat": repeat, "task": ["a", "b"], "main": main}
    )


@pytest.fixture
def runs(tmp_path):
    return AppendedRuns(tmp_path / "results" / "runs.csv", KEY, [*KEY, "task", "main"])


def test_file_begins_empty_and_grows(runs):
    assert runs.read().empty
    assert runs.done() == set()
    runs.add(lines("x", 0, [0.123456789, 1.0]))
    runs.add(lines("y", 1, [0.5, np.nan]))
    assert runs.done() == {("x", 0), ("y", 1)}
    text = runs.path.read_text().splitlines()
    assert text[:2] == ["model,repeat,task,main", "x,0,a,0.12346"]
    assert len(text) == 5


def test_dropped_lines_are_to_be_run_again(runs):
    runs.add(lines("x", 0, 0.5))
    runs.add(lines("y", 0, 0.5))
    runs.drop("model", ["x"])
    assert runs.done() == {("y", 0)}
    runs.add(lines("x", 0, 0.7))
    assert runs.read().set_index("model").loc["x", "main"].tolist() == [0.7, 0.7]


def test_of_two_scores_of_a_task_the_last_counts(runs):
    runs.add(lines("x", 0, 0.5))
    runs.add(lines("x", 0, 0.6))
    assert runs.read()["main"].tolist() == [0.6, 0.6]


def answer_classes(table, train, test, seed):
    even = [0.5, 0.5]
    return [np.tile(even, (len(test), 1)) for _ in table.tasks]


@pytest.fixture
def fitted(monkeypatch, tmp_path):
    """Return the fits that were made, of models that answer at once."""
    made, logged = [], []

    def fit_predict(table, train, test, seed):
        made.append((table.name, seed))
        return answer_classes(table, train, test, seed)

    def fail(table, train, test, seed):
        raise ValueError("no such column")

    models = {"quick": fit_predict, "broken": fail}
    monkeypatch.setattr(suite, "MODELS", models)
    monkeypatch.setattr(suite, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(suite, "log_test_run", lambda *a: logged.append(a))
    return made, logged


def test_run_goes_on_where_the_last_one_stopped(folder, fitted):
    made, logged = fitted
    runs, entries = suite.make_runs(), read_entries(folder)
    suite.run(runs, folder, entries, ["classes"], ["quick"])
    assert made == [("classes", repeat) for repeat in range(5)]
    frame = runs.read()
    frame.drop(frame.index[frame["repeat"] == 3]).to_csv(runs.path, index=False)
    suite.run(runs, folder, entries, ["classes"], ["quick"])
    assert made[5:] == [("classes", 3)]
    suite.run(runs, folder, entries, ["classes"], ["quick"])
    assert len(made) == 6
    # Every run that scored test rows is logged, with its number of fits.
    assert [(model, n) for model, _, _, n in logged] == [("quick", 5), ("quick", 1)]


def test_model_that_fails_does_not_stop_the_others(folder, fitted, capsys):
    runs, entries = suite.make_runs(), read_entries(folder)
    suite.run(runs, folder, entries, ["classes"], ["broken", "quick"])
    assert {model for model, _, _ in runs.done()} == {"quick"}
    assert "FAILED broken, classes, 0: ValueError('no such" in capsys.readouterr().out


def test_lines_hold_scores_types_and_the_repeat(folder, fitted):
    table = read_table(folder, read_entries(folder)["classes"])
    found = suite.fit_and_score("quick", table, *table.split(2), 2)
    assert found["task"].tolist() == ["bought", "size"]
    assert found["type"].tolist() == ["binary", "multiclass"]
    assert found["main"].tolist() == [0.5, 0.5]
    assert set(found["repeat"]) == {2}
    assert set(suite.COLUMNS) <= set(found)


def test_slow_models_have_one_repeat_of_small_tables(folder, monkeypatch):
    table = read_table(folder, read_entries(folder)["classes"])
    turns = suite.turns_of(table, ["LightGBM", "TabM-D"])
    assert turns.count(("LightGBM", 4)) == 1
    assert [turn for turn in turns if turn[0] == "TabM-D"] == [("TabM-D", 0)]
    monkeypatch.setattr(suite, "SLOW_BELOW", len(table))
    assert suite.turns_of(table, ["TabM-D"]) == []


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
    found = suite.compare(make_scores(), ["default", "LightGBM"])
    assert found["main"]["default"].tolist() == pytest.approx([0.8, 0.5])
    assert found["normalised"]["default"].tolist() == pytest.approx([0.75, 1])
    assert found["normalised"]["LightGBM"].tolist() == pytest.approx([1, 0.5])
    assert found["rank"]["default"].tolist() == [1.75, 1]
    assert found["skill"]["default"].dropna().tolist() == [0.7]
    table = suite.summary_table(found).set_index("model")
    assert table.index.tolist() == ["default", "LightGBM"]
    row = table.loc["default"]
    assert row["mean rank"] == "1.38"
    assert row["tables won"] == "50%"
    # Gaps of -.1 and .25, both clipped.
    assert row["to LightGBM"] == "+0.0000"
    assert row["worst"] == "-0.1000 classes"
    assert row["not behind"] == "1 of 2"


def test_losses_name_the_task_and_the_best_rival():
    found = suite.losses_table(make_scores(), "default", ["LightGBM"])
    assert found.to_numpy().tolist() == [
        ["classes", "bought", "0.7000", "0.9000", "LightGBM", "-0.2000"]
    ]


def test_report_without_common_tables_is_an_error():
    with pytest.raises(SystemExit, match="all of default, CatBoost were run on"):
        suite.compare(make_scores(), ["default", "CatBoost"])


def test_report_begins_with_the_summary_and_the_losses(folder, monkeypatch, tmp_path):
    texts = {}
    monkeypatch.setattr(
        suite, "write_report", lambda name, title, frame, **rest: texts.update(rest)
    )
    suite.report(make_scores(), read_entries(folder))
    notes = texts["notes"]
    assert "1 tasks, by more than 0.002." in notes
    assert notes.index("is behind") < notes.index("Table by table")
    assert "| mixed | 200 | 3 | **0.5000** | 0.2500 |" in notes


def test_slow_models_have_a_table_of_their_own(folder, monkeypatch):
    texts = {}
    monkeypatch.setattr(
        suite, "write_report", lambda name, title, frame, **rest: texts.update(rest)
    )
    scores = make_scores()
    slow = scores[(scores["model"] == "default") & (scores["table"] == "mixed")]
    frame = pd.concat([scores, slow.assign(model="TabM-D")])
    suite.report(frame, read_entries(folder))
    own = texts["notes"].partition("## Beside networks of pytabkit")[2]
    assert "rows: mixed." in own
    assert own.count("| TabM-D |") == 1
    # No task of that table has two classes.
    assert "|  |  | 2.0 |" in own


def test_run_of_some_models_reports_all():
    parse = suite.make_parser().parse_args
    some = ["--data", "folder", "--models", "CatBoost"]
    assert suite.chosen_for_report(parse(some)) is None
    assert suite.chosen_for_report(parse([*some, "--report"])) == ["CatBoost"]
    assert suite.chosen_for_report(parse(["--data", "folder", "--report"])) is None

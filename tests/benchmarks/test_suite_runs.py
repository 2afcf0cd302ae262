"""A file of fits that grows, and runs that go on where the last one stopped."""

import _suite_models
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
    monkeypatch.setattr(_suite_models, "SLOW_BELOW", len(table))
    assert suite.turns_of(table, ["TabM-D"]) == []


def test_run_of_some_models_reports_all():
    parse = suite.make_parser().parse_args
    some = ["--data", "folder", "--models", "CatBoost"]
    assert suite.chosen_for_report(parse(some)) is None
    assert suite.chosen_for_report(parse([*some, "--report"])) == ["CatBoost"]
    assert suite.chosen_for_report(parse(["--data", "folder", "--report"])) is None

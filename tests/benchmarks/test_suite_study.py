"""The study of candidate defaults: inner splits, pairs of fits, and its report."""

import numpy as np
import pandas as pd
import pytest
import suite_study
from _suite import read_entries, read_table
from suite_study import YARDSTICK, Candidate, compare, split_sizes, summary_table


class Recorder:
    """A model that answers the mean and keeps what it was fitted on."""

    made = []

    def __init__(self, seed, parameters):
        self.seed, self.parameters = seed, parameters
        self.n_iter_ = 3
        Recorder.made.append(self)

    def fit(self, X, y, **options):
        self.rows, self.options = X.index, options
        self.mean = float(len(Recorder.made))
        return self

    def predict_proba(self, X):
        return [np.full((len(X), 2), 0.5)]

    def predict(self, X):
        return np.full((len(X), 3), self.mean)


@pytest.fixture
def table(folder, monkeypatch):
    monkeypatch.setattr(Recorder, "made", [])
    monkeypatch.setattr(
        suite_study, "make_default", lambda table, seed, **p: Recorder(seed, p)
    )
    return read_table(folder, read_entries(folder)["mixed"])


def test_candidate_is_fitted_on_the_rows_given(table):
    train, test = table.split_inner(0)
    answers, epochs = suite_study.fit_candidate(
        Candidate({"lr": 0.1}, by_group=True), table, train, test, 5
    )
    (model,) = Recorder.made
    assert (model.seed, model.parameters, epochs) == (5, {"lr": 0.1}, 3)
    assert model.rows.tolist() == train.tolist()
    assert model.options["groups"].tolist() == table.group.iloc[train].tolist()
    assert [answer.shape for answer in answers] == [(len(test), 2), *[(len(test),)] * 2]


def test_fits_with_parts_held_out_are_averaged(table):
    train, test = table.split_inner(0)
    candidate = Candidate(n_fits=2, n_parts=5)
    answers, _ = suite_study.fit_candidate(candidate, table, train, test, 1)
    first, second = Recorder.made
    assert (first.seed, second.seed) == (100, 101)
    held_out = [set(model.options["X_val"].index) for model in (first, second)]
    assert not held_out[0] & held_out[1]
    assert {*first.rows, *held_out[0]} == set(train)
    assert len(held_out[0]) == pytest.approx(len(train) / 5, abs=1)
    assert answers[1].tolist() == [1.5] * len(test)


@pytest.fixture
def runs(monkeypatch, tmp_path):
    monkeypatch.setattr(suite_study, "RESULTS", tmp_path / "results")
    return suite_study.make_runs()


def test_study_goes_on_where_it_stopped(table, runs):
    suite_study.run(runs, table, ["default"], [0, 1], [None])
    assert runs.done() == {("default", "mixed", 0), ("default", "mixed", 1)}
    suite_study.run(runs, table, ["default", "both"], [0], [None])
    assert len(Recorder.made) == 3
    assert list(runs.read()) == [
        *["name", "table", "seed", "task"],
        *suite_study.COLUMNS[4:],
    ]


def test_subsets_are_tables_of_their_own(table, runs):
    suite_study.run(runs, table, ["default"], [0], [8, 1_000])
    assert runs.done() == {("default", "mixed@8", 0)}
    assert len(Recorder.made[0].rows) == 8


def make_lines():
    rows = [
        # Of "new" seed 1 of s is not run yet; the gap of table s is that of seed 0.
        ("new", "s", 0, "a", 0.90, 0.3, 4.0),
        ("new", "t", 0, "a", 0.50, 0.1, 4.0),
        (YARDSTICK, "s", 0, "a", 0.80, 0.2, 2.0),
        (YARDSTICK, "s", 1, "a", 0.10, 0.2, 2.0),
        (YARDSTICK, "t", 0, "a", 0.51, np.nan, 1.0),
        ("default", "s", 0, "a", 0.899, 0.2, 2.0),
        ("default", "s", 1, "a", 0.10, 0.2, 2.0),
        ("default", "t", 0, "a", 0.51, 0.1, 1.0),
    ]
    columns = ["name", "table", "seed", "task", "primary", "skill", "cpu"]
    return pd.DataFrame(rows, columns=columns).assign(epochs=5.0)


def test_candidates_are_compared_seed_by_seed():
    found = compare(make_lines(), "new", YARDSTICK)
    assert found["gap"].tolist() == pytest.approx([0.1, -0.01])
    assert found["cpu"].tolist() == [2, 4]
    assert found["skill"].iloc[0] == pytest.approx(0.1)


def test_summary_has_the_acceptance_figures():
    table = summary_table(make_lines()).set_index("candidate")
    row = table.loc["new"]
    assert row["to LightGBM"] == "+0.0100"
    assert row["worst"] == "-0.0100 t"
    assert row["not behind"] == "1 of 2"
    assert row["CPU"] == "3.0"
    # Ahead of the default by .001 on s, behind by .01 on t.
    assert row["to the default"] == "-0.0045"
    assert row["better / worse"] == "0 / 1 of 2"


def test_whole_tables_and_subsets_are_told_apart():
    lines = make_lines()
    few = lines.assign(table=lines["table"] + "@500")
    more = lines.assign(table=lines["table"] + "@2000")
    found = split_sizes(pd.concat([more, few, lines]))
    assert list(found) == ["", "500", "2000"]
    assert set(found["500"]["table"]) == {"s@500", "t@500"}


def test_report_needs_the_yardstick(runs):
    with pytest.raises(SystemExit, match=f"needs fits of {YARDSTICK}, the yardstick"):
        suite_study.report(make_lines().query("name == 'new'"))


def test_unknown_names_are_an_error(capsys):
    with pytest.raises(SystemExit):
        suite_study.read_options(["--data", "folder", "nine"])
    assert "found nine. Choose from default, " in capsys.readouterr().err
    with pytest.raises(SystemExit):
        suite_study.read_options(["default"])
    assert "a run needs --data" in capsys.readouterr().err
    assert suite_study.read_options(["--report"]).report

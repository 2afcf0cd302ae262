"""A folder of tables: how it is read and split."""

import json

import numpy as np
import pandas as pd
import pytest
from _suite import SuiteTable, Task, order_by_size, read_entries, read_table


def make_table(kind="random", n_rows=20, group=None, time=None):
    frame = pd.DataFrame({"x": np.arange(n_rows, dtype=float)})
    column = [None if v is None else pd.Series(v) for v in (group, time)]
    tasks = (Task("y", "regression"),)
    return SuiteTable(
        "table", tasks, frame, frame.set_axis(["y"], axis=1), kind, *column
    )


def test_tables_have_the_declared_columns(folder):
    entries = read_entries(folder)
    assert list(entries) == ["classes", "mixed"]
    table = read_table(folder, entries["mixed"])
    assert list(table.X) == ["x"]
    assert list(table.y) == ["bought", "count", "height"]
    assert table.y["count"].dtype == "float64"
    assert table.y["bought"].dtype == "int8"
    assert table.group.tolist()[:5] == [0, 0, 0, 0, 1]
    assert table.time is None
    assert [task.has_classes for task in table.tasks] == [True, False, False]
    assert read_table(folder, entries["classes"]).categorical == ["kind"]


def test_folder_without_suite_json_is_an_error(tmp_path):
    message = "must be a folder with suite.json .* found no suite.json .* Build"
    with pytest.raises(SystemExit, match=message):
        read_entries(tmp_path)
    with pytest.raises(SystemExit, match=message):
        read_entries(tmp_path / "nowhere")


def test_table_without_its_file_is_an_error(folder):
    entry = read_entries(folder)["mixed"]
    (folder / "mixed.parquet").unlink()
    with pytest.raises(SystemExit, match=r"must exist; found no mixed\.parquet"):
        read_table(folder, entry)


def test_unknown_type_of_a_task_is_an_error(folder):
    entry = read_entries(folder)["classes"]
    entry["tasks"][1]["type"] = "ordinal"
    with pytest.raises(SystemExit, match="found ordinal in table 'classes'"):
        read_table(folder, entry)


def test_small_tables_come_first_and_unknown_ones_are_an_error(folder):
    entries = json.loads((folder / "suite.json").read_text())
    entries = {entry["name"]: entry for entry in entries}
    assert order_by_size(entries) == ["mixed", "classes"]
    assert order_by_size(entries, ["classes"]) == ["classes"]
    with pytest.raises(SystemExit, match=r"found nine\. Choose from classes, mixed"):
        order_by_size(entries, ["nine"])


def test_random_split_takes_a_fifth():
    train, test = make_table().split(3)
    drawn = np.random.default_rng(1003).permutation(20)[:4]
    assert test.tolist() == sorted(drawn)
    assert train.tolist() == sorted(set(range(20)) - set(drawn))


def test_group_split_keeps_groups_together():
    group = np.tile(np.arange(10), 2)
    train, test = make_table("group", group=group).split(0)
    assert len(set(group[test])) == 2
    assert not set(group[test]) & set(group[train])
    assert len(train) + len(test) == 20


def test_time_split_takes_the_last_fifth_and_leaves_rows_out_of_training():
    time = np.arange(20)[::-1]
    table = make_table("time", time=time)
    for seed in range(3):
        train, test = table.split(seed)
        assert test.tolist() == [0, 1, 2, 3]
        assert len(train) == 15
        assert set(train) < set(range(4, 20))
    assert table.split(0)[0].tolist() != table.split(1)[0].tolist()


def test_user_time_split_takes_the_last_rows_of_each_group():
    group = np.tile(["a", "b"], 10)
    _, test = make_table("user_time", group=group).split(0)
    assert test.tolist() == [16, 17, 18, 19]


KINDS = {
    "random": {},
    "group": {"group": np.tile(np.arange(10), 4)},
    "time": {"time": np.arange(40)},
    "user_time": {"group": np.repeat(np.arange(4), 10)},
}


@pytest.mark.parametrize("kind", KINDS)
def test_inner_split_reads_no_test_row(kind):
    table = make_table(kind, n_rows=40, **KINDS[kind])
    train, test = table.split(1)
    fit, score = table.split_inner(1)
    assert {*fit, *score} <= set(train)
    assert not {*fit, *score} & set(test)
    assert not set(fit) & set(score)
    assert len(score) > 0


def test_inner_split_by_time_scores_later_rows():
    fit, score = make_table("time", n_rows=40, time=np.arange(40)).split_inner(0)
    assert max(fit) < min(score)


def test_inner_split_draws_rows_to_fit_and_scores_the_same():
    table = make_table(n_rows=100)
    fit, score = table.split_inner(0)
    few, same = table.split_inner(0, 10)
    assert len(few) == 10
    assert set(few) < set(fit)
    assert same.tolist() == score.tolist()
    assert table.split_inner(0, 1_000)[0].tolist() == fit.tolist()


def test_small_tables_have_more_repeats():
    assert make_table(n_rows=9_999).n_repeats == 5
    assert make_table(n_rows=10_000).n_repeats == 3

"""Tables that are hard in one way each: their difficulty, their scores, the report."""

import hard_tables
import numpy as np
import pandas as pd
import pytest
from _hard_tables import (
    N_SHOPS,
    HardTable,
    draw_funnel,
    draw_missing,
    draw_rare,
    draw_tasks,
    draw_wide,
)
from _suite import SuiteTable, Task


def test_missing_cells_are_three_in_ten():
    # Adult itself has a hundredth of its cells missing.
    at_random = draw_missing(False, 0, n_fit=2_000).table.X
    with_meaning = draw_missing(True, 0, n_fit=2_000).table.X
    assert at_random.isna().mean().mean() == pytest.approx(0.3, abs=0.01)
    # A few columns are mostly one value, so their chance is cut at .95.
    assert with_meaning.isna().mean().mean() == pytest.approx(0.3, abs=0.03)
    age = with_meaning["age"]
    assert age.median() < at_random["age"].median() - 3


@pytest.mark.slow
def test_rare_class_has_its_share_in_both_parts():
    hard = draw_rare(0.01, 0, n_fit=1_000, n_score=4_000)
    income = hard.table.y["income"]
    rare = income.max()
    assert (income.iloc[hard.train] == rare).sum() == 10
    assert (income.iloc[hard.test] == rare).sum() == 40
    assert not hard.table.X.index.duplicated().any()


def test_tables_have_their_columns_and_tasks():
    wide = draw_wide(0, n_numbers=50, n_fit=100, n_score=200)
    assert wide.table.X.shape == (300, 50)
    assert [len(wide.train), len(wide.test)] == [100, 200]
    tasks = draw_tasks(7, 0, n_fit=100, n_score=200)
    assert tasks.table.y.shape == (300, 7)
    again = draw_tasks(7, 0, n_fit=100, n_score=200)
    pd.testing.assert_frame_equal(tasks.table.X, again.table.X)


def test_funnel_converts_clicked_rows_to_fit_at_the_true_rates():
    hard = draw_funnel(0, n_fit=20_000, n_score=20_000)
    y, rates = hard.table.y, hard.rates
    fitted, scored = y.iloc[hard.train], y.iloc[hard.test]
    assert hard.table.X["shop"].nunique() == N_SHOPS
    assert not (fitted["conversion"] > fitted["click"]).any()
    clicked = fitted["click"] == 1
    means = fitted["conversion"][clicked].mean(), rates[hard.train][clicked].mean()
    assert means[0] == pytest.approx(means[1], abs=0.02)
    assert scored["conversion"].mean() == pytest.approx(
        rates[hard.test].mean(), abs=0.01
    )


def make_funnel():
    y = pd.DataFrame({"click": [1, 0, 1, 0], "conversion": [1, 0, 0, 1]})
    tasks = tuple(Task(name, "binary") for name in y)
    X = pd.DataFrame({"x": [0.0, 1.0, 2.0, 3.0]})
    table = SuiteTable("funnel", tasks, X, y, "random")
    rates = np.array([0.5, 0.5, 0.25, 0.75])
    return HardTable(table, np.array([0, 1]), np.array([2, 3]), rates)


def test_conversion_rates_are_scored_against_the_truth():
    click = np.array([[0.2, 0.8], [0.6, 0.4]])
    rate = np.array([[0.5, 0.5], [0.5, 0.5]])
    scores = hard_tables.score(make_funnel(), [click, rate]).set_index("task")
    assert scores.loc["click", "auc"] == 1
    assert scores.loc["conversion", "log_loss"] == pytest.approx(np.log(2))
    # Bins of one row: |.25 - .5| and |.75 - .5|.
    assert scores.loc["conversion", "ece"] == pytest.approx(0.25)


def test_trees_learn_conversions_of_clicked_rows():
    table = hard_tables.of_clicked(make_funnel().table)
    assert table.y["conversion"].isna().tolist() == [False, True, False, True]


def test_gaps_are_paired_by_seed():
    rows = [
        ("lightgbm", "5 tasks", 0, "a", 0.7, 0.5, 0.01, 2.0, 0.0),
        ("lightgbm", "5 tasks", 1, "a", 0.8, 0.4, 0.01, 4.0, 0.0),
        ("default", "5 tasks", 1, "a", 0.9, 0.3, 0.02, 6.0, 5.0),
    ]
    frame = pd.DataFrame(rows, columns=list(hard_tables.COLUMNS))
    row = hard_tables.summarise(frame).set_index("model").loc["default"]
    assert row["AUC − LightGBM"].startswith("+0.1000")
    assert row["log-loss − LightGBM"].startswith("-0.1000")
    assert (row["CPU s"], row["seeds"]) == ("6.0", 1)

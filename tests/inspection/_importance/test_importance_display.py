"""Importances as a picture."""

import numpy as np
import pandas as pd
import pytest

from sk_mtl.inspection import ImportanceDisplay, permutation_importance_by_task


def importances(n_tasks):
    rng = np.random.default_rng(0)
    columns = [f"x{j}" for j in range(5)]
    return pd.DataFrame(
        {
            "task": [f"task_{k}" for k in range(n_tasks) for _ in columns],
            "column": columns * n_tasks,
            "metric": "roc_auc",
            "mean": rng.random(5 * n_tasks),
            "std": 0.01,
        }
    )


def test_result_and_estimator_give_the_same_table(model, table):
    options = {"n_repeats": 2, "random_state": 0}
    result = permutation_importance_by_task(model, *table, **options)
    first = ImportanceDisplay.from_importances(result)
    second = ImportanceDisplay.from_estimator(model, *table, **options)
    pd.testing.assert_frame_equal(first.frame(), second.frame())
    pd.testing.assert_frame_equal(first.frame(), result.frame)


@pytest.mark.parametrize("n_tasks", [2, 6, 20])
def test_most_important_columns_are_on_top(n_tasks):
    table = importances(n_tasks)
    table.loc[table["column"] == "x3", "mean"] = 2.0
    display = ImportanceDisplay(table).plot(n_columns=3)
    assert len(display.axes_) == n_tasks
    labels = [text.get_text() for text in display.ax_.get_yticklabels()]
    assert len(labels) == 3
    assert labels[0] == "x3"


def test_different_metrics_are_named():
    table = importances(2)
    table.loc[:4, "metric"] = "r2"
    display = ImportanceDisplay(table).plot()
    titles = [ax.get_title(loc="left") for ax in display.axes_]
    assert titles == ["task_0 · r2", "task_1 · roc_auc"]

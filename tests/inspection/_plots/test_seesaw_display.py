"""Gains and losses beside a baseline."""

import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier

from sk_mtl.inspection import SeesawDisplay
from sk_mtl.model_selection import compare_tasks
from tests.estimators.common import refuse


@pytest.mark.parametrize("several", [False, True])
def test_frame_holds_the_differences_of_the_comparison(table, several):
    X, y = table
    forest = RandomForestClassifier(n_estimators=3, random_state=0)
    models = [forest, DummyClassifier()] if several else forest
    options = {"cv": 2, "baseline": DummyClassifier(), "random_state": 0}
    comparison = compare_tasks(models, X[["age", "visits"]], y, **options)
    display = SeesawDisplay.from_comparison(comparison)
    expected = comparison.frame().reset_index()
    columns = ["metric", "difference", "lower", "upper", "verdict"]
    pd.testing.assert_frame_equal(display.frame()[columns], expected[columns])
    assert ("model" in display.frame()) == several
    assert len(display.lines_["roc_auc"]) == len(expected)
    label = "difference of roc_auc from DummyClassifier"
    assert display.ax_.get_xlabel().startswith(label)


def test_metrics_have_panels_of_their_own():
    table = pd.DataFrame(
        {
            "task": ["churn", "spend"],
            "metric": ["roc_auc", "r2"],
            "difference": [0.1, -0.1],
            "lower": [0.05, -0.2],
            "upper": [0.2, 0.1],
            "verdict": ["gains", "undecided"],
        }
    )
    display = SeesawDisplay(table).plot()
    assert list(display.lines_) == ["roc_auc", "r2"]
    legend = [text.get_text() for text in display.legend_.get_texts()]
    assert legend == ["gains", "undecided"]


def test_other_objects_are_refused(table):
    refuse(
        lambda: SeesawDisplay.from_comparison(table[1]),
        "SeesawDisplay needs the result of compare_tasks; found DataFrame. Call "
        "compare_tasks first.",
        TypeError,
    )

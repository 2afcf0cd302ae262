"""Cosines between gradients, as a map and by epoch."""

import numpy as np
import pandas as pd
import pytest

from sk_mtl import MMOEClassifier
from sk_mtl.inspection import (
    GradientConflictDisplay,
    GradientConflictRecorder,
    gradient_conflict,
)
from tests.estimators.common import PLAIN, QUICK, refuse

ONE = {**QUICK, **PLAIN, "max_epochs": 2, "n_members": 1}


def test_map_holds_the_cosines_of_each_pair(model, table):
    display = GradientConflictDisplay.from_estimator(model, *table)
    expected = gradient_conflict(model, *table).loc["churn", "buy"]
    assert display.frame().to_dict("records") == [
        {"task": "churn", "other": "buy", "cosine": pytest.approx(expected)}
    ]
    image = display.lines_["image"].get_array()
    assert image[0, 1] == image[1, 0] == pytest.approx(expected)
    assert display.ax_.texts


def test_numbers_are_left_out_of_a_large_map():
    tasks = [f"task_{k}" for k in range(9)]
    cosines = pd.DataFrame(np.eye(9), index=tasks, columns=tasks)
    display = GradientConflictDisplay.from_cosines(cosines)
    assert len(display.frame()) == 36
    assert not display.ax_.texts


def test_recorded_cosines_are_lines_by_epoch(table):
    recorder = GradientConflictRecorder()
    model = MMOEClassifier(callbacks=[recorder], **ONE).fit(*table)
    display = GradientConflictDisplay.from_history(model)
    expected = model.history_["gradient_cosine_churn_buy"]
    (line,) = display.lines_["churn – buy"]
    np.testing.assert_allclose(line.get_ydata(), expected)
    assert display.frame()["epoch"].tolist() == [1, 2]


def test_of_many_pairs_the_lowest_are_drawn():
    pairs = [("a", f"b{k}") for k in range(30)]
    table = pd.DataFrame(pairs, columns=["task", "other"])
    table["epoch"], table["cosine"] = 1, np.arange(30) / 30
    display = GradientConflictDisplay(table).plot()
    assert len(display.axes_) == 20
    assert "a – b19" in display.lines_
    assert "a – b20" not in display.lines_


def test_fit_without_the_recorder_and_one_task_are_refused(model, table):
    refuse(
        lambda: GradientConflictDisplay.from_history(model),
        "GradientConflictDisplay.from_history needs a fit that recorded cosines; found "
        "no column 'gradient_cosine_churn_buy' in history_. Fit with "
        "callbacks=[GradientConflictRecorder()].",
    )
    refuse(
        lambda: GradientConflictDisplay.from_cosines(
            pd.DataFrame([[1.0]], index=["buy"], columns=["buy"])
        ),
        "GradientConflictDisplay compares the gradients of tasks and needs two or "
        "more; found one, 'buy'. Fit a model of several tasks.",
    )

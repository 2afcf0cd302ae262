"""Curves of binary tasks: scikit-learn's numbers, missing labels, panels, refusals."""

import numpy as np
import pandas as pd
import pytest
from sklearn.calibration import calibration_curve
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import NotFittedError
from sklearn.metrics import (
    average_precision_score,
    precision_recall_curve,
    roc_auc_score,
    roc_curve,
)

from sk_mtl import MMOEClassifier
from sk_mtl.exceptions import PositiveClassWarning
from sk_mtl.inspection import TaskCalibration, TaskPrecisionRecall, TaskRocCurves
from tests.estimators.common import refuse

CURVES = [TaskRocCurves, TaskPrecisionRecall, TaskCalibration]


def predictions(n_tasks, n_samples=120, seed=0):
    """Return labels, some of them missing, and probabilities of tasks."""
    rng = np.random.default_rng(seed)
    proba = rng.random((n_samples, n_tasks))
    y = (rng.random((n_samples, n_tasks)) < proba).astype(float)
    y[::7, 0] = np.nan
    y = pd.DataFrame(y, columns=[f"task_{k}" for k in range(n_tasks)])
    return y, proba[:, 0] if n_tasks == 1 else proba


def of_task(display, task):
    table = display.frame()
    return table[table["task"] == task].drop(columns="task").to_numpy().T


def test_roc_curve_is_scikit_learns_on_the_labelled_rows():
    y, proba = predictions(2)
    display = TaskRocCurves.from_predictions(y, proba)
    known = y["task_0"].notna()
    expected = roc_curve(y["task_0"][known], proba[known, 0])
    np.testing.assert_allclose(of_task(display, "task_0"), expected)
    assert display.scores()["task_0"] == pytest.approx(
        roc_auc_score(y["task_0"][known], proba[known, 0])
    )


def test_precision_and_recall_are_scikit_learns():
    y, proba = predictions(2)
    weight = np.arange(len(y)) % 3 + 1
    display = TaskPrecisionRecall.from_predictions(y, proba, sample_weight=weight)
    precision, recall, threshold = precision_recall_curve(
        y["task_1"], proba[:, 1], sample_weight=weight
    )
    found = of_task(display, "task_1")
    np.testing.assert_allclose(found, [recall, precision, [*threshold, np.inf]])
    expected = average_precision_score(y["task_1"], proba[:, 1], sample_weight=weight)
    assert display.scores()["task_1"] == pytest.approx(expected)


@pytest.mark.parametrize("strategy", ["quantile", "uniform"])
def test_calibration_is_scikit_learns(strategy):
    y, proba = predictions(2)
    options = {"n_bins": 4, "strategy": strategy}
    display = TaskCalibration.from_predictions(y, proba, **options)
    observed, predicted = calibration_curve(y["task_1"], proba[:, 1], **options)
    np.testing.assert_allclose(of_task(display, "task_1"), [predicted, observed])


@pytest.mark.parametrize("curves", CURVES)
def test_estimator_and_its_predictions_give_the_same_curves(curves, model, table):
    X, y = table
    display = curves.from_estimator(model, X, y[["buy", "churn"]])
    expected = curves.from_predictions(y, model.predict_proba(X))
    pd.testing.assert_frame_equal(display.frame(), expected.frame())
    assert display.left_out == {}


def test_view_of_one_task_and_tables_of_other_libraries_are_drawn(model, table):
    X, y = table
    both = TaskRocCurves.from_estimator(model, X, y).scores()
    view = TaskRocCurves.from_estimator(model.task("buy"), X, y["buy"])
    assert view.scores() == {"buy": both["buy"]}
    polars = pytest.importorskip("polars")
    tables = polars.from_pandas(X), polars.from_pandas(y)
    assert TaskRocCurves.from_estimator(model, *tables).scores() == both


def test_forest_of_scikit_learn_is_drawn_too(table):
    X, y = table
    forest = DummyClassifier().fit(X, y)
    assert TaskRocCurves.from_estimator(forest, X, y).scores() == {
        "churn": 0.5,
        "buy": 0.5,
    }


@pytest.mark.parametrize("curves", CURVES)
@pytest.mark.parametrize(("n_tasks", "n_axes"), [(2, 1), (6, 1), (7, 7)])
def test_six_tasks_share_axes_and_more_get_panels(curves, n_tasks, n_axes):
    display = curves.from_predictions(*predictions(n_tasks))
    assert len(display.axes_) == len(display.figure_.axes) == n_axes
    assert list(display.lines_) == [f"task_{k}" for k in range(n_tasks)]
    assert display.ax_ is display.axes_[0]
    assert display.plot() is display


@pytest.mark.parametrize("n_tasks", [2, 7])
def test_curves_are_drawn_in_the_place_of_given_axes(n_tasks):
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2)
    display = TaskRocCurves.from_predictions(*predictions(n_tasks), ax=right)
    assert display.figure_ is figure
    assert (display.ax_ is right) == (n_tasks == 2)
    assert not left.lines
    alone = plt.figure().add_axes([0.1, 0.1, 0.5, 0.5])
    inside = TaskRocCurves.from_predictions(*predictions(n_tasks), ax=alone)
    assert inside.axes_[-1].get_position().x1 <= 0.6 + 1e-9


def test_task_without_a_curve_is_named_with_the_reason():
    y, proba = predictions(3)
    y["task_1"] = 1
    y["task_2"] = np.arange(len(y)) % 3
    wide = np.full((len(y), 3), 1 / 3)
    binary = [np.column_stack([1 - p, p]) for p in proba.T]
    display = TaskRocCurves.from_predictions(y, [*binary[:2], wide])
    assert display.left_out == {
        "task_1": "has labels of one class only",
        "task_2": "has 3 classes",
    }
    label = display.ax_.get_xlabel()
    assert label.endswith(
        "\nleft out: task_1 has labels of one class only\n"
        "left out: task_2 has 3 classes"
    )


def test_no_task_with_a_curve_is_refused():
    y, proba = predictions(1)
    y["task_0"] = 1
    refuse(
        lambda: TaskRocCurves.from_predictions(y, proba),
        "TaskRocCurves needs a binary task with labels of both classes; found "
        "{'task_0': 'has labels of one class only'}. Give rows with both, or another "
        "display.",
    )


def test_weights_are_refused_where_scikit_learn_takes_none():
    y, proba = predictions(2)
    refuse(
        lambda: TaskCalibration.from_predictions(
            y, proba, sample_weight=np.full(len(y), 2.0)
        ),
        "TaskCalibration must have rows of equal weight, as scikit-learn's "
        "calibration_curve; found sample_weight. Leave it out.",
    )


@pytest.mark.parametrize("curves", CURVES)
def test_unfitted_model_is_refused(curves, table):
    with pytest.raises(NotFittedError):
        curves.from_estimator(MMOEClassifier(), *table)


def test_open_positive_class_is_warned_about():
    y, proba = predictions(1)
    words = y.fillna(0).map({0: "no", 1: "yes"}.get)
    with pytest.warns(PositiveClassWarning, match="TaskPrecisionRecall needs"):
        TaskPrecisionRecall.from_predictions(words, proba)
    named = TaskPrecisionRecall.from_predictions(words, proba, pos_label="yes")
    plain = TaskPrecisionRecall.from_predictions(y.fillna(0), proba)
    pd.testing.assert_frame_equal(named.frame(), plain.frame())


def test_display_is_drawn_from_its_frame():
    display = TaskRocCurves.from_predictions(*predictions(2))
    again = TaskRocCurves(display.frame()).plot()
    assert again.scores() == display.scores()

"""Draw the pictures of the pages on evaluation and explanation.

Two models of Adult and one of a made-up funnel are trained on a part of the rows and
drawn on rows that they have not seen. Takes about a minute.
"""

import argparse
import os
from pathlib import Path

import matplotlib.pyplot as plt
import torch

from sk_mtl import ESMMClassifier, MMOEClassifier, PLEClassifier, SharedBottomClassifier
from sk_mtl.datasets import load_adult, make_conversion_funnel
from sk_mtl.inspection import (
    EmbeddingDisplay,
    FunnelDisplay,
    GateDisplay,
    ImportanceDisplay,
    LearningCurves,
    SeesawDisplay,
    TaskCalibration,
    TaskPrecisionRecall,
    TaskRocCurves,
    ThresholdDisplay,
    partial_dependence_by_task,
)
from sk_mtl.model_selection import compare_tasks

IMAGES = Path(__file__).parent / "images"


def save(figure, name):
    """Save a picture and close it."""
    IMAGES.mkdir(exist_ok=True)
    figure.savefig(IMAGES / f"{name}.png", dpi=110)
    plt.close(figure)
    print(os.path.relpath(IMAGES / f"{name}.png"))


def draw_curves(model, X, y):
    """Draw ROC, precision and recall, and calibration side by side."""
    figure, axes = plt.subplots(1, 3, figsize=(11, 3.7), layout="constrained")
    for curves, ax in zip(
        (TaskRocCurves, TaskPrecisionRecall, TaskCalibration), axes, strict=True
    ):
        curves.from_estimator(model, X, y, ax=ax)
    save(figure, "plots_curves")


def draw_partial_dependence(model, X, feature):
    """Draw the mean probability of each task against one column."""
    table = partial_dependence_by_task(model, X, feature)
    figure, ax = plt.subplots(figsize=(4.6, 3.2), layout="constrained")
    for task, rows in table.groupby("task", sort=False):
        ax.plot(rows["value"], rows["average"], label=task)
    ax.set(xlabel=f"{feature} (years)", ylabel="mean probability", ylim=(0, 1))
    ax.grid(alpha=0.3)
    ax.legend(frameon=False)
    save(figure, "plots_partial_dependence")


def main(n_samples):
    torch.set_num_threads(1)
    train, test = slice(0, n_samples), slice(0, n_samples // 2)
    X, y = load_adult(return_X_y=True)
    X_test, y_test = load_adult(subset="test", return_X_y=True)
    X, y, X_test, y_test = X[train], y[train], X_test[test], y_test[test]

    model = MMOEClassifier(max_epochs=15, random_state=0).fit(X, y)
    save(LearningCurves.from_estimator(model).figure_, "plots_history")
    draw_curves(model, X_test, y_test)
    display = ThresholdDisplay.from_estimator(model, X_test, y_test)
    save(display.figure_, "plots_thresholds")
    display = GateDisplay.from_estimator(model, X_test, by="sex")
    save(display.figure_, "plots_gates")
    display = ImportanceDisplay.from_estimator(model, X_test, y_test, random_state=0)
    save(display.figure_, "plots_importance")
    draw_partial_dependence(model, X_test[:500], "age")
    display = EmbeddingDisplay.from_estimator(model, X, "occupation", values=y.income)
    save(display.figure_, "plots_embedding")

    levels = PLEClassifier(random_state=0).fit(X, y)
    save(GateDisplay.from_estimator(levels, X_test).figure_, "plots_gates_of_levels")
    models = [MMOEClassifier(), SharedBottomClassifier()]
    comparison = compare_tasks(models, X, y, random_state=0)
    save(SeesawDisplay.from_comparison(comparison).figure_, "plots_seesaw")

    X, y, _ = make_conversion_funnel(2 * n_samples, random_state=0)
    X = X.drop(columns="history")
    funnel = ESMMClassifier(random_state=0).fit(X[train], y[train])
    rest = slice(n_samples, None)
    display = FunnelDisplay.from_estimator(funnel, X[rest], y[rest])
    save(display.figure_, "plots_funnel")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000, help="training rows")
    main(parser.parse_args().rows)

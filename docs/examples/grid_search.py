"""Search the sizes of an MMoE on Adult: experts, their widths and the towers' widths.

Eighteen candidates, three folds of the training rows each, chosen by the mean AUC of
both tasks. The best one is fitted again on all training rows and scored once on the
official test rows, beside the defaults. Prints the result table as Markdown and saves
a picture. Takes about four minutes on two cores.
"""

import argparse
import os
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import Pipeline

from sk_mtl import MMOEClassifier
from sk_mtl.datasets import load_adult
from sk_mtl.metrics import make_task_scorer, task_scores

IMAGE = Path(__file__).parent / "images" / "grid_search.png"
GRID = {
    "model__n_experts": [2, 4, 8],
    "model__expert_hidden_sizes": [(16,), (64,), (64, 32)],
    "model__tower_hidden_sizes": [(8,), (32,)],
}
SCORING = {
    "mean": make_task_scorer("roc_auc"),
    "income": make_task_scorer("roc_auc", task="income"),
    "married": make_task_scorer("roc_auc", task="married"),
}


def search_sizes(pipeline, X, y, n_jobs):
    """Return the fitted search."""
    search = GridSearchCV(
        pipeline,
        GRID,
        scoring=SCORING,
        refit="mean",
        cv=KFold(3, shuffle=True, random_state=0),
        n_jobs=n_jobs,
        error_score="raise",
    )
    return search.fit(X, y)


def result_table(search):
    """Return one row per candidate, the best first."""
    results = search.cv_results_
    names = {name: name.removeprefix("model__") for name in GRID}
    columns = {short: results[f"param_{name}"] for name, short in names.items()}
    for task in SCORING:
        columns[f"AUC {task}"] = results[f"mean_test_{task}"]
    columns["± over folds"] = results["std_test_mean"]
    frame = pd.DataFrame(columns)
    return frame.sort_values("AUC mean", ascending=False, kind="stable")


def print_markdown(frame):
    """Print the frame as a Markdown table."""
    digits = {name: "{:.4f}" for name in frame if "AUC" in name or "folds" in name}
    cells = frame.assign(**{n: frame[n].map(form.format) for n, form in digits.items()})
    for row in (list(frame), ["---"] * frame.shape[1], *cells.to_numpy().tolist()):
        print(f"| {' | '.join(map(str, row))} |")


def plot_results(frame):
    """Save the mean AUC over the number of experts, a line per size of expert."""
    towers = sorted(frame["tower_hidden_sizes"].unique())
    figure, axes = plt.subplots(
        1, len(towers), figsize=(8, 3.2), sharey=True, layout="constrained"
    )
    for ax, tower in zip(axes, towers, strict=True):
        of_tower = frame[frame["tower_hidden_sizes"] == tower].sort_values("n_experts")
        for sizes, lines in of_tower.groupby("expert_hidden_sizes"):
            ax.plot(lines["n_experts"], lines["AUC mean"], "o-", label=str(sizes))
        ax.set(title=f"towers of {tower}", xlabel="experts", xticks=[2, 4, 8])
        ax.grid(alpha=0.3)
    axes[0].set_ylabel("AUC, mean of both tasks\nand of three folds")
    low, high = frame["± over folds"].min(), frame["± over folds"].max()
    figure.suptitle(f"Standard deviation over folds: {low:.4f} to {high:.4f}", size=10)
    axes[1].legend(title="expert_hidden_sizes", fontsize="small", loc="lower right")
    IMAGE.parent.mkdir(exist_ok=True)
    figure.savefig(IMAGE, dpi=110)
    print(f"\nThe picture: {os.path.relpath(IMAGE)}")


def main(n_rows, max_epochs, n_jobs):
    X, y = load_adult(return_X_y=True)
    X, y = X[:n_rows], y[:n_rows]
    model = MMOEClassifier(max_epochs=max_epochs, random_state=0)
    pipeline = Pipeline([("model", model)])
    search = search_sizes(pipeline, X, y, n_jobs)
    frame = result_table(search)
    print_markdown(frame)

    X_test, y_test = load_adult(subset="test", return_X_y=True)
    print("\nTest AUC")
    for name, fitted in {"best": search, "defaults": clone(pipeline).fit(X, y)}.items():
        auc = task_scores(y_test, fitted.predict_proba(X_test), metrics="roc_auc")
        print(f" {name:<9}", {k: round(v, 4) for k, v in auc["roc_auc"].items()})
    spread = np.ptp(frame["AUC mean"])
    print(f" best and worst candidate are {spread:.4f} apart in mean AUC over folds")
    plot_results(frame)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, help="search on the first rows only")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    main(arguments.rows, arguments.epochs, arguments.jobs)

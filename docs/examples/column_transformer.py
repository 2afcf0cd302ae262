"""Three preprocessors on Adult: what a ColumnTransformer can do for the income task.

`standard` is the default. `quantile` maps each number to a normal distribution.
`values` keeps the scaled numbers and, beside them, gives each frequent value of a
number its own embedding: a capital gain of 7688 or 15024 dollars says more than the
distance between the two. Each is tried alone (`numeric_embedding=None`) and with the
bins that the network adds by default, cross-validated on the training rows and then
scored on the official test rows. Prints a Markdown table and saves a picture.
"""

import argparse
import os
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
from sklearn.base import clone
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.model_selection import KFold, cross_validate

from sk_mtl import MMOEClassifier
from sk_mtl.datasets import load_adult
from sk_mtl.metrics import make_task_scorer, task_scores
from sk_mtl.preprocessing import (
    CategoryEncoder,
    NumericScaler,
    make_tabular_preprocessor,
)

IMAGE = Path(__file__).parent / "images" / "column_transformer.png"
TASKS = ("income", "married")


def make_models():
    """Return estimators by name: each preprocessor without bins, two with them."""
    numbers = make_column_selector(dtype_include="number")
    categories = make_column_selector(dtype_exclude="number")
    few_values = make_column_selector("age|education_num|capital|hours")
    values = ColumnTransformer(
        [
            ("num", NumericScaler(), numbers),
            ("values", CategoryEncoder(min_frequency=20), few_values),
            ("cat", CategoryEncoder(), categories),
        ]
    )
    preprocessors = {
        "standard": make_tabular_preprocessor(),
        "quantile": make_tabular_preprocessor(numeric="quantile"),
        "values": values,
    }
    models = {
        name: MMOEClassifier(preprocessor=preprocessor, numeric_embedding=None)
        for name, preprocessor in preprocessors.items()
    }
    for name in ("standard", "values"):
        models[f"{name}, bins"] = MMOEClassifier(preprocessor=preprocessors[name])
    return models


def score_model(model, train, test, n_seeds):
    """Return AUC per task: one row per fold, and one per seed on the test rows."""
    X, y = train
    scoring = {task: make_task_scorer("roc_auc", task=task) for task in TASKS}
    model = clone(model).set_params(random_state=0)
    folds = KFold(5, shuffle=True, random_state=0)
    folds = cross_validate(model, X, y, cv=folds, scoring=scoring, n_jobs=2)
    tests = []
    for seed in range(n_seeds):
        model.set_params(random_state=seed).fit(X, y)
        proba = model.predict_proba(test[0])
        tests.append(task_scores(test[1], proba, metrics="roc_auc")["roc_auc"])
    folds = pd.DataFrame({task: folds[f"test_{task}"] for task in TASKS})
    return folds, pd.DataFrame(tests, columns=TASKS)


def print_markdown(results):
    """Print mean and standard deviation as a Markdown table."""
    columns = [f"{part}, {task}" for part in ("folds", "test") for task in TASKS]
    print(f"| preprocessor | {' | '.join(columns)} |")
    print("| --- " * (len(columns) + 1) + "|")
    for name, parts in results.items():
        cells = [
            f"{part[task].mean():.4f} ± {part[task].std():.4f}"
            for part in parts
            for task in TASKS
        ]
        print(f"| {name} | {' | '.join(cells)} |")


def plot_results(results):
    """Save the AUC of every fold and of every seed on the test rows."""
    figure, axes = plt.subplots(1, 2, figsize=(8, 3.2), layout="constrained")
    for ax, task in zip(axes, TASKS, strict=True):
        for place, (folds, tests) in enumerate(results.values()):
            labels = ("fold of the training rows", "test rows, one seed")
            for shift, part, label in zip((-0.1, 0.1), (folds, tests), labels):
                ax.plot(
                    [place + shift] * len(part),
                    part[task],
                    "o" if shift < 0 else "D",
                    color="C0" if shift < 0 else "C1",
                    alpha=0.7,
                    label=label if place == 0 else None,
                )
        ax.set_xticks(range(len(results)), [n.replace(", ", "\n") for n in results])
        ax.set(title=task, ylabel="AUC", xlim=(-0.5, len(results) - 0.5))
        ax.grid(axis="y", alpha=0.3)
    axes[0].legend(fontsize="small", loc="lower right")
    figure.suptitle("MMoE on Adult with three preprocessors, and bins")
    IMAGE.parent.mkdir(exist_ok=True)
    figure.savefig(IMAGE, dpi=110)
    print(f"\nThe picture: {os.path.relpath(IMAGE)}")


def main(n_seeds):
    train = load_adult(return_X_y=True)
    test = load_adult(subset="test", return_X_y=True)
    results = {
        name: score_model(model, train, test, n_seeds)
        for name, model in make_models().items()
    }
    print_markdown(results)
    plot_results(results)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3, help="fits for the test rows")
    main(parser.parse_args().seeds)

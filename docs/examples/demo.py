"""Train ESMM and MMoE on two census tables; print test AUC, save the gates' picture.

`make demo` runs this file. It takes about a minute: three seeds per model on Adult, one
on Census-Income (KDD), which is six times as large, two fits at a time. When to stop is
decided on a tenth of the training rows, which `fit` sets aside; nothing is chosen on
test rows.
"""

import argparse
import os
import time
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from joblib import Parallel, cpu_count, delayed

from sk_mtl import ESMMClassifier, MMOEClassifier
from sk_mtl.datasets import load_adult, load_census_income
from sk_mtl.metrics import task_scores

IMAGE = Path(__file__).parent / "images" / "demo.png"
TABLES = {"Adult": load_adult, "Census-Income (KDD)": load_census_income}

# The tasks do not build on each other, so ESMM's network (a shared embedding with one
# tower per task) takes them as independent, as the first implementation did.
MODELS = {
    "ESMM": lambda seed: ESMMClassifier(structure="independent", random_state=seed),
    "MMoE": lambda seed: MMOEClassifier(random_state=seed),
}

# Known figures, not computed here. LightGBM: one model per label, learning rate .05, by
# benchmarks/trees.py; KDD's on one half of the test file. First implementation: its own
# result table.
LIGHTGBM = {
    "Adult": {"income": 0.9264, "married": 0.9645},
    "Census-Income (KDD)": {"income": 0.9576, "never_married": 0.9948},
}
FIRST = {
    "ESMM": {"income": 0.902, "married": 0.962},
    "MMoE": {"income": 0.896, "married": 0.961},
}


def train_and_score(table, name, seed):
    """Return the test AUC per task of one fit, its mean gate weights, and a report."""
    # Two cores are hardly faster than one on steps of 1024 rows, so each fit gets one.
    torch.set_num_threads(1)
    X, y = TABLES[table](return_X_y=True)
    X_test, y_test = TABLES[table](subset="test", return_X_y=True)
    start = time.perf_counter()
    model = MODELS[name](seed).fit(X, y)
    seconds = time.perf_counter() - start
    auc = task_scores(y_test, model.predict_proba(X_test), metrics="roc_auc")
    gates = None
    if name == "MMoE":
        mean = model.predict_gates(X_test).mean(axis=0)
        # Several members have experts of their own each; the first one's are shown.
        first = mean[0] if mean.ndim == 3 else mean
        gates = pd.DataFrame(first, index=model.task_names_)
    report = (
        f"{table}: {name}, seed {seed}: {model.best_epoch_} epochs kept of "
        f"{model.n_iter_}, {seconds:.0f} s"
    )
    return auc["roc_auc"], gates, report


def print_scores(table, scores):
    """Print the mean and deviation over seeds, beside the known figures."""
    print(f"\nTest AUC on {table}")
    header = ["task", "model", "sk_mtl", "first implementation", "LightGBM"]
    print(" {:<14} {:<5}  {:<17} {:<21} {}".format(*header))
    summary = scores.groupby(["task", "model"], sort=False)["auc"]
    for (task, model), auc in summary:
        ours = f"{auc.mean():.4f}"
        if len(auc) > 1:
            ours += f" ± {auc.std():.4f}"
        first = FIRST[model].get(task, "") if table == "Adult" else ""
        known = LIGHTGBM[table][task]
        print(f" {task:<14} {model:<5}  {ours:<17} {first!s:<21} {known:.4f}")
    n_seeds = scores["seed"].nunique()
    several = f"mean ± standard deviation of {n_seeds} seeds"
    print(f" ({several if n_seeds > 1 else 'one seed'})\n")


def plot_gates(gates_of_table):
    """Save how much of each expert each task takes, on average over the test rows."""
    figure, axes = plt.subplots(
        1, len(gates_of_table), figsize=(9, 2.6), layout="constrained"
    )
    largest = max(gates.to_numpy().max() for gates in gates_of_table.values())
    for ax, (table, gates) in zip(axes, gates_of_table.items(), strict=True):
        image = ax.imshow(gates, vmin=0, vmax=largest, cmap="Blues", aspect="auto")
        for (task, expert), weight in np.ndenumerate(gates.to_numpy()):
            colour = "white" if weight > 0.6 * largest else "black"
            ax.text(expert, task, f"{weight:.2f}", ha="center", va="center", c=colour)
        ax.set_xticks(range(gates.shape[1]))
        ax.set_yticks(range(len(gates)), gates.index)
        ax.set(title=table, xlabel="expert")
    figure.colorbar(image, ax=axes, label="mean gate weight")
    figure.suptitle(
        "How the tasks of an MMoE share its experts (test rows, seed 0, first network)"
    )
    IMAGE.parent.mkdir(exist_ok=True)
    figure.savefig(IMAGE, dpi=110)
    print(f"The gates' use of experts: {os.path.relpath(IMAGE)}")


def main(n_seeds, n_seeds_large):
    # The large table first: its fits are the longest.
    n_of_table = {"Census-Income (KDD)": n_seeds_large, "Adult": n_seeds}
    fits = [
        (table, name, seed)
        for table, n in n_of_table.items()
        for seed in range(n)
        for name in MODELS
    ]
    run = Parallel(n_jobs=min(2, cpu_count()), return_as="generator")
    results = run(delayed(train_and_score)(*fit) for fit in fits)
    scores, gates_of_table = {table: [] for table in TABLES}, {}
    for (table, name, seed), (auc, gates, report) in zip(fits, results, strict=True):
        print(report, flush=True)
        scores[table] += [(name, seed, task, value) for task, value in auc.items()]
        if name == "MMoE" and seed == 0:
            gates_of_table[table] = gates
    for table, rows in scores.items():
        columns = ["model", "seed", "task", "auc"]
        print_scores(table, pd.DataFrame(rows, columns=columns))
    plot_gates({table: gates_of_table[table] for table in TABLES})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3, help="fits per model on Adult")
    parser.add_argument("--seeds-large", type=int, default=1, help="on Census-Income")
    arguments = parser.parse_args()
    main(arguments.seeds, arguments.seeds_large)

"""Few labels for one task of two on Adult: what the rows without a label are good for.

Every row has the label `married`; a share of them has the label `income`. Three ways to
learn the income: an MMoE with both tasks on all rows, in which a missing label is NaN,
the same with a quarter of the learning rate, and the same network with the income alone
on the labelled rows. All are scored on the official test rows. Prints a Markdown table
and saves a picture.
"""

import argparse
import os
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch

from sk_mtl import MMOEClassifier
from sk_mtl.datasets import load_adult
from sk_mtl.metrics import task_scores

IMAGE = Path(__file__).parent / "images" / "missing_labels.png"
N_LABELS = (300, 1000, 3000, 10_000, 32_561)
WAYS = ("both tasks, all rows", "the same, lr=0.002", "income alone, labelled rows")


def income_aucs(X, y, X_test, y_test, n_labels, seed):
    """Return the test AUC of every way when `n_labels` rows know the income."""
    labelled = np.random.default_rng(seed).permutation(len(X))[:n_labels]
    partly = y.astype(float)
    partly["income"] = np.nan
    partly.iloc[labelled, 0] = y["income"].iloc[labelled]
    # Everywhere the income decides when to stop, on a tenth of the rows that know it.
    options = {"monitor": "income", "early_stopping": True, "random_state": seed}
    models = [
        MMOEClassifier(**options).fit(X, partly),
        MMOEClassifier(lr=0.002, **options).fit(X, partly),
        MMOEClassifier(**options).fit(X.iloc[labelled], y[["income"]].iloc[labelled]),
    ]
    return [
        task_scores(
            y_test[["income"]], model.predict_proba(X_test)[:1], metrics="roc_auc"
        ).iloc[0, 0]
        for model in models
    ]


def plot_results(frame):
    """Save mean and standard deviation over the number of labels."""
    figure, ax = plt.subplots(figsize=(6, 3.6), layout="constrained")
    # A little apart, or the bars would hide each other.
    for way, shift in zip(WAYS, (0.96, 1.0, 1.04), strict=True):
        runs = frame.groupby("labels")[way]
        place = shift * np.array(N_LABELS)
        ax.errorbar(place, runs.mean(), runs.std(), fmt="o-", capsize=3, label=way)
    ax.set(
        title="Mean and standard deviation over seeds",
        xscale="log",
        xlabel="rows with the label income (all 32,561 have married)",
        ylabel="test AUC of income",
    )
    ax.set_xticks(N_LABELS, [f"{n:,}" for n in N_LABELS])
    ax.minorticks_off()
    ax.grid(alpha=0.3)
    ax.legend()
    IMAGE.parent.mkdir(exist_ok=True)
    figure.savefig(IMAGE, dpi=110)
    print(f"\nThe picture: {os.path.relpath(IMAGE)}")


def main(n_seeds):
    torch.set_num_threads(1)
    X, y = load_adult(return_X_y=True)
    X_test, y_test = load_adult(subset="test", return_X_y=True)
    rows = [
        (n, *income_aucs(X, y, X_test, y_test, n, seed))
        for n in N_LABELS
        for seed in range(n_seeds)
    ]
    frame = pd.DataFrame(rows, columns=["labels", *WAYS])
    print(f"| rows with income | {' | '.join(WAYS)} |\n|{' --- |' * 4}")
    for n, runs in frame.groupby("labels"):
        cells = [f"{runs[way].mean():.3f} ± {runs[way].std():.3f}" for way in WAYS]
        print(f"| {n:,} | {' | '.join(cells)} |")
    plot_results(frame)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    main(parser.parse_args().seeds)

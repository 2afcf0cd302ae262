"""Time permutation importance of all tasks against scikit-learn's, task by task.

The 39 columns of Census-Income (KDD) and its two tasks, and 40 columns of the hardest
kind: numbers of which no two are equal, so that no permuted row is seen twice. The
naive loop calls `sklearn.inspection.permutation_importance` with a scorer for each
task. The numbers of both are compared, too.
"""

import argparse
import time

import numpy as np
import pandas as pd
import torch
from sklearn.inspection import permutation_importance

from sk_mtl import MMOEClassifier
from sk_mtl.datasets import load_census_income
from sk_mtl.inspection import permutation_importance_by_task
from sk_mtl.metrics import make_task_scorer


def census(n_samples):
    """Return training and test rows of Census-Income (KDD)."""
    X, y = load_census_income(return_X_y=True)
    X_test, y_test = load_census_income(subset="test", return_X_y=True)
    train, test = slice(0, 4 * n_samples), slice(0, n_samples)
    return X[train], y[train], X_test[test], y_test[test]


def distinct_numbers(n_samples, seed=0):
    """Return training and test rows of 40 columns of numbers that all differ."""
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(rng.normal(size=(2 * n_samples, 40))).add_prefix("x")
    noise = rng.normal(size=(2 * n_samples, 2))
    scores = X[["x0", "x1"]].to_numpy() + X[["x2"]].to_numpy() + noise
    y = pd.DataFrame((scores > 0.5).astype(int), columns=["first", "second"])
    train, test = slice(0, n_samples), slice(n_samples, None)
    return X[train], y[train], X[test], y[test]


def compare(name, table, n_repeats):
    """Print the seconds of both, and how far their importances lie apart."""
    X, y, X_test, y_test = table
    model = MMOEClassifier(max_epochs=2, random_state=0).fit(X, y)
    options = {"n_repeats": n_repeats, "random_state": 0}

    start = time.perf_counter()
    found = permutation_importance_by_task(model, X_test, y_test, **options)
    ours = time.perf_counter() - start
    start = time.perf_counter()
    naive = [
        permutation_importance(
            model,
            X_test,
            y_test,
            scoring=make_task_scorer("roc_auc", task=task),
            **options,
        ).importances
        for task in y
    ]
    theirs = time.perf_counter() - start
    difference = np.abs(found.importances - np.stack(naive)).max()
    print(f"{name}: {len(X_test):,} rows, {X.shape[1]} columns, {y.shape[1]} tasks")
    print(f"  naive loop {theirs:6.1f} s")
    print(f"  by task    {ours:6.1f} s, {theirs / ours:.1f} times as fast")
    print(f"  largest difference of an importance: {difference:.1g}")


def main(n_samples, n_repeats):
    torch.set_num_threads(1)
    compare("Census-Income (KDD)", census(n_samples), n_repeats)
    compare("Distinct numbers", distinct_numbers(n_samples), n_repeats)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=5000)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    main(arguments.rows, arguments.repeats)

"""Seconds and test AUC of one default fit on the raw Census-Income (KDD) frame.

Validation and test rows are the two halves of the official test file.
"""

import argparse
import time

import numpy as np
import pandas as pd
from _report import write_report
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split

from sk_mtl import MMOEClassifier
from sk_mtl.datasets import load_census_income


def main(n_seeds):
    X, y = load_census_income(return_X_y=True)
    X_test, y_test = load_census_income(subset="test", return_X_y=True)
    X_val, X_test, y_val, y_test = train_test_split(
        X_test, y_test, test_size=0.5, random_state=0
    )
    rows = []
    for seed in range(n_seeds):
        start = time.perf_counter()
        model = MMOEClassifier(random_state=seed).fit(X, y, X_val=X_val, y_val=y_val)
        seconds = time.perf_counter() - start
        aucs = [
            roc_auc_score(y_test[name], proba[:, 1])
            for name, proba in zip(y, model.predict_proba(X_test), strict=True)
        ]
        rows.append((seed, f"{seconds:.1f}", model.best_epoch_, *np.round(aucs, 4)))
    columns = ["seed", "seconds", "best epoch", *(f"AUC {name}" for name in y)]
    frame = pd.DataFrame(rows, columns=columns)
    means = frame[columns[3:]].agg(["mean", "std"]).round(4)
    notes = "; ".join(
        f"{name}: {means.loc['mean', name]:.4f} ± {means.loc['std', name]:.4f}"
        for name in means
    )
    write_report(
        "fit_time",
        "A default fit on Census-Income (KDD), everything included",
        frame,
        notes=f"Mean and standard deviation over seeds: {notes}.",
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    main(parser.parse_args().seeds)

"""What does a network gain that also learns from the answers of boosted trees?

The default `MMOEClassifier` on the training file of Adult beside `distil` of it, whose
teacher is one `HistGradientBoostingClassifier` per label, fitted in five folds without
the row. Three quarters of the file train and one quarter is scored, on three splits;
differences are paired by split. The test file is not read.
"""

import argparse
import time

import numpy as np
import pandas as pd
from _report import write_report
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import train_test_split

from sk_mtl import MMOEClassifier
from sk_mtl.datasets import load_adult
from sk_mtl.ensemble import distil


def teacher():
    return HistGradientBoostingClassifier(
        learning_rate=0.05,
        max_iter=1000,
        early_stopping=True,
        n_iter_no_change=30,
        random_state=0,
    )


class Trees:
    """The teacher by itself: one model per label, fitted to all rows."""

    def fit(self, X, y):
        self.models = [teacher().fit(X, y[task]) for task in y]
        return self

    def predict_proba(self, X):
        return [model.predict_proba(X) for model in self.models]


def fits(seed: int, shares: list[float]):
    """Return how each model is fitted, by its name."""

    def student(share):
        network = MMOEClassifier(random_state=seed, distillation=share)
        return lambda X, y: distil(network, teacher(), X, y)

    return {
        "MMOEClassifier": MMOEClassifier(random_state=seed).fit,
        "trees per label": Trees().fit,
        **{f"distilled, {share:g} of the teacher": student(share) for share in shares},
    }


def scores_of(seed: int, shares: list[float]) -> pd.DataFrame:
    """Return AUC, log-loss and processor seconds of each model on one split."""
    X, y = load_adult(return_X_y=True)
    X, X_eval, y, y_eval = train_test_split(X, y, test_size=0.25, random_state=seed)
    rows = {}
    for name, fit in fits(seed, shares).items():
        start = time.process_time()
        probas = fit(X, y).predict_proba(X_eval)
        rows[name] = {"CPU s": time.process_time() - start}
        for task, proba in zip(y, probas, strict=True):
            rows[name][f"{task} AUC"] = roc_auc_score(y_eval[task], proba[:, 1])
            rows[name][f"{task} log-loss"] = log_loss(y_eval[task], proba[:, 1])
        print(seed, name, rows[name], flush=True)
    return pd.DataFrame(rows).T


def cell(values: np.ndarray, plain: np.ndarray) -> str:
    gains = values - plain
    mean = f"{values.mean():.4f}"
    return (
        mean
        if not gains.any()
        else f"{mean} ({gains.mean():+.4f} ± {gains.std(ddof=1):.4f})"
    )


def main(n_seeds: int, shares: list[float]) -> None:
    splits = [scores_of(seed, shares) for seed in range(n_seeds)]
    rows = []
    for name in splits[0].index:
        values = {
            column: np.array([split.loc[name, column] for split in splits])
            for column in splits[0]
        }
        plain = splits[0].index[0]
        rows.append(
            {"": name}
            | {
                column: cell(
                    own, np.array([split.loc[plain, column] for split in splits])
                )
                for column, own in values.items()
                if column != "CPU s"
            }
            | {"CPU s": f"{np.median(values['CPU s']):.0f}"}
        )
    write_report(
        "distillation",
        "A network that also learns from boosted trees",
        pd.DataFrame(rows),
        notes=(
            f"Adult, training file, 75 % to train and 25 % to score, {n_seeds} splits. "
            "In brackets the difference to the network without a teacher, mean ± "
            "standard deviation over the splits. CPU s: processor seconds of fit and "
            "prediction, the median; the teacher's folds are part of the student's."
        ),
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--shares", type=float, nargs="+", default=[0.5])
    arguments = parser.parse_args()
    main(arguments.seeds, arguments.shares)

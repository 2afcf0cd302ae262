"""Logs of users and items: the default fit beside tuned models of other libraries.

Needs the extra `bench`. Two kinds of `make_conversion_funnel`: 100,000 impressions of
500 users and 100 items, and 200,000 of 5,000 users and 1,000 items, drawn anew for each
seed. Rows are in the order of time: the first 70 % train, 15 % are for validation, and
the last 15 % are the test rows.

Our models are default fits, which split rows of their own off the training rows to stop
by, and so see the validation rows not at all. The others are stopped by the validation
rows, and their learning rate, width and L2 penalty are those with the least loss on
these rows, chosen on the log of seed 0 from `SETTINGS` of `_log_peers.py`.
"""

import argparse
import time
from collections.abc import Sequence
from functools import cache

import numpy as np
import pandas as pd
from _log_peers import PEERS, encode_log, fit_to_best, tune
from _peer_models import EncodedRows, Setting
from _report import markdown_table, write_report
from _tables import Runs, mean_and_sd, score_proba
from suite_study import BEFORE

from sk_mtl import ESMMClassifier, MMOEClassifier
from sk_mtl.datasets import make_conversion_funnel

LOGS = {
    "100,000 rows, 500 users, 100 items": {"n_samples": 100_000},
    "200,000 rows, 5,000 users, 1,000 items": {
        "n_samples": 200_000,
        "n_users": 5_000,
        "n_items": 1_000,
    },
}
PARTS = 0.7, 0.85
OURS = {
    "ESMMClassifier": lambda seed: ESMMClassifier(random_state=seed),
    "MMOEClassifier": lambda seed: MMOEClassifier(random_state=seed),
    "ESMMClassifier, the default before": lambda seed: ESMMClassifier(
        **BEFORE, random_state=seed
    ),
}
MODELS = (*OURS, *PEERS)


@cache
def load_log(name: str, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    X, y, _ = make_conversion_funnel(**LOGS[name], random_state=seed)
    return X, y


@cache
def encoded_parts(name: str, seed: int) -> list[EncodedRows]:
    """Return the training, validation and test rows, encoded by the first."""
    X, y = load_log(name, seed)
    first, second = (int(part * len(X)) for part in PARTS)
    log = encode_log(X, y, n_train=first)
    parts = slice(0, first), slice(first, second), slice(second, None)
    return [log.take(rows) for rows in parts]


@cache
def chosen(name: str, model: str) -> Setting:
    """Return the setting of a peer with the least validation loss on seed 0."""
    train, valid, _ = encoded_parts(name, 0)
    setting, losses = tune(PEERS[model], train, valid)
    for each, loss in losses.items():
        print(f"{model}, {name}, {each}: {loss:.5f}", flush=True)
    return setting


def fit_and_answer(name: str, model: str, seed: int) -> list[np.ndarray]:
    """Return the probabilities of the test rows, an array per task."""
    if model in OURS:
        X, y = load_log(name, seed)
        first, second = (int(part * len(X)) for part in PARTS)
        return OURS[model](seed).fit(X[:first], y[:first]).predict_proba(X[second:])
    train, valid, test = encoded_parts(name, seed)
    peer, _ = fit_to_best(PEERS[model], train, valid, chosen(name, model), seed)
    return [np.column_stack([1 - p, p]) for p in peer.predict(test).T]


def fit_all(runs: Runs, logs: Sequence[str], models: Sequence[str], n_seeds: int):
    """Fit and score the models on the logs, seed by seed."""
    for name in logs:
        for model in models:
            for seed in range(n_seeds):
                if model in PEERS:
                    chosen(name, model)
                start = time.process_time()
                proba = fit_and_answer(name, model, seed)
                seconds = time.process_time() - start
                X, y = load_log(name, seed)
                scores = score_proba(y[int(PARTS[1] * len(X)) :], proba)
                runs.add((name, len(X), model), seed, scores, seconds)
    runs.log()


def summarise(frame: pd.DataFrame) -> pd.DataFrame:
    """Return mean and spread of AUC, log-loss and calibration by log and model."""
    rows = []
    for (name, model), fits in frame.groupby(["data", "model"], sort=False):
        row = {"log": name, "model": model}
        for task, of_task in fits.groupby("task", sort=False):
            row[f"AUC {task}"] = mean_and_sd(of_task["auc"])
            row[f"log-loss {task}"] = mean_and_sd(of_task["log_loss"])
            row[f"ECE {task}"] = f"{of_task['ece'].mean():.4f}"
        row["CPU, s"] = f"{fits['seconds'].mean():.0f}"
        rows.append(row)
    return pd.DataFrame(rows)


def main(options: argparse.Namespace) -> None:
    runs = Runs("logs", on_test=True)
    fit_all(runs, options.data, options.models, options.seeds)
    tables = [summarise(part) for _, part in runs.frame.groupby("data", sort=False)]
    write_report(
        "logs",
        "Logs of users and items",
        tables[0],
        notes="\n\n".join(
            [
                *(markdown_table(table) for table in tables[1:]),
                "Test rows, the last 15 % of the time; mean ± standard deviation over "
                f"{runs.frame['seed'].nunique()} seeds, each with a log of its own. "
                "Seconds are processor time of a fit; those of the other libraries do "
                "not count the seven other settings that were tried.",
            ]
        ),
        packages=("torch-rechub", "deepctr-torch"),
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", nargs="+", choices=LOGS, default=list(LOGS))
    parser.add_argument("--models", nargs="+", choices=MODELS, default=MODELS)
    parser.add_argument("--seeds", type=int, default=3)
    main(parser.parse_args())

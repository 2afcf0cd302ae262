"""Seconds and test AUC of a fit on the raw Census-Income (KDD) frame, beside LightGBM.

Everything from the raw frame on is in the seconds, of the wall and of the processor: on
a machine that others use, only the latter compare. LightGBM is one model per label,
stopped early on the same rows (`_trees.py`). Validation and test rows are the two
halves of the official test file (`_tables.py`); what was scored on test rows is logged
in `test_runs.md`. Fits take turns, seed by seed. torch-rechub's MMoE, which takes about
40 seconds on two cores, has .9523 and .9946 on the same test rows (`peers.py`).
"""

import argparse
import time

import pandas as pd
import torch
from _report import write_report
from _tables import Runs, Table, load_table, mean_and_sd, score_proba
from _trees import fit_lightgbm, fit_per_label

from sk_mtl import MMOEClassifier

LIGHTGBM = "LightGBM per label"
# Parameters by the name in the table; none is the default fit.
FITS = {
    "default": {},
    LIGHTGBM: None,
    "without batch normalisation": {"batch_norm": False},
    "2 epochs, without batch normalisation": {"batch_norm": False, "max_epochs": 2},
    "1 epoch, without batch normalisation": {"batch_norm": False, "max_epochs": 1},
}
# These also with more threads than the first number of them.
COMPARED = ("default", LIGHTGBM)


def fit(table: Table, name: str, seed: int, n_threads: int):
    """Fit by a name of the table; return `predict_proba`."""
    rows = (table.X, table.y)
    if name == LIGHTGBM:
        held_out = (table.X_val, table.y_val)
        return fit_per_label(fit_lightgbm, *rows, *held_out, seed, n_threads=n_threads)
    torch.set_num_threads(n_threads)
    model = MMOEClassifier(**FITS[name], random_state=seed)
    return model.fit(*rows, X_val=table.X_val, y_val=table.y_val).predict_proba


def run(threads: list[int], n_seeds: int) -> tuple[Runs, pd.DataFrame]:
    """Return the scores and the seconds of all fits."""
    table = load_table("KDD 1")
    X_test, y_test = table.load_test()
    runs, seconds = Runs("fit_time", on_test=True, saved=False), []
    fits = [(n, name) for n in threads for name in FITS]
    fits = [(n, name) for n, name in fits if n == threads[0] or name in COMPARED]
    try:
        for seed in range(n_seeds):
            for n_threads, name in fits:
                wall, processor = time.perf_counter(), time.process_time()
                predict = fit(table, name, seed, n_threads)
                taken = {
                    "wall": time.perf_counter() - wall,
                    "processor": time.process_time() - processor,
                }
                scores = score_proba(y_test, predict(X_test))
                key = f"{name}, threads: {n_threads}"
                runs.add((table.name, len(table.X), key), seed, scores, taken["wall"])
                seconds.append({"": name, "threads": n_threads, "key": key, **taken})
    finally:
        runs.log()
    return runs, pd.DataFrame(seconds)


def main(threads: list[int], n_seeds: int) -> None:
    runs, seconds = run(threads, n_seeds)
    by = ["", "threads", "key"]
    cells = seconds.groupby(by, sort=False).median().reset_index()
    beside = cells[cells[""] == LIGHTGBM].set_index("threads")["processor"]
    ratio = cells["processor"] / cells["threads"].map(beside)
    cells = cells.round(1)
    cells["processor / LightGBM"] = ratio.round(2)
    aucs = runs.frame.pivot(index=["model", "seed"], columns="task", values="auc")
    means = aucs.groupby("model").agg(mean_and_sd)
    write_report(
        "fit_time",
        "A fit on Census-Income (KDD), everything included",
        cells.join(means, on="key").drop(columns="key"),
        notes=(
            "Median seconds of the wall and of the processor. Test AUC: mean ± "
            f"standard deviation over {n_seeds} seeds."
        ),
        packages=["lightgbm"],
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, nargs="+", default=[2])
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    main(arguments.threads, arguments.seeds)

"""Seconds and test AUC of a fit on the raw Census-Income (KDD) frame, by its epochs.

Everything from the raw frame on is in the seconds. Validation and test rows are the two
halves of the official test file (`_tables.py`); what was scored on test rows is logged
in `test_runs.md`. Fits take turns, seed by seed. torch-rechub's MMoE, which takes about
40 seconds on two cores, has .9523 and .9946 on the same test rows (`peers.py`).
"""

import argparse
import time

from _report import write_report
from _tables import Runs, load_table, mean_and_sd, score_proba

from sk_mtl import MMOEClassifier

# Parameters by the name in the table; none is the default fit.
FITS = {
    "default": {},
    "without batch normalisation": {"batch_norm": False},
    "2 epochs, without batch normalisation": {"batch_norm": False, "max_epochs": 2},
    "1 epoch, without batch normalisation": {"batch_norm": False, "max_epochs": 1},
}


def main(n_seeds):
    table = load_table("KDD 1")
    X_test, y_test = table.load_test()
    runs = Runs("fit_time", on_test=True, saved=False)
    try:
        for seed in range(n_seeds):
            for name, parameters in FITS.items():
                model = MMOEClassifier(**parameters, random_state=seed)
                start = time.perf_counter()
                model.fit(table.X, table.y, X_val=table.X_val, y_val=table.y_val)
                seconds = time.perf_counter() - start
                scores = score_proba(y_test, model.predict_proba(X_test))
                runs.add((table.name, len(table.X), name), seed, scores, seconds)
    finally:
        runs.log()
    frame = runs.frame.pivot(index=["model", "seed"], columns="task", values="auc")
    seconds = runs.frame.groupby("model", sort=False)["seconds"]
    cells = frame.groupby("model").agg(mean_and_sd).reindex(FITS)[list(table.y)]
    cells.insert(0, "seconds, median", seconds.median().round(1))
    cells.insert(1, "least", seconds.min().round(1))
    write_report(
        "fit_time",
        "A fit on Census-Income (KDD), everything included",
        cells.rename_axis("").reset_index(),
        notes=f"Test AUC: mean ± standard deviation over {n_seeds} seeds.",
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    main(parser.parse_args().seeds)

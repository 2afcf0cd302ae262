"""A default fit beside gradient boosting per label: accuracy, calibration, seconds.

Data: both task groups of Census-Income (KDD) and Adult (`_tables.py`). All models stop
early on the same validation rows and are scored on the test rows; the trees are those
of `_trees.py`. `best_of` takes no validation rows: it weighs and stops its parts by
folds of the training rows. Models take turns seed by seed, so that a busy machine slows
all alike. Fits of LightGBM do not depend on the seed, so one is made. The seconds of a
fit are those from the raw frames to the fitted models of all labels.

Every fit is kept in `results/trees.csv`, from which the table is made. So a run may be
cut off or be of some models or data only, and `--seeds 0` makes the table again. What
was scored on test rows is logged in `test_runs.md`.

Needs the extra `bench`. Run `python benchmarks/trees.py --rows 3000 --seeds 1` to see
that it works: such a run scores validation rows and writes nothing.
"""

import time
from collections.abc import Callable, Sequence
from functools import partial

import pandas as pd
from _report import markdown_table, write_report
from _tables import (
    N_BINS,
    Runs,
    Table,
    load_table,
    mean_and_sd,
    run_parser,
    score_proba,
)
from _trees import fit_catboost, fit_lightgbm, fit_per_label

from sk_mtl import MMOEClassifier
from sk_mtl.ensemble import best_of

DATA = ("KDD 1", "KDD 2", "Adult")
# Parameters by the name in the table; none is the default fit.
OURS = {
    "MMOEClassifier": {},
    "MMOEClassifier, 4 members": {"n_members": 4, "member_sharing": "none"},
}
TREES = {
    "LightGBM": fit_lightgbm,
    "LightGBM, slow": partial(fit_lightgbm, slow=True),
    "CatBoost": fit_catboost,
}
BEST = "best_of"
MODELS = (*OURS, BEST, *TREES)
# Ensembles and CatBoost take minutes on KDD, and their seeds differ little.
MOST_SEEDS = {
    "MMOEClassifier, 4 members": 3,
    BEST: 3,
    "LightGBM": 1,
    "LightGBM, slow": 1,
    "CatBoost": 3,
}


def fit(model: str, table: Table, seed: int) -> Callable:
    """Fit one model to all labels, and return its `predict_proba`."""
    X, y, X_val, y_val = table.X, table.y, table.X_val, table.y_val
    if model in TREES:
        return fit_per_label(TREES[model], X, y, X_val, y_val, seed)
    if model == BEST:
        return best_of(X, y, random_state=seed).fit(X, y).predict_proba
    estimator = MMOEClassifier(**OURS[model], random_state=seed)
    return estimator.fit(X, y, X_val=X_val, y_val=y_val).predict_proba


def fit_all(runs: Runs, table: Table, models: Sequence[str], n_seeds: int) -> None:
    """Fit and score every model with every seed, and log it."""
    X, y = table.load_test() if runs.on_test else (table.X_eval, table.y_eval)
    turns = [
        (model, seed)
        for seed in range(n_seeds)
        for model in models
        if seed < MOST_SEEDS.get(model, n_seeds)
    ]
    try:
        for model, seed in turns:
            start = time.perf_counter()
            predict_proba = fit(model, table, seed)
            seconds = time.perf_counter() - start
            scores = score_proba(y, predict_proba(X))
            runs.add((table.name, len(table.X), model), seed, scores, seconds)
    finally:
        runs.log()


def summarise(runs: Runs) -> pd.DataFrame:
    """Return the table of the report: a row per data, task and model."""
    rows = [
        {
            "data": data,
            "task": task,
            "model": model,
            "AUC": mean_and_sd(group["auc"]),
            "log-loss": mean_and_sd(group["log_loss"]),
            "Brier": mean_and_sd(group["brier"]),
            "ECE": mean_and_sd(group["ece"]),
            "s a fit": f"{group['seconds'].median():.1f}",
            "seeds": len(group),
            "run": f"{group['date'].iloc[-1]}, {group['commit'].iloc[-1]}",
        }
        for (data, task, model), group in runs.groups(DATA, MODELS)
    ]
    return pd.DataFrame(rows)


def main(
    data: Sequence[str], models: Sequence[str], n_seeds: int, n_rows: int | None
) -> None:
    runs = Runs("trees", on_test=n_rows is None)
    for name in data if n_seeds else ():
        table = load_table(name)
        fit_all(runs, table if runs.on_test else table.subset(n_rows), models, n_seeds)
    frame = summarise(runs)
    if not runs.on_test:
        print(markdown_table(frame))
        return
    write_report(
        "trees",
        "A default fit beside gradient boosting per label",
        frame,
        notes=(
            "Test rows; mean ± standard deviation over the seeds. ECE: expected "
            f"calibration error over {N_BINS} bins of equal size. Seconds: median of "
            "the fits, all labels of a fit together, from the raw frame. Each row is "
            "of the day and commit under `run`. LightGBM gives the same model for "
            "every seed. Settings in `benchmarks/trees.py` and `benchmarks/_trees.py`."
        ),
        packages=("lightgbm", "catboost"),
    )


if __name__ == "__main__":
    parser = run_parser(__doc__, DATA, MODELS)
    parser.add_argument("--rows", type=int, help="try-out on so many training rows")
    options = parser.parse_args()
    main(options.data, options.models, options.seeds, options.rows)

"""Which model of the family is best on what? Every classifier, with its defaults.

Data: both task groups of Census-Income (KDD), Adult, and the funnel (`_tables.py`).
Every model has the same encoder, budget and validation rows to stop early on, and is
scored on the test rows, LightGBM label by label beside it. The funnel has no test rows;
its validation rows are scored against the **true** rates, of all impressions:

- AUC is what is to be expected of labels drawn from the true rates;
- the loss is the log-loss against the true rate less that of the true rate itself,
  the Kullback-Leibler divergence, in thousandths of a nat;
- CVR, the conversion rate of a click, is the probability of a conversion over that of a
  click, whatever the model.

The columns of the other tables are no steps: models of steps learn them with
`structure="independent"`, and ESCM2, which has no such form, is left out there.

Fits run in as many processes as there are cores, with one thread each, and so their
seconds are comparable among themselves only. Every fit is kept in
`results/families.csv`, from which the table is made: a run may be cut off, or be of
some models, data or seeds, and `--seeds 0` makes the table again. What was scored on
test rows is logged in `test_runs.md`.

Needs the extra `bench`. Run `python benchmarks/families.py --rows 3000 --seeds 1` to
see that it works: such a run scores validation rows and writes nothing.
"""

import os
import time
from collections.abc import Sequence

import joblib
import numpy as np
import pandas as pd
import torch
from _report import markdown_table, write_report
from _tables import TABLES, Runs, load_table, mean_and_sd, run_parser, score_proba
from _trees import fit_lightgbm, fit_per_label
from sklearn.metrics import roc_auc_score

import sk_mtl
from sk_mtl.datasets import make_conversion_funnel

CLASSIFIERS = [name for name in sk_mtl.__all__ if name.endswith("Classifier")]
# The baseline first.
CLASSIFIERS.sort(key=lambda name: (name != "SingleTaskClassifier", name.lower()))
LIGHTGBM = "LightGBM"
MODELS = (*CLASSIFIERS, LIGHTGBM)
# Its columns of y must be steps.
ONLY_FUNNEL = "ESCM2Classifier"
FUNNEL = "funnel"
TASKS = {
    "KDD 1": ("income", "never_married"),
    "KDD 2": ("college", "never_married"),
    "Adult": ("income", "married"),
    FUNNEL: ("click", "conversion", "CVR"),
}


def run(name: str, model: str, seed: int, n_rows: int | None):
    """Fit one model to all labels; return scores, seconds and number of parameters."""
    torch.set_num_threads(1)
    whole = load_table(name)
    table = whole if n_rows is None else whole.subset(n_rows)
    rows = table.X, table.y, table.X_val, table.y_val
    start, n_parameters = time.perf_counter(), np.nan
    if model == LIGHTGBM:
        predict_proba = fit_trees(rows, seed)
    else:
        estimator = getattr(sk_mtl, model)(random_state=seed)
        if name != FUNNEL and estimator.structure != "independent":
            estimator.set_params(structure="independent")
        X, y, X_val, y_val = rows
        estimator.fit(X, y, X_val=X_val, y_val=y_val)
        predict_proba = estimator.predict_proba
        parameters = estimator.net_.module_.parameters()
        n_parameters = sum(each.numel() for each in parameters)
    seconds = time.perf_counter() - start
    if name == FUNNEL:
        scores = score_rates(predict_proba(table.X_eval), table.X_eval.index)
    else:
        X, y = (table.X_eval, table.y_eval) if n_rows else table.load_test()
        scores = score_proba(y, predict_proba(X))
    return len(table.X), scores.assign(n_parameters=n_parameters), seconds


def fit_trees(rows: Sequence[pd.DataFrame], seed: int):
    """Fit LightGBM, which cannot read histories, and return its `predict_proba`."""
    X, y, X_val, y_val = rows
    known = [name for name in X if name != "history"]
    predict = fit_per_label(
        fit_lightgbm, X[known], y, X_val[known], y_val, seed, n_threads=1
    )
    return lambda rows: predict(rows[known])


def score_rates(proba: Sequence[np.ndarray], rows: pd.Index) -> pd.DataFrame:
    """Return AUC and excess log-loss against the true rates, one row per rate."""
    _, _, truth = make_conversion_funnel(n_samples=100_000, random_state=0)
    truth = truth.loc[rows]
    click, conversion = (p[:, 1].astype(float) for p in proba)
    ctr, cvr = truth["click_rate"].to_numpy(), truth["conversion_rate"].to_numpy()
    predicted = [click, conversion, np.minimum(conversion / click, 1)]
    pairs = zip((ctr, ctr * cvr, cvr), predicted, strict=True)
    scores = [
        {"auc": expected_auc(true, p), "log_loss": log_loss(true, p) - entropy(true)}
        for true, p in pairs
    ]
    return pd.DataFrame(scores, pd.Index(TASKS[FUNNEL], name="task"))


def expected_auc(true: np.ndarray, predicted: np.ndarray) -> float:
    """Return the AUC of each row as a positive and a negative of the true weights."""
    labels = np.repeat([1, 0], len(true))
    weights = np.concatenate([true, 1 - true])
    return roc_auc_score(labels, np.tile(predicted, 2), sample_weight=weights)


def log_loss(true: np.ndarray, predicted: np.ndarray) -> float:
    """Return the mean log-loss against true probabilities, in nats."""
    predicted = np.clip(predicted, 1e-7, 1 - 1e-7)
    return -np.mean(true * np.log(predicted) + (1 - true) * np.log1p(-predicted))


def entropy(true: np.ndarray) -> float:
    """Return what the true probabilities themselves lose."""
    return log_loss(true, true)


def run_all(
    runs: Runs, data: Sequence[str], models: Sequence[str], seeds: Sequence[int], n_rows
) -> None:
    """Fit and score, seed by seed, and log what was scored on test rows."""
    turns = [
        (name, model, seed)
        for seed in seeds
        for name in data
        for model in models
        # LightGBM gives the same model for every seed.
        if (model != LIGHTGBM or seed == 0) and (model != ONLY_FUNNEL or name == FUNNEL)
    ]
    workers = joblib.Parallel(os.cpu_count(), return_as="generator", batch_size=1)
    fits = workers(joblib.delayed(run)(*turn, n_rows) for turn in turns)
    try:
        for (name, model, seed), (size, scores, seconds) in zip(turns, fits):
            runs.add((name, size, model), seed, scores, seconds)
    finally:
        runs.log()


def summarise(runs: Runs) -> pd.DataFrame:
    """Return the table of the report: a row per model."""
    cells: dict[str, dict[str, str]] = {}
    for (name, task, model), group in runs.groups(TABLES, MODELS):
        row = cells.setdefault(model, {"model": model})
        row[f"{name}: {task}"] = mean_and_sd(group["auc"])
        if name == FUNNEL and task == "CVR":
            row["CVR: excess loss"] = mean_and_sd(1000 * group["log_loss"], 2)
        if name == "KDD 1":
            row["s a fit"] = f"{group['seconds'].median():.0f}"
            sizes = group["n_parameters"]
            row["parameters"] = "" if sizes.isna().any() else f"{sizes.iloc[0]:,.0f}"
    auc = [f"{name}: {task}" for name, tasks in TASKS.items() for task in tasks]
    frame = pd.DataFrame([cells[model] for model in MODELS if model in cells])
    order = ["model", *auc, "CVR: excess loss", "s a fit", "parameters"]
    return frame[[column for column in order if column in frame]].fillna("")


def main(
    data: Sequence[str],
    models: Sequence[str],
    seeds: Sequence[int],
    n_rows: int | None,
) -> None:
    runs = Runs("families", on_test=n_rows is None, by_seed=True)
    if seeds:
        run_all(runs, data, models, seeds, n_rows)
    frame = summarise(runs)
    if n_rows is not None:
        print(markdown_table(frame))
        return
    n_seeds = runs.frame["seed"].nunique()
    write_report(
        "families",
        "Every classifier with its defaults",
        frame,
        notes=(
            "Test AUC of each label, of the funnel expected AUC against the true rates "
            f"of all impressions; mean ± standard deviation over {n_seeds} seeds "
            "(LightGBM: one). Excess loss: against the true rate, less that of the "
            "true rate itself, in thousandths of a nat. Seconds: median of the fits "
            "to KDD 1, all labels together, from the raw frame, one thread beside "
            "another fit; parameters: of that network. LightGBM does not see the "
            "histories of the funnel. Models of steps learn the other tables with "
            "structure='independent'; ESCM2 has no such form."
        ),
        packages=("lightgbm",),
    )


if __name__ == "__main__":
    parser = run_parser(__doc__, TABLES, MODELS)
    parser.set_defaults(seeds=3)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--rows", type=int, help="try-out on so many training rows")
    options = parser.parse_args()
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    main(options.data, options.models, seeds, options.rows)

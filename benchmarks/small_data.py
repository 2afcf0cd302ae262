"""Small data: ours by default, boosted trees, a perceptron and logistic regression.

Per seed a random subset of the training file is drawn, of Adult and of Census-Income
(KDD, tasks income and never married), and every model gets the same one. Ours fits it
by default, and so decides itself whether to hold rows out. The trees need rows to stop
early on: a tenth is split off, and they stop on its log-loss (`_trees.py`).
scikit-learn's models get one-hot categories and standardised numbers, one model per
label: `MLPClassifier` with its defaults, which train on to the end, and with its own
early stopping, which splits off a tenth itself. All are scored on the test rows.

Every fit is kept in `results/small_data.csv`, from which the table is made. So a run
may be cut off or be of some models or data only, and `--seeds 0` makes the table again.
What was scored on test rows is logged in `test_runs.md`.

Needs the extra `bench`. Run `python benchmarks/small_data.py --try-out --sizes 500
--seeds 1` to see that it works: such a run scores validation rows and writes nothing.
"""

import time
import warnings
from collections.abc import Callable, Sequence
from functools import partial

import pandas as pd
from _report import markdown_table, write_report
from _tables import Runs, Table, load_table, mean_and_sd, run_parser, score_proba
from _trees import fit_catboost, fit_lightgbm, fit_per_label
from sklearn.base import BaseEstimator
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sk_mtl import MMOEClassifier

DATA = ("Adult", "KDD 1")
SIZES = (500, 2_000, 10_000)
# Parameters by the name in the table; none is the default fit.
OURS = {"MMOEClassifier": {}}
TREES = {
    "LightGBM": partial(fit_lightgbm, stop_on="log_loss"),
    "CatBoost": partial(fit_catboost, stop_on="log_loss"),
}
SKLEARN = {
    "MLPClassifier": MLPClassifier(),
    "MLPClassifier, early stopping": MLPClassifier(early_stopping=True),
    "LogisticRegression": LogisticRegression(max_iter=1000),
}
MODELS = (*OURS, *TREES, *SKLEARN)


def fit_sklearn(
    estimator: BaseEstimator, X: pd.DataFrame, y: pd.DataFrame, seed: int
) -> Callable:
    """Fit one pipeline per label, and return their common `predict_proba`."""
    models = []
    for name in y:
        encoder = make_column_transformer(
            (
                OneHotEncoder(handle_unknown="ignore"),
                make_column_selector(dtype_include="category"),
            ),
            remainder=StandardScaler(),
        )
        final = type(estimator)(**{**estimator.get_params(), "random_state": seed})
        models.append(make_pipeline(encoder, final).fit(X, y[name]))
    return lambda rows: [model.predict_proba(rows) for model in models]


def fit(model: str, table: Table, n_rows: int, seed: int) -> Callable:
    """Fit one model to a subset, and return its `predict_proba`."""
    if model in TREES:
        part = table.subset(n_rows, seed)
        rows = part.X, part.y, part.X_val, part.y_val
        return fit_per_label(TREES[model], *rows, seed)
    whole = table.subset(n_rows, seed, validation_fraction=0)
    if model in SKLEARN:
        return fit_sklearn(SKLEARN[model], whole.X, whole.y, seed)
    estimator = MMOEClassifier(**OURS[model], random_state=seed)
    return estimator.fit(whole.X, whole.y).predict_proba


def fit_all(
    runs: Runs, table: Table, sizes: Sequence[int], models: Sequence[str], n_seeds: int
) -> None:
    """Fit and score every model on every subset, and log it."""
    X, y = table.load_test() if runs.on_test else (table.X_eval, table.y_eval)
    turns = [
        (n_rows, seed, model)
        for n_rows in sizes
        for seed in range(n_seeds)
        for model in models
    ]
    try:
        for n_rows, seed, model in turns:
            start = time.perf_counter()
            predict_proba = fit(model, table, n_rows, seed)
            seconds = time.perf_counter() - start
            scores = score_proba(y, predict_proba(X))
            runs.add((table.name, n_rows, model), seed, scores, seconds)
    finally:
        runs.log()


def summarise(runs: Runs) -> pd.DataFrame:
    """Return the table of the report: a row per data, task and model."""
    rows = []
    for (data, task, model), group in runs.groups(DATA, MODELS):
        by_size = dict(list(group.groupby("rows")))
        aucs = {f"{n:,} rows": mean_and_sd(g["auc"]) for n, g in by_size.items()}
        seconds = [f"{g['seconds'].median():.1f}" for g in by_size.values()]
        rows.append(
            {
                "data": data,
                "task": task,
                "model": model,
                **aucs,
                "s a fit": " / ".join(seconds),
                "seeds": group.groupby("rows").size().min(),
                "run": f"{group['date'].iloc[-1]}, {group['commit'].iloc[-1]}",
            }
        )
    return pd.DataFrame(rows)


def main(
    data: Sequence[str],
    models: Sequence[str],
    sizes: Sequence[int],
    n_seeds: int,
    try_out: bool,
) -> None:
    # The perceptron's 200 epochs are its default; that they may not be enough for it to
    # converge belongs to what is measured.
    warnings.simplefilter("ignore", ConvergenceWarning)
    runs = Runs("small_data", on_test=not try_out)
    for name in data if n_seeds else ():
        fit_all(runs, load_table(name), sizes, models, n_seeds)
    frame = summarise(runs)
    if try_out:
        print(markdown_table(frame))
        return
    write_report(
        "small_data",
        "Test AUC on small data",
        frame,
        notes=(
            "Test rows; mean ± standard deviation over seeds, each with a subset of "
            "its own. Seconds: median of the fits, all labels of a fit together, from "
            "the smallest subset to the largest. Each row is of the day and commit "
            "under `run`. Settings in `benchmarks/small_data.py` and "
            "`benchmarks/_trees.py`."
        ),
        packages=("lightgbm", "catboost"),
    )


if __name__ == "__main__":
    parser = run_parser(__doc__, DATA, MODELS)
    parser.add_argument("--sizes", nargs="+", type=int, default=SIZES)
    parser.add_argument("--try-out", action="store_true", help="on validation rows")
    options = parser.parse_args()
    main(options.data, options.models, options.sizes, options.seeds, options.try_out)

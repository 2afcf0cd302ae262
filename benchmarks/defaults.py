"""The study behind the defaults: every part of the recipe taken out or changed, alone.

Each row changes one thing of the default `MMOEClassifier`, and of `ESMMClassifier` on a
funnel. Data: Census-Income (KDD) with both groups of tasks, Adult, and a simulated
funnel; and 5,000 and 1,000 random rows of each, so that the default is not made for one
table or for large ones. A fit that stops early holds rows of its own out for it, and
the *validation* rows of `_tables.py` are scored. No test row is read.

A subset is drawn anew with every seed. Every fit is kept in `results/defaults.csv`: a
run may be cut off, or be of some factors or data only, and `--seeds` without a number
makes the table again. On two cores a seed takes about an hour.
"""

import argparse
import itertools
import time
from collections.abc import Sequence

import pandas as pd
from _report import markdown_table, write_report
from _tables import TABLES, Runs, Table, load_table, mean_and_sd, score_proba

from sk_mtl import Bins, ESMMClassifier, MMOEClassifier
from sk_mtl.estimators._automatic._facts import Facts
from sk_mtl.estimators._automatic._resolution import plans_to_hold_out
from sk_mtl.estimators._automatic._training_rules import choose_batch_size
from sk_mtl.preprocessing import make_tabular_preprocessor

BY_ESMM = ", by ESMM"
STUDIES = dict.fromkeys(TABLES, MMOEClassifier) | {"funnel" + BY_ESMM: ESMMClassifier}
SIZES = (None, 5_000, 1_000)
# What each row of the table changes. "numeric" is an option of the preprocessor.
FACTORS = {
    "default": {},
    "no embedding of numbers": {"numeric_embedding": None},
    "piecewise-linear for bins": {"numeric_embedding": "ple"},
    "piecewise-linear and bins": {"numeric_embedding": ("bins", "ple")},
    "16 bins": {"numeric_embedding": Bins(16)},
    "both copies of the numbers": {"numeric": "both"},
    "quantile-normal numbers": {"numeric": "quantile"},
    "no cross layer": {"interaction": None},
    "factorisation machine for it": {"interaction": "fm"},
    "linear terms, too": {"wide": True},
    "embeddings of 4": {"embedding_dim": 4},
    "embeddings of 16": {"embedding_dim": 16},
    "embeddings by cardinality": {"embedding_dim": "cardinality"},
    "8 experts": {"n_experts": 8},
    "experts of 128": {"expert_hidden_sizes": (128,)},
    "towers of 64": {"tower_hidden_sizes": (64,)},
    "batch normalisation": {"batch_norm": True},
    "no batch normalisation": {"batch_norm": False},
    "no dropout": {"dropout": 0.0},
    "dropout .3": {"dropout": 0.3},
    "no averaging": {"weight_averaging": None},
    "averaging .99": {"weight_averaging": 0.99},
    "Adam, no weight decay": {"optimizer": "adam", "weight_decay": 0.0},
    "weight decay .1": {"weight_decay": 0.1},
    "lr .004": {"lr": 4e-3},
    "lr .016": {"lr": 16e-3},
    "3 epochs": {"max_epochs": 3},
    "8 epochs": {"max_epochs": 8},
    "cosine": {"lr_schedule": "cosine"},
    "warm-up": {"warmup": 0.5},
    "constant lr .002, stopped early": {
        "lr_schedule": None,
        "lr": 2e-3,
        "max_epochs": 30,
        "early_stopping": True,
    },
    "a tenth held out": {"early_stopping": True},
    "nothing held out": {"early_stopping": False},
    "batches half as large": {"batch_factor": 0.5},
    "batches twice as large": {"batch_factor": 2},
    "4 members, most shared": {"n_members": 4},
    "4 members, embedding shared": {"n_members": 4, "member_sharing": "embedding"},
    "4 members, nothing shared": {"n_members": 4, "member_sharing": "none"},
}

KEYS = ["data", "rows", "seed", "model"]


def has(study: str, factor: str) -> bool:
    """Return whether the study's estimator has what the factor changes."""
    changed = FACTORS[factor].keys() - {"numeric", "batch_factor"}
    return changed <= STUDIES[study]().get_params().keys()


def make_model(study: str, factor: str, table: Table, seed: int):
    """Return the default model, but for one factor."""
    default, changes = STUDIES[study](), dict(FACTORS[factor])
    if "numeric" in changes:
        numeric = changes.pop("numeric")
        preprocessor = make_tabular_preprocessor(table.X, numeric=numeric)
        changes["preprocessor"] = preprocessor
    if "batch_factor" in changes:
        facts = Facts(n_rows=len(table.X), n_train=len(table.X))
        if plans_to_hold_out(default, facts, {}):
            facts = facts.planned(default.validation_fraction)
        usual = choose_batch_size(facts, default).value
        changes["batch_size"] = round(changes.pop("batch_factor") * usual)
    return default.set_params(**changes, random_state=seed)


def run(
    runs: Runs,
    study: str,
    sizes: Sequence[int | None],
    factors: Sequence[str],
    seeds: Sequence[int],
) -> None:
    """Fit every factor with every seed, in turns."""
    table = load_table(study.removesuffix(BY_ESMM))
    factors = [factor for factor in factors if has(study, factor)]
    # The first fit of a process loads what the others find.
    STUDIES[study]().fit(table.X[:1_000], table.y[:1_000])
    for size, seed in itertools.product(sizes, seeds):
        rows = table.subset(size, seed, validation_fraction=0)
        for factor in factors:
            start = time.perf_counter()
            model = make_model(study, factor, rows, seed).fit(rows.X, rows.y)
            seconds = time.perf_counter() - start
            scores = score_proba(rows.y_eval, model.predict_proba(rows.X_eval))
            runs.add((study, len(rows.X), factor), seed, scores, seconds)


def differences(frame: pd.DataFrame, value: str) -> pd.DataFrame:
    """Return, by factor, what it adds to the default's mean over tasks.

    Factor and default are compared seed by seed; a cell is the mean of the differences
    and their standard deviation. The default's own cell is its mean.
    """
    gains = _gains(frame, value)
    columns = {}
    for data in STUDIES:
        if data not in gains.index.get_level_values("data"):
            continue
        sizes = sorted(gains.loc[data].index.unique("rows"), reverse=True)
        for size in sizes:
            columns[f"{data}, {size:,}"] = _cells(gains.loc[(data, size)])
    return _in_order(pd.DataFrame(columns).fillna(""))


def over_tables(frame: pd.DataFrame, value: str) -> pd.DataFrame:
    """Return the `differences` on each whole table, and those on subsets as means.

    A subset is small and its scores scatter; a cell is of the mean over all of them.
    """
    gains = gains_over_tables(frame, value)
    columns = {column: _cells(of_column) for column, of_column in gains.items()}
    return _in_order(pd.DataFrame(columns).fillna(""))


def gains_over_tables(frame: pd.DataFrame, value: str) -> dict[str, pd.DataFrame]:
    """Return what factors add to the default, seeds by factors, by column's name."""
    gains = _gains(frame, value)
    columns = {}
    for data in STUDIES:
        whole = gains[gains.index.get_level_values("data") == data]
        if len(whole):
            size = whole.index.get_level_values("rows").max()
            columns[data] = whole.loc[(data, size)]
    for size in SIZES[1:]:
        subsets = gains[gains.index.get_level_values("rows") == size]
        if len(subsets):
            columns[f"{size:,} rows"] = subsets.groupby("seed").mean()
    return columns


def _gains(frame: pd.DataFrame, value: str) -> pd.DataFrame:
    """Return the default's mean over tasks, and what others add to it, by seed."""
    means = frame.groupby(KEYS)[value].mean().unstack("model")
    return means.sub(means["default"], axis=0).assign(default=means["default"])


def _cells(gains: pd.DataFrame) -> dict[str, str]:
    """Return the cells of a column from gains, seeds by models."""
    cells = {"default": mean_and_sd(gains["default"])}
    for factor, column in gains.drop(columns="default").items():
        found = column.dropna()
        if len(found):
            spread = found.std() if len(found) > 1 else float("nan")
            cells[factor] = f"{found.mean():+.4f} ± {spread:.4f}"
    return cells


def costs(frame: pd.DataFrame) -> pd.DataFrame:
    """Return seconds a fit of the default, and the other factors' in its multiples.

    Of whole tables: on a few thousand rows a fit takes a second whatever is changed.
    """
    whole = frame.groupby("data")["rows"].transform("max")
    fits = frame[frame["rows"] == whole].groupby(KEYS)
    seconds = fits["seconds"].first().unstack("model")
    ratios = seconds.div(seconds["default"], axis=0).groupby(["data", "rows"]).median()
    medians = seconds["default"].groupby(["data", "rows"]).median()
    table = ratios.round(2).T.astype(object).fillna("")
    table.loc["default"] = [f"{value:.1f} s" for value in medians]
    table.columns = [f"{data}, {rows:,}" for data, rows in table.columns]
    return _in_order(table)


def _in_order(table: pd.DataFrame) -> pd.DataFrame:
    table = table.loc[[factor for factor in FACTORS if factor in table.index]]
    return table.rename_axis("changed").reset_index()


def main(
    data: Sequence[str],
    sizes: Sequence[int | None],
    factors: Sequence[str],
    seeds: Sequence[int],
) -> None:
    runs = Runs("defaults", on_test=False, saved=True, by_seed=True)
    for study in data if seeds else ():
        run(runs, study, sizes, factors, seeds)
    frame = runs.frame
    notes = (
        "Validation rows, mean over the tasks; the default's row is its AUC, others "
        "are differences to it, seed by seed: mean ± standard deviation over "
        f"{frame['seed'].nunique()} seeds. Subsets: mean over the tables. Blank: that "
        "is the default there, or the estimator has no such part. Log-loss, likewise:"
    )
    parts = [
        notes,
        markdown_table(over_tables(frame, "log_loss")),
        "Table by table, with the number of training rows, those held out for early "
        "stopping included; AUC:",
        markdown_table(differences(frame, "auc")),
        "Log-loss:",
        markdown_table(differences(frame, "log_loss")),
        "Seconds a fit of a whole table from the raw frame: the default's median, and "
        "the median of the ratios to it:",
        markdown_table(costs(frame)),
    ]
    write_report(
        "defaults",
        "Every part of the default recipe, alone",
        over_tables(frame, "auc"),
        notes="\n\n".join(parts),
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", nargs="+", choices=STUDIES, default=list(STUDIES))
    parser.add_argument("--sizes", nargs="+", type=int, default=[0, *SIZES[1:]])
    parser.add_argument("--factors", nargs="+", choices=FACTORS, default=list(FACTORS))
    parser.add_argument("--seeds", nargs="*", type=int, default=[0, 1, 2])
    arguments = parser.parse_args()
    sizes = [size or None for size in arguments.sizes]
    main(arguments.data, sizes, arguments.factors, arguments.seeds)

"""The default on tables that are hard in one way each, beside LightGBM per label.

Missing cells, rare classes, a thousand numbers, 5 to 60 tasks, and a funnel of other
laws than `make_conversion_funnel` (`_hard_tables.py` draws them). Of the funnel the
estimated conversion rate is scored on **all** impressions, against the true rates; ours
is ESMM, and LightGBM learns conversions of clicked rows, as in practice.

`python benchmarks/hard_tables.py default before lightgbm` fits what the results do not
hold yet; `--tables "60 tasks"` and `--seeds 0` choose. Every fit is kept in
`results/hard_tables.csv`; `--report` makes the report only. Needs the extra `bench`.
"""

import argparse
import time
import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from _hard_tables import DRAWS, HardTable
from _report import RESULTS, write_report
from _suite_models import DEFAULT, LIGHTGBM, OTHERS, Answers, make_default, read_answers
from _suite_runs import AppendedRuns
from _suite_scores import LEAST_PROBABILITY, score_answers
from _tables import expected_calibration_error
from suite_study import BEFORE

from sk_mtl import ESMMClassifier
from sk_mtl.preprocessing import make_tabular_preprocessor

KEY = ("name", "table", "seed")
COLUMNS = (*KEY, "task", "auc", "log_loss", "ece", "cpu", "epochs")
YARDSTICK = LIGHTGBM.lower()
CLICKS = "default, clicks"
# One network of five epochs, which read every number.
BEFORE_NAME = "before"
# By name, parameters that differ from the default.
CANDIDATES: dict[str, dict[str, Any]] = {DEFAULT: {}, BEFORE_NAME: BEFORE, CLICKS: {}}


def fit(name: str, hard: HardTable, seed: int) -> tuple[Answers, float]:
    """Return the answers for the rows to score, and the epochs of the fit."""
    table, train, test = hard.table, hard.train, hard.test
    if name == YARDSTICK:
        table = table if hard.rates is None else of_clicked(table)
        return OTHERS[LIGHTGBM](table, train, test, seed), 0
    X, X_test = table.X.iloc[train], table.X.iloc[test]
    parameters = dict(CANDIDATES[name])
    if name == BEFORE_NAME:
        parameters["preprocessor"] = make_tabular_preprocessor(X)
    if hard.rates is not None and name != CLICKS:
        model = ESMMClassifier(random_state=seed, **parameters)
        model.fit(X, table.y.iloc[train])
        return model.predict_conditional_proba(X_test), model.n_iter_
    table = of_clicked(table) if name == CLICKS else table
    model = make_default(table, seed, **parameters).fit(X, table.y.iloc[train])
    return read_answers(model, table, X_test), model.n_iter_


def of_clicked(table):
    """Return the funnel with conversions of clicked rows only."""
    click, conversion = table.y.columns
    known = table.y[conversion].where(table.y[click] == 1)
    return replace(table, y=table.y.assign(**{conversion: known}))


def score(hard: HardTable, answers: Answers) -> pd.DataFrame:
    """Return the scores by task; conversion rates are compared with the true ones."""
    scores = score_answers(hard.table, hard.train, hard.test, answers)
    if hard.rates is not None:
        rates = hard.rates[hard.test]
        p = np.clip(answers[-1], LEAST_PROBABILITY, 1)
        loss = -np.mean(rates * np.log(p[:, 1]) + (1 - rates) * np.log(p[:, 0]))
        ece = expected_calibration_error(rates, p)
        scores.loc[scores.index[-1], ["log_loss", "ece"]] = loss, ece
    return scores.reset_index().rename(columns={"main": "auc"})


def run(
    runs: AppendedRuns,
    names: Sequence[str],
    tables: Sequence[str],
    seeds: Sequence[int],
) -> None:
    """Fit and score what the file does not hold yet."""
    done = runs.done()
    for table in tables:
        for seed in seeds:
            wanted = [n for n in names if (n, table, seed) not in done]
            hard = DRAWS[table](seed) if wanted else None
            for name in wanted:
                if name == CLICKS and hard.rates is None:
                    continue
                start = time.process_time()
                answers, epochs = fit(name, hard, seed)
                cpu = round(time.process_time() - start, 2)
                lines = score(hard, answers).assign(
                    name=name, table=table, seed=seed, cpu=cpu, epochs=epochs
                )
                runs.add(lines)
                means = lines[["auc", "log_loss", "ece"]].mean().round(4).tolist()
                print(name, table, seed, *means, f"{cpu:.1f} s", flush=True)


def summarise(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a row per table and model, means over tasks and seeds.

    The gaps to LightGBM are paired by seed and task.
    """
    funnel = frame["table"].str.startswith("funnel")
    step = ", " + frame["task"].replace({"conversion": "conversion rate"})
    frame = frame.assign(part=frame["table"] + step.where(funnel, ""))
    rows = []
    for part, lines in frame.groupby("part", sort=False):
        by_cell = {
            name: lines_of_model.set_index(["seed", "task"])
            for name, lines_of_model in lines.groupby("name", sort=False)
        }
        trees = by_cell.get(YARDSTICK)
        for name, cells in by_cell.items():
            row = {
                "table": part,
                "model": name,
                "AUC": f"{cells['auc'].mean():.4f}",
                "log-loss": f"{cells['log_loss'].mean():.4f}",
                "ECE": f"{cells['ece'].mean():.4f}",
                "AUC − LightGBM": "",
                "log-loss − LightGBM": "",
                "CPU s": f"{cells.groupby('seed')['cpu'].first().mean():.1f}",
                "seeds": cells.index.get_level_values("seed").nunique(),
            }
            if trees is not None and name != YARDSTICK:
                for column, title in {"auc": "AUC", "log_loss": "log-loss"}.items():
                    gaps = (cells[column] - trees[column]).groupby("seed").mean()
                    row[f"{title} − LightGBM"] = (
                        f"{gaps.mean():+.4f} ± {gaps.std():.4f}"
                    )
            rows.append(row)
    return pd.DataFrame(rows)


def report(frame: pd.DataFrame) -> None:
    order = {name: k for k, name in enumerate(DRAWS)}
    models = {name: k for k, name in enumerate([*CANDIDATES, YARDSTICK])}
    frame = frame[frame["name"].isin(models)]
    keys = [frame["table"].map(order), frame["name"].map(models)]
    frame = frame.iloc[np.lexsort(keys[::-1])]
    write_report(
        "hard_tables",
        "Tables that are hard in one way each",
        summarise(frame),
        notes=NOTES,
        packages=("lightgbm",),
    )


NOTES = (
    "Means over tasks and seeds, each seed with a table of its own; ± standard "
    "deviation of the seeds. ECE: expected calibration error, 15 bins of equal "
    "size. Missing: Adult, 8,000 rows. Positive: Census-Income (KDD), 20,000 rows "
    "with so few of large income, beside never married. Numbers: 3,000 rows, 30 of "
    "1,000 numbers say something. Tasks: 3,000 rows, mixtures of six common curved "
    "sums. Funnel: 30,000 impressions; the log-loss (nats) and ECE of the "
    "conversion rate are against the true rates of all impressions; `default, "
    "clicks` is the multi-task default on the conversions of clicked rows. Users "
    "and items: the same of `make_conversion_funnel`. `before`: one network, bins, "
    "five epochs. Made by `hard_tables.py`."
)


def make_runs() -> AppendedRuns:
    return AppendedRuns(RESULTS / "hard_tables.csv", KEY, COLUMNS)


def main(options: argparse.Namespace) -> None:
    warnings.simplefilter("ignore")
    runs = make_runs()
    if not options.report:
        run(runs, options.names, options.tables, options.seeds)
    report(runs.read())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = [*CANDIDATES, YARDSTICK]
    parser.add_argument("names", nargs="*", default=names, metavar="NAME")
    parser.add_argument("--tables", nargs="+", default=list(DRAWS), choices=DRAWS)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1])
    parser.add_argument("--report", action="store_true", help="make the report only")
    main(parser.parse_args())

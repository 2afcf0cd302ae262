"""Default fits on a suite of real tables with several labels, beside other libraries.

`python benchmarks/suite.py --data DIR` reads a folder as `suite.md` describes it and
scores the test rows of the recommended splits, in five repeats where a table has fewer
than 10,000 rows, else three. The settings of other libraries' models are fixed
(`_suite_models.py`). The slow ones, of pytabkit, run with `--slow` on tables below
5,000 rows, one repeat.

Every fit is kept in `results/suite.csv`, and what is there is not run again: a run may
be cut off, or be of some models or tables. `--again` runs the chosen models again, as a
change of ours needs. `--report` makes the report only, of all models or of the chosen
ones, on the tables and repeats that they have in common; `--page` also writes the
section of `docs/benchmarks.md`. What was scored is logged in `test_runs.md`.

Needs the extra `bench`. Run `python benchmarks/suite.py --data DIR --tables energy
--try-out` to see that it works: such a run scores one repeat of the inner split of the
training rows and writes nothing.
"""

import argparse
import datetime
import time
import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd
from _report import RESULTS
from _suite import SuiteTable, order_by_size, read_entries, read_table
from _suite_models import MODELS, OTHERS, OURS, SLOW, n_fits
from _suite_report import report, write_page
from _suite_runs import AppendedRuns
from _suite_scores import score_answers
from _tables import COMMIT, log_test_run

KEY = ("model", "table", "repeat")
COLUMNS = (
    *KEY,
    "task",
    "type",
    "main",
    "log_loss",
    "skill",
    "ece",
    "cpu",
    "date",
    "commit",
)


def make_runs() -> AppendedRuns:
    return AppendedRuns(RESULTS / "suite.csv", KEY, COLUMNS)


def fit_and_score(
    model: str, table: SuiteTable, train: np.ndarray, test: np.ndarray, seed: int
) -> pd.DataFrame:
    """Return the lines of one fit, a line per task."""
    start = time.process_time()
    answers = MODELS[model](table, train, test, seed)
    cpu = time.process_time() - start
    scores = score_answers(table, train, test, answers).reset_index()
    return scores.assign(
        model=model,
        table=table.name,
        repeat=seed,
        type=[task.type for task in table.tasks],
        cpu=round(cpu, 1),
        date=datetime.date.today(),
        commit=COMMIT,
    )


def turns_of(table: SuiteTable, models: Sequence[str]) -> list[tuple[str, int]]:
    """Return models and repeats to run, all models of a repeat together."""
    return [
        (model, repeat)
        for repeat in range(table.n_repeats)
        for model in models
        if repeat < n_fits(model, len(table))
    ]


def run(
    runs: AppendedRuns,
    folder: str,
    entries: dict[str, dict],
    names: Sequence[str],
    models: Sequence[str],
) -> None:
    """Fit and score what the file does not hold yet, the smallest tables first."""
    fresh, done = [], runs.done()
    try:
        for name in names:
            table = read_table(folder, entries[name])
            for model, repeat in turns_of(table, models):
                if (model, name, repeat) in done:
                    continue
                lines = try_fit(model, table, *table.split(repeat), repeat)
                if lines is not None:
                    runs.add(lines)
                    fresh.append(lines)
    finally:
        log_runs(fresh)


def try_fit(model: str, table: SuiteTable, train, test, repeat: int):
    """Return the lines of a fit, or None where it fails: the others go on."""
    try:
        lines = fit_and_score(model, table, train, test, repeat)
    except Exception as error:
        print(f"FAILED {model}, {table.name}, {repeat}: {error!r}", flush=True)
        return None
    main, cpu = lines["main"].mean(), lines["cpu"].iloc[0]
    print(f"{model}, {table.name}, {repeat}: {main:.4f}, {cpu:.1f} s", flush=True)
    return lines


def log_runs(fresh: list[pd.DataFrame]) -> None:
    """Log the fits of this run, one line per model with the means of the tables."""
    if not fresh:
        return
    for model, lines in pd.concat(fresh).groupby("model", sort=False):
        means = lines.groupby("table", sort=False)["main"].mean()
        n_fits = len(lines[["table", "repeat"]].drop_duplicates())
        log_test_run(model, f"suite, {len(means)} tables", means, n_fits)


def chosen_for_report(options: argparse.Namespace) -> list[str] | None:
    """Return the models of the report; a run of some models reports all there are."""
    return options.models if options.report and options.models else None


def main(options: argparse.Namespace) -> None:
    warnings.simplefilter("ignore")
    entries = read_entries(options.data)
    names = order_by_size(entries, options.tables)
    chosen = options.models or [*OURS, *OTHERS]
    models = [*chosen, *(SLOW if options.slow else ())]
    if options.try_out:
        for name in names:
            table = read_table(options.data, entries[name])
            for model in models:
                try_fit(model, table, *table.split_inner(0), 0)
        return
    runs = make_runs()
    if options.again:
        runs.drop("model", models)
    if not options.report:
        run(runs, options.data, entries, names, models)
    report(runs.read(), entries, chosen_for_report(options))
    if options.page:
        write_page(runs.read(), entries)


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder with suite.json")
    parser.add_argument("--models", nargs="+", choices=MODELS, default=[])
    parser.add_argument("--tables", nargs="+", default=[])
    parser.add_argument("--slow", action="store_true", help="pytabkit's networks, too")
    parser.add_argument("--again", action="store_true", help="run the models again")
    parser.add_argument("--report", action="store_true", help="make the report only")
    parser.add_argument("--page", action="store_true", help="write the docs' section")
    parser.add_argument("--try-out", action="store_true", help="on inner splits")
    return parser


if __name__ == "__main__":
    main(make_parser().parse_args())

"""Default fits on a suite of real tables with several labels, beside other libraries.

`python benchmarks/suite.py --data DIR` reads a folder as `suite.md` describes it and
scores the test rows of the recommended splits, in five repeats where a table has fewer
than 10,000 rows, else three. The settings of other libraries' models are fixed
(`_suite_models.py`). The slow ones, of pytabkit, run with `--slow` on tables below
5,000 rows, one repeat.

Every fit is kept in `results/suite.csv`, and what is there is not run again: a run may
be cut off, or be of some models or tables. `--again` runs the chosen models again, as a
change of ours needs. `--report` makes the report only, of all models or of the chosen
ones, on the tables and repeats that they have in common. What was scored is logged in
`test_runs.md`.

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
from _report import RESULTS, markdown_table, write_report
from _suite import SuiteTable, order_by_size, read_entries, read_table
from _suite_models import LIGHTGBM, MODELS, OTHERS, OURS, SLOW
from _suite_runs import AppendedRuns
from _suite_scores import (
    CONSTANT,
    LARGEST_GAP,
    LEVEL,
    bootstrap_interval,
    common_runs,
    normalise,
    over_tasks,
    rank_models,
    score_answers,
    summarise_gaps,
)
from _tables import COMMIT, N_BINS, log_test_run

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
SLOW_BELOW = 5_000


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
        if model not in SLOW or (repeat == 0 and len(table) < SLOW_BELOW)
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


def compare(frame: pd.DataFrame, models: Sequence[str]) -> dict[str, pd.DataFrame]:
    """Return means per table of what the models have in common.

    Returns
    -------
    dict of DataFrame
        `main`, `normalised`, `rank` and `skill`, tables by models: means over the
        tasks; `cpu`, seconds a fit.
    """
    common = common_runs(frame, models)
    if common.empty:
        raise SystemExit(
            f"A report needs tables that all of {', '.join(models)} were run on; found "
            f"none in {make_runs().path}. Run them, or choose others with --models."
        )
    by_task = common.groupby(["table", "task", "model"])
    means = by_task["main"].mean().unstack()[list(models)].dropna(how="all")
    types = common.groupby(["table", "task"])["type"].first()
    constant = types.map(CONSTANT).loc[means.index]
    fits = common.groupby(["table", "repeat", "model"])["cpu"].first()
    return {
        "main": over_tasks(means),
        "normalised": over_tasks(normalise(means, constant)),
        "rank": over_tasks(rank_models(means)),
        "skill": over_tasks(by_task["skill"].mean().unstack()[list(models)]),
        "ece": over_tasks(by_task["ece"].mean().unstack()[list(models)]),
        "cpu": fits.unstack().groupby(level="table").mean()[list(models)],
    }


def summary_table(found: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Return a row per model, the best mean rank first."""
    main, normalised = found["main"], found["normalised"]
    winner = normalised.idxmax(axis=1)
    rows = []
    for model in found["rank"].mean().sort_values().index:
        low, high = bootstrap_interval(normalised[model])
        row = {
            "model": model,
            "mean rank": f"{found['rank'][model].mean():.2f}",
            "normalised [95 %]": f"{normalised[model].mean():.3f} "
            f"[{low:.3f}, {high:.3f}]",
            "tables won": f"{(winner == model).mean():.0%}",
            "log-loss saved": show(found["skill"][model].mean(), 3),
            "ECE": show(found["ece"][model].mean(), 4),
            "CPU s": f"{found['cpu'][model].mean():.1f}",
        }
        if LIGHTGBM in main:
            gaps = summarise_gaps(main[model] - main[LIGHTGBM])
            row |= {
                "to LightGBM": f"{gaps['mean']:+.4f}",
                "worst": f"{gaps['worst']:+.4f} {gaps['worst table']}",
                "not behind": f"{gaps['not behind']} of {gaps['tables']}",
            }
        rows.append(row)
    return pd.DataFrame(rows)


def show(value: float, digits: int) -> str:
    return "" if np.isnan(value) else f"{value:.{digits}f}"


def losses_table(frame: pd.DataFrame, model: str, rivals: Sequence[str]):
    """Return the tasks that a model loses most to its best rival, the largest first."""
    common = common_runs(frame, [model, *rivals])
    means = common.groupby(["table", "task", "model"])["main"].mean().unstack()
    best = means[list(rivals)]
    gap = (means[model] - best.max(axis=1)).sort_values()
    gap = gap[gap < -LEVEL]
    return pd.DataFrame(
        {
            "table": [table for table, _ in gap.index],
            "task": [task for _, task in gap.index],
            model: [f"{means[model][key]:.4f}" for key in gap.index],
            "best": [f"{best.loc[key].max():.4f}" for key in gap.index],
            "by": [best.loc[key].idxmax() for key in gap.index],
            "gap": [f"{value:+.4f}" for value in gap],
        }
    )


def tables_table(
    found: dict[str, pd.DataFrame], entries: dict[str, dict], names: Sequence[str]
) -> pd.DataFrame:
    """Return a row per table with the mean main score of each model."""
    main = found["main"]
    rows = []
    for name in names:
        if name not in main.index:
            continue
        entry, best = entries[name], main.loc[name].max()
        cells = {
            model: f"**{value:.4f}**" if value == best else f"{value:.4f}"
            for model, value in main.loc[name].items()
        }
        tasks = f"{len(entry['tasks'])}"
        rows.append({"table": name, "rows": f"{entry['rows']:,}", "tasks": tasks})
        rows[-1] |= cells
    return pd.DataFrame(rows)


def report(
    frame: pd.DataFrame, entries: dict[str, dict], models: Sequence[str] | None = None
) -> None:
    """Write the report of the file: summary, losses, then a line per table."""
    present = set(frame["model"])
    if models is None:
        models = [model for model in (*OURS, *OTHERS) if model in present]
    names = order_by_size(entries)
    found = compare(frame, models)
    parts = [NOTES.format(tables=len(found["main"]), all=len(entries))]
    rivals = [model for model in models if model not in OURS]
    for ours in models:
        if ours in OURS and rivals:
            lost = losses_table(frame, ours, rivals)
            parts.append(
                f"## Tasks on which {ours} is behind the best other library\n\n"
                f"{len(lost)} tasks, by more than {LEVEL}.\n\n" + markdown_table(lost)
            )
    parts.append("## Table by table\n\nThe mean of the tasks' main scores.")
    parts.append(markdown_table(tables_table(found, entries, names)))
    slow = [model for model in SLOW if model in present and model not in models]
    if slow:
        wide = compare(frame, [*models, *slow])
        parts.append(
            "## Beside networks of pytabkit\n\nOne repeat of the tables below "
            f"{SLOW_BELOW:,} rows: {', '.join(wide['main'].index)}."
        )
        parts.append(markdown_table(summary_table(wide)))
    write_report(
        "suite",
        "Default fits on real tables with several labels",
        summary_table(found),
        notes="\n\n".join(parts),
        packages=("lightgbm", "catboost", "torch-rechub"),
    )


NOTES = (
    "{tables} of {all} tables, those and the repeats that every model was run on; test "
    "rows of the recommended splits. Per task the main score is AUC (of classes the "
    "mean, one against the rest), R2, the explained share of the Poisson deviance or "
    "the normalised Gini index. Mean rank: 1 is the best model of a task. Normalised: "
    "0 is a constant, 1 the best model of the task; the interval draws tables with "
    "replacement. Tables won: by the mean normalised score. Log-loss saved: share of "
    "the log-loss of the training frequencies, tasks with classes. ECE: expected "
    f"calibration error over {N_BINS} bins of equal size, tasks with two classes. CPU: "
    "seconds of a fit of all labels and its answers. To LightGBM: mean over the tables "
    f"of the difference of main scores, each table's clipped to ±{LARGEST_GAP}; not "
    f"behind: tables not more than {LEVEL} behind. Every model answers numbers by "
    "their mean, so no CRPS is shown."
)


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


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder with suite.json")
    parser.add_argument("--models", nargs="+", choices=MODELS, default=[])
    parser.add_argument("--tables", nargs="+", default=[])
    parser.add_argument("--slow", action="store_true", help="pytabkit's networks, too")
    parser.add_argument("--again", action="store_true", help="run the models again")
    parser.add_argument("--report", action="store_true", help="make the report only")
    parser.add_argument("--try-out", action="store_true", help="on inner splits")
    return parser


if __name__ == "__main__":
    main(make_parser().parse_args())

"""The report of the suite, and the section of the docs that shows it.

Models that were run on every table are compared with each other. A model that was run
on some of them is compared with these on its own tables, one row each. A score is shown
for the tables and repeats that all compared models have.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from _report import describe_machine, markdown_table, write_report
from _suite import order_by_size
from _suite_models import LIGHTGBM, MODELS, OURS, SLOW, n_fits
from _suite_scores import (
    CONSTANT,
    LARGEST_GAP,
    LEVEL,
    bootstrap_interval,
    common_runs,
    normalise,
    over_tasks,
    rank_models,
    summarise_gaps,
)
from _tables import N_BINS

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
BEGIN, END = "<!-- suite.py begins -->", "<!-- suite.py ends -->"
PACKAGES = ("lightgbm", "catboost", "torch-rechub")


def divide_models(frame: pd.DataFrame) -> tuple[list[str], list[str]]:
    """Return the models with the most tables, and those with some of them."""
    n_tables = frame.groupby("model")["table"].nunique()
    present = [model for model in MODELS if model in n_tables]
    most = n_tables.max()
    complete = [model for model in present if n_tables[model] == most]
    return complete, [model for model in present if model not in complete]


def compare(frame: pd.DataFrame, models: Sequence[str]) -> dict[str, pd.DataFrame]:
    """Return means per table over what the models have in common.

    Returns
    -------
    dict of DataFrame
        `main`, `normalised`, `rank`, `skill` and `ece`, tables by models: means over
        the tasks; `cpu`, seconds a fit.
    """
    common = common_runs(frame, models)
    if common.empty:
        raise SystemExit(
            f"A report needs tables that all of {', '.join(models)} were run on; found "
            "none in results/suite.csv. Run them, or choose others with --models."
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


def summary_table(found: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return a row per model, the best mean rank first."""
    order = found["rank"].mean().sort_values().index
    return pd.DataFrame([summary_row(found, model) for model in order])


def summary_row(found: Mapping[str, pd.DataFrame], model: str) -> dict[str, str]:
    main, normalised = found["main"], found["normalised"]
    low, high = bootstrap_interval(normalised[model])
    won = (normalised.idxmax(axis=1) == model).mean()
    row = {
        "model": model,
        "mean rank": f"{found['rank'][model].mean():.2f}",
        "normalised [95 %]": f"{normalised[model].mean():.3f} [{low:.3f}, {high:.3f}]",
        "tables won": f"{won:.0%}",
        "log-loss saved": show(found["skill"][model].mean(), 3),
        "ECE": show(found["ece"][model].mean(), 4),
        "CPU s": f"{found['cpu'][model].mean():.1f}",
    }
    if LIGHTGBM not in main:
        return row
    gaps = summarise_gaps(main[model] - main[LIGHTGBM])
    return row | {
        "to LightGBM": f"{gaps['mean']:+.4f}",
        "worst": f"{gaps['worst']:+.4f} {gaps['worst table']}",
        "not behind": f"{gaps['not behind']} of {gaps['tables']}",
    }


def show(value: float, digits: int) -> str:
    return "" if np.isnan(value) else f"{value:.{digits}f}"


def partial_table(
    frame: pd.DataFrame, complete: Sequence[str], partial: Sequence[str]
) -> pd.DataFrame:
    """Return a row per model with some tables, among the complete ones on these."""
    rows = []
    for model in partial:
        among = [model, *(each for each in complete if each != model)]
        if common_runs(frame, among).empty:
            continue
        found = compare(frame, among)
        ranks = found["rank"].mean().sort_values()
        others = ranks.drop(model).map("{:.2f}".format)
        rows.append({"model": model, "tables": len(found["main"])})
        rows[-1] |= summary_row(found, model)
        rows[-1]["others' ranks"] = ", ".join(map(" ".join, others.items()))
    return pd.DataFrame(rows)


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
    frame: pd.DataFrame, entries: dict[str, dict], models: Sequence[str]
) -> pd.DataFrame:
    """Return a row per table with the mean main score of each model.

    The first column of `models` that is one of ours decides the order: its largest loss
    to the best other library first. A model that was not run on a table leaves the cell
    blank.
    """
    scores = common_scores(frame, models)
    gaps = gaps_of_ours(scores)
    order = [name for name in order_by_size(entries) if name in scores.index]
    if not gaps.empty:
        first = gaps.columns[0]
        order = [*gaps[first].sort_values().index, *gaps.index[gaps[first].isna()]]
    rows = []
    for name in order:
        row = scores.loc[name]
        # Alone on a table, no model is its best.
        best = row.max() if row.count() > 1 else None
        cells = {
            model: f"**{value:.4f}**" if value == best else show(value, 4)
            for model, value in row.items()
        }
        entry = entries[name]
        rows.append({"table": name, "rows": f"{entry['rows']:,}"})
        rows[-1] |= {"tasks": f"{len(entry['tasks'])}"} | cells
        rows[-1] |= {
            f"{model} to best": f"{gaps.loc[name, model]:+.4f}" for model in gaps
        }
    return pd.DataFrame(rows)


def common_scores(frame: pd.DataFrame, models: Sequence[str]) -> pd.DataFrame:
    """Return main scores, tables by models, over each table's common repeats."""
    rows = {}
    for table, lines in frame[frame["model"].isin(models)].groupby("table"):
        common = common_runs(lines, lines["model"].unique())
        rows[table] = common.groupby("model")["main"].mean()
    return pd.DataFrame(rows).T.reindex(columns=list(models)).dropna(how="all")


def gaps_of_ours(scores: pd.DataFrame) -> pd.DataFrame:
    """Return the difference of each of our models to the best other library."""
    others = scores[[model for model in scores if model not in OURS]].max(axis=1)
    ours = scores[[model for model in scores if model in OURS]]
    return ours.sub(others, axis=0).dropna(how="all", axis=1)


def missing_fits(frame: pd.DataFrame, entries: dict[str, dict]) -> list[str]:
    """Return a line per model that some table has no fit, or too few fits, of."""
    done = frame.groupby(["model", "table"])["repeat"].nunique()
    lines = []
    for model in MODELS:
        lacking = []
        for name in order_by_size(entries):
            wanted = n_fits(model, entries[name]["rows"])
            found = done.get((model, name), 0)
            if found == 0 < wanted:
                lacking.append(name)
            elif found < wanted:
                lacking.append(f"{name} ({found} of {wanted} repeats)")
        if lacking:
            tables = ", ".join(lacking) if model in set(frame["model"]) else "any table"
            lines.append(f"- {model}: {tables}.")
    return lines


def report(
    frame: pd.DataFrame, entries: dict[str, dict], models: Sequence[str] | None = None
) -> None:
    """Write the report of the file: summary, losses, then a line per table.

    Parameters
    ----------
    frame : DataFrame
        The lines of `results/suite.csv`.

    entries : dict
        Of `read_entries`.

    models : sequence of str or None
        Compare these alone; None compares all that were run.
    """
    complete, partial = (models, []) if models else divide_models(frame)
    found = compare(frame, complete)
    parts = [NOTES.format(tables=len(found["main"]), all=len(entries))]
    parts += partial_part(frame, complete, partial)
    rivals = [model for model in complete if model not in OURS]
    for ours in complete:
        if ours in OURS and rivals:
            lost = losses_table(frame, ours, rivals)
            parts.append(
                f"## Tasks on which {ours} is behind the best other library\n\n"
                f"{len(lost)} tasks, by more than {LEVEL}.\n\n" + markdown_table(lost)
            )
    parts.append("## Table by table\n\n" + TABLES_NOTE)
    shown = [model for model in (*complete, *partial) if model not in SLOW]
    parts.append(markdown_table(tables_table(frame, entries, shown)))
    missing = missing_fits(frame, entries)
    if missing:
        parts.append("## Not run\n\n" + "\n".join(missing))
    write_report(
        "suite",
        "Default fits on real tables with several labels",
        summary_table(found),
        notes="\n\n".join(parts),
        packages=PACKAGES,
    )


def partial_part(
    frame: pd.DataFrame, complete: Sequence[str], partial: Sequence[str]
) -> list[str]:
    """Return the table of the models with some tables, if there are any."""
    if not partial:
        return []
    return [
        f"Run on some tables only, each compared there with {', '.join(complete)}:",
        markdown_table(partial_table(frame, complete, partial)),
    ]


def write_page(
    frame: pd.DataFrame, entries: dict[str, dict], page: Path = PAGE
) -> None:
    """Replace the section of the docs between two marks: losses first, then means."""
    complete, partial = divide_models(frame)
    found = compare(frame, complete)
    shown = [model for model in (*complete, *partial) if model not in SLOW]
    parts = [
        BEGIN,
        TABLES_NOTE,
        markdown_table(tables_table(frame, entries, shown)),
        f"Means over {len(found['main'])} of {len(entries)} tables:",
        markdown_table(summary_table(found)),
        *partial_part(frame, complete, partial),
    ]
    missing = missing_fits(frame, entries)
    if missing:
        parts.append("Not run yet:\n\n" + "\n".join(missing))
    parts += [describe_machine(PACKAGES), END]
    text = page.read_text(encoding="utf-8")
    before, found_begin, rest = text.partition(BEGIN)
    _, found_end, after = rest.partition(END)
    if not (found_begin and found_end):
        raise SystemExit(
            f"{page.name} must hold the lines {BEGIN!r} and {END!r}, between which the "
            "section is written; found none. Add them."
        )
    page.write_text(before + "\n\n".join(parts) + after, encoding="utf-8")


TABLES_NOTE = (
    "The mean of the tasks' main scores, over the repeats that all models of the row "
    "have; the best is bold, and blank is not run. To best: the difference to the best "
    "other library that was run, the largest loss first."
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

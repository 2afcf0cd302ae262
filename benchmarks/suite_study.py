"""The study of candidate defaults on the suite, by inner validation.

`python benchmarks/suite_study.py --data DIR default m4_60_4_both` fits candidates, by
their names in `CANDIDATES`, on a part of the training rows of every table and scores
the others: the recommended split is made once more within the training part. **No test
row is read.** All candidates get the same rows and seeds, and so does LightGBM per
label, the yardstick.

`--rows 500 2000 10000` fits random subsets of the inner training parts instead, of
tables that have more; the rows scored are the same.

Every fit is kept in `results/suite_study.csv`, and what is there is not run again;
`--report` makes the report only. Needs the extra `bench`.
"""

import argparse
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from _report import RESULTS, markdown_table, write_report
from _suite import SuiteTable, order_by_size, read_entries, read_table
from _suite_models import DEFAULT, LIGHTGBM, OTHERS, Answers, make_default, read_answers
from _suite_runs import AppendedRuns
from _suite_scores import LARGEST_GAP, LEVEL, score_answers, summarise_gaps

from sk_mtl.preprocessing import make_tabular_preprocessor

KEY = ("name", "table", "seed")
COLUMNS = (*KEY, "task", "primary", "skill", "cpu", "epochs")
YARDSTICK = LIGHTGBM.lower()
# "bank@500" is the table bank with 500 rows to fit.
ROWS_MARK = "@"


@dataclass(frozen=True)
class Candidate:
    """What differs from the default fit.

    Attributes
    ----------
    parameters : dict
        Of the estimator.

    n_fits : int
        Average so many fits, each with another part of the rows held out; 0 is one fit
        that holds out rows as its parameters say.

    n_parts : int or None
        Cut the rows into so many parts for `n_fits`; None is as many as fits.

    numeric : str or None
        Option of the preprocessor.

    by_group : bool
        Hand the table's groups to `fit`, so that whole groups are held out.
    """

    parameters: dict[str, Any] = field(default_factory=dict)
    n_fits: int = 0
    n_parts: int | None = None
    numeric: str | None = None
    by_group: bool = False


# The default before this study, from which each candidate differs.
BEFORE = {
    "max_epochs": 5,
    "lr": 0.008,
    "n_iter_no_change": 3,
    "n_members": 1,
    "embedding_dim": 8,
    "embedding_l2": 0.0,
    "numeric_embedding": "bins",
}
BOTH = {"numeric_embedding": ["ple", "bins"]}
FOUR = {"n_members": 4, "member_sharing": "none"}


def stopped(max_epochs: int, lr: float | None = None, **others: Any) -> dict[str, Any]:
    """Return the parameters of a fit that stops early."""
    rate = {} if lr is None else {"lr": lr}
    return {"max_epochs": max_epochs, "early_stopping": True, **rate, **others}


TRIED = {
    "before": Candidate(),
    "both": Candidate(BOTH),
    "es15_8_both": Candidate({**BOTH, "max_epochs": 15}),
    "es30_8_both": Candidate(stopped(30, **BOTH)),
    "es30_4_both": Candidate(stopped(30, 0.004, **BOTH)),
    "es60_4_both": Candidate(stopped(60, 0.004, **BOTH)),
    "es60_4_both_p5": Candidate(stopped(60, 0.004, n_iter_no_change=5, **BOTH)),
    "es30_4_both_m4": Candidate(stopped(30, 0.004, **BOTH, **FOUR)),
    "m2_5_both": Candidate({**BOTH, **FOUR, "n_members": 2}),
    "m4e_5_both": Candidate({**BOTH, **FOUR, "member_sharing": "embedding"}),
    "m4_5_both": Candidate({**BOTH, **FOUR}),
    "m4_5_both_noes": Candidate({**BOTH, **FOUR, "early_stopping": False}),
    "m4_5_both_wide": Candidate(
        {**BOTH, **FOUR, "embedding_dim": 16, "embedding_l2": 1e-4}
    ),
    "m4_5_both_log": Candidate(
        {**BOTH, **FOUR, "lr": 0.016, "embedding_dim": 16, "embedding_l2": 1e-4}
    ),
    "m4_10_both": Candidate({**BOTH, **FOUR, "max_epochs": 10}),
    "m4_20_4_both": Candidate(stopped(20, 0.004, n_iter_no_change=5, **BOTH, **FOUR)),
    "m4_15_both": Candidate({**BOTH, **FOUR, "max_epochs": 15}),
    "m4_15_4_both": Candidate({**BOTH, **FOUR, "max_epochs": 15, "lr": 0.004}),
    "m4_30_8_both": Candidate(stopped(30, 0.008, **BOTH, **FOUR)),
    "m4_60_4_both": Candidate(stopped(60, 0.004, n_iter_no_change=5, **BOTH, **FOUR)),
    "m4_60_4_both_d2": Candidate(
        stopped(60, 0.004, n_iter_no_change=5, dropout=0.25, **BOTH, **FOUR)
    ),
    "m4_60_2c_both": Candidate(
        stopped(60, 0.002, n_iter_no_change=5, lr_schedule=None, **BOTH, **FOUR)
    ),
    "m4e_60_4_both": Candidate(
        stopped(
            60,
            0.004,
            n_iter_no_change=5,
            n_members=4,
            member_sharing="embedding",
            **BOTH,
        )
    ),
    "m2_60_4_both": Candidate(
        stopped(60, 0.004, n_iter_no_change=5, **BOTH, **{**FOUR, "n_members": 2})
    ),
    "bag4_15_4_both": Candidate(stopped(15, 0.004, **BOTH), n_fits=4),
    "bag4_30_4_both": Candidate(stopped(30, 0.004, **BOTH), n_fits=4),
    "bag8_30_4_both": Candidate(stopped(30, 0.004, **BOTH), n_fits=8),
    "bag4_30_8_both": Candidate(stopped(30, 0.008, **BOTH), n_fits=4),
    "bag4_30_2_both": Candidate(stopped(30, 0.002, **BOTH), n_fits=4),
    "bag4_30_4_both_p6": Candidate(
        stopped(30, 0.004, n_iter_no_change=6, **BOTH), n_fits=4
    ),
    "bag4_60_4_both": Candidate(
        stopped(60, 0.004, n_iter_no_change=5, **BOTH), n_fits=4
    ),
    "bag4_30_4_both_d2": Candidate(stopped(30, 0.004, dropout=0.25, **BOTH), n_fits=4),
    "bag4_30_4_both_wd": Candidate(
        stopped(30, 0.004, weight_decay=0.1, **BOTH), n_fits=4
    ),
    "bag4_30_4_both_nox": Candidate(
        stopped(30, 0.004, interaction=None, **BOTH), n_fits=4
    ),
    "bag4_30_4_both_q": Candidate(
        stopped(30, 0.004, **BOTH), n_fits=4, numeric="quantile"
    ),
    "bag4_30_4_ple": Candidate(stopped(30, 0.004, numeric_embedding="ple"), n_fits=4),
    "bag4_30_4_bins": Candidate(stopped(30, 0.004), n_fits=4),
    "tenth4_30_4_both": Candidate(stopped(30, 0.004, **BOTH), n_fits=4, n_parts=10),
}
# Differ from today's default alone.
LATER = {
    "folds8": Candidate({"n_members": 8, "member_rows": "folds"}),
    "folds4": Candidate({"n_members": 4, "member_rows": "folds"}),
    "m8": Candidate({"n_members": 8}),
}
CANDIDATES = (
    {DEFAULT: Candidate()}
    | LATER
    | {
        name: replace(tried, parameters=BEFORE | tried.parameters)
        for name, tried in TRIED.items()
    }
)


def fit_candidate(
    candidate: Candidate,
    table: SuiteTable,
    train: np.ndarray,
    test: np.ndarray,
    seed: int,
) -> tuple[Answers, float]:
    """Return the answers for the rows to score, and the epochs of a fit."""
    X, y, X_test = table.X, table.y, table.X.iloc[test]
    parameters = dict(candidate.parameters)
    if candidate.numeric is not None:
        parameters["preprocessor"] = make_tabular_preprocessor(
            X.iloc[train], numeric=candidate.numeric
        )
    if candidate.n_fits == 0:
        groups = {}
        if candidate.by_group and table.group is not None:
            groups = {"groups": table.group.iloc[train].to_numpy()}
        model = make_default(table, seed, **parameters)
        model.fit(X.iloc[train], y.iloc[train], **groups)
        return read_answers(model, table, X_test), model.n_iter_
    n_parts = candidate.n_parts or candidate.n_fits
    part = np.random.default_rng(seed).permutation(len(train)) % n_parts
    answers, epochs = [], []
    for k in range(candidate.n_fits):
        kept, held_out = train[part != k], train[part == k]
        model = make_default(table, 100 * seed + k, **parameters)
        model.fit(
            X.iloc[kept], y.iloc[kept], X_val=X.iloc[held_out], y_val=y.iloc[held_out]
        )
        answers.append(read_answers(model, table, X_test))
        epochs.append(model.n_iter_)
    means = [np.mean(of_task, axis=0) for of_task in zip(*answers, strict=True)]
    return means, float(np.mean(epochs))


def fit_and_score(
    name: str, table: SuiteTable, seed: int, n_rows: int | None
) -> pd.DataFrame:
    """Return the lines of one fit, a line per task."""
    train, test = table.split_inner(seed, n_rows)
    start = time.process_time()
    if name == YARDSTICK:
        answers, epochs = OTHERS[LIGHTGBM](table, train, test, seed), 0
    else:
        answers, epochs = fit_candidate(CANDIDATES[name], table, train, test, seed)
    cpu = time.process_time() - start
    scores = score_answers(table, train, test, answers).reset_index()
    return scores.rename(columns={"main": "primary"}).assign(
        name=name,
        table=name_table(table.name, n_rows),
        seed=seed,
        cpu=round(cpu, 2),
        epochs=epochs,
    )


def name_table(name: str, n_rows: int | None) -> str:
    return name if n_rows is None else f"{name}{ROWS_MARK}{n_rows}"


def run(
    runs: AppendedRuns,
    table: SuiteTable,
    names: Sequence[str],
    seeds: Sequence[int],
    sizes: Sequence[int | None],
) -> None:
    """Fit and score on one table what the file does not hold yet."""
    done = runs.done()
    for size in sizes:
        table_name = name_table(table.name, size)
        for seed in seeds:
            if size is not None and size >= len(table.split_inner(seed)[0]):
                continue
            for name in names:
                if (name, table_name, seed) in done:
                    continue
                try:
                    lines = fit_and_score(name, table, seed, size)
                except Exception as error:
                    print(f"FAILED {name}, {table_name}, {seed}: {error!r}", flush=True)
                    continue
                runs.add(lines)
                mean, cpu = lines["primary"].mean(), lines["cpu"].iloc[0]
                print(name, table_name, seed, f"{mean:.4f}, {cpu:.1f} s", flush=True)


def compare(frame: pd.DataFrame, name: str, base: str) -> pd.DataFrame:
    """Return by table how far a candidate is ahead of another, seed by seed.

    Returns
    -------
    DataFrame
        Columns `gap`, the mean over tasks of the difference of the main scores;
        `skill`, likewise of the shares of the log-loss saved; `cpu`, the ratio of the
        seconds. Only tables, seeds and tasks that both have count.
    """
    cells = ["table", "seed", "task"]
    one, other = (
        frame[frame["name"] == n].set_index(cells)[["primary", "skill", "cpu"]]
        for n in (name, base)
    )
    both = one.join(other.add_suffix(" base"), how="inner")
    gains = pd.DataFrame(
        {
            "gap": both["primary"] - both["primary base"],
            "skill": both["skill"] - both["skill base"],
        }
    )
    by_task = gains.groupby(level=["table", "task"]).mean()
    means = by_task.groupby(level="table").mean()
    seconds = both[["cpu", "cpu base"]].groupby(level=["table", "seed"]).first()
    seconds = seconds.groupby(level="table").mean()
    return means.assign(cpu=seconds["cpu"] / seconds["cpu base"])


def summary_table(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a row per candidate, the largest mean gap to LightGBM first."""
    rows = []
    for name in frame["name"].unique():
        if name == YARDSTICK:
            continue
        found = compare(frame, name, YARDSTICK)
        if found.empty:
            continue
        gaps = summarise_gaps(found["gap"])
        gain = compare(frame, name, DEFAULT)["gap"]
        row = {
            "candidate": name,
            "order": gaps["mean"],
            "tables": gaps["tables"],
            "to LightGBM": f"{gaps['mean']:+.4f}",
            "worst": f"{gaps['worst']:+.4f} {gaps['worst table']}",
            "not behind": f"{gaps['not behind']} of {gaps['tables']}",
            "log-loss saved": f"{found['skill'].mean():+.4f}",
            "CPU": f"{found['cpu'].median():.1f}",
            "to the default": "",
            "better / worse": "",
        }
        if name != DEFAULT and len(gain):
            mean = gain.clip(-LARGEST_GAP, LARGEST_GAP).mean()
            better, worse = (gain > LEVEL).sum(), (gain < -LEVEL).sum()
            row["to the default"] = f"{mean:+.4f}"
            row["better / worse"] = f"{better} / {worse} of {len(gain)}"
        rows.append(row)
    table = pd.DataFrame(rows).sort_values("order", ascending=False)
    return table.drop(columns="order")


def gaps_table(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the gaps to LightGBM, candidates by tables, in the summary's order."""
    names = summary_table(frame)["candidate"]
    gaps = {name: compare(frame, name, YARDSTICK)["gap"] for name in names}
    cells = pd.DataFrame(gaps).T.map(lambda v: "" if pd.isna(v) else f"{v:+.3f}")
    return cells.rename_axis("candidate").reset_index()


def split_sizes(frame: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return the lines of whole tables, and of subsets by their number of rows."""
    rows = frame["table"].str.partition(ROWS_MARK)[2]
    sizes = sorted(rows.unique(), key=lambda n: int(n or 0))
    return {size: frame[rows == size] for size in sizes}


def report(frame: pd.DataFrame) -> None:
    """Write the report of the file."""
    if frame.empty or YARDSTICK not in set(frame["name"]):
        raise SystemExit(
            f"A report needs fits of {YARDSTICK}, the yardstick; found none in "
            f"{make_runs().path}. Add {YARDSTICK} to the names."
        )
    sizes = split_sizes(frame)
    whole = sizes.pop("", None)
    parts = [NOTES]
    if whole is not None:
        parts += ["## Table by table", markdown_table(gaps_table(whole))]
    for size, lines in sizes.items():
        parts += [f"## {int(size):,} rows", markdown_table(summary_table(lines))]
        parts.append(markdown_table(gaps_table(lines)))
    write_report(
        "suite_study",
        "Candidate defaults on the suite, by inner validation",
        pd.DataFrame() if whole is None else summary_table(whole),
        notes="\n\n".join(parts),
        packages=("lightgbm",),
    )


NOTES = (
    "The training parts of the recommended splits, split once more; no test row is "
    "read. To LightGBM, to the default: mean over the tables of the difference of the "
    "tasks' main scores on the same rows, each table's clipped to "
    f"±{LARGEST_GAP}. Not behind: tables not more than {LEVEL} behind LightGBM. Log-"
    "loss saved: share of the log-loss of the training frequencies that is saved, less "
    "LightGBM's. CPU: median over the tables, in multiples of LightGBM's seconds. "
    "Better, worse: tables that differ from the default by more than "
    f"{LEVEL}. Candidates that were run on fewer tables are not comparable with the "
    "others. What each name changes is in `CANDIDATES` of `benchmarks/suite_study.py`."
)


def make_runs() -> AppendedRuns:
    return AppendedRuns(RESULTS / "suite_study.csv", KEY, COLUMNS)


def main(options: argparse.Namespace) -> None:
    warnings.simplefilter("ignore")
    runs = make_runs()
    if not options.report:
        entries = read_entries(options.data)
        for name in order_by_size(entries, options.tables):
            table = read_table(options.data, entries[name])
            run(runs, table, options.names, options.seeds, options.rows or [None])
    report(runs.read())


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = [YARDSTICK, *CANDIDATES]
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(names))
    parser.add_argument("--data", help="folder with suite.json")
    parser.add_argument("--tables", nargs="+", default=[])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1])
    parser.add_argument("--rows", nargs="+", type=int, default=[])
    parser.add_argument("--report", action="store_true", help="make the report only")
    return parser


def read_options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the options, with an error where names or the folder are missing."""
    parser = make_parser()
    options = parser.parse_args(arguments)
    unknown = sorted(set(options.names) - {YARDSTICK, *CANDIDATES})
    if unknown:
        parser.error(
            f"NAME must be {YARDSTICK} or a key of CANDIDATES; found "
            f"{', '.join(unknown)}. Choose from {', '.join(CANDIDATES)}."
        )
    if not options.report and not (options.data and options.names):
        parser.error("a run needs --data and at least one NAME; or give --report.")
    return options


if __name__ == "__main__":
    main(read_options())

"""A folder of tables with several labels: how it is read and how it is split.

The folder holds `suite.json` and one Parquet file per table; `suite.md` says how to
build it from public data. `suite.json` is a list with one entry per table: its `name`,
`file`, `features`, `tasks` (`name`, `type`, `parent`), and the recommended `split` with
the columns `group` and `time` that it needs.

===============  ====================================================================
split            test rows
===============  ====================================================================
`"random"`       a random fifth
`"group"`        all rows of a random fifth of the groups
`"time"`         the last fifth of the time; each repeat leaves out another random
                 twentieth of the training rows
`"user_time"`    the last fifth of the rows of each group, in the order of the file
===============  ====================================================================

A study splits the training rows once more in the same manner (`SuiteTable.split_inner`)
and reads no test row.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

CLASS_TYPES = ("binary", "multiclass")
TASK_TYPES = (*CLASS_TYPES, "regression", "poisson", "ziln")
TEST_SHARE = 0.2
# Below it, a table is split five times, else three times.
FEW_ROWS = 10_000
Parts = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Task:
    """One label of a table.

    Attributes
    ----------
    name : str

    type : str
        One of `TASK_TYPES`.

    parent : str or None
        The step of a funnel that this one builds on.
    """

    name: str
    type: str
    parent: str | None = None

    @property
    def has_classes(self) -> bool:
        return self.type in CLASS_TYPES


@dataclass(frozen=True)
class SuiteTable:
    """Features, labels and the recommended split of one table.

    Attributes
    ----------
    name : str

    tasks : tuple of Task

    X, y : DataFrame
        One column of y per task; NaN where the label is missing. Numbers are float64.

    split_kind : str
        A row of the table in the module's docstring.

    group, time : Series or None
        The columns that the split needs.
    """

    name: str
    tasks: tuple[Task, ...]
    X: pd.DataFrame
    y: pd.DataFrame
    split_kind: str
    group: pd.Series | None = None
    time: pd.Series | None = None

    def __len__(self) -> int:
        return len(self.X)

    @property
    def n_repeats(self) -> int:
        return n_repeats(len(self))

    @property
    def categorical(self) -> list[str]:
        return [
            name
            for name, column in self.X.items()
            if not pd.api.types.is_numeric_dtype(column)
        ]

    def split(self, seed: int) -> Parts:
        """Return the positions of training and test rows, in the table's order."""
        return self._split(np.arange(len(self)), seed)

    def split_inner(self, seed: int, n_rows: int | None = None) -> Parts:
        """Return two parts of the training rows, to fit on and to score.

        Parameters
        ----------
        seed : int
            The repeat: of `split(seed)` the training rows are split once more.

        n_rows : int or None
            Fit on so many random rows of the first part; None is all of them.
        """
        train, _ = self.split(seed)
        fit, score = self._split(train, seed + 500)
        if n_rows is not None and n_rows < len(fit):
            rng = np.random.default_rng(seed)
            fit = np.sort(rng.choice(fit, n_rows, replace=False))
        return fit, score

    def _split(self, rows: np.ndarray, seed: int) -> Parts:
        rng = np.random.default_rng(1000 + seed)
        if self.split_kind == "random":
            in_test = np.zeros(len(rows), dtype=bool)
            in_test[rng.permutation(len(rows))[: int(TEST_SHARE * len(rows))]] = True
        elif self.split_kind == "group":
            group = self.group.iloc[rows]
            names = rng.permutation(pd.unique(group))
            in_test = group.isin(names[: max(1, int(TEST_SHARE * len(names)))])
        elif self.split_kind == "user_time":
            groups = self.group.iloc[rows].groupby(self.group.iloc[rows], observed=True)
            rank = (groups.cumcount() + 0.5) / groups.transform("size")
            in_test = rank >= 1 - TEST_SHARE
        else:
            return self._split_by_time(rows, seed)
        in_test = np.asarray(in_test)
        return rows[~in_test], rows[in_test]

    def _split_by_time(self, rows: np.ndarray, seed: int) -> Parts:
        ordered = rows[np.argsort(self.time.iloc[rows].to_numpy(), kind="stable")]
        n_train = int((1 - TEST_SHARE) * len(rows))
        train = np.sort(ordered[:n_train])
        kept = np.random.default_rng(seed).choice(
            train, int(0.95 * n_train), replace=False
        )
        return np.sort(kept), np.sort(ordered[n_train:])


def n_repeats(n_rows: int) -> int:
    """Return how often a table of so many rows is split."""
    return 5 if n_rows < FEW_ROWS else 3


def read_entries(folder: str | Path) -> dict[str, dict]:
    """Return the entries of the folder's `suite.json` by the tables' names."""
    path = Path(folder) / "suite.json"
    if not path.is_file():
        raise SystemExit(
            "--data must be a folder with suite.json and its Parquet files; found no "
            f"suite.json in {str(folder)!r}. Build the folder as benchmarks/suite.md "
            "says."
        )
    return {entry["name"]: entry for entry in json.loads(path.read_text("utf-8"))}


def read_table(folder: str | Path, entry: dict) -> SuiteTable:
    """Return the table of an entry of `suite.json`."""
    name, path = entry["name"], Path(folder) / entry["file"]
    if not path.is_file():
        raise SystemExit(
            f"The file of every table in suite.json must exist; found no {path.name} "
            f"for {name!r} in {str(folder)!r}. Build it as benchmarks/suite.md says, "
            "or take its entry out of suite.json."
        )
    tasks = tuple(Task(t["name"], t["type"], t["parent"]) for t in entry["tasks"])
    unknown = sorted({task.type for task in tasks} - set(TASK_TYPES))
    if unknown:
        raise SystemExit(
            f"The type of a task must be one of {', '.join(TASK_TYPES)}; found "
            f"{', '.join(unknown)} in table {name!r}. Change suite.json."
        )
    frame = pd.read_parquet(path)
    y = frame[[task.name for task in tasks]].copy()
    for task in tasks:
        if not task.has_classes:
            y[task.name] = y[task.name].astype("float64")
    group, time = (
        None if entry[key] is None else frame[entry[key]] for key in ("group", "time")
    )
    X = frame[entry["features"]].copy()
    return SuiteTable(name, tasks, X, y, entry["split"], group, time)


def order_by_size(entries: dict[str, dict], names: Sequence[str] = ()) -> list[str]:
    """Return the chosen tables, or all, from the fewest cells to the most."""
    unknown = sorted(set(names) - set(entries))
    if unknown:
        raise SystemExit(
            f"--tables must name tables of suite.json; found {', '.join(unknown)}. "
            f"Choose from {', '.join(entries)}."
        )
    cells = {name: e["rows"] * len(e["features"]) for name, e in entries.items()}
    return sorted(names or entries, key=cells.__getitem__)

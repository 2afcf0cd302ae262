"""The tables of the accuracy benchmarks, how probabilities are scored, and the log.

==========  ==========================  ==============  ====================  =======
name        tasks                       training rows   validation rows       test
==========  ==========================  ==============  ====================  =======
`"KDD 1"`   income, never married       training file   half the test file    half
`"KDD 2"`   college, never married      training file   half the test file    half
`"Adult"`   income, (ever) married      9/10 of the     1/10 of the training  file
                                        training file   file
`"funnel"`  click, conversion           60,000          20,000                none
==========  ==========================  ==============  ====================  =======

A study reads the training and validation rows of a table. The test rows are read when
`Table.load_test` is called and not before, so that none is scored by accident; and who
scores them says so in `test_runs.md` (`log_test_run`).
"""

import argparse
import datetime
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path

import numpy as np
import pandas as pd
from _report import RESULTS
from sklearn.model_selection import train_test_split

from sk_mtl.datasets import load_adult, load_census_income, make_conversion_funnel
from sk_mtl.metrics import task_scores

N_BINS = 15
TEST_LOG = Path(__file__).parent / "test_runs.md"
Rows = tuple[pd.DataFrame, pd.DataFrame]


@dataclass(frozen=True)
class Table:
    """Training and validation rows of one table, and the way to its test rows.

    Attributes
    ----------
    name : str

    X, y : DataFrame
        The rows to train on.

    X_val, y_val : DataFrame or None
        The rows to stop early on. None leaves it to the estimator to split some off.

    X_eval, y_eval : DataFrame
        The rows that a study scores: many, whatever the size of a subset. In a whole
        table they are the validation rows themselves, so a score is a little too good
        where training was also stopped on them; ``table.subset(None,
        validation_fraction=0)`` is the same table without that.

    read_test : callable
        Reads the test rows. Call `load_test` instead.
    """

    name: str
    X: pd.DataFrame
    y: pd.DataFrame
    X_val: pd.DataFrame | None
    y_val: pd.DataFrame | None
    X_eval: pd.DataFrame
    y_eval: pd.DataFrame
    read_test: Callable[[], Rows] | None = field(repr=False)

    def load_test(self) -> Rows:
        """Read the test rows. Whoever scores them calls `log_test_run`."""
        if self.read_test is None:
            raise ValueError(
                f"load_test needs a table with test rows; {self.name} has none. Score "
                "X_eval and y_eval."
            )
        return self.read_test()

    def subset(
        self, n_rows: int | None, seed: int = 0, validation_fraction: float = 0.1
    ) -> "Table":
        """Return the table with `n_rows` random training rows, or all for None.

        The validation rows are split off these rows, stratified by the rarest label:
        whoever has few rows has no thousands of others to stop early on. A
        `validation_fraction` of 0 splits off none and sets them to None.
        """
        rows = np.arange(len(self.X))
        if n_rows is not None:
            rows = np.random.default_rng(seed).permutation(rows)[:n_rows]
        X, y = self.X.iloc[rows], self.y.iloc[rows]
        if validation_fraction == 0:
            return replace(self, X=X, y=y, X_val=None, y_val=None)
        rarest = y.mean().sub(0.5).abs().idxmax()
        X, X_val, y, y_val = train_test_split(
            X, y, test_size=validation_fraction, stratify=y[rarest], random_state=seed
        )
        return replace(self, X=X, y=y, X_val=X_val, y_val=y_val)


@cache
def load_table(name: str) -> Table:
    """Return a table by its name, one of `TABLES`; read once in a process."""
    (X, y), validation, read_test = _LOADERS[name]()
    return Table(name, X, y, *validation, *validation, read_test)


def _load_kdd(tasks: Sequence[str]):
    return (
        load_census_income(tasks=tasks, return_X_y=True),
        _half_of_kdd_test(tasks, 0),
        partial(_half_of_kdd_test, tasks, 1),
    )


def _half_of_kdd_test(tasks: Sequence[str], half: int) -> Rows:
    X, y = load_census_income(subset="test", tasks=tasks, return_X_y=True)
    parts = train_test_split(X, y, test_size=0.5, random_state=0)
    return parts[half], parts[2 + half]


def _load_adult():
    X, X_val, y, y_val = train_test_split(
        *load_adult(return_X_y=True), test_size=0.1, random_state=0
    )
    return (X, y), (X_val, y_val), partial(load_adult, subset="test", return_X_y=True)


def _load_funnel():
    # Rows come in the order of time, and validation rows are later ones, as in use.
    # The last fifth is drawn, since a log's rates depend on its length, and not used.
    X, y, _ = make_conversion_funnel(n_samples=100_000, random_state=0)
    return (X[:60_000], y[:60_000]), (X[60_000:80_000], y[60_000:80_000]), None


_LOADERS = {
    "KDD 1": partial(_load_kdd, ("income", "never_married")),
    "KDD 2": partial(_load_kdd, ("college", "never_married")),
    "Adult": _load_adult,
    "funnel": _load_funnel,
}
TABLES = tuple(_LOADERS)


def expected_calibration_error(y_true, y_proba) -> float:
    """How far the mean probability is from the share of positives, bin by bin.

    The rows are sorted by the probability of class 1 and cut into `N_BINS` bins of
    equal size. The answer is the mean over the bins of the absolute difference.
    """
    y_true, positive = np.asarray(y_true), np.asarray(y_proba, dtype=float)[:, 1]
    bins = np.array_split(np.argsort(positive, kind="stable"), N_BINS)
    return sum(abs((y_true - positive)[rows].sum()) for rows in bins) / len(y_true)


def score_proba(y: pd.DataFrame, proba: list[np.ndarray]) -> pd.DataFrame:
    """Return AUC, log-loss, Brier score and calibration error, one row per task.

    `proba` is what `predict_proba` returns for several tasks.
    """
    metrics = ("roc_auc", "log_loss", "brier", expected_calibration_error)
    scores = task_scores(y, proba, metrics)
    return scores.set_axis(["auc", "log_loss", "brier", "ece"], axis=1)


def log_test_run(model: str, data: str, auc: pd.Series, n_fits: int) -> None:
    """Append a line to `test_runs.md`: what was scored on the test rows, and when.

    Parameters
    ----------
    model, data : str
        Names as in the script's table.

    auc : Series
        Mean test AUC by task.

    n_fits : int
        How many fits the mean is over.
    """
    # Where the data lie on this machine is nobody else's business.
    words = [Path(each).name if Path(each).is_absolute() else each for each in sys.argv]
    command = shlex.join([Path(words[0]).name, *words[1:]])
    means = ", ".join(f"{task} {value:.4f}" for task, value in auc.items())
    cells = [str(datetime.date.today()), COMMIT, f"`{command}`", data, model]
    with TEST_LOG.open("a", encoding="utf-8") as log:
        log.write(f"| {' | '.join([*cells, means, str(n_fits)])} |\n")


def _commit() -> str:
    """Return the short hash of the commit, with `-dirty` where the code differs."""
    changes = _git("status", "--porcelain", "--", "../sk_mtl", "*.py")
    return (_git("rev-parse", "--short", "HEAD") or "unknown") + "-dirty" * bool(
        changes
    )


def _git(*arguments: str) -> str:
    try:
        answer = subprocess.run(
            ["git", "--no-optional-locks", *arguments],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
        )
    except FileNotFoundError:
        return ""
    return answer.stdout.strip()


# Asked before the first fit: by the last one of a long run, others may have committed.
COMMIT = _commit()


class Runs:
    """The scores of every fit, kept in `results/<name>.csv` from fit to fit.

    A run that is cut off so loses one fit, and a model can be run again without the
    others: its first fit takes the place of all fits of its earlier runs on the same
    data. Each line says of which day and commit it is.

    Parameters
    ----------
    name : str
        Name of the file without its ending.

    on_test : bool
        Whether the test rows are scored. If not, there is nothing to log.

    saved : bool or None, default=None
        Whether the file is read and written; None is `on_test`. A try-out is not saved.

    by_seed : bool, default=False
        Whether a fit takes the place of an earlier one with the same seed only, so that
        seeds can be run one by one.
    """

    KEY = ("data", "rows", "model")

    def __init__(
        self,
        name: str,
        on_test: bool,
        *,
        saved: bool | None = None,
        by_seed: bool = False,
    ) -> None:
        self.path = RESULTS / f"{name}.csv"
        self.on_test, self.by_seed = on_test, by_seed
        self.saved = on_test if saved is None else saved
        self.frame = pd.DataFrame()
        if self.saved and self.path.exists():
            self.frame = pd.read_csv(self.path, dtype={"commit": str})
        self._fresh: list[tuple] = []

    def add(self, key: tuple, seed: int, scores: pd.DataFrame, seconds: float) -> None:
        """Add the scores (`score_proba`) of one fit of `key`, print and save them."""
        if key not in self._fresh:
            self._fresh.append(key)
            if not self.by_seed:
                self.frame = self.frame[~self._matches(key)]
        if self.by_seed and not self.frame.empty:
            again = self._matches(key) & (self.frame["seed"] == seed)
            self.frame = self.frame[~again]
        fit = scores.reset_index().assign(
            **dict(zip(self.KEY, key, strict=True)),
            seed=seed,
            seconds=round(seconds, 2),
            date=datetime.date.today(),
            commit=COMMIT,
        )
        self.frame = pd.concat([self.frame, fit], ignore_index=True)
        aucs = ", ".join(f"{t} {auc:.4f}" for t, auc in scores["auc"].items())
        print(*key, f"seed {seed}: AUC {aucs}; {seconds:.1f} s", sep=", ", flush=True)
        if self.saved:
            RESULTS.mkdir(exist_ok=True)
            self.frame.to_csv(self.path, index=False, float_format="%.6g")

    def log(self) -> None:
        """Log the test runs that were added since the last call."""
        for key in self._fresh if self.on_test else ():
            fits = self.frame[self._matches(key)]
            means = fits.groupby("task", sort=False)["auc"].mean()
            data, rows, model = key
            log_test_run(model, f"{data}, {rows:,} rows", means, fits["seed"].nunique())
        self._fresh.clear()

    def groups(
        self, data: Sequence[str], models: Sequence[str]
    ) -> Iterator[tuple[tuple, pd.DataFrame]]:
        """Yield (data, task, model) and their fits, in the order of the arguments.

        Models of earlier runs that `models` no longer names come behind the others.
        """
        if self.frame.empty:
            raise SystemExit(
                f"A table needs fits; found none in {self.path}. Run with --seeds 1 or "
                "more."
            )
        models = list(dict.fromkeys([*models, *self.frame["model"]]))
        fits = self.frame.assign(
            data=pd.Categorical(self.frame["data"], data),
            model=pd.Categorical(self.frame["model"], models),
        )
        yield from fits.groupby(["data", "task", "model"], observed=True)

    def _matches(self, key: tuple) -> np.ndarray:
        if self.frame.empty:
            return np.zeros(len(self.frame), dtype=bool)
        return (self.frame[list(self.KEY)] == key).all(axis=1).to_numpy()


def run_parser(
    doc: str, data: Sequence[str], models: Sequence[str]
) -> argparse.ArgumentParser:
    """Return a parser with the choice of data, models and number of seeds."""
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument("--data", nargs="+", choices=data, default=data)
    parser.add_argument("--models", nargs="+", choices=models, default=models)
    parser.add_argument("--seeds", type=int, default=5)
    return parser


def mean_and_sd(values: pd.Series, digits: int = 4) -> str:
    """Return `mean ± standard deviation`, or the one value there is."""
    if len(values) == 1:
        return f"{values.iloc[0]:.{digits}f}"
    return f"{values.mean():.{digits}f} ± {values.std():.{digits}f}"

"""What the protocols of `published.py` are made of: rows, encoders, models and scores.

A protocol says which rows are trained on, which decide when to stop, which are scored,
and which rows the encoders see. A model is a network with its training parameters and
its form of the numbers. Every model can so be run in every protocol.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from _tables import log_test_run, mean_and_sd
from sklearn.compose import ColumnTransformer
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler

from sk_mtl import MMOEClassifier
from sk_mtl.preprocessing import make_tabular_preprocessor


@dataclass(frozen=True)
class Rows:
    """Raw rows and their labels."""

    X: pd.DataFrame
    y: pd.DataFrame

    def take(self, positions) -> "Rows":
        return Rows(self.X.iloc[positions], self.y.iloc[positions])

    def without(self, columns) -> "Rows":
        return Rows(self.X.drop(columns=columns), self.y)


@dataclass(frozen=True)
class Protocol:
    """What is read for what.

    Attributes
    ----------
    name : str
        Its name in the tables.

    train, test : Rows
        Rows that are learnt from, and rows that are scored.

    valid : Rows or None
        Rows that decide when to stop. None lets `fit` set aside a tenth of the
        training rows.

    encoded : DataFrame or None
        Rows that encoders and scalers are fitted on. None means the training rows.

    by_main_task : bool
        Whether the AUC of the first task decides when to stop, or the mean of the
        tasks' losses.

    selection : mapping
        Further parameters of the estimator that decide when to stop.
    """

    name: str
    train: Rows
    test: Rows
    valid: Rows | None = None
    encoded: pd.DataFrame | None = None
    by_main_task: bool = False
    selection: Mapping = field(default_factory=dict)

    def without(self, columns: list[str]) -> "Protocol":
        """Return the protocol with columns left out of X."""
        parts = {
            part: rows.without(columns)
            for part in ("train", "test", "valid")
            if (rows := getattr(self, part)) is not None
        }
        return replace(self, **parts)

    def monitor(self, tasks: list[str]):
        """Return what decides when a network of these tasks, the main one first, stops.

        The main task's own network is stopped by it, and so is that of another task by
        that one.
        """
        return ("roc_auc", tasks[0]) if self.by_main_task else "valid_loss"


@dataclass(frozen=True)
class Model:
    """A network with its training parameters.

    Attributes
    ----------
    name, sizes : str
        Its name in the tables, and whose sizes and training parameters it has.

    estimator : class

    parameters : mapping

    preprocessor : callable or None
        Makes an unfitted ColumnTransformer of X. None takes the estimator's default.

    joint : bool
        Whether one network learns all tasks, or each task has a network of its own.
    """

    name: str
    sizes: str
    estimator: type
    parameters: Mapping = field(default_factory=dict)
    preprocessor: Callable | None = None
    joint: bool = True


class OnGivenRows(ColumnTransformer):
    """A ColumnTransformer that is fitted on its own table, whatever `fit` is given.

    Published results often have encoders and scalers that were fitted on training and
    test rows together. An estimator fits its preprocessor on the training rows alone,
    so the other rows must come by another way.
    """

    def __init__(self, transformers, table):
        super().__init__(transformers, verbose_feature_names_out=False)
        self.table = table

    def fit_transform(self, X, y=None, **params):
        super().fit_transform(self.table, y, **params)
        return self.transform(X)


@dataclass(frozen=True)
class Study:
    """How many seeds and rows the parts take.

    Attributes
    ----------
    n_seeds : int

    n_rows : int or None
        A try-out takes so many training rows, and as many others of the training file
        in place of the test file, which it never reads.
    """

    n_seeds: int
    n_rows: int | None = None

    def load(self, loader, **options) -> tuple[Rows, Rows]:
        """Return the rows of the official training and test files."""
        train = Rows(*loader(subset="train", return_X_y=True, **options))
        if self.n_rows is not None:
            first, second = slice(self.n_rows), slice(self.n_rows, 2 * self.n_rows)
            return train.take(first), train.take(second)
        return train, Rows(*loader(subset="test", return_X_y=True, **options))

    def run(
        self, data: str, models: list[Model], protocols: list[Protocol]
    ) -> pd.DataFrame:
        """Return one row per model, protocol and seed, and log what read test rows."""
        runs = []
        for model in models:
            for protocol in protocols:
                fits = [score(model, protocol, seed) for seed in range(self.n_seeds)]
                runs += fits
                if self.n_rows is None:
                    auc = pd.DataFrame(fits)[list(protocol.train.y)].mean()
                    name = f"{model.name}, sizes: {model.sizes}"
                    what = f"{data}, protocol: {protocol.name}"
                    log_test_run(name, what, auc, self.n_seeds)
        return pd.DataFrame(runs)


def halve(rows: Rows, stratify: bool = False) -> list[Rows]:
    """Return two random halves, the same at every call."""
    labels = rows.y.iloc[:, 0] if stratify else None
    positions = train_test_split(
        range(len(rows.y)), test_size=0.5, random_state=0, stratify=labels
    )
    return [rows.take(half) for half in positions]


def unit_range(X: pd.DataFrame, decimals: int | None = None) -> ColumnTransformer:
    """Return a preprocessor that scales numbers to [0, 1], rounded if asked for."""
    scaler = MinMaxScaler()
    if decimals is not None:
        rounding = FunctionTransformer(
            np.round, kw_args={"decimals": decimals}, feature_names_out="one-to-one"
        )
        scaler = Pipeline([("scale", scaler), ("round", rounding)])
    return make_tabular_preprocessor(X, numeric=scaler)


def score(model: Model, protocol: Protocol, seed: int) -> dict:
    """Return the test AUC of every task, with what it belongs to."""
    tasks = list(protocol.train.y)
    groups = [tasks] if model.joint else [[task] for task in tasks]
    start, auc, epochs = time.perf_counter(), {}, []
    for group in groups:
        estimator = fit(model, protocol, group, seed)
        epochs.append(estimator.best_epoch_)
        proba = estimator.predict_proba(protocol.test.X)
        for task, p in zip(group, proba, strict=True):
            auc[task] = roc_auc_score(protocol.test.y[task], p[:, 1])
    seconds = time.perf_counter() - start
    names = {
        "model": model.name,
        "sizes": model.sizes,
        "protocol": protocol.name,
        "seed": seed,
    }
    print(
        *names.values(), f"{epochs} epochs kept, {seconds:.0f} s", sep="; ", flush=True
    )
    return {**names, **auc}


def fit(model: Model, protocol: Protocol, tasks: list[str], seed: int):
    """Return the model, fitted to some of the tasks as the protocol wants it."""
    train, valid = protocol.train, protocol.valid
    estimator = model.estimator(
        **{
            **model.parameters,
            "preprocessor": make_preprocessor(model, protocol),
            "monitor": protocol.monitor(tasks),
            "early_stopping": True,
            "random_state": seed,
            **protocol.selection,
        }
    )
    rows = {} if valid is None else {"X_val": valid.X, "y_val": valid.y[tasks]}
    return estimator.fit(train.X, train.y[tasks], **rows)


def make_preprocessor(model: Model, protocol: Protocol) -> ColumnTransformer | None:
    """Return the model's preprocessor, on the rows that the protocol says."""
    train, table = protocol.train, protocol.encoded
    made = None if model.preprocessor is None else model.preprocessor(train.X)
    if table is None:
        return made
    if made is None:
        made = default_preprocessor(train)
    return OnGivenRows(made.transformers, table)


def default_preprocessor(rows: Rows) -> ColumnTransformer:
    """Return what an estimator makes for these rows if no preprocessor is given.

    It is read off a fit of one epoch, and so stays true whatever the default is.
    """
    probe = MMOEClassifier(max_epochs=1, early_stopping=False, batch_size=8192)
    return probe.fit(rows.X, rows.y).preprocessor_


def beside(
    runs: pd.DataFrame, published: dict[str, dict], tasks: list[str]
) -> pd.DataFrame:
    """Return the means over seeds, beside what the sources print.

    Parameters
    ----------
    runs : DataFrame
        As `Study.run` returns it.

    published : dict
        By source and model, one figure per task. They stand in the first line of the
        model; models that were not run have a line of their own.

    tasks : list of str
    """
    keys = ["model", "sizes", "protocol"]
    rows = {
        key: mean_cells(fits, tasks) for key, fits in runs.groupby(keys, sort=False)
    }
    lines = {
        model: (model, sizes, protocol) for model, sizes, protocol in reversed(rows)
    }
    for source, figures in published.items():
        for model, values in figures.items():
            cells = rows.setdefault(lines.get(model, (model, "", "its own")), {})
            named = zip(tasks, values, strict=True)
            cells.update({f"{task}: {source}": value for task, value in named})
    columns = [
        column
        for task in tasks
        for column in (task, *(f"{task}: {source}" for source in published))
    ]
    lead = [dict(zip(keys, key, strict=True)) for key in rows]
    frame = pd.DataFrame([{**k, **c} for k, c in zip(lead, rows.values(), strict=True)])
    return frame[[*keys, *columns]].fillna("")


def by_protocol(runs: pd.DataFrame, tasks: list[str], best_of: str) -> pd.DataFrame:
    """Return one line per protocol, with the means over seeds of every model.

    A last line shows, of one protocol, the seed with the best test AUC of the first
    task in place of the mean.
    """
    lines = dict(iter(runs.groupby("protocol", sort=False)))
    best = lines[best_of].groupby("model")[tasks[0]].idxmax()
    lines[f"{best_of}, best seed"] = lines[best_of].loc[best]
    return pd.DataFrame(
        {"protocol": name, **model_cells(fits, tasks)} for name, fits in lines.items()
    )


def model_cells(fits: pd.DataFrame, tasks: list[str]) -> dict[str, str]:
    """Return the means over seeds of every model, first and second task apart."""
    roles = dict(zip(tasks, ("main", "second"), strict=True))
    return {
        f"{model}: {roles[task]}": cell
        for model, own in fits.groupby("model")
        for task, cell in mean_cells(own, tasks).items()
    }


def spread(data: str, runs: pd.DataFrame, tasks: list[str]) -> str:
    """Return a sentence on how far protocols and models move the first task's AUC."""
    means = runs.groupby(["protocol", "model"])[tasks[0]].mean().unstack()
    over = {
        "protocols": (means.max() - means.min()).max(),
        "models": (means.max(axis=1) - means.min(axis=1)).max(),
    }
    return (
        f"{data}: one model's mean {tasks[0]} AUC differs by up to "
        f"{over['protocols']:.4f} between protocols, and that of two models by up to "
        f"{over['models']:.4f} within a protocol."
    )


def mean_cells(fits: pd.DataFrame, tasks: list[str]) -> dict[str, str]:
    """Return mean and standard deviation of each task's AUC."""
    return {task: mean_and_sd(fits[task]) for task in tasks}

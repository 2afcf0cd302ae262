"""The MMoE of torch-rechub and DeepCTR-Torch beside ours, on the same encoded data.

Needs the extra `bench`. Data: Census-Income (KDD), tasks income and never married; the
official test file is halved into validation and test rows (seed 0). All three get the
codes and numbers of `make_tabular_preprocessor`, 8 experts of 128 units, linear gates,
towers of 64, embeddings of 8, batches of 1024 and Adam with learning rate 1e-3, without
dropout and weight decay. They take turns epoch by epoch, so that a busy machine slows
all alike. Each is timed by what its own training loop does in one epoch, and judged by
its test AUC after the epoch with the best validation AUC (mean of the tasks).

What stays as each library has it: torch-rechub puts batch normalisation into every
layer, gates included, and both draw their embeddings from a normal distribution of
standard deviation 1e-4 (DeepCTR-Torch its layers, too).

Run `python benchmarks/peers.py --rows 5000 --epochs 1` to see that it works: such a run
prints its table and writes none, and so does one without one of the libraries.
"""

import argparse
import contextlib
import io
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import torch
from _peer_models import (
    BATCH,
    EXPERT,
    EXPERTS,
    TOWER,
    DeepCTR as DeepCTRMMoE,
    EncodedRows,
    Rechub,
    Setting,
)
from _recipes import PLAIN
from _report import markdown_table, write_report
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split

from sk_mtl import MMOEClassifier
from sk_mtl.datasets import load_census_income
from sk_mtl.preprocessing import (
    FeatureArrays,
    FeatureSchema,
    make_tabular_preprocessor,
)

LR, EMBEDDING = 1e-3, 8


@dataclass
class Rows:
    """Rows of one part: raw, encoded, and their labels."""

    X: pd.DataFrame
    arrays: FeatureArrays
    y: pd.DataFrame

    def columns(self, schema: FeatureSchema) -> dict[str, np.ndarray]:
        """Return the encoded columns by name."""
        codes = zip(schema.categorical_names, self.arrays.codes.T, strict=True)
        numbers = zip(schema.numeric_names, self.arrays.numeric.T, strict=True)
        return {name: np.ascontiguousarray(v) for name, v in (*codes, *numbers)}


@dataclass
class Data:
    """The three parts and what the columns are."""

    train: Rows
    valid: Rows
    test: Rows
    schema: FeatureSchema

    @property
    def tasks(self) -> list[str]:
        return list(self.train.y)


@dataclass
class Log:
    """What was measured of one library, one entry per epoch."""

    seconds: list[float] = field(default_factory=list)
    valid_auc: list[list[float]] = field(default_factory=list)
    test_auc: list[list[float]] = field(default_factory=list)


def load_data(n_rows: int | None) -> Data:
    """Load, split and encode; the encoding sees the training rows only."""
    X, y = load_census_income(subset="train", return_X_y=True)
    X, y = X.iloc[:n_rows], y.iloc[:n_rows]
    X_rest, y_rest = load_census_income(subset="test", return_X_y=True)
    halves = train_test_split(np.arange(len(X_rest)), test_size=0.5, random_state=0)
    preprocessor = make_tabular_preprocessor(X)
    schema = FeatureSchema.from_preprocessor(
        preprocessor, preprocessor.fit_transform(X)
    )
    parts = [(X, y), *((X_rest.iloc[half], y_rest.iloc[half]) for half in halves)]
    rows = [Rows(X, schema.transform(preprocessor, X), y) for X, y in parts]
    return Data(*rows, schema=schema)


class Ours:
    """sk_mtl, from raw columns; the time of an epoch is that in `history_`."""

    package = "sk-mtl"

    def __init__(self, data: Data) -> None:
        self.data = data
        self.model = MMOEClassifier(
            **PLAIN,
            n_experts=EXPERTS,
            expert_hidden_sizes=(EXPERT,),
            tower_hidden_sizes=(TOWER,),
            embedding_dim=EMBEDDING,
            batch_size=BATCH,
            optimizer="adam",
            lr=LR,
            weight_decay=0.0,
            early_stopping=False,
            random_state=0,
        )

    def train_epoch(self) -> float:
        self.model.partial_fit(self.data.train.X, self.data.train.y)
        return self.model.history_["seconds"].iloc[-1]

    def predict(self, rows: Rows) -> np.ndarray:
        return np.column_stack([p[:, 1] for p in self.model.predict_proba(rows.X)])

    def count_parameters(self) -> int:
        return count_parameters(self.model.net_.module_)


class Peer:
    """A model of another library, in the settings that all three have."""

    def __init__(self, data: Data) -> None:
        self.data = data
        setting = Setting(LR, EMBEDDING, l2=0.0)
        self.peer = self.make(self._encoded(data.train), setting, seed=0)

    def _encoded(self, rows: Rows) -> EncodedRows:
        schema = self.data.schema
        sizes = zip(schema.categorical_names, schema.cardinalities, strict=True)
        columns, y = rows.columns(schema), rows.y.to_numpy(np.float32)
        return EncodedRows(dict(sizes), list(schema.numeric_names), {}, columns, y)

    def train_epoch(self) -> float:
        return self.peer.train_epoch()

    def predict(self, rows: Rows) -> np.ndarray:
        return self.peer.predict(self._encoded(rows))

    def count_parameters(self) -> int:
        return count_parameters(self.peer.model)


class TorchRechub(Peer):
    make, package = Rechub, Rechub.package


class DeepCTR(Peer):
    make, package = DeepCTRMMoE, DeepCTRMMoE.package


def count_parameters(module: torch.nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


LIBRARIES = (Ours, TorchRechub, DeepCTR)


def make_models(data: Data) -> list:
    """Return every model whose package is installed, and say which is not."""
    models = []
    for make in LIBRARIES:
        try:
            models.append(make(data))
        except ImportError as error:
            print(f"{make.package} is left out: {error}. Install the extra `bench`.")
    return models


def run_epoch(model, data: Data, log: Log) -> None:
    """Train one epoch in silence, and write down its time and AUC."""
    quiet = io.StringIO()
    with contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet):
        log.seconds.append(model.train_epoch())
        valid, test = model.predict(data.valid), model.predict(data.test)
    log.valid_auc.append(auc_by_task(data.valid, valid))
    log.test_auc.append(auc_by_task(data.test, test))
    print(
        f"{model.package}: epoch {len(log.seconds)}, {log.seconds[-1]:.1f} s, "
        f"validation AUC {np.round(log.valid_auc[-1], 4).tolist()}",
        flush=True,
    )


def auc_by_task(rows: Rows, proba: np.ndarray) -> list[float]:
    return [
        roc_auc_score(rows.y.iloc[:, k], proba[:, k]) for k in range(rows.y.shape[1])
    ]


def table_row(model, log: Log, tasks: list[str], ours: Log) -> dict:
    """Return the row of the table that a library gets."""
    best = int(np.argmax(np.mean(log.valid_auc, axis=1)))
    fastest = min(log.seconds)
    auc = zip(tasks, log.test_auc[best], strict=True)
    return {
        "library": model.package,
        "parameters": f"{model.count_parameters():,}",
        "s per epoch (least)": f"{fastest:.2f}",
        "(median)": f"{np.median(log.seconds):.2f}",
        "times ours": f"{fastest / min(ours.seconds):.1f}",
        **{f"test AUC {task}": f"{value:.4f}" for task, value in auc},
        "best epoch": best + 1,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--rows", type=int, help="train on the first rows only")
    arguments = parser.parse_args()

    data = load_data(arguments.rows)
    models = make_models(data)
    logs = [Log() for _ in models]
    for _ in range(arguments.epochs):
        for model, log in zip(models, logs, strict=True):
            run_epoch(model, data, log)
    frame = pd.DataFrame(
        table_row(model, log, data.tasks, logs[0])
        for model, log in zip(models, logs, strict=True)
    )
    if arguments.rows is not None or len(models) < len(LIBRARIES):
        print(markdown_table(frame))
        return
    write_report(
        "peers",
        "MMoE beside torch-rechub and DeepCTR-Torch",
        frame,
        notes=f"Census-Income (KDD), {len(data.train.X):,} training rows, "
        f"{arguments.epochs} epochs each, epoch by epoch in turn; settings in "
        "`benchmarks/peers.py`.",
        packages=[model.package for model in models[1:]],
    )


if __name__ == "__main__":
    main()

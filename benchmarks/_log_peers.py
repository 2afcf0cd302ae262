"""torch-rechub's and DeepCTR-Torch's MMoE on a log of users and items.

Both get the codes and numbers of `make_tabular_preprocessor`, and the history as codes
whose vectors are averaged. A setting is trained to the epoch with the least loss on the
validation rows; `SETTINGS` holds those that `tune` chooses from by these rows.
"""

import contextlib
import copy
import io
import sys
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd
import torch
from sklearn.metrics import log_loss

from sk_mtl.preprocessing import FeatureSchema, make_tabular_preprocessor

BATCH, EXPERTS, EXPERT, TOWER = 1024, 8, (128,), (64,)
MOST_EPOCHS, PATIENCE = 15, 2
EVALUATION_BATCH = 8192


@dataclass(frozen=True)
class Setting:
    """Learning rate, width of the embeddings and L2 penalty."""

    lr: float
    width: int
    l2: float


SETTINGS = [Setting(*each) for each in product((1e-3, 4e-3), (8, 16), (1e-5, 1e-4))]


@dataclass(frozen=True)
class EncodedLog:
    """The rows of a log as both libraries read them.

    Attributes
    ----------
    cardinalities : dict of int
        By categorical column.

    numbers : list of str
        Names of the numeric columns.

    sequences : dict of tuple of int
        Vocabulary size, padding included, and length, by sequence column.

    columns : dict of array
        By name; a sequence is (n_samples, length), padded by 0.
    """

    cardinalities: dict[str, int]
    numbers: list[str]
    sequences: dict[str, tuple[int, int]]
    columns: dict[str, np.ndarray]
    y: np.ndarray

    def take(self, rows: slice) -> "EncodedLog":
        columns = {name: column[rows] for name, column in self.columns.items()}
        return EncodedLog(
            self.cardinalities, self.numbers, self.sequences, columns, self.y[rows]
        )


def encode_log(X: pd.DataFrame, y: pd.DataFrame, n_train: int) -> EncodedLog:
    """Return all rows, encoded by the first `n_train` of them."""
    preprocessor = make_tabular_preprocessor(X[:n_train])
    schema = FeatureSchema.from_preprocessor(
        preprocessor, preprocessor.fit_transform(X[:n_train])
    )
    arrays = schema.transform(preprocessor, X)
    sequences = {
        name: codes + 1
        for name, codes in zip(schema.sequence_names, arrays.sequences, strict=True)
    }
    columns = {
        **dict(zip(schema.categorical_names, arrays.codes.T, strict=True)),
        **dict(zip(schema.numeric_names, arrays.numeric.T, strict=True)),
        **sequences,
    }
    # Sizes of sequences come behind those of columns; these are counted with padding.
    sizes = schema.cardinalities[: schema.n_categorical]
    return EncodedLog(
        dict(zip(schema.categorical_names, sizes, strict=True)),
        list(schema.numeric_names),
        {name: (int(c.max()) + 1, c.shape[1]) for name, c in sequences.items()},
        {name: np.ascontiguousarray(column) for name, column in columns.items()},
        y.to_numpy(np.float32),
    )


class Rechub:
    """torch-rechub: its MMOE, DataGenerator and MTLTrainer."""

    name = "torch-rechub MMoE, tuned"

    def __init__(self, log: EncodedLog, setting: Setting, seed: int) -> None:
        from torch_rechub.basic import features as kinds
        from torch_rechub.models.multi_task import MMOE
        from torch_rechub.trainers import MTLTrainer
        from torch_rechub.utils.data import DataGenerator

        torch.manual_seed(seed)
        width = setting.width
        features = [
            *(
                kinds.SparseFeature(name, size, embed_dim=width)
                for name, size in log.cardinalities.items()
            ),
            *(kinds.DenseFeature(name) for name in log.numbers),
            *(
                kinds.SequenceFeature(name, size, width, "mean", padding_idx=0)
                for name, (size, _) in log.sequences.items()
            ),
        ]
        tasks = ["classification"] * log.y.shape[1]
        towers = [{"dims": list(TOWER)} for _ in tasks]
        self.model = MMOE(features, tasks, EXPERTS, {"dims": list(EXPERT)}, towers)
        penalty = {"lr": setting.lr, "weight_decay": setting.l2}
        self.trainer = MTLTrainer(self.model, tasks, optimizer_params=penalty)
        few = {name: column[:1] for name, column in log.columns.items()}, log.y[:1]
        self.loader, *_ = DataGenerator(log.columns, log.y).generate_dataloader(
            *few, *few, batch_size=BATCH
        )

    def train_epoch(self) -> None:
        self.trainer.train_one_epoch(self.loader)

    def predict(self, log: EncodedLog) -> np.ndarray:
        tensors = {name: torch.from_numpy(c) for name, c in log.columns.items()}
        self.model.eval()
        with torch.inference_mode():
            batches = [
                self.model({n: t[i : i + EVALUATION_BATCH] for n, t in tensors.items()})
                for i in range(0, len(log.y), EVALUATION_BATCH)
            ]
        return torch.cat(batches).numpy()


class DeepCTR:
    """DeepCTR-Torch: its MMOE with its own `fit` and `predict`."""

    name = "DeepCTR-Torch MMoE, tuned"

    def __init__(self, log: EncodedLog, setting: Setting, seed: int) -> None:
        # On import it asks the package index for a newer version; see `peers.py`.
        sys.modules.setdefault("requests", types.ModuleType("requests"))
        from deepctr_torch import inputs as kinds
        from deepctr_torch.models import MMOE

        width = setting.width
        features = [
            *(
                kinds.SparseFeat(name, size, embedding_dim=width)
                for name, size in log.cardinalities.items()
            ),
            *(kinds.DenseFeat(name) for name in log.numbers),
            *(
                kinds.VarLenSparseFeat(
                    kinds.SparseFeat(name, size, embedding_dim=width), length, "mean"
                )
                for name, (size, length) in log.sequences.items()
            ),
        ]
        tasks = [f"task_{k}" for k in range(log.y.shape[1])]
        self.model = MMOE(
            features,
            num_experts=EXPERTS,
            expert_dnn_hidden_units=EXPERT,
            gate_dnn_hidden_units=(),
            tower_dnn_hidden_units=TOWER,
            l2_reg_linear=0,
            l2_reg_embedding=setting.l2,
            task_types=["binary"] * len(tasks),
            task_names=tasks,
            seed=seed,
        )
        optimizer = torch.optim.Adam(self.model.parameters(), lr=setting.lr)
        self.model.compile(optimizer, loss=["binary_crossentropy"] * len(tasks))
        self.log = log

    def train_epoch(self) -> None:
        inputs = self._inputs(self.log)
        self.model.fit(inputs, self.log.y, batch_size=BATCH, epochs=1, verbose=0)

    def predict(self, log: EncodedLog) -> np.ndarray:
        return self.model.predict(self._inputs(log), batch_size=EVALUATION_BATCH)

    def _inputs(self, log: EncodedLog) -> dict[str, np.ndarray]:
        return {name: column.astype(np.float32) for name, column in log.columns.items()}


PEERS = {each.name: each for each in (Rechub, DeepCTR)}


def fit_to_best(
    make: Callable, log: EncodedLog, valid: EncodedLog, setting: Setting, seed: int
) -> tuple[object, float]:
    """Return the model of the epoch with the least validation loss, and that loss."""
    quiet = io.StringIO()
    with contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet):
        peer = make(log, setting, seed)
        best, weights, best_epoch = np.inf, None, 0
        for epoch in range(MOST_EPOCHS):
            peer.train_epoch()
            loss = mean_log_loss(valid.y, peer.predict(valid))
            if loss < best:
                best, best_epoch = loss, epoch
                weights = copy.deepcopy(peer.model.state_dict())
            elif epoch - best_epoch >= PATIENCE:
                break
        peer.model.load_state_dict(weights)
    return peer, best


def mean_log_loss(y: np.ndarray, proba: np.ndarray) -> float:
    proba = proba.astype(float)
    return float(np.mean([log_loss(y[:, k], proba[:, k]) for k in range(y.shape[1])]))


def tune(
    make: Callable, log: EncodedLog, valid: EncodedLog
) -> tuple[Setting, Mapping[Setting, float]]:
    """Return the setting with the least validation loss, and the losses of all."""
    losses = {s: fit_to_best(make, log, valid, s, seed=0)[1] for s in SETTINGS}
    return min(losses, key=losses.get), losses

"""The MMoE of torch-rechub and of DeepCTR-Torch, on rows that are encoded already.

Both have 8 experts of 128 units, linear gates, towers of 64 and batches of 1,024, and
Adam. The vectors of a sequence's entries are averaged.
"""

import sys
import time
import types
from dataclasses import dataclass

import numpy as np
import torch

BATCH, EXPERTS, EXPERT, TOWER = 1024, 8, 128, 64
EVALUATION_BATCH = 8192


@dataclass(frozen=True)
class Setting:
    """Learning rate, width of the embeddings and L2 penalty."""

    lr: float
    width: int
    l2: float


@dataclass(frozen=True)
class EncodedRows:
    """Rows as both libraries read them.

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

    def take(self, rows: slice) -> "EncodedRows":
        columns = {name: column[rows] for name, column in self.columns.items()}
        return EncodedRows(
            self.cardinalities, self.numbers, self.sequences, columns, self.y[rows]
        )


class Rechub:
    """torch-rechub: its MMOE, DataGenerator and MTLTrainer."""

    package = "torch-rechub"

    def __init__(self, rows: EncodedRows, setting: Setting, seed: int) -> None:
        from torch_rechub.basic import features as kinds
        from torch_rechub.models.multi_task import MMOE
        from torch_rechub.trainers import MTLTrainer
        from torch_rechub.utils.data import DataGenerator

        torch.manual_seed(seed)
        width = setting.width
        features = [
            *(
                kinds.SparseFeature(name, size, embed_dim=width)
                for name, size in rows.cardinalities.items()
            ),
            *(kinds.DenseFeature(name) for name in rows.numbers),
            *(
                kinds.SequenceFeature(name, size, width, "mean", padding_idx=0)
                for name, (size, _) in rows.sequences.items()
            ),
        ]
        tasks = ["classification"] * rows.y.shape[1]
        towers = [{"dims": [TOWER]} for _ in tasks]
        self.model = MMOE(features, tasks, EXPERTS, {"dims": [EXPERT]}, towers)
        penalty = {"lr": setting.lr, "weight_decay": setting.l2}
        self.trainer = MTLTrainer(self.model, tasks, optimizer_params=penalty)
        few = {name: column[:1] for name, column in rows.columns.items()}, rows.y[:1]
        self.loader, *_ = DataGenerator(rows.columns, rows.y).generate_dataloader(
            *few, *few, batch_size=BATCH
        )

    def train_epoch(self) -> float:
        """Train an epoch and return its seconds."""
        start = time.perf_counter()
        self.trainer.train_one_epoch(self.loader)
        return time.perf_counter() - start

    def predict(self, rows: EncodedRows) -> np.ndarray:
        tensors = {name: torch.from_numpy(c) for name, c in rows.columns.items()}
        self.model.eval()
        with torch.inference_mode():
            batches = [
                self.model({n: t[i : i + EVALUATION_BATCH] for n, t in tensors.items()})
                for i in range(0, len(rows.y), EVALUATION_BATCH)
            ]
        return torch.cat(batches).numpy()


class DeepCTR:
    """DeepCTR-Torch: its MMOE with its own `fit` and `predict`."""

    package = "deepctr-torch"

    def __init__(self, rows: EncodedRows, setting: Setting, seed: int) -> None:
        # On import it asks the package index for a newer version, from a thread that
        # would run along with the first epochs, through a package that it does not
        # declare. With an empty module in that place it says so and goes on.
        sys.modules.setdefault("requests", types.ModuleType("requests"))
        from deepctr_torch import inputs as kinds
        from deepctr_torch.models import MMOE

        width = setting.width
        features = [
            *(
                kinds.SparseFeat(name, size, embedding_dim=width)
                for name, size in rows.cardinalities.items()
            ),
            *(kinds.DenseFeat(name) for name in rows.numbers),
            *(
                kinds.VarLenSparseFeat(
                    kinds.SparseFeat(name, size, embedding_dim=width), length, "mean"
                )
                for name, (size, length) in rows.sequences.items()
            ),
        ]
        tasks = [f"task_{k}" for k in range(rows.y.shape[1])]
        self.model = MMOE(
            features,
            num_experts=EXPERTS,
            expert_dnn_hidden_units=(EXPERT,),
            gate_dnn_hidden_units=(),
            tower_dnn_hidden_units=(TOWER,),
            l2_reg_linear=0,
            l2_reg_embedding=setting.l2,
            task_types=["binary"] * len(tasks),
            task_names=tasks,
            seed=seed,
        )
        optimizer = torch.optim.Adam(self.model.parameters(), lr=setting.lr)
        self.model.compile(optimizer, loss=["binary_crossentropy"] * len(tasks))
        self.rows = rows

    def train_epoch(self) -> float:
        """Train an epoch and return its seconds."""
        inputs = self._inputs(self.rows)
        start = time.perf_counter()
        self.model.fit(inputs, self.rows.y, batch_size=BATCH, epochs=1, verbose=0)
        return time.perf_counter() - start

    def predict(self, rows: EncodedRows) -> np.ndarray:
        return self.model.predict(self._inputs(rows), batch_size=EVALUATION_BATCH)

    def _inputs(self, rows: EncodedRows) -> dict[str, np.ndarray]:
        return {
            name: column.astype(np.float32) for name, column in rows.columns.items()
        }

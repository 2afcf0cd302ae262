"""torch-rechub's MMoE on the tables of the suite, with the library's own settings.

It has sigmoid and identity outputs only and reads no missing label. So each class of
several is a task of its own and their probabilities are divided by the sum, numbers
are standardised, and its losses are averaged over the labelled rows of a batch. The
weights of the epoch with the least loss on a random tenth of the training rows are
kept. Batches have 256 rows, and 1,024 where a table has more than `MANY_ROWS`.

The columns are those of `make_tabular_preprocessor`, as in `peers.py`.
"""

import contextlib
import copy
import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from _suite import SuiteTable, Task

from sk_mtl.preprocessing import FeatureSchema, make_tabular_preprocessor

EMBEDDING, EXPERTS, EXPERT, TOWER = 8, 8, 128, 64
MOST_EPOCHS, PATIENCE = 50, 5
MANY_ROWS = 20_000
LEAST_SHARE_OF_MEAN = 1e-3


@dataclass(frozen=True)
class Head:
    """One output of the network: a class of a task, or its standardised number."""

    task: Task
    classes: tuple = ()
    mean: float = 0.0
    scale: float = 1.0

    @property
    def positives(self) -> tuple:
        """Classes with an output of their own."""
        return self.classes[1:] if len(self.classes) <= 2 else self.classes

    @property
    def kinds(self) -> list[str]:
        if self.task.has_classes:
            return ["classification"] * len(self.positives)
        return ["regression"]

    def targets(self, labels) -> list[np.ndarray]:
        """Return one column of float32 per output; NaN where the label is missing."""
        if not self.task.has_classes:
            return [((labels - self.mean) / self.scale).to_numpy(np.float32)]
        known = labels.notna()
        return [
            (labels == c).astype("float32").where(known).to_numpy(np.float32)
            for c in self.positives
        ]

    def answer(self, outputs: np.ndarray) -> np.ndarray:
        """Return probabilities of all classes, or numbers, from the head's outputs."""
        if not self.task.has_classes:
            numbers = outputs[:, 0].astype(float) * self.scale + self.mean
            if self.task.type == "poisson":
                return numbers.clip(LEAST_SHARE_OF_MEAN * self.mean)
            return numbers
        if len(self.classes) == 2:
            return np.column_stack([1 - outputs[:, 0], outputs[:, 0]])
        return outputs / outputs.sum(axis=1, keepdims=True).clip(1e-7)


def make_head(task: Task, labels) -> Head:
    if task.has_classes:
        return Head(task, tuple(sorted(labels.dropna().unique())))
    return Head(task, mean=labels.mean(), scale=labels.std() or 1.0)


def fit_predict_rechub(
    table: SuiteTable, train: np.ndarray, test: np.ndarray, seed: int
) -> list[np.ndarray]:
    from torch_rechub.models.multi_task import MMOE
    from torch_rechub.trainers import MTLTrainer

    torch.manual_seed(seed)
    order = np.random.default_rng(seed).permutation(train)
    stop, fit = order[: len(order) // 10], order[len(order) // 10 :]
    heads = [make_head(task, table.y[task.name].iloc[train]) for task in table.tasks]
    features, read = _encode(table, fit)
    kinds = [kind for head in heads for kind in head.kinds]
    towers = [{"dims": [TOWER]} for _ in kinds]
    model = MMOE(features, kinds, EXPERTS, {"dims": [EXPERT]}, towers)
    trainer = MTLTrainer(model, kinds)
    trainer.loss_fns = [_over_labelled(loss) for loss in trainer.loss_fns]
    y_fit, y_stop = (_targets(heads, table, rows) for rows in (fit, stop))
    _train(trainer, read(fit), y_fit, read(stop), y_stop)
    outputs = _predict(trainer.model, read(test))
    ends = np.cumsum([len(head.kinds) for head in heads])
    parts = np.split(outputs, ends[:-1], axis=1)
    return [head.answer(part) for head, part in zip(heads, parts, strict=True)]


def _encode(table: SuiteTable, fit: np.ndarray) -> tuple[list, Callable]:
    """Return the library's features and a reader of rows; fitted on rows `fit`."""
    from torch_rechub.basic.features import DenseFeature, SparseFeature

    X = table.X.iloc[fit]
    preprocessor = make_tabular_preprocessor(X)
    schema = FeatureSchema.from_preprocessor(
        preprocessor, preprocessor.fit_transform(X)
    )
    # A column name may hold a dot, which no part of a torch module may.
    codes = [f"code_{k}" for k in range(len(schema.categorical_names))]
    numbers = [f"number_{k}" for k in range(len(schema.numeric_names))]
    features = [
        *(
            SparseFeature(name, size, embed_dim=EMBEDDING)
            for name, size in zip(codes, schema.cardinalities, strict=True)
        ),
        *(DenseFeature(name) for name in numbers),
    ]

    def read(rows: np.ndarray) -> dict[str, np.ndarray]:
        arrays = schema.transform(preprocessor, table.X.iloc[rows])
        columns = (
            *zip(codes, arrays.codes.T, strict=True),
            *zip(numbers, arrays.numeric.T, strict=True),
        )
        return {name: np.ascontiguousarray(column) for name, column in columns}

    return features, read


def _targets(heads: list[Head], table: SuiteTable, rows: np.ndarray) -> np.ndarray:
    y = table.y.iloc[rows]
    return np.column_stack(
        [column for head in heads for column in head.targets(y[head.task.name])]
    )


def _over_labelled(loss: Callable) -> Callable:
    """Return the loss over the rows that have a label; 0 without one."""

    def of_batch(answers: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        known = ~labels.isnan()
        if not known.any():
            return answers.sum() * 0
        return loss(answers[known], labels[known])

    return of_batch


def _train(trainer, x_fit: dict, y_fit: np.ndarray, x_stop: dict, y_stop) -> None:
    """Train to the epoch with the least mean loss on the rows to stop by."""
    from torch_rechub.utils.data import DataGenerator

    batch_size = 256 if len(y_fit) <= MANY_ROWS else 1024
    # Batch normalisation cannot learn from a last batch of one row.
    first = int(len(y_fit) % batch_size == 1)
    x_fit = {name: column[first:] for name, column in x_fit.items()}
    few = {name: column[:1] for name, column in x_fit.items()}, y_fit[:1]
    loader, *_ = DataGenerator(x_fit, y_fit[first:]).generate_dataloader(
        *few, *few, batch_size=batch_size
    )
    labels = torch.from_numpy(y_stop)
    best, weights, best_epoch = np.inf, None, 0
    for epoch in range(MOST_EPOCHS):
        quiet = io.StringIO()
        with contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet):
            trainer.train_one_epoch(loader)
        outputs = torch.from_numpy(_predict(trainer.model, x_stop))
        losses = [
            loss(outputs[:, k], labels[:, k]) for k, loss in enumerate(trainer.loss_fns)
        ]
        loss = float(sum(losses))
        if loss < best:
            best, best_epoch = loss, epoch
            weights = copy.deepcopy(trainer.model.state_dict())
        elif epoch - best_epoch >= PATIENCE:
            break
    trainer.model.load_state_dict(weights)


def _predict(model: torch.nn.Module, columns: dict[str, np.ndarray]) -> np.ndarray:
    tensors = {name: torch.from_numpy(column) for name, column in columns.items()}
    model.eval()
    with torch.inference_mode():
        return model(tensors).numpy()

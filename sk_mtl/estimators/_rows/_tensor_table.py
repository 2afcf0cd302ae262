"""A table of tensors, made once per fit and read by whole batches of rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields

import torch
from torch import Tensor, nn

from sk_mtl.estimators._rows._training_rows import TrainingRows
from sk_mtl.losses import SoftTargets


@dataclass
class TensorTable(TrainingRows):
    """The encoded rows of a fit, resident on the training device.

    Attributes
    ----------
    codes : Tensor of shape (n_samples, n_categorical)
        Integer codes, local to each column.

    numeric : Tensor of shape (n_samples, n_numeric)

    y : Tensor of shape (n_samples, n_tasks)
        Class numbers as floats, or numbers in the network's units; where the label is
        missing, any value that the loss accepts.

    weight : Tensor of shape (n_samples, n_tasks) or None
        The weight of each label, 0 where it is missing. None where every weight is 1.

    sequences : tuple of Tensor of shape (n_samples, length)
        Integer codes of the items of each sequence column, -1 after its end.

    soft : SoftTargets or None
        Probabilities of classes that are targets beside the labels.

    fold : Tensor of shape (n_samples,) or None
        The member of an ensemble that does not train on the row, -1 for none. None
        where every member trains on every row.
    """

    codes: Tensor
    numeric: Tensor
    y: Tensor
    weight: Tensor | None = None
    sequences: tuple[Tensor, ...] = ()
    soft: SoftTargets | None = None
    fold: Tensor | None = None

    @property
    def inputs(self) -> tuple[Tensor, Tensor, tuple[Tensor, ...]]:
        """The arguments of the network."""
        return self.codes, self.numeric, self.sequences

    @property
    def labels(self) -> tuple[Tensor, Tensor | None, SoftTargets | None]:
        """The arguments of the losses beside the logits."""
        return self.y, self.weight, self.soft

    def __len__(self) -> int:
        return len(self.y)

    def to(self, device: torch.device) -> TensorTable:
        """Return the table on a device."""
        return self._apply(lambda tensor: tensor.to(device))

    def batches(self, size: int, *, shuffle: bool) -> BatchIterator:
        """Return the batches of an epoch, optionally reshuffled at each pass."""
        return BatchIterator(self, size, shuffle)

    def numbers(self) -> Tensor:
        """Return the numeric columns of all rows, on the processor."""
        return self.numeric.cpu()

    def rows_read(self, module: nn.Module) -> dict[str, Tensor]:
        """Return the rows of sparse tables that training can change, by table."""
        return module.sparse_rows(self.codes, self.sequences)

    def take(self, rows: Tensor) -> TensorTable:
        """Return the rows at the given positions."""
        return self._apply(lambda tensor: tensor.index_select(0, rows))

    def narrow(self, start: int, stop: int) -> TensorTable:
        """Return the rows from start to stop, without a copy."""
        return self._apply(lambda tensor: tensor[start:stop])

    def mean_weight(self) -> Tensor:
        """Return the mean weight of each task's labels, of shape (n_tasks,)."""
        weight = self.row_weight()
        if weight is None:
            return self.y.new_ones(self.y.shape[1])
        return weight.double().mean(0).to(self.y.dtype)

    def row_weight(self) -> Tensor | None:
        """Return the weight of each row in each task's loss, None where all are 1."""
        if self.soft is None:
            return self.weight
        weight, kept = self.weight, self.soft.kept
        return (kept if weight is None else kept * weight) + self.soft.weight

    def _apply(self, function: Callable[[Tensor], Tensor]) -> TensorTable:
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        for name, value in values.items():
            if isinstance(value, SoftTargets):
                values[name] = SoftTargets(*map(function, value))
            elif isinstance(value, tuple):
                values[name] = tuple(map(function, value))
            elif value is not None:
                values[name] = function(value)
        return TensorTable(**values)


@dataclass
class BatchIterator:
    """Iterable over the batches of a table, optionally reshuffled at each pass.

    A last batch of one row is merged into the batch before it.
    """

    table: TensorTable
    batch_size: int
    shuffle: bool

    def __len__(self) -> int:
        return sum(1 for _ in self._bounds(len(self.table)))

    def __iter__(self) -> Iterator[TensorTable]:
        n_rows = len(self.table)
        if not self.shuffle:
            for start, stop in self._bounds(n_rows):
                yield self.table.narrow(start, stop)
            return
        order = torch.randperm(n_rows, device=self.table.y.device)
        for start, stop in self._bounds(n_rows):
            yield self.table.take(order[start:stop])

    def _bounds(self, n_rows: int) -> Iterator[tuple[int, int]]:
        start = 0
        while start < n_rows:
            stop = min(start + self.batch_size, n_rows)
            stop = n_rows if n_rows - stop == 1 else stop
            yield start, stop
            start = stop

"""The interface between a fit and its training rows, wherever they are stored."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sized
from typing import Any, Protocol

from torch import Tensor, nn


class Batches(Sized, Iterable, Protocol):
    """The batches of one epoch: tables of tensors, of a known number."""


class TrainingRows(ABC):
    """Encoded rows with labels and weights, read by whole batches.

    A fit needs nothing else from its training rows, so they may be a table in memory or
    files that are read again in each epoch.
    """

    @abstractmethod
    def __len__(self) -> int:
        """Return the number of rows."""

    @abstractmethod
    def batches(self, size: int, *, shuffle: bool) -> Batches:
        """Return the batches of one epoch.

        No batch holds a single row, unless there are no others: batch normalisation
        cannot compute its variance, and it would weigh as much as a whole batch.

        Parameters
        ----------
        size : int
            Rows of a batch; the last one may hold fewer, or one more.
        shuffle : bool
            Whether the order of the rows is drawn from torch's generator.
        """

    @abstractmethod
    def mean_weight(self) -> Tensor:
        """Return the mean weight of each task's labels, of shape (n_tasks,)."""

    @abstractmethod
    def numbers(self) -> Tensor:
        """Return the numeric columns of all rows, or of a representative sample.

        The shape is (n_rows, n_numeric), on the processor. Bins are computed from them.
        """

    @abstractmethod
    def rows_read(self, module: nn.Module) -> dict[str, Tensor]:
        """Return the rows of sparse tables that training can change, by table.

        Parameters
        ----------
        module : MultiTaskNetwork or NetworkEnsemble
            The network, whose `sparse_rows` finds them among codes.
        """

    def first(self, n_rows: int) -> Any:
        """Return a table of at most the given number of first rows."""
        batch = next(iter(self.batches(n_rows, shuffle=False)))
        return batch.narrow(0, min(len(batch), n_rows))

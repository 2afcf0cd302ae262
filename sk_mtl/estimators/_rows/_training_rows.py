"""The seam between a fit and the rows that it trains on, wherever they are kept."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sized
from typing import Any, Protocol

from torch import Tensor, nn


class Batches(Sized, Iterable, Protocol):
    """Tables of tensors, the batches of one epoch, whose number is known."""


class TrainingRows(ABC):
    """Encoded rows with labels and weights, read by whole batches.

    A fit needs no more of its training rows than this, so that they may be a table in
    memory or files that are read anew in each epoch.
    """

    @abstractmethod
    def __len__(self) -> int:
        """Return the number of rows."""

    @abstractmethod
    def batches(self, size: int, *, shuffle: bool) -> Batches:
        """Return the batches of one epoch.

        No batch holds a single row, unless there are no others: batch normalisation
        has no variance of it, and it would weigh as much as all rows of a batch.

        Parameters
        ----------
        size : int
            Rows of a batch; the last one may hold fewer, or one more.
        shuffle : bool
            Whether the rows come in an order drawn from torch's generator.
        """

    @abstractmethod
    def mean_weight(self) -> Tensor:
        """Return the mean weight of each task's labels, of shape (n_tasks,)."""

    @abstractmethod
    def numbers(self) -> Tensor:
        """Return the numeric columns of all rows, or of a sample that shows them.

        Of shape (n_rows, n_numeric), on the processor. Bins are read off them.
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
        """Return a table of the first rows, at most so many."""
        batch = next(iter(self.batches(n_rows, shuffle=False)))
        return batch.narrow(0, min(len(batch), n_rows))

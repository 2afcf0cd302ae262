"""Weights by which each member of an ensemble leaves out its own fold."""

from __future__ import annotations

import torch
from torch import Tensor

from sk_mtl.estimators._rows._tensor_table import TensorTable
from sk_mtl.losses import SoftTargets


class FoldWeights:
    """fold (n,), weight (n, n_tasks) -> weight of each member (n_members, n, n_tasks).

    Members share their batches. A row of its own fold has the weight 0 for a member;
    the others count more, by the ratio of the mean weights of all rows and of the rows
    that the member trains on. So the loss of each member, divided by the mean weight of
    all rows, is the mean over its own training rows.

    Parameters
    ----------
    table : TensorTable
        All rows, with their folds.

    n_members : int

    Examples
    --------
    Of three rows, the first member leaves out the first.

    >>> import torch
    >>> from sk_mtl.estimators._rows._fold_weights import FoldWeights
    >>> from sk_mtl.estimators._rows._tensor_table import TensorTable
    >>> empty, fold = torch.zeros(3, 0), torch.tensor([0, 1, 1])
    >>> table = TensorTable(empty, empty, torch.zeros(3, 1), fold=fold)
    >>> y, weight, soft = FoldWeights(table, 2).labels_of(table)
    >>> weight[:, :, 0]
    tensor([[0.0000, 1.5000, 1.5000],
            [3.0000, 0.0000, 0.0000]])
    """

    def __init__(self, table: TensorTable, n_members: int) -> None:
        weight = table.row_weight()
        weight = torch.ones_like(table.y) if weight is None else weight
        weight, total = weight.double(), weight.double().sum(0)
        self._members = torch.arange(n_members, device=table.y.device)
        kept = [total - weight[table.fold == member].sum(0) for member in self._members]
        kept = torch.stack(kept)
        # Without a label of a task in its rows, a member has no loss of the task.
        factors = torch.where(kept > 0, total / kept, 1.0)
        self._factors = factors.to(table.y.dtype)

    def labels_of(
        self, batch: TensorTable
    ) -> tuple[Tensor, Tensor, SoftTargets | None]:
        """Return labels, weights of each member, and soft targets with such weights."""
        trains = batch.fold != self._members[:, None]
        own, soft = trains[:, :, None] * self._factors[:, None], batch.soft
        weight = own if batch.weight is None else own * batch.weight
        return batch.y, weight, soft and soft._replace(weight=own * soft.weight)

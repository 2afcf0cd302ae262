"""The L2 penalty of embedding tables."""

from __future__ import annotations

from torch import nn

from sk_mtl.nn._encoding._bin_embedding import BinEmbedding
from sk_mtl.nn._encoding._embedding_tables import EmbeddingTables


class EmbeddingPenalty:
    """The gradient of the L2 penalty of embedding tables, ``l2 / 2 * sum(row ** 2)``.

    It is added to the gradients of the losses before the optimiser takes its step, as
    torch's Adam adds its own `weight_decay`. Adam divides a step by the size of the
    row's gradients, so a row that is rarely read returns to zero quickly, while a row
    that many rows of the training set read hardly moves. The decay of AdamW, which is
    decoupled from the gradients, shrinks both alike by a share of `lr` per step.

    A table with sparse gradients is penalised lazily: only the rows that the batch has
    read get the penalty of one step. This is much weaker for rare rows, which a dense
    table also moves towards zero in all steps that do not read them.

    Parameters
    ----------
    module : Module
        The network. All its tables are penalised: of categories, of items of
        sequences, of the bins of numbers and of a wide part's terms per category.

    l2 : float
        Strength of the penalty.

    Examples
    --------
    >>> import torch
    >>> from sk_mtl.estimators._training._embedding_penalty import EmbeddingPenalty
    >>> from sk_mtl.nn import FeatureEncoder
    >>> encoder = FeatureEncoder([3], 0, embedding_dims=[2])
    >>> encoder(torch.tensor([[1]]), torch.ones(1, 0)).shared.sum().backward()
    >>> (table,) = encoder.tables
    >>> EmbeddingPenalty(encoder, 0.1).add_gradients()
    >>> loss_gradient = torch.tensor([[0.0, 0.0], [1.0, 1.0], [0.0, 0.0]])
    >>> torch.equal(table.grad, loss_gradient + 0.1 * table)
    True
    """

    def __init__(self, module: nn.Module, l2: float) -> None:
        self.l2 = l2
        # Bins and categories are embedded in modules whose only parameters are tables.
        holders = (
            each
            for each in module.modules()
            if isinstance(each, EmbeddingTables | BinEmbedding)
        )
        self._tables = [table for each in holders for table in each.parameters()]

    def add_gradients(self) -> None:
        """Add the penalty's gradient to the gradients of the tables."""
        for table in self._tables:
            gradient = table.grad
            if gradient is None:
                continue
            if gradient.is_sparse:
                table.grad = gradient = gradient.coalesce()
                rows = gradient.indices()[0]
                gradient.values().add_(table.detach()[rows], alpha=self.l2)
            else:
                gradient.add_(table.detach(), alpha=self.l2)

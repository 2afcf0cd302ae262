"""Poolings of a sequence of codes into one vector: mean, sum, maximum, attention."""

from collections.abc import Sequence

from torch import Tensor, nn

from sk_mtl.nn._encoding._attention_pooling import AttentionPooling
from sk_mtl.nn._encoding._embedding_tables import EmbeddingTables
from sk_mtl.nn._encoding._target_attention import TargetAttention

SEQUENCE_POOLINGS = ("mean", "max", "sum", "attention", "target_attention")


class SequencePooling(nn.Module):
    """sequences of codes, each (n, length) -> one vector (n, width) for each.

    Items are looked up in the tables that the columns of the same vocabulary read, and
    pooled by ``"mean"``, ``"max"``, ``"sum"``, `AttentionPooling` (``"attention"``) or
    `TargetAttention` (``"target_attention"``). Padding of any length, coded -1, has no
    influence, and a sequence without any item gives zeros.

    Parameters
    ----------
    poolings : sequence of str
        One of the names above for each sequence.
    widths : sequence of int
        The embedding width of each sequence.

    Attributes
    ----------
    attention : ModuleDict
        By the sequence's position, the modules of sequences with attention.
    """

    def __init__(self, poolings: Sequence[str], widths: Sequence[int]) -> None:
        super().__init__()
        self.poolings = tuple(poolings)
        modules = {"attention": AttentionPooling, "target_attention": TargetAttention}
        self.attention = nn.ModuleDict(
            {
                str(j): modules[pooling](width)
                for j, (pooling, width) in enumerate(zip(poolings, widths))
                if pooling in modules
            }
        )

    def forward(
        self,
        tables: EmbeddingTables,
        sequences: Sequence[Tensor],
        targets: Sequence[Tensor | None],
    ) -> list[Tensor]:
        """Pool each sequence; targets are the embeddings of the items in question."""
        return [
            self._pool(j, tables, codes, target)
            for j, (codes, target) in enumerate(zip(sequences, targets))
        ]

    def _pool(
        self, j: int, tables: EmbeddingTables, codes: Tensor, target: Tensor | None
    ) -> Tensor:
        if str(j) not in self.attention:
            return tables.pool(j, codes, self.poolings[j])
        items, real = tables.look_up_items(j, codes)
        if target is None:
            return self.attention[str(j)](items, real)
        return self.attention[str(j)](items, real, target)

    def extra_repr(self) -> str:
        """Return the settings that ``repr`` shows."""
        return f"poolings={self.poolings}"

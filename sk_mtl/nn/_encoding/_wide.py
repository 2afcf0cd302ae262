"""The wide part: a linear term per category."""

from collections.abc import Sequence

from torch import Tensor, nn

from sk_mtl.nn._encoding._embedding_tables import EmbeddingTables


class WideTerm(nn.Module):
    """codes (n, n_columns), sequences -> logit terms (n, n_heads).

    A linear model of the categories in addition to the network: every category adds its
    own number to every logit, and a sequence adds the mean of its items' numbers, so
    that a long one does not outweigh a short one. The numbers start at zero, so the
    network starts like a network without them. They are in `EmbeddingTables` of width
    n_heads, with the vocabularies and the kinds of gradient of the embeddings.

    Parameters
    ----------
    cardinalities : sequence of int
        The number of codes of each column and, behind them, of each sequence.
    n_heads : int
        The number of logits.
    n_sequences : int, default=0
        Number of sequences, which are the last features.
    vocabularies : sequence of int or None, default=None
    sparse : sequence of bool or None, default=None
        As in `EmbeddingTables`.

    References
    ----------
    H.-T. Cheng et al. (2016). Wide & Deep Learning for Recommender Systems. DLRS.
    """

    def __init__(
        self,
        cardinalities: Sequence[int],
        n_heads: int,
        *,
        n_sequences: int = 0,
        vocabularies: Sequence[int] | None = None,
        sparse: Sequence[bool] | None = None,
    ) -> None:
        super().__init__()
        self.tables = EmbeddingTables(
            cardinalities,
            [n_heads] * len(cardinalities),
            n_sequences=n_sequences,
            vocabularies=vocabularies,
            sparse=sparse,
            start_sd=0.0,
        )

    def forward(self, codes: Tensor, sequences: Sequence[Tensor]) -> Tensor:
        """Add up the numbers of a row's categories."""
        terms = self.tables.sum_columns(codes)
        for j, items in enumerate(sequences):
            terms.append(self.tables.pool(j, items, "mean"))
        total = terms[0]
        for term in terms[1:]:
            total = total + term
        return total

"""Embeddings of numbers by the bin that each number falls into."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from sk_mtl.nn._encoding._embedding_tables import EMBEDDING_SD
from sk_mtl.nn._encoding._take_rows import take_rows

# Not infinity, because a state with an infinite number counts as diverged.
_BEYOND = torch.finfo(torch.float32).max


class BinEmbedding(nn.Module):
    """numeric (n, n_numeric) -> (n, n_fields, width).

    Each number is embedded by the bin that it falls into: a step function of any form,
    whereas the bends of a linear layer depend on the layers after it. A missing number
    has its own bin.

    A number's bin is the number of its column's edges below it. The rows of all columns
    are in one table and take one lookup.

    Parameters
    ----------
    edges : sequence of Tensor
        The edges between the bins of each embedded column, increasing; with k edges
        there are k + 1 bins. `quantile_bins` makes them.
    columns : sequence of int
        The positions of these columns among the numeric ones.
    width : int, default=8
        The width of the embedding.
    indicators : mapping of int to int, default=None
        By the position of a column, the position of the column that is 1 where the
        number was missing.

    Attributes
    ----------
    n_fields : int
        The number of embedded columns.
    table : Parameter of shape (n_rows, width)
        For each column its bins, then the bin of missing numbers if there is an
        indicator.
    edges : Tensor of shape (n_fields, most edges)
        Padded with the largest number. A buffer: edges are learnt from data and belong
        to the state.

    Examples
    --------
    One column with the bins up to 0, up to 1, and beyond.

    >>> import torch
    >>> from sk_mtl.nn import BinEmbedding
    >>> embedding = BinEmbedding([torch.tensor([0.0, 1.0])], columns=[0], width=1)
    >>> embedding.table.data = torch.tensor([[10.0], [20.0], [30.0]])
    >>> embedding(torch.tensor([[-5.0], [0.5], [7.0]])).flatten().tolist()
    [10.0, 20.0, 30.0]
    """

    #: Whether a stacked table of several members makes (n_members, n, n_fields, width).
    embeds_members = True
    columns: Tensor
    starts: Tensor
    indicators: Tensor | None

    def __init__(
        self,
        edges: Sequence[Tensor],
        columns: Sequence[int],
        width: int = 8,
        *,
        indicators: Mapping[int, int] | None = None,
    ) -> None:
        super().__init__()
        indicators = indicators or {}
        self.n_fields, self.width = len(columns), width
        padded = nn.utils.rnn.pad_sequence(list(edges), True, _BEYOND)
        self.register_buffer("edges", padded)
        has_missing = torch.tensor([column in indicators for column in columns])
        n_bins = torch.tensor([len(e) + 1 for e in edges])
        ends = (n_bins + has_missing).cumsum(0)
        starts = ends - n_bins - has_missing.int()
        self.register_buffer("columns", torch.tensor(columns), persistent=False)
        self.register_buffer("starts", starts.int(), persistent=False)
        self._register_missing(has_missing, [indicators.get(c, c) for c in columns])
        self.register_buffer("missing_rows", (ends - 1).int(), persistent=False)
        # In torch's default type, like all other weights, for any type of the edges.
        self.table = nn.Parameter(torch.empty(int(ends[-1]), width))
        self.reset_parameters()

    def _register_missing(self, has_missing: Tensor, indicators: list[int]) -> None:
        used = bool(has_missing.any())
        index = torch.tensor(indicators) if used else None
        self.register_buffer("indicators", index, persistent=False)
        self.register_buffer("has_missing", has_missing, persistent=False)

    def reset_parameters(self) -> None:
        """Draw the table anew."""
        nn.init.normal_(self.table, std=EMBEDDING_SD)

    def forward(self, numeric: Tensor) -> Tensor:
        """Look the numbers' bins up."""
        x = numeric.index_select(1, self.columns)
        rows = self._edges_below(x) + self.starts
        if self.indicators is not None:
            missing = numeric.index_select(1, self.indicators) == 1
            rows = torch.where(missing & self.has_missing, self.missing_rows, rows)
        return take_rows(self.table, rows)

    def _edges_below(self, x: Tensor) -> Tensor:
        """Return the number of edges below each number in its column, (n, n_fields).

        A binary search is three times faster than comparing a number with every edge,
        but cannot be exported.
        """
        if torch.compiler.is_compiling():
            return (x.unsqueeze(2) > self.edges).sum(2)
        return torch.searchsorted(self.edges, x.t().contiguous(), out_int32=True).t()

    def extra_repr(self) -> str:
        """Return the sizes that ``repr`` shows."""
        return f"n_fields={self.n_fields}, width={self.width}"

"""From coded columns to one row of numbers: embeddings and numeric columns."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

# Inputs of a network are scaled to unit variance at most, and a code's row must first
# move away from its start to mean anything. A start well below the numeric columns'
# scale lets the first epoch listen to both, and rows that are rarely seen stay near
# zero, which is "nothing known", instead of near a random vector.
_EMBEDDING_SD = 0.1


class Encoded(NamedTuple):
    """What the encoder hands to the wiring.

    Parameters
    ----------
    shared : Tensor of shape (n_samples, width)
        One row of numbers per sample, the same for every task.
    per_task : Tensor of shape (n_samples, n_tasks, width) or None
        A set of embeddings for each task, for wirings that ask for them.
    logit_terms : Tensor of shape (n_samples, n_heads) or None
        Terms added to the logits, such as those of a wide part.
    """

    shared: Tensor
    per_task: Tensor | None = None
    logit_terms: Tensor | None = None


def auto_embedding_dim(cardinality: int) -> int:
    """Return the embedding width for a column with so many codes.

    The smallest power of two that is at least the cube root of the cardinality, kept
    between 2 and 32: 2 up to 8 codes, 4 up to 64, 8 up to 512, 16 up to 4,096 and 32
    beyond. Powers of two keep the number of distinct widths, each of which costs one
    lookup, at five, and the ceiling keeps a column of ten million users at 1.3 GB in
    single precision.

    Parameters
    ----------
    cardinality : int
        The number of codes, the unknown code included.

    Examples
    --------
    The width grows slowly with the number of codes.

    >>> from sk_mtl.nn import auto_embedding_dim
    >>> [auto_embedding_dim(n) for n in (3, 53, 500, 4_000, 10_000_000)]
    [2, 4, 8, 16, 32]
    """
    for dim in (2, 4, 8, 16):
        if cardinality <= dim**3:
            return dim
    return 32


class FeatureEncoder(nn.Module):
    """codes (n, n_categorical), numeric (n, n_numeric) -> shared (n, width).

    Every categorical column is embedded and the numeric columns are joined behind.
    The rows of all columns with the same embedding width lie in **one** table: a
    column's codes are moved by an offset, and one lookup serves all columns. With 33
    columns that is one kernel instead of 33, and one parameter for the optimizer.

    The output's columns are, in this order: the embeddings, narrower widths first and
    within a width in the order of the codes' columns; then the numeric columns.

    Codes are local to their column, 0 to cardinality - 1, with 0 for unknown. A code
    outside that range would read the row of another column and is not looked for here,
    since that costs a pass over the batch: `FeatureSchema.split` guarantees the range.

    Parameters
    ----------
    cardinalities : sequence of int
        The number of codes of each categorical column, the unknown code included.
    n_numeric : int
        The number of numeric columns.
    embedding_dims : sequence of int
        The embedding width of each categorical column. Equal widths mean one table and
        one lookup; each further distinct width costs another.
    embedding_dropout : float, default=0.0
        The share of embedding entries that are zeroed in training. The numeric
        columns are never dropped.
    unknown_rate : float, default=0.0
        The share of codes that are replaced by the unknown code in training, so that
        the row read for categories never seen before is a trained one.

    Attributes
    ----------
    width : int
        The width of the result.
    tables : ParameterList
        One table per distinct width, narrowest first, each (rows, width). Rows start
        normal with a standard deviation of 0.1.

    Examples
    --------
    Two categorical columns and one number: 4 + 4 + 1 columns.

    >>> import torch
    >>> from sk_mtl.nn import FeatureEncoder
    >>> encoder = FeatureEncoder([3, 5], 1, embedding_dims=[4, 4])
    >>> codes = torch.tensor([[1, 4], [2, 0]], dtype=torch.int32)
    >>> encoder(codes, torch.ones(2, 1)).shared.shape
    torch.Size([2, 9])
    """

    offsets: Tensor
    column_order: Tensor | None

    def __init__(
        self,
        cardinalities: Sequence[int],
        n_numeric: int,
        *,
        embedding_dims: Sequence[int],
        embedding_dropout: float = 0.0,
        unknown_rate: float = 0.0,
    ) -> None:
        super().__init__()
        _check_columns(cardinalities, n_numeric, embedding_dims)
        dims = np.asarray(embedding_dims, dtype=np.int64)
        rows = np.asarray(cardinalities, dtype=np.int64)
        self.width = int(dims.sum()) + n_numeric
        self.embedding_dropout = embedding_dropout
        self.unknown_rate = unknown_rate
        order = np.argsort(dims, kind="stable")
        widths, counts = np.unique(dims, return_counts=True)
        groups = np.split(rows[order], np.cumsum(counts)[:-1])
        self.tables = nn.ParameterList(
            torch.empty(int(group.sum()), int(width))
            for width, group in zip(widths, groups)
        )
        self._group_sizes = counts.tolist()
        self.register_buffer("offsets", _offsets(groups), persistent=False)
        permuted = None if (order[1:] > order[:-1]).all() else torch.from_numpy(order)
        self.register_buffer("column_order", permuted, persistent=False)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the tables anew."""
        for table in self.tables:
            nn.init.normal_(table, std=_EMBEDDING_SD)

    def forward(self, codes: Tensor, numeric: Tensor) -> Encoded:
        """Look the codes up and join the numeric columns."""
        if not self._group_sizes:
            return Encoded(numeric)
        return Encoded(torch.cat([*self._embed(codes), numeric], 1))

    def _embed(self, codes: Tensor) -> list[Tensor]:
        """Return the embeddings, one (n_samples, columns * width) block per width."""
        if self.training and self.unknown_rate > 0:
            unknown = torch.rand(codes.shape, device=codes.device) < self.unknown_rate
            codes = codes.masked_fill(unknown, 0)
        if self.column_order is not None:
            codes = codes.index_select(1, self.column_order)
        rows = (codes + self.offsets).split(self._group_sizes, 1)
        blocks = [
            F.embedding(r, table).flatten(1) for r, table in zip(rows, self.tables)
        ]
        if self.training and self.embedding_dropout > 0:
            blocks = [F.dropout(block, self.embedding_dropout) for block in blocks]
        return blocks

    def extra_repr(self) -> str:
        """Return the settings that ``repr`` shows."""
        return (
            f"width={self.width}, embedding_dropout={self.embedding_dropout}, "
            f"unknown_rate={self.unknown_rate}"
        )


def _check_columns(
    cardinalities: Sequence[int], n_numeric: int, embedding_dims: Sequence[int]
) -> None:
    if len(cardinalities) != len(embedding_dims):
        raise ValueError(
            "cardinalities and embedding_dims must have one entry per categorical "
            f"column; found {len(cardinalities)} cardinalities and "
            f"{len(embedding_dims)} widths. Give both for the same columns."
        )
    if not len(cardinalities) and not n_numeric:
        raise ValueError(
            "FeatureEncoder needs at least one column; found 0 categorical and 0 "
            "numeric columns. Keep at least one feature."
        )
    if min([*cardinalities, *embedding_dims], default=1) < 1:
        raise ValueError(
            "cardinalities and embedding_dims must be at least 1; found "
            f"{list(cardinalities)} and {list(embedding_dims)}. Count the unknown "
            "code in the cardinality and give every column a width."
        )


def _offsets(groups: list[np.ndarray]) -> Tensor:
    """Return where each column's rows start in its table, columns in table order.

    The smallest integer type that can address every row is kept: added to int32 codes
    it leaves them int32, and half the bytes are read in the lookup.
    """
    starts = np.concatenate([np.cumsum(group) - group for group in groups])
    largest = max((int(group.sum()) for group in groups), default=0)
    fits = largest <= np.iinfo(np.int32).max
    return torch.from_numpy(starts.astype(np.int32 if fits else np.int64))

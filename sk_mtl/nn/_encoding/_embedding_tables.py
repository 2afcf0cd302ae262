"""Embedding tables for many columns and sequences, with few lookups."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sk_mtl.nn._encoding._take_rows import take_rows

# Inputs of a network are scaled to unit variance at most, and a code's row carries no
# information until training moves it from its start. With a start well below the scale
# of numeric columns the first epoch learns from both, and rarely read rows stay near
# zero, which means "unknown", instead of near a random vector.
EMBEDDING_SD = 0.1


class Place(NamedTuple):
    """A block of embeddings, and the entries of one column in it."""

    block: int
    start: int
    width: int


class EmbeddingTables(nn.ParameterList):
    """codes (n, n_columns) -> one block (n, columns * width) per table.

    The *features* are the coded columns and, behind them, the sequences. The rows of
    all features with the same embedding width and the same kind of gradient lie in
    **one** table: a feature's codes are moved by an offset, and one lookup serves all
    columns of a table. With 33 columns that is one kernel instead of 33, and one
    parameter for the optimizer. Features of one vocabulary have the same offset, so
    they read, and train, the same rows.

    A sequence is (n, length) with padding of -1, always at the end. Padding has no
    influence: `pool` never looks it up, and `look_up_items` looks up the unknown row
    instead and returns which items are real.

    Parameters
    ----------
    cardinalities, widths : sequence of int
        The number of codes and the embedding width of each feature.
    n_sequences : int, default=0
        Number of sequences, which are the last features.
    vocabularies : sequence of int or None, default=None
        Equal numbers mean common rows. None gives every feature its own.
    sparse : sequence of bool or None, default=None
        The features that get a sparse gradient, which holds only the rows that were
        read. None means no feature.
    start_sd : float, default=0.1
        The standard deviation of the rows at the start.

    Attributes
    ----------
    block_columns : list of list of int
        The columns in each block that `look_up` returns, narrow blocks first.
    block_widths : list of int
        The width of each of these columns' embeddings.
    """

    offsets: Tensor
    column_order: Tensor | None

    def __init__(
        self,
        cardinalities: Sequence[int],
        widths: Sequence[int],
        *,
        n_sequences: int = 0,
        vocabularies: Sequence[int] | None = None,
        sparse: Sequence[bool] | None = None,
        start_sd: float = EMBEDDING_SD,
    ) -> None:
        super().__init__()
        n_features = len(cardinalities)
        sparse = [False] * n_features if sparse is None else sparse
        vocabularies = range(n_features) if vocabularies is None else vocabularies
        _check_vocabularies(vocabularies, cardinalities, widths, sparse)
        kinds = [(int(w), bool(s)) for w, s in zip(widths, sparse)]
        self._start_sd = start_sd
        self.batchable = False
        self._kinds = sorted(set(kinds))
        self.vocabularies = list(vocabularies)
        self.n_columns = n_features - n_sequences
        tables = [self._kinds.index(kind) for kind in kinds]
        starts = self._add_tables(tables, cardinalities)
        self._index_columns(tables[: self.n_columns], starts[: self.n_columns])
        self._sequences = list(zip(tables, starts))[self.n_columns :]
        self._unknown_rows = [
            sorted({start for at, start in zip(tables, starts) if at == table})
            for table in range(len(self))
        ]
        self.reset_parameters()

    def _add_tables(
        self, tables: Sequence[int], cardinalities: Sequence[int]
    ) -> list[int]:
        """Make the tables; return where each feature's rows start in its own.

        Vocabularies stand in a table in the order of the first feature of each.
        """
        starts: dict[int, int] = {}
        rows = [0] * len(self._kinds)
        for vocabulary, table, size in zip(self.vocabularies, tables, cardinalities):
            if vocabulary not in starts:
                starts[vocabulary] = rows[table]
                rows[table] += int(size)
        self.extend(torch.empty(r, width) for r, (width, _) in zip(rows, self._kinds))
        self._needs_int64 = max(rows, default=0) > np.iinfo(np.int32).max
        return [starts[vocabulary] for vocabulary in self.vocabularies]

    def _index_columns(self, tables: list[int], starts: list[int]) -> None:
        """Keep what `look_up` needs: columns and offsets, table by table.

        Added to int32 codes, int64 offsets make the index that the lookup needs
        without a copy.
        """
        order = sorted(range(len(tables)), key=tables.__getitem__)
        self._blocks = sorted(set(tables))
        self._block_sizes = [tables.count(table) for table in self._blocks]
        self.block_widths = [self._kinds[table][0] for table in self._blocks]
        self.block_columns = [
            [column for column in order if tables[column] == table]
            for table in self._blocks
        ]
        offsets = torch.tensor([starts[column] for column in order], dtype=torch.int64)
        self.register_buffer("offsets", offsets, persistent=False)
        permuted = None if order == sorted(order) else torch.tensor(order)
        self.register_buffer("column_order", permuted, persistent=False)

    def reset_parameters(self) -> None:
        """Draw the tables anew."""
        for table in self:
            nn.init.normal_(table, std=self._start_sd)

    def find_column(self, column: int) -> Place:
        """Return the place of a column's embedding in the result of `look_up`."""
        for block, columns in enumerate(self.block_columns):
            if column in columns:
                width = self.block_widths[block]
                return Place(block, columns.index(column) * width, width)
        raise IndexError(f"There is no column {column}.")

    def look_up(self, codes: Tensor) -> list[Tensor]:
        """Return the columns' embeddings, one (n, columns * width) block per table.

        Blocks of the stacked tables of several members are (n_members, n, ...).
        """
        return [
            take_rows(self[table], rows, self._kinds[table][1]).flatten(-2)
            for rows, table in self._split_rows(codes)
        ]

    def sum_columns(self, codes: Tensor) -> list[Tensor]:
        """Return the sum of the embeddings of each block's columns, each (n, width)."""
        return [
            take_rows(self[table], rows, self._kinds[table][1]).sum(1)
            for rows, table in self._split_rows(codes)
        ]

    def _split_rows(self, codes: Tensor) -> list[tuple[Tensor, int]]:
        """Return for each block the rows that are read, and of which table."""
        if not self._blocks:
            return []
        if self.column_order is not None:
            codes = codes.index_select(1, self.column_order)
        rows = (codes + self.offsets).split(self._block_sizes, 1)
        return list(zip(rows, self._blocks))

    def look_up_items(self, sequence: int, codes: Tensor) -> tuple[Tensor, Tensor]:
        """Return a sequence's embeddings, and booleans that mark the real items.

        The shapes are (n, length, width) and (n, length).
        """
        table, start = self._sequences[sequence]
        rows = self._addressing(codes).clamp_min(0) + start
        return take_rows(self[table], rows, self._kinds[table][1]), codes >= 0

    def pool(self, sequence: int, codes: Tensor, mode: str) -> Tensor:
        """Return the "mean", "sum" or "max" of a sequence's items, (n, width).

        The real items of the whole batch are concatenated and pooled by one kernel, in
        their order: padding is not looked up, so it cannot change a bit of the result
        or of a gradient. A sequence without any item gives zeros.

        A captured graph, for `torch.compile` or an export, cannot contain the number of
        real items, which depends on the data, or that kernel. There padding is looked
        up and masked, and on a GPU, too, which would have to wait for that number. The
        kernel does not support a sparse maximum either.
        """
        table, start = self._sequences[sequence]
        sparse = self._kinds[table][1]
        captured = self.batchable or torch.compiler.is_compiling()
        if captured or codes.is_cuda or (sparse and mode == "max"):
            return pool_items(*self.look_up_items(sequence, codes), mode)
        real = codes >= 0
        rows, lengths = self._addressing(codes[real]) + start, real.sum(1)
        bags = (lengths.cumsum(0) - lengths).to(rows.dtype)
        return F.embedding_bag(rows, self[table], bags, mode=mode, sparse=sparse)

    def _addressing(self, codes: Tensor) -> Tensor:
        """Return codes of a type that can address every row of every table."""
        return codes.long() if self._needs_int64 else codes

    def sparse_tables(self) -> list[int]:
        """Return the tables whose gradients are sparse."""
        return [table for table, (_, sparse) in enumerate(self._kinds) if sparse]

    def rows_read(self, codes: Tensor, sequences: Sequence[Tensor]) -> list[Tensor]:
        """Return for each table with sparse gradients the rows that these codes read.

        The rows are sorted and distinct. The rows of unknown codes are among them:
        training reads them, too, in place of other rows.
        """
        return [
            self._rows_read(table, codes, sequences) for table in self.sparse_tables()
        ]

    def _rows_read(
        self, table: int, codes: Tensor, sequences: Sequence[Tensor]
    ) -> Tensor:
        # Marking rows in an array as long as the table takes one pass; sorting ten
        # million codes to find the distinct ones takes seconds.
        marks = torch.zeros(len(self[table]), dtype=torch.bool, device=codes.device)
        marks[self._unknown_rows[table]] = True
        columns = [column for block in self.block_columns for column in block]
        for column, start in zip(columns, self.offsets.tolist()):
            if column in self._columns_of(table):
                marks[codes[:, column].long() + start] = True
        for (at, start), items in zip(self._sequences, sequences):
            if at == table:
                marks[items[items >= 0].long() + start] = True
        return marks.nonzero().flatten()

    def _columns_of(self, table: int) -> list[int]:
        if table not in self._blocks:
            return []
        return self.block_columns[self._blocks.index(table)]


def _check_vocabularies(
    vocabularies: Sequence[int],
    cardinalities: Sequence[int],
    embedding_dims: Sequence[int],
    sparse: Sequence[bool],
) -> None:
    """Raise unless features of one vocabulary can have common rows."""
    for name, found in (("vocabularies", vocabularies), ("sparse", sparse)):
        if len(found) != len(cardinalities):
            raise ValueError(
                f"{name} must have one entry per categorical column and sequence, "
                f"{len(cardinalities)} in all; found {len(found)}. Give one for each."
            )
    first: dict[int, tuple] = {}
    for position, (vocabulary, *needs) in enumerate(
        zip(vocabularies, cardinalities, embedding_dims, map(bool, sparse))
    ):
        before, wanted = first.setdefault(vocabulary, (position, needs))
        if needs != wanted:
            raise ValueError(
                "Features of one vocabulary must have the same cardinality, width and "
                f"kind of gradient; found {tuple(wanted)} at position {before} and "
                f"{tuple(needs)} at position {position}. Make them equal, or give the "
                "features vocabularies of their own."
            )


def pool_items(items: Tensor, real: Tensor, mode: str) -> Tensor:
    """Return the mean, sum or maximum of the real items, or zeros if there are none.

    Items are (n, length, width), and `real` marks the real ones, (n, length).
    """
    padded = ~real.unsqueeze(2)
    if mode == "max":
        lowest = torch.finfo(items.dtype).min
        largest = items.masked_fill(padded, lowest).amax(1)
        return largest.masked_fill(padded.all(1), 0.0)
    total = items.masked_fill(padded, 0.0).sum(1)
    if mode == "sum":
        return total
    return total / real.sum(1, keepdim=True).clamp_min(1)

"""The encoder, from coded columns to one row of embeddings and numbers."""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sk_mtl.nn._encoding._as_multiplied import as_multiplied
from sk_mtl.nn._encoding._embedding_tables import EmbeddingTables
from sk_mtl.nn._encoding._encoded import Encoded
from sk_mtl.nn._encoding._encoder_checks import (
    FIELD_PLACES,
    check_columns,
    check_group_pooling,
    check_interaction,
    check_sequences,
    check_wide,
)
from sk_mtl.nn._encoding._field_pooling import FieldPooling
from sk_mtl.nn._encoding._fields import FieldStacks
from sk_mtl.nn._encoding._input_sizes import InputSizes
from sk_mtl.nn._encoding._sequence_pooling import SequencePooling
from sk_mtl.nn._encoding._wide import WideTerm


class FeatureEncoder(nn.Module):
    """codes (n, n_columns), numeric (n, n_numeric), sequences -> shared (n, width).

    Every categorical column is embedded and the numeric columns are joined behind.
    The rows of all columns with the same embedding width lie in **one** table: a
    column's codes are moved by an offset, and one lookup serves all columns. With 33
    columns that is one kernel instead of 33, and one parameter for the optimizer.

    Codes are local to their column, 0 to cardinality - 1, with 0 for unknown. A code
    outside that range would read the row of another column. It is not checked here,
    since that costs a pass over the batch: `FeatureSchema.split` guarantees the range.
    A sequence is (n, length) of such codes, padded by -1 at the end.

    Each embedding vector of a row is a *field*: first the columns', then the pooled
    sequences' and the embedded numbers'. Options are applied in a fixed order, and an
    option that is off costs nothing:

    1. columns and the items of sequences are looked up, sequences pooled, numbers
       embedded, and entries dropped;
    2. an interaction in the place ``"fields"`` rescales the fields;
    3. one in the place ``"logits"`` reads the fields and adds terms to the logits;
    4. the fields of each group are pooled;
    5. fields and numeric columns are joined;
    6. an interaction in the place ``"input"`` transforms the joined entries.

    So interactions of fields read every field, before pooling mixes it with others, and
    an interaction of the input reads the whole input of the wiring. The output's
    columns are, in this order: the columns' embeddings, narrower widths first and
    within a width in the order of the codes' columns (columns with sparse gradients
    after the others of their width); the sequences; the embedded numbers; the numeric
    columns. If fields are stacked, that is with pooled groups or an interaction of
    fields, all fields of a width are together.

    Parameters
    ----------
    cardinalities : sequence of int
        The number of codes of each categorical column and, behind them, of each
        sequence, the unknown code included.
    n_numeric : int
        The number of numeric columns.
    embedding_dims : sequence of int
        The embedding width of each categorical column and each sequence. Equal widths
        mean one table and one lookup; each further distinct width costs another.
    embedding_dropout : float, default=0.0
        The share of the fields' entries that are zeroed in training. The numeric
        columns are never dropped.
    unknown_rate : float, default=0.0
        The share of codes, of columns and of items, that are replaced by the unknown
        code in training, so that the row read for categories never seen before is a
        trained one.
    vocabularies : sequence of int or None, default=None
        One number per categorical column and sequence. Equal numbers mean the same
        rows of a table. None gives every one its own.
    sparse : sequence of bool or None, default=None
        The features with sparse gradients, in separate tables. The cost of a training
        step then depends on the rows that are read, and not on the size of the table;
        it needs an optimizer that accepts such gradients. None means no feature.
    sequence_pooling : sequence of str, default=()
        For each sequence ``"mean"``, ``"max"``, ``"sum"``, ``"attention"``
        (`AttentionPooling`) or ``"target_attention"`` (`TargetAttention`).
    sequence_targets : sequence of (int or None), default=()
        For each sequence the position of the categorical column that target attention
        compares it with, which has the sequence's vocabulary. Not read for others.
    numeric_embeddings : sequence of Module, default=()
        Each takes the numeric columns to fields, (n, n_fields, width), and has these
        two numbers as attributes, such as `BinEmbedding` and `ColumnEmbedding`. The
        numbers stay.
    field_groups : sequence of sequence of int or None, default=None
        The positions of the fields in each group that `group_pooling` pools. Fields in
        no group form one more.
    group_pooling : {"concat", "sum", "mean"}, default="concat"
        Rule by which fields of a group become one vector of their width, which must be
        the same inside a group. "concat" leaves all fields unchanged.
    interaction : callable or None, default=None
        Takes the `InputSizes` to a module, such as `CrossLayer` for the place
        ``"input"``, `SqueezeExcitation` for ``"fields"`` and `FactorizationMachine` for
        ``"logits"``.
    interaction_place : {"input", "fields", "logits"}, default="input"
        Place of the interaction. ``"input"`` maps the whole input (n, width) to the
        same shape, ``"fields"`` the fields (n, n_fields, field_width) to the same
        shape, and ``"logits"`` these fields to terms of the logits, (n, n_heads). The
        latter two need fields of equal width.
    n_heads : int, default=0
        The number of logits, where the interaction or `wide` adds terms to them.
    wide : bool, default=False
        Whether every category adds a linear term to every logit.

    Attributes
    ----------
    width : int
        The width of the result.
    n_heads : int
        The number of logits that get terms; 0 if it computes none.
    field_widths : list of int
        The width of each field.
    tables : EmbeddingTables
        A list of parameters: one table per distinct width (two where some columns of
        that width have sparse gradients), narrowest first, each (rows, width). Rows
        start normal with a standard deviation of 0.1.

    Examples
    --------
    Two categorical columns and one number: 4 + 4 + 1 columns.

    >>> import torch
    >>> from sk_mtl.nn import FeatureEncoder
    >>> encoder = FeatureEncoder([3, 5], 1, embedding_dims=[4, 4])
    >>> codes = torch.tensor([[1, 4], [2, 0]], dtype=torch.int32)
    >>> encoder(codes, torch.ones(2, 1)).shared.shape
    torch.Size([2, 9])

    A history of items and the item in question, both of one vocabulary: 4 + 4.

    >>> encoder = FeatureEncoder(
    ...     [9, 9], 0, embedding_dims=[4, 4], vocabularies=[0, 0],
    ...     sequence_pooling=["target_attention"], sequence_targets=[0],
    ... )
    >>> history = torch.tensor([[3, 5, 8], [2, -1, -1]])
    >>> encoder(torch.tensor([[1], [2]]), torch.ones(2, 0), (history,)).shared.shape
    torch.Size([2, 8])
    """

    def __init__(
        self,
        cardinalities: Sequence[int],
        n_numeric: int,
        *,
        embedding_dims: Sequence[int],
        embedding_dropout: float = 0.0,
        unknown_rate: float = 0.0,
        vocabularies: Sequence[int] | None = None,
        sparse: Sequence[bool] | None = None,
        sequence_pooling: Sequence[str] = (),
        sequence_targets: Sequence[int | None] = (),
        numeric_embeddings: Sequence[nn.Module] = (),
        field_groups: Sequence[Sequence[int]] | None = None,
        group_pooling: str = "concat",
        interaction: Callable[[InputSizes], nn.Module] | None = None,
        interaction_place: str = "input",
        n_heads: int = 0,
        wide: bool = False,
    ) -> None:
        super().__init__()
        check_columns(cardinalities, n_numeric, embedding_dims)
        self.embedding_dropout = embedding_dropout
        self.unknown_rate = unknown_rate
        place = None if interaction is None else interaction_place
        self.n_heads = n_heads if wide or place == "logits" else 0
        layout = {
            "n_sequences": len(sequence_pooling),
            "vocabularies": vocabularies,
            "sparse": sparse,
        }
        self.tables = EmbeddingTables(cardinalities, embedding_dims, **layout)
        self._add_sequences(sequence_pooling, sequence_targets, embedding_dims)
        self.numeric_embeddings = nn.ModuleList(numeric_embeddings)
        self._name_fields(embedding_dims)
        check_interaction(place, n_heads, self.field_widths)
        self._add_field_pooling(
            field_groups, group_pooling, stacks=place in FIELD_PLACES
        )
        fields = self.field_widths if self.pooling is None else self.pooling.widths
        self.width = sum(fields) + n_numeric
        self._interaction_place = place
        self.interaction = None
        if interaction is not None:
            sizes = InputSizes.of(self.width, self.field_widths, n_heads)
            self.interaction = interaction(sizes)
        self.wide = None
        if wide:
            check_wide(n_heads, len(cardinalities))
            # Columns that share an embedding have linear terms of their own: a rate of
            # the items that are shown is not one of the items in a history.
            self.wide = WideTerm(
                cardinalities, n_heads, **{**layout, "vocabularies": None}
            )

    def _add_sequences(
        self,
        poolings: Sequence[str],
        targets: Sequence[int | None],
        embedding_dims: Sequence[int],
    ) -> None:
        """Make the poolings of sequences; record where target embeddings are."""
        targets = list(targets) or [None] * len(poolings)
        check_sequences(poolings, targets, self.tables.vocabularies)
        self._targets = [
            self.tables.find_column(target) if pooling == "target_attention" else None
            for pooling, target in zip(poolings, targets)
        ]
        self.sequence_pooling = None
        if len(poolings):
            widths = embedding_dims[-len(poolings) :]
            self.sequence_pooling = SequencePooling(poolings, widths)

    def _name_fields(self, embedding_dims: Sequence[int]) -> None:
        """Record the widths of all fields, and the fields of each block."""
        self.field_widths = [int(width) for width in embedding_dims]
        self._block_fields = list(self.tables.block_columns)
        self._block_widths = list(self.tables.block_widths)
        for field in range(self.tables.n_columns, len(embedding_dims)):
            self._block_fields.append([field])
            self._block_widths.append(self.field_widths[field])
        for embedding in self.numeric_embeddings:
            first, n = len(self.field_widths), embedding.n_fields
            self._block_fields.append(list(range(first, first + n)))
            self._block_widths.append(embedding.width)
            self.field_widths += [embedding.width] * n

    def _add_field_pooling(
        self, groups: Sequence[Sequence[int]] | None, mode: str, *, stacks: bool
    ) -> None:
        """Make the modules that stack and pool fields."""
        check_group_pooling(mode)
        self.pooling = self._stacks = None
        pools = mode != "concat" and len(self.field_widths) > 0
        if pools or stacks:
            self._stacks = FieldStacks(self._block_fields, self._block_widths)
        if pools:
            self.pooling = FieldPooling(self._stacks, self.field_widths, groups, mode)

    def reset_parameters(self) -> None:
        """Draw the tables anew."""
        self.tables.reset_parameters()

    def forward(
        self, codes: Tensor, numeric: Tensor, sequences: Sequence[Tensor] = ()
    ) -> Encoded:
        """Look the codes up, join the numeric columns, and apply all options."""
        codes, sequences = self.with_unknown(codes, sequences)
        return self.encode(codes, numeric, sequences)

    def with_unknown(
        self, codes: Tensor, sequences: Sequence[Tensor] = ()
    ) -> tuple[Tensor, Sequence[Tensor]]:
        """Return the codes of a training step, some of them replaced by "unknown"."""
        if not (self.training and self.unknown_rate > 0 and len(self.tables)):
            return codes, sequences
        codes = codes.masked_fill(self._draw_unknown(codes), 0)
        return codes, [
            items.masked_fill(self._draw_unknown(items) & (items >= 0), 0)
            for items in sequences
        ]

    def encode(
        self, codes: Tensor, numeric: Tensor, sequences: Sequence[Tensor] = ()
    ) -> Encoded:
        """Apply `forward` to unchanged codes."""
        blocks = self.embed(codes, numeric, sequences)
        return self.join(blocks, codes, numeric, sequences)

    def join(
        self,
        blocks: Sequence[Tensor],
        codes: Tensor,
        numeric: Tensor,
        sequences: Sequence[Tensor] = (),
    ) -> Encoded:
        """Apply all options to the blocks that `embed` returned."""
        terms = None
        if self._stacks is not None:
            blocks, terms = self._combine(blocks)
        shared = torch.cat([*blocks, numeric], 1) if blocks else numeric
        shared = as_multiplied(shared)
        if self._interaction_place == "input":
            shared = self.interaction(shared)
        if self.wide is not None:
            wide = self.wide(codes, sequences)
            terms = wide if terms is None else terms + wide
        return Encoded(shared, logit_terms=terms)

    def _check_sequences(self, sequences: Sequence[Tensor]) -> None:
        if len(sequences) != len(self._targets):
            raise ValueError(
                f"The encoder needs {len(self._targets)} sequences; found "
                f"{len(sequences)}. Pass one tensor of codes for each."
            )

    def _draw_unknown(self, codes: Tensor) -> Tensor:
        """Return a mask of the codes to replace by the unknown code."""
        return torch.rand(codes.shape, device=codes.device) < self.unknown_rate

    @property
    def embeds_members(self) -> bool:
        """True if `embed` takes the stacked weights of several members."""
        embeddings = self.numeric_embeddings
        return self.sequence_pooling is None and all(
            getattr(each, "embeds_members", False) for each in embeddings
        )

    def embed(
        self, codes: Tensor, numeric: Tensor, sequences: Sequence[Tensor] = ()
    ) -> list[Tensor]:
        """Return the fields in blocks, each (n, fields * width) of one width.

        With the stacked weights of the members of an ensemble, each block is
        (n_members, n, fields * width).
        """
        self._check_sequences(sequences)
        blocks = self.tables.look_up(codes)
        if self.sequence_pooling is not None:
            targets = [
                None if at is None else blocks[at.block].narrow(1, at.start, at.width)
                for at in self._targets
            ]
            blocks += self.sequence_pooling(self.tables, sequences, targets)
        blocks += [embed(numeric).flatten(-2) for embed in self.numeric_embeddings]
        if self.training and self.embedding_dropout > 0:
            blocks = [F.dropout(block, self.embedding_dropout) for block in blocks]
        return blocks

    def _combine(self, blocks: Sequence[Tensor]) -> tuple[list[Tensor], Tensor | None]:
        """Return the fields after interaction and pooling, and terms of the logits."""
        stacks, terms = self._stacks(blocks), None
        if self._interaction_place == "fields":
            stacks = [self.interaction(stacks[0])]
        elif self._interaction_place == "logits":
            terms = self.interaction(stacks[0])
        if self.pooling is not None:
            return self.pooling(stacks), terms
        return [stack.flatten(1) for stack in stacks], terms

    def sparse_parameter_names(self) -> list[str]:
        """Return the names of the parameters that get sparse gradients."""
        names = [f"tables.{table}" for table in self.tables.sparse_tables()]
        if self.wide is not None:
            wide = self.wide.tables.sparse_tables()
            names += [f"wide.tables.{table}" for table in wide]
        return names

    def sparse_rows(
        self, codes: Tensor, sequences: Sequence[Tensor] = ()
    ) -> dict[str, Tensor]:
        """Return which rows training on these codes can change, by parameter name.

        The result holds only parameters with sparse gradients. The rows are sorted and
        include the rows of unknown codes.
        """
        self._check_sequences(sequences)
        rows = self.tables.rows_read(codes, sequences)
        if self.wide is not None:
            rows += self.wide.tables.rows_read(codes, sequences)
        return dict(zip(self.sparse_parameter_names(), rows))

    def extra_repr(self) -> str:
        """Return the settings that ``repr`` shows."""
        return (
            f"width={self.width}, embedding_dropout={self.embedding_dropout}, "
            f"unknown_rate={self.unknown_rate}"
        )

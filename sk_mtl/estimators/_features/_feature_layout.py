"""From the parameters of features to the encoder of a network."""

from __future__ import annotations

import copy
from dataclasses import dataclass

from torch import Tensor

from sk_mtl.estimators._choices._interactions import Interaction, resolve_interaction
from sk_mtl.estimators._choices._numeric_embedding import NumericEmbedding
from sk_mtl.estimators._features._embedding_widths import (
    resolve_embedding_dims,
    resolve_sparse,
)
from sk_mtl.estimators._features._feature_parameters import FeatureParameters
from sk_mtl.estimators._features._field_groups import (
    check_equal_widths,
    check_pooled_widths,
    resolve_groups,
)
from sk_mtl.estimators._features._layout_notes import feature_notes, summarise_layout
from sk_mtl.estimators._features._sequence_layout import resolve_sequences
from sk_mtl.nn import FeatureEncoder, NumericColumns
from sk_mtl.preprocessing import FeatureSchema


@dataclass(frozen=True)
class FeatureLayout:
    """The way from each feature to the input of a network.

    Attributes
    ----------
    schema : FeatureSchema
        The features, columns that share an embedding united.

    dims : list of int
        The embedding width of each embedded feature.

    sparse : list of bool
        Which of them have sparse gradients.

    poolings : list of str
        The pooling of each sequence.

    targets : list of int or None
        The position of the column that each sequence is compared with.

    numbers : tuple of NumericEmbedding
        The embeddings of numbers; none where no column is a number.

    interaction : Interaction or None
        The interaction of features.

    groups : dict of str to list of int, or None
        The fields of each group; None without groups.
    """

    schema: FeatureSchema
    dims: list[int]
    sparse: list[bool]
    poolings: list[str]
    targets: list[int | None]
    numbers: tuple[NumericEmbedding, ...]
    interaction: Interaction | None
    groups: dict[str, list[int]] | None

    @classmethod
    def resolve(
        cls,
        wanted: FeatureParameters,
        schema: FeatureSchema,
        *,
        dense: bool = False,
    ) -> FeatureLayout:
        """Return the layout that the parameters ask for, or raise.

        No parameter may be "auto". With `dense`, every gradient must be dense.
        """
        dims = resolve_embedding_dims(wanted.embedding_dim, schema)
        poolings, targets = resolve_sequences(wanted, schema)
        numbers = tuple(wanted.numeric_embedding if schema.primary_numeric else ())
        fields = _field_names(schema, len(numbers))
        layout = cls(
            schema=schema,
            dims=dims,
            sparse=resolve_sparse(wanted.sparse_embedding, dims, schema, dense),
            poolings=poolings,
            targets=targets,
            numbers=numbers,
            interaction=copy.deepcopy(resolve_interaction(wanted.interaction)),
            groups=resolve_groups(wanted.feature_groups, fields, schema),
        )
        layout._check_widths(wanted)
        return layout

    @property
    def field_names(self) -> list[str]:
        """The name of the column of each field."""
        return _field_names(self.schema, len(self.numbers))

    def describe(self, wanted: FeatureParameters) -> FeatureSchema:
        """Return the schema with widths and notes on the network's features."""
        schema = self.schema.with_embedding_dims(self.dims)
        return schema.with_notes(feature_notes(self), summarise_layout(self, wanted))

    def make_encoder(
        self, wanted: FeatureParameters, numeric: Tensor, n_heads: int
    ) -> FeatureEncoder:
        """Return an untrained encoder; the training rows' numbers decide the bins."""
        schema = self.schema
        columns = NumericColumns(
            numeric, schema.primary_numeric, schema.missing_indicators
        )
        embeddings = [each.make_fields(columns, each.width) for each in self.numbers]
        groups = None
        if wanted.group_pooling != "concat":
            groups = [fields for fields in (self.groups or {}).values() if fields]
        return FeatureEncoder(
            schema.cardinalities,
            schema.n_numeric,
            embedding_dims=self.dims,
            embedding_dropout=wanted.embedding_dropout,
            unknown_rate=wanted.unknown_rate,
            vocabularies=schema.vocabularies,
            sparse=self.sparse,
            sequence_pooling=self.poolings,
            sequence_targets=self.targets,
            numeric_embeddings=embeddings,
            field_groups=groups,
            group_pooling=wanted.group_pooling,
            interaction=self.interaction and self.interaction.make_layer,
            interaction_place=self.interaction.place if self.interaction else "input",
            n_heads=n_heads,
            wide=wanted.wide,
        )

    def _check_widths(self, wanted: FeatureParameters) -> None:
        names, widths = self.field_names, list(self.dims)
        for embedding in self.numbers:
            widths += [embedding.width] * len(self.schema.primary_numeric)
        if self.interaction is not None and self.interaction.place != "input":
            what = f"interaction={wanted.interaction!r} needs embeddings"
            if not names:
                raise ValueError(
                    f"{what}; found none. Use interaction='cross', which takes the "
                    "numbers, or set numeric_embedding."
                )
            every = range(len(names))
            check_equal_widths(every, names, widths, f"{what} of equal width")
        check_pooled_widths(wanted.group_pooling, self.groups, names, widths)


def _field_names(schema: FeatureSchema, n_embeddings: int) -> list[str]:
    numbers = [schema.numeric_names[position] for position in schema.primary_numeric]
    return [*schema.embedded_names, *numbers * n_embeddings]

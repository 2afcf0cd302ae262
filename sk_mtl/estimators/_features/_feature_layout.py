"""From the parameters of features to the encoder of a network."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from sk_mtl.estimators._features._embedding_widths import (
    resolve_embedding_dims,
    resolve_n_bins,
    resolve_numeric_dim,
    resolve_sparse,
)
from sk_mtl.estimators._features._feature_parameters import (
    NUMERIC_EMBEDDINGS,
    FeatureParameters,
)
from sk_mtl.estimators._features._field_groups import (
    check_equal_widths,
    check_pooled_widths,
    resolve_groups,
)
from sk_mtl.estimators._features._layout_notes import feature_notes, summarise_layout
from sk_mtl.estimators._features._sequence_layout import resolve_sequences
from sk_mtl.estimators._features._shared_embeddings import share_embeddings
from sk_mtl.nn import FeatureEncoder, make_numeric_embedding
from sk_mtl.preprocessing import FeatureSchema


@dataclass(frozen=True)
class FeatureLayout:
    """What a network makes of each feature.

    Attributes
    ----------
    schema : FeatureSchema
        The features, columns that share an embedding united.

    dims : list of int
        The embedding width of each embedded feature.

    sparse : list of bool
        Which of them have sparse gradients.

    poolings : list of str
        How each sequence is pooled.

    targets : list of int or None
        The position of the column that each sequence is compared with.

    numeric_kinds : tuple of str
        The embeddings of numbers.

    n_bins : int
        The number of their bins.

    numeric_dim : int
        Their width.

    groups : dict of str to list of int, or None
        The fields of each group; None where no groups were asked for.
    """

    schema: FeatureSchema
    dims: list[int]
    sparse: list[bool]
    poolings: list[str]
    targets: list[int | None]
    numeric_kinds: tuple[str, ...]
    n_bins: int
    numeric_dim: int
    groups: dict[str, list[int]] | None

    @classmethod
    def resolve(
        cls,
        wanted: FeatureParameters,
        schema: FeatureSchema,
        n_rows: int,
        *,
        dense: bool = False,
    ) -> FeatureLayout:
        """Return the layout that the parameters ask for, or raise.

        `n_rows` is the number of training rows. With `dense`, every gradient must be
        dense.
        """
        schema = share_embeddings(wanted.shared_embedding, schema)
        dims = resolve_embedding_dims(wanted.embedding_dim, schema)
        poolings, targets = resolve_sequences(wanted, schema)
        kinds = _resolve_kinds(wanted.numeric_embedding)
        layout = cls(
            schema=schema,
            dims=dims,
            sparse=resolve_sparse(wanted.sparse_embedding, dims, schema, dense),
            poolings=poolings,
            targets=targets,
            numeric_kinds=kinds,
            n_bins=resolve_n_bins(wanted.n_bins, n_rows),
            numeric_dim=resolve_numeric_dim(wanted),
            groups=resolve_groups(
                wanted.feature_groups, _field_names(schema, kinds), schema
            ),
        )
        layout._check_widths(wanted)
        return layout

    @property
    def field_names(self) -> list[str]:
        """The name of the column of each field."""
        return _field_names(self.schema, self.numeric_kinds)

    def describe(self, wanted: FeatureParameters) -> FeatureSchema:
        """Return the schema with widths, and with a note of all that is done."""
        schema = self.schema.with_embedding_dims(self.dims)
        return schema.with_notes(feature_notes(self), summarise_layout(self, wanted))

    def make_encoder(
        self, wanted: FeatureParameters, numeric: Tensor, n_heads: int
    ) -> FeatureEncoder:
        """Return an untrained encoder; the training rows' numbers decide the bins."""
        schema = self.schema
        embedding = None
        if self.numeric_kinds:
            embedding = make_numeric_embedding(
                self.numeric_kinds,
                numeric,
                schema.primary_numeric,
                schema.missing_indicators,
                n_bins=self.n_bins,
                width=self.numeric_dim,
            )
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
            numeric_embedding=embedding,
            field_groups=groups,
            group_pooling=wanted.group_pooling,
            interaction=wanted.interaction,
            cross_rank=wanted.cross_rank,
            n_heads=n_heads,
            wide=wanted.wide,
        )

    def _check_widths(self, wanted: FeatureParameters) -> None:
        names = self.field_names
        widths = self.dims + [self.numeric_dim] * (len(names) - len(self.dims))
        if wanted.interaction in ("fm", "senet"):
            what = f"interaction={wanted.interaction!r} needs embeddings of equal width"
            check_equal_widths(range(len(names)), names, widths, what)
        check_pooled_widths(wanted.group_pooling, self.groups, names, widths)


def _field_names(schema: FeatureSchema, numeric_kinds: tuple[str, ...]) -> list[str]:
    numbers = [schema.numeric_names[position] for position in schema.primary_numeric]
    return [*schema.embedded_names, *numbers * len(numeric_kinds)]


def _resolve_kinds(kinds) -> tuple[str, ...]:
    kinds = () if kinds is None else (kinds,) if isinstance(kinds, str) else kinds
    kinds = tuple(kinds)
    wrong = [kind for kind in kinds if kind not in NUMERIC_EMBEDDINGS]
    if wrong or len(set(kinds)) < len(kinds):
        raise ValueError(
            f"numeric_embedding must hold each of {list(NUMERIC_EMBEDDINGS)} at most "
            f"once; found {wrong[0] if wrong else list(kinds)!r}. Give one name or a "
            "tuple of them."
        )
    return kinds

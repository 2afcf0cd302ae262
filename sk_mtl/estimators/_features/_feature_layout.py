"""From the parameters of features to the encoder of a network.

A *field* is one embedding vector of a row: that of a categorical column, of a pooled
sequence, or of an embedded number, in this order.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral

from torch import Tensor

from sk_mtl.estimators._features._feature_parameters import (
    NUMERIC_EMBEDDINGS,
    SEQUENCE_POOLINGS,
    FeatureParameters,
)
from sk_mtl.estimators._features._named_features import (
    by_feature,
    features_of,
    refuse_name,
)
from sk_mtl.nn import FeatureEncoder, auto_embedding_dim, make_numeric_embedding
from sk_mtl.preprocessing import FeatureSchema

# Tables of more numbers (rows times width) train by sparse gradients where
# `sparse_embedding="auto"`: about where they begin to pay in benchmarks/huge_table.py.
SPARSE_SIZE = 4_000_000


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
        schema = _share(wanted.shared_embedding, schema)
        dims = resolve_embedding_dims(wanted.embedding_dim, schema)
        poolings, targets = _resolve_sequences(wanted, schema)
        kinds = _resolve_kinds(wanted.numeric_embedding)
        layout = cls(
            schema=schema,
            dims=dims,
            sparse=_resolve_sparse(wanted.sparse_embedding, dims, schema, dense),
            poolings=poolings,
            targets=targets,
            numeric_kinds=kinds,
            n_bins=resolve_n_bins(wanted.n_bins, n_rows),
            numeric_dim=_resolve_numeric_dim(wanted),
            groups=_resolve_groups(wanted, kinds, schema),
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
        return schema.with_notes(self._notes(wanted), self._summary(wanted))

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
        n_numbers = len(names) - len(self.dims)
        widths = self.dims + [self.numeric_dim] * n_numbers
        every = range(len(names))
        if wanted.interaction in ("fm", "senet"):
            what = f"interaction={wanted.interaction!r} needs embeddings of equal width"
            _check_equal(every, names, widths, what)
        if wanted.group_pooling == "concat":
            return
        groups = [
            (repr(group), fields) for group, fields in (self.groups or {}).items()
        ]
        named = {field for _, fields in groups for field in fields}
        rest = [field for field in every if field not in named]
        for group, fields in [*groups, ("of the columns not named", rest)]:
            what = (
                f"group_pooling={wanted.group_pooling!r} needs embeddings of equal "
                f"width in field {group}"
            )
            _check_equal(fields, names, widths, what)

    def _notes(self, wanted: FeatureParameters) -> dict[str, str]:
        schema, notes = self.schema, {}
        tables = Counter(schema.vocabularies)
        for i, name in enumerate(schema.embedded_names):
            table = schema.vocabularies[i]
            others = [
                other
                for other, same in zip(schema.embedded_names, schema.vocabularies)
                if same == table and other != name
            ]
            parts = [f"shares with {', '.join(others)}"] if tables[table] > 1 else []
            if self.sparse[i]:
                parts.append("sparse gradients")
            if i >= schema.n_categorical:
                j = i - schema.n_categorical
                parts.insert(0, self._pooling_note(j))
            notes[name] = parts
        for position in schema.primary_numeric if self.numeric_kinds else ():
            name = schema.numeric_names[position]
            notes[name] = [" + ".join(self.numeric_kinds)]
        for group, fields in (self.groups or {}).items():
            for name in dict.fromkeys(self.field_names[field] for field in fields):
                notes.setdefault(name, []).insert(0, f"field {group}")
        return {name: ", ".join(parts) for name, parts in notes.items() if parts}

    def _pooling_note(self, sequence: int) -> str:
        pooling, target = self.poolings[sequence], self.targets[sequence]
        if target is None:
            return pooling
        return f"{pooling} to {self.schema.categorical_names[target]}"

    def _summary(self, wanted: FeatureParameters) -> list[str]:
        lines = []
        if wanted.group_pooling != "concat" or self.groups:
            fields = ", ".join(
                f"{group} ({len(fields)})"
                for group, fields in (self.groups or {"all columns": self.dims}).items()
            )
            lines.append(f"fields: {fields}; inside a field: {wanted.group_pooling}")
        if self.numeric_kinds and self.schema.primary_numeric:
            lines.append(
                f"numbers embedded by {' and '.join(self.numeric_kinds)}, width "
                f"{self.numeric_dim}, {self.n_bins} bins"
            )
        if wanted.interaction == "cross":
            lines.append(f"interaction: cross, rank {wanted.cross_rank}")
        elif wanted.interaction is not None:
            lines.append(f"interaction: {wanted.interaction}")
        if wanted.wide:
            lines.append("wide: a linear term per category")
        return lines


def _field_names(schema: FeatureSchema, numeric_kinds: tuple[str, ...]) -> list[str]:
    numbers = [schema.numeric_names[position] for position in schema.primary_numeric]
    return [*schema.embedded_names, *numbers * len(numeric_kinds)]


def _share(groups, schema: FeatureSchema) -> FeatureSchema:
    """Return the schema with the columns of each group united."""
    if not groups:
        return schema
    if any(isinstance(group, str | Integral) for group in groups):
        raise ValueError(
            "shared_embedding must be a list of lists of columns; found "
            f"{list(groups)}. Write for instance [{list(groups)}]."
        )
    named = []
    for group in groups:
        found = features_of(group, schema, "shared_embedding")
        members = [name for names in found.values() for name in names]
        # Where a column was dropped as constant there may be nothing left to share.
        if len(members) > 1 or all(found.values()):
            named.append(members)
    return schema.with_shared_embeddings(named)


def resolve_n_bins(n_bins, n_rows: int) -> int:
    """Return the number of bins of each number.

    "auto" is the power of two nearest to one bin per 150 rows, from 4 to 64.
    """
    if n_bins != "auto":
        return int(n_bins)
    return max(4, min(64, 2 ** round(math.log2(max(n_rows, 1) / 150))))


def _resolve_numeric_dim(wanted: FeatureParameters) -> int:
    if wanted.numeric_embedding_dim != "auto":
        return int(wanted.numeric_embedding_dim)
    one_for_all = isinstance(wanted.embedding_dim, Integral)
    return int(wanted.embedding_dim) if one_for_all else FeatureParameters.embedding_dim


def resolve_embedding_dims(embedding_dim, schema: FeatureSchema) -> list[int]:
    """Return the embedding width of each embedded feature."""
    names = schema.embedded_names
    if not isinstance(embedding_dim, Mapping):
        embedding_dim = dict.fromkeys(names, embedding_dim)
    embedding_dim = by_feature(embedding_dim, schema, "embedding_dim", names)
    given = {}
    for name, table in zip(names, schema.vocabularies, strict=True):
        if name in embedding_dim:
            width = embedding_dim[name]
            _check_width(name, width)
            other, before = given.setdefault(table, (name, width))
            if before != width:
                raise ValueError(
                    "embedding_dim must be the same for columns that share an "
                    f"embedding; found {before!r} for {other!r} and {width!r} for "
                    f"{name!r}. Give both the same width."
                )
    wanted = [given.get(table, (None, "auto"))[1] for table in schema.vocabularies]
    return [
        auto_embedding_dim(cardinality) if width == "auto" else int(width)
        for width, cardinality in zip(wanted, schema.cardinalities, strict=True)
    ]


def _check_width(name: str, width) -> None:
    if width != "auto" and not (isinstance(width, Integral) and width >= 1):
        raise ValueError(
            f"embedding_dim of column {name!r} must be an integer >= 1 or 'auto'; "
            f"found {width!r}. Give for instance 8."
        )


def _resolve_sparse(
    sparse, dims: list[int], schema: FeatureSchema, dense: bool
) -> list[bool]:
    if dense:
        if sparse is True:
            raise ValueError(
                "sparse_embedding must be False or 'auto' where every member has "
                "tables of its own; found True with member_sharing='none'. Let the "
                "members share the tables (member_sharing='embedding')."
            )
        return [False] * len(dims)
    if sparse != "auto":
        return [bool(sparse)] * len(dims)
    return [
        rows * width > SPARSE_SIZE
        for rows, width in zip(schema.cardinalities, dims, strict=True)
    ]


def _resolve_sequences(
    wanted: FeatureParameters, schema: FeatureSchema
) -> tuple[list[str], list[int | None]]:
    """Return how each sequence is pooled, and the column that it is compared with."""
    names, targets = schema.sequence_names, wanted.sequence_target or {}
    poolings = _resolve_poolings(wanted.sequence_pooling, schema)
    if "target_attention" in poolings:
        targets = by_feature(targets, schema, "sequence_target", names)
    resolved = []
    for name, pooling in zip(names, poolings, strict=True):
        target = None
        if pooling == "target_attention":
            target = _resolve_target(name, targets, schema)
            # A target that is always the same is a query that is always the same.
            pooling = "attention" if target is None else pooling
        resolved.append((pooling, target))
    return [pooling for pooling, _ in resolved], [target for _, target in resolved]


def _resolve_poolings(pooling, schema: FeatureSchema) -> list[str]:
    names = schema.sequence_names
    if not isinstance(pooling, Mapping):
        return [pooling] * len(names)
    pooling = by_feature(pooling, schema, "sequence_pooling", names)
    for name, kind in pooling.items():
        if kind not in SEQUENCE_POOLINGS:
            raise ValueError(
                f"sequence_pooling of column {name!r} must be one of "
                f"{list(SEQUENCE_POOLINGS)}; found {kind!r}. Use one of these."
            )
    return [pooling.get(name, "mean") for name in names]


def _resolve_target(sequence: str, targets, schema: FeatureSchema) -> int | None:
    """Return the position of a sequence's target, None where it is constant."""
    if sequence not in targets:
        raise ValueError(
            f"sequence_pooling='target_attention' of {sequence!r} needs the column "
            f"that it is compared with; found sequence_target={targets or None}. "
            f"Give for instance sequence_target={{{sequence!r}: 'item_id'}}."
        )
    columns = schema.categorical_names
    target = targets[sequence]
    if target not in columns:
        found = features_of([target], schema, "sequence_target")[target]
        chosen = [name for name in found if name in columns]
        if not found:
            return None
        if len(chosen) != 1:
            refuse_name("sequence_target", target, columns)
        target = chosen[0]
    tables = dict(zip(schema.embedded_names, schema.vocabularies, strict=True))
    if tables[sequence] != tables[target]:
        raise ValueError(
            f"sequence_target must name a column that shares the vocabulary of "
            f"{sequence!r}; found {target!r}, which has its own. Add "
            f"shared_embedding=[[{target!r}, {sequence!r}]]."
        )
    return columns.index(target)


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


def _resolve_groups(
    wanted: FeatureParameters, kinds: tuple[str, ...], schema: FeatureSchema
) -> dict[str, list[int]] | None:
    """Return the positions of the fields of each named group."""
    if wanted.feature_groups is None:
        return None
    fields, owner, groups = _field_names(schema, kinds), {}, {}
    for group, columns in wanted.feature_groups.items():
        features = features_of(columns, schema, "feature_groups")
        members = {name for names in features.values() for name in names}
        for name in sorted(members):
            if owner.setdefault(name, group) != group:
                raise ValueError(
                    "feature_groups must name each column in one field only; found "
                    f"{name!r} in {owner[name]!r} and {group!r}. Remove it from one."
                )
        groups[group] = [i for i, name in enumerate(fields) if name in members]
    return groups


def _check_equal(fields, names: list[str], widths: list[int], what: str) -> None:
    found = {f"{names[i]} ({widths[i]})": widths[i] for i in fields}
    if len(set(found.values())) > 1:
        raise ValueError(
            f"{what}; found {', '.join(found)}. Set embedding_dim, and where numbers "
            "are embedded numeric_embedding_dim, to one number."
        )

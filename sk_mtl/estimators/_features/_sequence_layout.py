"""Poolings of sequences, and the columns that they are compared with."""

from __future__ import annotations

from collections.abc import Mapping

from sk_mtl.estimators._features._feature_parameters import (
    SEQUENCE_POOLINGS,
    FeatureParameters,
)
from sk_mtl.estimators._features._named_features import (
    by_feature,
    features_of,
    refuse_name,
)
from sk_mtl.preprocessing import FeatureSchema


def resolve_sequences(
    wanted: FeatureParameters, schema: FeatureSchema
) -> tuple[list[str], list[int | None]]:
    """Return the pooling of each sequence, and the column it is compared with."""
    names, targets = schema.sequence_names, wanted.sequence_target or {}
    poolings = _resolve_poolings(wanted.sequence_pooling, schema)
    if "target_attention" in poolings:
        targets = by_feature(targets, schema, "sequence_target", names)
    resolved = []
    for name, pooling in zip(names, poolings, strict=True):
        target = None
        if pooling == "target_attention":
            target = _resolve_target(name, targets, schema)
            # A constant target is a constant query.
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
    """Return the position of a sequence's target, None if it is constant."""
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

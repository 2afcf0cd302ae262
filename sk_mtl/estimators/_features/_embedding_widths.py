"""Widths of embeddings, and tables large enough for sparse gradients."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral

from sk_mtl.estimators._features._named_features import by_feature
from sk_mtl.nn import auto_embedding_dim
from sk_mtl.preprocessing import FeatureSchema

# The width of embedded numbers where columns have widths of their own.
NUMERIC_WIDTH = 8


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
    others = (None, "cardinality")
    wanted = [given.get(table, others)[1] for table in schema.vocabularies]
    return [
        auto_embedding_dim(cardinality) if width == "cardinality" else int(width)
        for width, cardinality in zip(wanted, schema.cardinalities, strict=True)
    ]


def _check_width(name: str, width) -> None:
    if width != "cardinality" and not (isinstance(width, Integral) and width >= 1):
        raise ValueError(
            f"embedding_dim of column {name!r} must be an integer >= 1, 'auto' or "
            f"'cardinality'; found {width!r}. Give for instance 8."
        )


def resolve_sparse(
    sparse, dims: list[int], schema: FeatureSchema, dense: bool
) -> list[bool]:
    """Return which embedded features get sparse gradients; none if `dense`.

    `sparse` is a bool for all, or the names of some.
    """
    if dense:
        if sparse is True:
            raise ValueError(
                "sparse_embedding must be False or 'auto' where every member has "
                "tables of its own; found True with member_sharing='none'. Let the "
                "members share the tables (member_sharing='embedding')."
            )
        return [False] * len(dims)
    if isinstance(sparse, tuple):
        return [name in sparse for name in schema.embedded_names]
    return [bool(sparse)] * len(dims)


def numeric_width(embedding_dim) -> int:
    """Return the width of embedded numbers where none is given."""
    one_for_all = isinstance(embedding_dim, Integral)
    return int(embedding_dim) if one_for_all else NUMERIC_WIDTH

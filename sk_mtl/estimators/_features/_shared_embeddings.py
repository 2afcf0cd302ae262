"""Columns that share an embedding."""

from __future__ import annotations

from numbers import Integral

from sk_mtl.estimators._features._named_features import features_of
from sk_mtl.preprocessing import FeatureSchema


def shared_groups(groups, schema: FeatureSchema) -> list[list[str]]:
    """Return the groups of features that `shared_embedding` asks for."""
    if not groups:
        return []
    if any(isinstance(group, str | Integral) for group in groups):
        raise ValueError(
            "shared_embedding must be a list of lists of columns; found "
            f"{list(groups)}. Write for instance [{list(groups)}]."
        )
    named = []
    for group in groups:
        found = features_of(group, schema, "shared_embedding")
        members = [name for names in found.values() for name in names]
        # If a column was dropped as constant, a single column may be left.
        if len(members) > 1 or all(found.values()):
            named.append(members)
    return named

"""Groups of fields.

A *field* is one embedding vector of a row: that of a categorical column, of a pooled
sequence, or of an embedded number, in this order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sk_mtl.estimators._features._named_features import features_of
from sk_mtl.preprocessing import FeatureSchema


def resolve_groups(
    feature_groups: Mapping | None, fields: Sequence[str], schema: FeatureSchema
) -> dict[str, list[int]] | None:
    """Return the positions of the fields of each named group, None without groups.

    `fields` are the names of the fields' columns.
    """
    if feature_groups is None:
        return None
    owner, groups = {}, {}
    for group, columns in feature_groups.items():
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


def check_pooled_widths(
    group_pooling: str,
    groups: Mapping[str, Sequence[int]] | None,
    names: Sequence[str],
    widths: Sequence[int],
) -> None:
    """Raise if fields that are pooled differ in width."""
    if group_pooling == "concat":
        return
    shown = [(repr(group), fields) for group, fields in (groups or {}).items()]
    named = {field for _, fields in shown for field in fields}
    rest = [field for field in range(len(names)) if field not in named]
    for group, fields in [*shown, ("of the columns not named", rest)]:
        what = (
            f"group_pooling={group_pooling!r} needs embeddings of equal width in field "
            f"{group}"
        )
        check_equal_widths(fields, names, widths, what)


def check_equal_widths(
    fields: Iterable[int], names: Sequence[str], widths: Sequence[int], what: str
) -> None:
    """Raise if the fields' widths differ; `what` begins the message."""
    found = {f"{names[i]} ({widths[i]})": widths[i] for i in fields}
    if len(set(found.values())) > 1:
        raise ValueError(
            f"{what}; found {', '.join(found)}. Set embedding_dim to one number, and "
            "the width of numeric embeddings to 'auto' or to that number."
        )

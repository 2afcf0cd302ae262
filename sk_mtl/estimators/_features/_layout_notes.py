"""The notes of a schema on the network's use of each feature."""

from __future__ import annotations

from collections import Counter

from sk_mtl.estimators._features._feature_parameters import FeatureParameters


def feature_notes(layout) -> dict[str, str]:
    """Return the notes of a `FeatureLayout` on single features, by their names."""
    schema = layout.schema
    notes = {
        name: _embedding_notes(layout, position)
        for position, name in enumerate(schema.embedded_names)
    }
    for position in schema.primary_numeric if layout.numbers else ():
        labels = [embedding.label for embedding in layout.numbers]
        notes[schema.numeric_names[position]] = [" + ".join(labels)]
    for group, fields in (layout.groups or {}).items():
        for name in dict.fromkeys(layout.field_names[field] for field in fields):
            notes.setdefault(name, []).insert(0, f"field {group}")
    return {name: ", ".join(parts) for name, parts in notes.items() if parts}


def _embedding_notes(layout, position: int) -> list[str]:
    """Return the notes on one embedded feature."""
    schema = layout.schema
    name, table = schema.embedded_names[position], schema.vocabularies[position]
    others = [
        other
        for other, same in zip(schema.embedded_names, schema.vocabularies)
        if same == table and other != name
    ]
    shares = Counter(schema.vocabularies)[table] > 1
    parts = [f"shares with {', '.join(others)}"] if shares else []
    if layout.sparse[position]:
        parts.append("sparse gradients")
    if position >= schema.n_categorical:
        parts.insert(0, _pooling_note(layout, position - schema.n_categorical))
    return parts


def _pooling_note(layout, sequence: int) -> str:
    pooling, target = layout.poolings[sequence], layout.targets[sequence]
    if target is None:
        return pooling
    return f"{pooling} to {layout.schema.categorical_names[target]}"


def summarise_layout(layout, wanted: FeatureParameters) -> list[str]:
    """Return the lines below the table of features."""
    lines = []
    if wanted.group_pooling != "concat" or layout.groups:
        groups = layout.groups or {"all columns": layout.dims}
        fields = ", ".join(
            f"{group} ({len(fields)})" for group, fields in groups.items()
        )
        lines.append(f"fields: {fields}; inside a field: {wanted.group_pooling}")
    lines += [f"numbers embedded by {each.describe()}" for each in layout.numbers]
    if layout.interaction is not None:
        lines.append(f"interaction: {layout.interaction.describe()}")
    if wanted.wide:
        lines.append("wide: a linear term per category")
    return lines

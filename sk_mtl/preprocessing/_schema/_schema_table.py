"""The table of a schema's features, as a data frame and as text."""

from html import escape

import pandas as pd

CONSTANT = "constant in the training rows"
ALL_RARE = "all categories are rare"
_TYPES = {
    "cardinality": "Int64",
    "width": "Int64",
    "kept": "Int64",
    "rare_share": "Float64",
    "missing_share": "Float64",
}
_SHOWN = ["feature", "kind", "cardinality", "width", "note"]


def schema_frame(schema, blocks, reports, dropped, notes):
    """Return the features as a table, in the order of the preprocessor's output.

    Parameters
    ----------
    schema : FeatureSchema
    blocks : list of block
    reports : dict of str to ColumnReport
    dropped : dict of str to int
        Positions of the columns that were left out.
    notes : dict of str to str
    """
    cardinalities = dict(zip(schema.embedded_names, schema.cardinalities, strict=True))
    widths = dict.fromkeys(schema.numeric_names, 1)
    if schema.embedding_dims is not None:
        widths |= zip(schema.embedded_names, schema.embedding_dims, strict=True)
    rows = [(position, name, "dropped") for name, position in dropped.items()]
    for block in blocks:
        places = zip(block.positions, block.names)
        rows += [(position, name, block.kind) for position, name in places]
    table = []
    for _, name, kind in sorted(rows, key=lambda row: row[0]):
        report = reports.get(name, (None, None, None))
        known = cardinalities.get(name), widths.get(name), *report
        table.append((name, kind, *known, notes.get(name, "")))
    frame = pd.DataFrame(table, columns=["feature", "kind", *_TYPES, "note"])
    return frame.astype(_TYPES)


def schema_text(schema):
    """Return the table as text: counts first, then features, then the summary."""
    table = _shown(schema).to_string(index=False, max_rows=20)
    return "\n".join([_counts(schema), table, *schema.summary])


def schema_html(schema):
    """Return the same as HTML, for notebooks."""
    shown = _shown(schema).astype(object)
    table = shown.where(shown.notna(), "").to_html(index=False, max_rows=20)
    lines = "".join(f"<p>{escape(line)}</p>" for line in schema.summary)
    return f"<p>{escape(_counts(schema))}</p>{table}{lines}"


def _counts(schema):
    counts = [
        (schema.n_categorical, "categorical"),
        (schema.n_sequences, "sequence" if schema.n_sequences == 1 else "sequences"),
        (schema.n_numeric, "numeric"),
        (len(schema.dropped), "dropped"),
    ]
    always = ("categorical", "numeric")
    shown = [f"{n} {what}" for n, what in counts if n or what in always]
    return f"FeatureSchema: {', '.join(shown)}"


def _shown(schema):
    frame = schema.frame()[_SHOWN]
    return frame if frame["note"].any() else frame.drop(columns="note")

"""Columns that a parameter names: by name or position, of the table or encoded."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from numbers import Integral

from sk_mtl.preprocessing import FeatureSchema


def features_of(
    columns: Iterable, schema: FeatureSchema, parameter: str
) -> dict[object, list[str]]:
    """Return the names of the features that each listed column was turned into.

    A column that was dropped as constant has none.

    Parameters
    ----------
    columns : iterable of str or int
        Names of columns of X or of features, or positions of columns of X.

    schema : FeatureSchema

    parameter : str
        The parameter that lists them, for messages.
    """
    features = {*schema.embedded_names, *schema.numeric_names, *schema.dropped}
    found = {}
    for column in columns:
        name = _name_at(column, schema, parameter)
        if name in schema.input_names:
            found[column] = schema.names_of(name)
        elif name in features:
            found[column] = [] if name in schema.dropped else [name]
        else:
            refuse_name(parameter, name, [*schema.input_names, *sorted(features)])
    return found


def check_names(names: Iterable, known: Sequence[str], parameter: str, what: str):
    """Raise where a parameter is keyed by something else than the known names."""
    for name in names:
        if name not in known:
            refuse_name(parameter, name, known, what=what)


def refuse_name(parameter: str, name, known: Sequence[str], what: str = "columns"):
    """Raise the error for a name that is none, with those that look like it."""
    known = list(dict.fromkeys(map(str, known)))
    shown = f"one of {known}" if len(known) <= 20 else f"one of {len(known)} {what}"
    close = difflib.get_close_matches(str(name), known)
    meant = f"Did you mean {' or '.join(map(repr, close))}?" if close else "Correct it."
    raise ValueError(
        f"{parameter} must name {what}, {shown}; found {name!r}. {meant}"
        if known
        else f"{parameter} must name {what}, of which there are none; found {name!r}. "
        "Remove it."
    )


def _name_at(column, schema: FeatureSchema, parameter: str) -> str:
    if not isinstance(column, Integral) or isinstance(column, bool):
        return column
    if not 0 <= column < len(schema.input_names):
        raise ValueError(
            f"{parameter} must hold names of columns or positions from 0 to "
            f"{len(schema.input_names) - 1}; found {column}. X has "
            f"{len(schema.input_names)} columns."
        )
    return schema.input_names[column]

"""Columns that a parameter names: by name or position, of the table or encoded."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
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
    if isinstance(columns, str) or not isinstance(columns, Iterable):
        raise ValueError(
            f"{parameter} must list columns; found {columns!r}. Write [{columns!r}]."
        )
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


def by_feature(
    given: Mapping, schema: FeatureSchema, parameter: str, among: Sequence[str]
) -> dict[str, object]:
    """Return a parameter keyed by columns as one that is keyed by features.

    A column stands for all its features of the kind in question. A column that was
    dropped as constant has none, and its entry is ignored.

    Parameters
    ----------
    given : mapping
        Keyed by names of features or of columns of X, or positions of the latter.

    schema : FeatureSchema

    parameter : str

    among : sequence of str
        The features to which the parameter applies.
    """
    result = {}
    for column, value in given.items():
        if column in among:
            result[column] = value
            continue
        if not isinstance(column, Integral) and not _is_known(column, schema):
            refuse_name(parameter, column, among)
        names = features_of([column], schema, parameter)[column]
        chosen = [name for name in names if name in among]
        if names and not chosen:
            refuse_name(parameter, column, among)
        result |= dict.fromkeys(chosen, value)
    return result


def refuse_name(parameter: str, name, known: Sequence[str]):
    """Raise the error for an unknown name, with similar names."""
    names = list(dict.fromkeys(map(str, known)))
    if not names:
        raise ValueError(
            f"{parameter} must name columns that it is about, and here there are none; "
            f"found {name!r}. Remove it."
        )
    shown = f"one of {names}" if len(names) <= 20 else f"one of {len(names)}"
    lower = {known.lower(): known for known in names}
    close = difflib.get_close_matches(str(name).lower(), lower)
    meant = " or ".join(repr(lower[match]) for match in close)
    raise ValueError(
        f"{parameter} must name columns, {shown}; found {name!r}. "
        + (f"Did you mean {meant}?" if close else "Correct it.")
    )


def _is_known(name, schema: FeatureSchema) -> bool:
    return any(
        name in names
        for names in (
            schema.input_names,
            schema.embedded_names,
            schema.numeric_names,
            list(schema.dropped),
        )
    )


def _name_at(column, schema: FeatureSchema, parameter: str) -> str:
    n_columns = len(schema.input_names)
    if isinstance(column, str):
        return column
    if not isinstance(column, Integral) or isinstance(column, bool):
        raise ValueError(
            f"{parameter} must hold names or positions of columns; found {column!r}. "
            "Give for instance the name of a column of X."
        )
    if not 0 <= column < n_columns:
        raise ValueError(
            f"{parameter} must hold names of columns or positions from 0 to "
            f"{n_columns - 1}; found {column}. X has {n_columns} columns."
        )
    return schema.input_names[column]

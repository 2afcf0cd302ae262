"""Codes in the output of a transformer with steps that the schema cannot trace."""

import numpy as np
import pandas as pd
from sklearn.preprocessing import OrdinalEncoder

from sk_mtl._warnings import warn_user
from sk_mtl.exceptions import ColumnWarning
from sk_mtl.preprocessing._encoders._category_encoder import CategoryEncoder
from sk_mtl.preprocessing._encoders._hashing_encoder import HashingEncoder
from sk_mtl.preprocessing._encoders._sequence_encoder import SequenceEncoder
from sk_mtl.preprocessing._tables._column_kinds import step_kinds

# How far into attributes of attributes encoders are searched for.
_DEPTH = 8


def fitted_encoders(transformer):
    """Return fitted encoders of categories among the attributes of a transformer.

    Parameters
    ----------
    transformer : object

    Returns
    -------
    encoders : list of transformer
    """
    encoders = (CategoryEncoder, HashingEncoder, OrdinalEncoder, SequenceEncoder)
    found, seen = [], set()

    def search(value, depth):
        if depth > _DEPTH or id(value) in seen:
            return
        seen.add(id(value))
        if isinstance(value, encoders):
            if hasattr(value, "n_features_in_"):
                found.append(value)
        elif isinstance(value, dict):
            for item in value.values():
                search(item, depth + 1)
        elif isinstance(value, list | tuple):
            for item in value:
                search(item, depth + 1)
        elif hasattr(value, "get_params") and hasattr(value, "__dict__"):
            search(vars(value), depth + 1)

    search(transformer, 0)
    return found


def encoder_names(encoder):
    """Return the names of the columns that an encoder was fitted on."""
    names = getattr(encoder, "feature_names_in_", None)
    return [f"x{j}" for j in range(encoder.n_features_in_)] if names is None else names


def read_columns(encoder, table):
    """Return the columns of a table that an encoder was fitted on, or None.

    Parameters
    ----------
    encoder : fitted encoder
    table : data frame or array of shape (n_samples, n_features)
    """
    names = getattr(encoder, "feature_names_in_", None)
    if names is not None and isinstance(table, pd.DataFrame):
        has_all = set(table.columns).issuperset(names)
        return table[names.tolist()] if has_all else None
    is_whole = names is None and table.shape[1] == encoder.n_features_in_
    return table if is_whole else None


def warn_of_whole_numbers(transformer, columns, names, incoming):
    """Warn of whole numbers that a transformer made of columns of categories.

    They may be codes, which count as quantities because their meaning is unknown.

    Parameters
    ----------
    transformer : fitted transformer
    columns : array or data frame of shape (n_samples, n_outputs)
        What it made of the training rows.
    names : list of str
        Their names.
    incoming : Incoming
        What it was fitted on.
    """
    labels = _label_columns(incoming.head)
    if labels and labels.isdisjoint(names) and len(names) == incoming.head.shape[1]:
        # Without names from the transformer, columns are identified by position.
        names = list(incoming.head.columns)
    suspects = [
        name
        for j, name in enumerate(names)
        if name in labels and _may_be_codes(columns, j, incoming.table, name)
    ]
    if suspects:
        kind = type(transformer).__name__
        warn_user(
            "Codes of categories must come from an encoder that can be read; found "
            f"that {kind} makes whole numbers of {', '.join(map(repr, suspects))}, "
            "which count as quantities. If they are codes, give these columns to a "
            "CategoryEncoder in a ColumnTransformer instead.",
            ColumnWarning,
        )


def _label_columns(head):
    """Return names of the columns of a table without rows that may hold labels."""
    if head is None:
        return set()
    kinds = zip(head.columns, step_kinds(head), strict=True)
    return {name for name, kind in kinds if kind == "category"}


def _may_be_codes(columns, j, table, name):
    values = columns[:, j] if isinstance(columns, np.ndarray) else columns.iloc[:, j]
    values = np.asarray(values)
    if values.dtype.kind not in "iuf" or not isinstance(table, pd.DataFrame):
        return False
    present = values[~np.isnan(values)]
    if not np.all(present == np.floor(present)) or len(np.unique(present)) <= 2:
        return False
    # Without rows, dates that are objects looked like labels.
    if step_kinds(table[[name]]) != ["category"]:
        return False
    labels = table[name].astype(object)
    # Numbers held as text, which the transformer has read, are no codes.
    numbers = pd.to_numeric(labels, errors="coerce").to_numpy(dtype=np.float64)
    return not np.array_equal(numbers, values.astype(np.float64), equal_nan=True)

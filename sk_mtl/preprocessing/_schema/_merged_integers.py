"""Integers that a preprocessor made equal by rounding them to floats."""

import numpy as np
import pandas as pd

from sk_mtl._frames import column_names, column_of
from sk_mtl._warnings import warn_user
from sk_mtl.exceptions import ColumnWarning
from sk_mtl.preprocessing._tables._large_integers import (
    exact_numbers,
    subtract_offset,
)

# Rows that are looked at, spread over the table.
_SAMPLE = 10_000

# A float32, the type that networks compute with, holds every integer below this one.
_EXACT = 2**24


def warn_of_merged_integers(schema, X, arrays):
    """Warn of columns of integers of which floats make fewer than half as many values.

    Parameters
    ----------
    schema : FeatureSchema
    X : data frame or array of shape (n_samples, n_features)
        Training rows.
    arrays : FeatureArrays
        What the schema made of them.
    """
    names = column_names(X)
    floats = isinstance(X, np.ndarray) and X.dtype.kind not in "iuO"
    if floats or len(names) != len(schema.input_names):
        return
    for j, name in enumerate(names):
        column = column_of(X, j)
        features = schema.numbers_of(schema.input_names[j])
        if features is None or column.dtype.kind not in "iuO":
            continue
        rows = np.flatnonzero(column.notna().to_numpy())
        rows = rows[:: max(1, len(rows) // _SAMPLE)]
        n_before, n_floats = _count(column.iloc[rows], name)
        if 2 * n_floats > n_before:
            continue
        n_after = len(np.unique(arrays.numeric[np.ix_(rows, features)], axis=0))
        if 2 * n_after <= n_before:
            warn_user(
                f"Column {name!r} must hold integers that stay apart as floats; found "
                f"that the preprocessor makes {n_after} of {n_before} values. Give "
                "identifiers to a CategoryEncoder, write NaN in place of a number that "
                "marks a missing one, and subtract the least value of a quantity "
                "before it is scaled, as NumericScaler does.",
                ColumnWarning,
            )


def _count(column, name):
    """Return how many values a column's integers have, and the floats made of them.

    Of floats the fewer ones count: of the integers themselves, or of shares of their
    range, centred as a scaler hands them on.
    """
    values = exact_numbers(column)
    if values is None or len(values) < 2:
        return 0, 1
    low, high = values.min(), values.max()
    if max(abs(int(low)), abs(int(high))) < _EXACT or low == high:
        return 0, 1
    distances = subtract_offset(column, int(low), name)
    shares = distances / distances.max() - 0.5
    n_floats = min(
        len(pd.unique(numbers.astype(np.float32)))
        for numbers in (values.astype(np.float64), shares)
    )
    return len(pd.unique(values)), n_floats

"""Kinds of columns: numbers, categories, times, durations and sequences."""

import datetime
from decimal import Decimal

import numpy as np
import pandas as pd

from sk_mtl._frames import as_pandas, column_of, is_decimal_type, is_list_type


def column_kinds(X):
    """Return the kind of each column: "number", "bool", or "category" for all else."""
    plain = {"number", "bool"}
    return [kind if kind in plain else "category" for kind in step_kinds(X)]


def step_kinds(X):
    """Return the kind of each column, as the tabular preprocessor distinguishes them.

    Parameters
    ----------
    X : data frame or array of shape (n_samples, n_features)

    Returns
    -------
    kinds : list of str
        "number" (decimals, too), "bool", "time" (dates, periods and points in time),
        "duration", "sequence" (lists), or "category" for all else. In a column of
        objects the first value that is not missing decides. Integers and floats are
        categories there: `astype(object)` is a way to mark codes as such.
    """
    kinds = [_kind_of_dtype(dtype) for dtype in as_pandas(X).dtypes]
    return [
        _kind_of_value(_first_value(column_of(X, j))) if kind == "object" else kind
        for j, kind in enumerate(kinds)
    ]


def _kind_of_dtype(dtype):
    if is_list_type(dtype):
        return "sequence"
    if is_decimal_type(dtype):
        return "number"
    if isinstance(dtype, pd.PeriodDtype):
        return "time"
    if isinstance(dtype, np.dtype) and dtype.kind == "O":
        return "object"
    kinds = {"b": "bool", "M": "time", "m": "duration"}
    kinds |= dict.fromkeys("iuf", "number")
    return kinds.get(dtype.kind, "category")


def _kind_of_value(value):
    if isinstance(value, list | tuple) or (
        isinstance(value, np.ndarray) and value.ndim
    ):
        return "sequence"
    if isinstance(value, Decimal):
        return "number"
    if isinstance(value, datetime.date | np.datetime64 | pd.Period):
        return "time"
    if isinstance(value, datetime.timedelta | np.timedelta64):
        return "duration"
    return "category"


def _first_value(column):
    """Return the first value that is not missing, None if all are."""
    values, start, stop = column.to_numpy(), 0, 64
    while start < len(values):
        present = np.flatnonzero(~pd.isna(values[start:stop]))
        if len(present):
            return values[start + present[0]]
        # Most columns need a few rows; one that is empty for long needs few steps.
        start, stop = stop, 4 * stop
    return None

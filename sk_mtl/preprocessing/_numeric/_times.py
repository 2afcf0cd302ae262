"""Columns of dates, times and durations of any container, as arrays of NumPy.

A point in time has two readings: the instant, which gives the time between two points,
and the wall clock, from which month and hour are read. They differ if the column has a
time zone.
"""

import datetime
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from sklearn.utils.validation import validate_data

from sk_mtl._frames import (
    as_pandas,
    column_as_pandas,
    column_names,
    is_frame,
)
from sk_mtl.preprocessing._tables._validated_table import refuse_records

_ONE_SECOND = datetime.timedelta(seconds=1)


class Times(NamedTuple):
    """Points in time, NaT where one is missing.

    Attributes
    ----------
    instants : ndarray of shape (n_samples,), dtype datetime64
        In UTC, if there is a time zone.
    clock : ndarray of shape (n_samples,), dtype datetime64
        What a clock on the wall showed.
    has_zone : bool
        Whether there is a time zone.
    """

    instants: np.ndarray
    clock: np.ndarray
    has_zone: bool


def named_columns(transformer, X, reset):
    """Return names and columns of a checked table, for a transformer of times.

    Parameters
    ----------
    transformer : transformer
        Carries `n_features_in_` and `feature_names_in_`.
    X : data frame or array of shape (n_samples, n_features)
    reset : bool
        Whether X teaches the transformer its columns or is checked against them.

    Returns
    -------
    columns : list of (str, Series)
    """
    refuse_records(X)
    if is_frame(X):
        X = as_pandas(X)
        validate_data(transformer, X, skip_check_array=True, reset=reset)
        names = column_names(X)
    else:
        X = validate_data(
            transformer, X, dtype=None, ensure_all_finite=False, reset=reset
        )
        # Within a ColumnTransformer these are not the columns of the whole array.
        names = [f"{j} of the times" for j in range(X.shape[1])]
    frame = as_pandas(X)
    return [(name, frame.iloc[:, j]) for j, name in enumerate(names)]


def read_times(column, name):
    """Return the points in time of a column; anything else raises an error.

    Parameters
    ----------
    column : Series of shape (n_samples,)
    name : str
        The column's name, for errors.

    Returns
    -------
    times : Times
    """
    array = _typed(column).array
    if array.dtype.kind != "M":
        return _from_objects(np.asarray(array, dtype=object), name)
    if array.tz is None:
        return Times(array.to_numpy(), array.to_numpy(), False)
    instants, clock = array.tz_convert(None), array.tz_localize(None)
    return Times(instants.to_numpy(), clock.to_numpy(), True)


def read_durations(column, name):
    """Return durations of a column in seconds, NaN where one is missing.

    Parameters
    ----------
    column : Series of shape (n_samples,)
    name : str
        The column's name, for errors.

    Returns
    -------
    seconds : ndarray of shape (n_samples,), dtype float64
    """
    array = _typed(column).array
    if array.dtype.kind == "m":
        return array.to_numpy() / np.timedelta64(1, "s")
    values = np.asarray(array, dtype=object)
    missing = pd.isna(values)
    _check_type(values[~missing], datetime.timedelta | np.timedelta64, name)
    seconds = np.full(len(values), np.nan)
    seconds[~missing] = [value / _ONE_SECOND for value in values[~missing]]
    return seconds


def _typed(column):
    """Return a column of Arrow's types or of objects as one of pandas, if it can be."""
    if isinstance(getattr(column.dtype, "pyarrow_dtype", None), pa.DataType):
        return column_as_pandas(pa.array(column.array))
    column = column.infer_objects()
    is_period = isinstance(column.dtype, pd.PeriodDtype)
    return column.dt.to_timestamp() if is_period else column


def _from_objects(values, name):
    missing = pd.isna(values)
    present = values[~missing]
    _check_type(present, datetime.date | np.datetime64, name)
    # Python's dates and times have microseconds and end with the year 9999.
    clock = np.full(len(values), "NaT", dtype="datetime64[us]")
    zoned = [getattr(value, "tzinfo", None) is not None for value in present]
    if not any(zoned):
        are_dates = set(map(type, present)) == {datetime.date}
        # Arrow reads dates fifty times as fast as NumPy does.
        clock[~missing] = pa.array(present, pa.date32()) if are_dates else present
        return Times(clock, clock, False)
    if not all(zoned):
        raise ValueError(
            f"Column {name!r} must hold times that all have a time zone, or none; "
            "found both. Give every time its zone, or remove the zones."
        )
    instants = clock.copy()
    clock[~missing] = [value.replace(tzinfo=None) for value in present]
    utc = (value.astimezone(datetime.UTC) for value in present)
    instants[~missing] = [value.replace(tzinfo=None) for value in utc]
    return Times(instants, clock, True)


def _check_type(values, kinds, name):
    """Raise an error that names the first value that is of another kind."""
    if all(issubclass(kind, kinds) for kind in set(map(type, values))):
        return
    found = next(value for value in values if not isinstance(value, kinds))
    kind = "text" if isinstance(found, str) else type(found).__name__
    if issubclass(datetime.timedelta, kinds):
        required, remedy = "durations", "pd.to_timedelta"
    else:
        required, remedy = "dates or times", "pd.to_datetime"
    raise TypeError(
        f"Column {name!r} must hold {required}; found the {kind} {found!r:.60}. "
        f"Convert it with {remedy}, and write NaT where a value is missing."
    )

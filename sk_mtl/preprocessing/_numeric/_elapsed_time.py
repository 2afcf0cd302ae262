"""Points in time and durations to numbers."""

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from sk_mtl._versions import VersionedPickle
from sk_mtl.preprocessing._numeric._times import (
    named_columns,
    read_durations,
    read_times,
)
from sk_mtl.preprocessing._tables._column_kinds import step_kinds

# Nanoseconds of a day.
_DAY = 86_400 * 10**9


class ElapsedTime(
    VersionedPickle, OneToOneFeatureMixin, TransformerMixin, BaseEstimator
):
    """Turn points in time into days elapsed, and durations into seconds.

    A point in time becomes the number of days since the earliest one that its column
    held in training, with the time of day as a fraction::

        elapsed(t) = (t - earliest training value) / 24 hours

    It is negative before that and may grow without limit afterwards: a model that
    scores later rows than it was trained on meets larger numbers than it has seen.
    A duration becomes its length in seconds. Missing values (NaT) become NaN, for a
    :class:`NumericScaler` to impute.

    Columns may be `datetime64` of any unit, with or without a time zone, `timedelta64`,
    dates, times and durations of Arrow or polars, objects of Python's `datetime`
    module (read to the microsecond), or periods, of which the start counts.
    With a time zone the time that really passed counts, across changes to summer time.
    Dates that come as text are not parsed: give them to `pandas.to_datetime` first.

    Attributes
    ----------
    origins_ : list of datetime64 or None
        The earliest training value of each column, in UTC if the column has a time
        zone; NaT where training had no value, and None for durations.
    has_zone_ : list of bool or None
        Whether the points in time of each column have a time zone; None where training
        had no value, and for durations.
    n_features_in_ : int
        Number of columns seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns seen in `fit`, where X has names.

    See Also
    --------
    CalendarParts : Month, weekday and hour as categories.

    Examples
    --------
    Noon of the day after the earliest one is a day and a half later.

    >>> import pandas as pd
    >>> from sk_mtl.preprocessing import ElapsedTime
    >>> X = pd.DataFrame(
    ...     {
    ...         "at": pd.to_datetime(["2024-02-29 00:00", "2024-03-01 12:00", None]),
    ...         "stay": pd.to_timedelta(["1min", "1h", None]),
    ...     }
    ... )
    >>> ElapsedTime().fit_transform(X)
    array([[0.0e+00, 6.0e+01],
           [1.5e+00, 3.6e+03],
           [    nan,     nan]])
    """

    def fit(self, X, y=None):
        """Learn the earliest point in time of each column.

        Parameters
        ----------
        X : data frame or array of shape (n_samples, n_features)
            Columns of points in time or durations.
        y : None
            Ignored.

        Returns
        -------
        self : object
            The fitted object.
        """
        columns = named_columns(self, X, reset=True)
        self.origins_, self.has_zone_ = [], []
        for name, column in columns:
            origin, has_zone = _learn(column, name)
            self.origins_.append(origin)
            self.has_zone_.append(has_zone)
        return self

    def transform(self, X):
        """Turn points in time into days and durations into seconds.

        Parameters
        ----------
        X : data frame or array of shape (n_samples, n_features)
            Columns of points in time or durations.

        Returns
        -------
        elapsed : ndarray of shape (n_samples, n_features), dtype float64
            Days and seconds, NaN where a value is missing.
        """
        check_is_fitted(self, "origins_")
        columns = named_columns(self, X, reset=False)
        fitted = zip(columns, self.origins_, self.has_zone_, strict=True)
        return np.column_stack(
            [
                read_durations(column, name)
                if origin is None
                else _days_since(origin, _instants(column, name, has_zone))
                for (name, column), origin, has_zone in fitted
            ]
        )


def _learn(column, name):
    """Return a training column's earliest instant, and whether it has a time zone."""
    if step_kinds(column.to_frame()) == ["duration"]:
        read_durations(column, name)
        return None, None
    times = read_times(column, name)
    if _is_empty(times.instants):
        return np.datetime64("NaT", "us"), None
    return np.nanmin(times.instants), times.has_zone


def _instants(column, name, has_zone):
    """Return instants of a column that has a time zone if it had one in training."""
    times = read_times(column, name)
    if has_zone in (None, times.has_zone) or _is_empty(times.instants):
        return times.instants
    required, found = ("with", "without") if has_zone else ("without", "with")
    raise ValueError(
        f"Column {name!r} must hold times {required} a time zone, as in training; "
        f"found times {found} one. Convert it with column.dt.tz_localize."
    )


def _is_empty(instants):
    return np.isnat(instants).all()


def _days_since(origin, instants):
    """Return days from one instant to others, of any unit, without overflow.

    Whole days and the rest are subtracted apart: in nanoseconds the difference of two
    valid instants may not fit an integer, and as floats they would be rounded.
    """
    days, rest = _split(instants)
    first, first_rest = _split(origin)
    elapsed = (days - first) + (rest - first_rest) / _DAY
    elapsed[np.isnat(instants) | np.isnat(origin)] = np.nan
    return elapsed


def _split(instants):
    """Whole days since 1970, and the nanoseconds since midnight."""
    unit = np.timedelta64(1, np.datetime_data(instants.dtype)[0])
    nanoseconds = unit // np.timedelta64(1, "ns")
    days, rest = np.divmod(instants.astype(np.int64), _DAY // nanoseconds)
    return days, rest * nanoseconds

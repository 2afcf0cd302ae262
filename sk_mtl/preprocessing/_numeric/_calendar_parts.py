"""Points in time as parts of calendar and clock: month, weekday, hour."""

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from sk_mtl._sklearn_compat import _fit_context
from sk_mtl._versions import VersionedPickle
from sk_mtl.preprocessing._numeric._times import named_columns, read_times

# Where a part is called otherwise by pandas, which gave up its name `weekday`.
_PANDAS_NAMES = {"weekday": "day_of_week"}

PARTS = ("year", "quarter", "month", "day", "weekday", "hour", "minute")


class CalendarParts(
    VersionedPickle, OneToOneFeatureMixin, TransformerMixin, BaseEstimator
):
    """Read month, weekday and hour off points in time, to be taken as categories.

    They are read off the wall clock: of a column with a time zone, the month, the day
    and the hour at that place. A :class:`CategoryEncoder` behind this transformer turns
    them into codes; the missing value (NaT) becomes NaN and so a category of its own.

    Columns may be of the same types as for :class:`ElapsedTime`, durations excepted.

    Parameters
    ----------
    parts : sequence of str, default=("month", "weekday", "hour")
        What to read: "year", "quarter" (1 to 4), "month" (1 to 12), "day" (of the
        month), "weekday" (0 for Monday to 6 for Sunday), "hour" (0 to 23) and "minute".
        More parts distinguish more moments. Parts that do not recur, such as the year,
        give a model no information about later rows.

    Attributes
    ----------
    n_features_in_ : int
        Number of columns seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns seen in `fit`, where X has names.

    See Also
    --------
    ElapsedTime : Days since the earliest training value, as a number.

    Examples
    --------
    The second moment is a Friday, in March, between one and two in the afternoon.

    >>> import pandas as pd
    >>> from sk_mtl.preprocessing import CalendarParts
    >>> at = pd.to_datetime(["2024-02-29 09:00", "2024-03-01 13:30"])
    >>> X = pd.DataFrame({"at": at})
    >>> parts = CalendarParts().fit(X)
    >>> parts.transform(X)
    array([[ 2.,  3.,  9.],
           [ 3.,  4., 13.]], dtype=float32)
    >>> parts.get_feature_names_out()
    array(['at_month', 'at_weekday', 'at_hour'], dtype=object)
    """

    _parameter_constraints: dict = {"parts": ["array-like"]}

    def __init__(self, parts=("month", "weekday", "hour")):
        self.parts = parts

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Record the columns.

        Parameters
        ----------
        X : data frame or array of shape (n_samples, n_features)
            Columns of points in time.
        y : None
            Ignored.

        Returns
        -------
        self : object
            The fitted object.
        """
        self._check_parts()
        for name, column in named_columns(self, X, reset=True):
            read_times(column, name)
        return self

    def transform(self, X):
        """Read the parts of every column.

        Parameters
        ----------
        X : data frame or array of shape (n_samples, n_features)
            Columns of points in time.

        Returns
        -------
        parts : ndarray of shape (n_samples, n_features * n_parts), dtype float32
            The parts of the first column, then of the second and so on; NaN
            where the point in time is missing.
        """
        check_is_fitted(self, "n_features_in_")
        parts = []
        for name, column in named_columns(self, X, reset=False):
            clock = pd.DatetimeIndex(read_times(column, name).clock)
            for part in self.parts:
                values = getattr(clock, _PANDAS_NAMES.get(part, part))
                parts.append(np.asarray(values, dtype=np.float32))
        return np.column_stack(parts)

    def get_feature_names_out(self, input_features=None):
        """Get the names of the parts.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the columns of X; None takes those seen in `fit`.

        Returns
        -------
        names : ndarray of str
            `<column>_<part>`.
        """
        check_is_fitted(self, "n_features_in_")
        columns = super().get_feature_names_out(input_features)
        names = [f"{column}_{part}" for column in columns for part in self.parts]
        return np.array(names, dtype=object)

    def _check_parts(self):
        unknown = [part for part in self.parts if part not in PARTS]
        if unknown or not len(self.parts) or isinstance(self.parts, str):
            found = unknown or self.parts
            raise ValueError(
                f"`parts` must hold one or more of {list(PARTS)}; found {found!r}. "
                "Give for instance ('month', 'weekday', 'hour')."
            )

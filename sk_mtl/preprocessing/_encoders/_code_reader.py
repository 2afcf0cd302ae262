"""Integer codes of an earlier encoder, read back exactly or refused."""

from numbers import Integral, Number

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from sk_mtl._frames import as_pandas, column_names, is_decimal_type, is_frame
from sk_mtl._versions import VersionedPickle
from sk_mtl.preprocessing._encoders._vocabulary import MANY_ROWS, warn_of_kind
from sk_mtl.preprocessing._tables._numbers import narrow, to_floats

UNKNOWN = -1


class CodeReader(
    VersionedPickle, OneToOneFeatureMixin, TransformerMixin, BaseEstimator
):
    """Read columns of numbers as the integer codes of an earlier encoder.

    Codes that went through an array of floats come back as the integers they were
    (3.0 is 3). -1 and NaN mean unknown and become missing values, and so does what is
    no number, such as text. A number that is not a code raises an error with the
    column's name: other negative numbers, fractions,
    infinity, and floats too large to hold every integer (from 2**24 on in float32,
    from 2**53 on in float64), as they may have been rounded.

    Parameters
    ----------
    names : list of str, default=None
        Names of the columns in error messages. None takes the names of X, or `x0`,
        `x1` and so on for an array.

    Attributes
    ----------
    n_features_in_ : int
        Number of columns seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns seen in `fit`, where X has names.
    """

    def __init__(self, names=None):
        self.names = names

    def fit(self, X, y=None):
        """Record the columns.

        Parameters
        ----------
        X : data frame or array of shape (n_samples, n_features)
            Columns of codes.
        y : None
            Ignored.

        Returns
        -------
        self : object
            The fitted object.
        """
        validate_data(self, X, skip_check_array=True)
        return self

    def transform(self, X):
        """Read the codes.

        Parameters
        ----------
        X : data frame or array of shape (n_samples, n_features)
            Columns of codes.

        Returns
        -------
        codes : DataFrame of shape (n_samples, n_features)
            Integers; unknown ones are missing.
        """
        check_is_fitted(self, "n_features_in_")
        validate_data(self, X, skip_check_array=True, reset=False)
        frame = as_pandas(X)
        names = self.names
        if names is None:
            names = column_names(frame if is_frame(X) else X)
        dtypes = set(frame.dtypes)
        if len(dtypes) == 1 and dtypes.pop().kind in "iuf" and _is_plain(frame):
            codes = exact_integers(frame.to_numpy(), names)
        else:
            columns = [
                exact_integers(_values(frame.iloc[:, j], name)[:, None], [name])
                for j, name in enumerate(names)
            ]
            codes = np.hstack(columns)
        read = pd.DataFrame(codes, index=frame.index, columns=frame.columns)
        unknown = codes == UNKNOWN
        return read.astype("Int64").mask(unknown) if unknown.any() else read

    def get_feature_names_out(self, input_features=None):
        """Get the names of the columns.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the columns of X; None takes `names`, or those seen in `fit`.

        Returns
        -------
        names : ndarray of str
            The same names.
        """
        return super().get_feature_names_out(
            self.names if input_features is None else input_features
        )


def _is_plain(frame):
    return all(isinstance(dtype, np.dtype) for dtype in frame.dtypes)


def _values(column, name):
    """Return the numbers of a column; missing integers and no numbers become -1."""
    if column.dtype.kind in "iu":
        return column.fillna(UNKNOWN).to_numpy(dtype=np.int64)
    if column.dtype.kind == "f" and isinstance(column.dtype, np.dtype):
        return column.to_numpy()
    if column.dtype.kind in "bf" or is_decimal_type(column.dtype):
        return to_floats(column.to_frame(), [column.name])[:, 0]
    present = column.dropna().astype(object).tolist()
    if len(present) >= MANY_ROWS and not any(isinstance(v, Number) for v in present):
        warn_of_kind(present[0], "a number", name)
    codes = np.empty(len(column), dtype=object)
    codes[:] = [_code_of(value) for value in column.astype(object)]
    codes = narrow(codes)
    return codes.astype(np.float64) if codes.dtype == object else codes


def _code_of(value):
    """Return an integer where the value is one, else a float; -1 for no number."""
    if not isinstance(value, Number) or pd.isna(value):
        return UNKNOWN
    if isinstance(value, Integral):
        return int(value)
    value = float(value)
    exact = value.is_integer() and value < integer_limit(np.dtype(np.float64))
    return int(value) if exact else value


def exact_integers(values, names):
    """Integer codes held by an array of numbers, -1 for unknown ones.

    Parameters
    ----------
    values : ndarray of shape (n_samples, n_columns)
        Integers or floats.
    names : list of str
        Names of the columns in error messages.

    Returns
    -------
    codes : ndarray of shape (n_samples, n_columns), dtype int64
    """
    if values.dtype.kind == "f":
        values = np.where(np.isnan(values), UNKNOWN, values)
        refused = (values < UNKNOWN) | (values != np.floor(values))
        refused |= values >= integer_limit(values.dtype)
    else:
        refused = (values < UNKNOWN) | (values > np.iinfo(np.int64).max)
    if refused.any():
        row, column = np.argwhere(refused)[0]
        _raise_not_a_code(values[row, column], names[column], row)
    return values.astype(np.int64)


def integer_limit(dtype):
    """Return the first integer that may be a rounded one in this float dtype."""
    return 2.0 ** (np.finfo(dtype).nmant + 1)


def _raise_not_a_code(value, name, row):
    rounded = value >= 0 and value == np.floor(value) and np.isfinite(value)
    remedy = (
        f"{value.dtype} does not hold every integer of this size: keep the codes in a "
        "column of integers"
        if rounded
        else "List columns of codes only, or give the labels as text"
    )
    raise ValueError(
        f"Column {name!r} is listed as categorical and must hold integer codes from 0 "
        f"on, with -1 or NaN for unknown; found {value} in row {row}. {remedy}."
    )

"""Masked arrays of NumPy, with missing values for what is masked."""

import numpy as np
import pandas as pd

#: From this integer on, and its negative on, a float64 may hold a rounded one.
EXACT_INTEGERS = 2**53


def without_mask(X):
    """Return a masked array, or anything else, with missing values for masked ones.

    Numbers become floats with NaN, or nullable columns where a float would round them;
    text and objects get None, times NaT. Anything but a masked array is returned as it
    is.

    Parameters
    ----------
    X : object
        A masked array has one or two dimensions.

    Returns
    -------
    X : object
        An ndarray or, of integers beyond the precision of floats, a DataFrame or a
        nullable array of pandas.
    """
    if not isinstance(X, np.ma.MaskedArray):
        return X
    known = X.compressed()
    if known.dtype.kind not in "iub" or not np.ma.is_masked(X):
        return _filled(X)
    if known.dtype.kind == "b" or _fit_floats(known):
        return X.astype(np.float64).filled(np.nan)
    if X.ndim == 1:
        return nullable_column(X)
    return pd.DataFrame({k: nullable_column(X[:, k]) for k in range(X.shape[1])})


def nullable_column(column):
    """Return a one-dimensional array, masked or not, as a column with gaps.

    Parameters
    ----------
    column : ndarray or MaskedArray of shape (n_samples,)

    Returns
    -------
    column : ndarray or ExtensionArray
        Of integers and booleans, where some are masked, a nullable array of pandas.
    """
    if not np.ma.is_masked(column) or column.dtype.kind not in "iub":
        return _filled(column)
    kind = column.dtype.kind
    array_type = pd.arrays.BooleanArray if kind == "b" else pd.arrays.IntegerArray
    return array_type(column.data.copy(), np.ma.getmaskarray(column).copy())


def _filled(X):
    """Return an array with NaN, NaT or None where it is masked."""
    if not np.ma.is_masked(X):
        return np.asarray(X)
    kind = X.dtype.kind
    if kind in "fc":
        return X.filled(np.nan)
    if kind in "mM":
        return X.filled(np.array("NaT", X.dtype))
    filled = X.data.astype(object)
    filled[np.ma.getmaskarray(X)] = None
    return filled


def _fit_floats(integers):
    """Return whether floats hold every one of the integers."""
    bound = EXACT_INTEGERS
    return not len(integers) or -bound <= integers.min() <= integers.max() <= bound

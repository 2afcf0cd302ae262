"""scikit-learn's fitted scalers, applied to numbers that need no more checks.

`transform` checks its input and wraps its output, which takes longer than to scale a
few rows, and a `QuantileTransformer` searches its quantiles for every row, however few
distinct values a column has. Here the same operations run in the same order on the
same numbers, so that the results are those of `transform` bit for bit.
"""

import numpy as np
import pandas as pd
from scipy.special import ndtri
from sklearn.pipeline import FeatureUnion
from sklearn.preprocessing import QuantileTransformer, RobustScaler, StandardScaler

# So close to its first or last quantile scikit-learn moves a number to the very end of
# the normal distribution, where it is cut off.
_MARGIN = 1e-7
_LEAST = ndtri(_MARGIN - np.spacing(1))
_LARGEST = ndtri(1 - (_MARGIN - np.spacing(1)))

# In a column of fewer numbers there is nothing to gain from distinct values, and all
# columns are treated together.
_FEW = 256

# One number in so many is looked at to tell whether a column has few distinct ones.
_STRIDE = 16


def is_known(scaler):
    """Whether `scale` applies the scaler itself: a subclass may do other things."""
    if type(scaler) is FeatureUnion:
        parts = [part for _, part in scaler.transformer_list]
        return scaler.transformer_weights is None and all(map(is_known, parts))
    return type(scaler) in _FORMS


def scale(scaler, values):
    """Return what a fitted scaler's `transform` returns.

    Parameters
    ----------
    scaler : transformer
        A `StandardScaler`, `RobustScaler` or `QuantileTransformer`, or a `FeatureUnion`
        of them, is applied without a detour; of any other `transform` is called.
    values : ndarray of shape (n_samples, n_features), dtype float64
        Finite numbers.

    Returns
    -------
    scaled : ndarray of shape (n_samples, n_outputs), or what `transform` returns
    """
    if not is_known(scaler):
        return scaler.transform(values)
    if type(scaler) is FeatureUnion:
        return np.hstack([scale(part, values) for _, part in scaler.transformer_list])
    return _FORMS[type(scaler)](scaler, values)


def _standardize(scaler, values):
    center = scaler.mean_ if scaler.with_mean else None
    return _shift(values, center, scaler.scale_ if scaler.with_std else None)


def _center_by_median(scaler, values):
    center = scaler.center_ if scaler.with_centering else None
    return _shift(values, center, scaler.scale_ if scaler.with_scaling else None)


def _shift(values, center, scale):
    shifted = values.copy(order="K") if center is None else values - center
    if scale is not None:
        shifted /= scale
    return shifted


def _map_to_quantiles(scaler, values):
    if len(values) < _FEW:
        return _at_quantiles(scaler, values, slice(None))
    scaled = np.empty_like(values)
    for j, column in enumerate(values.T):
        distinct, positions = _distinct_values(column)
        found = _at_quantiles(scaler, distinct[:, None], slice(j, j + 1))[:, 0]
        scaled[:, j] = found if positions is None else found.take(positions)
    return scaled


def _distinct_values(column):
    """Distinct values and the position of each row's; None if that does not pay."""
    some = column[::_STRIDE]
    if 2 * len(pd.unique(some)) > len(some):
        return column, None
    positions, distinct = pd.factorize(column)
    return distinct, positions


def _at_quantiles(scaler, values, columns):
    """Values of the columns at these positions, as a `QuantileTransformer` maps them.

    A value that several quantiles share gets the mean of the first's and the last's
    place: the search runs upwards, and downwards on the negative numbers.
    """
    quantiles, references = scaler.quantiles_[:, columns], scaler.references_
    falling, backwards = -quantiles[::-1], -references[::-1]
    shares = np.empty_like(values)
    for j, column in enumerate(values.T):
        shares[:, j] = 0.5 * (
            np.interp(column, quantiles[:, j], references)
            - np.interp(-column, falling[:, j], backwards)
        )
    if scaler.output_distribution == "uniform":
        shares[values == quantiles[-1]] = 1
        shares[values == quantiles[0]] = 0
        return shares
    shares[values + _MARGIN > quantiles[-1]] = 1
    shares[values - _MARGIN < quantiles[0]] = 0
    # Zero is added as a location: it makes a negative zero a positive one.
    return np.clip(ndtri(shares) + 0.0, _LEAST, _LARGEST)


_FORMS = {
    StandardScaler: _standardize,
    RobustScaler: _center_by_median,
    QuantileTransformer: _map_to_quantiles,
}

"""scikit-learn's fitted scalers, applied to numbers that need no more checks."""

import numpy as np
import pandas as pd
from sklearn.pipeline import FeatureUnion
from sklearn.preprocessing import QuantileTransformer, RobustScaler, StandardScaler

_SCALERS = {StandardScaler, RobustScaler, QuantileTransformer}

# Rows from which on it pays to map the distinct values of columns only, and the
# distance of the rows in which they are estimated.
_MANY = 2048
_STRIDE = 16


def scale(scaler, values):
    """Return what a fitted scaler's `transform` returns, bit for bit.

    `transform` checks its input and wraps its output, which takes a hundred times as
    long as to scale a row. Where a scaler subtracts and divides, nothing else is done;
    where it searches quantiles, few distinct values are searched once each.

    Parameters
    ----------
    scaler : transformer
    values : ndarray of shape (n_samples, n_features), dtype float64
        Finite numbers.

    Returns
    -------
    scaled : ndarray of shape (n_samples, n_outputs), or what `transform` returns
    """
    # A subclass may transform in another way.
    kind = type(scaler)
    if kind is FeatureUnion and scaler.transformer_weights is None:
        parts = [part for _, part in scaler.transformer_list]
        if _SCALERS.issuperset(map(type, parts)):
            return np.hstack([scale(part, values) for part in parts])
    if kind is StandardScaler:
        center = scaler.mean_ if scaler.with_mean else None
        return _shift(values, center, scaler.scale_ if scaler.with_std else None)
    if kind is RobustScaler:
        center = scaler.center_ if scaler.with_centering else None
        return _shift(values, center, scaler.scale_ if scaler.with_scaling else None)
    if kind is QuantileTransformer and _has_few_values(values):
        return _scale_distinct(scaler, values)
    return scaler.transform(values)


def _has_few_values(values):
    """Return whether every column repeats its values in a sample of many rows."""
    some = values[::_STRIDE]
    return len(values) >= _MANY and all(
        2 * len(pd.unique(column)) <= len(some) for column in some.T
    )


def _scale_distinct(scaler, values):
    """Return the scaled columns, computed once per distinct value."""
    found = [pd.factorize(column) for column in values.T]
    n_distinct = max(len(distinct) for _, distinct in found)
    table = np.stack([np.resize(each, n_distinct) for _, each in found], axis=1)
    scaled = scaler.transform(table).T
    columns = (column[codes] for column, (codes, _) in zip(scaled, found))
    return np.stack(list(columns), axis=1)


def _shift(values, center, spread):
    shifted = values.copy(order="K") if center is None else values - center
    if spread is not None:
        shifted /= spread
    return shifted

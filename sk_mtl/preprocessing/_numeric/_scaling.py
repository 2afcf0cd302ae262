"""scikit-learn's fitted scalers, applied to numbers that need no more checks."""

import numpy as np
from sklearn.pipeline import FeatureUnion
from sklearn.preprocessing import QuantileTransformer, RobustScaler, StandardScaler

_SCALERS = {StandardScaler, RobustScaler, QuantileTransformer}


def scale(scaler, values):
    """Return what a fitted scaler's `transform` returns, bit for bit.

    `transform` checks its input and wraps its output, which takes a hundred times as
    long as to scale a row. Where a scaler subtracts and divides, nothing else is done.

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
    return scaler.transform(values)


def _shift(values, center, spread):
    shifted = values.copy(order="K") if center is None else values - center
    if spread is not None:
        shifted /= spread
    return shifted

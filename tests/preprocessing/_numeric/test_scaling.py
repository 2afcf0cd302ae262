"""The direct forms of scikit-learn's scalers return the very bits of `transform`."""

import numpy as np
import pytest
from sklearn.pipeline import FeatureUnion
from sklearn.preprocessing import (
    MinMaxScaler,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)

from sk_mtl.preprocessing import NumericScaler
from sk_mtl.preprocessing._numeric._scaling import scale


class Doubled(StandardScaler):
    def transform(self, X, copy=None):
        return 2 * super().transform(X, copy)


QUANTILE = QuantileTransformer(n_quantiles=200, output_distribution="normal")
SCALERS = {
    "standard": StandardScaler(),
    "scale only": StandardScaler(with_mean=False),
    "mean only": StandardScaler(with_std=False),
    "neither": StandardScaler(with_mean=False, with_std=False),
    "robust": RobustScaler(),
    "robust, scale only": RobustScaler(with_centering=False),
    "robust, center only": RobustScaler(with_scaling=False),
    "quantile": QUANTILE,
    "both": FeatureUnion([("plain", StandardScaler()), ("normal", QUANTILE)]),
    "subclass": Doubled(),
    "another": MinMaxScaler(),
    "weighted": FeatureUnion([("a", StandardScaler())], transformer_weights={"a": 3}),
    "mixed": FeatureUnion([("a", Doubled()), ("b", "passthrough")]),
}


def make_numbers(n_samples=500):
    """Columns with heavy ends, gaps, signed zeros, one value and tiny values."""
    rng = np.random.default_rng(0)
    columns = [
        rng.normal(size=n_samples),
        rng.integers(18, 91, n_samples),
        rng.lognormal(10, 2, n_samples),
        np.where(rng.random(n_samples) < 0.5, 0.0, -0.0),
        np.full(n_samples, 7.0),
        rng.normal(size=n_samples) * 1e-9,
    ]
    return np.asfortranarray(np.column_stack(columns).astype(float))


@pytest.mark.parametrize("name", SCALERS)
def test_rows_are_scaled_to_the_same_bits(name):
    values = make_numbers()
    scaler = SCALERS[name].fit(values)
    for rows in (values, np.ascontiguousarray(values), values[:1], -2 * values):
        given = rows.copy(order="K")
        found, expected = scale(scaler, given), scaler.transform(rows)
        assert found.shape == expected.shape
        assert found.tobytes() == expected.tobytes()
        np.testing.assert_array_equal(given, rows, "the input must not be changed")


@pytest.mark.parametrize("name", SCALERS)
def test_the_numeric_scaler_returns_the_bits_of_its_scaler(name):
    values = make_numbers()
    scaler, expected = NumericScaler(SCALERS[name]), SCALERS[name].fit_transform(values)
    assert scaler.fit_transform(values).tobytes() == expected.tobytes()
    assert scaler.transform(values).tobytes() == expected.tobytes()
    assert scaler.transform(values[:3]).tobytes() == expected[:3].tobytes()


@pytest.mark.parametrize("distribution", ["normal", "uniform"])
def test_quantiles_of_many_equal_numbers_are_the_same_bits(distribution):
    rng = np.random.default_rng(1)
    values = np.column_stack([rng.integers(0, k, 3000) for k in (2, 70, 400)]) * 0.5
    values[:, 0] = np.where(values[:, 0] == 0, -0.0, values[:, 0])
    scaler = QuantileTransformer(n_quantiles=50, output_distribution=distribution)
    scaler.fit(values)
    given = np.concatenate([values, -values, 2 * values])
    assert scale(scaler, given).tobytes() == scaler.transform(given).tobytes()

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
from sk_mtl.preprocessing._numeric import _scaling
from sk_mtl.preprocessing._numeric._scaling import is_known, scale


def quantile(distribution="normal", **kwargs):
    kwargs = {"n_quantiles": 200, "random_state": 0} | kwargs
    return QuantileTransformer(output_distribution=distribution, **kwargs)


SCALERS = {
    "standard": StandardScaler(),
    "scale only": StandardScaler(with_mean=False),
    "mean only": StandardScaler(with_std=False),
    "neither": StandardScaler(with_mean=False, with_std=False),
    "robust": RobustScaler(),
    "robust, scale only": RobustScaler(with_centering=False),
    "robust, center only": RobustScaler(with_scaling=False),
    "normal": quantile(),
    "normal, coarse": quantile(n_quantiles=3),
    "normal, one quantile": quantile(n_quantiles=1),
    "normal, subsample": quantile(subsample=500),
    "uniform": quantile("uniform"),
    "uniform, coarse": quantile("uniform", n_quantiles=3),
    "both": FeatureUnion([("plain", StandardScaler()), ("normal", quantile())]),
    "nested": FeatureUnion(
        [("a", FeatureUnion([("b", RobustScaler())])), ("c", quantile("uniform"))]
    ),
}


def make_numbers(n_samples=2000):
    """Columns with few and many values, heavy ends, gaps, signed zeros, one value."""
    rng = np.random.default_rng(0)
    amounts = np.where(rng.random(n_samples) < 0.9, 0.0, rng.integers(1, 40, n_samples))
    columns = [
        rng.normal(size=n_samples),
        rng.integers(18, 91, n_samples),
        amounts,
        -amounts * 1e6,
        rng.lognormal(10, 2, n_samples),
        np.where(rng.random(n_samples) < 0.5, 0.0, -0.0),
        np.full(n_samples, 7.0),
        rng.normal(size=n_samples) * 1e-9,
    ]
    return np.asfortranarray(np.column_stack(columns).astype(float))


def make_queries(values):
    """Numbers in, between and beyond those of training, and just beside its ends."""
    low, high = values.min(axis=0), values.max(axis=0)
    edges = [low, high, low - 1, high + 1, low + 1e-8, high - 1e-8, (low + high) / 2]
    edges += [np.nextafter(low, high), np.nextafter(high, low), 0 * low, -0.0 * low]
    return np.concatenate([values, values[::-1] + 0.5, np.array(edges)])


def assert_same_bits(found, expected):
    assert found.dtype == expected.dtype
    assert found.shape == expected.shape
    assert found.tobytes() == expected.tobytes()


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("name", SCALERS)
def test_many_rows_are_scaled_to_the_same_bits(name, order):
    values = make_numbers()
    scaler, queries = SCALERS[name].fit(values), make_queries(values)
    assert is_known(scaler)
    given = np.array(queries, order=order)
    assert_same_bits(scale(scaler, given), scaler.transform(queries))
    np.testing.assert_array_equal(given, queries, "the input must not be changed")


@pytest.mark.parametrize("name", SCALERS)
def test_a_row_alone_is_scaled_as_among_others(name):
    values = make_numbers()
    scaler, queries = SCALERS[name].fit(values), make_queries(values)[-40:]
    for row in range(len(queries)):
        one = queries[[row]]
        assert_same_bits(scale(scaler, one), scaler.transform(one))
    assert_same_bits(scale(scaler, queries), scaler.transform(queries))


def test_columns_with_few_values_are_found():
    values = make_numbers(20_000)
    distinct, positions = _scaling._distinct_values(values[:, 1])
    assert len(distinct) == len(np.unique(values[:, 1])) == 73
    np.testing.assert_array_equal(distinct[positions], values[:, 1])
    column, positions = _scaling._distinct_values(values[:, 0])
    assert positions is None
    np.testing.assert_array_equal(column, values[:, 0])


def test_a_value_that_fills_many_quantiles_gets_the_middle_of_them():
    """Zeros fill the lower half: their place is a quarter, or the very end."""
    values = np.array([[0.0], [0.0], [0.0], [1.0], [2.0]])
    scaler = quantile("uniform", n_quantiles=5).fit(values)
    rows = np.array([[0.0], [0.5], [1.0], [2.0]])
    assert scale(scaler, rows).ravel().tolist() == [0.0, 0.625, 0.75, 1.0]
    values = np.array([[-1.0], [0.0], [0.0], [0.0], [1.0]])
    scaler = quantile("uniform", n_quantiles=5).fit(values)
    assert scale(scaler, np.zeros((1, 1))).tolist() == [[0.5]]


class Doubled(StandardScaler):
    def transform(self, X, copy=None):
        return 2 * super().transform(X, copy)


def test_what_is_not_known_is_transformed_by_itself():
    values = make_numbers(300)
    weighted = FeatureUnion([("a", StandardScaler())], transformer_weights={"a": 3})
    mixed = FeatureUnion([("a", StandardScaler()), ("b", MinMaxScaler())])
    passing = FeatureUnion([("a", StandardScaler()), ("b", "passthrough")])
    for scaler in (Doubled(), MinMaxScaler(), weighted, mixed, passing):
        assert not is_known(scaler)
        expected = scaler.fit_transform(values)
        np.testing.assert_array_equal(scale(scaler, values), expected)
        np.testing.assert_array_equal(
            NumericScaler(scaler).fit_transform(values), expected
        )


@pytest.mark.parametrize("name", SCALERS)
def test_the_numeric_scaler_returns_the_bits_of_its_scaler(name):
    values = make_numbers()
    scaler = NumericScaler(SCALERS[name])
    expected = SCALERS[name].fit_transform(values)
    assert_same_bits(scaler.fit_transform(values), expected)
    assert_same_bits(scaler.transform(values), expected)
    assert_same_bits(scaler.fit(values).transform(values[:3]), expected[:3])

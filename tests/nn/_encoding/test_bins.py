import numpy as np
import pytest

from sk_mtl.nn import quantile_bins


def counts_in(values, edges):
    """Return how many values each bin holds."""
    bins = np.searchsorted(edges, values, side="left")
    return np.bincount(bins, minlength=len(edges) + 1).tolist()


def test_equal_values_share_bins_equally():
    assert quantile_bins(np.arange(8.0), 4).tolist() == [1.5, 3.5, 5.5]
    assert quantile_bins(np.arange(8.0)[::-1], 2).tolist() == [3.5]


def test_few_distinct_values_get_a_bin_each():
    assert quantile_bins([3, 1, 1, 7, 1], 3).tolist() == [2, 5]
    assert quantile_bins([3, 1, 1, 7, 1], 64).tolist() == [2, 5]


def test_a_heavy_value_gets_a_bin_and_the_rest_is_spread():
    values = [0] * 6 + [1, 2, 3, 4]
    edges = quantile_bins(values, 3)
    assert edges.tolist() == [0.5, 2.5]
    assert counts_in(values, edges) == [6, 2, 2]


def test_a_heavy_value_in_the_middle():
    # Two bins' worth of light values lie right of zero, one left of it.
    values = [-2, -1] + [0] * 6 + [1, 2, 3, 4]
    edges = quantile_bins(values, 4)
    assert edges.tolist() == [-0.5, 0.5, 2.5]
    assert counts_in(values, edges) == [2, 6, 2, 2]


def test_two_heavy_values_side_by_side():
    values = [0] * 5 + [1] * 5 + [2, 3, 4, 5]
    assert quantile_bins(values, 4).tolist() == [0.5, 1.5, 3.5]


def test_heavy_values_give_way_where_bins_are_few():
    # 1 holds 5 of 9 rows, but with two bins it cannot have one between two others.
    values = [-1, 0, 1, 1, 1, 1, 1, 2, 3]
    edges = quantile_bins(values, 2)
    assert len(edges) == 1
    assert edges[0] in (0.5, 1.5)


def test_plain_quantiles_would_leave_the_rest_of_a_zero_heavy_column_one_bin():
    rng = np.random.default_rng(0)
    values = np.where(rng.random(20_000) < 0.9, 0.0, rng.exponential(1000, 20_000))
    edges = quantile_bins(values, 64)
    counts = counts_in(values, edges)
    assert len(counts) == 64
    assert counts[0] == (values == 0).sum()
    assert max(counts[1:]) < 1.3 * min(counts[1:])


@pytest.mark.parametrize("n_bins", [2, 3, 5, 16, 64])
@pytest.mark.parametrize("n_distinct", [1, 2, 5, 30, 500])
def test_edges_increase_and_bins_are_filled_and_few_enough(n_bins, n_distinct):
    rng = np.random.default_rng(n_distinct)
    shares = rng.dirichlet(np.full(n_distinct, 0.3))
    values = rng.choice(n_distinct, 2000, p=shares).astype(np.float32)
    edges = quantile_bins(values, n_bins)
    assert edges.dtype == np.float32
    assert (np.diff(edges) > 0).all()
    counts = counts_in(values, edges)
    assert len(counts) <= n_bins
    assert min(counts) > 0
    if len(np.unique(values)) <= n_bins:
        assert len(counts) == len(np.unique(values))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_neighbouring_floats_are_told_apart(dtype):
    one = dtype(1)
    values = np.array([one, np.nextafter(one, dtype(2)), np.nextafter(one, dtype(0))])
    assert counts_in(values, quantile_bins(values, 3)) == [1, 1, 1]
    largest = np.array([np.finfo(dtype).min, np.finfo(dtype).max], dtype=dtype)
    assert quantile_bins(largest, 2).tolist() == [0]


def test_order_and_repetition_of_the_rows_change_nothing():
    values = np.random.default_rng(0).exponential(size=500).round(2)
    edges = quantile_bins(values, 16)
    assert quantile_bins(np.sort(values), 16).tolist() == edges.tolist()
    assert quantile_bins(np.tile(values, 3), 16).tolist() == edges.tolist()


def test_constant_empty_and_infinite_columns():
    assert quantile_bins([5.0, 5.0], 4).shape == (0,)
    assert quantile_bins([], 4).shape == (0,)
    assert quantile_bins([1.0, np.inf, np.nan, 2.0, -np.inf], 4).tolist() == [1.5]


def test_of_many_rows_evenly_spaced_ones_are_looked_at():
    values = np.zeros(3_000_000, dtype=np.float32)
    values[1::3] = 1
    assert quantile_bins(values, 4).shape == (0,)
    values[3::6] = 2
    assert quantile_bins(values, 4).tolist() == [1]


def test_one_bin_is_refused():
    with pytest.raises(ValueError, match=r"at least 2; found 1\. Give for"):
        quantile_bins([1.0, 2.0], 1)

import numpy as np
import pytest
from scipy import sparse

from sk_mtl.preprocessing._tables._few_values import _N_FIRST, _N_TOGETHER, count_values

N = 2 * _N_TOGETHER + 10


def late(row, *values):
    """Zeros, with other values from some row on."""
    column = np.zeros(N)
    column[row : row + len(values)] = values
    return column


@pytest.mark.parametrize("container", [np.asarray, np.asfortranarray, sparse.csr_array])
def test_values_are_counted_up_to_one_more_than_the_limit(container):
    columns = np.column_stack(
        [
            np.zeros(N),
            np.full(N, 7.0),
            np.arange(N) % 2,
            np.arange(N),
            late(_N_FIRST - 1, 1),
            late(_N_FIRST, 1),
            late(_N_TOGETHER, 1, 2),
            late(N - 1, -1),
            late(N - 2, 1, -1),
        ]
    )
    counts = count_values(container(columns), 2)
    assert counts.tolist() == [1, 1, 2, 3, 2, 2, 3, 2, 3]
    assert count_values(container(columns), 1).tolist() == [1, 1, *[2] * 7]


@pytest.mark.parametrize("dtype", [np.int32, np.uint8, bool, np.float32])
def test_all_kinds_of_numbers_are_counted(dtype):
    columns = np.array([[0, 1], [1, 1], [0, 1]], dtype=dtype)
    assert count_values(columns, 2).tolist() == [2, 1]


def test_gaps_make_a_column_one_of_many_values():
    columns = np.array([[np.nan, 1.0], [np.nan, np.nan]])
    assert count_values(columns, 2).tolist() == [3, 3]
    assert count_values(columns, 1).tolist() == [2, 2]


def test_one_row_has_one_value():
    assert count_values(np.array([[1.0, np.nan]]), 2).tolist() == [1, 3]

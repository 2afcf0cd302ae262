"""Tables of tensors, and how they are walked in batches."""

import numpy as np
import pytest
import torch

from sk_mtl.estimators._rows._tensor_table import BatchIterator, TensorTable


def make_table(n_rows=10, weight=None):
    """Rows that tell their own number in each of their parts."""
    numbers = torch.arange(n_rows)
    return TensorTable(
        codes=numbers[:, None].int(),
        numeric=numbers[:, None].float(),
        y=torch.stack([numbers, -numbers], 1).float(),
        weight=weight,
    )


def row_numbers(batches):
    return [batch.codes[:, 0].tolist() for batch in batches]


def test_parts_of_a_row_stay_together():
    table = make_table().take(torch.tensor([7, 2]))
    assert len(table) == 2
    assert table.codes.tolist() == [[7], [2]]
    assert table.numeric.tolist() == [[7.0], [2.0]]
    assert table.y.tolist() == [[7.0, -7.0], [2.0, -2.0]]
    assert table.weight is None


def test_narrow_copies_nothing():
    table = make_table()
    assert row_numbers([table.narrow(3, 5)]) == [[3, 4]]
    assert table.narrow(3, 5).y.data_ptr() == table.y[3:].data_ptr()


def test_mean_weight_counts_every_row():
    assert make_table().mean_weight().tolist() == [1, 1]
    weight = torch.tensor([[0.0, 1.0], [0.0, 2.0], [1.0, 0.0], [0.0, 1.0]])
    assert make_table(4, weight).mean_weight().tolist() == [0.25, 1.0]


def test_mean_weight_is_summed_in_double_precision():
    # The sum of as many float32 ones stops growing at 2 ** 24.
    weight = torch.ones(1, 1).expand(2**24 + 64, 1)
    table = TensorTable(weight, weight, weight, weight)
    assert table.mean_weight().item() == 1.0


def test_order_is_kept_where_rows_are_not_shuffled():
    batches = BatchIterator(make_table(), 4, shuffle=False)
    assert row_numbers(batches) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert row_numbers(batches) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("n_rows", [1, 3, 4, 5, 8, 9, 10])
def test_the_length_is_the_number_of_batches(n_rows, shuffle):
    batches = BatchIterator(make_table(n_rows), 4, shuffle=shuffle)
    assert len(batches) == len(list(batches))


def test_shuffling_shows_every_row_once_and_anew_at_each_pass():
    batches = BatchIterator(make_table(100), 8, shuffle=True)
    first, second = (np.concatenate(row_numbers(batches)).tolist() for _ in range(2))
    assert sorted(first) == sorted(second) == list(range(100))
    assert first != second
    assert first != list(range(100))


@pytest.mark.parametrize("shuffle", [True, False])
def test_a_last_row_alone_joins_the_batch_before(shuffle):
    batches = BatchIterator(make_table(9), 4, shuffle=shuffle)
    assert [len(rows) for rows in row_numbers(batches)] == [4, 5]


@pytest.mark.parametrize(
    ("n_rows", "batch_size", "sizes"),
    [
        (1, 4, [1]),
        (4, 4, [4]),
        (5, 4, [5]),
        (6, 4, [4, 2]),
        (3, 1, [1, 2]),
        (3, 10, [3]),
    ],
)
def test_sizes_of_batches(n_rows, batch_size, sizes):
    batches = BatchIterator(make_table(n_rows), batch_size, shuffle=False)
    assert [len(rows) for rows in row_numbers(batches)] == sizes

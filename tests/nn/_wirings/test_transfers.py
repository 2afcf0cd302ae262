import pytest
import torch

from sk_mtl.nn._wirings._transfers import TRANSFERS, AverageTransfer, TransformTransfer
from tests.nn._asserts import assert_close, operations, set_values


def test_an_average_by_hand(put):
    rows = put(torch.tensor([[[1.0, 2.0]], [[10.0, 20.0]]]))
    gates = put(torch.tensor([[1.0, 0.0], [0.5, 1.0], [0.0, 0.0]]))
    read = put(AverageTransfer(3, 2, 2))(rows, gates)
    assert_close(read, [[[1.0, 2.0]], [[10.5, 21.0]], [[0.0, 0.0]]])


def test_a_transformation_by_hand(put):
    transfer = put(TransformTransfer(1, 2, 2))
    # The first source is doubled, of the second the entries change places.
    set_values(
        transfer.weight, [[[[2.0, 0.0]], [[0.0, 2.0]]], [[[0.0, 1.0]], [[1.0, 0.0]]]]
    )
    rows = put(torch.tensor([[[1.0, 2.0]], [[10.0, 20.0]]]))
    read = transfer(rows, put(torch.tensor([[1.0, 0.5]])))
    assert_close(read, [[[12.0, 9.0]]])


def test_a_transformation_is_the_loop_over_pairs(put):
    transfer, rows = put(TransformTransfer(3, 2, 4)), put(torch.randn(2, 5, 4))
    gates = put(torch.rand(3, 2))
    expected = [
        sum(gates[i, j] * (rows[j] @ transfer.weight[j, :, i]) for j in range(2))
        for i in range(3)
    ]
    assert_close(transfer(rows, gates), torch.stack(expected))


def test_matrices_start_different(put):
    weight = TransformTransfer(3, 2, 4).weight
    assert len(weight.unique()) == weight.numel()
    assert bool((weight.abs() <= 0.5).all())


@pytest.mark.parametrize("transfer", TRANSFERS.values())
def test_operations_do_not_grow_with_pairs(transfer, put):
    counts = [
        operations(
            put(transfer(n, n, 4)), put(torch.randn(n, 5, 4)), put(torch.rand(n, n))
        )
        for n in (2, 20)
    ]
    assert counts[0] == counts[1]

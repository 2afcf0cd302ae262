import math

import pytest
import torch

from sk_mtl.nn import TargetAttention
from tests.nn._asserts import assert_close, assert_every_parameter_learns, set_values


@pytest.fixture
def rows(put):
    real = torch.tensor([[1, 1, 1], [1, 1, 0], [0, 0, 0]]).bool()
    return put(torch.randn(3, 3, 4)), put(real), put(torch.randn(3, 4))


def test_weights_by_hand(put):
    unit = put(TargetAttention(1, hidden_sizes=(1,)))
    # relu(item + 2 target + 3 (item - target) + 4 item * target), then log 2 of it.
    set_values(unit.first.weight, [[1.0, 2.0, 3.0, 4.0]])
    set_values(unit.first.bias, [-7.0])
    set_values(unit.rest[1].weight, [[math.log(2)]])
    items, target = put(torch.tensor([[[1.0], [0.0], [9.0]]])), put(torch.ones(1, 1))
    real = torch.tensor([[True, True, False]]).to(items.device)
    # The first layer gives 1 + 2 + 0 + 4 - 7 = 0 and 0 + 2 - 3 + 0 - 7 < 0: equal.
    assert_close(unit(items, real, target), [[0.5]])
    set_values(unit.first.bias, [-6.0])
    # Now 1 and 0, so weights 2 to 1.
    assert_close(unit(items, real, target), [[2 / 3]])


@pytest.mark.parametrize("hidden_sizes", [(6,), (6, 5)])
def test_it_is_a_perceptron_of_four_parts_for_each_item(hidden_sizes, rows, put):
    unit = put(TargetAttention(4, hidden_sizes=hidden_sizes, activation="tanh"))
    items, real, target = rows
    expected = torch.zeros_like(target)
    for row in range(3):
        chosen = items[row, real[row]]
        if len(chosen):
            t = target[row].expand_as(chosen)
            parts = torch.cat([chosen, t, chosen - t, chosen * t], 1)
            weights = unit.rest(unit.first(parts)).softmax(0)
            expected[row] = (weights * chosen).sum(0)
    assert_close(unit(items, real, target), expected)


def test_every_parameter_learns_and_no_padded_item(rows, put):
    unit, (items, real, target) = put(TargetAttention(4)), rows
    items.requires_grad_()
    assert_every_parameter_learns(unit, unit(items, real, target))
    assert not bool(items.grad[~real].any())
    assert bool((items.grad[real] != 0).any(1).all())


def test_a_row_without_items_is_zero_without_nan(rows, put):
    unit, (items, real, target) = put(TargetAttention(4)), rows
    pooled = unit(items, torch.zeros_like(real), target)
    assert not bool(pooled.any())
    pooled.sum().backward()
    assert not any(bool(p.grad.isnan().any()) for p in unit.parameters())


def test_a_hidden_layer_is_required():
    with pytest.raises(ValueError, match=r"at least one layer width; found \(\)"):
        TargetAttention(4, hidden_sizes=())

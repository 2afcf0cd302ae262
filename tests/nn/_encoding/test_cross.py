import pytest
import torch

from sk_mtl.nn import CrossLayer
from tests.nn._asserts import assert_close, assert_every_parameter_learns, set_values


def test_three_entries_by_hand(put):
    layer = put(CrossLayer(3, rank=2))
    set_values(layer.down.weight, [[1.0, 0.0, 1.0], [0.0, 2.0, 0.0]])
    set_values(layer.up.weight, [[1.0, 0.0], [0.0, 1.0], [1.0, -1.0]])
    set_values(layer.up.bias, [0.0, 10.0, 0.0])
    # x = (1, 2, 3): V x = (4, 4), U V x + b = (4, 14, 0), times x, plus x.
    assert_close(layer(put(torch.tensor([[1.0, 2.0, 3.0]]))), [[5.0, 30.0, 3.0]])


def test_products_and_rows_of_fewer_digits_by_hand(put, device):
    layer = put(CrossLayer(3, rank=1))
    set_values(layer.down.weight, [[1.0, 0.0, 1.0]])
    set_values(layer.up.weight, [[1.0], [0.0], [1.0]])
    set_values(layer.up.bias, [0.0, 2.0**-7, 0.0])
    rows = put(torch.tensor([[1.0, 64.0, 3.0]]))
    with torch.autocast(device.type, torch.bfloat16):
        crossed = layer(rows.bfloat16())
    # V x = 4. 64 + 64 / 128 has the eight digits of bfloat16, and 1 + 1 / 128, too.
    assert crossed.dtype == torch.bfloat16
    assert_close(crossed.float(), [[5.0, 64.5, 15.0]])


def test_the_start_is_nearly_the_identity(put):
    layer, x = put(CrossLayer(50, rank=32)), put(torch.randn(200, 50))
    change = layer(x) - x
    assert 0 < float(change.detach().std()) < 0.05


def test_every_parameter_learns_from_the_start_on(put):
    layer = put(CrossLayer(5, rank=3))
    assert_every_parameter_learns(layer, layer(put(torch.randn(20, 5))))


def test_a_rank_of_zero_is_refused():
    with pytest.raises(ValueError, match=r"at least 1; found 0\. Give for"):
        CrossLayer(5, rank=0)

import torch

from sk_mtl.nn._wirings._mixing import mix_groups
from tests.nn._asserts import assert_close


def test_sums_by_hand(put):
    groups = put(torch.tensor([[[1.0, 2.0]], [[10.0, 20.0]]]))
    weights = put(torch.tensor([[1.0, 0.0], [0.0, 2.0], [1.0, 1.0]]))
    assert_close(mix_groups(weights, groups), [[[1.0, 2.0]], [[20, 40]], [[11, 22]]])


def test_it_is_the_sum_over_groups(put):
    groups, weights = put(torch.randn(3, 5, 4)), put(torch.randn(2, 3))
    expected = (weights[:, :, None, None] * groups).sum(1)
    assert_close(mix_groups(weights, groups), expected)
    assert mix_groups(weights, groups[:, :0]).shape == (2, 0, 4)

import math

import torch

from sk_mtl.nn import AttentionPooling
from sk_mtl.nn._encoding._attention_pooling import masked_softmax
from tests.nn._asserts import assert_close, assert_every_parameter_learns, set_values


def test_weights_by_hand(put):
    pooling = put(AttentionPooling(4))
    # Scores are halved, by the root of the width: log 3 against log 1, hence 3 to 1.
    set_values(pooling.query, [2 * math.log(3), 0, 0, 0])
    items = put(torch.tensor([[[1.0, 8, 0, 0], [0.0, 0, 4, 0], [5.0, 5, 5, 5]]]))
    real = torch.tensor([[True, True, False]]).to(items.device)
    assert_close(pooling(items, real), [[0.75, 6, 1, 0]])


def test_the_start_is_the_plain_mean(put):
    pooling, items = put(AttentionPooling(3)), put(torch.randn(5, 4, 3))
    real = torch.ones(5, 4, dtype=torch.bool, device=items.device)
    assert_close(pooling(items, real), items.mean(1))


def test_the_query_learns_from_its_start_on(put):
    pooling, items = put(AttentionPooling(3)), put(torch.randn(5, 4, 3))
    real = torch.ones(5, 4, dtype=torch.bool, device=items.device)
    assert_every_parameter_learns(pooling, pooling(items, real))


def test_weights_sum_to_one_over_what_is_real_however_large_the_scores(put):
    scores = put(torch.tensor([[1e30, 1e30, 0.0], [-1e30, 0, 0], [0, 0, 0]]))
    real = torch.tensor([[1, 1, 1], [1, 0, 0], [0, 0, 0]]).bool().to(scores.device)
    expected = [[0.5, 0.5, 0], [1, 0, 0], [0, 0, 0]]
    assert_close(masked_softmax(scores, real), expected)


def test_rows_without_any_item_give_zeros_and_no_gradient(put):
    pooling, items = put(AttentionPooling(3)), put(torch.randn(2, 4, 3))
    items.requires_grad_()
    real = torch.zeros(2, 4, dtype=torch.bool, device=items.device)
    pooled = pooling(items, real)
    assert_close(pooled, torch.zeros(2, 3))
    pooled.sum().backward()
    assert not bool(items.grad.any() | items.grad.isnan().any())
    assert not bool(pooling.query.grad.any() | pooling.query.grad.isnan().any())

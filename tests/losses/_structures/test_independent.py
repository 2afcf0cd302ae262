import math
import pickle

import pytest
import torch
import torch.nn.functional as F

from sk_mtl.losses import IndependentStructure, Structure
from tests.losses._asserts import assert_close, assert_rows_sum_to_one, gradient

LN2, LN3 = math.log(2), math.log(3)


def test_binary_losses_by_hand(dtype):
    structure = IndependentStructure([2, 2])
    logits = torch.tensor([[LN3, 0.0], [-LN3, LN3]], dtype=dtype)
    y = torch.tensor([[1.0, 0.0], [1.0, 0.0]], dtype=dtype)
    expected = [[math.log(4 / 3), LN2], [math.log(4), math.log(4)]]
    assert_close(structure.row_losses(logits, y), expected)
    first, second = structure.log_proba(logits)
    assert_close(first.exp(), [[0.25, 0.75], [0.75, 0.25]])
    assert_close(second.exp(), [[0.5, 0.5], [0.25, 0.75]])


def test_multi_class_losses_by_hand(dtype):
    structure = IndependentStructure([3])
    logits = torch.tensor([[0.0, LN2, 0.0], [LN2, LN2, LN3]], dtype=dtype)
    y = torch.tensor([[1.0], [2.0]], dtype=dtype)
    assert_close(structure.row_losses(logits, y), [[LN2], [math.log(7 / 3)]])
    (log_proba,) = structure.log_proba(logits)
    assert_close(log_proba.exp(), [[1 / 4, 1 / 2, 1 / 4], [2 / 7, 2 / 7, 3 / 7]])


@pytest.mark.parametrize(
    "n_classes", [(2,), (2, 2, 2), (5,), (3, 3), (3, 2, 4, 2, 3), (2, 7)]
)
def test_it_is_the_loop_over_tasks(n_classes, dtype):
    structure = IndependentStructure(n_classes)
    widths = [1 if count == 2 else count for count in n_classes]
    assert structure.head_widths == tuple(widths)
    assert structure.n_tasks == len(n_classes)
    logits = torch.randn(20, sum(widths), dtype=dtype)
    labels = [torch.randint(0, count, (20,)) for count in n_classes]
    # A two-class softmax over (0, z) is the sigmoid of z, by another road.
    heads = [
        F.pad(head, (1, 0)) if head.shape[1] == 1 else head
        for head in logits.split(widths, 1)
    ]
    losses = [F.cross_entropy(h, y, reduction="none") for h, y in zip(heads, labels)]
    y = torch.stack(labels, 1).to(dtype)
    assert_close(structure.row_losses(logits, y), torch.stack(losses, 1))
    for actual, head in zip(structure.log_proba(logits), heads, strict=True):
        assert_close(actual, torch.log_softmax(head, 1))


@pytest.mark.parametrize("n_classes", [(2, 2), (3, 3), (2, 3, 2)])
def test_each_task_moves_its_own_logits_only(n_classes, dtype):
    structure = IndependentStructure(n_classes)
    logits = torch.randn(6, sum(structure.head_widths), dtype=dtype)
    y = torch.zeros(6, len(n_classes), dtype=dtype)
    for k in range(len(n_classes)):
        grad = gradient(lambda z, k=k: structure.row_losses(z, y)[:, k], logits)
        moved = [bool(part.any()) for part in grad.split(structure.head_widths, 1)]
        assert moved == [j == k for j in range(len(n_classes))]


@pytest.mark.parametrize("size", [0.0, 5.0, 40.0, 200.0, 1e4])
@pytest.mark.parametrize("n_classes", [(2, 2), (3, 2), (100,)])
def test_probabilities_sum_to_one_and_gradients_are_finite(size, n_classes, dtype):
    structure = IndependentStructure(n_classes)
    logits = size * torch.randn(50, sum(structure.head_widths), dtype=dtype)
    assert_rows_sum_to_one(structure.log_proba(logits))
    y = torch.ones(50, len(n_classes), dtype=dtype)
    grad = gradient(lambda z: structure.row_losses(z, y), logits)
    assert bool(grad.isfinite().all())


def test_no_rows(dtype):
    structure = IndependentStructure([2, 3, 2])
    logits, y = torch.zeros(0, 5, dtype=dtype), torch.zeros(0, 3, dtype=dtype)
    assert structure.row_losses(logits, y).shape == (0, 3)
    assert [p.shape for p in structure.log_proba(logits)] == [(0, 2), (0, 3), (0, 2)]


def test_it_is_a_structure_that_survives_pickle():
    structure = pickle.loads(pickle.dumps(IndependentStructure([2, 3])))
    assert isinstance(structure, Structure)
    assert structure.head_widths == (1, 3)


def test_no_task_and_a_task_with_one_class_are_refused():
    with pytest.raises(ValueError, match="at least one task; found none"):
        IndependentStructure([])
    with pytest.raises(ValueError, match="n_classes must be at least 2; found 1"):
        IndependentStructure([2, 1])

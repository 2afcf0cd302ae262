import math

import pytest
import torch

from sk_mtl.losses import ClassOutput, FunnelStructure, IndependentStructure
from tests.losses._asserts import assert_close, gradient

LN3 = math.log(3)


def test_a_focus_takes_weight_from_easy_rows(dtype):
    """At odds of 3 to 1 the row's class has 3/4 or 1/4."""
    heads = torch.full((2, 1, 1), LN3, dtype=dtype)
    y = torch.tensor([[1.0], [0.0]], dtype=dtype)
    losses = ClassOutput(2, focal_gamma=2.0).row_losses(heads, y)
    assert_close(losses, [[math.log(4 / 3) / 16], [math.log(4) * 9 / 16]])


def test_a_focus_of_several_classes(dtype):
    heads = torch.tensor([[[0.0, math.log(2), 0.0]]], dtype=dtype)
    y = torch.tensor([[1.0]], dtype=dtype)
    losses = ClassOutput(3, focal_gamma=1.0).row_losses(heads, y)
    assert_close(losses, [[0.5 * math.log(2)]])


def test_smoothed_labels_by_hand(dtype):
    heads = torch.full((1, 1, 1), LN3, dtype=dtype)
    y = torch.ones(1, 1, dtype=dtype)
    losses = ClassOutput(2, label_smoothing=0.2).row_losses(heads, y)
    assert_close(losses, [[0.9 * math.log(4 / 3) + 0.1 * math.log(4)]])
    heads = torch.tensor([[[0.0, math.log(2), 0.0]]], dtype=dtype)
    losses = ClassOutput(3, label_smoothing=0.3).row_losses(heads, y)
    assert_close(losses, [[0.8 * math.log(2) + 0.2 * math.log(4)]])


@pytest.mark.parametrize("n_classes", [2, 4])
def test_gradients_are_finite_where_a_row_is_certain(n_classes, dtype):
    output = ClassOutput(n_classes, focal_gamma=0.5, label_smoothing=0.1)
    heads = 500 * torch.randn(40, 1, output.width, dtype=dtype)
    for label in (0.0, 1.0):
        y = torch.full((40, 1), label, dtype=dtype)
        assert bool(
            gradient(lambda z, y=y: output.row_losses(z, y), heads).isfinite().all()
        )


def test_tasks_of_one_output_are_computed_together():
    outputs = [ClassOutput(2, focal_gamma=1.0), ClassOutput(3), ClassOutput(2)]
    structure = IndependentStructure(outputs)
    logits, y = torch.randn(5, 5), torch.tensor([[1.0, 2.0, 0.0]] * 5)
    parts = logits.split([1, 3, 1], 1)
    expected = [
        output.row_losses(part.unsqueeze(1), y[:, [k]])
        for k, (output, part) in enumerate(zip(outputs, parts))
    ]
    assert_close(structure.row_losses(logits, y), torch.cat(expected, 1).double())


def test_a_funnel_takes_the_loss_of_its_products(dtype):
    output = ClassOutput(2, focal_gamma=2.0)
    funnel = FunnelStructure(2, output=output)
    logits = torch.randn(6, 2, dtype=dtype)
    y = torch.tensor([[1.0, 0.0]] * 6, dtype=dtype)
    products = funnel.cumulative_logits(logits).unsqueeze(2)
    assert torch.equal(funnel.row_losses(logits, y), output.row_losses(products, y))

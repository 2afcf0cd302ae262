"""Quantiles: the pinball loss, their order, and ensembles."""

import math
import re

import pytest
import torch
from sklearn.metrics import mean_pinball_loss

from sk_mtl.losses import AbsoluteErrorOutput, QuantileOutput
from tests.losses._asserts import assert_close, gradient

LEVELS = (0.1, 0.25, 0.6, 0.9)


def test_quantiles_and_losses_by_hand(dtype):
    # Softplus of log(e - 1) is 1: the quantiles are 1, 2 and 3.
    one = math.log(math.e - 1)
    heads = torch.tensor([[[one, 2.0, one]]], dtype=dtype)
    output = QuantileOutput((0.1, 0.5, 0.9))
    assert_close(output.answers(heads), [[[2.0, 1.0, 2.0, 3.0]]])
    # Of 2.5 the lower two miss 1.5 and 0.5 from below, the upper one 0.5 from above.
    loss = output.row_losses(heads, torch.tensor([[2.5]], dtype=dtype))
    assert_close(loss, [[(0.1 * 1.5 + 0.5 * 0.5 + 0.1 * 0.5) / 3]])


def test_losses_are_those_of_scikit_learn():
    heads = torch.randn(40, 1, 4, dtype=torch.float64)
    y = torch.randn(40, 1, dtype=torch.float64)
    output = QuantileOutput(LEVELS)
    quantiles = output.quantiles(heads)[:, 0]
    expected = [
        mean_pinball_loss(y[:, 0], quantiles[:, k], alpha=level)
        for k, level in enumerate(LEVELS)
    ]
    loss = output.row_losses(heads, y).mean().item()
    assert loss == pytest.approx(sum(expected) / 4)
    median = QuantileOutput((0.5,)).row_losses(heads[..., :1], y)
    assert_close(2 * median, AbsoluteErrorOutput().row_losses(heads[..., :1], y))


@pytest.mark.parametrize("scale", [1.0, 1e4])
@pytest.mark.parametrize("levels", [LEVELS, (0.5, 0.7), (0.2, 0.4), (0.3,)])
def test_quantiles_never_cross(levels, scale, dtype):
    output = QuantileOutput(levels)
    heads = scale * torch.randn(200, 2, len(levels), dtype=dtype)
    answers = output.answers(heads)
    assert bool((answers[..., 1:].diff() >= 0).all())
    assert bool(answers.isfinite().all())


@pytest.mark.parametrize(
    ("levels", "central"), [(LEVELS, 2), ((0.4, 0.6), 0), ((0.8, 0.9), 0)]
)
def test_the_prediction_is_the_level_nearest_to_one_half(levels, central):
    output = QuantileOutput(levels)
    answers = output.answers(torch.randn(3, 1, len(levels)))
    assert output.central == central
    torch.testing.assert_close(answers[..., 0], answers[..., 1 + central])


def test_members_answer_the_mean_of_their_quantiles():
    heads = torch.randn(3, 20, 2, 4, dtype=torch.float64)
    output = QuantileOutput(LEVELS)
    mean = output.answers(heads.flatten(0, 1)).unflatten(0, (3, 20)).mean(0)
    assert_close(output.answers(output.combine(heads)), mean)


def test_gradients_are_finite_where_steps_vanish():
    heads = torch.tensor([[[-200.0, 0.0, -200.0, 200.0]]], dtype=torch.float64)
    y = torch.ones(1, 1, dtype=torch.float64)
    output = QuantileOutput(LEVELS)
    assert bool(gradient(lambda z: output.row_losses(z, y), heads).isfinite().all())
    assert bool(output.combine(heads.unsqueeze(0)).isfinite().all())


@pytest.mark.parametrize(
    "levels", [(0.9, 0.1), (0.1, 0.1), (0.0, 0.5), (0.5, 1.0), (), 0.5, ("0.5",)]
)
def test_levels_out_of_order_or_of_range_are_refused(levels):
    message = f"strictly increasing; found {levels!r}. Sort them"
    with pytest.raises(ValueError, match=re.escape(message)):
        QuantileOutput(levels)

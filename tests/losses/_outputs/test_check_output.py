"""Outputs of a user's own: what they must define, and which may be a step's."""

from dataclasses import dataclass

import pytest
import torch

from sk_mtl.losses import (
    ClassOutput,
    FunnelStructure,
    IndependentStructure,
    SequentialStructure,
    SquaredErrorOutput,
    TaskOutput,
)
from tests.losses._asserts import assert_close


class Plain(SquaredErrorOutput):
    """An output without an equality of its own."""

    __eq__ = object.__eq__
    __hash__ = None


class Flat(SquaredErrorOutput):
    """An output that loses the axis of the tasks."""

    def row_losses(self, heads, y):
        return super().row_losses(heads, y).mean(1)


class Silent(SquaredErrorOutput):
    """An output that forgets to return its losses."""

    def row_losses(self, heads, y):
        super().row_losses(heads, y)


class Cut(SquaredErrorOutput):
    """An output that learns nothing."""

    def row_losses(self, heads, y):
        return super().row_losses(heads, y).detach()


class Narrow(SquaredErrorOutput):
    """An output that promises quantiles and answers none."""

    quantile_levels = (0.1, 0.9)


class Elsewhere(SquaredErrorOutput):
    """An output of a domain that there is not."""

    domain = "complex"


class Unfinished(TaskOutput):
    """An output without domain and width."""

    def row_losses(self, heads, y):
        return y

    answers = combine = row_losses


class Countless(Unfinished):
    """An output of classes, nobody knows how many."""

    domain, width = "classes", 1


class Widthless(Unfinished):
    """An output without a number of logits."""

    domain = "real"


@pytest.mark.parametrize(
    ("output", "message"),
    [
        (Unfinished(), "domain must be one of .*; found None. Set it to the kind"),
        (Elsewhere(), r"domain must be one of \['classes', 'real', .*found 'complex'"),
        (Widthless(), "width must be an integer of at least 1; found None"),
        (Countless(), "n_classes must be an integer of at least 2; found None"),
        (Flat(), r"row_losses must return a tensor of shape \(3, 2\) .*found \(3,\)"),
        (Silent(), "row_losses must return a tensor; found NoneType. Compute it"),
        (Cut(), "row_losses must depend on the logits; found .* without a gradient"),
        (Narrow(), r"answers must .* shape \(3, 2, 3\) .*found \(3, 2, 1\)"),
    ],
)
def test_an_unfinished_output_is_refused(output, message):
    with pytest.raises(ValueError, match=message):
        IndependentStructure([output])


def test_an_error_of_an_output_says_how_it_was_tried():
    class Unaligned(SquaredErrorOutput):
        def row_losses(self, heads, y):
            return heads.squeeze(2) - y.T

    with pytest.raises(RuntimeError) as caught:
        IndependentStructure([Unaligned()])
    assert "heads (n_samples, n_tasks, width), (3, 2, 1)" in caught.value.__notes__[0]


def test_outputs_without_equality_are_computed_alone():
    heads, y = torch.randn(6, 3), torch.randn(6, 3)
    apart = IndependentStructure([Plain(), SquaredErrorOutput(), Plain()])
    together = IndependentStructure([SquaredErrorOutput()] * 3)
    assert_close(apart.row_losses(heads, y), together.row_losses(heads, y))
    assert_close(torch.cat(apart.answers(heads), 1), heads)


@dataclass(frozen=True)
class Weighted(ClassOutput):
    """Cross-entropy of two classes in which a positive counts more."""

    n_classes: int = 2
    positive: float = 2.0

    def row_losses(self, heads, y):
        return super().row_losses(heads, y) * (1 + (self.positive - 1) * y)


class Probit(Weighted):
    """A loss of classes whose probability is no sigmoid of the logit."""

    def answers(self, heads):
        p = torch.distributions.Normal(0.0, 1.0).cdf(heads.squeeze(2))
        return torch.stack([1 - p, p], 2).log()


def test_each_step_may_have_a_loss_of_its_own():
    logits, y = torch.randn(5, 2), torch.tensor([[1.0, 0.0]] * 5)
    plain = FunnelStructure(2).row_losses(logits, y)
    for structure in (
        FunnelStructure(2, output=[Weighted(), ClassOutput(2)]),
        FunnelStructure(2, output=Weighted()),
    ):
        losses = structure.row_losses(logits, y)
        assert_close(losses, torch.stack([2 * plain[:, 0], plain[:, 1]], 1))
    with pytest.raises(ValueError, match="one entry for each of the 2 steps; found 1"):
        FunnelStructure(2, output=[Weighted()])


@pytest.mark.parametrize("output", [Probit(), SquaredErrorOutput(), ClassOutput(3)])
@pytest.mark.parametrize("structure", [FunnelStructure, SequentialStructure])
def test_steps_need_the_sigmoid_of_one_logit(structure, output):
    with pytest.raises(ValueError, match="A step must be learnt by a loss of two"):
        structure(2, output=output)

"""Probabilities as targets: expected losses worked out by hand."""

import math
from dataclasses import dataclass

import pytest
import torch

from sk_mtl.losses import (
    ClassOutput,
    ESCM2Structure,
    FunnelStructure,
    IndependentStructure,
    SequentialStructure,
    SoftTargets,
    SquaredErrorOutput,
    Structure,
    TaskLoss,
    TaskOutput,
)

LOG3 = math.log(3)
# Probabilities 1/8, 2/8 and 5/8.
THREE = [0.0, math.log(2), math.log(5)]


def tensor(values):
    return torch.tensor(values, dtype=torch.float64)


@pytest.mark.parametrize(
    ("output", "heads", "proba", "expected"),
    [
        # -(.625 log .75 + .375 log .25)
        (ClassOutput(2), [LOG3], [0.375, 0.625], 0.6996617),
        # -(.2 log .125 + .3 log .25 + .5 log .625)
        (ClassOutput(3), THREE, [0.2, 0.3, 0.5], 1.0667784),
        # .3 * .25² * -log .75 + .7 * .75² * -log .25
        (ClassOutput(2, focal_gamma=2), [LOG3], [0.7, 0.3], 0.5512473),
        # The label 1 of .625 is .9 * .625 + .05 = .6125 with a smoothing of .1.
        (ClassOutput(2, label_smoothing=0.1), [LOG3], [0.375, 0.625], 0.7133943),
        (ClassOutput(3, focal_gamma=1), THREE, [0.0, 1.0, 0.0], 0.75 * math.log(4)),
    ],
    ids=["two", "three", "focal", "smoothed", "focal of three"],
)
def test_expected_loss_by_hand(output, heads, proba, expected):
    found = output.soft_losses(tensor([[heads]]), tensor([[proba]]))
    assert found.shape == (1, 1)
    assert found.item() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    "output",
    [
        *(ClassOutput(n, smoothing, gamma) for n in (2, 4) for smoothing in (0, 0.2)
          for gamma in (0, 1.5)),
    ],
    ids=repr,
)  # fmt: skip
def test_certain_probabilities_are_labels(output):
    torch.manual_seed(0)
    heads = torch.randn(8, 2, output.width, dtype=torch.float64)
    y = torch.arange(16).view(8, 2) % output.n_classes
    proba = torch.nn.functional.one_hot(y, output.n_classes).double()
    found = output.soft_losses(heads, proba)
    torch.testing.assert_close(found, output.row_losses(heads, y.double()))


@dataclass(frozen=True)
class OwnOutput(TaskOutput):
    """A squared distance to the class, as a user may write one."""

    domain = "classes"
    width = 1
    n_classes = 2

    def row_losses(self, heads, y):
        return (heads.squeeze(2).sigmoid() - y).square()

    def answers(self, heads):
        return torch.cat([-heads, heads], 2)

    def combine(self, heads):
        return heads.mean(0)


def test_a_loss_of_ones_own_is_averaged_over_the_classes():
    found = OwnOutput().soft_losses(tensor([[[0.0]]]), tensor([[[0.75, 0.25]]]))
    assert found.item() == pytest.approx(0.25)


def test_tasks_of_several_outputs():
    structure = IndependentStructure([2, SquaredErrorOutput(), 3, 2])
    logits = tensor([[LOG3, 5.0, *THREE, 0.0]])
    proba = tensor([[0.375, 0.625, 0.2, 0.3, 0.5, 1.0, 0.0]])
    found = structure.soft_losses(logits, proba)
    expected = [0.6996617, 0.0, 1.0667784, math.log(2)]
    assert found[0].tolist() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("structure", [FunnelStructure(2), ESCM2Structure("dr")])
def test_steps_of_a_funnel_are_products(structure):
    """The probability of the second step is 1/4: -(.1 log .25 + .9 log .75)."""
    logits = torch.zeros(1, sum(structure.head_widths), dtype=torch.float64)
    found = structure.soft_losses(logits, tensor([[0.5, 0.5, 0.9, 0.1]]))
    assert found[0].tolist() == pytest.approx([math.log(2), 0.3975433], abs=1e-6)


def test_a_structure_without_soft_losses():
    with pytest.raises(NotImplementedError, match="must define soft_losses to be"):
        Structure.soft_losses(SequentialStructure(2), torch.zeros(1, 2), None)


SOFT = SoftTargets(
    tensor([[0.75, 0.25], [0.4, 0.6], [0.0, 0.0]]),
    tensor([[0.5], [0.0], [1.0]]),
    tensor([[1.0], [2.0], [0.0]]),
)


def test_task_loss_by_hand():
    """Of both, of probabilities alone, and of a label alone, at even odds."""
    loss = TaskLoss(IndependentStructure([2]), tensor([1.5]), tensor([1.0]))
    logits, y, weight = tensor([[0.0]] * 3), tensor([[1.0]] * 3), tensor([[2.0]] * 3)
    found = loss.task_losses(logits, y, weight, SOFT)
    total = (0.5 * 2 + 1) + (0 + 2) + (2 + 0)
    assert found.item() == pytest.approx(math.log(2) * total / 3 / 1.5)
    alone = loss.task_losses(logits, y, None, SOFT)
    assert alone.item() == pytest.approx(math.log(2) * (1.5 + 2 + 1) / 3 / 1.5)


def test_task_loss_of_members():
    loss = TaskLoss(IndependentStructure([2]), tensor([1.0]), tensor([1.0]))
    members = tensor([[[0.0]] * 3, [[LOG3], [-1.0], [2.0]]])
    y, weight = tensor([[1.0], [0.0], [1.0]]), tensor([[1.0], [0.0], [1.0]])
    found = loss.task_losses(members, y, weight, SOFT)
    each = [loss.task_losses(logits, y, weight, SOFT) for logits in members]
    torch.testing.assert_close(found, torch.stack(each))


def test_auxiliary_losses_are_of_the_labels_alone():
    loss = TaskLoss(ESCM2Structure("ipw"), torch.ones(2), torch.ones(2))
    logits, y = torch.zeros(3, 2), torch.tensor([[1.0, 1.0], [1.0, 0.0], [0.0, 0.0]])
    soft = SoftTargets(torch.full((3, 4), 0.5), torch.zeros(3, 2), torch.ones(3, 2))
    _, found = loss.parts(logits, y, None, soft)
    _, expected = loss.parts(logits, y, None)
    assert found == expected

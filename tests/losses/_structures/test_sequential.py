import math
import pickle

import pytest
import torch

from sk_mtl.losses import (
    ClassOutput,
    IndependentStructure,
    SequentialStructure,
    TaskLoss,
)
from tests.losses._asserts import assert_close, gradient


def _logits(probabilities, dtype=torch.float64):
    return torch.logit(torch.tensor(probabilities, dtype=torch.float64)).to(dtype)


def _calibrator(structure, logits, weight=None):
    weight = torch.ones_like(logits) if weight is None else weight
    losses = structure.auxiliary_losses(logits, torch.zeros_like(logits), weight)
    assert tuple(losses) == structure.auxiliary_names == ("calibrator",)
    return losses["calibrator"]


def test_a_calibrator_by_hand(dtype):
    """Row 1 rises by 0.2 at step 2; row 2 by 0.1 at step 2 and by 0.3 at step 3."""
    structure = SequentialStructure(3, calibrator_weight=0.5)
    logits = _logits([[0.3, 0.5, 0.4], [0.1, 0.2, 0.5], [0.9, 0.5, 0.5]], dtype)
    assert_close(_calibrator(structure, logits), 0.5 * (0.2 + 0.1 + 0.3) / 3, 1e-6)


def test_weights_count_as_the_mean_of_both_steps(dtype):
    """The first row counts (2 + 0) / 2 = 1 and (0 + 3) / 2, the second nothing."""
    structure = SequentialStructure(3, calibrator_weight=1.0)
    logits = _logits([[0.1, 0.2, 0.5], [0.1, 0.9, 0.95]], dtype)
    weight = torch.tensor([[2.0, 0.0, 3.0], [0.0, 0.0, 0.0]], dtype=dtype)
    assert_close(_calibrator(structure, logits, weight), (0.1 + 1.5 * 0.3) / 2, 1e-6)


def test_only_steps_that_rise_are_moved_towards_each_other(dtype):
    structure = SequentialStructure(3)
    logits = _logits([[0.6, 0.4, 0.5]], dtype)
    grad = gradient(lambda z: _calibrator(structure, z), logits)
    assert_close(grad, [[0.0, -0.6 * 0.24, 0.6 * 0.25]], 1e-6)


def test_tasks_are_independent_binary_ones(dtype):
    structure, plain = SequentialStructure(3), IndependentStructure([2] * 3)
    assert structure.head_widths == (1, 1, 1)
    assert structure.head_tasks == (0, 1, 2)
    logits = torch.randn(2, 5, 3, dtype=dtype)
    y = torch.randint(0, 2, (5, 3)).to(dtype)
    row_losses = structure.row_losses(logits[0], y)
    assert torch.equal(row_losses, plain.row_losses(logits[0], y))
    assert torch.equal(structure.combine(logits), plain.combine(logits))
    for ours, theirs in zip(structure.log_proba(logits[0]), plain.log_proba(logits[0])):
        assert torch.equal(ours, theirs)


def test_training_on_the_calibrator_alone_puts_the_steps_in_order():
    structure = SequentialStructure(3, calibrator_weight=1.0)
    logits = torch.randn(50, 3, dtype=torch.float64, requires_grad=True)
    assert _calibrator(structure, logits.detach()) > 0.1
    optimizer = torch.optim.SGD([logits], lr=20.0)
    for _ in range(200):
        optimizer.zero_grad()
        _calibrator(structure, logits).backward()
        optimizer.step()
    assert _calibrator(structure, logits.detach()) < 0.01


def test_it_is_added_to_what_is_minimised(dtype):
    loss = TaskLoss(
        SequentialStructure(2, calibrator_weight=2.0),
        torch.tensor([1.0, 0.5]),
        torch.ones(2),
    ).to(dtype)
    logits, y = _logits([[0.5, 0.75]], dtype), torch.zeros(1, 2, dtype=dtype)
    # The mean weights make a row without weights count 1 and 2, so 1.5 in the mean.
    expected = math.log(2) + 2 * math.log(4) + 2 * 1.5 * 0.25
    assert_close(loss(logits, y), expected, 1e-6)


def test_one_step_has_nothing_to_calibrate(dtype):
    structure = SequentialStructure(1)
    assert _calibrator(structure, torch.ones(3, 1, dtype=dtype)) == 0


def test_the_steps_may_have_another_form_of_loss():
    output = ClassOutput(2, label_smoothing=0.2)
    structure = SequentialStructure(3, output=output)
    logits, y = torch.randn(5, 3), torch.randint(0, 2, (5, 3)).float()
    plain = IndependentStructure([output] * 3)
    assert_close(structure.row_losses(logits, y), plain.row_losses(logits, y))


def test_it_survives_pickle():
    structure = pickle.loads(pickle.dumps(SequentialStructure(3, calibrator_weight=2)))
    assert (structure.n_tasks, structure.calibrator_weight) == (3, 2)


def test_it_needs_a_step():
    with pytest.raises(ValueError, match="n_steps must be at least 1; found 0"):
        SequentialStructure(0)

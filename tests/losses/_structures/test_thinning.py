"""Probabilities of all rows after a training on thinned negatives, by hand."""

import pytest
import torch

from sk_mtl.losses import (
    ESCM2Structure,
    FunnelStructure,
    IndependentStructure,
    SequentialStructure,
)
from tests.estimators.common import refuse

RATE = 0.2
RATES = torch.tensor([[0.3, 0.4, 0.25], [1e-4, 0.01, 0.9]], dtype=torch.float64)


def thinned_steps(rates, step):
    """Probabilities of the steps of a chain if rows without a step are thinned.

    They are counted: of the rows lost at each step, and of those that reached all.
    """
    reached = rates.cumprod(1)
    before = torch.cat([torch.ones_like(reached[:, :1]), reached], 1)
    lost = before[:, :-1] - reached
    last = torch.cat([lost, reached[:, -1:]], 1)
    kept = torch.tensor([RATE if depth <= step else 1.0 for depth in range(4)])
    counts = last * kept
    shares = counts / counts.sum(1, keepdim=True)
    return shares.flip(1).cumsum(1).flip(1)[:, 1:]


def conditional(reached):
    return reached / torch.cat([torch.ones_like(reached[:, :1]), reached[:, :-1]], 1)


def positive(log_proba):
    return torch.stack([each[:, 1].exp() for each in log_proba], 1)


@pytest.mark.parametrize("make", [FunnelStructure, lambda n: ESCM2Structure(n_steps=n)])
@pytest.mark.parametrize("step", [0, 1, 2])
def test_steps_of_a_chain_are_of_all_rows(make, step):
    structure = make(3).with_thinning(step, RATE)
    logits = torch.logit(conditional(thinned_steps(RATES, step)))
    torch.testing.assert_close(positive(structure.answers(logits)), RATES.cumprod(1))
    found = positive(structure.conditional_log_proba(logits))
    torch.testing.assert_close(found, RATES)


def test_click_and_conversion_by_hand():
    # Of 100 rows 10 were clicked and 5 bought; of 90 others 18 are left.
    logits = torch.logit(torch.tensor([[10 / 28, 0.5]], dtype=torch.float64))
    structure = FunnelStructure(2).with_thinning(0, 0.2)
    found = positive(structure.answers(logits))
    torch.testing.assert_close(found, torch.tensor([[0.1, 0.05]]).double())


def test_heads_that_answer_no_task_are_left_alone():
    structure = ESCM2Structure("dr", n_steps=2)
    logits = torch.randn(4, 3, dtype=torch.float64)
    plain = structure.of_all_rows(logits)
    assert plain is logits
    thinned = structure.with_thinning(0, RATE)
    assert torch.equal(thinned.of_all_rows(logits)[:, 1:], logits[:, 1:])
    assert torch.equal(thinned.combine(logits[None]), structure.combine(logits[None]))


def test_losses_are_of_the_training_rows():
    structure, y = FunnelStructure(2), torch.tensor([[1.0, 0.0]])
    logits = torch.randn(1, 2)
    thinned = structure.with_thinning(0, RATE)
    assert torch.equal(thinned.row_losses(logits, y), structure.row_losses(logits, y))
    assert structure.thinning is None


def test_independent_task_is_shifted_and_no_other():
    logits = torch.randn(5, 5, dtype=torch.float64)
    structure = IndependentStructure([3, 2, 2])
    found = structure.with_thinning(1, RATE).answers(logits)
    before = structure.answers(logits)
    assert torch.equal(found[0], before[0])
    assert torch.equal(found[2], before[2])
    odds = (found[1][:, 1] - found[1][:, 0]).exp()
    thinned = (before[1][:, 1] - before[1][:, 0]).exp()
    torch.testing.assert_close(odds, RATE * thinned)


def test_steps_that_are_tasks_of_their_own_are_of_all_rows():
    structure = SequentialStructure(3).with_thinning(0, RATE)
    found = positive(structure.answers(torch.logit(thinned_steps(RATES, 0))))
    torch.testing.assert_close(found, RATES.cumprod(1))


def test_rate_of_1_changes_nothing():
    assert SequentialStructure(2).with_thinning(0, 1.0).thinning is None


def test_large_logits_stay_finite():
    logits = torch.tensor([[200.0, -300.0, 50.0], [-400.0, 90.0, -80.0]])
    for structure in (FunnelStructure(3), SequentialStructure(3)):
        for answer in structure.with_thinning(0, 1e-3).answers(logits):
            assert answer.isfinite().all()


def test_step_of_another_branch_is_refused():
    tree = FunnelStructure(4, [None, 0, 0, 1])
    assert tree.uncorrectable_tasks(0) == []
    assert tree.uncorrectable_tasks(3) == [2]
    assert SequentialStructure(3).uncorrectable_tasks(2) == [0, 1]
    refuse(
        lambda: tree.with_thinning(1, RATE),
        "The negatives of task 1 must determine how many rows of each other task are "
        "missing; found that they do not for tasks [2]. Thin the negatives of another "
        "task.",
    )
    refuse(
        lambda: tree.with_thinning(0, 0),
        "rate must be greater than 0 and at most 1; found 0. Give the share of the "
        "negative rows that was kept.",
    )
    both = tree.with_thinning(0, RATE)
    logits = torch.zeros(1, 4)
    found = positive(both.conditional_log_proba(logits))
    torch.testing.assert_close(found, torch.tensor([[1 / 6, 0.5, 0.5, 0.5]]))

"""Steps with a rate and a decay for each member, against torch's own optimisers."""

import numpy as np
import pytest
import torch
from torch import nn

from sk_mtl.estimators._training._member_rates import MemberRates
from sk_mtl.estimators._training._optimizers import keep_rows
from sk_mtl.estimators._training._schedules import StepRates

RATES, DECAYS = np.array([0.01, 0.1, 0.03]), np.array([0.5, 0.0, 0.1])
OPTIMIZERS = [
    torch.optim.AdamW,
    torch.optim.Adam,
    torch.optim.SGD,
    torch.optim.RMSprop,
]


def train(optimizer, weight, target, rates=None, steps=5):
    """Take steps that compute their own gradients, as those of skorch do."""

    def closure():
        optimizer.zero_grad()
        loss = ((weight - target) ** 2).sum()
        loss.backward()
        if rates is not None:
            rates.begin_step()
        return loss

    for _ in range(steps):
        optimizer.step(closure)


@pytest.mark.parametrize("scheduled", [False, True])
@pytest.mark.parametrize("cls", OPTIMIZERS)
def test_each_member_learns_as_it_would_alone(cls, scheduled):
    torch.manual_seed(0)
    start, target = torch.randn(2, 3, 4, dtype=torch.float64)
    stacked = nn.Parameter(start.clone())
    optimizer = cls([stacked], lr=0.05, weight_decay=0.2)
    share = (lambda step: 1 / step) if scheduled else (lambda step: 1.0)
    schedule = StepRates(optimizer, share)
    rates = MemberRates(optimizer, [stacked], RATES, DECAYS)
    train(optimizer, stacked, target, rates)
    rates.remove()
    schedule.remove()
    assert optimizer.param_groups[0]["weight_decay"] == 0.2
    assert optimizer.param_groups[0]["lr"] == 0.05
    for k in range(3):
        own = nn.Parameter(start[k].clone())
        alone = cls([own], lr=RATES[k], weight_decay=DECAYS[k])
        StepRates(alone, share)
        train(alone, own, target[k])
        torch.testing.assert_close(stacked[k], own, rtol=1e-9, atol=1e-12)


def test_the_decay_of_the_optimiser_stays_where_members_have_none():
    start, target = torch.ones(3, 1), torch.zeros(3, 1)
    stacked = nn.Parameter(start.clone())
    optimizer = torch.optim.AdamW([stacked], lr=0.1, weight_decay=0.5)
    rates = MemberRates(optimizer, [stacked], None, DECAYS * 0)
    train(optimizer, stacked, target, rates, steps=1)
    # Adam's first step is as long as the rate.
    torch.testing.assert_close(stacked.data, start - 0.1)
    stacked = nn.Parameter(start.clone())
    optimizer = torch.optim.AdamW([stacked], lr=0.1, weight_decay=0.5)
    rates = MemberRates(optimizer, [stacked], np.array([0.1, 0.2, 0.05]), None)
    train(optimizer, stacked, target, rates, steps=1)
    # A step of the own rate, and a decay by it.
    moved = torch.tensor([[0.1], [0.2], [0.05]]) * 1.5
    torch.testing.assert_close(stacked.data, start - moved)


def test_a_frozen_weight_is_left_alone():
    stacked, frozen = nn.Parameter(torch.ones(3, 2)), nn.Parameter(torch.ones(3, 2))
    frozen.requires_grad_(False)
    optimizer = torch.optim.AdamW([stacked, frozen], lr=0.1)
    rates = MemberRates(optimizer, [stacked, frozen], RATES, DECAYS)
    (stacked**2).sum().backward()
    rates.begin_step()
    optimizer.step()
    assert (frozen == 1).all()
    assert (stacked != 1).all()


def test_the_state_of_some_members_is_kept():
    stacked = nn.Parameter(torch.ones(3, 2))
    optimizer = torch.optim.AdamW([stacked], lr=0.1)
    (stacked * torch.arange(3.0)[:, None]).sum().backward()
    optimizer.step()
    stacked.data = stacked.data[[0, 2]]
    keep_rows(optimizer, [0, 2])
    state = optimizer.state[stacked]
    torch.testing.assert_close(state["exp_avg"], torch.tensor([[0.0, 0.0], [0.2, 0.2]]))
    assert state["step"].item() == 1
    stacked.grad = torch.ones(2, 2)
    optimizer.step()
    assert stacked.shape == (2, 2)

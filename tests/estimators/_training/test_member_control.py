"""The weights of each member, kept at its own best epoch."""

import numpy as np
import pytest
import torch
from torch import nn

from sk_mtl.estimators._training._control import NonFiniteLossError
from sk_mtl.estimators._training._member_control import MemberControl
from sk_mtl.estimators._training._monitor import Monitor
from sk_mtl.metrics import task_metric

LOSS = Monitor("valid_loss", None)
AUC = Monitor("valid_roc_auc", task_metric("roc_auc"), [0])


class Stacked(nn.Module):
    """Two members with a weight each, and a constant that they share."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(2, 1))
        self.register_buffer("edges", torch.ones(3))

    def own_names(self):
        return ["weight"]


def run(control, scores):
    """Show the control the scores of an epoch; weights are the epoch's number."""
    module = Stacked()
    for epoch, score in enumerate(scores, start=1):
        nn.init.constant_(module.weight, epoch)
        if control.end_epoch(module, epoch, np.array(score, dtype=float)):
            break
    control.restore(module)
    assert module.edges.tolist() == [1, 1, 1]
    return epoch, module.weight.flatten().tolist()


def test_each_member_is_kept_at_its_own_best_epoch():
    control = MemberControl(LOSS, patience=10)
    assert run(control, [(3, 5), (1, 4), (2, 3), (1.5, 6)]) == (4, [2, 3])
    found = control.members({})
    assert found["best_epoch"].tolist() == [2, 3]
    assert found["valid_loss"].tolist() == [1, 3]
    assert (control.best_epoch, control.best_score) == (3, 2)


def test_a_larger_value_may_be_better():
    control = MemberControl(AUC, patience=10)
    assert run(control, [(0.5, 0.9), (0.6, 0.7)]) == (2, [2, 1])


def test_training_ends_when_no_member_has_improved():
    scores = [(5, 5), (6, 4), (6, 3), (6, 6), (4, 6), (6, 6), (6, 6), (0, 0)]
    assert run(MemberControl(LOSS, patience=2), scores) == (7, [5, 3])


def test_small_gains_are_kept_and_yet_misses():
    control = MemberControl(LOSS, patience=2, tol=0.1)
    assert run(control, [(1, 2), (0.95, 1.95), (0.91, 2), (0, 0)]) == (3, [3, 2])


def test_a_value_that_is_undefined_later_is_a_miss():
    control = MemberControl(LOSS, patience=2)
    assert run(control, [(1, 2), (np.nan, 1), (0.5, np.nan)]) == (3, [3, 2])


def test_a_value_that_is_undefined_at_first():
    message = "'valid_roc_auc' is NaN for 1 of 2 members"
    with pytest.raises(ValueError, match=message):
        run(MemberControl(AUC), [(0.5, np.nan)])


def test_weights_that_are_infinite_are_not_kept():
    control, module = MemberControl(LOSS), Stacked()
    nn.init.constant_(module.weight, torch.inf)
    with pytest.raises(NonFiniteLossError):
        control.end_epoch(module, 1, np.array([1.0, 1.0]))
    assert control.best_epoch == 0


def test_the_rate_follows_the_mean_of_the_members():
    seen = []
    control = MemberControl(LOSS, schedule=seen.append)
    run(control, [(1, 3), (2, np.nan)])
    assert seen == [2, 2]


def test_members_that_were_dropped_keep_their_values():
    control = MemberControl(LOSS, patience=10)
    run(control, [(3, 5), (1, 6)])
    before = {"best_epoch": np.array([7, 8, 9]), "weight": np.array([0.5, 0, 0.5])}
    found = control.members(before)
    assert found["best_epoch"].tolist() == [2, 8, 1]
    np.testing.assert_array_equal(found["valid_loss"], [1, np.nan, 5])

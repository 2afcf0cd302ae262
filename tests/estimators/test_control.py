"""When training stops, and which weights are kept."""

import numpy as np
import pytest
import torch
from torch import nn

from sk_mtl.estimators._control import NonFiniteLossError, TrainingControl
from sk_mtl.estimators._monitor import Monitor
from sk_mtl.metrics import task_metric

LOSS = Monitor("valid_loss", None)
AUC = Monitor("valid_roc_auc", task_metric("roc_auc"), [0])


def run(control, scores):
    """Show the control one epoch per score; the weight is the epoch's number."""
    module = nn.Linear(1, 1, bias=False)
    for epoch, score in enumerate(scores, start=1):
        nn.init.constant_(module.weight, epoch)
        if control.end_epoch(module, epoch, score):
            break
    control.restore(module)
    return epoch, module.weight.item()


def test_the_smallest_loss_is_kept():
    control = TrainingControl(LOSS, patience=10)
    assert run(control, [3.0, 1.0, 2.0, 1.5]) == (4, 2)
    assert control.best_epoch == 2
    assert control.best_score == 1.0


def test_the_largest_metric_is_kept_where_greater_is_better():
    control = TrainingControl(AUC, patience=10)
    assert run(control, [0.5, 0.9, 0.7]) == (3, 2)
    assert control.best_score == 0.9


def test_it_stops_after_as_many_misses_as_the_patience():
    assert run(TrainingControl(LOSS, patience=3), [1, 2, 2, 2, 0])[0] == 4
    assert run(TrainingControl(LOSS, patience=1), [1, 2, 0])[0] == 2


def test_an_improvement_starts_the_patience_anew():
    scores = [5, 6, 4, 6, 3, 6, 6, 0]
    assert run(TrainingControl(LOSS, patience=2), scores) == (7, 5)


def test_a_gain_below_tol_is_kept_and_yet_a_miss():
    control = TrainingControl(LOSS, patience=2, tol=0.1)
    assert run(control, [1.0, 0.95, 0.91, 0.5]) == (3, 3)
    assert control.best_epoch == 3


def test_small_gains_add_up_against_the_same_reference():
    control = TrainingControl(LOSS, patience=2, tol=0.1)
    assert run(control, [1.0, 0.95, 0.85, 0.8, 0.7])[0] == 5


def test_an_equal_score_is_no_improvement():
    control = TrainingControl(LOSS, patience=9)
    assert run(control, [1.0, 1.0]) == (2, 1)


def test_without_a_monitor_the_latest_weights_are_kept():
    control = TrainingControl()
    assert run(control, [None, None, None]) == (3, 3)
    assert control.best_epoch == 3
    assert control.best_score is None


def test_kept_weights_are_a_copy():
    module = nn.Linear(1, 1, bias=False)
    nn.init.constant_(module.weight, 7)
    control = TrainingControl()
    control.end_epoch(module, 1, None)
    nn.init.constant_(module.weight, -1)
    assert control.restore(module)
    assert module.weight.item() == 7
    assert module.weight.requires_grad


def test_nothing_is_restored_before_the_first_epoch():
    module = nn.Linear(1, 1)
    before = module.weight.item()
    assert not TrainingControl().restore(module)
    assert module.weight.item() == before


def test_the_schedule_is_stepped_with_every_score():
    seen = []
    run(TrainingControl(LOSS, patience=9, schedule=seen.append), [3.0, 2.0])
    assert seen == [3.0, 2.0]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_not_finite_are_never_kept(value):
    module = nn.Linear(2, 1)
    with torch.no_grad():
        module.weight[0, 1] = value
    control = TrainingControl()
    with pytest.raises(NonFiniteLossError):
        control.end_epoch(module, 1, None)
    assert control.best_epoch == 0


def test_a_monitor_that_was_never_defined_says_so():
    with pytest.raises(ValueError) as caught:
        TrainingControl(AUC, patience=2).end_epoch(nn.Linear(1, 1), 1, np.nan)
    assert str(caught.value) == (
        "monitor must be defined on the validation rows; found that 'valid_roc_auc' is "
        "NaN. Give validation rows with labels of every class of what is monitored, or "
        "monitor something else."
    )


def test_a_monitor_that_is_undefined_later_counts_as_a_miss():
    assert run(TrainingControl(AUC, patience=2), [0.5, np.nan, np.nan, 1]) == (3, 1)

"""When training stops, and which weights are kept."""

import numpy as np
import pytest
import torch
from torch import nn

from sk_mtl.estimators._training._control import NonFiniteLossError, TrainingControl
from sk_mtl.estimators._training._monitor import Monitor
from sk_mtl.metrics import task_metric
from tests.estimators.memory import LargestTensor

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


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
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
        "NaN. Give validation rows with labels of every class of the monitored tasks, "
        "or set another monitor."
    )


def test_a_monitor_that_is_undefined_later_counts_as_a_miss():
    assert run(TrainingControl(AUC, patience=2), [0.5, np.nan, np.nan, 1]) == (3, 1)


class TableAndHead(nn.Module):
    """A table of which training reads few rows, a head and a counter."""

    def __init__(self, n_rows=5):
        super().__init__()
        self.table = nn.Parameter(torch.zeros(n_rows, 2))
        self.head = nn.Linear(2, 1)
        self.register_buffer("count", torch.tensor(0))

    def set(self, value, rows):
        """Set everything that training changes to a value."""
        with torch.no_grad():
            self.table[rows] = value
            self.head.weight.fill_(value)
            self.head.bias.fill_(value)
            self.count.fill_(int(value))


def rows_control(*rows, **options):
    return TrainingControl(rows={"table": torch.tensor(rows)}, **options)


def test_rows_that_training_changes_are_restored_from_the_best_epoch():
    module, rows = TableAndHead(), [0, 2, 3]
    control = rows_control(*rows, monitor=LOSS, patience=9)
    with torch.no_grad():
        module.table[1] = 0.1
        module.table[4] = -0.2
    parameters = list(module.parameters())
    for epoch, loss in enumerate([3.0, 1.0, 2.0], start=1):
        module.set(epoch, rows)
        control.end_epoch(module, epoch, loss)
    assert control.restore(module)
    expected = torch.tensor([2, 0.1, 2, 2, -0.2])[:, None].expand(5, 2)
    assert torch.equal(module.table, expected)
    assert module.head.weight.tolist() == [[2.0, 2.0]]
    assert module.head.bias.tolist() == [2.0]
    assert module.count.item() == 2
    # The optimiser goes on with the same parameters.
    assert all(a is b for a, b in zip(module.parameters(), parameters, strict=True))


def test_rows_that_are_not_named_stay_as_they_are():
    # Training leaves these rows alone; what else sets them is not taken back.
    module, control = TableAndHead(), rows_control(0)
    control.end_epoch(module, 1, None)
    module.set(7.0, [0, 4])
    control.restore(module)
    assert module.table[:, 0].tolist() == [0, 0, 0, 0, 7]
    assert module.head.bias.item() != 7


def test_kept_rows_are_a_copy():
    module, control = TableAndHead(), rows_control(0, 1, 2, 3, 4)
    module.set(1.0, range(5))
    control.end_epoch(module, 1, None)
    module.set(2.0, range(5))
    control.restore(module)
    assert module.table.eq(1).all()


def test_a_table_without_a_row_is_not_kept_at_all():
    module, control = TableAndHead(), TrainingControl(rows={"table": torch.arange(0)})
    control.end_epoch(module, 1, None)
    module.set(7.0, [1])
    control.restore(module)
    assert module.table[:, 0].tolist() == [0, 7, 0, 0, 0]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_kept_rows_must_be_finite_and_others_are_not_looked_at(value):
    module = TableAndHead()
    module.set(1.0, [0, 2])
    with torch.no_grad():
        module.table[1, 1] = value
    rows_control(0, 2).end_epoch(module, 1, None)
    with pytest.raises(NonFiniteLossError):
        rows_control(0, 1).end_epoch(module, 1, None)


def test_keeping_rows_makes_no_tensor_of_the_size_of_the_table():
    module = TableAndHead(n_rows=50_000)
    control, rows = rows_control(0, 7, 49_999), [0, 7, 49_999]
    with LargestTensor() as made:
        for epoch in (1, 2, 3):
            module.set(float(epoch), rows)
            control.end_epoch(module, epoch, None)
        control.restore(module)
    assert 0 < made.n_bytes <= 3 * 2 * 4
    with LargestTensor() as made:
        TrainingControl().end_epoch(module, 1, None)
    assert made.n_bytes == module.table.nbytes


def test_rows_and_whole_tensors_give_the_same_weights():
    rows, ends = torch.tensor([0, 3, 4]), []
    for named in ({}, {"table": rows}):
        torch.manual_seed(0)
        module = TableAndHead(9)
        nn.init.normal_(module.table)
        control = TrainingControl(LOSS, patience=9, rows=named)
        for epoch, loss in enumerate([2.0, 1.0, 3.0], start=1):
            with torch.no_grad():
                module.table[rows] += torch.randn(3, 2)
            control.end_epoch(module, epoch, loss)
        control.restore(module)
        ends.append(module.table.detach())
    assert torch.equal(*ends)

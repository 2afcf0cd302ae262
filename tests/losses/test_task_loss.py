import copy
import math
import pickle

import pytest
import torch

from sk_mtl.losses import FunnelStructure, IndependentStructure, TaskLoss
from tests.losses._asserts import assert_close, gradient

LN2, LN4 = math.log(2), math.log(4)


def _loss(mean_weights=(1.0, 1.0), task_weights=(1.0, 1.0), structure=None):
    return TaskLoss(
        structure or IndependentStructure([2, 2]),
        torch.tensor(mean_weights, dtype=torch.float64),
        torch.tensor(task_weights, dtype=torch.float64),
    )


def test_a_masked_weighted_mean_by_hand(dtype):
    """Task 1: (1 * ln 4 + 3 * ln 2) / (3 * 0.5); task 2: 2 * ln 2 / (3 * 0.25)."""
    logits = torch.tensor([[-math.log(3), 0.0], [0.0, 9.0], [7.0, 8.0]], dtype=dtype)
    y = torch.tensor([[1.0, 1.0], [0.0, 0.0], [0.0, 0.0]], dtype=dtype)
    weight = torch.tensor([[1.0, 2.0], [3.0, 0.0], [0.0, 0.0]], dtype=dtype)
    loss = _loss((0.5, 0.25), (1.0, 10.0)).to(dtype)
    first, second = (LN4 + 3 * LN2) / 1.5, 2 * LN2 / 0.75
    assert_close(loss.task_losses(logits, y, weight), [first, second])
    assert_close(loss(logits, y, weight), first + 10 * second)
    assert loss(logits, y, weight).dtype == dtype


def test_no_weight_is_the_mean_and_equals_ones_bit_for_bit(dtype):
    logits = torch.randn(33, 2, dtype=dtype)
    y = torch.randint(0, 2, (33, 2)).to(dtype)
    loss = _loss().to(dtype)
    plain = loss.task_losses(logits, y)
    expected = torch.nn.functional.binary_cross_entropy_with_logits(
        logits, y, reduction="none"
    )
    assert_close(plain, expected.mean(0))
    assert torch.equal(plain, loss.task_losses(logits, y, torch.ones_like(y)))


@pytest.mark.parametrize(
    "structure", [IndependentStructure([2, 2]), FunnelStructure(2)]
)
def test_a_missing_label_has_exactly_no_gradient(structure, dtype):
    logits = torch.tensor([[1.0, 40.0], [-200.0, 200.0]], dtype=dtype)
    loss = _loss(structure=structure).to(dtype)
    weight = torch.tensor([[1.0, 0.0], [0.0, 0.0]], dtype=dtype)
    grad = gradient(lambda z: loss(z, torch.zeros_like(z), weight), logits)
    assert grad[0, 0] != 0
    assert grad[0, 1] == 0
    assert bool((grad[1] == 0).all())


def test_the_value_in_place_of_a_missing_label_does_not_matter(dtype):
    loss = _loss(structure=IndependentStructure([3, 2])).to(dtype)
    logits = torch.randn(4, 4, dtype=dtype)
    weight = torch.tensor([[0.0, 1.0]] * 4, dtype=dtype)
    results = [
        loss(logits, torch.tensor([[filled, 1.0]] * 4, dtype=dtype), weight)
        for filled in (0.0, 2.0)
    ]
    assert torch.equal(results[0], results[1])


def test_a_batch_without_a_label_of_a_task_gives_zero_not_nan(dtype):
    loss = _loss((1.0, 0.02)).to(dtype)
    weight = torch.tensor([[1.0, 0.0]] * 3, dtype=dtype)
    zeros = torch.zeros(3, 2, dtype=dtype)
    assert_close(loss.task_losses(zeros, zeros, weight), [LN2, 0.0])


def _sparse_task():
    """12,800 rows in batches of 64, about 2 % of them with a label of task 2."""
    n = 12_800
    x = torch.randn(n, dtype=torch.float64)
    weight = torch.ones(n, 2, dtype=torch.float64)
    weight[:, 1] = (torch.rand(n) < 0.02).double()
    y = (torch.rand(n, 2) < 0.3).double()
    return x, y, weight


def _slopes(loss_of, x, y, weight, rows):
    """Return the gradient in the slopes of logits = slope * x, on some rows."""
    slopes = torch.full((2,), 0.5, dtype=torch.float64, requires_grad=True)
    logits = x[rows, None] * slopes
    loss_of(logits, y[rows], weight[rows]).backward()
    return slopes.grad


def test_sparse_labels_keep_their_gradient_over_batches():
    x, y, weight = _sparse_task()
    loss = _loss(tuple(weight.mean(0).tolist()))

    def own_sum(logits, y, weight):
        rows = loss.structure.row_losses(logits, y) * weight
        return (rows.sum(0) / weight.sum(0).clamp(min=1)).sum()

    batches = torch.arange(len(x)).split(64)
    empty = torch.stack([weight[rows, 1].sum() == 0 for rows in batches])
    assert 0.15 < empty.double().mean() < 0.4
    whole = _slopes(loss, x, y, weight, torch.arange(len(x)))
    mean, biased = (
        torch.stack([_slopes(f, x, y, weight, rows) for rows in batches]).mean(0)
        for f in (loss, own_sum)
    )
    assert_close(mean, whole)
    assert_close(biased[0], whole[0])
    assert abs(biased[1] / whole[1] - 1) > 0.15


def test_two_processes_with_half_a_batch_each_equal_one():
    x, y, weight = _sparse_task()
    loss = _loss(tuple(weight.mean(0).tolist()))
    halves = [_slopes(loss, x, y, weight, torch.arange(64) + s) for s in (0, 64)]
    one = _slopes(loss, x, y, weight, torch.arange(128))
    assert_close((halves[0] + halves[1]) / 2, one)


def test_task_weights_scale_the_sum_but_not_the_recorded_losses(dtype):
    logits = torch.randn(5, 2, dtype=dtype)
    y = torch.ones(5, 2, dtype=dtype)
    plain, weighted = (_loss(task_weights=w).to(dtype) for w in ((1, 1), (3.0, 0.0)))
    losses = plain.task_losses(logits, y)
    assert torch.equal(losses, weighted.task_losses(logits, y))
    assert_close(plain(logits, y), losses.double().sum())
    assert_close(weighted(logits, y), 3 * losses[0].double())
    assert bool((gradient(lambda z: weighted(z, y), logits)[:, 1] == 0).all())


def test_funnel_losses_add_up_over_the_entire_space(dtype):
    loss = _loss(structure=FunnelStructure(2)).to(dtype)
    zeros = torch.zeros(1, 2, dtype=dtype)
    y = torch.tensor([[1.0, 0.0]], dtype=dtype)
    assert_close(loss(zeros, y), LN2 + math.log(4 / 3))


def test_the_given_tensors_stay_the_callers():
    mean_weights = torch.ones(2)
    loss = TaskLoss(IndependentStructure([2, 2]), mean_weights, torch.ones(2))
    mean_weights.zero_()
    assert loss.mean_weights.tolist() == [1, 1]
    assert not list(loss.parameters())


@pytest.mark.parametrize(
    "copied", [copy.deepcopy, lambda loss: pickle.loads(pickle.dumps(loss))]
)
def test_copies_and_pickles_give_the_same_loss(copied):
    loss = _loss((0.5, 0.25), (1.0, 3.0))
    logits = torch.randn(5, 2, dtype=torch.float64)
    y = torch.ones_like(logits)
    assert torch.equal(loss(logits, y), copied(loss)(logits, y))


@pytest.mark.parametrize("name", ["mean_weights", "task_weights"])
def test_one_entry_per_task_is_required(name):
    with pytest.raises(ValueError, match=rf"{name} must have one.*2 tasks; found.*3"):
        _loss(**{name: (1.0, 1.0, 1.0)})


@pytest.mark.parametrize("mean_weights", [(1.0, 0.0), (1.0, float("nan"))])
def test_a_task_without_weight_is_refused(mean_weights):
    with pytest.raises(ValueError, match="must be positive for every task; found"):
        _loss(mean_weights)


class _WithShift(IndependentStructure):
    """Two binary tasks, a head beside theirs, and a loss of it on the rows' weights."""

    auxiliary_names = ("shift", "none")

    def __init__(self):
        super().__init__([2, 2])
        self.head_widths = (1, 1, 1)

    def row_losses(self, logits, y):
        return super().row_losses(logits[:, :2], y)

    def auxiliary_losses(self, logits, y, weight):
        shift = (weight[:, 1] * (logits[:, 2] - y[:, 0]) ** 2).mean()
        return {"shift": shift, "none": torch.zeros_like(shift)}


def test_structures_have_no_auxiliary_losses_by_themselves():
    structure = IndependentStructure([2, 3])
    zeros = torch.zeros(2, 4), torch.zeros(2, 2), torch.ones(2, 2)
    assert structure.auxiliary_names == ()
    assert structure.auxiliary_losses(*zeros) == {}
    assert structure.head_tasks == (0, 1)
    task_losses, auxiliary = _loss(structure=structure).parts(*zeros)
    assert torch.equal(task_losses, _loss(structure=structure).task_losses(*zeros))
    assert auxiliary == {}


def test_auxiliary_losses_are_minimised_and_no_part_of_the_tasks(dtype):
    """Weights of task 2 are divided by their mean 0.5: (2 * 1 + 4 * 9) / 2."""
    loss = _loss((1.0, 0.5), (1.0, 0.0), structure=_WithShift()).to(dtype)
    plain = _loss((1.0, 0.5), (1.0, 0.0)).to(dtype)
    logits = torch.tensor([[0.5, -1.0, 2.0], [1.0, 0.0, 3.0]], dtype=dtype)
    y = torch.tensor([[1.0, 0.0], [0.0, 1.0]], dtype=dtype)
    weight = torch.tensor([[1.0, 1.0], [0.0, 2.0]], dtype=dtype)
    task_losses, auxiliary = loss.parts(logits, y, weight)
    assert torch.equal(task_losses, loss.task_losses(logits, y, weight))
    assert torch.equal(task_losses, plain.task_losses(logits[:, :2], y, weight))
    assert_close(auxiliary["shift"], 19.0)
    total = loss.total(task_losses, auxiliary)
    assert torch.equal(loss(logits, y, weight), total)
    assert_close(total, plain(logits[:, :2], y, weight).double() + 19)
    assert_close(loss.total(task_losses), total.double() - 19, 1e-5)


def test_no_weight_is_a_weight_of_one_in_auxiliary_losses(dtype):
    loss = _loss((1.0, 0.5), structure=_WithShift()).to(dtype)
    logits, y = torch.randn(5, 3, dtype=dtype), torch.ones(5, 2, dtype=dtype)
    plain, ones = (loss.auxiliary_losses(logits, y, w) for w in (None, y))
    assert torch.equal(plain["shift"], ones["shift"])


def test_members_may_have_weights_of_their_own(dtype):
    loss = _loss((1.0, 0.5), (1.0, 3.0), structure=_WithShift()).to(dtype)
    logits, weight = torch.randn(3, 5, 3, dtype=dtype), torch.rand(3, 5, 2, dtype=dtype)
    y = torch.randint(0, 2, (5, 2)).to(dtype)
    alone = [loss.parts(one, y, own) for one, own in zip(logits, weight, strict=True)]
    losses, auxiliary = loss.parts(logits, y, weight)
    assert_close(losses, torch.stack([own for own, _ in alone]).double())
    shifts = torch.stack([own["shift"] for _, own in alone])
    assert_close(auxiliary["shift"], shifts.mean().double())


def test_auxiliary_losses_of_members_are_those_of_each(dtype):
    loss = _loss((1.0, 0.5), (1.0, 3.0), structure=_WithShift()).to(dtype)
    logits, weight = torch.randn(3, 5, 3, dtype=dtype), torch.rand(5, 2, dtype=dtype)
    y = torch.randint(0, 2, (5, 2)).to(dtype)
    together = loss.auxiliary_losses(logits, y, weight)["shift"]
    each = [loss.auxiliary_losses(one, y, weight)["shift"] for one in logits]
    assert_close(together, torch.stack(each).mean().double())
    alone = sum(loss(one, y, weight) for one in logits)
    assert_close(loss(logits, y, weight), alone.double(), 1e-5)
    ours = gradient(lambda z: loss(z, y, weight), logits)
    one = gradient(lambda z: loss(z, y, weight), logits[1])
    assert_close(ours[1], one.double(), 1e-5)

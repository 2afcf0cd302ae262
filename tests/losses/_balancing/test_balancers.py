"""Balancers on two quadratics that share a point, each with a known answer."""

import contextlib
import math
from functools import partial

import pytest
import torch

from sk_mtl.losses import (
    AGGREGATORS,
    WEIGHTINGS,
    AggregatedBalancer,
    FixedBalancer,
    GradientConflict,
    GradNormBalancer,
    MetaBalancer,
    ScalarizedBalancer,
    make_balancer,
)
from sk_mtl.losses._balancing._balance_methods import NEED_POSITIVE_LOSSES
from sk_mtl.losses._balancing._task_gradients import SharedRows

A, B = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])


def _losses(x, scale=1.0):
    """Squared distances to A and B; the second task's is scaled."""
    return torch.stack([(x - A).square().sum(), scale * (x - B).square().sum()]) + 0.1


def _minimise(balancer, *, scale=1.0, steps=400, lr=0.05, start=(2.0, -1.0)):
    x = torch.tensor(start, requires_grad=True)
    for _ in range(steps):
        x.grad = None
        balancer.backward(_losses(x, scale), None, [x])
        with torch.no_grad():
            x -= lr * x.grad
        balancer.end_step(partial(_losses, x.detach(), scale))
    return x.detach()


@pytest.mark.parametrize(
    ("weights", "least"), [([1.0, 1.0], [0.5, 0.5]), ([3.0, 1.0], [0.75, 0.25])]
)
def test_fixed_weights_end_at_the_weighted_mean(weights, least):
    x = _minimise(FixedBalancer(torch.tensor(weights)))
    torch.testing.assert_close(x, torch.tensor(least), atol=1e-3, rtol=0)


def test_the_sum_over_members_is_minimised():
    losses = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    total = FixedBalancer(torch.tensor([1.0, 10.0])).backward(losses, None, [])
    assert total.item() == 64
    assert losses.grad.tolist() == [[1, 10], [1, 10]]


def test_what_else_is_minimised_is_added():
    x = torch.zeros(2, requires_grad=True)
    for balancer in (FixedBalancer(torch.ones(2)), MetaBalancer(2)):
        x.grad = None
        balancer.backward(_losses(x), 5 * x.sum(), [x])
        torch.testing.assert_close(x.grad, torch.tensor([3.0, 3.0]))


def test_a_learnt_weight_of_uncertainty_is_the_inverse_loss():
    """exp(-s) L / 2 + s / 2 is least at exp(-s) = 1 / L."""
    torchjd = pytest.importorskip("torchjd.scalarization")
    balancer = ScalarizedBalancer(torchjd.UW(2))
    x = torch.zeros(1, requires_grad=True)
    for _ in range(2000):
        losses = torch.tensor([0.5, 4.0]) + 0 * x
        balancer.backward(losses, None, [x])
        balancer.end_step()
    torch.testing.assert_close(
        balancer.task_weights, 0.5 / torch.tensor([0.5, 4.0]), atol=1e-2, rtol=0
    )


def test_the_geometric_mean_weighs_by_the_inverse_loss():
    pytest.importorskip("torchjd")
    balancer = make_balancer("geometric", 2)
    x = torch.tensor([0.3, 0.0], requires_grad=True)
    losses = _losses(x)
    balancer.backward(losses, None, [x])
    ratio = balancer.task_weights[0] / balancer.task_weights[1]
    torch.testing.assert_close(ratio, (losses[1] / losses[0]).detach())


def test_members_share_the_weights_and_are_trained_as_alone():
    pytest.importorskip("torchjd")
    balancer = make_balancer("geometric", 2)
    losses = torch.tensor([[1.0, 4.0], [3.0, 12.0]], requires_grad=True)
    balancer.backward(losses, None, [])
    # The root of the product of the means, 2 and 8, by each of them, for each member.
    torch.testing.assert_close(losses.grad, torch.tensor([[1.0, 0.25]] * 2))


def test_dwa_weighs_what_falls_slowly():
    pytest.importorskip("torchjd")
    balancer = make_balancer("dwa", 2)
    x = torch.zeros(1, requires_grad=True)
    for epoch in range(3):
        losses = torch.tensor([1.0 / 2**epoch, 1.0]) + 0 * x
        balancer.backward(losses, None, [x])
        balancer.end_epoch()
    fast, slow = torch.softmax(torch.tensor([0.5, 1.0]) / 2, 0) * 2
    torch.testing.assert_close(balancer.task_weights, torch.stack([fast, slow]))


def test_famo_sees_the_losses_after_the_step():
    pytest.importorskip("torchjd")
    balancer = make_balancer("famo", 2)
    assert balancer.sees_new_losses
    x = torch.zeros(2, requires_grad=True)
    balancer.backward(_losses(x), None, [x])
    before = balancer.scalarizer._w.detach().clone()
    balancer.end_step(lambda: torch.tensor([0.1, 1.1]))
    assert not torch.equal(balancer.scalarizer._w, before)


def test_gradnorm_brings_gradients_to_one_size():
    """Losses that differ by a factor of 100 and keep their ratio: weights 100 to 1."""
    balancer = GradNormBalancer(2, alpha=0.0, lr=0.01)
    x = torch.zeros(2, requires_grad=True)
    for _ in range(3000):
        x.grad = None
        losses = torch.stack([x[0] + x[1] + 1, 9 * (x[0] - x[1]) + 1])
        balancer.backward(losses, None, [x])
    weights = balancer.task_weights
    assert weights.sum().item() == pytest.approx(2)
    assert (weights[0] / weights[1]).item() == pytest.approx(9, rel=0.1)


def test_metabalance_brings_the_others_to_the_main_size():
    balancer = MetaBalancer(2, relaxation=1.0, decay=0.0)
    x = torch.zeros(2, requires_grad=True)
    balancer.backward(torch.stack([x[0], 100 * x[1]]), None, [x])
    # Both tasks reach the one row, so the second counts as much as the first.
    torch.testing.assert_close(x.grad, torch.tensor([1.0, 100.0]))
    shared = torch.zeros(1, 2, requires_grad=True)
    balancer = MetaBalancer(2, relaxation=1.0, decay=0.0)
    balancer.backward(torch.stack([shared[0, 0], 100 * shared[0, 1]]), None, [shared])
    torch.testing.assert_close(shared.grad, torch.tensor([[1.0, 1.0]]))


def test_half_relaxed_metabalance_by_hand():
    balancer = MetaBalancer(2, relaxation=0.5, decay=0.0)
    x = torch.zeros(1, 2, requires_grad=True)
    balancer.backward(torch.stack([2 * x[0, 0], 8 * x[0, 1]]), None, [x])
    torch.testing.assert_close(x.grad, torch.tensor([[2.0, (0.5 / 4 + 0.5) * 8]]))


def _published_metabalance(gradients, relaxation=0.7, decay=0.9):
    """The authors' recursion on one layer, (n_steps, n_tasks, ...) -> (n_steps, ...)"""
    norms, sums = [0.0] * len(gradients[0]), []
    for step in gradients:
        norms = [decay * m + (1 - decay) * g.norm() for m, g in zip(norms, step)]
        ratios = [relaxation * norms[0] / m + 1 - relaxation for m in norms]
        sums.append(sum(ratio * g for ratio, g in zip(ratios, step)))
    return torch.stack(sums)


def _combined_metabalance(gradients):
    """What the balancer makes of the same gradients of one parameter."""
    balancer, sums = MetaBalancer(gradients.shape[1]), []
    x = torch.zeros(gradients.shape[2:], requires_grad=True)
    for step in gradients:
        x.grad = None
        balancer.backward((step * x).flatten(1).sum(1), None, [x])
        sums.append(x.grad.clone())
    return torch.stack(sums)


@pytest.mark.parametrize("n_tasks", [2, 3])
def test_metabalance_starts_its_averages_at_zero(n_tasks):
    """One unlucky first batch is forgotten as fast as any other."""
    generator = torch.Generator().manual_seed(0)
    gradients = torch.randn(30, n_tasks, 4, 5, generator=generator)
    gradients[0, 1] *= 100
    torch.testing.assert_close(
        _combined_metabalance(gradients), _published_metabalance(gradients)
    )


def test_metabalance_takes_the_norms_of_each_stacked_layer_by_itself():
    generator = torch.Generator().manual_seed(0)
    gradients = torch.randn(5, 2, 3, 4, 2, generator=generator)
    gradients[:, 1, 0] *= 100
    layers = [_published_metabalance(gradients[:, :, layer]) for layer in range(3)]
    torch.testing.assert_close(
        _combined_metabalance(gradients), torch.stack(layers, dim=1)
    )


def test_metabalance_leaves_out_the_rows_that_one_task_has_alone():
    balancer = MetaBalancer(2, relaxation=1.0, decay=0.0)
    x = torch.zeros(2, 1, requires_grad=True)
    losses = torch.stack([3 * x[0, 0] + 50 * x[1, 0], 8 * x[0, 0]])
    balancer.backward(losses, None, [x])
    # On the shared row both count 3.
    torch.testing.assert_close(x.grad, torch.tensor([[6.0], [50.0]]))


def test_pcgrad_takes_out_what_conflicts():
    """Of (1, 0) and (-1, 1) each loses its part against the other one."""
    pytest.importorskip("torchjd")
    balancer = make_balancer("pcgrad", 2)
    x = torch.zeros(1, 2, requires_grad=True)
    balancer.backward(torch.stack([x[0, 0], -x[0, 0] + x[0, 1]]), None, [x])
    torch.testing.assert_close(x.grad, torch.tensor([[0.5, 1.5]]))


def test_mgda_stands_still_where_no_task_can_gain_without_loss():
    pytest.importorskip("torchjd")
    balancer = make_balancer("mgda", 2)
    x = (0.25 * A + 0.75 * B).view(1, 2).requires_grad_()
    balancer.backward(_losses(x[0]), None, [x])
    assert x.grad.abs().max() < 1e-3


@pytest.mark.parametrize("name", sorted(AGGREGATORS))
@pytest.mark.parametrize("size", [math.nan, math.inf, 1e30])
def test_no_solver_speaks_for_itself_about_gradients_that_are_not_finite(name, size):
    pytest.importorskip("torchjd")
    balancer = make_balancer(name, 2)
    x = torch.ones(3, requires_grad=True)
    losses = size * torch.stack([x.sum(), x[:2].sum() - x[2]])
    # Either the gradients show it in the end, or the error does.
    with contextlib.suppress(FloatingPointError):
        balancer.backward(losses, None, [x])


def test_an_error_of_an_aggregator_about_finite_gradients_is_its_own():
    def fail(jacobian):
        raise ValueError("no such matrix")

    balancer = AggregatedBalancer(fail, torch.ones(2))
    x = torch.full((2,), 3.0, requires_grad=True)
    with pytest.raises(ValueError, match="no such matrix"):
        balancer.backward(_losses(x), None, [x])
    with pytest.raises(FloatingPointError, match="a gradient is NaN or too large"):
        balancer.backward(1e38 * _losses(x), None, [x])


@pytest.mark.parametrize(
    ("aggregator", "found"),
    [
        (lambda jacobian: jacobian, r"\(2, 2\)"),
        (lambda jacobian: None, "NoneType"),
    ],
)
def test_an_aggregator_returns_a_number_for_each_column(aggregator, found):
    balancer = AggregatedBalancer(aggregator, torch.ones(2))
    x = torch.full((2,), 3.0, requires_grad=True)
    message = rf"\(n_shared,\); found {found}. Return one number for each column"
    with pytest.raises(ValueError, match=message):
        balancer.backward(_losses(x), None, [x])


def test_only_what_tasks_share_is_joined():
    """The towers' rows get their own gradients, whatever the aggregator returns."""
    shared = torch.ones(2, requires_grad=True)
    towers = torch.ones(2, 3, requires_grad=True)
    balancer = AggregatedBalancer(lambda jacobian: 0 * jacobian[0] + 7, torch.ones(2))
    losses = torch.stack(
        [shared.sum() * towers[0].sum(), towers[1].sum() * shared.sum()]
    )
    balancer.backward(losses, None, [shared, towers])
    assert shared.grad.tolist() == [7, 7]
    assert towers.grad.tolist() == [[2, 2, 2], [2, 2, 2]]


def test_a_row_is_shared_from_the_first_batch_on_in_which_two_losses_reach_it():
    rows, table = SharedRows(), torch.ones(3, 1, requires_grad=True)

    def shared(first, second):
        losses = torch.stack([table[first].sum(), table[second].sum()])
        return rows.differentiate(losses, [table]).shared[0].tolist()

    assert shared([0], [1]) == [False, False, False]
    assert shared([0, 1], [1]) == [False, True, False]
    assert shared([0], [2]) == [False, True, False]


@pytest.mark.parametrize("name", sorted(WEIGHTINGS))
def test_every_weighting_makes_progress(name):
    if name not in ("gradnorm", "metabalance"):
        pytest.importorskip("torchjd")
    start = _losses(torch.tensor([2.0, -1.0]), 5.0)
    x = _minimise(make_balancer(name, 2), scale=5.0, lr=0.01)
    assert bool((_losses(x, 5.0) < start).all())


# Where no task can gain, IMTL-G goes on along the line between them.
@pytest.mark.parametrize("name", sorted({*WEIGHTINGS, *AGGREGATORS} - {"imtl_g"}))
def test_between_equal_tasks_every_method_ends_in_the_middle(name):
    """From where both are equally far away, and none is in any way before the other."""
    if name not in ("gradnorm", "metabalance"):
        pytest.importorskip("torchjd")
    torch.manual_seed(0)
    x = _minimise(make_balancer(name, 2), lr=0.05, steps=90, start=(2.0, 2.0))
    # Two of them draw at random.
    drawn = name in ("random", "graddrop")
    assert (x - 0.5).abs().max() < (0.1 if drawn else 0.05)


def test_imtl_g_has_equal_projections_on_all_gradients():
    pytest.importorskip("torchjd")
    x = torch.tensor([2.0, -1.0], requires_grad=True)
    losses = _losses(x, 5.0)
    gradients = [torch.autograd.grad(each, x, retain_graph=True)[0] for each in losses]
    make_balancer("imtl_g", 2).backward(losses, None, [x])
    onto = [(x.grad @ each / each.norm()).item() for each in gradients]
    assert onto[0] == pytest.approx(onto[1], rel=1e-4)


@pytest.mark.parametrize("name", sorted(AGGREGATORS))
def test_every_aggregator_makes_progress(name):
    pytest.importorskip("torchjd")
    start = _losses(torch.tensor([2.0, -1.0]))
    balancer = make_balancer(name, 2)
    x = _minimise(balancer, lr=0.01, steps=60)
    assert bool((_losses(x) < start).all())


def test_conflict_is_the_cosine():
    conflict, x = GradientConflict(every=2), torch.zeros(1, 2, requires_grad=True)
    for sign in (1.0, 5.0, -1.0):
        losses = torch.stack([x[0, 0], sign * x[0, 0] + x[0, 1]])
        conflict.observe(losses, [x])
        losses.sum().backward()
    found = conflict.end_epoch()
    assert found == {(0, 1): pytest.approx(0, abs=1e-6)}
    conflict.observe(torch.stack([x[0, 0], 3 * x[0, 0]]), [x])
    assert conflict.end_epoch() == {(0, 1): pytest.approx(1)}


def test_no_method_is_the_weighted_sum():
    losses = torch.tensor([2.0, 3.0], requires_grad=True)
    for weights, total in ((None, 5), (torch.tensor([2.0, 0.5]), 5.5)):
        balancer = make_balancer(None, 2, weights)
        assert balancer.backward(losses, None, [losses]).item() == total


@pytest.mark.parametrize("given", [sum, "pcgrad"])
def test_weights_multiply_gradients_before_they_are_joined(given):
    if given == "pcgrad":
        pytest.importorskip("torchjd")
    x = torch.tensor([1.0, 1.0], requires_grad=True)
    make_balancer(given, 2, torch.tensor([3.0, 0.5])).backward(x**2, None, [x])
    assert x.grad.tolist() == [6.0, 1.0]


def test_an_object_is_copied():
    scalarization = pytest.importorskip("torchjd.scalarization")
    given = scalarization.UW(2)
    before = [each.clone() for each in given.parameters()]
    balancer = make_balancer(given, 2)
    _minimise(balancer, lr=0.01)
    named = _minimise(make_balancer("uncertainty", 2), lr=0.01)
    torch.testing.assert_close(_minimise(make_balancer(given, 2), lr=0.01), named)
    assert all(map(torch.equal, given.parameters(), before))


def test_unknown_names_are_told():
    every = [*WEIGHTINGS, *AGGREGATORS]
    assert len(every) == len(set(every)) == 23
    for wrong, remedy in (
        ("fair", "Did you mean 'fairgrad'?"),
        (3, "Use one of these."),
    ):
        with pytest.raises(ValueError) as caught:
            make_balancer(wrong, 2)
        assert str(caught.value) == (
            f"balancing must be None, one of {every}, an aggregator of "
            "torchjd.aggregation or a scalarizer of torchjd.scalarization; found "
            f"{wrong!r}. {remedy}"
        )


def test_a_weighting_of_gradients_is_to_be_wrapped():
    aggregation = pytest.importorskip("torchjd.aggregation")
    with pytest.raises(ValueError, match=r"Write GramianWeightedAggregator\(MGDAWeig"):
        make_balancer(aggregation.MGDAWeighting(), 2)
    wrapped = aggregation.GramianWeightedAggregator(aggregation.MGDAWeighting())
    x = _minimise(make_balancer(wrapped, 2), lr=0.01, steps=60)
    named = _minimise(make_balancer("mgda", 2), lr=0.01, steps=60)
    torch.testing.assert_close(x, named)


def test_weights_meet_a_method_that_sets_its_own():
    with pytest.raises(ValueError) as caught:
        make_balancer("dwa", 2, torch.tensor([2.0, 1.0]))
    assert str(caught.value) == (
        "task_weights must be None where the balancing sets weights of its own; found "
        "[2.0, 1.0] with balancing='dwa'. Leave task_weights out, or balance "
        "gradients, such as by 'pcgrad'."
    )


@pytest.mark.parametrize("name", sorted(NEED_POSITIVE_LOSSES))
def test_losses_that_can_be_negative_are_not_divided(name):
    with pytest.raises(ValueError, match=f"balancing='{name}' needs losses that"):
        make_balancer(name, 2, may_be_negative=True)


@pytest.mark.parametrize("name", sorted(set(WEIGHTINGS) - NEED_POSITIVE_LOSSES))
def test_other_weightings_take_losses_that_can_be_negative(name):
    if name != "metabalance":
        pytest.importorskip("torchjd")
    balancer = make_balancer(name, 2, may_be_negative=True)
    x = torch.ones(2, requires_grad=True)
    total = balancer.backward(x * torch.tensor([1.0, -1.0]), None, [x])
    assert bool(total.isfinite())
    assert bool(x.grad.isfinite().all())


@pytest.mark.parametrize("name", sorted(WEIGHTINGS))
def test_a_task_without_a_label_in_the_batch_is_left_alone(name):
    """Every second batch has no label of the second task: its loss is zero."""
    if name not in ("gradnorm", "metabalance"):
        pytest.importorskip("torchjd")
    torch.manual_seed(0)
    balancer = make_balancer(name, 2)
    x = torch.tensor([2.0, 2.0], requires_grad=True)

    def losses(step):
        return _losses(x) * torch.tensor([1.0, step % 2])

    for step in range(200):
        x.grad = None
        total = balancer.backward(losses(step), None, [x])
        assert bool(total.isfinite())
        assert bool(x.grad.isfinite().all())
        with torch.no_grad():
            x -= 0.02 * x.grad
        balancer.end_step(partial(losses, step))
        if step % 50 == 49:
            balancer.end_epoch()
    # Neither task has taken over: both have come nearer.
    assert bool((_losses(x) < _losses(torch.tensor([1.5, 1.5]))).all())


def test_gradnorm_waits_for_the_first_label_of_a_task():
    balancer = GradNormBalancer(2)
    x = torch.tensor([2.0, 2.0], requires_grad=True)
    for weights in ([1.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.5, 1.0]):
        balancer.backward(_losses(x) * torch.tensor(weights), None, [x])
        if weights[1] == 0:
            assert balancer.task_weights.tolist() == [1, 1]
    # The first task's loss has halved, so the second is the slow one.
    assert balancer.task_weights[1] > balancer.task_weights[0]

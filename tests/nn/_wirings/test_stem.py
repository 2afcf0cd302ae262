import copy

import pytest
import torch

from sk_mtl.nn import STEM, Encoded
from tests.nn._asserts import (
    assert_close,
    assert_every_parameter_learns,
    operations,
    set_values,
)
from tests.nn._networks import (
    assert_members_run_as_if_alone,
    assert_network_exports,
    make_encoded,
    make_network,
    randomise_norms,
)

SIZES = {"n_shared_experts": 2, "n_task_experts": 3, "expert_hidden_sizes": (6, 5)}
LN2 = 0.6931471805599453


def test_two_tasks_by_hand(put):
    """Experts 1x and 10x of the tasks and 100x of the shared row, gates (2, 1, 1)/4.

    The first gate prefers the first task's expert; the second gate is (1, 1, 2)/4.
    """
    wiring = put(STEM(1, 2, expert_hidden_sizes=(1,)))
    set_values(wiring.task_experts.first.weight, [[[1.0]], [[10.0]]])
    set_values(wiring.task_experts.first.bias, [[[0.0]], [[0.0]]])
    set_values(wiring.shared_experts.first.weight, [[100.0]])
    set_values(wiring.shared_experts.first.bias, [0.0])
    wiring.gates.scores.weight.data.zero_()
    set_values(wiring.gates.scores.bias, [[[LN2, 0.0, 0.0]], [[0.0, 0.0, LN2]]])
    rows = torch.tensor([[[4.0], [8.0]]])
    encoded = Encoded(put(torch.tensor([[2.0]])), put(rows))
    assert_close(
        wiring.gate_weights(encoded)[0], [[[0.5, 0.25, 0.25], [0.25, 0.25, 0.5]]]
    )
    assert_close(wiring(encoded), [[[2 + 20 + 50], [1 + 20 + 100]]])


def test_a_gate_reads_the_sum_of_the_shared_and_the_tasks_row(put):
    wiring = put(STEM(1, 2, expert_hidden_sizes=(1,)))
    set_values(wiring.gates.scores.weight, [[[LN2, 0.0, 0.0]], [[0.0, 0.0, LN2]]])
    wiring.gates.scores.bias.data.zero_()
    encoded = Encoded(put(torch.tensor([[1.5]])), put(torch.tensor([[[-0.5], [-1.5]]])))
    even = [1 / 3] * 3
    assert_close(wiring.gate_weights(encoded)[0], [[[0.5, 0.25, 0.25], even]])


def _dense(row, linear, k):
    return torch.tanh(row @ linear.weight[k] + linear.bias[k])


@pytest.mark.parametrize("expert_sizes", [(5,), (6, 5)])
@pytest.mark.parametrize("gate_sizes", [(), (4,)])
def test_it_is_the_loop_over_tasks_and_experts(expert_sizes, gate_sizes, put):
    wiring = STEM(
        4,
        3,
        n_shared_experts=2,
        n_task_experts=2,
        expert_hidden_sizes=expert_sizes,
        gate_hidden_sizes=gate_sizes,
        activation="tanh",
    )
    wiring, encoded = put(wiring), make_encoded(put)
    experts = []
    for k in range(3):
        first = _dense(encoded.per_task[:, k], wiring.task_experts.first, k)
        for e, row in enumerate(first.chunk(2, 1)):
            for dense in wiring.task_experts.deeper.layers[::2]:
                row = _dense(row, dense, 2 * k + e)
            experts.append(row)
    first = torch.tanh(wiring.shared_experts.first(encoded.shared))
    for e, row in enumerate(first.chunk(2, 1)):
        for dense in wiring.shared_experts.deeper.layers[::2]:
            row = _dense(row, dense, e)
        experts.append(row)
    results = []
    for k in range(3):
        row = encoded.shared + encoded.per_task[:, k]
        for dense in wiring.gates.hidden.layers[::2]:
            row = _dense(row, dense, k)
        scores = row @ wiring.gates.scores.weight[k] + wiring.gates.scores.bias[k]
        weights = scores.exp() / scores.exp().sum(1, keepdim=True)
        results.append(sum(weights[:, [e]] * out for e, out in enumerate(experts)))
    assert wiring(encoded).shape == (8, 3, wiring.out_width) == (8, 3, 5)
    assert_close(wiring(encoded), torch.stack(results, 1))


def _gradients_of_task(wiring, encoded, k):
    """Return what reaches each task's row and expert layers, by one task's loss."""
    encoded.per_task.grad = None
    wiring.zero_grad()
    wiring(encoded)[:, k].square().sum().backward()
    experts = wiring.task_experts
    layers = [experts.first, *experts.deeper.layers[::2]]
    return [
        encoded.per_task.grad.transpose(0, 1),
        *(p.grad.reshape(3, -1) for layer in layers for p in layer.parameters()),
    ]


@pytest.mark.parametrize("task", [0, 1, 2])
def test_a_loss_trains_no_other_tasks_experts_and_embeddings(task, put):
    wiring, encoded = put(STEM(4, 3, **SIZES)), make_encoded(put)
    encoded.per_task.requires_grad_()
    encoded.shared.requires_grad_()
    for gradient in _gradients_of_task(wiring, encoded, task):
        reached = gradient.flatten(1).any(1)
        assert reached.tolist() == [k == task for k in range(3)]
    assert bool(encoded.shared.grad.any())
    assert all(bool(p.grad.any()) for p in wiring.shared_experts.parameters())
    for parameter in wiring.gates.parameters():
        reached = parameter.grad.flatten(1).any(1)
        assert reached.tolist() == [k == task for k in range(3)]


@pytest.mark.parametrize("task", [0, 1, 2])
def test_a_loss_trains_no_other_tasks_tables(task, put):
    network = put(make_network(STEM, 3, **SIZES))
    codes, numeric = put(torch.randint(0, 4, (16, 3))), put(torch.randn(16, 2))
    network(codes, numeric)[:, task].sum().backward()
    reached = [bool(e.tables[0].grad.any()) for e in network.encoder.encoders]
    assert reached == [True, *(k == task for k in range(3))]


def test_a_result_changes_with_other_tasks_rows_and_experts(put):
    wiring, encoded = put(STEM(4, 3, **SIZES)), make_encoded(put)
    before = wiring(encoded)
    moved = encoded.per_task.clone()
    moved[:, 1] += 1
    changed = (wiring(encoded._replace(per_task=moved)) - before).abs().amax((0, 2))
    assert bool((changed > 1e-3).all())
    wiring.task_experts.first.weight.data[1] += 1
    changed = (wiring(encoded) - before).abs().amax((0, 2))
    assert bool((changed > 1e-3).all())


def test_the_gradient_is_that_of_the_mixture_with_constants_for_other_tasks(put):
    wiring, encoded = put(STEM(4, 3, **SIZES)), make_encoded(put)
    encoded.per_task.requires_grad_()
    _, *found = _gradients_of_task(wiring, encoded, 1)
    own = encoded.per_task.grad[:, 1].clone()
    frozen = wiring.task_experts(encoded.per_task.transpose(0, 1)).detach()
    encoded.per_task.grad = None
    wiring.zero_grad()
    experts = wiring.task_experts(encoded.per_task.transpose(0, 1))
    experts = torch.cat([frozen[:, :1], experts[:, 1:2], frozen[:, 2:]], 1)
    shared = wiring.shared_experts(encoded.shared)
    experts = torch.cat([experts.flatten(1, 2), shared], 1)
    weights = wiring.gate_weights(encoded)[0][:, [1]]
    torch.bmm(weights, experts).square().sum().backward()
    assert_close(own, encoded.per_task.grad[:, 1])
    assert_close(found[0], wiring.task_experts.first.weight.grad.reshape(3, -1))


def test_a_single_task_mixes_its_own_and_the_shared_experts(put):
    wiring, encoded = put(STEM(4, 1, **SIZES)), make_encoded(put, n_tasks=1)
    own = wiring.task_experts(encoded.per_task.transpose(0, 1)).flatten(1, 2)
    experts = torch.cat([own, wiring.shared_experts(encoded.shared)], 1)
    mixed = torch.bmm(wiring.gate_weights(encoded)[0], experts)
    assert_close(wiring(encoded), mixed)
    assert_every_parameter_learns(wiring, wiring(encoded))


def test_permuting_tasks_permutes_the_result(put):
    wiring, encoded = put(STEM(4, 3, expert_hidden_sizes=(6, 5))), make_encoded(put)
    order, moved = [2, 0, 1], copy.deepcopy(wiring)
    for module in (moved.task_experts, moved.gates):
        for parameter in module.parameters():
            parameter.data = parameter.data[order]
    for parameter in moved.gates.scores.parameters():
        parameter.data = parameter.data[:, :, [*order, 3]]
    rows = moved(Encoded(encoded.shared, encoded.per_task[:, order]))
    assert_close(rows, wiring(encoded)[:, order])


@pytest.mark.parametrize("gate_sizes", [(), (4,)])
@pytest.mark.parametrize("batch_norm", [False, True])
def test_a_gradient_reaches_every_parameter(gate_sizes, batch_norm, put):
    wiring = STEM(
        4,
        3,
        activation="silu",
        batch_norm=batch_norm,
        gate_hidden_sizes=gate_sizes,
        **SIZES,
    )
    randomise_norms(wiring)
    wiring = put(wiring).eval()
    assert_every_parameter_learns(wiring, wiring(make_encoded(put)))


def test_experts_start_different(put):
    wiring = STEM(4, 3, n_task_experts=2, expert_hidden_sizes=(8,))
    weight = wiring.task_experts.first.weight.transpose(1, 2).flatten(0, 1)
    assert len(torch.unique(weight, dim=0)) == 3 * 2 * 8


@pytest.mark.parametrize("gate_sizes", [(), (4,)])
def test_operations_do_not_grow_with_experts_or_tasks(gate_sizes, put):
    counts = [
        operations(
            put(
                STEM(
                    4,
                    n_tasks,
                    n_shared_experts=n,
                    n_task_experts=n,
                    expert_hidden_sizes=(6, 5),
                    gate_hidden_sizes=gate_sizes,
                )
            ),
            make_encoded(put, n_tasks=n_tasks),
        )
        for n_tasks, n in ((2, 2), (20, 9))
    ]
    assert counts[0] == counts[1]


def test_dropout_acts_on_experts_in_training_only(put):
    wiring, encoded = put(STEM(4, 3, dropout=0.5, **SIZES)), make_encoded(put)
    assert not torch.equal(wiring(encoded), wiring(encoded))
    assert torch.equal(wiring.gate_weights(encoded)[0], wiring.gate_weights(encoded)[0])
    wiring.eval()
    assert torch.equal(wiring(encoded), wiring(encoded))


@pytest.mark.parametrize("n_rows", [0, 1])
def test_no_row_and_one_row(n_rows, put):
    wiring = put(STEM(4, 3, batch_norm=True, **SIZES))
    assert wiring(make_encoded(put, n_rows)).shape == (n_rows, 3, 5)


def test_experts_need_a_layer():
    with pytest.raises(ValueError, match=r"expert_hidden_sizes must hold .* \(\)"):
        STEM(4, 2, expert_hidden_sizes=())


@pytest.mark.parametrize("sharing", ["most", "embedding", "none"])
def test_members_of_an_ensemble_run_as_if_alone(sharing):
    assert_members_run_as_if_alone(STEM, sharing, **SIZES)


def test_a_network_is_exported():
    assert_network_exports(STEM, **SIZES)

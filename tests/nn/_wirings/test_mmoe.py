import copy

import pytest
import torch
from torch import nn

from sk_mtl.nn import Encoded, MMoE
from tests.nn._asserts import (
    assert_close,
    assert_every_parameter_learns,
    operations,
    set_values,
)

LN3 = 1.0986122886681098


@pytest.fixture
def two_experts(put):
    """One input, two experts of one unit, two tasks, every weight chosen by hand.

    Expert 1 returns relu(x), expert 2 relu(2x + 1). The gate of task 1 has the logits
    (x ln 3, 0), so (3/4, 1/4) at x = 1; that of task 2 is even.
    """
    wiring = put(MMoE(1, 2, n_experts=2, expert_hidden_sizes=(1,)))
    set_values(wiring.experts.first.weight, [[1.0], [2.0]])
    set_values(wiring.experts.first.bias, [0.0, 1.0])
    set_values(wiring.gates.first.weight, [[LN3], [0.0], [0.0], [0.0]])
    set_values(wiring.gates.first.bias, [0.0, 5.0, 0.0, 5.0])
    return wiring


def _reference(wiring, x, activation, n_gate_layers):
    """Loop over experts and tasks with plain matrix products and copied weights."""
    experts, gates = wiring.experts.first(x), wiring.gates.first(x)
    outputs = []
    for e, hidden in enumerate(experts.chunk(wiring.experts.n_experts, 1)):
        hidden = activation(hidden)
        for layer in list(wiring.experts.deeper.layers)[::2]:
            hidden = activation(hidden @ layer.weight[e] + layer.bias[e])
        outputs.append(hidden)
    mixtures = []
    for k in range(wiring.n_tasks):
        if not n_gate_layers:
            scores = gates[:, k :: wiring.n_tasks]
        else:
            scores = activation(gates.chunk(wiring.n_tasks, 1)[k])
            _, hidden, last = wiring.gates.deeper
            for layer in list(hidden.layers)[::2]:
                scores = activation(scores @ layer.weight[k] + layer.bias[k])
            scores = scores @ last.weight[k] + last.bias[k]
        weights = scores.exp() / scores.exp().sum(1, keepdim=True)
        mixtures.append(sum(weights[:, [e]] * out for e, out in enumerate(outputs)))
    return torch.stack(mixtures, 1)


def _permute_experts(wiring, order):
    """Return the wiring with its experts, and the gates' columns for them, moved."""
    moved = copy.deepcopy(wiring)
    n_experts, n_tasks = wiring.experts.n_experts, wiring.n_tasks
    for new in moved.experts.first.parameters():
        new.data = new.data.unflatten(0, (n_experts, -1))[order].flatten(0, 1)
    for new in moved.gates.first.parameters():
        new.data = new.data.unflatten(0, (n_experts, n_tasks))[order].flatten(0, 1)
    for new in moved.experts.deeper.parameters():
        new.data = new.data[order]
    return moved


def test_a_gate_by_hand(two_experts, put):
    gates = two_experts.gate_weights(Encoded(put(torch.tensor([[1.0], [0.0]]))))[0]
    assert_close(gates, [[[0.75, 0.25], [0.5, 0.5]], [[0.5, 0.5], [0.5, 0.5]]])


def test_a_mixture_of_two_experts_by_hand(two_experts, put):
    mixed = two_experts(Encoded(put(torch.tensor([[1.0], [-1.0]]))))
    assert_close(mixed, [[[1.5], [2.0]], [[0.0], [0.0]]])


@pytest.mark.parametrize("expert_sizes", [(5,), (6, 5), (6, 7, 5)])
@pytest.mark.parametrize("gate_sizes", [(), (4,), (4, 3)])
def test_it_is_the_loop_over_experts_and_tasks(expert_sizes, gate_sizes, put):
    wiring = MMoE(
        4,
        3,
        n_experts=2,
        expert_hidden_sizes=expert_sizes,
        gate_hidden_sizes=gate_sizes,
        activation="tanh",
    )
    wiring, x = put(wiring), put(torch.randn(8, 4))
    mixed = wiring(Encoded(x))
    assert mixed.shape == (8, 3, wiring.out_width) == (8, 3, 5)
    assert_close(mixed, _reference(wiring, x, torch.tanh, len(gate_sizes)))


@pytest.mark.parametrize("gate_sizes", [(), (4,)])
def test_gate_weights_are_those_of_forward(gate_sizes, put):
    wiring = MMoE(
        4, 3, n_experts=5, gate_hidden_sizes=gate_sizes, dropout=0.3, batch_norm=True
    )
    wiring, encoded = put(wiring).eval(), Encoded(put(torch.randn(8, 4)))
    weights = wiring.gate_weights(encoded)[0]
    assert weights.shape == (8, 3, 5)
    assert_close(weights.sum(2), torch.ones(8, 3))
    outputs = wiring.experts(encoded.shared)
    assert torch.equal(wiring(encoded), torch.bmm(weights, outputs))


def test_experts_are_normalised_with_what_training_saw(put):
    wiring = put(MMoE(4, 2, n_experts=3, expert_hidden_sizes=(6,), batch_norm=True))
    nn.init.uniform_(wiring.experts.norm.weight, 0.5, 2.0)
    nn.init.uniform_(wiring.experts.norm.bias, -1.0, 1.0)
    x = put(torch.randn(64, 4) * 3 + 1)
    product = wiring.experts.first(x)
    assert_close(wiring.experts.begin(x).mean(0), wiring.experts.norm.bias)
    for _ in range(3):
        wiring(Encoded(x))
    norm = wiring.experts.norm.eval()
    expected, gates = norm(product), wiring.gates.first(x)
    first = wiring.eval().experts.begin_beside(x, wiring.gates.first)
    assert_close(first[0], expected)
    assert_close(first[1], gates)
    outputs = torch.relu(expected).view(64, 3, 6)
    weights = torch.softmax(gates.view(64, 3, 2), 1).mT
    assert_close(wiring(Encoded(x)), weights @ outputs)


@pytest.mark.parametrize("expert_sizes", [(5,), (6, 5)])
def test_permuting_experts_with_their_gate_columns_changes_nothing(expert_sizes, put):
    wiring = put(MMoE(4, 3, n_experts=4, expert_hidden_sizes=expert_sizes))
    encoded = Encoded(put(torch.randn(8, 4)))
    order = [2, 0, 3, 1]
    moved = _permute_experts(wiring, order)
    assert_close(moved(encoded), wiring(encoded))
    assert_close(
        moved.gate_weights(encoded)[0], wiring.gate_weights(encoded)[0][..., order]
    )


def test_permuting_experts_without_their_gate_columns_changes_the_result(put):
    wiring = put(MMoE(4, 3, n_experts=4, expert_hidden_sizes=(6, 5)))
    encoded = Encoded(put(torch.randn(8, 4)))
    before = wiring(encoded)
    weight = wiring.experts.deeper.layers[0].weight
    weight.data = weight.data.flip(0)
    assert not torch.allclose(wiring(encoded), before)


def test_one_expert_is_a_shared_bottom(put):
    wiring = put(MMoE(4, 3, n_experts=1))
    mixed = wiring(Encoded(put(torch.randn(8, 4))))
    assert_close(mixed[:, 0], mixed[:, 1])
    assert_close(mixed[:, 0], mixed[:, 2])


@pytest.mark.parametrize(
    "sizes", [{}, {"expert_hidden_sizes": (6, 5), "gate_hidden_sizes": (4, 3)}]
)
@pytest.mark.parametrize("batch_norm", [False, True])
def test_a_gradient_reaches_every_parameter(sizes, batch_norm, put):
    wiring = MMoE(4, 3, n_experts=3, activation="silu", batch_norm=batch_norm, **sizes)
    wiring = put(wiring)
    encoded = Encoded(put(torch.randn(16, 4)))
    if batch_norm:
        # What is normalised over the batch has no slope along a constant shift.
        _randomise_norms(wiring)
    assert_every_parameter_learns(wiring, wiring(encoded))


def _randomise_norms(wiring):
    for module in wiring.modules():
        if isinstance(module, torch.nn.BatchNorm1d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)


def test_training_moves_the_gates(put):
    wiring, encoded = put(MMoE(4, 2, n_experts=3)), Encoded(put(torch.randn(16, 4)))
    before = wiring.gate_weights(encoded)[0].detach()
    optimizer = torch.optim.SGD(wiring.parameters(), lr=0.5)
    wiring(encoded)[:, 0].sum().backward()
    optimizer.step()
    moved = (wiring.gate_weights(encoded)[0] - before).abs().amax((0, 2))
    assert moved[0] > 1e-3
    assert moved[1] == 0


def test_experts_and_their_units_start_different(put):
    wiring = put(MMoE(4, 2, n_experts=3, expert_hidden_sizes=(8,)))
    for layer, n_units in ((wiring.experts.first, 3 * 8), (wiring.gates.first, 2 * 3)):
        assert len(torch.unique(layer.weight, dim=0)) == n_units
        assert bool((layer.weight.abs() <= 0.5).all())


def test_experts_are_not_linear(put):
    wiring = put(MMoE(4, 1, n_experts=1))
    x = put(torch.randn(8, 4))
    zero = wiring(Encoded(torch.zeros_like(x)))
    there, back = wiring(Encoded(x)) - zero, wiring(Encoded(-x)) - zero
    assert not torch.allclose(there, -back, atol=1e-3)


@pytest.mark.parametrize(
    "sizes", [{}, {"expert_hidden_sizes": (6, 5), "gate_hidden_sizes": (4, 3)}]
)
def test_operations_do_not_grow_with_experts_or_tasks(sizes, put):
    encoded = Encoded(put(torch.randn(5, 4)))
    few = operations(put(MMoE(4, 2, n_experts=2, **sizes)), encoded)
    many = operations(put(MMoE(4, 20, n_experts=30, **sizes)), encoded)
    assert few == many


def test_dropout_acts_on_experts_in_training_only(put):
    wiring = put(MMoE(4, 2, n_experts=3, dropout=0.5))
    encoded = Encoded(put(torch.randn(16, 4)))
    assert not torch.equal(wiring(encoded), wiring(encoded))
    assert torch.equal(wiring.gate_weights(encoded)[0], wiring.gate_weights(encoded)[0])
    wiring.eval()
    assert torch.equal(wiring(encoded), wiring(encoded))


@pytest.mark.parametrize("n_rows", [0, 1])
def test_no_row_and_one_row(n_rows, put):
    wiring = put(MMoE(4, 2, expert_hidden_sizes=(6, 5), batch_norm=True))
    assert wiring(Encoded(put(torch.randn(n_rows, 4)))).shape == (n_rows, 2, 5)


def test_experts_need_a_layer():
    with pytest.raises(ValueError, match=r"at least one layer width; found \(\)"):
        MMoE(4, 2, expert_hidden_sizes=())

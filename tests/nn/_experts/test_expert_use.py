import copy

import pytest
import torch

from sk_mtl.nn import MMoE, NetworkEnsemble, OMoE
from sk_mtl.nn._experts._expert_use import ExpertDropout, uneven_use
from tests.nn._asserts import assert_close, set_values
from tests.nn._networks import CODES, NUMERIC, make_encoded, make_network


def test_even_use_costs_nothing(put):
    weights = put(torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.5, 0.5], [0.0, 0.5, 0.5]]))
    assert_close(uneven_use(weights.unsqueeze(1)), 0.0)
    assert_close(uneven_use(put(torch.full((4, 2, 5), 0.2))), 0.0)


def test_uneven_use_by_hand(put):
    # The first gate's importances are 1.5, 0.5 and 1, of mean 1 and variance 1/6; the
    # second uses one expert of three, which costs 2.
    first = [[1.0, 0.0, 0.0], [0.5, 0.5, 0.0], [0.0, 0.0, 1.0]]
    second = [[1.0, 0.0, 0.0]] * 3
    weights = put(torch.tensor([first, second])).transpose(0, 1)
    assert_close(uneven_use(weights[:, :1]), 1 / 6)
    assert_close(uneven_use(weights), 1 / 6 + 2)
    assert_close(uneven_use(weights * 0.3), 1 / 6 + 2)
    assert_close(uneven_use(weights.repeat(4, 1, 1)), 1 / 6 + 2)


@pytest.mark.parametrize("rate", [0.0, 0.3, 0.9])
def test_what_remains_sums_as_before(rate, put):
    weights = put(torch.rand(500, 2, 4))
    dropped = ExpertDropout(rate)(weights)
    assert_close(dropped.sum(2), weights.sum(2))
    scale = dropped / weights
    for row in scale.flatten(0, 1):
        kept = row[row > 0]
        assert_close(kept, kept[0].expand(len(kept)))
    assert bool(((dropped == 0).sum(2) < 4).all())


def test_the_rate_is_that_of_dropped_experts(put):
    weights = put(torch.full((20000, 1, 8), 1 / 8))
    dropped = ExpertDropout(0.3)(weights)
    assert abs((dropped == 0).float().mean().item() - 0.3) < 0.01
    assert_close(dropped.sum(2), torch.ones(20000, 1))


def test_a_gate_that_would_lose_all_experts_keeps_them(put):
    weights = put(torch.tensor([[[0.0, 1.0, 0.0], [0.25, 0.75, 0.0]]]))
    dropped = ExpertDropout(0.999999)(weights.expand(100, -1, -1))
    assert_close(dropped[:, 0], weights[:, 0].expand(100, -1))
    assert_close(dropped[:, 1], weights[:, 1].expand(100, -1))
    single = put(torch.ones(100, 2, 1))
    assert torch.equal(ExpertDropout(0.5)(single), single)


def test_what_remains_of_almost_nothing_has_a_finite_gradient(put):
    scores = put(torch.tensor([[[60.0, 0.0]]])).expand(200, -1, -1)
    scores = scores.clone().requires_grad_()
    dropped = ExpertDropout(0.5)(torch.softmax(scores, 2))
    dropped[..., 0].sum().backward()
    assert bool(scores.grad.isfinite().all())
    assert bool((scores.grad.abs() < 1e-6).all())


def test_experts_are_dropped_per_row_and_task_in_training_only(put):
    wiring = put(MMoE(4, 2, n_experts=3, expert_dropout=0.5))
    encoded = make_encoded(put, 200)
    first, second = wiring(encoded), wiring(encoded)
    moved = (first - second).abs().amax(2) > 0
    assert bool(moved.any(0).all())
    assert bool((moved[:, 0] != moved[:, 1]).any())
    assert bool((~moved).any())
    plain = put(MMoE(4, 2, n_experts=3))
    plain.load_state_dict(wiring.state_dict())
    assert torch.equal(wiring.eval()(encoded), plain(encoded))
    assert torch.equal(wiring.gate_weights(encoded)[0], plain.gate_weights(encoded)[0])


def test_one_gate_drops_experts_for_all_tasks_alike(put):
    wiring, encoded = put(OMoE(4, 2, expert_dropout=0.5)), make_encoded(put)
    rows = wiring(encoded)
    assert torch.equal(rows[:, 0], rows[:, 1])


def test_without_rate_nothing_is_drawn(put):
    wiring, plain = put(MMoE(4, 2, expert_dropout=0.0)), put(MMoE(4, 2))
    plain.load_state_dict(wiring.state_dict())
    encoded, state = make_encoded(put), torch.get_rng_state()
    assert torch.equal(wiring(encoded), plain(encoded))
    assert torch.equal(torch.get_rng_state(), state)


def test_members_drop_experts_of_their_own():
    member = make_network(MMoE, expert_dropout=0.5)
    twins = [copy.deepcopy(member) for _ in range(2)]
    first, second = NetworkEnsemble(twins, lambda x: x, sharing="none")(CODES, NUMERIC)
    assert not torch.allclose(first, second)


def test_the_penalty_is_the_weighted_uneven_use_before_dropping(put):
    wiring = put(MMoE(4, 2, n_experts=3, load_balance=0.5, expert_dropout=0.5))
    encoded = make_encoded(put)
    penalty = wiring.with_penalty(encoded)[1]
    assert_close(penalty, 0.5 * uneven_use(wiring.gate_weights(encoded)[0]))
    for parameter in wiring.gates.first.parameters():
        set_values(parameter, torch.zeros_like(parameter))
    assert_close(wiring.with_penalty(encoded)[1], 0.0)


def test_without_weight_there_is_no_penalty(put):
    assert put(MMoE(4, 2)).with_penalty(make_encoded(put))[1] is None
    assert put(OMoE(4, 2, gate="top_k")).with_penalty(make_encoded(put))[1] is None


@pytest.mark.parametrize("gate", ["softmax", "top_k"])
def test_the_penalty_makes_use_even(gate, put):
    wiring = put(MMoE(4, 2, n_experts=4, gate=gate, load_balance=1.0))
    wiring.gates.first.bias.data += put(torch.tensor([3.0, 3, 2, 2, 0, 0, 0, 0]))
    encoded = make_encoded(put, 256)
    before = wiring.with_penalty(encoded)[1].item()
    optimizer = torch.optim.Adam(wiring.parameters(), lr=0.05)
    for _ in range(200):
        optimizer.zero_grad()
        wiring.with_penalty(encoded)[1].backward()
        optimizer.step()
    assert before > 1
    assert wiring.with_penalty(encoded)[1] < 0.1

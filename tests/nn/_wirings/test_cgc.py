import pytest
import torch

from sk_mtl.nn import CGC, PLE, Encoded, MMoE
from tests.nn._asserts import (
    assert_close,
    assert_every_parameter_learns,
    operations,
    set_values,
)
from tests.nn._loops import assert_members_run_as_alone

LN3 = 1.0986122886681098


def test_two_tasks_by_hand(put):
    wiring = CGC(1, 2, n_shared_experts=1, n_task_experts=1, expert_hidden_sizes=(1,))
    wiring = put(wiring)
    # The experts of the tasks return x and 2x, the shared one 5x. The gate of task 1 is
    # (3/4 own, 1/4 shared) at x = 1, that of task 2 even.
    set_values(wiring.experts[0].every.first.weight, [[1.0], [2.0], [5.0]])
    set_values(wiring.experts[0].every.first.bias, [0.0, 0.0, 0.0])
    set_values(wiring.gates[0].tasks.first.weight, [[LN3], [0.0], [0.0], [0.0]])
    set_values(wiring.gates[0].tasks.first.bias, [0.0, 7.0, 0.0, 7.0])
    encoded = Encoded(put(torch.tensor([[1.0], [-1.0]])))
    assert_close(wiring(encoded), [[[2.0], [3.5]], [[0.0], [0.0]]])
    expected = [[0.75, 0.0, 0.25], [0.0, 0.5, 0.5]]
    assert_close(wiring.gate_weights(encoded)[0][0], expected)


def test_it_is_progressive_extraction_of_one_level(put):
    wiring, deep = put(CGC(4, 3)), put(PLE(4, 3, n_levels=1))
    deep.load_state_dict(wiring.state_dict())
    encoded = Encoded(put(torch.randn(8, 4)))
    assert torch.equal(wiring(encoded), deep(encoded))
    assert torch.equal(wiring.gate_weights(encoded)[0], deep.gate_weights(encoded)[0])


def test_a_single_task_mixes_all_experts(put):
    wiring = CGC(4, 1, n_shared_experts=1, expert_hidden_sizes=(6, 5))
    mixture = MMoE(4, 1, n_experts=2 + 1, expert_hidden_sizes=(6, 5))
    mixture.experts.load_state_dict(wiring.experts[0].every.state_dict())
    mixture.gates.load_state_dict(wiring.gates[0].tasks.state_dict())
    encoded = Encoded(put(torch.randn(8, 4)))
    assert_close(put(wiring)(encoded), put(mixture)(encoded))


def test_the_own_experts_of_a_task_learn_from_no_other(put):
    wiring, encoded = put(CGC(4, 2)), Encoded(put(torch.randn(8, 4)))
    wiring(encoded)[:, 0].sum().backward()
    units = wiring.experts[0].every.first.weight.grad.unflatten(0, (6, -1))
    learns = units.flatten(1).any(1).tolist()
    assert learns == [True, True, False, False, True, True]


def test_a_gradient_reaches_every_parameter(put):
    wiring = put(CGC(4, 3, gate_hidden_sizes=(4,), activation="silu"))
    assert_every_parameter_learns(wiring, wiring(Encoded(put(torch.randn(16, 4)))))


def test_operations_do_not_grow_and_one_product_reads_the_rows(put):
    encoded = Encoded(put(torch.randn(5, 4)))
    few = operations(put(CGC(4, 2)), encoded)
    many = operations(put(CGC(4, 20, n_shared_experts=9, n_task_experts=7)), encoded)
    assert few == many
    assert few["addmm"] == 1


@pytest.mark.parametrize("n_rows", [0, 1])
def test_no_row_and_one_row(n_rows, put):
    wiring = put(CGC(4, 2, expert_hidden_sizes=(6, 5), batch_norm=True))
    assert wiring(Encoded(put(torch.randn(n_rows, 4)))).shape == (n_rows, 2, 5)


@pytest.mark.parametrize("sharing", ["most", "none"])
def test_members_of_an_ensemble_run_as_alone(sharing, put):
    assert_members_run_as_alone(lambda width: CGC(width, 2), sharing, put)


def test_the_number_of_levels_is_fixed():
    with pytest.raises(TypeError, match="n_levels"):
        CGC(4, 2, n_levels=2)

import torch

from sk_mtl.nn import Encoded, MMoE, OMoE
from tests.nn._asserts import assert_close, assert_every_parameter_learns, operations


def test_every_task_reads_a_mixture_of_one_gate(put):
    wiring = put(OMoE(4, 3, n_experts=2, expert_hidden_sizes=(5,)))
    single = MMoE(4, 1, n_experts=2, expert_hidden_sizes=(5,))
    single.load_state_dict(wiring.state_dict())
    encoded = Encoded(put(torch.randn(8, 4)))
    mixed, expected = wiring(encoded), put(single)(encoded)
    assert mixed.shape == (8, 3, wiring.out_width) == (8, 3, 5)
    for task in range(3):
        assert_close(mixed[:, task], expected[:, 0])


def test_gate_weights_are_the_same_for_all_tasks(put):
    wiring, encoded = put(OMoE(4, 3, n_experts=2)), Encoded(put(torch.randn(8, 4)))
    weights = wiring.gate_weights(encoded)[0]
    assert weights.shape == (8, 3, 2)
    assert_close(weights.sum(2), torch.ones(8, 3))
    assert torch.equal(weights[:, 0], weights[:, 2])


def test_a_gradient_reaches_every_parameter(put):
    wiring = put(OMoE(4, 3, gate_hidden_sizes=(4,), activation="silu"))
    assert_every_parameter_learns(wiring, wiring(Encoded(put(torch.randn(16, 4)))))


def test_operations_do_not_grow_with_tasks(put):
    encoded = Encoded(put(torch.randn(5, 4)))
    few, many = put(OMoE(4, 2)), put(OMoE(4, 20))
    assert operations(few, encoded) == operations(many, encoded)

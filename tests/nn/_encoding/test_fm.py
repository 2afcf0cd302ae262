import torch

from sk_mtl.nn import FactorizationMachine
from tests.nn._asserts import assert_close, assert_every_parameter_learns, set_values


def test_three_fields_by_hand(put):
    machine = put(FactorizationMachine(2))
    set_values(machine.weight, [1.0, -2.0])
    # Inner products: (1, 2)(3, -1) = 1, (1, 2)(0, 5) = 10, (3, -1)(0, 5) = -5.
    fields = put(torch.tensor([[[1.0, 2.0], [3.0, -1.0], [0.0, 5.0]]]))
    assert_close(machine(fields), [[6.0, -12.0]])


def test_it_is_the_sum_over_pairs(put):
    machine, fields = put(FactorizationMachine(1)), put(torch.randn(6, 5, 3))
    set_values(machine.weight, [1.0])
    pairs = [(f, g) for f in range(5) for g in range(f)]
    expected = sum((fields[:, f] * fields[:, g]).sum(1) for f, g in pairs)
    assert_close(machine(fields), expected.unsqueeze(1))


def test_the_start_adds_nothing_and_every_weight_learns(put):
    machine, fields = put(FactorizationMachine(3)), put(torch.randn(6, 5, 3))
    assert not bool(machine(fields).any())
    assert_every_parameter_learns(machine, machine(fields))
    assert repr(machine) == "FactorizationMachine(n_heads=3)"

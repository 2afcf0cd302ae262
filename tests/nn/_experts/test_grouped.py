import pytest
import torch

from sk_mtl.nn import Experts, Gates, GroupedExperts, GroupedGates
from sk_mtl.nn._experts._grouped import batched_beside, mix_own
from tests.nn._asserts import assert_close, assert_every_parameter_learns, operations
from tests.nn._loops import grouped_expert_results, grouped_gate_weights


@pytest.mark.parametrize("sizes", [(5,), (6, 5), (6, 7, 5)])
def test_experts_are_the_loop_over_groups(sizes, put):
    experts = put(GroupedExperts(4, 3, 2, sizes, activation="tanh"))
    x = put(torch.randn(8, 3, 4))
    results = experts(x)
    assert results.shape == (8, 3, 2, experts.out_width) == (8, 3, 2, 5)
    expected = grouped_expert_results(experts, x.unbind(1), torch.tanh)
    assert_close(results, torch.stack([torch.stack(e, 1) for e in expected], 1))


@pytest.mark.parametrize("sizes", [(), (4,), (4, 3)])
def test_gates_are_the_loop_over_groups(sizes, put):
    gates = put(GroupedGates(4, 3, 5, hidden_sizes=sizes, activation="tanh"))
    x = put(torch.randn(8, 3, 4))
    weights = gates(x)
    assert weights.shape == (8, 3, 5)
    assert_close(weights.sum(2), torch.ones(8, 3))
    expected = grouped_gate_weights(gates, x.unbind(1), torch.tanh)
    assert_close(weights, torch.stack(expected, 1))


def test_a_single_group_is_experts_and_a_gate_of_the_same_rows(put):
    experts, grouped = Experts(4, 3, (6, 5)), GroupedExperts(4, 1, 3, (6, 5))
    grouped.first.weight.data = experts.first.weight.data.T[None]
    grouped.first.bias.data = experts.first.bias.data[None, None]
    grouped.deeper.load_state_dict(experts.deeper.state_dict())
    gate, own = Gates(4, 1, 3), GroupedGates(4, 1, 3)
    own.first.weight.data = gate.first.weight.data.T[None]
    own.first.bias.data = gate.first.bias.data[None, None]
    x = put(torch.randn(8, 4))
    assert_close(put(grouped)(x[:, None])[:, 0], put(experts)(x))
    assert_close(put(own)(x[:, None]), put(gate)(x))


def test_each_group_is_normalised_by_its_own_rows(put):
    experts = put(GroupedExperts(4, 2, 3, (6, 5), batch_norm=True))
    x = put(torch.randn(8, 2, 4))
    moved = x.clone()
    moved[:, 1] *= 3
    assert_close(experts(x)[:, 0], experts(moved)[:, 0])
    first = experts.after_first[0](experts.first(x.transpose(0, 1)))
    assert_close(first.mean(1), torch.zeros(2, 18))


def test_layers_beside_each_other_are_each_layer(put):
    experts, gates = put(GroupedExperts(4, 3, 2, (5,))), put(GroupedGates(4, 3, 2))
    x = put(torch.randn(8, 3, 4))
    first, scores = batched_beside(x, experts.first, gates.first)
    assert_close(experts.finish(first), experts(x))
    assert_close(gates.finish(scores), gates(x))


def test_a_mixture_by_hand(put):
    weights = put(torch.tensor([[[0.5, 0.5], [1.0, 2.0]]]))
    results = put(torch.tensor([[[[2.0, 4.0], [6.0, 0.0]], [[1.0, 1.0], [0.0, 3.0]]]]))
    assert_close(mix_own(weights, results), [[[4.0, 2.0], [1.0, 7.0]]])


def test_permuting_experts_with_their_gate_columns_changes_nothing(put):
    experts, gates = put(GroupedExperts(4, 2, 3, (5,))), put(GroupedGates(4, 2, 3))
    x, order = put(torch.randn(8, 2, 4)), [2, 0, 1]
    before = mix_own(gates(x), experts(x))
    for parameter in experts.first.parameters():
        parts = parameter.data.unflatten(2, (3, 5))
        parameter.data = parts[:, :, order].flatten(2)
    for parameter in gates.first.parameters():
        parameter.data = parameter.data[:, :, order]
    assert_close(mix_own(gates(x), experts(x)), before)


@pytest.mark.parametrize("sizes", [(5,), (6, 5)])
def test_a_gradient_reaches_every_parameter(sizes, put):
    experts = put(GroupedExperts(4, 2, 3, sizes, activation="silu"))
    gates = put(GroupedGates(4, 2, 3, hidden_sizes=(4,), activation="silu"))
    x = put(torch.randn(16, 2, 4))
    assert_every_parameter_learns(experts, experts(x))
    assert_every_parameter_learns(gates, gates(x))


def test_all_units_start_different(put):
    experts = put(GroupedExperts(4, 2, 3, (5,)))
    units = experts.first.weight.transpose(1, 2).flatten(0, 1)
    assert len(torch.unique(units, dim=0)) == 2 * 3 * 5
    assert bool((experts.first.weight.abs() <= 0.5).all())


def test_operations_do_not_grow_with_groups_or_experts(put):
    few, many = (put(GroupedExperts(4, *size, (6, 5))) for size in [(2, 2), (20, 30)])
    x = put(torch.randn(5, 20, 4))
    assert operations(few, x[:, :2]) == operations(many, x)
    few, many = (put(GroupedGates(4, *size)) for size in [(2, 2), (20, 30)])
    assert operations(few, x[:, :2]) == operations(many, x)


@pytest.mark.parametrize("n_rows", [0, 1])
def test_no_row_and_one_row(n_rows, put):
    experts = put(GroupedExperts(4, 2, 3, (6, 5), batch_norm=True))
    x = put(torch.randn(n_rows, 2, 4))
    assert experts(x).shape == (n_rows, 2, 3, 5)
    assert put(GroupedGates(4, 2, 3))(x).shape == (n_rows, 2, 3)


def test_experts_need_a_layer():
    with pytest.raises(ValueError, match=r"expert_hidden_sizes must hold at least one"):
        GroupedExperts(4, 2, 3, ())

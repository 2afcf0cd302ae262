from itertools import chain

import pytest
import torch

from sk_mtl.nn import AdaTT, Encoded, MMoE
from tests.nn._asserts import (
    assert_close,
    assert_every_parameter_learns,
    operations,
    set_values,
)
from tests.nn._loops import (
    assert_members_run_as_alone,
    expert_results,
    gate_weights,
    grouped_expert_results,
    grouped_gate_weights,
    mixture,
)

LN3 = 1.0986122886681098


def _native(module, unit, results):
    weight = [1.0] if module.weight is None else module.weight[unit].tolist()
    return sum(w * result for w, result in zip(weight, results, strict=True))


def _reference(wiring, x, activation):
    """Loop over levels, units and experts with plain products and copied weights."""
    n_tasks, n_own = wiring.n_tasks, wiring.n_task_experts
    tasks, shared = [x] * n_tasks, x
    for level, (experts, gates) in enumerate(zip(wiring.experts, wiring.gates)):
        common = []
        if level == 0:
            every = expert_results(experts.every, x, activation)
            own = [every[k * n_own : (k + 1) * n_own] for k in range(n_tasks)]
            common = every[n_tasks * n_own :]
            weights = gate_weights(gates.tasks, x, activation)
        else:
            own = grouped_expert_results(experts.tasks, tasks, activation)
            weights = grouped_gate_weights(gates.tasks, tasks, activation)
            if experts.shared is not None:
                common = expert_results(experts.shared, shared, activation)
        every = [*chain(*own), *common]
        tasks = [
            mixture(weights[k], every) + _native(wiring.native[level], k, own[k])
            for k in range(n_tasks)
        ]
        if gates.shared is not None:
            (of_shared,) = gate_weights(gates.shared, shared, activation)
            residual = _native(wiring.shared_native[level], 0, common)
            shared = mixture(of_shared, every) + residual
    return torch.stack(tasks, 1)


def test_a_level_by_hand(put):
    wiring = put(AdaTT(1, 2, n_levels=1, n_task_experts=1, expert_hidden_sizes=(1,)))
    # The tasks' experts return x and 4x; the gate of task 1 is (3/4, 1/4) at x = 1,
    # that of task 2 even; each task keeps its own expert's result once more.
    set_values(wiring.experts[0].every.first.weight, [[1.0], [4.0]])
    set_values(wiring.experts[0].every.first.bias, [0.0, 0.0])
    set_values(wiring.gates[0].tasks.first.weight, [[LN3], [0.0], [0.0], [0.0]])
    set_values(wiring.gates[0].tasks.first.bias, [0.0, 7.0, 0.0, 7.0])
    encoded = Encoded(put(torch.tensor([[1.0]])))
    assert_close(wiring(encoded), [[[0.75 + 1.0 + 1.0], [0.5 + 2.0 + 4.0]]])
    assert_close(wiring.gate_weights(encoded)[0], [[[1.75, 0.25], [0.5, 1.5]]])


def test_native_weights_by_hand(put):
    wiring = put(AdaTT(1, 2, n_levels=1, n_shared_experts=1, expert_hidden_sizes=(1,)))
    for parameter in wiring.parameters():
        torch.nn.init.zeros_(parameter)
    set_values(wiring.experts[0].every.first.bias, [1.0, 2.0, 3.0, 4.0, 5.0])
    set_values(wiring.native[0].weight, [[1.0, 10.0], [-1.0, 0.5]])
    rows = wiring(Encoded(put(torch.zeros(1, 1))))
    # Even gates over five experts give their mean, 3.
    assert_close(rows, [[[3.0 + 21.0], [3.0 - 1.0]]])


@pytest.mark.parametrize("n_levels", [1, 2, 4])
@pytest.mark.parametrize("n_shared", [0, 1, 3])
@pytest.mark.parametrize("n_own", [1, 2])
def test_it_is_the_loop_over_levels(n_levels, n_shared, n_own, put):
    wiring = AdaTT(
        4,
        3,
        n_levels=n_levels,
        n_shared_experts=n_shared,
        n_task_experts=n_own,
        expert_hidden_sizes=(6, 5),
        gate_hidden_sizes=(4,) if n_own == 2 else (),
        activation="tanh",
    )
    wiring, x = put(wiring), put(torch.randn(8, 4))
    rows = wiring(Encoded(x))
    assert rows.shape == (8, 3, wiring.out_width) == (8, 3, 5)
    assert_close(rows, _reference(wiring, x, torch.tanh))


def test_a_level_without_its_native_part_is_a_mixture_of_experts(put):
    wiring = AdaTT(4, 3, n_levels=1, n_shared_experts=1)
    torch.nn.init.zeros_(wiring.native[0].weight)
    mixture = MMoE(4, 3, n_experts=3 * 2 + 1, expert_hidden_sizes=(48,))
    mixture.experts.load_state_dict(wiring.experts[0].every.state_dict())
    mixture.gates.load_state_dict(wiring.gates[0].tasks.state_dict())
    encoded = Encoded(put(torch.randn(8, 4)))
    assert_close(put(wiring)(encoded), put(mixture)(encoded))


def test_gate_weights_are_those_of_gates_and_native_ones(put):
    wiring = put(AdaTT(4, 3, n_shared_experts=1))
    levels = wiring.gate_weights(Encoded(put(torch.randn(8, 4))))
    for weights, native in zip(levels, wiring.native, strict=True):
        assert weights.shape == (8, 3, 3 * 2 + 1)
        assert_close(weights.sum(2), (1 + native.weight.sum(1)).expand(8, 3))


@pytest.mark.parametrize("n_levels", [1, 3])
@pytest.mark.parametrize("n_shared", [0, 2])
def test_a_gradient_reaches_every_parameter(n_levels, n_shared, put):
    wiring = put(
        AdaTT(4, 3, n_levels=n_levels, n_shared_experts=n_shared, activation="silu")
    )
    assert_every_parameter_learns(wiring, wiring(Encoded(put(torch.randn(16, 4)))))


def test_native_weights_start_different_and_one_expert_has_none(put):
    wiring = put(AdaTT(4, 3, n_task_experts=4))
    assert len(wiring.native[0].weight.unique()) == 3 * 4
    assert bool((wiring.native[0].weight.abs() <= 0.5).all())
    wiring = put(AdaTT(4, 3, n_task_experts=1))
    assert not any(name.startswith("native") for name in wiring.state_dict())


@pytest.mark.parametrize("n_shared", [0, 1])
def test_operations_do_not_grow_with_experts_or_tasks(n_shared, put):
    encoded = Encoded(put(torch.randn(5, 4)))
    few = put(AdaTT(4, 2, n_shared_experts=2 * n_shared))
    many = put(AdaTT(4, 20, n_shared_experts=9 * n_shared, n_task_experts=7))
    assert operations(few, encoded) == operations(many, encoded)


def test_dropout_acts_in_training_only(put):
    wiring = put(AdaTT(4, 2, dropout=0.5))
    encoded = Encoded(put(torch.randn(16, 4)))
    assert not torch.equal(wiring(encoded), wiring(encoded))
    wiring.eval()
    assert torch.equal(wiring(encoded), wiring(encoded))


@pytest.mark.parametrize("n_rows", [0, 1])
def test_no_row_and_one_row(n_rows, put):
    wiring = put(AdaTT(4, 2, n_shared_experts=1, n_levels=3, batch_norm=True))
    assert wiring(Encoded(put(torch.randn(n_rows, 4)))).shape == (n_rows, 2, 48)


@pytest.mark.parametrize("sharing", ["most", "none"])
@pytest.mark.parametrize("sizes", [(0, 1), (2, 2)])
def test_members_of_an_ensemble_run_as_alone(sharing, sizes, put):
    def make(in_width):
        n_shared, n_own = sizes
        return AdaTT(in_width, 2, n_shared_experts=n_shared, n_task_experts=n_own)

    assert_members_run_as_alone(make, sharing, put)


def test_sizes_that_are_too_small_are_refused():
    text = r"n_shared_experts must be at least 0; found -1\. Give 0 or more"
    with pytest.raises(ValueError, match=text):
        AdaTT(4, 2, n_shared_experts=-1)
    with pytest.raises(ValueError, match=r"n_task_experts must be at least 1; found 0"):
        AdaTT(4, 2, n_task_experts=0)

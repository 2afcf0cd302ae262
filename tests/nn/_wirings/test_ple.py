import copy
from itertools import chain

import pytest
import torch

from sk_mtl.nn import PLE, Encoded
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

LN2, LN3 = 0.6931471805599453, 1.0986122886681098


@pytest.fixture
def by_hand(put):
    """One input, two tasks, a unit in every expert, every weight chosen by hand.

    At x = 1 the own experts of level 1 return 1 and 2, the shared one 3. The gates are
    (3/4 own, 1/4 shared) and even, so the tasks' rows are 1.5 and 2.5; the shared gate
    is (1/4, 1/4, 1/2), so the shared row is 2.25. At level 2 the own experts return
    twice and thrice their task's row, 3 and 7.5, the shared one 4 * 2.25 = 9, and the
    gates are even and (3/4 own, 1/4 shared).
    """
    wiring = put(
        PLE(1, 2, n_shared_experts=1, n_task_experts=1, expert_hidden_sizes=(1,))
    )
    for parameter in wiring.parameters():
        torch.nn.init.zeros_(parameter)
    first, second = wiring.experts
    set_values(first.every.first.weight, [[1.0], [2.0], [3.0]])
    set_values(wiring.gates[0].tasks.first.weight, [[LN3], [0.0], [0.0], [0.0]])
    set_values(wiring.gates[0].shared.first.bias, [0.0, 0.0, LN2])
    set_values(second.tasks.first.weight, [[[2.0]], [[3.0]]])
    set_values(second.shared.first.weight, [[4.0]])
    set_values(wiring.gates[1].tasks.first.bias, [[[0.0, 0.0]], [[LN3, 0.0]]])
    return wiring


def _reference(wiring, x, activation):
    """Loop over levels, tasks and experts with plain products and copied weights."""
    n_tasks, n_own = wiring.n_tasks, wiring.n_task_experts
    tasks, shared = [x] * n_tasks, x
    for level, (experts, gates) in enumerate(zip(wiring.experts, wiring.gates)):
        if level == 0:
            every = expert_results(experts.every, x, activation)
            own = [every[k * n_own : (k + 1) * n_own] for k in range(n_tasks)]
            common = every[n_tasks * n_own :]
            weights = gate_weights(gates.tasks, x, activation)
        else:
            own = grouped_expert_results(experts.tasks, tasks, activation)
            common = expert_results(experts.shared, shared, activation)
            weights = grouped_gate_weights(gates.tasks, tasks, activation)
        tasks = [mixture(weights[k], own[k] + common) for k in range(n_tasks)]
        if gates.shared is not None:
            (of_shared,) = gate_weights(gates.shared, shared, activation)
            shared = mixture(of_shared, [*chain(*own), *common])
    return torch.stack(tasks, 1)


def test_two_levels_by_hand(by_hand, put):
    encoded = Encoded(put(torch.tensor([[1.0]])))
    assert_close(by_hand(encoded), [[[6.0], [7.875]]])
    first, second = by_hand.gate_weights(encoded)
    assert_close(first, [[[0.75, 0.0, 0.25], [0.0, 0.5, 0.5]]])
    assert_close(second, [[[0.5, 0.0, 0.5], [0.0, 0.75, 0.25]]])


@pytest.mark.parametrize("n_levels", [1, 2, 4])
@pytest.mark.parametrize("expert_sizes", [(5,), (6, 5)])
@pytest.mark.parametrize("gate_sizes", [(), (4, 3)])
def test_it_is_the_loop_over_levels(n_levels, expert_sizes, gate_sizes, put):
    wiring = PLE(
        4,
        3,
        n_levels=n_levels,
        n_shared_experts=1,
        expert_hidden_sizes=expert_sizes,
        gate_hidden_sizes=gate_sizes,
        activation="tanh",
    )
    wiring, x = put(wiring), put(torch.randn(8, 4))
    rows = wiring(Encoded(x))
    assert rows.shape == (8, 3, wiring.out_width) == (8, 3, 5)
    assert_close(rows, _reference(wiring, x, torch.tanh))


def test_the_weights_of_other_tasks_experts_are_zero(put):
    wiring = put(PLE(4, 3, n_shared_experts=3))
    for weights in wiring.gate_weights(Encoded(put(torch.randn(8, 4)))):
        assert weights.shape == (8, 3, 3 * 2 + 3)
        assert_close(weights.sum(2), torch.ones(8, 3))
        assert (weights[:, 1] > 0).all(0).tolist() == [False] * 2 + [True] * 2 + [
            False
        ] * 2 + [True] * 3


def test_a_task_reads_no_other_tasks_experts_at_its_level(put):
    wiring, encoded = put(PLE(4, 3)), Encoded(put(torch.randn(8, 4)))
    wiring(encoded)[:, 1].sum().backward()
    first, second = wiring.experts
    learns = second.tasks.first.weight.grad.flatten(1).any(1)
    assert learns.tolist() == [False, True, False]
    # What other tasks' experts of the level below know comes through the shared row.
    units = first.every.first.weight.grad.unflatten(0, (3 * 2 + 2, -1))
    assert bool(units.flatten(1).any(1).all())


def test_permuting_experts_with_their_gate_columns_changes_nothing(put):
    wiring = put(PLE(4, 2, n_levels=1, n_shared_experts=3))
    encoded = Encoded(put(torch.randn(8, 4)))
    moved = copy.deepcopy(wiring)
    for parameter in moved.experts[0].every.first.parameters():
        parts = parameter.data.unflatten(0, (2 * 2 + 3, -1))
        parameter.data = parts[[1, 0, 3, 2, 5, 6, 4]].flatten(0, 1)
    for parameter in moved.gates[0].tasks.first.parameters():
        parts = parameter.data.unflatten(0, (2 + 3, 2))
        parameter.data = parts[[1, 0, 3, 4, 2]].flatten(0, 1)
    assert_close(moved(encoded), wiring(encoded))


@pytest.mark.parametrize("n_levels", [1, 2, 3])
@pytest.mark.parametrize("sizes", [{}, {"gate_hidden_sizes": (4, 3)}])
def test_a_gradient_reaches_every_parameter(n_levels, sizes, put):
    wiring = put(PLE(4, 3, n_levels=n_levels, activation="silu", **sizes))
    assert_every_parameter_learns(wiring, wiring(Encoded(put(torch.randn(16, 4)))))


def test_the_last_level_has_no_shared_gate(put):
    wiring = put(PLE(4, 2, n_levels=3))
    assert [gates.shared is None for gates in wiring.gates] == [False, False, True]


@pytest.mark.parametrize("sizes", [{}, {"expert_hidden_sizes": (6, 5)}])
def test_operations_do_not_grow_with_experts_or_tasks(sizes, put):
    encoded = Encoded(put(torch.randn(5, 4)))
    few = put(PLE(4, 2, **sizes))
    many = put(PLE(4, 20, n_shared_experts=9, n_task_experts=7, **sizes))
    assert operations(few, encoded) == operations(many, encoded)


def test_layers_that_read_the_same_rows_are_one_product(put):
    wiring, encoded = put(PLE(4, 3)), Encoded(put(torch.randn(5, 4)))
    found = operations(wiring, encoded)
    # One dense product at level 1, one for the shared rows of level 2.
    assert found["addmm"] == 2
    # One product of the own rows at level 2, and one mixture at each level.
    assert found["baddbmm"] == 1 + 2
    assert found["bmm"] == 0


def test_dropout_acts_in_training_only(put):
    wiring = put(PLE(4, 2, dropout=0.5))
    encoded = Encoded(put(torch.randn(16, 4)))
    assert not torch.equal(wiring(encoded), wiring(encoded))
    wiring.eval()
    assert torch.equal(wiring(encoded), wiring(encoded))


@pytest.mark.parametrize("n_rows", [0, 1])
def test_no_row_and_one_row(n_rows, put):
    wiring = put(PLE(4, 2, n_levels=3, expert_hidden_sizes=(6, 5), batch_norm=True))
    assert wiring(Encoded(put(torch.randn(n_rows, 4)))).shape == (n_rows, 2, 5)


@pytest.mark.parametrize("sharing", ["most", "none"])
@pytest.mark.parametrize("batch_norm", [False, True])
def test_members_of_an_ensemble_run_as_alone(sharing, batch_norm, put):
    def make(in_width):
        return PLE(in_width, 2, n_levels=3, batch_norm=batch_norm)

    assert_members_run_as_alone(make, sharing, put)


def test_sizes_that_are_too_small_are_refused():
    text = r"n_levels must be at least 1; found 0\. Give 1 or more"
    with pytest.raises(ValueError, match=text):
        PLE(4, 2, n_levels=0)
    with pytest.raises(ValueError, match=r"n_shared_experts must be at least 1; found"):
        PLE(4, 2, n_shared_experts=0)
    with pytest.raises(ValueError, match=r"n_task_experts must be at least 1; found 0"):
        PLE(4, 2, n_task_experts=0)
    with pytest.raises(ValueError, match=r"expert_hidden_sizes must hold at least one"):
        PLE(4, 2, expert_hidden_sizes=())

from itertools import chain

import pytest
import torch

from sk_mtl.nn import Encoded, HoME
from tests.nn._asserts import (
    assert_close,
    assert_every_parameter_learns,
    operations,
    set_values,
)
from tests.nn._experts.test_feature_gates import feature_gate
from tests.nn._loops import (
    assert_members_run_as_alone,
    expert_results,
    gate_weights,
    grouped_expert_results,
    grouped_gate_weights,
    mixture,
)

GROUPS = [[0, 2], [1]]


def _self_part(weights, results):
    """A single expert's self gate is the sigmoid of the two scores' difference."""
    return mixture(weights[:, : len(results)], results)


def _reference(wiring, groups, x, activation):
    """Loop over groups, tasks and experts with plain products and copied weights."""
    experts, features = wiring.experts, wiring.feature_gates
    n_groups = len(groups)
    seen = [feature_gate(features["meta"], reader, x) for reader in range(n_groups + 1)]
    own = grouped_expert_results(experts["meta_groups"], seen[:-1], activation)
    common = expert_results(experts["meta_shared"], seen[-1], activation)
    of_groups, of_all, own_gates, shared_gates = (
        gate_weights(kind[name], x, activation)
        for kind in (wiring.gates, wiring.self_gates)
        for name in ("meta_groups", "meta_shared")
    )
    rows = [
        mixture(of_groups[c], own[c] + common) + _self_part(own_gates[c], own[c])
        for c in range(n_groups)
    ]
    every = mixture(of_all[0], [*chain(*own), *common])
    every = every + _self_part(shared_gates[0], common)
    rows = [torch.cat([row, every], 1) for row in rows]

    seen = [feature_gate(features["groups"], c, row) for c, row in enumerate(rows)]
    of_group = grouped_expert_results(experts["groups"], seen, activation)
    shared = [
        expert_results(
            experts["shared"], feature_gate(features["shared"], 0, row), activation
        )
        for row in rows
    ]
    where = [next(c for c in range(n_groups) if k in groups[c]) for k in range(3)]
    tasks = [rows[c] for c in where]
    seen = [feature_gate(features["tasks"], k, row) for k, row in enumerate(tasks)]
    own = grouped_expert_results(experts["tasks"], seen, activation)
    weights = grouped_gate_weights(wiring.gates["tasks"], tasks, activation)
    own_gates = grouped_gate_weights(wiring.self_gates["tasks"], tasks, activation)
    results = [
        mixture(weights[k], own[k] + of_group[c] + shared[c])
        + _self_part(own_gates[k], own[k])
        for k, c in enumerate(where)
    ]
    return torch.stack(results, 1)


def test_both_levels_by_hand(put):
    wiring = HoME(
        1,
        1,
        n_shared_experts=1,
        expert_hidden_sizes=(1,),
        n_feature_gates=1,
        feature_gate_rank=1,
        activation="relu",
        batch_norm=False,
    )
    for parameter in put(wiring).parameters():
        torch.nn.init.zeros_(parameter)
    # Feature gates are 1, gates even, self gates 1/2. At x = 1 the meta experts return
    # 2 (group) and 6 (shared): the rows are 4 + 1 and 4 + 3.
    set_values(wiring.experts["meta_groups"].first.weight, [[[2.0]]])
    set_values(wiring.experts["meta_shared"].first.weight, [[6.0]])
    # The experts of the second level return 5 + 7, 5 and 7 of these, with an own gate
    # of (1/3, 1/3, 1/3) and a self gate of 1/2 for the task's.
    set_values(wiring.experts["tasks"].first.weight, [[[1.0], [1.0]]])
    set_values(wiring.experts["groups"].first.weight, [[[1.0], [0.0]]])
    set_values(wiring.experts["shared"].first.weight, [[0.0, 1.0]])
    encoded = Encoded(put(torch.tensor([[1.0]])))
    assert_close(wiring(encoded), [[[(12.0 + 5.0 + 7.0) / 3 + 12.0 / 2]]])
    meta, second = wiring.gate_weights(encoded)
    assert_close(meta, [[[1 / 2 + 1 / 2, 1 / 2]]])
    assert_close(second, [[[1 / 3 + 1 / 2, 1 / 3, 1 / 3]]])


@pytest.mark.parametrize("groups", [GROUPS, [[1], [2], [0]], [[2, 1, 0]]])
@pytest.mark.parametrize("n_experts", [(1, 1, 1), (2, 3, 2)])
@pytest.mark.parametrize("sizes", [{}, {"gate_hidden_sizes": (4, 3)}])
def test_it_is_the_loop_over_groups_and_tasks(groups, n_experts, sizes, put):
    n_shared, n_group, n_task = n_experts
    wiring = HoME(
        4,
        3,
        groups=groups,
        n_shared_experts=n_shared,
        n_group_experts=n_group,
        n_task_experts=n_task,
        expert_hidden_sizes=(6, 5),
        activation="tanh",
        batch_norm=False,
        **sizes,
    )
    wiring, x = put(wiring), put(torch.randn(8, 4))
    rows = wiring(Encoded(x))
    assert rows.shape == (8, 3, wiring.out_width) == (8, 3, 5)
    assert_close(rows, _reference(wiring, groups, x, torch.tanh))


def test_without_groups_all_tasks_are_one_group(put):
    wiring, explicit = put(HoME(4, 3)).eval(), put(HoME(4, 3, groups=[[0, 1, 2]]))
    explicit.eval().load_state_dict(wiring.state_dict())
    encoded = Encoded(put(torch.randn(8, 4)))
    assert torch.equal(wiring(encoded), explicit(encoded))


def test_the_order_of_tasks_within_a_group_does_not_matter(put):
    wiring, other = (
        put(HoME(4, 3, groups=[[0, 2], [1]])).eval(),
        HoME(4, 3, groups=[[2, 0], [1]]),
    )
    other.load_state_dict(wiring.state_dict())
    encoded = Encoded(put(torch.randn(8, 4)))
    assert torch.equal(wiring(encoded), put(other).eval()(encoded))


def test_experts_of_other_groups_and_tasks_are_masked(put):
    wiring = put(HoME(4, 3, groups=GROUPS, batch_norm=False))
    wiring(Encoded(put(torch.randn(8, 4))))[:, 2].sum().backward()
    experts = wiring.experts

    def learns(name):
        return experts[name].first.weight.grad.flatten(1).any(1).tolist()

    assert learns("groups") == [True, False]
    assert learns("tasks") == [False, False, True]
    # The row of all groups brings the meta experts of every group.
    assert learns("meta_groups") == [True, True]


def test_experts_are_normalised_and_smooth_unless_told_otherwise(put):
    def activations(wiring):
        return {type(m).__name__ for m in wiring.experts.modules()} & {"SiLU", "ReLU"}

    wiring = put(HoME(4, 2))
    norms = [m for m in wiring.modules() if isinstance(m, torch.nn.BatchNorm1d)]
    assert len(norms) == len(wiring.experts) == 5
    assert activations(wiring) == {"SiLU"}
    plain = put(HoME(4, 2, activation="relu", batch_norm=False))
    assert not any(isinstance(m, torch.nn.BatchNorm1d) for m in plain.modules())
    assert activations(plain) == {"ReLU"}


def test_training_teaches_the_running_statistics(put):
    wiring = put(HoME(4, 2, groups=[[0], [1]]))
    encoded = Encoded(put(torch.randn(64, 4) * 3 + 1))
    for _ in range(100):
        trained = wiring(encoded)
    difference = (wiring.eval()(encoded) - trained).abs().mean()
    assert difference < 0.1 * trained.abs().mean()


def test_a_task_weighs_its_own_experts_its_groups_and_the_shared_ones(put):
    wiring = put(HoME(4, 3, groups=GROUPS, n_group_experts=3, n_task_experts=2))
    meta, second = wiring.gate_weights(Encoded(put(torch.randn(8, 4))))
    names = wiring.expert_names("abc")
    # A softmax of the gate, and another one of the self gate.
    for weights in (meta, second):
        assert_close(weights.sum(2), torch.full((8, 3), 2.0))
    assert torch.equal(meta[:, 0], meta[:, 2])
    groups = [f"group_0_{k}" for k in range(3)], [f"group_1_{k}" for k in range(3)]
    for task, group in zip(range(3), (0, 1, 0)):
        reached = [*groups[group], "shared_0", "shared_1"]
        own = [f"{'abc'[task]}_0", f"{'abc'[task]}_1"]
        for weights, listed, wanted in zip(
            (meta, second), names, (reached, own + reached)
        ):
            reads = (weights[:, task] > 0).all(0).tolist()
            assert [name for name, read in zip(listed, reads, strict=True) if read] == (
                wanted
            )


@pytest.mark.parametrize("n_experts", [1, 2])
@pytest.mark.parametrize("batch_norm", [False, True])
def test_a_gradient_reaches_every_parameter(n_experts, batch_norm, put):
    wiring = HoME(
        4,
        3,
        groups=GROUPS,
        n_shared_experts=n_experts,
        n_group_experts=n_experts,
        n_task_experts=n_experts,
        gate_hidden_sizes=(4,),
        batch_norm=batch_norm,
    )
    wiring = put(wiring)
    for module in wiring.modules():
        if isinstance(module, torch.nn.BatchNorm1d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
    assert_every_parameter_learns(wiring, wiring(Encoded(put(torch.randn(16, 4)))))


def test_operations_do_not_grow_with_groups_tasks_or_experts(put):
    encoded = Encoded(put(torch.randn(5, 4)))
    few = HoME(4, 2, groups=[[0], [1]], n_group_experts=2, n_task_experts=2)
    many = HoME(
        4,
        20,
        groups=[[k, k + 10] for k in range(10)],
        n_shared_experts=7,
        n_group_experts=6,
        n_task_experts=5,
        n_feature_gates=4,
    )
    few, many = operations(put(few), encoded), operations(put(many), encoded)
    assert few == many
    # The meta level's rows are read by one product, and by its shared experts.
    assert few["addmm"] == 2 + 2


def test_dropout_acts_in_training_only(put):
    wiring = put(HoME(4, 2, dropout=0.5, batch_norm=False))
    encoded = Encoded(put(torch.randn(16, 4)))
    assert not torch.equal(wiring(encoded), wiring(encoded))
    wiring.eval()
    assert torch.equal(wiring(encoded), wiring(encoded))


@pytest.mark.parametrize("groups", [None, [[0], [1]]])
@pytest.mark.parametrize("n_rows", [0, 1])
def test_no_row_and_one_row(n_rows, groups, put):
    wiring = put(HoME(4, 2, groups=groups))
    assert wiring(Encoded(put(torch.randn(n_rows, 4)))).shape == (n_rows, 2, 32)


@pytest.mark.parametrize("sharing", ["most", "none"])
@pytest.mark.parametrize("batch_norm", [False, True])
def test_members_of_an_ensemble_run_as_alone(sharing, batch_norm, put):
    def make(in_width):
        return HoME(in_width, 3, groups=GROUPS, batch_norm=batch_norm)

    assert_members_run_as_alone(make, sharing, put)


def test_groups_that_miss_a_task_and_small_sizes_are_refused():
    with pytest.raises(ValueError, match=r"in exactly one group; .*missing: \[1\]"):
        HoME(4, 3, groups=[[0], [2]])
    for name in ("n_shared_experts", "n_group_experts", "n_task_experts"):
        with pytest.raises(ValueError, match=f"{name} must be at least 1; found 0"):
            HoME(4, 3, **{name: 0})
    for name in ("n_feature_gates", "feature_gate_rank"):
        with pytest.raises(ValueError, match=f"{name} must be at least 1; found 0"):
            HoME(4, 3, **{name: 0})
    with pytest.raises(ValueError, match=r"expert_hidden_sizes must hold at least one"):
        HoME(4, 3, expert_hidden_sizes=())

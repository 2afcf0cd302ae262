"""The weights that a wiring shows are those by which it mixes."""

import pytest
import torch

from sk_mtl.nn import (
    CGC,
    PLE,
    SNR,
    STEM,
    AdaTT,
    CrossStitch,
    Encoded,
    GateHead,
    HoME,
    MixtureWiring,
    MMoE,
    OMoE,
    TopKHead,
)
from tests.nn._asserts import assert_close
from tests.nn._networks import assert_members_run_as_if_alone

TASKS = ["a", "b", "c"]
OWN = ["a_0", "a_1", "b_0", "b_1", "c_0", "c_1"]
SHARED = ["shared_0", "shared_1"]
GROUPS = ["group_0_0", "group_1_0", *SHARED]
EXPERTS = [f"expert_{k}" for k in range(4)]
SUBNETWORKS = [f"subnetwork_{k}" for k in range(4)]


def _of_levels(wiring, seen):
    results = seen[wiring.experts[-1]]
    parts = [results.tasks.flatten(1, 2)]
    return torch.cat(parts if results.shared is None else [*parts, results.shared], 1)


def _of_home(wiring, seen):
    """Return what each task mixes: shared experts differ with the group's rows."""
    tasks, groups, shared = (
        seen[wiring.experts[name]] for name in ("tasks", "groups", "shared")
    )
    n_groups = groups.shape[1]
    shared = shared.unflatten(0, (-1, n_groups))[:, wiring.group_of_task]
    alike = torch.cat([tasks.flatten(1, 2), groups.flatten(1, 2)], 1)
    return torch.cat([alike.unsqueeze(1).expand(-1, 3, -1, -1), shared], 2)


def _of_stem(wiring, seen):
    tasks = seen[wiring.task_experts].flatten(1, 2)
    return torch.cat([tasks, seen[wiring.shared_experts]], 1)


# The wiring, what its last experts make, the names of the experts at each level, and
# the sums of each task's weights where they are the same everywhere.
CASES = [
    (PLE, {}, _of_levels, [OWN + SHARED] * 2, 1),
    (CGC, {}, _of_levels, [OWN + SHARED], 1),
    (AdaTT, {}, _of_levels, [OWN] * 2, None),
    (
        HoME,
        {"groups": [[0, 2], [1]]},
        _of_home,
        [GROUPS, ["a_0", "b_0", "c_0", *GROUPS]],
        None,
    ),
    (STEM, {"n_task_experts": 2}, _of_stem, [[*OWN, "shared_0"]], 1),
    (
        CrossStitch,
        {"hidden_sizes": (6, 5)},
        lambda w, seen: seen[w.layers[-1]].transpose(0, 1),
        [TASKS] * 2,
        1,
    ),
    (
        SNR,
        {},
        lambda w, seen: seen[w.subnetworks[-1]].transpose(0, 1),
        [SUBNETWORKS],
        None,
    ),
]


@pytest.mark.parametrize(
    ("cls", "options", "results_of", "names", "total"),
    CASES,
    ids=[case[0].__name__ for case in CASES],
)
def test_weights_mix_the_results_of_the_experts(
    cls, options, results_of, names, total, put
):
    wiring = put(cls(4, 3, **options)).eval()
    encoded = Encoded(put(torch.randn(8, 4)), per_task=put(torch.randn(8, 3, 4)))
    seen = {}
    for module in wiring.modules():
        module.register_forward_hook(lambda m, _, result: seen.update({m: result}))
    rows = wiring(encoded)
    levels = wiring.gate_weights(encoded)
    results = results_of(wiring, seen)
    if results.ndim == 3:
        results = results.unsqueeze(1)
    assert_close((levels[-1].unsqueeze(3) * results).sum(2), rows)
    assert wiring.expert_names(TASKS) == names
    assert [each.shape for each in levels] == [(8, 3, len(each)) for each in names]
    for weights in levels if total else ():
        assert_close(weights.sum(2), torch.full((8, 3), float(total)))


@pytest.mark.parametrize("cls", [MMoE, OMoE])
def test_mixtures_name_their_experts(cls):
    assert cls(4, 3).expert_names(TASKS) == [EXPERTS]
    assert isinstance(cls(4, 3), MixtureWiring)


class Priced(GateHead):
    """A softmax that costs 1 for each row and gate."""

    def forward(self, scores):
        return scores.softmax(1)

    def with_penalty(self, scores):
        return self(scores), torch.ones_like(scores[:, 0])


@pytest.mark.parametrize("cls", [CGC, PLE, AdaTT])
@pytest.mark.parametrize("hidden_sizes", [(), (4,)])
def test_gates_of_levels_select_experts(cls, hidden_sizes, put):
    options = {"n_shared_experts": 2, "gate_hidden_sizes": hidden_sizes}
    encoded = Encoded(put(torch.randn(8, 4)))
    wiring = put(cls(4, 3, gate="top_k", **options))
    rows, penalty = wiring.with_penalty(encoded)
    assert penalty is None
    for gates in wiring.gates:
        assert isinstance(gates.tasks.head, TopKHead)
    if cls is not AdaTT:
        for weights in wiring.gate_weights(encoded):
            assert ((weights > 0).sum(2) == 2).all()
            assert_close(weights.sum(2), torch.ones(8, 3))
    dear = put(cls(4, 3, gate="dselect_k", **options))
    rows, penalty = dear.with_penalty(encoded)
    assert_close(rows, dear(encoded))
    assert penalty.shape == ()
    rows.sum().backward(retain_graph=True)
    penalty.backward()
    assert all(bool(each.grad.any()) for each in dear.gates.parameters())


def test_the_penalty_of_levels_is_the_sum_over_gates_and_the_mean_over_rows(put):
    wiring = put(PLE(4, 3, gate=Priced))
    penalty = wiring.with_penalty(Encoded(put(torch.randn(8, 4))))[1]
    # Three gates of tasks at two levels, and the shared one of the first.
    assert_close(penalty, 3.0 + 1.0 + 3.0)
    empty = wiring.with_penalty(Encoded(put(torch.randn(0, 4))))[1]
    assert_close(empty, 0.0)


def test_members_of_an_ensemble_select_as_if_alone():
    assert_members_run_as_if_alone(PLE, "most", gate="dselect_k")

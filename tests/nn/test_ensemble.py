"""Several networks in one: against the same networks one by one."""

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor, wait

import pytest
import torch
from torch import nn

from sk_mtl.losses import FunnelStructure, IndependentStructure, TaskLoss
from sk_mtl.nn import (
    ESMM,
    Dropout,
    FeatureEncoder,
    MMoE,
    MultiTaskNetwork,
    NetworkEnsemble,
    NumericColumns,
    Towers,
)
from tests.nn import _features
from tests.nn._asserts import assert_close

STRUCTURE = IndependentStructure([2, 2])
CODES = torch.tensor([[0, 2, 1], [3, 0, 1], [1, 1, 0], [2, 3, 2], [3, 3, 0]])
NUMERIC = torch.tensor([[0.5, -1.0], [2.0, 0.0], [-1.0, 1.5], [0.1, 0.2], [1.0, 1.0]])
HISTORY = torch.tensor([[1, 2, -1], [-1, -1, -1], [3, 0, 2], [2, -1, -1], [1, 1, 3]])
Y = torch.tensor([[1.0, 0.0], [0.0, 0.0], [1.0, 1.0], [0.0, 1.0], [1.0, 0.0]])

FEATURES = {
    "plain": {},
    "numeric embeddings": {"numeric": ("bins", "ple", "periodic")},
    "cross": _features.CROSS,
    "fm and wide": {**_features.FM, "wide": True},
    "senet": _features.SENET,
    "summed fields": {"group_pooling": "sum", "field_groups": [[0, 1]]},
    "mean of items": {"sequence_pooling": ["mean"]},
    "maximum of items": {"sequence_pooling": ["max"]},
    "attention": {"sequence_pooling": ["attention"]},
    "target attention": {
        "sequence_pooling": ["target_attention"],
        "sequence_targets": [1],
        "vocabularies": [0, 1, 2, 1],
    },
}


def make_network(features="plain", *, batch_norm=False, dropout=0.0, wiring=MMoE):
    options = dict(FEATURES[features])
    columns = NumericColumns(NUMERIC, [0, 1])
    options["numeric_embeddings"] = [
        _features.NUMERIC[kind](columns, 4, n_bins=3)
        for kind in options.pop("numeric", ())
    ]
    n_features = 3 + len(options.get("sequence_pooling", ()))
    encoder = FeatureEncoder(
        [4] * n_features, 2, embedding_dims=[4] * n_features, **options
    )
    if wiring is MMoE:
        wiring = MMoE(encoder.width, 2, dropout=dropout, batch_norm=batch_norm)
    else:
        wiring = wiring(encoder.width, 2)
    towers = Towers(wiring.out_width, [(8,), (4,)], [1, 1], batch_norm=batch_norm)
    return MultiTaskNetwork(encoder, wiring, towers)


def make_members(n_members=3, **options):
    torch.manual_seed(0)
    return [make_network(**options) for _ in range(n_members)]


def inputs(features="plain"):
    sequences = (HISTORY,) if "sequence_pooling" in FEATURES[features] else ()
    return CODES, NUMERIC, sequences


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("features", FEATURES)
def test_a_deep_ensemble_is_its_members_side_by_side(features, batch_norm):
    members = make_members(features=features, batch_norm=batch_norm)
    ensemble = NetworkEnsemble(
        copy.deepcopy(members), STRUCTURE.combine, sharing="none"
    )
    alone = torch.stack([member(*inputs(features)) for member in members])
    assert_close(ensemble(*inputs(features)), alone)
    for member in members:
        member.eval()
    alone = torch.stack([member(*inputs(features)) for member in members])
    assert_close(ensemble.eval()(*inputs(features)), STRUCTURE.combine(alone))


@pytest.mark.parametrize("wiring", [MMoE, ESMM])
@pytest.mark.parametrize(
    "features", ["numeric embeddings", "mean of items", "fm and wide"]
)
def test_a_deep_ensemble_learns_what_its_members_learn_alone(features, wiring):
    members = make_members(features=features, wiring=wiring)
    ensemble = NetworkEnsemble(
        copy.deepcopy(members), STRUCTURE.combine, sharing="none"
    )
    loss = TaskLoss(STRUCTURE, torch.ones(2), torch.tensor([1.0, 0.5]))
    for network in (ensemble, *members):
        optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
        for _ in range(3):
            optimizer.zero_grad()
            loss(network(*inputs(features)), Y).backward()
            optimizer.step()
    trained = dict(ensemble.named_parameters())
    for name, value in members[0].named_parameters():
        alone = torch.stack([dict(m.named_parameters())[name] for m in members])
        assert_close(trained[f"network.{name}"], alone)
        assert not torch.equal(value, dict(members[1].named_parameters())[name])


def test_one_member_of_a_deep_ensemble_may_answer_alone():
    members = make_members(batch_norm=True)
    ensemble = NetworkEnsemble(
        copy.deepcopy(members), STRUCTURE.combine, sharing="none"
    ).eval()
    before = copy.deepcopy(ensemble.state_dict())
    for number, each in enumerate(members):
        alone = ensemble.logits_of(number, *inputs())
        assert_close(alone, each.eval()(*inputs()))
    after = ensemble.state_dict()
    assert all(torch.equal(after[name], value) for name, value in before.items())
    names = {f"network.{name}" for name, _ in members[0].named_parameters()}
    assert names <= set(ensemble.own_names()) <= set(before)


@pytest.mark.parametrize("sharing", ["most", "embedding"])
def test_members_that_share_weights_answer_together(sharing):
    ensemble = NetworkEnsemble(make_members(), STRUCTURE.combine, sharing=sharing)
    with pytest.raises(ValueError) as caught:
        ensemble.logits_of(0, *inputs())
    assert str(caught.value) == (
        f"sharing must be 'none' where members answer alone; found {sharing!r}. Call "
        "`each`, which runs all members."
    )


def test_a_deep_ensemble_keeps_the_running_statistics_of_each_member():
    members = make_members(batch_norm=True)
    ensemble = NetworkEnsemble(
        copy.deepcopy(members), STRUCTURE.combine, sharing="none"
    )
    for network in (ensemble, *members):
        network(*inputs())
    state = ensemble.state_dict()
    found = [name for name in members[0].state_dict() if "running" in name]
    assert found
    for name in [*found, *(n for n in members[0].state_dict() if "num_batches" in n)]:
        alone = torch.stack([member.state_dict()[name] for member in members])
        assert_close(state[f"network.{name}"], alone)


def test_members_that_share_the_embedding_are_heads_on_one_encoder():
    members = make_members()
    ensemble = NetworkEnsemble(
        copy.deepcopy(members), STRUCTURE.combine, sharing="embedding"
    )
    encoded = members[0].encoder(*inputs())
    alone = torch.stack([member.logits(encoded) for member in members])
    assert_close(ensemble(*inputs()), alone)
    shapes = {name: p.shape for name, p in ensemble.named_parameters()}
    assert shapes["network.encoder.tables.0"] == (12, 4)
    assert shapes["network.wiring.gates.first.weight"][0] == 3


def test_members_that_share_most_have_their_own_scales_gates_and_towers():
    members = make_members()
    ensemble = NetworkEnsemble(copy.deepcopy(members), STRUCTURE.combine)
    assert set(ensemble.scales.unique().tolist()) == {-1.0, 1.0}
    encoded = members[0].encoder(*inputs())
    for member in members[1:]:
        member.wiring.experts.first = members[0].wiring.experts.first
    alone = [
        member.logits(encoded._replace(shared=encoded.shared * scale))
        for member, scale in zip(members, ensemble.scales, strict=True)
    ]
    assert_close(ensemble(*inputs()), torch.stack(alone))
    stacked = {n for n, p in ensemble.named_parameters() if p.shape[0] == 3}
    assert "network.wiring.gates.first.weight" in stacked
    assert "network.wiring.experts.first.weight" not in stacked
    assert any(name.startswith("network.towers") for name in stacked)


@pytest.mark.parametrize("sharing", ["most", "embedding", "none"])
def test_dropout_and_unknown_codes_are_drawn_in_training_only(sharing):
    members = make_members(dropout=0.5)
    for member in members:
        member.encoder.unknown_rate = 0.3
    ensemble = NetworkEnsemble(members, STRUCTURE.combine, sharing=sharing)
    assert not torch.equal(ensemble(*inputs()), ensemble(*inputs()))
    ensemble.eval()
    assert torch.equal(ensemble(*inputs()), ensemble(*inputs()))


def test_dropout_differs_between_members():
    member = make_members(1, dropout=0.5)[0]
    twins = [copy.deepcopy(member) for _ in range(2)]
    ensemble = NetworkEnsemble(twins, STRUCTURE.combine, sharing="none")
    first, second = ensemble(*inputs())
    assert not torch.allclose(first, second)


@pytest.mark.parametrize("sharing", ["most", "embedding", "none"])
def test_each_member_is_asked(sharing):
    members = make_members()
    ensemble = NetworkEnsemble(members, STRUCTURE.combine, sharing=sharing).eval()
    (gates,) = ensemble.each(lambda m, x: m.wiring.gate_weights(x), *inputs())
    assert gates.shape == (5, 3, 2, 4)
    assert_close(gates.sum(3), torch.ones(5, 3, 2))


@pytest.mark.parametrize("sharing", ["most", "embedding", "none"])
def test_an_ensemble_is_saved_and_read_back(sharing):
    ensemble = NetworkEnsemble(
        make_members(batch_norm=True), STRUCTURE.combine, sharing=sharing
    )
    torch.manual_seed(1)
    other = NetworkEnsemble(
        [make_network(batch_norm=True) for _ in range(3)],
        STRUCTURE.combine,
        sharing=sharing,
    )
    other.load_state_dict(ensemble.state_dict())
    assert torch.equal(other.eval()(*inputs()), ensemble.eval()(*inputs()))
    assert f"sharing='{sharing}'" in repr(copy.deepcopy(ensemble))


@pytest.mark.parametrize("sharing", ["none", "embedding", "most"])
@pytest.mark.parametrize(
    "copied",
    [
        lambda ensemble: copy.deepcopy(ensemble).state_dict(),
        lambda ensemble: pickle.loads(pickle.dumps(ensemble)).state_dict(),
        lambda ensemble: ensemble.state_dict(),
    ],
    ids=["copy", "pickle", "state"],
)
def test_a_copy_while_another_thread_predicts_holds_the_stacked_weights(
    sharing, copied
):
    ensemble = NetworkEnsemble(make_members(), torch.sum, sharing=sharing).eval()
    with ThreadPoolExecutor(1) as other:
        copies = []

        def copy_meanwhile(member, encoded):
            if not copies:
                copies.append(other.submit(copied, ensemble))
                wait(copies, timeout=0.2)
            return MultiTaskNetwork.parts(member, encoded)

        ensemble.each(copy_meanwhile, *inputs())
        state = copies[0].result()
    for name, value in ensemble.state_dict().items():
        assert torch.equal(state[name], value)


def test_sparse_tables_are_shared_and_named():
    def make():
        encoder = FeatureEncoder([9, 4], 0, embedding_dims=[4, 4], sparse=[True, False])
        wiring = MMoE(encoder.width, 2)
        return MultiTaskNetwork(encoder, wiring, Towers(64, [(), ()], [1, 1]))

    ensemble = NetworkEnsemble([make(), make()], STRUCTURE.combine, sharing="most")
    (name,) = ensemble.sparse_parameter_names()
    codes = torch.tensor([[3, 1], [5, 2]])
    ensemble(codes, torch.zeros(2, 0)).sum().backward()
    assert dict(ensemble.named_parameters())[name].grad.is_sparse
    assert ensemble.sparse_rows(codes)[name].tolist() == [0, 3, 5]


def test_too_few_members_and_an_unknown_sharing_are_refused():
    members = make_members(1)
    with pytest.raises(ValueError, match="at least two members; found 1"):
        NetworkEnsemble(members, STRUCTURE.combine)
    with pytest.raises(ValueError, match=r"sharing must be one of .*'some'"):
        NetworkEnsemble(members * 2, STRUCTURE.combine, sharing="some")


def test_the_mean_probability_of_independent_tasks():
    structure = IndependentStructure([2, 3, 2])
    logits = torch.randn(4, 6, 5, dtype=torch.float64)
    combined = structure.log_proba(structure.combine(logits))
    members = [structure.log_proba(each) for each in logits]
    for task, log_proba in enumerate(combined):
        mean = torch.stack([each[task].exp() for each in members]).mean(0)
        assert_close(log_proba.exp(), mean)


def test_the_mean_probability_of_a_funnel_and_of_its_steps():
    structure = FunnelStructure(3)
    logits = torch.randn(4, 6, 3, dtype=torch.float64)
    combined = structure.combine(logits)
    reached = torch.stack([torch.sigmoid(each).cumprod(1) for each in logits]).mean(0)
    for step, log_proba in enumerate(structure.log_proba(combined)):
        assert_close(log_proba.exp()[:, 1], reached[:, step])
    before = torch.cat([torch.ones(6, 1), reached[:, :-1]], 1)
    for step, log_proba in enumerate(structure.conditional_log_proba(combined)):
        assert_close(log_proba.exp()[:, 1], reached[:, step] / before[:, step])


def test_the_mean_probability_keeps_its_precision_far_out():
    logits = torch.tensor([[[-90.0]], [[-91.0]]])
    expected = torch.log((torch.tensor(1.0) + torch.tensor(-1.0).exp()) / 2) - 90
    for structure in (IndependentStructure([2]), FunnelStructure(1)):
        assert_close(structure.combine(logits), expected.view(1, 1))


def test_losses_are_those_of_each_member_and_are_summed():
    loss = TaskLoss(STRUCTURE, torch.tensor([1.0, 0.5]), torch.tensor([1.0, 3.0]))
    logits, weight = torch.randn(3, 5, 2), torch.rand(5, 2)
    each = torch.stack([loss.task_losses(one, Y, weight) for one in logits])
    assert_close(loss.task_losses(logits, Y, weight), each)
    assert_close(loss(logits, Y, weight), sum(loss(one, Y, weight) for one in logits))


def test_a_gradient_through_rows_of_batched_tables_is_that_of_the_loop():
    from sk_mtl.nn._encoding._take_rows import take_rows

    tables = torch.randn(3, 6, 2, requires_grad=True)
    rows = torch.tensor([[1, 4], [1, 0]])
    scale = torch.randn(3, 2, 2, 2)
    (torch.func.vmap(take_rows, (0, None))(tables, rows) * scale).sum().backward()
    batched, tables.grad = tables.grad, None
    loop = torch.stack([nn.functional.embedding(rows, table) for table in tables])
    (loop * scale).sum().backward()
    assert_close(batched, tables.grad)


def test_members_that_are_kept_answer_by_their_counts():
    members = make_members(4, batch_norm=True)
    ensemble = NetworkEnsemble(
        copy.deepcopy(members), STRUCTURE.combine, sharing="none"
    )
    parameters = list(ensemble.parameters())
    ensemble.keep([0, 2, 0, 1])
    assert ensemble.n_members == 2
    assert ensemble(*inputs()).shape[0] == 2
    for member in members:
        member.eval()
    alone = [members[k](*inputs()) for k in (1, 1, 3)]
    for each in (ensemble.eval(), pickle.loads(pickle.dumps(ensemble)).eval()):
        # The first call, in training, has moved the running statistics.
        state = each.state_dict()
        for name, value in members[1].state_dict().items():
            if "running" in name or "batches" in name:
                both = torch.stack([value, members[3].state_dict()[name]])
                state[f"network.{name}"].copy_(both)
        assert_close(each(*inputs()), STRUCTURE.combine(torch.stack(alone)))
    assert all(a is b for a, b in zip(parameters, ensemble.parameters(), strict=True))


def test_members_may_have_rates_of_dropout_of_their_own():
    members = make_members(3, dropout=0.5)
    rates = [0.0, 0.25, 0.5]
    ensemble = NetworkEnsemble(
        members, STRUCTURE.combine, sharing="none", dropout=rates
    )
    layers = [m for m in ensemble.modules() if isinstance(m, Dropout)]
    assert [layer.member_rates.tolist() for layer in layers] == [rates] * len(layers)
    first, second = ensemble(*inputs()), ensemble(*inputs())
    assert torch.equal(first[0], second[0])
    assert not torch.equal(first[2], second[2])
    layer = Dropout(0.5)
    layer.member_rates = torch.tensor(0.25)
    dropped = layer(torch.ones(200, 200))
    assert dropped.unique().tolist() == pytest.approx([0, 4 / 3])
    assert (dropped == 0).float().mean().item() == pytest.approx(0.25, abs=0.02)

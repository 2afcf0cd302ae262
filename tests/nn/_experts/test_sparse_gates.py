import itertools
import math
from functools import partial

import pytest
import torch

from sk_mtl.nn import (
    DSelectKHead,
    Encoded,
    GateHead,
    Gates,
    MMoE,
    NetworkEnsemble,
    OMoE,
    SoftmaxHead,
    TopKHead,
)
from sk_mtl.nn._experts._gate_head import mean_over_rows
from sk_mtl.nn._experts._sparse_gates import smooth_step
from tests.nn._asserts import (
    assert_close,
    assert_every_parameter_learns,
    operations,
    set_values,
)
from tests.nn._networks import (
    CODES,
    NUMERIC,
    assert_members_run_as_if_alone,
    assert_network_exports,
    make_encoded,
    make_network,
)

LN3 = math.log(3)
SPARSE = ["top_k", "dselect_k"]
WIRINGS = [MMoE, OMoE]


def _step(z):
    """Return the paper's smooth step of one number, with width 1."""
    if z <= -0.5:
        return 0.0
    return 1.0 if z >= 0.5 else -2 * z**3 + 1.5 * z + 0.5


def _dselect_by_loops(scores, n_experts, n_active):
    """Return weights and the two parts of the penalty, a number at a time."""
    n_digits = math.ceil(math.log2(n_experts))
    weights = torch.zeros(len(scores), n_experts, scores.shape[2], dtype=torch.float64)
    entropy = lost = 0.0
    for n, gate in itertools.product(range(len(scores)), range(scores.shape[2])):
        row = scores[n, :, gate].tolist()
        mixing = [math.exp(w) for w in row[n_active * n_digits :]]
        for i in range(n_active):
            reached = 0.0
            for e in range(n_experts):
                r = 1.0
                for b in range(n_digits):
                    t = _step(row[i * n_digits + b])
                    r *= t if (e >> b) & 1 else 1 - t
                weights[n, e, gate] += mixing[i] / sum(mixing) * r
                entropy -= r * math.log(r) if r > 0 else 0.0
                reached += r
            lost += (1 - reached) / (reached + 0.01)
    return weights, entropy / len(scores), lost / len(scores)


def _away_from_the_start(module):
    """Spread the scores, so that some digits are decided and others are not."""
    for gates in [each for each in module.modules() if isinstance(each, Gates)]:
        layer = gates.deeper[-1] if len(gates.deeper) else gates.first
        torch.nn.init.uniform_(layer.weight, -0.3, 0.3)
        torch.nn.init.uniform_(layer.bias, -0.2, 0.2)


def test_the_two_largest_scores_by_hand(put):
    rows = [[0.0, LN3, -1.0], [5.0, 1.0, 5.0 + LN3]]
    scores = put(torch.tensor(rows, dtype=torch.float64)).unsqueeze(2)
    weights = TopKHead(3, 2)(scores).squeeze(2)
    assert_close(weights, [[0.25, 0.75, 0.0], [0.25, 0.0, 0.75]])
    assert (weights == 0).sum(1).tolist() == [1, 1]


def test_all_of_the_largest_scores_are_the_softmax(put):
    scores = put(torch.randn(8, 5, 3))
    assert_close(TopKHead(5, 5)(scores), SoftmaxHead(5)(scores))
    assert_close(TopKHead(1, 1)(scores[:, :1]), torch.ones(8, 1, 3))


def test_the_largest_scores_are_a_loop_over_rows_and_gates(put):
    scores = put(torch.randn(8, 6, 3))
    weights = TopKHead(6, 2)(scores)
    for n, gate in itertools.product(range(8), range(3)):
        row = scores[n, :, gate].tolist()
        chosen = sorted(range(6), key=lambda e: -row[e])[:2]
        total = sum(math.exp(row[e]) for e in chosen)
        expected = [math.exp(row[e]) / total if e in chosen else 0 for e in range(6)]
        assert_close(weights[n, :, gate], expected)


def test_the_smooth_step_by_hand(put):
    values = smooth_step(put(torch.tensor([-7.0, -0.5, -0.25, 0.0, 0.25, 0.5, 7.0])))
    assert_close(values, [0.0, 0.0, 0.15625, 0.5, 0.84375, 1.0, 1.0])


def test_one_selector_of_four_experts_by_hand(put):
    # The digits 27/32 and 1/2, of value 1 and 2; then 1 and 0: expert 1.
    scores = put(torch.tensor([[0.25, 0.0, 3.0], [0.5, -0.5, 3.0]])).unsqueeze(2)
    head = DSelectKHead(4, 1, penalty=0.5)
    assert head.n_scores == 3
    weights, penalty = put(head).with_penalty(scores)
    expected = [[5 / 64, 27 / 64, 5 / 64, 27 / 64], [0.0, 1.0, 0.0, 0.0]]
    assert_close(weights.squeeze(2), expected)
    assert (weights[1] == 0).sum() == 3
    entropy = -2 * (5 / 64 * math.log(5 / 64) + 27 / 64 * math.log(27 / 64))
    assert_close(penalty, [[0.5 * entropy], [0.0]])


def test_one_selector_of_three_experts_by_hand(put):
    # A quarter of the first row's weight and all of the second's reaches no expert.
    head = put(DSelectKHead(3, 1, penalty=1.0))
    scores = put(torch.tensor([[0.0, 0.0, 3.0], [9.0, 9.0, 3.0], [9.0, -9.0, 3.0]]))
    weights, penalty = head.with_penalty(scores.unsqueeze(2))
    assert_close(weights.squeeze(2), [[0.25] * 3, [0.0] * 3, [0.0, 1.0, 0.0]])
    expected = [[0.75 * math.log(4) + 0.25 / 0.76], [1 / 0.01], [0.0]]
    assert_close(penalty, expected)
    assert_close(mean_over_rows(penalty), sum(map(sum, expected)) / 3)


@pytest.mark.parametrize("n_experts", [2, 3, 4, 5, 6, 8])
@pytest.mark.parametrize("n_active", [1, 2])
def test_dselect_is_the_loop_over_selectors_experts_and_digits(
    n_experts, n_active, put
):
    head = put(DSelectKHead(n_experts, n_active, penalty=0.3))
    scores = put(torch.randn(8, head.n_scores, 3) * 0.5)
    weights, penalty = head.with_penalty(scores)
    expected, entropy, lost = _dselect_by_loops(scores, n_experts, n_active)
    assert_close(weights, expected)
    assert bool((weights == 0).any())
    assert torch.equal(weights, head(scores))
    if n_experts in (2, 4, 8):
        assert lost == pytest.approx(0, abs=1e-9)
        assert_close(weights.sum(1), torch.ones(8, 3))
    expected = pytest.approx(0.3 * (entropy + lost), rel=1e-4)
    assert mean_over_rows(penalty).item() == expected


def test_decided_selectors_cost_nothing(put):
    head = put(DSelectKHead(3, 2, penalty=1.0))
    scores = [[1.0, -1.0, -1.0, 1.0, 0.0, LN3]]
    decided = put(torch.tensor(scores, dtype=torch.float64)).unsqueeze(2)
    weights, penalty = head.with_penalty(decided)
    assert_close(weights.squeeze(2), [[0.0, 0.25, 0.75]])
    assert not penalty.any()
    assert put(DSelectKHead(3, 2, penalty=0)).with_penalty(decided)[1] is None


def test_a_selector_of_one_expert_has_no_digits(put):
    head = put(DSelectKHead(1, 1, penalty=1.0))
    weights, penalty = head.with_penalty(put(torch.randn(4, head.n_scores, 2)))
    assert_close(weights, torch.ones(4, 1, 2))
    assert not penalty.any()


@pytest.mark.parametrize("n_experts", [3, 4])
def test_gradients_are_true_and_finite_where_digits_are_decided(n_experts):
    head = DSelectKHead(n_experts, 2, penalty=0.5)
    scores = torch.randn(5, head.n_scores, 2, dtype=torch.float64) * 0.4
    assert torch.autograd.gradcheck(head.with_penalty, scores.requires_grad_())
    edges = torch.tensor([-2.0, -0.5, 0.5, 2.0, 0.49999997, -0.49999997])
    grid = torch.cartesian_prod(*[edges] * (head.n_scores - 2))
    grid = torch.cat([grid, torch.zeros(len(grid), 2)], 1).unsqueeze(2)
    weights, penalty = head.with_penalty(grid.requires_grad_())
    (weights.square().sum() + penalty.sum()).backward()
    assert bool(grid.grad.isfinite().all())


def test_the_penalty_makes_selectors_decide_on_experts(put):
    head, n_steps = put(DSelectKHead(3, 2, penalty=1.0)), 200
    scores = put(torch.rand(16, head.n_scores, 2) * 0.4 - 0.2).requires_grad_()
    optimizer = torch.optim.SGD([scores], lr=1.0)
    for _ in range(n_steps):
        optimizer.zero_grad()
        mean_over_rows(head.with_penalty(scores)[1]).backward()
        optimizer.step()
    weights = head(scores)
    assert bool(((weights > 1e-3).sum(1) <= 2).all())
    assert_close(weights.sum(1), torch.ones(16, 2))


def test_gates_of_selectors_start_near_the_middle(put):
    for hidden in ((), (4,)):
        gates = put(Gates(6, 3, 4, hidden_sizes=hidden, gate="dselect_k"))
        weights = gates(put(torch.randn(8, 6)))
        assert weights.shape == (8, 3, 4)
        assert_close(weights.sum(2), torch.ones(8, 3))
        assert (weights - 0.25).abs().max() < 0.1
        assert len(weights.unique()) == weights.numel()


@pytest.mark.parametrize("gate", SPARSE)
@pytest.mark.parametrize("gate_sizes", [(), (4,)])
def test_weights_mix_the_experts(gate, gate_sizes, put):
    wiring = MMoE(4, 3, n_experts=4, gate=gate, gate_hidden_sizes=gate_sizes)
    _away_from_the_start(wiring)
    wiring, encoded = put(wiring).eval(), make_encoded(put)
    weights = wiring.gate_weights(encoded)[0]
    assert_close(weights.sum(2), torch.ones(8, 3))
    expected = weights @ wiring.experts(encoded.shared)
    assert_close(wiring(encoded), expected)
    assert_close(wiring.with_penalty(encoded)[0], expected)
    if gate == "top_k":
        assert ((weights > 0).sum(2) == 2).all()


@pytest.mark.parametrize("gate_sizes", [(), (4,)])
@pytest.mark.parametrize("n_experts", [3, 4])
def test_scores_of_a_gate_lie_side_by_side(n_experts, gate_sizes, put):
    """Each gate's weights are those of a single gate with its share of the columns."""
    options = {"gate": "dselect_k", "hidden_sizes": gate_sizes}
    gates = Gates(4, 3, n_experts, **options)
    _away_from_the_start(gates)
    gates, x = put(gates), put(torch.randn(8, 4))
    weights = gates(x)
    for task in range(3):
        single = put(Gates(4, 1, n_experts, **options))
        for name, parameter in single.named_parameters():
            own = dict(gates.named_parameters())[name]
            if name.startswith("deeper"):
                own = own[task : task + 1]
            elif gate_sizes:
                own = own.chunk(3)[task]
            else:
                own = own[task::3]
            set_values(parameter, own.detach())
        assert_close(single(x)[:, 0], weights[:, task])


@pytest.mark.parametrize("wiring", WIRINGS)
@pytest.mark.parametrize("gate", SPARSE)
@pytest.mark.parametrize("n_experts", [3, 4])
def test_a_gradient_reaches_every_parameter(wiring, gate, n_experts, put):
    wiring = wiring(
        4,
        3,
        n_experts=n_experts,
        gate=gate,
        gate_hidden_sizes=(4,),
        expert_dropout=0.2,
        load_balance=0.1,
        activation="silu",
    )
    wiring = put(wiring)
    assert_every_parameter_learns(wiring, wiring(make_encoded(put, 64)))
    wiring.zero_grad()
    wiring.with_penalty(make_encoded(put, 64))[1].backward()
    learnt = {n for n, p in wiring.named_parameters() if p.grad.any()}
    assert learnt == {f"gates.{n}" for n, _ in wiring.gates.named_parameters()}


@pytest.mark.parametrize("gate", SPARSE)
@pytest.mark.parametrize("n_experts", [3, 4])
def test_training_finds_the_expert_that_helps(gate, n_experts, put):
    """Each of two tasks wants the result of an expert of its own."""
    wiring = MMoE(4, 2, n_experts=n_experts, expert_hidden_sizes=(5,), gate=gate)
    wiring, encoded = put(wiring), make_encoded(put, 64)
    target = wiring.experts(encoded.shared).detach()[:, [2, 1]]
    optimizer = torch.optim.Adam(wiring.gates.parameters(), lr=0.02)
    for _ in range(200):
        rows, penalty = wiring.with_penalty(encoded)
        loss = (rows - target).square().mean()
        optimizer.zero_grad()
        (loss if penalty is None else loss + penalty).backward()
        optimizer.step()
    found = wiring.gate_weights(encoded)[0].mean(0)
    assert min(found[0, 2], found[1, 1]) > 0.8


@pytest.mark.parametrize("gate", SPARSE)
def test_operations_do_not_grow_with_experts_or_tasks(gate, put):
    options = {"expert_dropout": 0.3, "load_balance": 0.1}
    encoded = make_encoded(put)
    few = put(MMoE(4, 2, n_experts=3, gate=gate, **options))
    nine = partial(TopKHead if gate == "top_k" else DSelectKHead, n_active=9)
    many = put(MMoE(4, 20, n_experts=30, gate=nine, **options))
    assert operations(few.with_penalty, encoded) == operations(
        many.with_penalty, encoded
    )


@pytest.mark.parametrize("n_rows", [0, 1])
@pytest.mark.parametrize("wiring", WIRINGS)
@pytest.mark.parametrize("gate", ["softmax", *SPARSE])
def test_no_row_and_one_row(gate, wiring, n_rows, put):
    options = {"gate": gate, "expert_dropout": 0.3, "load_balance": 0.1}
    wiring = put(wiring(4, 2, n_experts=3, expert_hidden_sizes=(5,), **options))
    rows, penalty = wiring.with_penalty(make_encoded(put, n_rows))
    assert rows.shape == (n_rows, 2, 5)
    penalty.backward()
    assert penalty.shape == ()
    assert bool(penalty.isfinite())
    assert bool(wiring.gates.first.weight.grad.isfinite().all())


@pytest.mark.parametrize("n_experts", [3, 4])
def test_the_one_gate_of_all_tasks_is_penalised_once(n_experts, put):
    options = {"n_experts": n_experts, "gate": "dselect_k", "load_balance": 0.1}
    wiring, single = put(OMoE(4, 3, **options)), put(MMoE(4, 1, **options))
    single.load_state_dict(wiring.state_dict())
    encoded = make_encoded(put)
    rows, penalty = wiring.with_penalty(encoded)
    assert_close(penalty, single.with_penalty(encoded)[1])
    assert_close(rows, single(encoded).expand(-1, 3, -1))


@pytest.mark.parametrize("gate", ["softmax", *SPARSE])
def test_gates_add_no_state(gate):
    names = set(MMoE(4, 2, gate=gate).state_dict())
    assert names == set(MMoE(4, 2).state_dict())


@pytest.mark.parametrize("sharing", ["most", "none"])
@pytest.mark.parametrize("gate", SPARSE)
@pytest.mark.parametrize("wiring", WIRINGS)
def test_members_of_an_ensemble_run_as_if_alone(wiring, gate, sharing):
    assert_members_run_as_if_alone(
        wiring, sharing, gate=gate, expert_dropout=0.3, load_balance=0.1
    )


@pytest.mark.parametrize("gate", SPARSE)
def test_an_ensemble_is_penalised_as_its_members(gate):
    options = {"n_experts": 3, "gate": gate, "load_balance": 0.1}
    members = [make_network(MMoE, **options) for _ in range(2)]
    each = [m.wiring.with_penalty(m.encoder(CODES, NUMERIC))[1] for m in members]
    ensemble = NetworkEnsemble(members, lambda x: x, sharing="none")
    ensemble(CODES, NUMERIC)
    assert_close(ensemble.penalty, sum(each))
    ensemble.penalty.backward()
    assert bool(ensemble.network.wiring.gates.first.weight.grad.any())


@pytest.mark.parametrize("gate", SPARSE)
@pytest.mark.parametrize("n_experts", [3, 4])
def test_a_network_is_exported(gate, n_experts):
    options = {"gate": gate, "expert_dropout": 0.3, "load_balance": 0.1}
    assert_network_exports(MMoE, n_experts=n_experts, **options)


@pytest.mark.parametrize("gate", SPARSE)
def test_products_of_fewer_bits(gate, device):
    wiring = MMoE(4, 2, n_experts=3, gate=gate, expert_dropout=0.3, load_balance=0.1)
    wiring, x = wiring.to(device), torch.randn(8, 4, device=device)
    with torch.autocast(device.type, torch.bfloat16):
        rows, penalty = wiring.with_penalty(Encoded(x))
    (rows.float().sum() + penalty).backward()
    assert bool(wiring.gates.first.weight.grad.isfinite().all())


class Uneven(GateHead):
    """Weights of their own price, without a softmax."""

    def forward(self, scores):
        return scores.sigmoid() / self.n_experts

    def with_penalty(self, scores):
        return self(scores), scores.sum(1)


def test_a_head_of_ones_own_is_mixed_and_pays(put):
    wiring, encoded = put(MMoE(4, 2, n_experts=3, gate=Uneven)), make_encoded(put)
    rows, penalty = wiring.with_penalty(encoded)
    scores = wiring.gates.first(encoded.shared).unflatten(1, (3, 2))
    weights = scores.sigmoid().transpose(1, 2) / 3
    assert_close(rows, weights @ wiring.experts(encoded.shared))
    assert_close(penalty, scores.sum() / 8)


class Turned(GateHead):
    """A head that takes the last axis for the experts'."""

    def forward(self, scores):
        return scores.transpose(1, 2).softmax(2)


@pytest.mark.parametrize(
    ("gate", "message"),
    [
        (
            "hard",
            "gate must be one of ['softmax', 'top_k', 'dselect_k'] or a callable that "
            "makes a GateHead; found 'hard'. Choose one of these names.",
        ),
        (
            lambda n: torch.nn.Softmax(1),
            "gate must make a GateHead; found Softmax. Derive its class from "
            "sk_mtl.nn.GateHead.",
        ),
        (
            Turned,
            "gate must make weights of (n_samples, n_experts, n_gates), (2, 3, 2) for "
            "two rows; found (2, 2, 3) of Turned. Keep the experts along the middle "
            "axis.",
        ),
        (
            partial(TopKHead, n_active=4),
            "n_active of the gate 'top_k' must be from 1 to the number of experts, 3; "
            "found 4. Give a smaller number, more experts, or gate='softmax'.",
        ),
        (
            partial(DSelectKHead, n_active=0),
            "n_active of the gate 'dselect_k' must be from 1 to the number of experts, "
            "3; found 0. Give a smaller number, more experts, or gate='softmax'.",
        ),
        (
            partial(TopKHead, n_active=1),
            "n_active of the gate 'top_k' must be at least 2, since the weight of a "
            "single expert is always 1 and nothing would train the gate; found 1. Give "
            "2 or more, or use gate='dselect_k'.",
        ),
    ],
)
def test_wrong_gates_are_refused(gate, message):
    with pytest.raises(ValueError) as caught:
        MMoE(4, 2, n_experts=3, gate=gate)
    assert str(caught.value) == message

import copy
import math

import pytest
import torch

from sk_mtl.nn import SNR, Encoded, NetworkEnsemble, SharedBottom
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
    randomise_norms,
)

TWO_LEVELS = {"n_subnetworks": 3, "subnetwork_hidden_sizes": (6, 5)}
TRANSFERS = ["average", "transform"]


def _randomise_gates(wiring):
    for gates in wiring.gates:
        torch.nn.init.normal_(gates.log_alpha, std=2.0)


def _set_gates(wiring, value):
    for gates in wiring.gates:
        gates.log_alpha.data.fill_(value)


def test_two_sub_networks_by_hand(put):
    """Sub-networks relu(x) and relu(-x); gates 1 and 0 to task 1, 0.2 and 0.8 to 2."""
    wiring = put(SNR(1, 2, n_subnetworks=2, subnetwork_hidden_sizes=(1,))).eval()
    set_values(wiring.subnetworks[0].first.weight, [[1.0], [-1.0]])
    set_values(wiring.subnetworks[0].first.bias, [0.0, 0.0])
    third = math.log(3)
    set_values(wiring.gates[0].log_alpha, [[9.0, -9.0], [-third, third]])
    rows = wiring(Encoded(put(torch.tensor([[2.0], [-10.0]]))))
    assert_close(rows, [[[2.0], [0.4]], [[0.0], [8.0]]])
    assert_close(wiring.open_gates()[0], [[1.0, 0.0], [0.2, 0.8]])


@pytest.mark.parametrize("transfer", TRANSFERS)
@pytest.mark.parametrize("sizes", [(5,), (6, 5), (6, 7, 5)])
def test_it_is_the_loop_over_sub_networks(sizes, transfer, put):
    wiring = SNR(
        4,
        2,
        n_subnetworks=3,
        subnetwork_hidden_sizes=sizes,
        transfer=transfer,
        activation="tanh",
    )
    wiring, encoded = put(wiring).eval(), make_encoded(put)
    _randomise_gates(wiring)
    results = torch.tanh(wiring.subnetworks[0].first(encoded.shared)).chunk(3, 1)
    for level, gates in enumerate(wiring.open_gates()):
        inputs = []
        for i in range(len(gates)):
            terms = list(results)
            if transfer == "transform":
                weight = wiring.transfers[level].weight
                terms = [term @ weight[j, :, i] for j, term in enumerate(terms)]
            inputs.append(sum(gates[i, j] * term for j, term in enumerate(terms)))
        results = inputs
        if level + 1 < len(sizes):
            dense = wiring.subnetworks[level + 1].layers[0]
            results = [
                torch.tanh(row @ dense.weight[i] + dense.bias[i])
                for i, row in enumerate(inputs)
            ]
    assert wiring(encoded).shape == (8, 2, wiring.out_width) == (8, 2, 5)
    assert_close(wiring(encoded), torch.stack(results, 1))


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("sizes", [(5,), (6, 5)])
def test_one_sub_network_with_open_gates_is_a_shared_bottom(sizes, training, put):
    wiring = SNR(4, 3, n_subnetworks=1, subnetwork_hidden_sizes=sizes)
    bottom = SharedBottom(4, 3, bottom_hidden_sizes=sizes)
    first, *deeper = wiring.subnetworks
    first.first.load_state_dict(bottom.bottom.first.state_dict())
    for level, subnetworks in enumerate(deeper):
        dense = bottom.bottom.deeper.layers[2 * level]
        subnetworks.layers[0].load_state_dict(dense.state_dict())
    _set_gates(wiring, 100.0)
    encoded = make_encoded(put)
    assert_close(put(wiring).train(training)(encoded), put(bottom)(encoded))


def test_the_penalty_is_the_expected_number_of_gates_not_closed(put):
    # With limits -1 and 2 and temperature 1 a gate is not closed with the chance
    # sigmoid(log_alpha + log 2): 2/3 at 0 and 6/7 at log 3.
    wiring = SNR(
        4,
        2,
        n_subnetworks=2,
        subnetwork_hidden_sizes=(5,),
        l0_penalty=0.1,
        gate_temperature=1.0,
        gate_limits=(-1.0, 2.0),
    )
    wiring, encoded = put(wiring), make_encoded(put)
    set_values(wiring.gates[0].log_alpha, [[0.0, 0.0], [0.0, math.log(3)]])
    _, penalty = wiring.with_penalty(encoded)
    assert penalty.shape == ()
    assert_close(penalty, 0.1 * (3 * 2 / 3 + 6 / 7))


def test_every_gate_counts_in_the_penalty(put):
    wiring, encoded = put(SNR(4, 2, l0_penalty=0.5, **TWO_LEVELS)), make_encoded(put)
    _set_gates(wiring, 100.0)
    rows, penalty = wiring.eval().with_penalty(encoded)
    assert_close(penalty, 0.5 * (3 * 3 + 2 * 3))
    assert torch.equal(rows, wiring(encoded))
    _set_gates(wiring, -100.0)
    assert_close(wiring.with_penalty(encoded)[1], 0.0)


def test_without_weight_there_is_no_penalty(put):
    wiring = put(SNR(4, 2, l0_penalty=0)).eval()
    rows, penalty = wiring.with_penalty(make_encoded(put))
    assert penalty is None
    assert rows.shape == (8, 2, 64)


def test_the_penalty_trains_the_gates_alone_and_closes_them(put):
    wiring, encoded = put(SNR(4, 2, **TWO_LEVELS)), make_encoded(put)
    wiring.with_penalty(encoded)[1].backward()
    for name, parameter in wiring.named_parameters():
        if "log_alpha" in name:
            assert bool((parameter.grad > 0).all())
        else:
            assert parameter.grad is None


@pytest.mark.parametrize("transfer", TRANSFERS)
def test_closed_gates_part_the_tasks(transfer, put):
    wiring = SNR(4, 2, n_subnetworks=2, subnetwork_hidden_sizes=(6, 5))
    wiring, encoded = put(wiring), make_encoded(put)
    for gates in wiring.gates:
        set_values(gates.log_alpha, [[100.0, -100.0], [-100.0, 100.0]])
    wiring(encoded)[:, 0].sum().backward()
    rows = wiring.subnetworks[0].first.weight.grad.any(1)
    assert rows[:6].any()
    assert not rows[6:].any()
    dense = wiring.subnetworks[1].layers[0].weight.grad
    assert dense.flatten(1).any(1).tolist() == [True, False]


@pytest.mark.parametrize("transfer", TRANSFERS)
def test_permuting_sub_networks_with_their_gates_changes_nothing(transfer, put):
    wiring = put(SNR(4, 2, transfer=transfer, **TWO_LEVELS)).eval()
    _randomise_gates(wiring)
    order, moved = [2, 0, 1], copy.deepcopy(wiring)
    first = moved.subnetworks[0].first
    for parameter in first.parameters():
        parameter.data = parameter.data.unflatten(0, (3, 6))[order].flatten(0, 1)
    moved.gates[0].log_alpha.data = moved.gates[0].log_alpha.data[:, order]
    if transfer == "transform":
        moved.transfers[0].weight.data = moved.transfers[0].weight.data[order]
    encoded = make_encoded(put)
    assert_close(moved(encoded), wiring(encoded))
    moved.gates[0].log_alpha.data = moved.gates[0].log_alpha.data.flip(1)
    assert not torch.allclose(moved(encoded), wiring(encoded))


def test_gates_are_drawn_for_the_whole_batch_and_in_training_only(put):
    wiring, encoded = put(SNR(4, 2, **TWO_LEVELS)), make_encoded(put)
    assert not torch.equal(wiring(encoded), wiring(encoded))
    same = Encoded(encoded.shared[:1].expand(5, -1))
    rows = wiring(same)
    assert_close(rows, rows[:1].expand(5, -1, -1))
    gates = wiring.open_gates()
    wiring.eval()
    assert torch.equal(wiring(encoded), wiring(encoded))
    assert all(map(torch.equal, gates, wiring.open_gates()))
    assert [tuple(each.shape) for each in gates] == [(3, 3), (2, 3)]
    assert not gates[0].requires_grad


@pytest.mark.parametrize("transfer", TRANSFERS)
@pytest.mark.parametrize("batch_norm", [False, True])
def test_a_gradient_reaches_every_parameter(transfer, batch_norm, put):
    wiring = SNR(
        4, 2, transfer=transfer, activation="silu", batch_norm=batch_norm, **TWO_LEVELS
    )
    randomise_norms(wiring)
    # Gates that are cut to exactly 1 pass no gradient.
    _set_gates(wiring, 0.0)
    wiring = put(wiring).eval()
    assert_every_parameter_learns(wiring, wiring(make_encoded(put)))


def test_every_task_reads_everything_at_the_start(put):
    wiring, encoded = put(SNR(4, 2, **TWO_LEVELS)), make_encoded(put)
    assert all(bool((gates == 1).all()) for gates in wiring.open_gates())
    drawn = torch.stack([wiring.gates[0]() for _ in range(500)])
    assert (drawn == 1).double().mean() > 0.7
    assert bool((drawn < 1).any(0).all())
    assert_close(*wiring.eval()(encoded).unbind(1))
    half = put(SNR(4, 2, gate_start=0.5, **TWO_LEVELS))
    assert bool((half.open_gates()[0] - 0.5).abs().max() < 0.02)


def test_training_opens_the_way_to_what_helps(put):
    """A task that wants the first sub-network's result and no other finds it."""
    wiring = put(SNR(4, 1, n_subnetworks=3, subnetwork_hidden_sizes=(5,)))
    encoded = make_encoded(put, 64)
    target = wiring.subnetworks[0](encoded.shared).detach()[:, 0] * 0.9
    gates = wiring.gates[0].log_alpha
    optimizer = torch.optim.Adam([gates], lr=0.1)
    for _ in range(150):
        rows, penalty = wiring.with_penalty(encoded)
        loss = (rows[:, 0] - target).square().mean() + penalty
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    (found,) = wiring.open_gates()
    assert found[0, 0] > 0.7
    assert found[0, 1:].max() < 0.1


@pytest.mark.parametrize("transfer", TRANSFERS)
def test_operations_do_not_grow_with_sub_networks_or_tasks(transfer, put):
    encoded, sizes = make_encoded(put), {"subnetwork_hidden_sizes": (6, 5)}
    counts = [
        operations(
            put(SNR(4, n_tasks, n_subnetworks=n, transfer=transfer, **sizes)), encoded
        )
        for n_tasks, n in ((2, 2), (20, 30))
    ]
    assert counts[0] == counts[1]


def test_dropout_acts_in_training_only(put):
    wiring, encoded = put(SNR(4, 2, dropout=0.5, **TWO_LEVELS)), make_encoded(put)
    _set_gates(wiring, 100.0)
    assert not torch.equal(wiring(encoded), wiring(encoded))
    wiring.eval()
    assert torch.equal(wiring(encoded), wiring(encoded))


@pytest.mark.parametrize("n_rows", [0, 1])
@pytest.mark.parametrize("transfer", TRANSFERS)
def test_no_row_and_one_row(transfer, n_rows, put):
    wiring = put(SNR(4, 2, transfer=transfer, batch_norm=True, **TWO_LEVELS))
    rows, penalty = wiring.with_penalty(make_encoded(put, n_rows))
    assert rows.shape == (n_rows, 2, 5)
    assert bool(penalty > 0)


def test_wrong_settings_are_refused():
    with pytest.raises(ValueError, match=r"one of \['average', 'transform'\].*'no'"):
        SNR(4, 2, transfer="no")
    with pytest.raises(ValueError, match="subnetwork_hidden_sizes must hold at least"):
        SNR(4, 2, subnetwork_hidden_sizes=())
    with pytest.raises(ValueError, match="limits must be a number below 0"):
        SNR(4, 2, gate_limits=(0.0, 1.0))


@pytest.mark.parametrize("transfer", TRANSFERS)
@pytest.mark.parametrize("sharing", ["most", "embedding", "none"])
def test_members_of_an_ensemble_run_as_if_alone(sharing, transfer):
    assert_members_run_as_if_alone(SNR, sharing, transfer=transfer, **TWO_LEVELS)


def test_members_draw_gates_of_their_own():
    member = make_network(SNR)
    ensemble = NetworkEnsemble(
        [copy.deepcopy(member) for _ in range(2)], lambda x: x, sharing="none"
    )
    first, second = ensemble(CODES, NUMERIC)
    assert not torch.allclose(first, second)


def test_a_network_is_exported():
    assert_network_exports(SNR, transfer="transform", **TWO_LEVELS)

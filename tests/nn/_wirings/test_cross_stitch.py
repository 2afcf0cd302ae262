import copy

import pytest
import torch

from sk_mtl.nn import CrossStitch, Encoded, SingleTask
from tests.nn._asserts import (
    assert_close,
    assert_every_parameter_learns,
    operations,
    set_values,
)
from tests.nn._networks import (
    assert_members_run_as_if_alone,
    assert_network_exports,
    make_encoded,
    randomise_norms,
)


def _with_weights_of(single, wiring):
    """Return the cross-stitch network with the layers of single tasks."""
    state = {
        name.replace("perceptrons.layers.", ""): value
        for name, value in single.state_dict().items()
    }
    for level, layer in enumerate(wiring.layers):
        for name in layer.state_dict():
            _, module, rest = name.split(".", 2)
            layer.state_dict()[name].copy_(state[f"{2 * level + int(module)}.{rest}"])
    return wiring


def test_a_unit_by_hand(put):
    wiring = put(CrossStitch(1, 2, hidden_sizes=(1,)))
    layer = wiring.layers[0].layers[0]
    set_values(layer.weight, [[[1.0]], [[10.0]]])
    set_values(layer.bias, [[[0.0]], [[0.0]]])
    set_values(wiring.units[0], [[0.9, 0.1], [-0.5, 1.0]])
    rows = put(torch.tensor([[[2.0], [3.0]], [[-2.0], [3.0]]]))
    mixed = wiring(Encoded(None, rows))
    assert_close(mixed, [[[4.8], [29.0]], [[3.0], [30.0]]])


@pytest.mark.parametrize("sizes", [(5,), (6, 5), (6, 7, 5)])
def test_it_is_the_loop_over_tasks(sizes, put):
    wiring = put(CrossStitch(4, 3, hidden_sizes=sizes, activation="tanh"))
    for unit in wiring.units:
        torch.nn.init.normal_(unit)
    encoded = make_encoded(put)
    rows = list(encoded.per_task.unbind(1))
    for layer, unit in zip(wiring.layers, wiring.units):
        dense = layer.layers[0]
        made = [torch.tanh(rows[k] @ dense.weight[k] + dense.bias[k]) for k in range(3)]
        rows = [sum(unit[k, j] * made[j] for j in range(3)) for k in range(3)]
    assert wiring(encoded).shape == (8, 3, wiring.out_width) == (8, 3, 5)
    assert_close(wiring(encoded), torch.stack(rows, 1))


@pytest.mark.parametrize("batch_norm", [False, True])
def test_identity_units_are_single_tasks(batch_norm, put):
    options = {"hidden_sizes": (6, 5), "batch_norm": batch_norm}
    single = SingleTask(4, 3, **options)
    randomise_norms(single)
    wiring = put(_with_weights_of(single, CrossStitch(4, 3, self_weight=1, **options)))
    single, encoded = put(single), make_encoded(put)
    for _ in range(2):
        assert torch.equal(wiring(encoded), single(encoded))
        wiring.eval(), single.eval()


def test_equal_entries_give_every_task_the_same_row(put):
    wiring = put(CrossStitch(4, 3, hidden_sizes=(6, 5), self_weight=1 / 3))
    rows = wiring(make_encoded(put))
    assert_close(rows[:, 0], rows[:, 1])
    assert_close(rows[:, 0], rows[:, 2])


@pytest.mark.parametrize("n_tasks", [1, 2, 4])
def test_units_start_as_means_that_favour_the_own_task(n_tasks):
    wiring = CrossStitch(4, n_tasks, hidden_sizes=(6, 5), self_weight=0.7)
    for unit in wiring.units:
        assert_close(unit.sum(1), torch.ones(n_tasks))
        if n_tasks == 1:
            assert_close(unit, [[1.0]])
            continue
        assert_close(unit.diagonal(), torch.full((n_tasks,), 0.7))
        assert_close(unit[0, 1:], torch.full((n_tasks - 1,), 0.3 / (n_tasks - 1)))


def test_permuting_tasks_permutes_the_result(put):
    wiring, encoded = put(CrossStitch(4, 3, hidden_sizes=(6, 5))), make_encoded(put)
    order = [2, 0, 1]
    moved = copy.deepcopy(wiring)
    for unit in moved.units:
        torch.nn.init.normal_(unit)
    wiring.units = copy.deepcopy(moved.units)
    for parameter in moved.layers.parameters():
        parameter.data = parameter.data[order]
    for unit in moved.units:
        unit.data = unit.data[order][:, order]
    rows = moved(Encoded(None, encoded.per_task[:, order]))
    assert_close(rows, wiring(encoded)[:, order])


@pytest.mark.parametrize("batch_norm", [False, True])
def test_a_gradient_reaches_every_parameter(batch_norm, put):
    wiring = CrossStitch(
        4, 3, hidden_sizes=(6, 5), activation="silu", batch_norm=batch_norm
    )
    randomise_norms(wiring)
    wiring = put(wiring)
    if batch_norm:
        # What is normalised over the batch has no slope along a constant shift.
        wiring.eval()
    assert_every_parameter_learns(wiring, wiring(make_encoded(put)))


def test_a_tasks_loss_trains_its_row_of_the_last_unit_only(put):
    wiring = put(CrossStitch(4, 3, hidden_sizes=(6, 5)))
    wiring(make_encoded(put))[:, 1].sum().backward()
    assert wiring.units[1].grad.any(1).tolist() == [False, True, False]
    assert wiring.units[0].grad.any(1).tolist() == [True, True, True]


def test_operations_do_not_grow_with_tasks(put):
    few, many = make_encoded(put, n_tasks=2), make_encoded(put, n_tasks=20)
    wirings = (put(CrossStitch(4, n, hidden_sizes=(6, 5))) for n in (2, 20))
    first, second = map(operations, wirings, (few, many))
    assert first == second


def test_dropout_acts_in_training_only(put):
    wiring, encoded = put(CrossStitch(4, 3, dropout=0.5)), make_encoded(put)
    assert not torch.equal(wiring(encoded), wiring(encoded))
    wiring.eval()
    assert torch.equal(wiring(encoded), wiring(encoded))


@pytest.mark.parametrize("n_rows", [0, 1])
def test_no_row_and_one_row(n_rows, put):
    wiring = put(CrossStitch(4, 3, hidden_sizes=(6, 5), batch_norm=True))
    assert wiring(make_encoded(put, n_rows)).shape == (n_rows, 3, 5)


def test_a_unit_needs_a_layer():
    message = r"hidden_sizes must hold at least one .* follows a layer; found \(\)"
    with pytest.raises(ValueError, match=message):
        CrossStitch(4, 2, hidden_sizes=())


@pytest.mark.parametrize("sharing", ["most", "embedding", "none"])
def test_members_of_an_ensemble_run_as_if_alone(sharing):
    assert_members_run_as_if_alone(CrossStitch, sharing, hidden_sizes=(8, 4))


def test_a_network_is_exported():
    assert_network_exports(CrossStitch, hidden_sizes=(8, 4))

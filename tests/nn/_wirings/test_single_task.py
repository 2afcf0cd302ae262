import copy

import pytest
import torch
import torch.nn.functional as F

from sk_mtl.nn import Encoded, EncoderSets, MultiTaskNetwork, SingleTask, Towers
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
    make_network,
    randomise_norms,
)


def test_one_unit_of_each_task_by_hand(put):
    wiring = put(SingleTask(2, 2, hidden_sizes=(1,)))
    layer = wiring.perceptrons.layers[0]
    set_values(layer.weight, [[[1.0], [-2.0]], [[0.0], [3.0]]])
    set_values(layer.bias, [[[0.5]], [[-1.0]]])
    rows = put(torch.tensor([[[3.0, 1.0], [9.0, 1.0]], [[0.0, 1.0], [9.0, 0.0]]]))
    assert_close(wiring(Encoded(None, rows)), [[[1.5], [2.0]], [[0.0], [0.0]]])


def test_without_hidden_layers_the_rows_pass(put):
    encoded = make_encoded(put)
    wiring = SingleTask(4, 3, hidden_sizes=())
    assert wiring.out_width == 4
    assert torch.equal(wiring(encoded), encoded.per_task)


@pytest.mark.parametrize("batch_norm", [False, True])
def test_it_is_the_loop_over_tasks(batch_norm, put):
    wiring = SingleTask(4, 3, hidden_sizes=(6, 5), batch_norm=batch_norm)
    randomise_norms(wiring)
    wiring, encoded = put(wiring), make_encoded(put)
    results = []
    for k in range(3):
        row = encoded.per_task[:, k]
        for layer, after in zip(*[iter(wiring.perceptrons.layers)] * 2):
            row = row @ layer.weight[k] + layer.bias[k]
            if batch_norm:
                norm, width = after[0].norm, row.shape[1]
                own = slice(k * width, (k + 1) * width)
                row = F.batch_norm(
                    row, None, None, norm.weight[own], norm.bias[own], training=True
                )
            row = torch.relu(row)
        results.append(row)
    assert wiring(encoded).shape == (8, 3, wiring.out_width) == (8, 3, 5)
    assert_close(wiring(encoded), torch.stack(results, 1))


def _part(network, k):
    """Return a network of task k alone with the weights that the whole one has."""
    encoder = EncoderSets([copy.deepcopy(network.encoder.encoders[k])], [1])
    norm = any("norm" in name for name, _ in network.wiring.named_parameters())
    wiring = SingleTask(encoder.width, 1, hidden_sizes=(8, 6), batch_norm=norm)
    towers = Towers(6, [(4,)], [1])
    part = MultiTaskNetwork(encoder, wiring, towers).double()
    whole = network.state_dict()
    for name, tensor in part.state_dict().items():
        if not name.startswith("encoder"):
            tensor.copy_(_share(whole[name], k))
    return part


def _share(tensor, k):
    """Return the part of task k, of three, of a weight that is stacked over tasks."""
    return tensor.chunk(3)[k] if tensor.dim() else tensor


@pytest.mark.parametrize(
    ("optimizer", "batch_norm"),
    [(torch.optim.SGD, False), (torch.optim.SGD, True), (torch.optim.AdamW, False)],
)
def test_training_equals_that_of_separate_networks(optimizer, batch_norm, device):
    # In double precision, and with Adam not before a normalisation: where a gradient is
    # all but zero, Adam makes steps of the learning rate's size from rounding.
    network = make_network(
        SingleTask, n_tasks=3, hidden_sizes=(8, 6), batch_norm=batch_norm
    )
    network = network.to(device).double()
    parts = [_part(network, k).to(device) for k in range(3)]
    codes = torch.randint(0, 4, (64, 3), device=device)
    numeric = torch.randn(64, 2, device=device).double()
    y = torch.randint(0, 2, (64, 3), device=device).double()
    steps = [optimizer(each.parameters(), lr=0.05) for each in (network, *parts)]
    for start in range(0, 64, 8):
        batch = slice(start, start + 8)
        inputs, labels = (codes[batch], numeric[batch]), y[batch]
        losses = [_loss(network(*inputs), labels)]
        losses += [_loss(part(*inputs), labels[:, [k]]) for k, part in enumerate(parts)]
        for loss, step in zip(losses, steps):
            step.zero_grad()
            loss.backward()
            step.step()
    trained = network.state_dict()
    for k, part in enumerate(parts):
        for name, tensor in part.state_dict().items():
            of_whole = name.replace("encoders.0", f"encoders.{k}")
            if name.startswith("encoder"):
                assert_close(trained[of_whole], tensor)
            else:
                assert_close(_share(trained[name], k), tensor)
        alone = part.eval()(codes, numeric)
        assert_close(network.eval()(codes, numeric)[:, [k]], alone)


def _loss(logits, y):
    return F.binary_cross_entropy_with_logits(logits, y, reduction="sum") / len(y)


def test_no_gradient_crosses_tasks(put):
    wiring, encoded = put(SingleTask(4, 3, hidden_sizes=(6,))), make_encoded(put)
    encoded.per_task.requires_grad_()
    wiring(encoded)[:, 1].sum().backward()
    weight = wiring.perceptrons.layers[0].weight
    assert weight.grad.flatten(1).any(1).tolist() == [False, True, False]
    assert encoded.per_task.grad.any(2).any(0).tolist() == [False, True, False]


def test_a_gradient_reaches_every_parameter(put):
    wiring = put(SingleTask(4, 3, hidden_sizes=(6, 5), activation="silu"))
    assert_every_parameter_learns(wiring, wiring(make_encoded(put)))


def test_tasks_and_their_units_start_different():
    weight = SingleTask(4, 3, hidden_sizes=(8,)).perceptrons.layers[0].weight
    assert len(torch.unique(weight.transpose(1, 2).flatten(0, 1), dim=0)) == 24


def test_operations_do_not_grow_with_tasks(put):
    few, many = make_encoded(put, n_tasks=2), make_encoded(put, n_tasks=20)
    wirings = (put(SingleTask(4, n, hidden_sizes=(6, 5))) for n in (2, 20))
    first, second = map(operations, wirings, (few, many))
    assert first == second


def test_dropout_acts_in_training_only(put):
    wiring, encoded = put(SingleTask(4, 3, dropout=0.5)), make_encoded(put)
    assert not torch.equal(wiring(encoded), wiring(encoded))
    wiring.eval()
    assert torch.equal(wiring(encoded), wiring(encoded))


@pytest.mark.parametrize("n_rows", [0, 1])
def test_no_row_and_one_row(n_rows, put):
    wiring = put(SingleTask(4, 3, hidden_sizes=(6, 5), batch_norm=True))
    assert wiring(make_encoded(put, n_rows)).shape == (n_rows, 3, 5)


@pytest.mark.parametrize("sharing", ["most", "embedding", "none"])
def test_members_of_an_ensemble_run_as_if_alone(sharing):
    assert_members_run_as_if_alone(SingleTask, sharing, hidden_sizes=(8,))


def test_a_network_is_exported():
    assert_network_exports(SingleTask, hidden_sizes=(8, 4))

"""Tensors that stand in the places of weights for a while."""

import pytest
import torch
from torch import nn

from sk_mtl.nn._weight_places import WeightPlaces
from tests.nn._asserts import assert_close


def make_network():
    layers = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2, eps=0.0)).eval()
    names = ["0.weight", "0.bias", "1.running_mean"]
    return layers, WeightPlaces(layers, names)


def others():
    return [torch.eye(2) * 2, torch.tensor([1.0, 0.0]), torch.tensor([1.0, 1.0])]


def test_a_network_computes_with_other_tensors_inside_the_block():
    network, places = make_network()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    with places.filled(others()):
        answer = network(torch.tensor([[3.0, 5.0]]))
    # 2 x + (1, 0) is (7, 10); the mean (1, 1) is subtracted, the variance is 1.
    assert_close(answer, [[6.0, 9.0]])
    after = network.state_dict()
    assert all(torch.equal(after[name], value) for name, value in before.items())
    assert isinstance(network[0].weight, nn.Parameter)


def test_an_error_inside_the_block_restores_the_weights():
    network, places = make_network()
    own = places.read()
    with pytest.raises(RuntimeError), places.filled(others()):
        network(torch.ones(1, 7))
    assert all(a is b for a, b in zip(places.read(), own, strict=True))
    assert own[0] is network[0].weight


def test_weights_that_were_moved_or_loaded_are_found():
    network, places = make_network()
    network.double()
    assert [tensor.dtype for tensor in places.read()] == [torch.float64] * 3
    network[0].bias = nn.Parameter(torch.zeros(2))
    assert places.read()[1] is network[0].bias


def test_tensors_are_as_many_as_places():
    network, places = make_network()
    own = network[0].weight
    with pytest.raises(ValueError), places.filled(others()[:2]):
        pass
    assert network[0].weight is own

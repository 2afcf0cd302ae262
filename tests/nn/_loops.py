"""Experts and gates as plain loops over copied weights, and wirings in ensembles."""

import copy

import torch

from sk_mtl.nn import FeatureEncoder, MultiTaskNetwork, NetworkEnsemble, Towers
from tests.nn._asserts import assert_close


def expert_results(experts, x, activation):
    """Return what each expert of `Experts` makes of x, as a list."""
    results = []
    weights = experts.first.weight.chunk(experts.n_experts)
    biases = experts.first.bias.chunk(experts.n_experts)
    for e, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        hidden = activation(x @ weight.T + bias)
        for layer in list(experts.deeper.layers)[::2]:
            hidden = activation(hidden @ layer.weight[e] + layer.bias[e])
        results.append(hidden)
    return results


def grouped_expert_results(experts, rows, activation):
    """Return what each group's experts make of its rows, a list for each group."""
    results = []
    for group, x in enumerate(rows):
        weights = experts.first.weight[group].chunk(experts.n_experts, 1)
        biases = experts.first.bias[group].chunk(experts.n_experts, 1)
        results.append([])
        for e, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
            hidden = activation(x @ weight + bias)
            for layer in list(experts.deeper.layers)[::2]:
                at = group * experts.n_experts + e
                hidden = activation(hidden @ layer.weight[at] + layer.bias[at])
            results[-1].append(hidden)
    return results


def gate_weights(gates, x, activation):
    """Return the weights (n, n_experts) of each gate of `Gates`, as a list."""
    first, n_gates = gates.first(x), gates.n_gates
    if not len(gates.deeper):
        return [softmax(first[:, k::n_gates]) for k in range(n_gates)]
    _, hidden, last = gates.deeper
    return [
        softmax(_deeper_scores([*list(hidden.layers)[::2], last], k, part, activation))
        for k, part in enumerate(first.chunk(n_gates, 1))
    ]


def grouped_gate_weights(gates, rows, activation):
    """Return the weights (n, n_experts) of each group's gate, as a list."""
    results = []
    for group, x in enumerate(rows):
        scores = x @ gates.first.weight[group] + gates.first.bias[group]
        deeper = [layer for layer in gates.deeper if hasattr(layer, "weight")]
        results.append(softmax(_deeper_scores(deeper, group, scores, activation)))
    return results


def _deeper_scores(layers, at, scores, activation):
    for layer in layers:
        scores = activation(scores) @ layer.weight[at] + layer.bias[at]
    return scores


def softmax(scores):
    return scores.exp() / scores.exp().sum(1, keepdim=True)


def mixture(weights, results):
    """Return the sum of the results, each times its column of weights."""
    assert weights.shape[1] == len(results)
    return sum(weights[:, [e]] * result for e, result in enumerate(results))


def assert_members_run_as_alone(make_wiring, sharing, put):
    """Each member of an ensemble answers as a network of its weights does alone."""
    codes, numeric = put(torch.tensor([[1], [0], [2], [1]])), put(torch.randn(4, 2))

    def make():
        encoder = FeatureEncoder([3], 2, embedding_dims=[3])
        wiring = make_wiring(encoder.width)
        towers = Towers(wiring.out_width, [(3,)] * wiring.n_tasks, [1] * wiring.n_tasks)
        return put(MultiTaskNetwork(encoder, wiring, towers))

    members = [make(), make()]
    alone = copy.deepcopy(members)
    ensemble = put(NetworkEnsemble(members, lambda each: each.mean(0), sharing=sharing))
    state = ensemble.state_dict()
    for index, network in enumerate(alone):
        own = {}
        for name, value in network.state_dict().items():
            stacked = state[f"network.{name}"]
            own[name] = stacked if stacked.shape == value.shape else stacked[index]
        network.load_state_dict(own)

    def logits(index, network):
        encoded = network.encoder(codes, numeric)
        if sharing == "most":
            encoded = encoded._replace(shared=encoded.shared * ensemble.scales[index])
        return network.logits(encoded)

    each = [logits(index, network) for index, network in enumerate(alone)]
    assert_close(ensemble(codes, numeric), torch.stack(each))
    for network in alone:
        network.eval()
    each = [logits(index, network) for index, network in enumerate(alone)]
    assert not torch.allclose(each[0], each[1])
    assert_close(ensemble.eval()(codes, numeric), torch.stack(each).mean(0))

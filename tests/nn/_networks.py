"""Whole networks around a wiring, and what must hold for each of them."""

import copy

import torch

from sk_mtl.nn import (
    Encoded,
    EncoderSets,
    FeatureEncoder,
    MultiTaskNetwork,
    NetworkEnsemble,
    Towers,
)
from tests.nn._asserts import assert_close

CODES = torch.tensor([[0, 2, 1], [3, 0, 1], [1, 1, 0], [2, 3, 2], [3, 3, 0]])
NUMERIC = torch.tensor([[0.5, -1.0], [2.0, 0.0], [-1.0, 1.5], [0.1, 0.2], [1.0, 1.0]])


def make_encoder(embedding_sets, n_tasks):
    """Return an untrained encoder of CODES and NUMERIC for a wiring."""
    n_sets = {"shared": 1, "per_task": n_tasks, "both": n_tasks + 1}[embedding_sets]
    encoders = [
        FeatureEncoder([4] * 3, 2, embedding_dims=[4] * 3) for _ in range(n_sets)
    ]
    if embedding_sets == "shared":
        return encoders[0]
    return EncoderSets(encoders, [1] * n_tasks, embedding_sets=embedding_sets)


def make_network(wiring, n_tasks=2, **options):
    """Return a network around a wiring, given by its class."""
    encoder = make_encoder(wiring.embedding_sets, n_tasks)
    wiring = wiring(encoder.width, n_tasks, **options)
    towers = Towers(wiring.out_width, [(4,)] * n_tasks, [1] * n_tasks)
    return MultiTaskNetwork(encoder, wiring, towers)


def make_encoded(put, n=8, n_tasks=3, width=4):
    """Return rows of random numbers: one for all tasks, and one for each."""
    return Encoded(put(torch.randn(n, width)), put(torch.randn(n, n_tasks, width)))


def assert_members_run_as_if_alone(wiring, sharing, **options):
    """Two members of an ensemble give what each gives by itself, and both learn."""
    members = [make_network(wiring, **options) for _ in range(2)]
    ensemble = NetworkEnsemble(
        copy.deepcopy(members), lambda logits: logits, sharing=sharing
    )
    ensemble(CODES, NUMERIC).square().sum().backward()
    names = [n for n, p in ensemble.named_parameters() if p.grad is None]
    assert not names, f"no gradient reaches {names}"
    alone = []
    for k, member in enumerate(members):
        if sharing != "none":
            member.encoder = members[0].encoder
        encoded = member.eval().encoder(CODES, NUMERIC)
        if sharing == "most":
            for name in wiring.shared_by_members:
                setattr(member.wiring, name, getattr(members[0].wiring, name))
            encoded = encoded.scale_rows(ensemble.scales[k])
        alone.append(member.logits(encoded))
    assert_close(ensemble.eval()(CODES, NUMERIC), torch.stack(alone))


def assert_network_exports(wiring, **options):
    """The graph of a network answers other numbers of rows as the network does."""
    network, any_size = make_network(wiring, **options).eval(), torch.export.Dim.DYNAMIC
    program = torch.export.export(
        network,
        (CODES, NUMERIC),
        dynamic_shapes=({0: any_size}, {0: any_size}),
        strict=False,
    )
    more = torch.cat([CODES, CODES[:3]]), torch.cat([NUMERIC, NUMERIC[:3]])
    assert_close(program.module()(*more), network(*more))


def randomise_norms(module):
    """Give normalisations weights and biases other than ones and zeros."""
    for each in module.modules():
        if isinstance(each, torch.nn.BatchNorm1d):
            torch.nn.init.uniform_(each.weight, 0.5, 1.5)
            torch.nn.init.uniform_(each.bias, -0.5, 0.5)

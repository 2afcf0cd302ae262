"""The L2 penalty of embedding tables, against torch's Adam and by hand."""

import copy
import pickle

import pytest
import torch
from torch import nn

from sk_mtl import ESMMClassifier, MMOEClassifier, MMOERegressor
from sk_mtl.estimators._training._embedding_penalty import EmbeddingPenalty
from sk_mtl.estimators._training._sparse_optimizer import DenseAndSparse
from sk_mtl.nn import FeatureEncoder
from tests.estimators.common import (
    QUICK,
    assert_equal_proba,
    funnel_table,
    largest_difference,
    mixed_table,
)

CODES = [[1], [1], [3]], [[2], [3], [3]], [[0], [1], [1]]


class Network(nn.Module):
    """One table of four rows and a linear layer, in double precision."""

    def __init__(self, sparse=False):
        super().__init__()
        torch.manual_seed(0)
        self.encoder = FeatureEncoder([4], 0, embedding_dims=[2], sparse=[sparse])
        self.head = nn.Linear(2, 1)
        self.double()

    @property
    def table(self):
        return self.encoder.tables[0]

    def forward(self, codes):
        numbers = torch.ones(len(codes), 0, dtype=torch.float64)
        return self.head(self.encoder(torch.tensor(codes), numbers).shared)


def train(network, optimizer, l2):
    penalty = EmbeddingPenalty(network, l2)
    for codes in CODES:
        optimizer.zero_grad()
        network(codes).exp().sum().backward()
        penalty.add_gradients()
        optimizer.step()


@pytest.mark.parametrize("name", ["Adam", "SGD", "RMSprop", "Adagrad", "NAdam"])
def test_dense_tables_decay_as_by_torchs_own_coupled_decay(name):
    cls, ours, theirs = getattr(torch.optim, name), Network(), Network()
    train(ours, cls(ours.parameters(), lr=0.1), l2=0.3)
    groups = [
        {"params": [theirs.table], "weight_decay": 0.3},
        {"params": theirs.head.parameters()},
    ]
    train(theirs, cls(groups, lr=0.1), l2=0.0)
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-14)
    assert (ours.table - Network().table)[3].abs().min() > 0.01


def test_adamw_decays_other_weights_apart_from_the_gradients():
    ours, theirs = Network(), Network()
    options = {"lr": 0.1, "weight_decay": 0.2}
    train(ours, torch.optim.AdamW(ours.parameters(), **options), l2=0.3)
    for codes in CODES:
        # AdamW by Adam: the decoupled decay comes first, at the size of the rate.
        if codes is CODES[0]:
            adam = torch.optim.Adam(theirs.parameters(), lr=0.1)
        adam.zero_grad()
        (theirs(codes).exp().sum() + 0.15 * theirs.table.square().sum()).backward()
        with torch.no_grad():
            for parameter in theirs.parameters():
                parameter.mul_(1 - 0.1 * 0.2)
        adam.step()
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-14)


def test_sparse_tables_decay_by_the_rows_read():
    network = Network(sparse=True)
    start = network.table.detach().clone()
    groups = [
        {"params": [network.table], "sparse": True},
        {"params": network.head.parameters()},
    ]
    optimizer = DenseAndSparse(groups, dense=torch.optim.SGD, lr=0.1)
    penalty = EmbeddingPenalty(network, 0.3)
    (network([[1], [1], [3]]).sum()).backward()
    slope = network.head.weight.detach().flatten()
    penalty.add_gradients()
    gradient = network.table.grad.to_dense()
    zero = torch.zeros(2, dtype=torch.float64)
    expected = torch.stack(
        [zero, 2 * slope + 0.3 * start[1], zero, slope + 0.3 * start[3]]
    )
    torch.testing.assert_close(gradient, expected, rtol=0, atol=1e-15)
    optimizer.step()
    # The first step moves a row that was read by the rate, against its gradient.
    moved = start - 0.1 * expected.sign()
    torch.testing.assert_close(network.table.detach(), moved, rtol=0, atol=1e-6)


def test_zero_adds_nothing_and_tables_without_gradients_stay_without():
    network = Network()
    network([[1]]).sum().backward()
    before = network.table.grad.clone()
    EmbeddingPenalty(network, 0.0).add_gradients()
    assert torch.equal(network.table.grad, before)
    network.zero_grad()
    EmbeddingPenalty(network, 1.0).add_gradients()
    assert network.table.grad is None


def tables_and_others(model):
    """The weights of a model in tables of embeddings, and all others."""
    named = dict(model.net_.module_.named_parameters())
    tables = {
        name: w
        for name, w in named.items()
        if "tables." in name or "numeric_embeddings" in name
    }
    return tables, {name: w for name, w in named.items() if name not in tables}


@pytest.mark.parametrize(
    "options",
    [
        {"optimizer": "nadam"},
        {"wide": True, "early_stopping": True},
        {"n_members": 2, "member_sharing": "none"},
        {"balancing": "gradnorm"},
    ],
    ids=["nadam", "wide", "members", "gradnorm"],
)
def test_a_large_penalty_shrinks_every_table(options):
    X, y = mixed_table(120)
    settings = {**QUICK, "max_epochs": 40, "lr": 0.02, "weight_averaging": None}
    settings["numeric_embedding"] = "bins"
    settings |= options
    free, tied = (
        MMOEClassifier(**settings, embedding_l2=l2).fit(X, y) for l2 in (0.0, 1e3)
    )
    (loose, _), (tight, others) = map(tables_and_others, (free, tied))
    assert tight.keys() == loose.keys()
    for name, table in tight.items():
        assert table.norm() < 0.4 * loose[name].norm()
    assert sum("numeric_embeddings" in name for name in tight) == 1
    assert all(w.norm() > 0.5 for name, w in others.items() if "experts" in name)
    if "member_sharing" in options:
        assert {len(table) for table in tight.values()} == {2}


def test_auto_is_zero():
    X, y = mixed_table(120)
    by_default, zero = (
        MMOEClassifier(**QUICK, **options).fit(X, y).predict_proba(X)
        for options in ({}, {"embedding_l2": 0.0})
    )
    assert_equal_proba(by_default, zero)


def test_whole_numbers_are_taken():
    X, y = mixed_table(60)
    MMOEClassifier(**QUICK, embedding_l2=1).fit(X, y)


@pytest.mark.parametrize("sparse", [False, True])
def test_fits_go_on_with_the_penalty_that_is_set_then(sparse):
    X, y = mixed_table(120)
    settings = {**QUICK, "sparse_embedding": sparse, "warm_start": True}
    model = MMOERegressor(**settings, embedding_l2=0.5).fit(X, y)
    other = pickle.loads(pickle.dumps(model))
    same = copy.deepcopy(model)
    answers = [
        each.set_params(embedding_l2=l2).fit(X, y).predict(X)
        for each, l2 in ((model, 0.5), (other, 0.5), (same, 0.0))
    ]
    assert (answers[0] == answers[1]).all()
    assert largest_difference(answers[:1], answers[2:]) > 1e-5


def test_partial_fit_and_funnels_take_it():
    X, y = funnel_table(120)
    model = ESMMClassifier(**QUICK, embedding_l2=0.1)
    classes = [[0, 1], [0, 1]]
    plain = ESMMClassifier(**QUICK).partial_fit(X, y, classes=classes)
    tied = model.partial_fit(X, y, classes=classes)
    proba = [each.predict_proba(X) for each in (plain, tied)]
    assert largest_difference(*proba) > 1e-5

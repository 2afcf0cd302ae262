import copy
import pickle

import numpy as np
import pytest
import torch

from sk_mtl.nn import (
    NumericColumns,
    make_bin_embedding,
    make_piecewise_linear_embedding,
    quantile_bins,
)
from tests.nn._asserts import assert_close, assert_every_parameter_learns
from tests.nn._features import NUMERIC

every_kind = pytest.mark.parametrize("kind", NUMERIC)


@pytest.fixture
def numeric(put):
    """A zero-heavy column, its indicator, one of two values and one of all values."""
    amounts = torch.where(torch.rand(300) < 0.8, 0.0, torch.rand(300) * 1e4)
    missing = (torch.rand(300) < 0.1).float()
    columns = [amounts * (1 - missing), missing, torch.ones(300), torch.randn(300)]
    columns[2][::2] = -1
    return put(torch.stack(columns, 1))


def make(kind, numeric, put, columns=(0, 2, 3), indicators=None, **settings):
    indicators = {0: 1} if indicators is None else indicators
    columns = NumericColumns(numeric, list(columns), indicators)
    return put(NUMERIC[kind](columns, **settings))


@every_kind
def test_shapes_and_gradients(kind, numeric, put):
    embedding = make(kind, numeric, put, width=5)
    fields = embedding(numeric)
    assert fields.shape == (300, 3, 5)
    assert fields.dtype == numeric.dtype
    assert (embedding.n_fields, embedding.width) == (3, 5)
    assert_every_parameter_learns(embedding, fields)


def test_edges_come_from_the_rows_that_were_not_missing(numeric, put):
    bins = make("bins", numeric, put, n_bins=8)
    observed = numeric[numeric[:, 1] != 1, 0].cpu().numpy()
    edges = quantile_bins(observed, 8)
    assert_close(bins.edges[0, : len(edges)], torch.from_numpy(edges))
    n_rows = (len(edges) + 2) + 2 + 8
    assert bins.table.shape == (n_rows, 8)


@every_kind
@pytest.mark.parametrize("n_rows", [1, 2, 3])
def test_tiny_training_sets(kind, n_rows, numeric, put):
    embedding = make(kind, numeric[:n_rows], put)
    assert bool(embedding(numeric).isfinite().all())


@every_kind
def test_constant_columns_and_columns_that_are_always_missing(kind, put):
    numeric = put(torch.tensor([[3.0, 0, 1], [3.0, 0, 1], [3.0, 0, 1]]))
    embedding = make(kind, numeric, put, columns=(0, 1), indicators={1: 2})
    assert bool(embedding(numeric).isfinite().all())
    assert bool(embedding(numeric * 100).isfinite().all())


def test_a_piecewise_linear_embedding_starts_linear_and_ends_flat(numeric, put):
    embedding = make("ple", numeric, put, columns=(3,))
    column = numeric[:, 3]
    low, high = float(column.min()), float(column.max())
    x = numeric[:5].clone()
    x[:, 3] = torch.tensor([low - 9, low, (low + high) / 2, high, high + 9])
    below, first, middle, last, beyond = embedding(x).unbind()
    assert_close(middle, (first + last) / 2)
    assert torch.equal(below, first)
    assert torch.equal(beyond, last)


def test_a_piecewise_linear_embedding_bends_at_the_quantiles_once_trained(put):
    numeric = put(torch.linspace(-1, 1, 400).view(-1, 1))
    embedding = make("ple", numeric, put, columns=(0,), indicators={}, n_bins=4)
    torch.nn.init.normal_(embedding.embedding.linear.weight)
    y = embedding(numeric)[:, 0, 0].detach()
    slopes = y.diff()
    bends = (slopes.diff().abs() > 0.01 * slopes.abs().max()).nonzero().flatten() + 1
    # A bend between two numbers shows in the slopes at both of them.
    expected = {99, 100, 199, 200, 299, 300}
    assert bends.tolist()
    assert set(bends.tolist()) <= expected


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("n_bins", [2, 16])
def test_a_piecewise_linear_embedding_is_that_of_the_authors(
    training, n_bins, numeric, put
):
    embedding = make("ple", numeric, put, n_bins=n_bins).train(training)
    authors = embedding.embedding
    torch.nn.init.normal_(authors.linear.weight)
    x = numeric.clone()
    x[0] = 1e6
    bounds = embedding.bounds
    expected = authors(x[:, [0, 2, 3]].clamp(bounds[0], bounds[1]))
    assert_close(embedding(x), expected)
    assert_every_parameter_learns(embedding, embedding(x))


@pytest.mark.parametrize("kind", ["bins", "ple"])
@pytest.mark.parametrize("training", [False, True])
def test_stacked_weights_embed_for_each_member(kind, training, numeric, put):
    members = [make(kind, numeric, put, width=3).train(training) for _ in range(3)]
    stacked = copy.deepcopy(members[0])
    for name, _ in members[0].named_parameters():
        path, _, leaf = name.rpartition(".")
        weights = [dict(member.named_parameters())[name] for member in members]
        weight = torch.nn.Parameter(torch.stack(weights).detach())
        setattr(stacked.get_submodule(path), leaf, weight)
    assert stacked.embeds_members
    found = stacked(numeric)
    assert found.shape == (3, 300, 3, 3)
    alone = torch.stack([member(numeric) for member in members])
    assert_close(found, alone)
    scale = torch.randn_like(found)
    (found * scale).sum().backward()
    (alone * scale).sum().backward()
    for name, parameter in stacked.named_parameters():
        own = [dict(member.named_parameters())[name].grad for member in members]
        assert_close(parameter.grad, torch.stack(own))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_bins_that_rounding_would_blow_up_are_left_out(dtype):
    values = torch.from_numpy(np.array([0, 1, 2, 3 - 1e-6, 3] * 20, dtype=dtype))
    columns = NumericColumns(values.view(-1, 1), [0])
    embedding = make_piecewise_linear_embedding(columns, n_bins=5)
    encoding = embedding.embedding.impl(values.view(-1, 1))
    assert float(encoding.max()) < 1.01


def test_double_precision_keeps_edges_that_single_precision_merges():
    step = 1e-10
    numeric = torch.arange(100, dtype=torch.float64).view(-1, 1) * step + 1
    embedding = make_bin_embedding(NumericColumns(numeric, [0]), n_bins=100)
    rows = embedding(numeric).squeeze(1)
    assert rows.dtype == torch.float64
    assert len(torch.unique(rows, dim=0)) == 100


@every_kind
@pytest.mark.parametrize(
    "copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))]
)
def test_copies_pickles_and_states_embed_the_same(kind, copied, numeric, put):
    embedding = make(kind, numeric, put)
    assert torch.equal(copied(embedding)(numeric), embedding(numeric))
    other = make(kind, numeric, put)
    assert not torch.equal(other(numeric), embedding(numeric))
    other.load_state_dict(embedding.state_dict())
    assert torch.equal(other(numeric), embedding(numeric))


def test_columns_and_their_observed_numbers():
    numeric = torch.tensor([[1.0, 0.0, 4.0], [0.0, 1.0, 5.0]])
    columns = NumericColumns(numeric, [2, 0], {0: 1})
    assert torch.equal(columns.values, numeric[:, [2, 0]])
    assert [x.tolist() for x in columns.observed()] == [[4.0, 5.0], [1.0]]

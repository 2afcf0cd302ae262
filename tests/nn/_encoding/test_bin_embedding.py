import pytest
import torch

from sk_mtl.nn import BinEmbedding
from tests.nn._asserts import assert_close, assert_every_parameter_learns, set_values


@pytest.fixture
def embedding(put):
    """Bins of column 2 (edges 0 and 1) and of column 0 (edge 5), which has missing."""
    edges = [torch.tensor([0.0, 1.0]), torch.tensor([5.0])]
    module = put(BinEmbedding(edges, [2, 0], 1, indicators={0: 1}))
    set_values(module.table, [[10.0], [20.0], [30.0], [40.0], [50.0], [60.0]])
    return module


def test_rows_by_hand(embedding, put):
    numeric = [[5.0, 0, -1.0], [5.5, 0, 0.0], [6.0, 1, 0.5], [-9.0, 0.5, 9.0]]
    expected = [[10, 40], [10, 50], [20, 60], [30, 40]]
    assert_close(embedding(put(torch.tensor(numeric))).squeeze(2), expected)


def test_the_last_bin_has_no_end_and_padding_is_never_reached(embedding, put):
    largest = torch.finfo(torch.float32).max
    numeric = put(torch.tensor([[largest, 0, largest], [-largest, 0, -largest]]))
    assert_close(embedding(numeric).squeeze(2), [[30, 50], [10, 40]])


def test_without_indicators_there_is_no_row_for_missing_numbers(put):
    module = put(BinEmbedding([torch.tensor([0.0])], [0], 3))
    assert module.table.shape == (2, 3)
    assert (module.n_fields, module.width) == (1, 3)


def test_a_column_with_a_single_bin(put):
    module = put(BinEmbedding([torch.empty(0), torch.empty(0)], [0, 1], 2))
    assert module(put(torch.randn(4, 2))).shape == (4, 2, 2)


def test_every_row_learns(embedding, put):
    numeric = put(torch.tensor([[5.0, 0, -1], [6.0, 0, 1], [0.0, 1, 2]]))
    assert_every_parameter_learns(embedding, embedding(numeric))
    assert bool((embedding.table.grad != 0).all())


def test_compared_and_searched_bins_are_the_same(put, monkeypatch):
    edges = [torch.randn(n).sort().values for n in (63, 1, 17)]
    module = put(BinEmbedding(edges, [0, 1, 2], 2))
    x = put(torch.randn(200, 3))
    x[:10] = module.edges[:, 0]
    searched = module._edges_below(x)
    monkeypatch.setattr(torch.compiler, "is_compiling", lambda: True)
    assert torch.equal(module._edges_below(x), searched.long())


def test_edges_are_state(embedding, put):
    other = put(
        BinEmbedding([torch.zeros(2), torch.zeros(1)], [2, 0], 1, indicators={0: 1})
    )
    assert set(embedding.state_dict()) == {"table", "edges"}
    other.load_state_dict(embedding.state_dict())
    numeric = put(torch.tensor([[5.0, 0, 0.5], [5.5, 1, 2.0]]))
    assert torch.equal(other(numeric), embedding(numeric))

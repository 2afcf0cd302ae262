import pytest
import torch

from sk_mtl.nn import AttentionPooling, TargetAttention
from sk_mtl.nn._encoding._embedding_tables import EmbeddingTables
from sk_mtl.nn._encoding._sequence_pooling import SEQUENCE_POOLINGS, SequencePooling
from tests.nn._asserts import assert_close, pad

PADDED = -1


@pytest.fixture
def tables(put):
    """Two histories of one vocabulary, and a third of another."""
    settings = {"n_sequences": 3, "vocabularies": [0, 0, 1]}
    return put(EmbeddingTables([9, 9, 7], [4, 4, 3], **settings))


def codes_of(n_codes, put):
    codes = torch.randint(1, n_codes, (6, 5))
    codes[1, 2:] = codes[2] = PADDED
    return put(codes)


def test_every_sequence_is_pooled_in_its_own_way(tables, put):
    poolings = ["max", "target_attention", "attention"]
    pooling = put(SequencePooling(poolings, [4, 4, 3]))
    sequences = [codes_of(9, put), codes_of(9, put), codes_of(7, put)]
    target = put(torch.randn(6, 4))
    pooled = pooling(tables, sequences, [None, target, None])
    assert [each.shape for each in pooled] == [(6, 4), (6, 4), (6, 3)]
    assert isinstance(pooling.attention["1"], TargetAttention)
    assert isinstance(pooling.attention["2"], AttentionPooling)
    assert_close(pooled[0], tables.pool(0, sequences[0], "max"))
    items, real = tables.look_up_items(1, sequences[1])
    assert_close(pooled[1], pooling.attention["1"](items, real, target))
    assert not any(bool(each[2].any()) for each in pooled)


def test_plain_poolings_have_no_parameters():
    pooling = SequencePooling(["mean", "max", "sum"], [4, 4, 3])
    assert not list(pooling.parameters())
    assert "poolings=('mean', 'max', 'sum')" in repr(pooling)


@pytest.mark.parametrize("kind", SEQUENCE_POOLINGS)
@pytest.mark.parametrize("sparse", [False, True])
def test_doubled_padding_has_no_influence(kind, sparse, put):
    tables = put(EmbeddingTables([40], [5], n_sequences=1, sparse=[sparse]))
    pooling = put(SequencePooling([kind], [5]))
    for parameter in pooling.parameters():
        torch.nn.init.normal_(parameter)
    codes = torch.randint(1, 40, (50, 16))
    codes = put(
        codes.masked_fill(torch.arange(16) >= torch.arange(50)[:, None] % 9, -1)
    )
    target = put(torch.randn(50, 5)) if kind == "target_attention" else None
    results = []
    for each in (codes, pad(codes, codes.shape[1])):
        (pooled,) = pooling(tables, [each], [target])
        weights = torch.linspace(1, 2, pooled.numel()).view(pooled.shape).to(pooled)
        parameters = [*tables, *pooling.parameters()]
        gradients = torch.autograd.grad((pooled * weights).sum(), parameters)
        # No item is the unknown one, whose row stands in where padding is looked up.
        assert not bool(gradients[0].to_dense()[0].any())
        results.append([pooled, *(g.to_dense() for g in gradients)])
    for once, doubled in zip(*results):
        assert bool(once.isfinite().all())
        if "attention" in kind:
            torch.testing.assert_close(once, doubled, rtol=1e-6, atol=1e-6)
        else:
            assert torch.equal(once, doubled)


@pytest.mark.parametrize("kind", SEQUENCE_POOLINGS)
def test_items_may_come_in_any_order_and_padding_anywhere(kind, put):
    tables = put(EmbeddingTables([9], [4], n_sequences=1))
    pooling, codes = put(SequencePooling([kind], [4])), codes_of(9, put)
    for parameter in pooling.parameters():
        torch.nn.init.normal_(parameter)
    target = put(torch.randn(6, 4)) if kind == "target_attention" else None
    orders = (codes, codes.flip(1), codes[:, [3, 0, 4, 1, 2]])
    first, *others = (pooling(tables, [each], [target])[0] for each in orders)
    for other in others:
        assert_close(other, first)


@pytest.mark.parametrize("kind", SEQUENCE_POOLINGS)
def test_sparse_gradients_equal_dense_ones(kind, put):
    codes, gradients = codes_of(9, put), []
    target = put(torch.randn(6, 4)) if kind == "target_attention" else None
    for sparse in (False, True):
        torch.manual_seed(1)
        tables = put(EmbeddingTables([9], [4], n_sequences=1, sparse=[sparse]))
        pooling = put(SequencePooling([kind], [4]))
        (pooled,) = pooling(tables, [codes], [target])
        (pooled * torch.linspace(1, 2, 24).view(6, 4).to(pooled)).sum().backward()
        assert tables[0].grad.is_sparse == sparse
        gradients.append(tables[0].grad.to_dense())
    assert_close(*gradients)

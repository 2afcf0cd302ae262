import pytest
import torch

from sk_mtl.nn import FeatureEncoder, auto_embedding_dim
from sk_mtl.nn._encoding._embedding_tables import EmbeddingTables, pool_items
from sk_mtl.nn._encoding._take_rows import take_rows
from tests.nn._asserts import assert_close, operations, pad, set_values

PADDED = -1


@pytest.fixture
def shared(put):
    """A column of 2 codes, one of 3, and a history of the latter; 0, 1, 2, ... 9."""
    tables = put(
        EmbeddingTables([2, 3, 3], [2, 2, 2], n_sequences=1, vocabularies=[7, 4, 4])
    )
    set_values(tables[0], torch.arange(10.0).view(5, 2))
    return tables


@pytest.fixture
def history(put):
    return put(torch.tensor([[1, 2], [2, PADDED], [PADDED, PADDED]], dtype=torch.int32))


def test_features_of_one_vocabulary_read_the_same_rows(shared, history, put):
    assert [table.shape for table in shared] == [(5, 2)]
    (block,) = shared.look_up(put(torch.tensor([[1, 1], [0, 2], [0, 0]])))
    assert_close(block, [[2, 3, 6, 7], [0, 1, 8, 9], [0, 1, 4, 5]])
    items, real = shared.look_up_items(0, history)
    assert_close(items[real], [[6, 7], [8, 9], [8, 9]])
    assert real.tolist() == [[True, True], [True, False], [False, False]]


def test_rows_of_stacked_tables_by_hand(put):
    tables = put(torch.arange(12.0).view(2, 3, 2)).requires_grad_()
    found = take_rows(tables, put(torch.tensor([[2, 0], [2, 2]])))
    first = [[[4, 5], [0, 1]], [[4, 5], [4, 5]]]
    second = [[[10, 11], [6, 7]], [[10, 11], [10, 11]]]
    assert_close(found, [first, second])
    found.sum().backward()
    assert_close(tables.grad[:, :, 0], [[1, 0, 3], [1, 0, 3]])


@pytest.mark.parametrize(
    ("mode", "pooled"),
    [
        ("mean", [[7, 8], [8, 9], [0, 0]]),
        ("sum", [[14, 16], [8, 9], [0, 0]]),
        ("max", [[8, 9], [8, 9], [0, 0]]),
    ],
)
def test_pooling_by_hand(shared, history, mode, pooled):
    assert_close(shared.pool(0, history, mode), pooled)
    assert_close(pool_items(*shared.look_up_items(0, history), mode), pooled)


@pytest.mark.parametrize("mode", ["mean", "sum", "max"])
@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("width", [1, 3, 8])
def test_pooling_and_its_gradient_are_a_plain_loop(mode, sparse, width, put):
    history = put(_histories(40, longest=9))
    tables = put(EmbeddingTables([11], [width], n_sequences=1, sparse=[sparse]))
    expected = torch.zeros(40, width).to(tables[0])
    for row, codes in enumerate(history.tolist()):
        items = [tables[0][code] for code in codes if code != PADDED]
        if items:
            stacked = torch.stack(items)
            expected[row] = {
                "mean": lambda x: x.mean(0),
                "sum": lambda x: x.sum(0),
                "max": lambda x: x.amax(0),
            }[mode](stacked)
    pooled = tables.pool(0, history, mode)
    assert_close(pooled, expected)
    weights = torch.randn_like(pooled)
    (by_loop,) = torch.autograd.grad((expected * weights).sum(), tables[0])
    (pooled * weights).sum().backward()
    assert tables[0].grad.is_sparse == sparse
    assert_close(tables[0].grad.to_dense(), by_loop)


@pytest.mark.parametrize("mode", ["mean", "sum", "max"])
@pytest.mark.parametrize("width", [1, 2, 3, 8, 13])
@pytest.mark.parametrize("n_more", [1, 7, 50, 300])
def test_padding_changes_no_bit_of_result_or_gradient(mode, width, n_more, put):
    history = put(_histories(60, longest=50))
    tables = put(EmbeddingTables([90], [width], n_sequences=1))
    results = []
    for codes in (history, pad(history, n_more)):
        pooled = tables.pool(0, codes, mode)
        weights = torch.linspace(1, 2, pooled.numel()).view(pooled.shape).to(pooled)
        gradient = torch.autograd.grad((pooled * weights).sum(), tables[0])
        results.append((pooled, *gradient))
    assert all(torch.equal(a, b) for a, b in zip(*results))


@pytest.mark.parametrize("mode", ["mean", "sum", "max"])
@pytest.mark.parametrize("sparse", [False, True])
def test_padding_sends_no_gradient_to_any_row(mode, sparse, put):
    tables = put(EmbeddingTables([4], [2], n_sequences=1, sparse=[sparse]))
    codes = put(torch.tensor([[3, PADDED, PADDED], [PADDED, PADDED, PADDED]]))
    tables.pool(0, codes, mode).sum().backward()
    gradient = tables[0].grad.to_dense()
    assert_close(gradient, [[0, 0], [0, 0], [0, 0], [1, 1]])


def test_histories_without_any_item_or_row(put):
    tables = put(EmbeddingTables([4], [2], n_sequences=1))
    for codes in (torch.full((3, 2), PADDED), torch.zeros(0, 2, dtype=torch.int32)):
        for mode in ("mean", "sum", "max"):
            pooled = tables.pool(0, put(codes), mode)
            assert_close(pooled, torch.zeros(len(codes), 2))
            pooled.sum().backward()
    assert not bool(tables[0].grad.any())


@pytest.mark.parametrize("dtype_of_codes", [torch.int32, torch.int64])
def test_rows_are_taken_as_an_embedding_takes_them(dtype_of_codes, put, device):
    table = put(torch.randn(50, 8)).requires_grad_()
    rows = torch.randint(0, 50, (70, 9), dtype=dtype_of_codes, device=device)
    results = []
    for lookup in (take_rows, lambda t, r: torch.nn.functional.embedding(r, t)):
        taken = lookup(table, rows)
        weights = torch.linspace(1, 2, taken.numel()).view(taken.shape).to(taken)
        results.append((taken, *torch.autograd.grad((taken * weights).sum(), table)))
    assert all(torch.equal(a, b) for a, b in zip(*results))
    assert take_rows(table, rows[:0]).shape == (0, 9, 8)


def test_tables_part_by_width_and_by_kind_of_gradient(put):
    sparse = [False, True, False, True, False]
    tables = put(EmbeddingTables([2, 3, 4, 5, 6], [4, 4, 2, 4, 4], sparse=sparse))
    assert [table.shape for table in tables] == [(4, 2), (8, 4), (8, 4)]
    assert tables.block_columns == [[2], [0, 4], [1, 3]]
    assert tables.block_widths == [2, 4, 4]
    assert tables.sparse_tables() == [2]
    codes = put(torch.tensor([[1, 2, 3, 4, 5]]))
    for block, columns in zip(tables.look_up(codes), tables.block_columns):
        assert block.shape[1] == sum([4, 4, 2, 4, 4][column] for column in columns)
    by_hand = torch.cat([tables[2][2], tables[2][3 + 4]])
    assert_close(tables.look_up(codes)[2], by_hand.unsqueeze(0))
    assert tables.find_column(3) == (2, 4, 4)


def test_a_sparse_gradient_equals_the_dense_one(put):
    codes = put(torch.randint(0, 5, (30, 2)))
    gradients = []
    for sparse in ([False, False], [True, True]):
        torch.manual_seed(1)
        tables = put(EmbeddingTables([5, 6], [3, 3], sparse=sparse))
        (block,) = tables.look_up(codes)
        (block * torch.linspace(1, 2, 6).to(block)).sum().backward()
        gradients.append(tables[0].grad)
    assert [g.is_sparse for g in gradients] == [False, True]
    assert_close(gradients[1].to_dense(), gradients[0])


def test_the_sum_of_columns_by_hand(shared, put):
    (total,) = shared.sum_columns(put(torch.tensor([[1, 2], [0, 0]])))
    assert_close(total, [[10, 12], [4, 6]])


def test_rows_read_are_those_of_columns_and_items_and_the_unknown_ones(put):
    tables = put(
        EmbeddingTables(
            [4, 9, 9, 3],
            [2, 2, 2, 2],
            n_sequences=1,
            vocabularies=[0, 1, 1, 2],
            sparse=[True, True, True, False],
        )
    )
    codes = put(torch.tensor([[2, 8, 1], [2, 3, 1]], dtype=torch.int32))
    assert tables.sparse_tables() == [1]
    with pytest.raises(IndexError, match="no column 3"):
        tables.find_column(3)
    (rows,) = tables.rows_read(codes, (put(torch.tensor([[0, -1], [1, -1]])),))
    assert rows.tolist() == [0, 2, 4, 4 + 1, 4 + 3, 4 + 8]


def test_one_lookup_serves_columns_that_share_too(put):
    tables = put(EmbeddingTables([5] * 30, [4] * 30, vocabularies=[0, 1, 2] * 10))
    codes = put(torch.zeros(3, 30, dtype=torch.int32))
    assert operations(tables.look_up, codes)["gather"] == 1
    assert tables[0].shape == (15, 4)


def test_the_table_starts_small_and_no_two_rows_alike():
    table = EmbeddingTables([2000], [8])[0].detach()
    assert float(table.std()) == pytest.approx(0.1, rel=0.03)
    assert len(torch.unique(table, dim=0)) == 2000
    assert not bool(EmbeddingTables([20], [8], start_sd=0.0)[0].any())


def test_codes_beyond_two_to_the_24_stay_exact(device):
    n_codes = 2**24 + 4
    encoder = FeatureEncoder([n_codes], 0, embedding_dims=[1]).to(device)
    encoder.tables[0].data[-4:] = torch.tensor([[0.0], [1.0], [2.0], [3.0]])
    codes = torch.arange(n_codes - 4, n_codes, dtype=torch.int32, device=device)
    shared = encoder(codes.view(-1, 1), torch.zeros(4, 0, device=device)).shared
    assert shared.flatten().tolist() == [0, 1, 2, 3]


def test_items_are_addressed_where_a_table_outgrows_int32():
    with torch.device("meta"):
        wide = EmbeddingTables([2**30, 2**30 - 1, 2**20], [1, 1, 1], n_sequences=1)
    assert wide._sequences == [(0, 2**31 - 1)]
    items, _ = wide.look_up_items(
        0, torch.zeros(2, 3, dtype=torch.int32, device="meta")
    )
    assert items.shape == (2, 3, 1)


@pytest.mark.parametrize(
    ("cardinality", "dim"),
    [(1, 2), (8, 2), (9, 4), (64, 4), (65, 8), (512, 8), (513, 16), (4096, 16)]
    + [(4097, 32), (10_000_000, 32)],
)
def test_auto_embedding_dim_is_a_power_of_two_near_the_cube_root(cardinality, dim):
    assert auto_embedding_dim(cardinality) == dim


@pytest.mark.parametrize(
    ("cardinalities", "widths", "sparse", "found"),
    [
        ([3, 4], [2, 2], [False, False], r"\(3, 2, False\) at position 0 and \(4, 2"),
        ([3, 3], [2, 4], [False, False], r"\(3, 2, False\) at position 0 and \(3, 4"),
        ([3, 3], [2, 2], [False, True], r"\(3, 2, False\) .* \(3, 2, True\) at pos"),
    ],
)
def test_features_of_one_vocabulary_must_agree(cardinalities, widths, sparse, found):
    with pytest.raises(ValueError, match=found):
        EmbeddingTables(cardinalities, widths, vocabularies=[5, 5], sparse=sparse)


def test_vocabularies_and_sparse_need_an_entry_for_each_feature():
    with pytest.raises(ValueError, match=r"vocabularies must have one .* found 1"):
        EmbeddingTables([3, 4], [2, 2], vocabularies=[0])
    with pytest.raises(ValueError, match=r"sparse must have one .* found 3"):
        EmbeddingTables([3, 4], [2, 2], sparse=[True] * 3)


def _histories(n_rows, longest):
    """Return random codes, padded behind random lengths that begin at zero."""
    codes = torch.randint(0, 11, (n_rows, longest))
    lengths = torch.randint(0, longest + 1, (n_rows, 1))
    lengths[0] = 0
    return codes.masked_fill(torch.arange(longest) >= lengths, PADDED)

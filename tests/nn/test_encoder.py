import copy
import pickle

import numpy as np
import pytest
import torch

from sk_mtl.nn import FeatureEncoder, auto_embedding_dim
from sk_mtl.nn._encoder import _offsets
from tests.nn._asserts import (
    assert_close,
    assert_every_parameter_learns,
    operations,
    set_values,
)


@pytest.fixture
def encoder(put):
    """Columns of 2 and 3 codes in one table that counts 0, 1, 2, ... 9."""
    encoder = put(FeatureEncoder([2, 3], 1, embedding_dims=[2, 2]))
    set_values(encoder.tables[0], torch.arange(10.0).view(5, 2))
    return encoder


def test_each_column_reads_its_own_rows_and_numbers_come_last(encoder, put):
    codes = put(torch.tensor([[0, 0], [1, 2]]))
    encoded = encoder(codes, put(torch.tensor([[-1.0], [-2.0]])))
    assert_close(encoded.shared, [[0, 1, 4, 5, -1], [2, 3, 8, 9, -2]])
    assert encoded.per_task is None
    assert encoded.logit_terms is None


def test_int32_and_int64_codes_read_the_same_and_int32_stays_int32(encoder, put):
    codes, numeric = torch.tensor([[0, 1], [1, 2]]), put(torch.zeros(2, 1))
    long = encoder(put(codes), numeric).shared
    short = encoder(put(codes.int()), numeric).shared
    assert torch.equal(long, short)
    assert encoder.offsets.dtype == torch.int32
    assert "_to_copy" not in operations(encoder, put(codes.int()), numeric)


def test_equal_widths_take_one_lookup(put):
    encoder = put(FeatureEncoder([5] * 30, 2, embedding_dims=[4] * 30))
    codes = put(torch.zeros(3, 30, dtype=torch.int32))
    assert operations(encoder, codes, put(torch.zeros(3, 2)))["embedding"] == 1
    assert len(list(encoder.parameters())) == 1


def test_unequal_widths_take_one_lookup_each_and_stand_narrow_first(put):
    encoder = put(FeatureEncoder([2, 3, 2], 1, embedding_dims=[2, 1, 2]))
    narrow, wide = encoder.tables
    set_values(narrow, [[0.0], [1.0], [2.0]])
    set_values(wide, 10 + torch.arange(8.0).view(4, 2))
    codes, numeric = put(torch.tensor([[1, 2, 0]])), put(torch.tensor([[-1.0]]))
    assert_close(encoder(codes, numeric).shared, [[2, 12, 13, 14, 15, -1]])
    assert encoder.width == 6
    assert operations(encoder, codes, numeric)["embedding"] == 2


def test_widths_that_are_sorted_already_are_not_reordered(put):
    encoder = put(FeatureEncoder([2, 3], 0, embedding_dims=[1, 2]))
    assert encoder.column_order is None


def test_numeric_columns_alone(put):
    encoder, numeric = put(FeatureEncoder([], 2, embedding_dims=[])), torch.ones(3, 2)
    codes = put(torch.zeros(3, 0, dtype=torch.int32))
    assert_close(encoder(codes, put(numeric)).shared, numeric)
    assert encoder.width == 2


def test_categorical_columns_alone(put):
    encoder = put(FeatureEncoder([2, 3], 0, embedding_dims=[2, 2]))
    codes = put(torch.zeros(3, 2, dtype=torch.int32))
    assert encoder(codes, put(torch.zeros(3, 0))).shared.shape == (3, 4)


def test_no_rows(encoder, put):
    codes = put(torch.zeros(0, 2, dtype=torch.int32))
    assert encoder(codes, put(torch.zeros(0, 1))).shared.shape == (0, 5)


def test_every_row_of_the_table_learns_once_it_is_read(put):
    encoder = put(FeatureEncoder([2, 3], 1, embedding_dims=[2, 4]))
    codes = put(torch.tensor([[0, 0], [1, 1], [0, 2]]))
    output = encoder(codes, put(torch.zeros(3, 1))).shared
    assert_every_parameter_learns(encoder, output)
    assert all(bool(table.grad.any(1).all()) for table in encoder.tables)


def test_unknown_rate_sends_training_codes_to_the_unknown_row_of_their_column(
    encoder, put
):
    encoder.unknown_rate = 1.0
    codes, numeric = put(torch.tensor([[1, 2]])), put(torch.tensor([[7.0]]))
    assert_close(encoder(codes, numeric).shared, [[0, 1, 4, 5, 7]])
    assert_close(encoder.eval()(codes, numeric).shared, [[2, 3, 8, 9, 7]])
    assert codes.tolist() == [[1, 2]]


def test_unknown_rows_are_trained_though_no_training_code_is_zero(put):
    encoder = put(FeatureEncoder([3, 3], 0, embedding_dims=[2, 2], unknown_rate=0.1))
    codes = put(torch.ones(500, 2, dtype=torch.int32))
    encoder(codes, put(torch.zeros(500, 0))).shared.sum().backward()
    reads = encoder.tables[0].grad[:, 0]
    assert bool((reads[[0, 3]] > 20).all())
    assert bool((reads[[0, 3]] < 80).all())
    assert_close(reads[[2, 5]], [0.0, 0.0])


def test_embedding_dropout_spares_the_numeric_columns(put):
    encoder = FeatureEncoder([2], 50, embedding_dims=[200], embedding_dropout=0.5)
    encoder = put(encoder)
    codes, numeric = put(torch.ones(4, 1, dtype=torch.int32)), put(torch.ones(4, 50))
    embedding, numbers = encoder(codes, numeric).shared.split([200, 50], 1)
    assert 0.4 < float((embedding == 0).float().mean()) < 0.6
    assert bool((numbers == 1).all())
    assert not bool((encoder.eval()(codes, numeric).shared == 0).any())


def test_without_dropout_and_unknowns_training_draws_no_random_number(encoder, put):
    codes, numeric = put(torch.tensor([[1, 2]])), put(torch.zeros(1, 1))
    before = torch.get_rng_state()
    in_training = operations(encoder.train(), codes, numeric)
    assert torch.equal(torch.get_rng_state(), before)
    assert in_training == operations(encoder.eval(), codes, numeric)


def test_the_table_starts_small_and_no_two_rows_alike():
    table = FeatureEncoder([2000], 0, embedding_dims=[8]).tables[0].detach()
    assert float(table.std()) == pytest.approx(0.1, rel=0.03)
    assert len(torch.unique(table, dim=0)) == 2000


def test_codes_beyond_two_to_the_24_stay_exact(device):
    n_codes = 2**24 + 4
    encoder = FeatureEncoder([n_codes], 0, embedding_dims=[1]).to(device)
    encoder.tables[0].data[-4:] = torch.tensor([[0.0], [1.0], [2.0], [3.0]])
    codes = torch.arange(n_codes - 4, n_codes, dtype=torch.int32, device=device)
    shared = encoder(codes.view(-1, 1), torch.zeros(4, 0, device=device)).shared
    assert shared.flatten().tolist() == [0, 1, 2, 3]


def test_offsets_widen_when_a_table_outgrows_int32():
    groups = [np.array([2**30, 2**30 - 1, 2**20])]
    assert _offsets([groups[0][:2]]).dtype == torch.int32
    wide = _offsets(groups)
    assert wide.dtype == torch.int64
    assert wide.tolist() == [0, 2**30, 2**31 - 1]


def test_two_encoders_share_nothing():
    first, second = (FeatureEncoder([3], 0, embedding_dims=[2]) for _ in range(2))
    assert first.tables[0].data_ptr() != second.tables[0].data_ptr()
    assert not torch.equal(first.tables[0], second.tables[0])


@pytest.mark.parametrize(
    "copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))]
)
def test_copies_and_pickles_encode_the_same(copied, put):
    encoder = put(FeatureEncoder([2, 3], 1, embedding_dims=[2, 1]))
    codes, numeric = put(torch.tensor([[1, 2]])), put(torch.ones(1, 1))
    other = copied(encoder)
    assert torch.equal(other(codes, numeric).shared, encoder(codes, numeric).shared)


@pytest.mark.parametrize(
    ("cardinality", "dim"),
    [(1, 2), (8, 2), (9, 4), (64, 4), (65, 8), (512, 8), (513, 16), (4096, 16)]
    + [(4097, 32), (10_000_000, 32)],
)
def test_auto_embedding_dim_is_a_power_of_two_near_the_cube_root(cardinality, dim):
    assert auto_embedding_dim(cardinality) == dim


def test_columns_and_widths_must_agree():
    with pytest.raises(ValueError, match="found 2 cardinalities and 1 widths"):
        FeatureEncoder([3, 4], 0, embedding_dims=[2])


def test_at_least_one_column_is_required():
    with pytest.raises(ValueError, match="found 0 categorical and 0 numeric"):
        FeatureEncoder([], 0, embedding_dims=[])


def test_sizes_must_be_positive():
    with pytest.raises(ValueError, match=r"at least 1; found \[3\] and \[0\]"):
        FeatureEncoder([3], 0, embedding_dims=[0])


def test_repr_shows_the_settings(encoder):
    assert "width=5, embedding_dropout=0.0, unknown_rate=0.0" in repr(encoder)

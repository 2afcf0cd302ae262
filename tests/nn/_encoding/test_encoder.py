import copy
import pickle

import pytest
import torch

from sk_mtl.nn import FeatureEncoder
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


def test_int32_and_int64_codes_read_the_same_without_a_copy(encoder, put):
    codes, numeric = torch.tensor([[0, 1], [1, 2]]), put(torch.zeros(2, 1))
    long = encoder(put(codes), numeric).shared
    short = encoder(put(codes.int()), numeric).shared
    assert torch.equal(long, short)
    assert "_to_copy" not in operations(encoder, put(codes.int()), numeric)


def test_equal_widths_take_one_lookup(put):
    encoder = put(FeatureEncoder([5] * 30, 2, embedding_dims=[4] * 30))
    codes = put(torch.zeros(3, 30, dtype=torch.int32))
    assert operations(encoder, codes, put(torch.zeros(3, 2)))["gather"] == 1
    assert len(list(encoder.parameters())) == 1


def test_unequal_widths_take_one_lookup_each_and_stand_narrow_first(put):
    encoder = put(FeatureEncoder([2, 3, 2], 1, embedding_dims=[2, 1, 2]))
    narrow, wide = encoder.tables
    set_values(narrow, [[0.0], [1.0], [2.0]])
    set_values(wide, 10 + torch.arange(8.0).view(4, 2))
    codes, numeric = put(torch.tensor([[1, 2, 0]])), put(torch.tensor([[-1.0]]))
    assert_close(encoder(codes, numeric).shared, [[2, 12, 13, 14, 15, -1]])
    assert encoder.width == 6
    assert operations(encoder, codes, numeric)["gather"] == 2


def test_widths_that_are_sorted_already_are_not_reordered(put):
    encoder = put(FeatureEncoder([2, 3], 0, embedding_dims=[1, 2]))
    assert encoder.tables.column_order is None


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


def test_the_plain_case_runs_no_operation_beyond_its_own(put):
    encoder = FeatureEncoder([2, 3, 4], 1, embedding_dims=[4, 2, 4], unknown_rate=0.1)
    codes, numeric = put(torch.ones(5, 3, dtype=torch.int32)), put(torch.ones(5, 1))
    counts = operations(put(encoder), codes, numeric)
    unknown = {"rand": 1, "lt": 1, "masked_fill": 1}
    looked_up = {"index_select": 1, "add": 1, "split_with_sizes": 1, "gather": 2}
    for shape in ("view", "unsqueeze", "expand", "clone", "_unsafe_view"):
        del counts[shape]
    assert counts == {**unknown, **looked_up, "cat": 1}


def test_the_plain_case_draws_the_tables_in_order_and_nothing_else():
    torch.manual_seed(3)
    encoder = FeatureEncoder([2, 3, 4], 1, embedding_dims=[4, 2, 4])
    state = torch.get_rng_state()
    torch.manual_seed(3)
    for name, shape in (("tables.0", (3, 2)), ("tables.1", (6, 4))):
        drawn = torch.nn.init.normal_(torch.empty(shape), std=0.1)
        assert torch.equal(encoder.get_parameter(name), drawn)
    assert torch.equal(torch.get_rng_state(), state)
    assert list(encoder.state_dict()) == ["tables.0", "tables.1"]


def test_without_dropout_and_unknowns_training_draws_no_random_number(encoder, put):
    codes, numeric = put(torch.tensor([[1, 2]])), put(torch.zeros(1, 1))
    before = torch.get_rng_state()
    in_training = operations(encoder.train(), codes, numeric)
    assert torch.equal(torch.get_rng_state(), before)
    assert in_training == operations(encoder.eval(), codes, numeric)


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

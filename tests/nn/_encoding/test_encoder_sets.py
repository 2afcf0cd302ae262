import copy

import pytest
import torch

from sk_mtl.nn import (
    Encoded,
    EncoderSets,
    FeatureEncoder,
    MultiTaskNetwork,
    NetworkEnsemble,
    SingleTask,
    Towers,
)
from tests.nn._asserts import assert_close, assert_every_parameter_learns
from tests.nn._networks import CODES, NUMERIC, make_encoder


def make_encoders(n, n_heads=(), **options):
    """Return encoders of CODES and NUMERIC, each with terms for so many heads."""
    return [
        FeatureEncoder(
            [4] * 3, 2, embedding_dims=[4] * 3, n_heads=heads, wide=heads > 0, **options
        )
        for heads in (n_heads or [0] * n)
    ]


def randomise_wide(sets):
    for encoder in sets.encoders:
        torch.nn.init.normal_(encoder.wide.tables[0])


@pytest.mark.parametrize("embedding_sets", ["per_task", "both"])
def test_each_row_is_that_of_its_encoder(embedding_sets, put):
    sets = put(make_encoder(embedding_sets, 3))
    inputs = put(CODES), put(NUMERIC)
    encoded = sets(*inputs)
    *shared, first, second, third = (each(*inputs).shared for each in sets.encoders)
    assert encoded.per_task.shape == (5, 3, sets.width) == (5, 3, 14)
    assert torch.equal(encoded.per_task, torch.stack([first, second, third], 1))
    assert encoded.logit_terms is None
    if embedding_sets == "both":
        assert torch.equal(encoded.shared, shared[0])
    else:
        assert encoded.shared is None


def test_sets_start_different_and_are_drawn_anew(put):
    sets = put(make_encoder("both", 2))
    before = [encoder.tables[0].clone() for encoder in sets.encoders]
    assert not torch.equal(before[0], before[1])
    assert not torch.equal(before[1], before[2])
    sets.reset_parameters()
    for old, encoder in zip(before, sets.encoders):
        assert not torch.equal(old, encoder.tables[0])


def test_unknown_codes_are_the_same_for_all_sets(put):
    encoders = make_encoders(3, unknown_rate=0.5)
    for encoder in encoders[1:]:
        encoder.load_state_dict(encoders[0].state_dict())
    sets = put(EncoderSets(encoders, [1, 1], embedding_sets="both"))
    inputs = put(CODES), put(NUMERIC)
    encoded = sets(*inputs)
    assert torch.equal(encoded.per_task[:, 0], encoded.shared)
    assert torch.equal(encoded.per_task[:, 1], encoded.shared)
    assert not torch.equal(sets(*inputs).shared, encoded.shared)
    sets.eval()
    assert torch.equal(sets(*inputs).shared, sets(*inputs).shared)


def test_dropped_entries_are_each_sets_own(put):
    encoders = make_encoders(2, embedding_dropout=0.5)
    encoders[1].load_state_dict(encoders[0].state_dict())
    rows = put(EncoderSets(encoders, [1, 1]))(put(CODES), put(NUMERIC)).per_task
    assert not torch.equal(rows[:, 0], rows[:, 1])


def test_heads_take_the_terms_of_their_tasks_encoder(put):
    sets = put(EncoderSets(make_encoders(2, [1, 3]), [1, 3]))
    randomise_wide(sets)
    terms = sets(put(CODES), put(NUMERIC)).logit_terms
    own = [encoder.wide(put(CODES), ()) for encoder in sets.encoders]
    assert terms.shape == (5, 4)
    assert torch.equal(terms[:, :1], own[0])
    assert torch.equal(terms[:, 1:], own[1])


@pytest.mark.parametrize("n_heads", [(3, 1, 2), (3, 0, 0)])
def test_terms_of_the_shared_encoder_are_added_to_all_heads(n_heads, put):
    encoders = make_encoders(3, n_heads)
    sets = put(EncoderSets(encoders, [1, 2], embedding_sets="both"))
    for encoder in encoders:
        if encoder.wide is not None:
            torch.nn.init.normal_(encoder.wide.tables[0])
    terms = sets(put(CODES), put(NUMERIC)).logit_terms
    own = [each.wide(put(CODES), ()) for each in encoders[1:] if each.wide is not None]
    expected = encoders[0].wide(put(CODES), ())
    assert_close(terms, expected + torch.cat(own, 1) if own else expected)


@pytest.mark.parametrize("embedding_sets", ["per_task", "both"])
def test_a_gradient_reaches_every_parameter(embedding_sets, put):
    heads = [3, 1, 2] if embedding_sets == "both" else [1, 2]
    encoders = make_encoders(len(heads), heads)
    sets = put(EncoderSets(encoders, [1, 2], embedding_sets=embedding_sets))
    encoded = sets(put(CODES), put(NUMERIC))
    rows = [encoded.per_task.flatten(1), encoded.logit_terms]
    rows += [] if encoded.shared is None else [encoded.shared]
    assert_every_parameter_learns(sets, torch.cat(rows, 1))


def test_a_tasks_row_trains_its_own_set_only(put):
    sets = put(make_encoder("both", 3))
    sets(put(CODES), put(NUMERIC)).per_task[:, 1].sum().backward()
    grads = [encoder.tables[0].grad for encoder in sets.encoders]
    reached = [k for k, g in enumerate(grads) if g is not None and bool(g.any())]
    assert reached == [2]


def test_sequences_reach_every_set(put):
    history = put(torch.tensor([[1, 2, -1], [3, 0, 2], [-1, -1, -1]]))
    encoders = [
        FeatureEncoder([4, 4], 0, embedding_dims=[2, 2], sequence_pooling=["mean"])
        for _ in range(2)
    ]
    sets = put(EncoderSets(encoders, [1, 1]))
    codes, numeric = put(torch.tensor([[1], [2], [3]])), put(torch.zeros(3, 0))
    rows = sets(codes, numeric, (history,)).per_task
    assert torch.equal(rows[:, 1], encoders[1](codes, numeric, (history,)).shared)
    with pytest.raises(ValueError, match="needs 1 sequences; found 0"):
        sets(codes, numeric)


@pytest.mark.parametrize("n_rows", [0, 1])
def test_no_row_and_one_row(n_rows, put):
    encoded = put(make_encoder("both", 2))(put(CODES[:n_rows]), put(NUMERIC[:n_rows]))
    assert encoded.per_task.shape == (n_rows, 2, 14)


def test_scaled_rows_are_scaled_where_there_are_any():
    scale, terms = torch.tensor([2.0, -1.0]), torch.ones(1, 1)
    shared, per_task = torch.ones(1, 2), torch.ones(1, 3, 2)
    both = Encoded(shared, per_task, terms).scale_rows(scale)
    assert both.shared.tolist() == [[2.0, -1.0]]
    assert both.per_task.tolist() == [[[2.0, -1.0]] * 3]
    assert both.logit_terms is terms
    assert Encoded(None, per_task).scale_rows(scale).shared is None
    assert Encoded(shared).scale_rows(scale).per_task is None


def make_sparse_network():
    encoders = [
        FeatureEncoder(
            [9, 4], 0, embedding_dims=[4, 4], sparse=[True, False], n_heads=1, wide=True
        )
        for _ in range(2)
    ]
    sets = EncoderSets(encoders, [1, 1])
    wiring = SingleTask(sets.width, 2, hidden_sizes=(8,))
    return MultiTaskNetwork(sets, wiring, Towers(8, [(), ()], [1, 1]))


def test_sparse_rows_are_named_as_the_parameters_are():
    network = make_sparse_network()
    codes = torch.tensor([[3, 1], [5, 2]])
    network(codes, torch.zeros(2, 0)).sum().backward()
    sparse = {
        name: p.grad.coalesce().indices().flatten().tolist()
        for name, p in network.named_parameters()
        if p.grad.is_sparse
    }
    assert list(sparse) == network.sparse_parameter_names()
    assert len(sparse) == 4
    rows = network.sparse_rows(codes)
    assert list(rows) == network.sparse_parameter_names()
    for name, found in rows.items():
        assert found.tolist() == [0, 3, 5] == [0, *sparse[name]]


@pytest.mark.parametrize("sharing", ["most", "embedding"])
def test_sparse_tables_are_shared_by_members(sharing):
    members = [make_sparse_network(), make_sparse_network()]
    ensemble = NetworkEnsemble(members, lambda logits: logits, sharing=sharing)
    codes = torch.tensor([[3, 1], [5, 2]])
    ensemble(codes, torch.zeros(2, 0)).sum().backward()
    parameters = dict(ensemble.named_parameters())
    for name, rows in ensemble.sparse_rows(codes).items():
        assert parameters[name].grad.is_sparse
        assert rows.tolist() == [0, 3, 5]


@pytest.mark.parametrize("sharing", ["most", "embedding", "none"])
def test_an_ensemble_draws_unknown_codes_in_training_only(sharing):
    def make():
        sets = EncoderSets(make_encoders(2, [1, 1], unknown_rate=0.5), [1, 1])
        wiring = SingleTask(sets.width, 2, hidden_sizes=(8,))
        return MultiTaskNetwork(sets, wiring, Towers(8, [(), ()], [1, 1]))

    ensemble = NetworkEnsemble([make(), make()], lambda x: x, sharing=sharing)
    assert not torch.equal(ensemble(CODES, NUMERIC), ensemble(CODES, NUMERIC))
    ensemble.eval()
    assert torch.equal(ensemble(CODES, NUMERIC), ensemble(CODES, NUMERIC))


def test_the_state_is_read_back(put):
    first, second = (put(make_encoder("both", 2)) for _ in range(2))
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    inputs = put(CODES), put(NUMERIC)
    assert torch.equal(first(*inputs).per_task, second(*inputs).per_task)
    assert {name.split(".")[1] for name in first.state_dict()} == {"0", "1", "2"}


def test_the_number_of_encoders_must_fit():
    with pytest.raises(ValueError, match=r"'both' needs 3 encoders for 2 tasks; foun"):
        EncoderSets(make_encoders(2), [1, 1], embedding_sets="both")
    with pytest.raises(ValueError, match=r"'per_task' needs 2 encoders .* found 3\. M"):
        EncoderSets(make_encoders(3), [1, 1])
    with pytest.raises(ValueError, match="needs 0 encoders for 0 tasks"):
        EncoderSets([], [])
    with pytest.raises(ValueError, match=r"'per_task' or 'both'; found 'shared'\."):
        EncoderSets(make_encoders(2), [1, 1], embedding_sets="shared")


def test_encoders_must_be_different_and_alike():
    with pytest.raises(ValueError, match="found the same one more than once, whose"):
        EncoderSets(make_encoders(1) * 2, [1, 1])
    other = FeatureEncoder([4], 2, embedding_dims=[4])
    with pytest.raises(ValueError, match=r"rows of one width; found \[14, 6\]. Make"):
        EncoderSets([*make_encoders(1), other], [1, 1])


def test_terms_must_be_those_of_the_tasks_heads():
    with pytest.raises(ValueError, match=r"\[1, 2\] heads .* found \[3, 3\]\. Give"):
        EncoderSets(make_encoders(2, [3, 3]), [1, 2])
    with pytest.raises(ValueError, match=r"or none of them; found \[1, 0\]"):
        EncoderSets(make_encoders(2, [1, 0]), [1, 2])
    with pytest.raises(ValueError, match=r"for all 3 heads, or none; found 1. Give it"):
        EncoderSets(make_encoders(3, [1, 1, 2]), [1, 2], embedding_sets="both")

"""Sequences, numeric embeddings, fields and interactions inside the encoder."""

import copy
import pickle

import pytest
import torch

from sk_mtl.nn import (
    ESMM,
    CrossLayer,
    FeatureEncoder,
    InputSizes,
    MultiTaskNetwork,
    NumericColumns,
    Towers,
    make_bin_embedding,
)
from tests.nn._asserts import (
    assert_close,
    assert_every_parameter_learns,
    assert_exports,
    operations,
    pad,
    set_values,
)
from tests.nn._features import CROSS, FM, NUMERIC, SENET

# Two columns, the second the item, and a history of items.
POOLED = {"sequence_pooling": ["mean"], "vocabularies": [0, 1, 1]}
OPTIONS = {
    "mean": {},
    "max": {"sequence_pooling": ["max"]},
    "sum": {"sequence_pooling": ["sum"]},
    "attention": {"sequence_pooling": ["attention"]},
    "target": {"sequence_pooling": ["target_attention"], "sequence_targets": [1]},
    "own tables": {"vocabularies": None},
    "unequal widths": {"embedding_dims": [2, 4, 4]},
    "sparse": {"sparse": [False, True, True], "wide": True},
    "sparse max": {"sparse": [True] * 3, "sequence_pooling": ["max"]},
    "bins": {"kinds": ("bins",)},
    "ple": {"kinds": ("ple",)},
    "periodic": {"kinds": ("periodic",)},
    "bins and ple": {"kinds": ("bins", "ple")},
    "groups": {"field_groups": [[0], [2, 1]], "group_pooling": "mean"},
    "groups of unequal widths": {
        "field_groups": [[2, 1]],
        "group_pooling": "sum",
        "embedding_dims": [2, 4, 4],
        "kinds": ("bins",),
        "numeric_width": 2,
    },
    "fm": FM,
    "cross": CROSS,
    "senet": {**SENET, "kinds": ("bins",)},
    "wide": {"wide": True},
    "all": {
        "sequence_pooling": ["target_attention"],
        "sequence_targets": [1],
        "kinds": ("bins", "ple", "periodic"),
        "field_groups": [[0, 3], [1, 2]],
        "group_pooling": "sum",
        **FM,
        "wide": True,
    },
}
every_option = pytest.mark.parametrize("option", OPTIONS)


@pytest.fixture
def batch(put):
    codes = torch.stack([torch.randint(0, 5, (30,)), torch.randint(1, 9, (30,))], 1)
    history = torch.randint(1, 9, (30, 6))
    history = history.masked_fill(torch.arange(6) >= torch.arange(30)[:, None] % 7, -1)
    numeric = torch.randn(30, 3)
    numeric[:, 1] = (torch.rand(30) < 0.2).float()
    return put(codes.int()), put(numeric), (put(history.int()),)


@pytest.fixture
def make(batch, put):
    def build(option, **more):
        settings = {**POOLED, "embedding_dims": [4] * 3, "n_heads": 2}
        settings |= OPTIONS.get(option, {}) | more
        kinds, width = settings.pop("kinds", ()), settings.pop("numeric_width", 4)
        columns = NumericColumns(batch[1], [0, 2], {0: 1})
        settings["numeric_embeddings"] = [
            NUMERIC[kind](columns, width, n_bins=5) for kind in kinds
        ]
        encoder = put(FeatureEncoder([5, 9, 9], 3, **settings))
        place = settings.get("interaction_place")
        if place == "logits":
            torch.nn.init.ones_(encoder.interaction.weight)
        elif place == "fields":
            torch.nn.init.ones_(encoder.interaction.squeeze.bias)
        return encoder

    return build


@every_option
def test_shapes_and_a_gradient_for_every_parameter(option, make, batch):
    encoder = make(option)
    encoded = encoder(*batch)
    assert encoded.shared.shape == (30, encoder.width)
    assert encoded.shared.dtype == batch[1].dtype
    output = encoded.shared
    if encoded.logit_terms is not None:
        assert encoded.logit_terms.shape == (30, 2)
        output = torch.cat(encoded[::2], 1)
    assert_every_parameter_learns(encoder, output)


@every_option
def test_no_influence_of_padding(option, make, batch):
    codes, numeric, (history,) = batch
    encoder = make(option)
    once = encoder(*batch)
    doubled = encoder(codes, numeric, (pad(history, 6),))
    exact = "attention" not in encoder.sequence_pooling.poolings[0]
    for a, b in zip(once, doubled):
        if a is not None and exact:
            assert torch.equal(a, b)
        elif a is not None:
            torch.testing.assert_close(a, b, rtol=1e-6, atol=1e-6)


@every_option
def test_the_graph_of_an_encoder_answers_as_it_does(option, make, batch):
    encoder = make(option)
    if encoder.wide is not None:
        for table in encoder.wide.tables:
            torch.nn.init.normal_(table)
    assert_exports(encoder, *batch)


@every_option
@pytest.mark.parametrize(
    "copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))]
)
def test_copies_pickles_and_states_encode_the_same(option, copied, make, batch):
    encoder, other = make(option), make(option)
    assert torch.equal(copied(encoder)(*batch).shared, encoder(*batch).shared)
    assert not torch.equal(other(*batch).shared, encoder(*batch).shared)
    other.load_state_dict(encoder.state_dict())
    assert torch.equal(other(*batch).shared, encoder(*batch).shared)


@every_option
def test_a_row_does_not_depend_on_the_others(option, make, batch):
    codes, numeric, (history,) = batch
    encoder = make(option)
    one = encoder(codes[5:6], numeric[5:6], (history[5:6],))
    assert_close(one.shared, encoder(*batch).shared[5:6])
    if one.logit_terms is not None:
        assert_close(one.logit_terms, encoder(*batch).logit_terms[5:6])


@every_option
def test_training_and_eval_agree_without_dropout_and_unknowns(option, make, batch):
    encoder = make(option)
    state = torch.get_rng_state()
    trained = encoder.train()(*batch).shared
    assert torch.equal(trained, encoder.eval()(*batch).shared)
    assert torch.equal(torch.get_rng_state(), state)


@every_option
def test_dense_and_sparse_gradients_are_the_same(option, make, batch):
    gradients = []
    for sparse in ([False] * 3, [True] * 3):
        torch.manual_seed(2)
        encoder = make(option, sparse=sparse)
        encoded = encoder(*batch)
        loss = sum(each.square().sum() for each in encoded if each is not None)
        loss.backward()
        names = set(encoder.sparse_parameter_names())
        for name, parameter in encoder.named_parameters():
            assert parameter.grad.is_sparse == (name in names)
        gradients.append([p.grad.to_dense() for p in encoder.parameters()])
    assert names
    for dense, from_sparse in zip(*gradients):
        assert_close(from_sparse, dense)


def test_one_row_moves_for_column_and_history(make, batch, put):
    encoder = make("mean")
    assert encoder.tables[0].shape == (5 + 9, 4)
    codes, numeric = put(torch.tensor([[0, 7]])), batch[1][:1]
    row = (put(torch.tensor([[7, -1]])),)
    shared = encoder(codes, numeric, row).shared
    assert torch.equal(shared[:, 4:8], shared[:, 8:12])
    encoder.tables[0].data[5 + 7] += 1
    moved = encoder(codes, numeric, row).shared
    assert_close(moved[:, 4:12], shared[:, 4:12] + 1)


def test_fields_stand_in_order(make):
    encoder = make("unequal widths", kinds=("bins", "ple"), numeric_width=3)
    assert encoder.field_widths == [2, 4, 4, 3, 3, 3, 3]
    assert encoder.width == 10 + 12 + 3


def test_columns_histories_embedded_numbers_and_numbers_by_hand(batch, put):
    numeric = put(torch.tensor([[0.0], [1.0]]))
    embedding = make_bin_embedding(NumericColumns(numeric, [0]), width=1)
    encoder = put(
        FeatureEncoder(
            [2, 3],
            1,
            embedding_dims=[1, 1],
            sequence_pooling=["sum"],
            numeric_embeddings=[embedding],
            field_groups=[[1, 2]],
            group_pooling="sum",
        )
    )
    set_values(encoder.tables[0], [[0.0], [1.0], [10.0], [20.0], [30.0]])
    set_values(encoder.numeric_embeddings[0].table, [[100.0], [200.0]])
    codes, history = (
        put(torch.tensor([[1], [0]])),
        put(torch.tensor([[1, 2], [-1, -1]])),
    )
    # The group of history and number, the rest (the column), and the number itself.
    expected = [[20 + 30 + 100, 1, 0], [0 + 200, 0, 1]]
    assert_close(encoder(codes, numeric, (history,)).shared, expected)


def test_the_target_is_the_embedding_of_its_column(make, batch):
    encoder = make("target", embedding_dims=[2, 4, 4])
    codes, _, (history,) = batch
    items, real = encoder.tables.look_up_items(0, history)
    target = encoder.tables[1][codes[:, 1].long()]
    pooled = encoder.sequence_pooling.attention["0"](items, real, target)
    assert_close(encoder(*batch).shared[:, 6:10], pooled)


def test_the_machine_reads_all_fields_before_they_are_pooled(make, batch):
    encoder = make("all")
    stacked = make("fm", kinds=OPTIONS["all"]["kinds"], **_target())
    stacked.load_state_dict(encoder.state_dict(), strict=False)
    without = encoder(*batch).logit_terms - encoder.wide(batch[0], batch[2])
    assert_close(without, stacked(*batch).logit_terms)


def test_the_cross_layer_reads_all_that_is_joined(make, batch):
    encoder = make("cross", kinds=("bins",))
    plain = make("mean", kinds=("bins",))
    plain.load_state_dict(encoder.state_dict(), strict=False)
    assert_close(encoder(*batch).shared, encoder.interaction(plain(*batch).shared))


def test_squeeze_excitation_rescales_before_pooling(make, batch):
    groups = {"field_groups": [[0, 1]], "group_pooling": "sum"}
    encoder, plain = make("senet", **groups), make("mean", kinds=("bins",))
    plain.load_state_dict(encoder.state_dict(), strict=False)
    fields = encoder.interaction(plain(*batch).shared[:, :20].unflatten(1, (5, 4)))
    expected = torch.cat([fields[:, :2].sum(1), fields[:, 2:].sum(1), batch[1]], 1)
    assert_close(encoder(*batch).shared, expected)


def test_an_interaction_is_made_for_the_sizes_of_the_input(make):
    found = []

    def record(sizes):
        found.append(sizes)
        return torch.nn.Identity()

    make("bins", interaction=record)
    make("unequal widths", interaction=record)
    # Five fields of width 4 and three numbers; fields of widths 2, 4 and 4.
    assert found == [InputSizes(23, 5, 4, 2), InputSizes(13, 3, None, 2)]


def test_numeric_embeddings_may_differ_in_width(batch, put):
    columns = NumericColumns(batch[1], [0, 2])
    embeddings = [NUMERIC["bins"](columns, 2), NUMERIC["ple"](columns, 5)]
    encoder = put(
        FeatureEncoder([], 3, embedding_dims=[], numeric_embeddings=embeddings)
    )
    shared = encoder(batch[0][:, :0], batch[1]).shared
    first, second = (module(batch[1]).flatten(1) for module in embeddings)
    assert torch.equal(shared, torch.cat([first, second, batch[1]], 1))


def test_unknown_rate_replaces_items_and_no_padding(make, batch):
    encoder = make("sum", unknown_rate=1.0)
    codes, numeric, (history,) = batch
    replaced = encoder(*batch)
    encoder.unknown_rate = 0.0
    zeros = (history.clamp_max(0),)
    by_hand = encoder(torch.zeros_like(codes), numeric, zeros)
    assert torch.equal(replaced.shared, by_hand.shared)
    assert int(history.max()) > 0


def test_the_unknown_item_is_trained(make, batch):
    encoder = make("mean", unknown_rate=0.2)
    encoder(*batch).shared.sum().backward()
    assert bool(encoder.tables[0].grad[[0, 5]].any(1).all())


@pytest.mark.parametrize("option", ["mean", "max", "target"])
def test_embedding_dropout_reaches_pooled_sequences_and_no_number(option, make, batch):
    encoder = make(option, embedding_dropout=0.5, kinds=("ple",))
    with torch.no_grad():
        dropped = [encoder(*batch).shared for _ in range(40)]
    fields = torch.stack(dropped)[..., :-3]
    assert fields.shape[2] == 5 * 4
    # Rows of an empty history are zero anyway.
    filled = (batch[2][0] >= 0).any(1)
    shares = (fields[:, filled] == 0).float().mean((0, 1))
    assert 0.35 < float(shares.min()) <= float(shares.max()) < 0.65
    assert all(torch.equal(each[:, -3:], batch[1]) for each in dropped)


def test_histories_alone_make_an_encoder(put):
    encoder = put(FeatureEncoder([5], 0, embedding_dims=[3], sequence_pooling=["mean"]))
    codes, numeric = torch.zeros(2, 0, dtype=torch.int32), put(torch.zeros(2, 0))
    history = put(torch.tensor([[1, 2], [-1, -1]]))
    shared = encoder(put(codes), numeric, (history,)).shared
    assert shared.shape == (2, 3)
    assert not bool(shared[1].any())


def test_numbers_alone_may_be_crossed_and_embedded(put):
    numeric = put(torch.randn(9, 2))
    codes = put(torch.zeros(9, 0, dtype=torch.int32))
    crossed = put(FeatureEncoder([], 2, embedding_dims=[], **CROSS))
    assert_close(crossed(codes, numeric).shared, crossed.interaction(numeric))
    embedding = make_bin_embedding(NumericColumns(numeric, [0, 1]), width=3)
    encoder = put(
        FeatureEncoder(
            [], 2, embedding_dims=[], numeric_embeddings=[embedding], unknown_rate=0.1
        )
    )
    assert encoder(codes, numeric).shared.shape == (9, 6 + 2)


def test_sparse_rows_name_all_that_training_can_change(make, batch, put):
    encoder = make("sparse", unknown_rate=0.1)
    assert encoder.sparse_parameter_names() == ["tables.1", "wide.tables.1"]
    codes, numeric = put(torch.tensor([[3, 4], [3, 2]])), batch[1][:2]
    history = (put(torch.tensor([[8, -1], [4, 7]])),)
    rows = encoder.sparse_rows(codes, history)
    assert {name: found.tolist() for name, found in rows.items()} == {
        "tables.1": [0, 2, 4, 7, 8],
        # Nine rows of the column, then those of the sequence: it has its own terms.
        "wide.tables.1": [0, 2, 4, 9, 13, 16, 17],
    }
    for _ in range(20):
        encoded = encoder(codes, numeric, history)
        (encoded.shared.sum() + encoded.logit_terms.sum()).backward()
    for name, found in rows.items():
        read = encoder.get_parameter(name).grad.coalesce().indices().flatten()
        assert read.tolist() == found.tolist()
    assert make("mean").sparse_rows(codes, history) == {}
    assert make("mean").sparse_parameter_names() == []


def test_a_network_passes_sequences_and_names_its_sparse_parameters(make, batch):
    encoder = make("sparse")
    wiring = ESMM(encoder.width, 2)
    network = MultiTaskNetwork(
        encoder, wiring, Towers(wiring.out_width, [(), ()], [1, 1])
    )
    network.to(batch[1].dtype).to(batch[1].device)
    codes, numeric, (history,) = batch
    logits = network(*batch)
    assert logits.shape == (30, 2)
    other = network(codes, numeric, (history.clamp_max(1),))
    assert not torch.equal(logits, other)
    names = network.sparse_parameter_names()
    assert names == ["encoder.tables.1", "encoder.wide.tables.1"]
    assert set(names) <= {name for name, _ in network.named_parameters()}
    rows = network.sparse_rows(codes, (history,))
    assert list(rows) == names
    assert rows[names[0]].tolist() == [0, *range(1, 9)]


def test_options_off_cost_no_operation(put, batch):
    codes, numeric, _ = batch
    plain = put(FeatureEncoder([5, 9], 3, embedding_dims=[4, 4]))
    spelt_out = put(
        FeatureEncoder(
            [5, 9],
            3,
            embedding_dims=[4, 4],
            vocabularies=[0, 1],
            sparse=[False, False],
            field_groups=[[0], [1]],
            n_heads=2,
        )
    )
    assert operations(plain, codes, numeric) == operations(spelt_out, codes, numeric)
    assert len(list(spelt_out.parameters())) == 1


ERRORS = {
    "as many sequences": (
        {"sequence_pooling": ["mean"], "sequence_targets": [None, None]},
        "found 1 and 2 entries",
    ),
    "more sequences than features": (
        {"sequence_pooling": ["mean"] * 3},
        "of at most 2 embedded features; found 3",
    ),
    "pooling": ({"sequence_pooling": ["median"]}, r"'max', 'sum'.*found 'median'\. Ch"),
    "no target": (
        {"sequence_pooling": ["target_attention"]},
        "Sequence 0 with target attention needs .* from 0 to 0.*; found None",
    ),
    "target out of range": (
        {"sequence_pooling": ["target_attention"], "sequence_targets": [1]},
        "from 0 to 0, in sequence_targets; found 1",
    ),
    "target of another vocabulary": (
        {"sequence_pooling": ["target_attention"], "sequence_targets": [0]},
        "must be of one vocabulary; found vocabularies 1 and 0",
    ),
    "interaction": ({**CROSS, "interaction_place": "end"}, "or 'logits'; found 'end'"),
    "fm without heads": ({**FM, "n_heads": 0}, "place='logits' adds .*n_heads=0"),
    "wide without heads": ({"wide": True}, "wide=True adds .* found n_heads=0"),
    "fm": (
        {**FM, "embedding_dims": [2, 4]},
        r"interaction_place='logits' needs .* by position, 0 \(2\), 1 \(4\)\. Give",
    ),
    "senet": (
        {**SENET, "embedding_dims": [2, 4]},
        r"interaction_place='fields' needs .* 0 \(2\), 1 \(4\)\. Give",
    ),
    "group pooling": (
        {"group_pooling": "max"},
        r"\['concat', 'sum', 'mean'\]; found 'm",
    ),
    "groups": (
        {"group_pooling": "sum", "field_groups": [[0, 2]]},
        r"each of the 2 fields at most once.*found \[\[0, 2\]\]",
    ),
    "cross rank": (
        {"interaction": lambda sizes: CrossLayer(sizes.width, rank=0)},
        "rank must be at least 1",
    ),
}


@pytest.mark.parametrize("case", ERRORS)
def test_settings_that_cannot_be_are_refused(case):
    settings, message = ERRORS[case]
    with pytest.raises(ValueError, match=message):
        FeatureEncoder([3, 4], 1, **{"embedding_dims": [2, 2], **settings})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (SENET, "needs embedded fields; found none. Embed"),
        ({"wide": True, "n_heads": 1}, "needs categorical columns or sequences"),
    ],
)
def test_interactions_of_fields_need_some(settings, message):
    with pytest.raises(ValueError, match=message):
        FeatureEncoder([], 1, embedding_dims=[], **settings)


def test_forgotten_sequences_are_asked_for(make, batch):
    with pytest.raises(ValueError, match=r"needs 1 sequences; found 0\. Pass one"):
        make("mean")(*batch[:2])


def _target():
    return {"sequence_pooling": ["target_attention"], "sequence_targets": [1]}

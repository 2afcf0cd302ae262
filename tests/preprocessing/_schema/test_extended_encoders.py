"""Encoders that know what the columns they share an embedding with held in training."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sk_mtl.preprocessing import (
    CategoryEncoder,
    FeatureSchema,
    HashingEncoder,
    SequenceEncoder,
)
from tests.preprocessing._schemas import assert_same_arrays, columns, fit, ordinal

GROUP = [["item_id", "history"]]
ITEMS = {"text": ["ant", "bee", "cat", "dog", "eel"], "integers": [2, 3, 5, 7, 11]}


def make_log(kind="text"):
    """The column holds the second and fourth item, the history the others."""
    ant, bee, cat, dog, _ = ITEMS[kind]
    item_id = [bee, dog, bee, dog]
    history = [[cat, ant], [], [dog], []]
    price = [1.0, 2.0, 3.0, 4.0]
    return pd.DataFrame({"item_id": item_id, "price": price, "history": history})


def preprocess(encoder=None, sequences=None):
    return columns(
        ("num", StandardScaler(), ["price"]),
        ("cat", CategoryEncoder() if encoder is None else encoder, ["item_id"]),
        ("seq", SequenceEncoder() if sequences is None else sequences, ["history"]),
    )


def extended(preprocessor, X):
    """The schema with known unions, and what the encoders made of X before."""
    schema, transformed = fit(preprocessor, X)
    return schema.with_shared_embeddings(GROUP).extend_encoders(), transformed


def codes_of(schema, preprocessor, X):
    """Codes of the first column and the first sequence, equal on both paths."""
    arrays = schema.transform(preprocessor, X)
    assert_same_arrays(schema.split(preprocessor.transform(X)), arrays)
    return arrays.codes[:, 0].tolist(), arrays.sequences[0].tolist()


@pytest.mark.parametrize("kind", ITEMS)
@pytest.mark.parametrize("n_copies", [1, 10])
def test_the_five_items_by_hand(kind, n_copies):
    """The first four items are 1 to 4 in both columns; the fifth is known to none."""
    preprocessor = preprocess()
    schema, transformed = extended(preprocessor, make_log(kind))
    assert schema.cardinalities == [5, 5]
    arrays = schema.split(transformed)
    assert arrays.codes[:, 0].tolist() == [2, 4, 2, 4]
    assert arrays.sequences[0].tolist() == [[3, 1], [-1, -1], [4, -1], [-1, -1]]
    for code, item in zip([1, 2, 3, 4, 0], ITEMS[kind], strict=True):
        new = pd.DataFrame({"item_id": [item], "price": [1.0], "history": [[item]]})
        new = pd.concat([new] * n_copies, ignore_index=True)
        expected = [code] * n_copies, [[code]] * n_copies
        assert codes_of(schema, preprocessor, new) == expected


def test_an_encoder_counts_on_and_its_attributes_follow():
    X = make_log().assign(item_id=["bee", None, "bee", "dog"])
    preprocessor = preprocess()
    _, transformed = extended(preprocessor, X)
    encoder = preprocessor.named_transformers_["cat"]
    # bee 1, dog 2, missing 3; then ant 4 and cat 5.
    assert encoder.categories_[0].tolist()[:2] == ["bee", "dog"]
    assert np.isnan(encoder.categories_[0][2])
    assert encoder.categories_[0].tolist()[3:] == ["ant", "cat"]
    assert encoder.cardinalities_ == [6]
    assert encoder.infrequent_categories_ == [None]
    values = pd.DataFrame({"item_id": ["ant", "bee", "cat", "dog", "eel", None]})
    codes = encoder.transform(values)
    assert codes.ravel().tolist() == [4, 1, 5, 2, 0, 3]
    assert encoder.inverse_transform(codes)[:5, 0].tolist() == [
        *values["item_id"][:4]
    ] + [None]
    sequences = preprocessor.named_transformers_["seq"]
    # ant 1, cat 2, dog 3; then bee 4.
    assert sequences.categories_[0].tolist() == ["ant", "cat", "dog", "bee"]
    assert sequences.cardinalities_ == [5]
    assert sequences.inverse_transform([[4, 3] + [-1] * 48])[0, 0] == ["bee", "dog"]
    np.testing.assert_array_equal(preprocessor.transform(X), transformed)


def test_integers_with_gaps_come_as_floats():
    X = make_log("integers").assign(item_id=[3.0, np.nan, 3.0, 7.0])
    preprocessor = preprocess()
    schema, transformed = extended(preprocessor, X)
    assert schema.split(transformed).codes[:, 0].tolist() == [2, 5, 2, 4]
    for n_rows in (2, 8):
        new = X.iloc[[0] * n_rows].assign(item_id=[5.0, np.nan] * (n_rows // 2))
        assert codes_of(schema, preprocessor, new)[0] == [3, 5] * (n_rows // 2)


def test_integers_beyond_floats_stay_apart():
    large = 2**53
    X = make_log("integers").assign(
        item_id=[large, 1, 1, large], history=[[large + 1], [2], [], []]
    )
    preprocessor = preprocess()
    schema, _ = extended(preprocessor, X)
    new = X.assign(item_id=[large + 1, large, large + 2, 2])
    assert codes_of(schema, preprocessor, new)[0] == [4, 3, 0, 2]
    unsigned = X.assign(history=[np.array([2**63], np.uint64), [], [], []])
    preprocessor = preprocess()
    schema, _ = extended(preprocessor, unsigned)
    new = X.assign(item_id=np.array([2**63, 2**63 + 1, 1, large], np.uint64))
    assert codes_of(schema, preprocessor, new)[0] == [3, 0, 1, 2]


def test_rare_ones_by_hand():
    """bee, cat and fox are kept: 1, 2, 3; ant, dog and eel are rare, 4, or unknown.

    dog is rare as an item, ant is rare in histories and no item, eel is in neither.
    """
    X = pd.DataFrame(
        {
            "item_id": ["bee", "bee", "dog", "cat", "cat"],
            "price": np.arange(5.0),
            "history": [["fox", "fox"], ["ant"], ["cat"], ["cat"], []],
        }
    )
    few = {"min_frequency": 2}
    for rare_items in (True, False):
        preprocessor = preprocess(
            CategoryEncoder(**few if rare_items else {}), SequenceEncoder(**few)
        )
        schema, transformed = extended(preprocessor, X)
        new = X.iloc[[0] * 6].assign(item_id=["ant", "bee", "cat", "dog", "eel", "fox"])
        new["history"] = [[item] for item in new["item_id"]]
        dog, rare = (4, 4) if rare_items else (3, 5)
        fox = 3 if rare_items else 4
        codes, sequences = codes_of(schema, preprocessor, new)
        assert codes == [rare, 1, 2, dog, 0, fox]
        assert np.ravel(sequences).tolist() == codes
        encoder = preprocessor.named_transformers_["cat"]
        expected = ["ant", "dog"] if rare_items else ["ant"]
        assert encoder.infrequent_categories_[0].tolist() == expected
        assert schema.split(transformed).codes[:, 0].tolist() == [1, 1, dog, 2, 2]


def test_one_that_is_rare_here_and_kept_there_stays_rare_here():
    X = pd.DataFrame(
        {
            "item_id": ["bee", "bee", "dog", "bee"],
            "price": np.arange(4.0),
            "history": [["dog"], ["ant"], [], []],
        }
    )
    preprocessor = preprocess(CategoryEncoder(min_frequency=2))
    schema, transformed = extended(preprocessor, X)
    # ant, bee, dog are 1, 2, 3; rare is 4.
    assert schema.split(transformed).codes[:, 0].tolist() == [2, 2, 4, 2]
    new = X.assign(item_id="dog", history=[["dog", "ant"]] * 4)
    assert codes_of(schema, preprocessor, new) == ([4] * 4, [[3, 1]] * 4)


def test_labels_that_no_step_encoded_know_each_other():
    X = pd.DataFrame({"item": ["bee", "dog"] * 3, "last": ["ant", "dog"] * 3})
    schema = FeatureSchema.from_preprocessor("passthrough", X)
    shared = schema.with_shared_embeddings([["item", "last"]])
    full = shared.extend_encoders()
    new = X.assign(item=["ant", "bee", "cat", "dog", "bee", "bee"])
    assert full.split(new).codes[:, 0].tolist() == [1, 2, 0, 3, 2, 2]
    assert full.split(new[:1]).codes.tolist() == [[1, 1]]
    # The encoders are the schema's own, so that these two see no change.
    assert shared.split(new).codes[:, 0].tolist() == [0, 2, 0, 3, 2, 2]
    assert schema.split(new).codes[:, 0].tolist() == [0, 1, 0, 2, 1, 1]


def test_an_ordinal_encoder_does_not_learn_but_is_learned_from():
    preprocessor = preprocess(make_pipeline(FunctionTransformer(), ordinal()))
    schema, transformed = extended(preprocessor, make_log())
    assert schema.split(transformed).codes[:, 0].tolist() == [2, 4, 2, 4]
    new = make_log().assign(item_id="cat", history=[["bee", "cat"]] * 4)
    assert codes_of(schema, preprocessor, new) == ([0] * 4, [[2, 3]] * 4)


def test_hashed_columns_are_left_as_they_are():
    X = pd.DataFrame({"a": ["x", "y"], "b": ["z", "x"]})
    encoder = HashingEncoder(10)
    schema, transformed = fit(encoder, X)
    shared = schema.with_shared_embeddings([["a", "b"]]).extend_encoders()
    assert_same_arrays(shared.split(transformed), schema.split(transformed))


def test_without_sharing_nothing_changes():
    preprocessor = preprocess()
    schema, transformed = fit(preprocessor, make_log())
    before = pickle.dumps(preprocessor)
    same = schema.extend_encoders()
    assert pickle.dumps(preprocessor) == before
    assert_same_arrays(same.split(transformed), schema.split(transformed))


def test_a_schema_read_off_before_refuses_what_it_does_not_know():
    preprocessor = preprocess()
    schema, transformed = fit(preprocessor, make_log())
    schema.with_shared_embeddings(GROUP).extend_encoders()
    assert schema.split(transformed).codes[:, 0].tolist() == [1, 2, 1, 2]
    for column, value in (("item_id", "cat"), ("history", [["bee"]] * 4)):
        new = make_log().assign(**{column: value})
        with pytest.raises(ValueError, match=f"'{column}' must be integers from 0 to"):
            schema.transform(preprocessor, new)


def test_an_encoder_is_not_extended_for_two_schemas():
    """The second would give other meanings to codes that the first one reads."""
    preprocessor = preprocess()
    schema, _ = fit(preprocessor, make_log())
    shared = schema.with_shared_embeddings(GROUP)
    shared.extend_encoders()
    with pytest.raises(ValueError, match=r"'item_id' already extended.*Use the schema"):
        shared.extend_encoders()


def test_a_schema_read_off_afterwards_knows_all():
    preprocessor = preprocess()
    expected, transformed = extended(preprocessor, make_log())
    schema = FeatureSchema.from_preprocessor(preprocessor, transformed)
    schema = schema.with_shared_embeddings(GROUP)
    new = make_log().assign(item_id="cat", history=[["bee"]] * 4)
    for X in (make_log(), new):
        assert_same_arrays(
            schema.transform(preprocessor, X), expected.transform(preprocessor, X)
        )


def test_groups_may_grow_and_a_second_time_changes_nothing():
    """`share_with` makes the first group, the label column joins it later."""
    X = make_log().assign(last=["eel", "eel", "bee", "bee"])
    preprocessor = columns(
        ("cat", CategoryEncoder(), ["item_id", "last"]),
        ("seq", SequenceEncoder(share_with="item_id"), ["history"]),
    )
    schema, transformed = fit(preprocessor, X)
    first = schema.extend_encoders()
    assert first.cardinalities == [5, 3, 5]
    again = first.extend_encoders()
    wider = again.with_shared_embeddings([["last", "history"]]).extend_encoders()
    assert wider.cardinalities == [6, 6, 6]
    other = fit_at_once(X)
    new = X.assign(item_id="eel", last="cat", history=[["eel", "bee"]] * 4)
    for rows in (X, new, new[:1]):
        assert_same_arrays(
            wider.transform(preprocessor, rows), other[0].transform(other[1], rows)
        )
    assert wider.transform(preprocessor, new).codes[0].tolist() == [5, 3]
    assert_same_arrays(wider.split(transformed), wider.transform(preprocessor, X))
    assert preprocessor.named_transformers_["cat"].cardinalities_ == [6, 6]


def fit_at_once(X):
    preprocessor = columns(
        ("cat", CategoryEncoder(), ["item_id", "last"]),
        ("seq", SequenceEncoder(), ["history"]),
    )
    schema, _ = fit(preprocessor, X)
    schema = schema.with_shared_embeddings([["item_id", "last", "history"]])
    return schema.extend_encoders(), preprocessor


@pytest.mark.parametrize(
    "copied", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))]
)
def test_copies_know_the_same(copied):
    preprocessor = preprocess()
    schema, _ = extended(preprocessor, make_log())
    new = make_log().assign(item_id="cat")
    expected = schema.transform(preprocessor, new)
    schema, preprocessor = copied((schema, preprocessor))
    assert_same_arrays(schema.transform(preprocessor, new), expected)


def test_a_column_of_histories_without_items_learns_them():
    X = make_log().assign(history=[[], [], None, []])
    preprocessor = preprocess()
    schema, transformed = extended(preprocessor, X)
    assert schema.split(transformed).sequences[0].tolist() == [[-1]] * 4
    new = X.assign(history=[["dog", "cat"]] * 4)
    assert codes_of(schema, preprocessor, new)[1] == [[2, 0]] * 4


def test_text_does_not_join_numbers_that_are_all_rare():
    X = make_log().assign(history=[[1], [2], [], []])
    preprocessor = preprocess(None, SequenceEncoder(min_frequency=2))
    schema, _ = fit(preprocessor, X)
    with pytest.raises(ValueError, match="found text in 'item_id' and a number in"):
        schema.with_shared_embeddings(GROUP)


def test_a_dtype_must_hold_the_codes_of_the_union():
    X = make_log("integers").assign(history=[list(range(130)), [], [], []])
    preprocessor = preprocess(
        CategoryEncoder(dtype=np.int8), SequenceEncoder(max_length=130)
    )
    schema, _ = fit(preprocessor, X)
    match = (
        r"'item_id': codes up to 130 are.*dtype=int8 holds at most 127.*Choose a wid"
    )
    with pytest.raises(ValueError, match=match):
        schema.with_shared_embeddings(GROUP).extend_encoders()


@pytest.mark.parametrize("kind", ["text", "integers"])
@pytest.mark.parametrize("seed", range(3))
def test_large_tables_agree_with_a_dictionary(kind, seed):
    rng = np.random.default_rng(seed)
    n_rows = 2000
    values = rng.permutation(10**6)[:3000]
    items, clicked = values[:2000], values[1000:]
    if kind == "text":
        items, clicked, values = (a.astype(str) for a in (items, clicked, values))
    X = pd.DataFrame(
        {
            "item_id": rng.choice(items, n_rows),
            "price": rng.normal(size=n_rows),
            "history": [
                rng.choice(clicked, k).tolist() for k in rng.integers(0, 4, n_rows)
            ],
        }
    )
    preprocessor = preprocess()
    schema, transformed = extended(preprocessor, X)
    flat = [value for row in X["history"] for value in row]
    union = sorted({*X["item_id"].tolist(), *flat})
    code = {value: 1 + i for i, value in enumerate(union)}
    assert schema.cardinalities == [len(union) + 1] * 2
    assert_same_arrays(schema.split(transformed), schema.transform(preprocessor, X))
    new = pd.DataFrame(
        {"item_id": values, "price": 0.0, "history": [[v] for v in values.tolist()]}
    )
    expected = [code.get(value, 0) for value in values.tolist()]
    assert 0 in expected
    codes, sequences = codes_of(schema, preprocessor, new)
    assert codes == expected
    assert sequences == [[c] for c in expected]
    for i in range(0, 3000, 100):
        one = codes_of(schema, preprocessor, new[i : i + 1])
        assert one == ([expected[i]], [[expected[i]]])

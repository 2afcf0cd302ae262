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


def make_log():
    return pd.DataFrame(
        {
            "item_id": ["bee", "dog", "bee", "dog"],
            "user": ["u", "v", "u", "w"],
            "price": [1.0, 2.0, 3.0, 4.0],
            "history": [["cat", "ant"], [], ["dog"], None],
            "seen": [["eel"], ["ant"], [], []],
        }
    )


def preprocess(share_with=None, encoder=None, **kwargs):
    return columns(
        ("num", StandardScaler(), ["price"]),
        ("cat", CategoryEncoder() if encoder is None else encoder, ["item_id", "user"]),
        ("seq", SequenceEncoder(share_with=share_with), ["history", "seen"]),
        **kwargs,
    )


def test_columns_have_codes_of_their_own_at_first():
    schema, _ = fit(preprocess(), make_log())
    assert schema.embedded_names == ["item_id", "user", "history", "seen"]
    assert schema.cardinalities == [3, 4, 4, 3]
    assert schema.vocabularies == [0, 1, 2, 3]


def test_equal_items_get_equal_codes():
    """ant, bee, cat, dog are 1, 2, 3, 4; the user keeps its own codes."""
    preprocessor = preprocess()
    own, transformed = fit(preprocessor, make_log())
    schema = own.with_shared_embeddings([["item_id", "history"]])
    assert schema.cardinalities == [5, 4, 5, 3]
    assert schema.vocabularies == [0, 1, 0, 2]
    arrays = schema.split(transformed)
    assert arrays.codes.tolist() == [[2, 1], [4, 2], [2, 1], [4, 3]]
    assert arrays.sequences[0].tolist() == [[3, 1], [-1, -1], [4, -1], [-1, -1]]
    assert arrays.sequences[1].tolist() == [[2], [1], [-1], [-1]]
    assert_same_arrays(arrays, schema.transform(preprocessor, make_log()))
    assert own.cardinalities == [3, 4, 4, 3], "the schema itself stays as it was"
    assert own.split(transformed).codes[:, 0].tolist() == [1, 2, 1, 2]


def test_every_item_of_a_large_log_has_one_code():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(
        {
            "item_id": rng.integers(0, 500, 2000).astype(np.uint16),
            "history": [list(rng.integers(100, 900, k % 7)) for k in range(2000)],
        }
    )
    preprocessor = columns(
        ("cat", CategoryEncoder(), ["item_id"]),
        ("seq", SequenceEncoder(share_with="item_id"), ["history"]),
    )
    schema, transformed = fit(preprocessor, X)
    codes, _, (history,) = schema.split(transformed)
    values = sorted({*X["item_id"], *(item for row in X["history"] for item in row)})
    expected = {value: code for code, value in enumerate(values, start=1)}
    assert schema.cardinalities == [len(values) + 1] * 2
    assert codes[:, 0].tolist() == [expected[value] for value in X["item_id"]]
    for row, items in zip(history.tolist(), X["history"], strict=True):
        padding = [-1] * (len(row) - len(items))
        assert row == [expected[item] for item in items] + padding


@pytest.mark.parametrize("dtype", [np.int64, np.uint64, object])
def test_large_identifiers_stay_apart(dtype):
    """Neighbours from 2**53 on are one in float64."""
    ids = [2**53 + 1, 2**53 + 2, 2**53 + 3]
    X = pd.DataFrame(
        {
            "item_id": pd.Series(ids[:2] * 2, dtype=dtype),
            "history": [ids[1:], ids[:1], np.array(ids), []],
        }
    )
    preprocessor = columns(
        ("cat", CategoryEncoder(), ["item_id"]),
        ("seq", SequenceEncoder(share_with="item_id"), ["history"]),
    )
    schema, transformed = fit(preprocessor, X)
    assert schema.cardinalities == [4, 4]
    arrays = schema.split(transformed)
    assert arrays.codes.ravel().tolist() == [1, 2, 1, 2]
    expected = [[2, 3, -1], [1, -1, -1], [1, 2, 3], [-1, -1, -1]]
    assert arrays.sequences[0].tolist() == expected
    assert_same_arrays(arrays, schema.transform(preprocessor, X))


def test_unknown_items_stay_unknown():
    preprocessor = preprocess()
    schema, _ = fit(preprocessor, make_log())
    schema = schema.with_shared_embeddings([["item_id", "history"]])
    new = make_log().assign(item_id="cat", history=[["bee", "cat"]] * 4)
    arrays = schema.transform(preprocessor, new)
    assert set(arrays.codes[:, 0]) == {0}, "its encoder does not know the others"
    assert arrays.sequences[0][0].tolist() == [0, 3]


@pytest.mark.parametrize("share_with", ["item_id", {"history": "item_id"}])
def test_a_sequence_may_name_the_column_itself(share_with):
    schema, transformed = fit(preprocess(share_with), make_log())
    if share_with == "item_id":
        assert schema.vocabularies == [0, 1, 0, 0]
        assert schema.cardinalities == [6, 4, 6, 6]
        assert schema.split(transformed).sequences[1].tolist()[:2] == [[5], [1]]
    else:
        assert schema.vocabularies == [0, 1, 0, 2]
        assert schema.cardinalities == [5, 4, 5, 3]


def test_groups_join_those_that_sequences_made():
    schema, transformed = fit(preprocess({"history": "item_id"}), make_log())
    assert schema.with_shared_embeddings([]).vocabularies == [0, 1, 0, 2]
    same = schema.with_shared_embeddings([["history", "item_id"]])
    assert_same_arrays(same.split(transformed), schema.split(transformed))
    wider = schema.with_shared_embeddings([["seen", "history"]])
    assert wider.vocabularies == [0, 1, 0, 0]
    assert wider.cardinalities == [6, 4, 6, 6]
    expected, _ = fit(preprocess("item_id"), make_log())
    assert_same_arrays(wider.split(transformed), expected.split(transformed))


def test_groups_do_not_mix():
    schema, _ = fit(preprocess(), make_log())
    two = schema.with_shared_embeddings([["item_id", "history"], ["user", "seen"]])
    assert two.vocabularies == [0, 1, 0, 1]
    assert two.cardinalities == [5, 6, 5, 6]
    step = schema.with_shared_embeddings([["item_id", "history"]])
    step = step.with_shared_embeddings([["user", "seen"]])
    assert step.vocabularies == two.vocabularies
    assert step.cardinalities == two.cardinalities


@pytest.mark.parametrize(
    "encoder", [ordinal(), make_pipeline(FunctionTransformer(), ordinal())]
)
def test_codes_of_any_encoder_are_shared(encoder):
    schema, transformed = fit(preprocess("item_id", encoder), make_log())
    arrays = schema.split(transformed)
    assert arrays.codes[:, 0].tolist() == [2, 4, 2, 4]
    assert arrays.sequences[0][0].tolist() == [3, 1]


def test_labels_that_no_step_encoded_are_shared():
    X = make_log()[["item_id", "user"]].assign(user=["dog", "ant", "eel", "dog"])
    schema = FeatureSchema.from_preprocessor("passthrough", X)
    shared = schema.with_shared_embeddings([["user", "item_id"]])
    assert shared.split(X).codes.tolist() == [[2, 3], [3, 1], [2, 4], [3, 3]]


def test_rare_and_missing_are_shared():
    X = pd.DataFrame(
        {"a": ["x", "x", "y", None], "b": ["y", "y", "x", "x"]}, dtype=object
    )
    preprocessor = columns(
        ("rare", CategoryEncoder(min_frequency=2), ["a"]),
        ("all", CategoryEncoder(), ["b"]),
    )
    schema, transformed = fit(preprocessor, X)
    schema = schema.with_shared_embeddings([["a", "b"]])
    # x is 1, y is 2, but rare (3) in a; missing is 4.
    assert schema.cardinalities == [5, 5]
    codes = schema.split(transformed).codes
    assert codes.tolist() == [[1, 2], [1, 2], [3, 1], [4, 1]]


def test_a_sequence_finds_its_column_behind_names_of_steps():
    nested = columns(("all", preprocess("item_id"), list(make_log())))
    schema, _ = fit(nested, make_log())
    assert schema.embedded_names[0] == "cat__item_id"
    assert schema.vocabularies == [0, 1, 0, 0]
    schema, _ = fit(nested, make_log().assign(item_id="bee"))
    assert schema.vocabularies == [0, 1, 2], "the column was dropped"


def test_a_column_that_was_dropped_has_nothing_to_share():
    X = make_log().assign(item_id="bee")
    schema, _ = fit(preprocess("item_id"), X)
    assert schema.embedded_names == ["user", "history", "seen"]
    assert schema.vocabularies == [0, 1, 2]
    shared = schema.with_shared_embeddings([["item_id", "history"]])
    assert shared.vocabularies == [0, 1, 2]
    shared = schema.with_shared_embeddings([["item_id", "history", "seen"]])
    assert shared.vocabularies == [0, 1, 1]


def test_hashed_columns_share_as_they_are():
    X = make_log()
    preprocessor = columns(
        ("cat", CategoryEncoder(), ["user"]),
        ("hash", HashingEncoder(1000), ["item_id"]),
        ("more", HashingEncoder(1000, seed=1), ["price"]),
    )
    schema, transformed = fit(preprocessor, X)
    assert schema.categorical_names == ["user", "item_id", "price"]
    assert schema.cardinalities == [4, 1001, 1001]
    match = "equal n_buckets and seed"
    for other in ("price", "user"):
        with pytest.raises(ValueError, match=match):
            schema.with_shared_embeddings([["item_id", other]])
    twice = columns(("hash", HashingEncoder(1000), ["item_id", "user"]))
    schema, transformed = fit(twice, X)
    shared = schema.with_shared_embeddings([["item_id", "user"]])
    assert shared.vocabularies == [0, 0]
    assert shared.cardinalities == [1001, 1001]
    assert_same_arrays(shared.split(transformed), schema.split(transformed))


def test_many_buckets_do_not_pass_through_float32():
    X = pd.DataFrame({"id": [f"user {k}" for k in range(50)], "x": np.arange(50.0)})
    narrow = FunctionTransformer(lambda X: X.astype(np.float32))
    preprocessor = columns(
        ("id", HashingEncoder(2**24 + 50, dtype=np.int32), ["id"]),
        ("x", narrow, ["x"]),
    )
    schema, transformed = fit(preprocessor, X)
    assert transformed.dtype == np.float64
    assert_same_arrays(schema.split(transformed), schema.transform(preprocessor, X))
    with pytest.raises(ValueError, match=r"'id' must pass.*found 16777267 codes in fl"):
        schema.split(transformed.astype(np.float32))


def test_a_shared_schema_survives_pickle():
    schema, transformed = fit(preprocess("item_id"), make_log())
    copied = pickle.loads(pickle.dumps(schema))
    assert_same_arrays(copied.split(transformed), schema.split(transformed))
    again = copied.with_shared_embeddings([["user", "history"]])
    assert again.vocabularies == [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("groups", "text"),
    [
        ([["item", "history"]], r"sequences; found 'item'\. Did you mean 'item_id'\?"),
        ([["item_id", "zzz"]], r"found 'zzz'\. The embedded columns are \['item_id'"),
        ([["item_id", "price"]], r"found 'price', which is numeric\. Encode it"),
        ([["history"]], r"must be two or more; found \['history'\]"),
        ([["history", "history"]], r"must be two or more; found \['history'\]"),
        (["history", "item_id"], r"lists of names; found 'history'\. Write \[\['hist"),
        ([["history", "seen"], ["seen", "user"]], r"one group only; found 'seen' in"),
    ],
)
def test_wrong_groups_are_refused(groups, text):
    schema, _ = fit(preprocess(), make_log())
    with pytest.raises(ValueError, match=text):
        schema.with_shared_embeddings(groups)


def test_text_does_not_share_with_numbers():
    X = make_log().assign(user=[1, 2, 3, 1])
    schema, _ = fit(preprocess(), X)
    with pytest.raises(ValueError, match="found text in 'item_id' and a number in"):
        schema.with_shared_embeddings([["item_id", "user"]])


@pytest.mark.parametrize(
    ("share_with", "text"),
    [
        (
            "item",
            r"share_with of 'history' must.*found 'item'\. Did you mean 'item_id'",
        ),
        ({"seen": "usr"}, r"share_with of 'seen' must.*found 'usr'\. Did you mean 'us"),
        ({"sen": "user"}, r"keyed by its columns \['history', 'seen'\]; found 'sen'"),
        ({"seen": "price"}, r"share_with of 'seen' must.*found 'price', which is num"),
    ],
)
def test_a_sequence_that_names_no_column_is_refused(share_with, text):
    with pytest.raises(ValueError, match=text):
        fit(preprocess(share_with), make_log())

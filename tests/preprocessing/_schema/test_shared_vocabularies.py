"""Columns that share one vocabulary, and the encoders that know it."""

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
from sk_mtl.preprocessing._schema._shared_vocabularies import merge_groups
from tests.preprocessing._schemas import assert_same_arrays, columns, fit, ordinal

GROUP = [["item_id", "history"]]
ITEMS = {"text": ["ant", "bee", "cat", "dog", "eel"], "integers": [2, 3, 5, 7, 11]}


def make_log(kind="text"):
    """The column holds the second and fourth item, the history the first and third."""
    ant, bee, cat, dog, eel = ITEMS[kind]
    return pd.DataFrame(
        {
            "item_id": [bee, dog, bee, dog],
            "user": ["u", "v", "u", "w"],
            "price": [1.0, 2.0, 3.0, 4.0],
            "history": [[cat, ant], [], [dog], None],
            "seen": [[eel], [ant], [], []],
        }
    )


def preprocess(encoder=None, sequences=None):
    encoder = CategoryEncoder() if encoder is None else encoder
    sequences = SequenceEncoder() if sequences is None else sequences
    return columns(
        ("num", StandardScaler(), ["price"]),
        ("cat", encoder, ["item_id", "user"]),
        ("seq", sequences, ["history", "seen"]),
    )


def share(preprocessor, X, groups=GROUP):
    """The shared schema and preprocessor, and what they make of the training rows.

    The preprocessor that was fitted stays what it was, bit for bit.
    """
    own, transformed = fit(preprocessor, X)
    before = pickle.dumps((own, preprocessor))
    schema, shared = own.share_vocabularies(preprocessor, groups)
    assert pickle.dumps((own, preprocessor)) == before
    arrays = schema.recode(own.split(transformed), own)
    assert_same_arrays(arrays, schema.transform(shared, X))
    assert_same_arrays(arrays, schema.split(shared.transform(X)))
    return schema, shared, arrays


def codes_of(schema, preprocessor, X):
    """Codes of the first column and the first sequence, equal on both paths."""
    arrays = schema.transform(preprocessor, X)
    assert_same_arrays(schema.split(preprocessor.transform(X)), arrays)
    return arrays.codes[:, 0].tolist(), arrays.sequences[0].tolist()


class TestCodes:
    @pytest.mark.parametrize("kind", ITEMS)
    @pytest.mark.parametrize("n_copies", [1, 10])
    def test_five_items_by_hand(self, kind, n_copies):
        """The first four items are 1 to 4 in both columns; the fifth is unknown."""
        schema, preprocessor, arrays = share(preprocess(), make_log(kind))
        assert schema.cardinalities == [5, 4, 5, 3]
        assert schema.vocabularies == [0, 1, 0, 2]
        assert arrays.codes.tolist() == [[2, 1], [4, 2], [2, 1], [4, 3]]
        assert arrays.sequences[0].tolist() == [[3, 1], [-1, -1], [4, -1], [-1, -1]]
        assert arrays.sequences[1].tolist() == [[2], [1], [-1], [-1]]
        for code, item in zip([1, 2, 3, 4, 0], ITEMS[kind], strict=True):
            row = make_log(kind)[:1].assign(item_id=item, history=[[item]])
            new = pd.concat([row] * n_copies, ignore_index=True)
            expected = [code] * n_copies, [[code]] * n_copies
            assert codes_of(schema, preprocessor, new) == expected

    def test_the_new_encoders_have_the_attributes_of_their_codes(self):
        X = make_log().assign(item_id=["bee", None, "bee", "dog"])
        _, preprocessor, _ = share(preprocess(), X)
        encoder = preprocessor.named_transformers_["cat"]
        assert encoder.categories_[0].tolist()[:4] == ["ant", "bee", "cat", "dog"]
        assert np.isnan(encoder.categories_[0][4])
        assert encoder.cardinalities_ == [6, 4]
        items = ["ant", "bee", "cat", "dog"]
        values = pd.DataFrame({"item_id": items, "user": ["u", "v", "w", "x"]})
        codes = encoder.transform(values)
        assert codes[:, 0].tolist() == [1, 2, 3, 4]
        assert encoder.inverse_transform(codes)[:, 0].tolist() == items
        sequences = preprocessor.named_transformers_["seq"]
        assert sequences.categories_[0].tolist() == items
        assert sequences.inverse_transform([[4, 2] + [-1] * 98])[0, 0] == ["dog", "bee"]

    def test_integers_with_gaps_come_as_floats(self):
        X = make_log("integers").assign(item_id=[3.0, np.nan, 3.0, 7.0])
        schema, preprocessor, arrays = share(preprocess(), X)
        assert arrays.codes[:, 0].tolist() == [2, 5, 2, 4]
        for n_rows in (2, 8):
            new = X.iloc[[0] * n_rows].assign(item_id=[5.0, np.nan] * (n_rows // 2))
            assert codes_of(schema, preprocessor, new)[0] == [3, 5] * (n_rows // 2)

    def test_integers_beyond_floats_stay_apart(self):
        large = 2**53
        X = make_log("integers").assign(
            item_id=[large, 1, 1, large],
            history=[np.array([large + 1, 2**63], np.uint64), [2], [], []],
        )
        schema, preprocessor, _ = share(preprocess(), X)
        new = X.assign(item_id=np.array([large + 1, 2**63, large + 2, 2], np.uint64))
        assert codes_of(schema, preprocessor, new)[0] == [4, 5, 0, 2]

    def test_rare_ones_by_hand(self):
        """bee, cat and fox are kept: 1, 2, 3; ant and dog are rare, 4; eel is unknown.

        dog is rare as an item, ant is rare in histories and no item, eel is in neither.
        """
        X = make_log().iloc[[0, 1, 2, 3, 0]]
        X = X.assign(
            item_id=["bee", "bee", "dog", "cat", "cat"],
            history=[["fox", "fox"], ["ant"], ["cat"], ["cat"], []],
        )
        few = {"min_frequency": 2}
        schema, preprocessor, arrays = share(
            preprocess(CategoryEncoder(**few), SequenceEncoder(**few)), X
        )
        assert arrays.codes[:, 0].tolist() == [1, 1, 4, 2, 2]
        items = ["ant", "bee", "cat", "dog", "eel", "fox"]
        new = X.iloc[[0] * 6].assign(item_id=items, history=[[item] for item in items])
        codes, sequences = codes_of(schema, preprocessor, new)
        assert codes == [4, 1, 2, 4, 0, 3]
        assert np.ravel(sequences).tolist() == codes
        encoder = preprocessor.named_transformers_["cat"]
        assert encoder.infrequent_categories_[0].tolist() == ["ant", "dog"]
        assert schema.frame()["kept"].tolist()[1] == 2, "figures of the column itself"

    def test_one_that_is_rare_here_and_kept_there_stays_rare_here(self):
        X = make_log().assign(
            item_id=["bee", "bee", "dog", "bee"], history=[["dog"], ["ant"], [], []]
        )
        schema, preprocessor, arrays = share(
            preprocess(CategoryEncoder(min_frequency=2)), X
        )
        # ant, bee, dog are 1, 2, 3; rare is 4.
        assert arrays.codes[:, 0].tolist() == [2, 2, 4, 2]
        new = X.assign(item_id="dog", history=[["dog", "ant"]] * 4)
        assert codes_of(schema, preprocessor, new) == ([4] * 4, [[3, 1]] * 4)

    def test_a_column_of_histories_without_items_knows_them(self):
        X = make_log().assign(history=[[], [], None, []])
        schema, preprocessor, arrays = share(preprocess(), X)
        assert arrays.sequences[0].tolist() == [[-1]] * 4
        new = X.assign(history=[["dog", "cat"]] * 4)
        assert codes_of(schema, preprocessor, new)[1] == [[2, 0]] * 4

    @pytest.mark.parametrize("kind", ["text", "integers"])
    def test_large_tables_agree_with_a_dictionary(self, kind):
        rng = np.random.default_rng(0)
        values = rng.permutation(10**6)[:3000]
        values = values.astype(str) if kind == "text" else values
        items, clicked = values[:2000], values[1000:]
        histories = [
            rng.choice(clicked, k).tolist() for k in rng.integers(0, 4, len(items))
        ]
        X = pd.DataFrame({"item_id": rng.choice(items, 2000), "history": histories})
        schema, preprocessor, _ = share(
            columns(
                ("cat", CategoryEncoder(), ["item_id"]),
                ("seq", SequenceEncoder(), ["history"]),
            ),
            X,
        )
        union = sorted({*X["item_id"].tolist(), *np.concatenate(histories).tolist()})
        code = {value: 1 + i for i, value in enumerate(union)}
        assert schema.cardinalities == [len(union) + 1] * 2
        listed = [[value] for value in values.tolist()]
        new = pd.DataFrame({"item_id": values, "history": listed})
        expected = [code.get(value, 0) for value in values.tolist()]
        assert 0 in expected
        for rows in (slice(None), slice(7, 8)):
            assert codes_of(schema, preprocessor, new[rows]) == (
                expected[rows],
                [[c] for c in expected[rows]],
            )


class TestEncoders:
    """Encoders that learn, that cannot, and that stand behind other steps."""

    def test_encoders_behind_and_in_front_of_other_steps(self):
        piped = make_pipeline(
            FunctionTransformer(), CategoryEncoder(), FunctionTransformer()
        )
        nested = columns(("all", preprocess(piped), list(make_log())))
        transformed = nested.fit_transform(make_log())
        own = FeatureSchema.from_preprocessor(nested, transformed, make_log())
        schema, shared = own.share_vocabularies(nested, [["item_id", "seq__history"]])
        new = make_log().assign(item_id="cat")
        assert codes_of(schema, shared, new)[0] == [3] * 4
        assert set(own.transform(nested, new).codes[:, 0]) == {0}

    def test_labels_that_no_step_encoded(self):
        X = pd.DataFrame({"item": ["bee", "dog"] * 3, "last": ["ant", "dog"] * 3})
        own = FeatureSchema.from_preprocessor("passthrough", X)
        schema, same = own.share_vocabularies("passthrough", [["item", "last"]])
        assert same == "passthrough"
        new = X.assign(item=["ant", "bee", "cat", "dog", "bee", "bee"])
        assert schema.split(new).codes[:, 0].tolist() == [1, 2, 0, 3, 2, 2]
        assert own.split(new).codes[:, 0].tolist() == [0, 1, 0, 2, 1, 1]

    def test_hashed_columns_share_as_they_are(self):
        X = make_log()
        preprocessor = columns(
            ("cat", CategoryEncoder(), ["user"]),
            ("hash", HashingEncoder(1000), ["item_id"]),
            ("same", HashingEncoder(1000), ["seen_last"]),
            ("other", HashingEncoder(1000, seed=1), ["price"]),
        )
        own, transformed = fit(preprocessor, X.assign(seen_last=["bee", "cat"] * 2))
        schema, same = own.share_vocabularies(preprocessor, [["item_id", "seen_last"]])
        assert same is preprocessor
        assert schema.vocabularies == [0, 1, 1, 2]
        assert_same_arrays(schema.split(transformed), own.split(transformed))
        for name, text in (("price", "seed=1"), ("user", "not hashed")):
            match = rf"equal n_buckets and seed.*found 'item_id'.*'{name}' \(.*{text}\)"
            with pytest.raises(ValueError, match=match):
                own.share_vocabularies(preprocessor, [["item_id", name]])

    def test_an_ordinal_encoder_shares_equal_categories_only(self):
        X = pd.DataFrame({"a": ["x", "y"], "b": ["y", "x"], "c": ["z", "x"]})
        preprocessor = columns(
            ("ordinal", ordinal(), ["a", "b"]), ("cat", CategoryEncoder(), ["c"])
        )
        own, transformed = fit(preprocessor, X)
        schema, same = own.share_vocabularies(preprocessor, [["a", "b"]])
        assert same is preprocessor
        assert schema.vocabularies == [0, 0, 1]
        assert_same_arrays(schema.split(transformed), own.split(transformed))
        with pytest.raises(ValueError) as caught:
            own.share_vocabularies(preprocessor, [["c", "a"]])
        assert str(caught.value) == (
            "Columns that share an embedding, ['c', 'a'], must have one vocabulary; "
            "found 'a', whose OrdinalEncoder has categories of its own and cannot "
            "learn the others. Encode it by a CategoryEncoder, or give the "
            "encoders of all these columns equal categories."
        )
        given = columns(("ordinal", ordinal(categories=[["x", "z"]]), ["c"]))
        given.transformers.append(("cat", CategoryEncoder(), ["last"]))
        schema, _, _ = share(given, X.assign(last=["x", "z"]), [["c", "last"]])
        assert schema.vocabularies == [0, 0]

    def test_a_dtype_must_hold_the_codes_of_the_union(self):
        X = make_log("integers").assign(history=[list(range(130)), [], [], []])
        preprocessor = preprocess(
            CategoryEncoder(dtype=np.int8), SequenceEncoder(max_length=130)
        )
        own, _ = fit(preprocessor, X)
        match = r"'item_id': codes up to 130.*dtype=int8 holds at most 127.*Choose a w"
        with pytest.raises(ValueError, match=match):
            own.share_vocabularies(preprocessor, GROUP)

    @pytest.mark.parametrize(
        "copied", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))]
    )
    def test_copies_know_the_same(self, copied):
        schema, preprocessor, _ = share(preprocess(), make_log())
        new = make_log().assign(item_id="cat")
        expected = schema.transform(preprocessor, new)
        schema, preprocessor = copied((schema, preprocessor))
        assert_same_arrays(schema.transform(preprocessor, new), expected)


class TestGroups:
    def test_without_a_group_nothing_changes(self):
        preprocessor = preprocess()
        own, transformed = fit(preprocessor, make_log())
        schema, same = own.share_vocabularies(preprocessor, [])
        assert same is preprocessor
        assert schema.vocabularies == [0, 1, 2, 3]
        assert_same_arrays(schema.split(transformed), own.split(transformed))

    def test_groups_do_not_mix(self):
        both = [["item_id", "history"], ["user", "seen"]]
        schema, _, arrays = share(preprocess(), make_log(), both)
        assert schema.vocabularies == [0, 1, 0, 1]
        assert schema.cardinalities == [5, 6, 5, 6]
        step, after_one, _ = share(preprocess(), make_log(), both[:1])
        step, after_two = step.share_vocabularies(after_one, both[1:])
        assert step.vocabularies == schema.vocabularies
        assert_same_arrays(step.transform(after_two, make_log()), arrays)

    def test_a_later_group_joins_an_earlier_one(self):
        schema, preprocessor, _ = share(preprocess(), make_log())
        wider, preprocessor = schema.share_vocabularies(
            preprocessor, [["seen", "history"]]
        )
        _, _, at_once = share(
            preprocess(), make_log(), [["item_id", "history", "seen"]]
        )
        assert wider.vocabularies == [0, 1, 0, 0]
        assert wider.cardinalities == [6, 4, 6, 6]
        assert_same_arrays(wider.transform(preprocessor, make_log()), at_once)

    def test_groups_with_a_name_in_common_are_joined(self):
        groups = [["a", "b"], ["c", "d"], ["e", "b"], ["d", "a"], ["f", "g"]]
        assert [sorted(group) for group in merge_groups(groups)] == [
            ["a", "b", "c", "d", "e"],
            ["f", "g"],
        ]
        assert merge_groups([["a", "b", "a"]]) == [["a", "b"]]

    def test_a_column_that_was_dropped_has_nothing_to_share(self):
        X = make_log().assign(item_id="bee")
        schema, _, _ = share(preprocess(), X)
        assert schema.vocabularies == [0, 1, 2]
        schema, _, _ = share(preprocess(), X, [["item_id", "history", "seen"]])
        assert schema.vocabularies == [0, 1, 1]

    @pytest.mark.parametrize(
        ("groups", "text"),
        [
            ([["item", "history"]], r"sequences; found 'item'\. Did you mean 'item_id"),
            ([["item_id", "zzz"]], r"found 'zzz'\. The embedded columns are \['item_i"),
            ([["item_id", "price"]], r"found 'price', which is numeric\. Encode it"),
            ([["history"]], r"two columns or more in a group; found \['history"),
            (
                [["history", "history"]],
                r"two columns or more in a group; found \['history",
            ),
            (
                ["history", "item_id"],
                r"lists of columns; found 'history'\. Write \[\['h",
            ),
            ([["history", "seen"], ["seen", "user"]], r"one group only; found 'seen'"),
        ],
    )
    def test_wrong_groups_are_refused(self, groups, text):
        preprocessor = preprocess()
        own, _ = fit(preprocessor, make_log())
        with pytest.raises(ValueError, match=text):
            own.share_vocabularies(preprocessor, groups)

    def test_text_does_not_share_with_numbers(self):
        preprocessor = preprocess()
        own, _ = fit(preprocessor, make_log().assign(user=[1, 2, 3, 1]))
        with pytest.raises(ValueError, match="found text in 'item_id' and a number in"):
            own.share_vocabularies(preprocessor, [["item_id", "user"]])


def test_a_preprocessor_from_before_sharing_is_refused_in_words():
    X = make_log()
    old = preprocess()
    schema = FeatureSchema.from_preprocessor(old, old.fit_transform(X))
    shared, new = schema.share_vocabularies(old, GROUP)
    for call in (
        lambda: shared.transform(old, X),
        lambda: shared.share_vocabularies(old, [["user", "item_id"]]),
    ):
        with pytest.raises(ValueError, match="second of the two values"):
            call()
    for form in (new, pickle.loads(pickle.dumps(new))):
        assert_same_arrays(shared.transform(form, X), shared.transform(new, X))
    # Where nothing had to be learnt, either is right.
    same, _ = schema.share_vocabularies(old, [])
    assert_same_arrays(same.transform(old, X), schema.transform(old, X))

"""What the parameters of features make of a schema."""

import re

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer

from sk_mtl import FM, Bins, Cross, MMOEClassifier, PiecewiseLinear, SENet
from sk_mtl.estimators._automatic._facts import Facts
from sk_mtl.estimators._automatic._network_rules import SPARSE_SIZE
from sk_mtl.estimators._automatic._resolution import resolve as resolve_auto
from sk_mtl.estimators._features._feature_layout import FeatureLayout
from sk_mtl.estimators._features._shared_embeddings import shared_groups
from sk_mtl.preprocessing import (
    FeatureSchema,
    HashingEncoder,
    make_tabular_preprocessor,
)

HISTORY = {"history": "item"}
SHARED = [["item", "history"]]


def table():
    rng = np.random.default_rng(0)
    n = 60
    return pd.DataFrame(
        {
            "age": rng.normal(size=n),
            "visits": rng.integers(0, 9, n).astype(float),
            "town": rng.choice(["Oslo", "Rome", "Bonn"], n),
            "item": rng.choice(["a", "b", "c", "d"], n),
            "history": [list(rng.choice(["b", "c", "e"], k % 4)) for k in range(n)],
        }
    )


@pytest.fixture(scope="module")
def schema():
    X = table()
    preprocessor = make_tabular_preprocessor(X)
    return FeatureSchema.from_preprocessor(preprocessor, preprocessor.fit_transform(X))


def resolve(schema, **parameters):
    groups = shared_groups(parameters.get("shared_embedding"), schema)
    schema, _ = schema.share_vocabularies(None, groups)
    return layout_of(MMOEClassifier(**parameters), schema)


def layout_of(model, schema):
    facts = Facts(n_rows=10_000, n_train=10_000)
    return FeatureLayout.resolve(resolve_auto(model, facts, schema).parameters, schema)


class TestWidths:
    def test_one_number_is_for_all(self, schema):
        assert resolve(schema, embedding_dim=5).dims == [5, 5, 5]

    def test_auto_is_the_same_for_all(self, schema):
        assert resolve(schema).dims == [8, 8, 8]

    def test_cardinality_takes_the_cube_root_up_to_a_power_of_two(self, schema):
        assert resolve(schema, embedding_dim="cardinality").dims == [2, 2, 2]

    def test_columns_left_out_of_a_dict_get_cardinality(self, schema):
        assert resolve(schema, embedding_dim={"history": 7}).dims == [2, 2, 7]

    def test_columns_that_share_have_the_width_of_the_one_that_is_given(self, schema):
        layout = resolve(schema, embedding_dim={"item": 7}, shared_embedding=SHARED)
        assert layout.dims == [2, 7, 7]

    def test_columns_that_share_cannot_differ(self, schema):
        with pytest.raises(ValueError, match=r"found 7 for 'item' and 3 for 'history'"):
            resolve(
                schema,
                embedding_dim={"item": 7, "history": 3},
                shared_embedding=SHARED,
            )

    @pytest.mark.parametrize(
        ("width", "expected"),
        [
            (np.int64(5), [5, 5, 5]),
            ({"item": 3, "town": "auto"}, [8, 3, 2]),
            ({"item": 3, "town": "cardinality"}, [2, 3, 2]),
            ({}, [2, 2, 2]),
        ],
    )
    def test_widths_are_integers_or_names(self, schema, width, expected):
        assert resolve(schema, embedding_dim=width).dims == expected

    @pytest.mark.parametrize("width", [0, 2.5, "big", None])
    def test_other_widths_are_refused(self, schema, width):
        with pytest.raises(ValueError) as caught:
            resolve(schema, embedding_dim={"town": width})
        assert str(caught.value) == (
            "embedding_dim of column 'town' must be an integer >= 1, 'auto' or "
            f"'cardinality'; found {width!r}. Give for instance 8."
        )

    def test_unknown_columns_are_named(self, schema):
        with pytest.raises(ValueError) as caught:
            resolve(schema, embedding_dim={"itme": 7})
        assert str(caught.value) == (
            "embedding_dim must name columns, one of ['town', 'item', 'history']; "
            "found 'itme'. Did you mean 'item'?"
        )

    def test_columns_of_numbers_have_no_width(self, schema):
        with pytest.raises(ValueError, match=r"found 'age'\. Correct it"):
            resolve(schema, embedding_dim={"age": 4})


class TestSparse:
    def test_auto_leaves_small_tables_dense(self, schema):
        assert resolve(schema).sparse == [False, False, False]

    def test_auto_makes_large_tables_sparse(self):
        ids = pd.DataFrame({"id": np.arange(20), "age": 1.0 * np.arange(20)})
        # 499,999 buckets and the row of missing values, 8 numbers each.
        preprocessor = ColumnTransformer(
            [
                ("num", "passthrough", ["age"]),
                ("at", HashingEncoder(SPARSE_SIZE // 8 - 1), ["id"]),
                ("above", HashingEncoder(SPARSE_SIZE // 8), ["id"]),
            ]
        )
        large = FeatureSchema.from_preprocessor(
            preprocessor, preprocessor.fit_transform(ids)
        )
        assert resolve(large).sparse == [False, True]
        assert resolve(large, embedding_dim=9).sparse == [True, True]
        assert resolve(large, sparse_embedding=False).sparse == [False, False]

    def test_true_is_for_all(self, schema):
        assert resolve(schema, sparse_embedding=True).sparse == [True, True, True]


class TestSequences:
    def test_targets_are_read_for_target_attention_only(self, schema):
        ignored = resolve(schema, sequence_target={"history": "nowhere"})
        assert (ignored.poolings, ignored.targets) == (["mean"], [None])
        layout = resolve(
            schema,
            sequence_pooling={"history": "target_attention"},
            sequence_target=HISTORY,
            shared_embedding=SHARED,
        )
        assert (layout.poolings, layout.targets) == (["target_attention"], [1])

    def test_target_attention_needs_a_target(self, schema):
        with pytest.raises(
            ValueError, match="of 'history' needs the column that it is"
        ):
            resolve(schema, sequence_pooling="target_attention")

    def test_the_target_must_share_the_vocabulary(self, schema):
        with pytest.raises(
            ValueError, match="found 'item', which has its own"
        ) as error:
            resolve(
                schema, sequence_pooling="target_attention", sequence_target=HISTORY
            )
        assert "Add shared_embedding=[['item', 'history']]." in str(error.value)

    def test_the_target_must_be_a_column_of_categories(self, schema):
        with pytest.raises(ValueError, match=r"one of \['town', 'item'\]; found 'age'"):
            resolve(
                schema,
                sequence_pooling="target_attention",
                sequence_target={"history": "age"},
            )

    def test_a_pooling_of_a_column_must_be_known(self, schema):
        with pytest.raises(
            ValueError, match=r"'history' must be one of.*found 'median'"
        ):
            resolve(schema, sequence_pooling={"history": "median"})

    def test_a_pooling_is_of_a_sequence(self, schema):
        with pytest.raises(ValueError, match=r"\['history'\]; found 'item'"):
            resolve(schema, sequence_pooling={"item": "mean"})


class TestConstantColumns:
    """A column may be constant in one fold: what is said of it is passed over."""

    @pytest.fixture
    def constant(self):
        X = table().assign(item="a", town="Oslo")
        preprocessor = make_tabular_preprocessor(X)
        return FeatureSchema.from_preprocessor(
            preprocessor, preprocessor.fit_transform(X)
        )

    def test_widths_and_fields(self, constant):
        layout = resolve(
            constant,
            embedding_dim={"town": 4, "history": 3},
            feature_groups={"user": ["town"]},
        )
        assert (layout.dims, layout.groups) == ([3], {"user": []})

    def test_a_constant_target_is_a_learned_query(self, constant):
        layout = resolve(
            constant,
            sequence_pooling="target_attention",
            sequence_target=HISTORY,
            shared_embedding=SHARED,
        )
        assert (layout.poolings, layout.targets) == (["attention"], [None])


class TestShared:
    def test_columns_are_united(self, schema):
        layout = resolve(schema, shared_embedding=SHARED)
        town, item, history = layout.schema.vocabularies
        assert item == history != town
        # Unknown, a, b, c, d of the items and e of the histories alone.
        assert layout.schema.cardinalities == [4, 6, 6]

    def test_positions_are_those_of_the_table(self, schema):
        layout = resolve(schema, shared_embedding=[[3, 4]])
        assert layout.schema.cardinalities == [4, 6, 6]

    def test_a_flat_list_is_refused(self, schema):
        with pytest.raises(ValueError, match="must be a list of lists of columns"):
            resolve(schema, shared_embedding=["item", "history"])

    def test_unknown_columns_are_named(self, schema):
        with pytest.raises(
            ValueError, match=r"shared_embedding.*Did you mean 'history'"
        ):
            resolve(schema, shared_embedding=[["item", "histroy"]])


class TestNumbers:
    def test_embeddings_are_one_or_several(self, schema):
        by_default = (PiecewiseLinear(64, width=8), Bins(64, width=8))
        assert resolve(schema).numbers == by_default
        assert resolve(schema, numeric_embedding=None).numbers == ()
        given = ["bins", PiecewiseLinear(5, width=3)]
        both = resolve(schema, numeric_embedding=given)
        assert both.numbers == (Bins(64, width=8), PiecewiseLinear(5, width=3))
        assert both.field_names[3:] == ["age", "visits", "age", "visits"]
        assert given == ["bins", PiecewiseLinear(5, width=3)]

    @pytest.mark.parametrize(
        ("embedding_dim", "numeric_embedding", "width"),
        [(8, "bins", 8), (np.int64(5), "bins", 5), ("cardinality", Bins(), 8)]
        + [({"town": 3}, "bins", 8), (5, Bins(width=3), 3)],
    )
    def test_numbers_are_as_wide_as_columns(
        self, schema, embedding_dim, numeric_embedding, width
    ):
        layout = resolve(
            schema, embedding_dim=embedding_dim, numeric_embedding=numeric_embedding
        )
        assert layout.numbers[0].width == width


class TestGroups:
    def test_fields_are_columns_then_sequences_then_numbers(self, schema):
        layout = resolve(
            schema,
            feature_groups={"user": ["age", 2], "item": ["item", "history"]},
            numeric_embedding="bins",
        )
        assert layout.field_names == ["town", "item", "history", "age", "visits"]
        assert layout.groups == {"user": [0, 3], "item": [1, 2]}

    def test_numbers_that_are_not_embedded_are_in_no_field(self, schema):
        groups = {"user": ["age", "town"]}
        layout = resolve(schema, feature_groups=groups, numeric_embedding=None)
        assert layout.groups == {"user": [0]}

    def test_a_column_is_in_one_field(self, schema):
        with pytest.raises(ValueError, match="found 'town' in 'user' and 'item'"):
            resolve(schema, feature_groups={"user": ["town"], "item": ["town"]})

    def test_a_name_alone_is_refused(self, schema):
        with pytest.raises(ValueError, match=r"Write \['town'\]"):
            resolve(schema, feature_groups={"user": "town"})

    @pytest.mark.parametrize("pooling", ["sum", "mean"])
    def test_pooling_needs_equal_widths_inside_a_field(self, schema, pooling):
        message = r"in field 'user'; found town \(4\), item \(2\)"
        with pytest.raises(ValueError, match=message):
            resolve(
                schema,
                feature_groups={"user": ["town", "item"]},
                group_pooling=pooling,
                embedding_dim={"town": 4},
            )

    def test_pooling_allows_unequal_widths_of_two_fields(self, schema):
        layout = resolve(
            schema,
            feature_groups={"user": ["town"]},
            group_pooling="sum",
            embedding_dim={"town": 4},
            numeric_embedding=None,
        )
        assert layout.groups == {"user": [0]}

    def test_columns_not_named_form_a_field_of_equal_widths(self, schema):
        with pytest.raises(
            ValueError, match=r"of the columns not named; found item \(4\)"
        ):
            resolve(
                schema,
                feature_groups={"user": ["town"]},
                group_pooling="sum",
                embedding_dim={"item": 4},
            )


@pytest.mark.parametrize("interaction", ["fm", SENet(2)])
def test_interactions_of_embeddings_need_equal_widths(schema, interaction):
    found = rf"interaction={re.escape(repr(interaction))}.*town \(2\), item \(4\)"
    with pytest.raises(ValueError, match=found):
        resolve(schema, interaction=interaction, embedding_dim={"item": 4})
    with pytest.raises(ValueError, match=r"history \(8\), age \(3\)"):
        resolve(schema, interaction=FM(), numeric_embedding=Bins(width=3))
    assert resolve(schema, interaction="cross", embedding_dim={"item": 4})


def test_interactions_of_embeddings_need_some():
    X = pd.DataFrame({"age": np.arange(9.0)})
    preprocessor = make_tabular_preprocessor(X)
    numbers = FeatureSchema.from_preprocessor(
        preprocessor, preprocessor.fit_transform(X)
    )
    with pytest.raises(ValueError, match="interaction='fm' needs embeddings; found n"):
        resolve(numbers, interaction="fm", numeric_embedding=None)
    assert resolve(numbers, interaction="fm")


def test_everything_appears_in_the_text_of_the_schema(schema):
    model = MMOEClassifier(
        feature_groups={"user": ["town", "age"]},
        group_pooling="sum",
        sequence_pooling="target_attention",
        sequence_target=HISTORY,
        shared_embedding=SHARED,
        sparse_embedding=True,
        numeric_embedding=("bins", PiecewiseLinear(5)),
        interaction="fm",
        wide=True,
    )
    schema, _ = schema.share_vocabularies(None, SHARED)
    shown = repr(layout_of(model, schema).describe(model))
    for text in (
        "field user",
        "inside a field: sum",
        "target_attention to item",
        "shares with history",
        "shares with item",
        "sparse gradients",
        "bins + ple",
        "numbers embedded by bins, width 8, 64 bins",
        "numbers embedded by ple, width 8, 5 bins",
        "interaction: fm",
        "wide: a linear term per category",
    ):
        assert text in shown


def test_nothing_is_noted_of_what_was_not_asked_for(schema):
    model = MMOEClassifier(numeric_embedding=None, interaction=None)
    frame = layout_of(model, schema).describe(model).frame()
    assert frame.set_index("feature")["note"].to_dict() == {
        "age": "",
        "visits": "",
        "town": "",
        "item": "",
        "history": "mean",
    }


def test_an_estimator_counts_its_training_rows_for_the_bins():
    X = table()
    y = np.arange(len(X)) % 2
    bins, cross = Bins(), Cross()
    model = MMOEClassifier(
        numeric_embedding=bins, interaction=cross, max_epochs=1, random_state=0
    )
    shown = repr(model.fit(X, y).schema_)
    assert "numbers embedded by bins, width 8, 4 bins" in shown
    assert "interaction: cross, rank 32" in shown
    assert (bins, cross) == (Bins(), Cross())
    model.set_params(numeric_embedding__n_bins=3, interaction__rank=2)
    shown = repr(model.fit(X, y).schema_)
    assert "3 bins" in shown
    assert "rank 2" in shown

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sk_mtl.preprocessing import (
    CategoryEncoder,
    FeatureSchema,
    HashingEncoder,
    NumericScaler,
    SequenceEncoder,
    make_tabular_preprocessor,
)
from tests.preprocessing._sample_tables import make_mixed_frame
from tests.preprocessing._schemas import assert_same_arrays, columns, fit, ordinal

NOTE = "constant in the training rows"


def make_frame():
    """Of each kind one column that is constant and one that is not."""
    return pd.DataFrame(
        {
            "one": [1.0, 1.0, 1.0, 1.0],
            "x": [1.0, 2.0, 3.0, np.nan],
            "town": ["Oslo", "Rome", "Oslo", "Rome"],
            "same": ["a", "a", "a", "a"],
            "gap": [np.nan] * 4,
            "history": [["a"], ["a"], ["a"], ["a"]],
        }
    )


def preprocess(encoder=None, **kwargs):
    return columns(
        ("num", NumericScaler(), ["one", "x", "gap"]),
        ("cat", CategoryEncoder() if encoder is None else encoder, ["same", "town"]),
        ("seq", SequenceEncoder(), ["history"]),
        **kwargs,
    )


ENCODERS = {
    "category": CategoryEncoder(),
    "ordinal": ordinal(),
    "given": ordinal(categories=[["a", "b"], ["Oslo", "Rome", "Bonn"]]),
    "hashing": HashingEncoder(1000),
    "pipeline": make_pipeline(CategoryEncoder()),
}


@pytest.mark.parametrize("encoder", ENCODERS)
@pytest.mark.parametrize("output", ["default", "pandas"])
def test_constant_columns_are_left_out(encoder, output):
    preprocessor = preprocess(ENCODERS[encoder]).set_output(transform=output)
    schema, transformed = fit(preprocessor, make_frame())
    assert schema.numeric_names == ["x", "missingindicator_x"]
    assert schema.categorical_names == ["town"]
    assert schema.sequence_names == ["history"], "a sequence never is"
    assert list(schema.dropped) == ["one", "gap", "missingindicator_gap", "same"]
    assert set(schema.dropped.values()) == {NOTE}
    assert schema.n_outputs == transformed.shape[1]
    assert len(schema.cardinalities) == 2
    arrays = schema.split(transformed)
    assert arrays.codes.shape == (4, 1)
    assert arrays.numeric.shape == (4, 2)
    assert_same_arrays(arrays, schema.transform(preprocessor, make_frame()))
    assert schema.names_of("one") == schema.names_of("same") == []


def test_what_a_constant_column_holds_later_is_never_looked_at():
    preprocessor = columns(
        ("raw", "passthrough", ["one", "gap_less"]),
        ("cat", ordinal(), ["same", "town"]),
    )
    X = make_frame().assign(gap_less=[1.0, 2.0, 3.0, 4.0])
    schema, transformed = fit(preprocessor, X)
    expected = schema.split(transformed)
    new = X.assign(one=[np.nan, np.inf, -1e300, 1], same=["b", None, "a", "c"])
    assert_same_arrays(schema.split(preprocessor.transform(new)), expected)
    assert_same_arrays(schema.transform(preprocessor, new), expected)
    odd = transformed.copy()
    odd[:, 2] = 77.5, -9, np.nan, 1e12
    assert_same_arrays(schema.split(odd), expected)


def test_labels_with_one_category_are_left_out():
    X = make_frame()[["town", "same", "one", "x"]].fillna({"x": 0.0})
    schema = FeatureSchema.from_preprocessor("passthrough", X)
    assert list(schema.dropped) == ["same", "one"]
    new = X.assign(same=["z", 3, None, "a"], one="text")
    assert_same_arrays(schema.split(new), schema.split(X))


def test_constant_columns_of_sparse_output_are_left_out():
    X = make_frame()
    hot = OneHotEncoder(handle_unknown="ignore")
    preprocessor = columns(
        ("hot", hot, ["town", "same"]),
        ("num", StandardScaler(), ["one"]),
        ("cat", CategoryEncoder(), ["same", "town"]),
        sparse_threshold=1,
    )
    schema, transformed = fit(preprocessor, X)
    assert sparse.issparse(transformed)
    assert schema.numeric_names == ["town_Oslo", "town_Rome"]
    assert schema.categorical_names == ["town"]
    assert_same_arrays(schema.split(transformed), schema.transform(preprocessor, X))


@pytest.mark.parametrize("encoder", [CategoryEncoder, ordinal])
def test_a_column_of_rare_categories_alone_says_so(encoder):
    X = pd.DataFrame({"user": list("abcdefgh"), "same": ["x"] * 8, "age": range(8)})
    preprocessor = columns(
        ("num", NumericScaler(), ["age"]),
        ("cat", encoder(min_frequency=5), ["user", "same"]),
    )
    schema, _ = fit(preprocessor, X)
    assert schema.dropped == {"user": "all categories are rare", "same": NOTE}
    notes = schema.frame().set_index("feature")["note"]
    assert notes["user"] == "all categories are rare"


def test_all_is_kept_where_nothing_would_be_left():
    X = make_frame()[["one", "same"]]
    schema, transformed = fit(make_tabular_preprocessor(X), X)
    assert schema.dropped == {}
    assert schema.split(transformed).codes.tolist() == [[1]] * 4
    one_row, _ = fit(make_tabular_preprocessor(), make_mixed_frame().head(1))
    assert (one_row.n_categorical, one_row.n_numeric) == (3, 3)


def test_a_sequence_is_enough_to_leave_all_others_out():
    X = make_frame()[["one", "same", "history"]]
    schema, _ = fit(make_tabular_preprocessor(X), X)
    assert list(schema.dropped) == ["one", "same"]
    arrays = schema.split(make_tabular_preprocessor(X).fit_transform(X))
    assert (arrays.codes.shape, arrays.numeric.shape) == ((4, 0), (4, 0))


def test_a_constant_date_or_hour_is_left_out():
    at = pd.to_datetime(["2020-01-01", "2020-02-05", "2020-03-12", "2021-01-01"])
    X = pd.DataFrame({"at": at, "day": at[:1].repeat(4)})
    preprocessor = make_tabular_preprocessor(X)
    schema, _ = fit(preprocessor, X)
    assert sorted(schema.names_of("at")) == ["at", "at_month", "at_weekday"]
    assert schema.names_of("day") == []
    assert {"at_hour", "day", "day_month"} <= set(schema.dropped)
    later = X.assign(day=at[::-1])
    assert_same_arrays(
        schema.transform(preprocessor, later), schema.transform(preprocessor, X)
    )


# Numbers of their own.


def test_indicators_copies_and_flags_are_no_numbers_of_their_own():
    X = make_mixed_frame().assign(
        flag=np.arange(60) % 2, level=np.arange(60) % 3, late=[0.0] * 58 + [1.0, 2.0]
    )
    union = FeatureUnion([("standard", StandardScaler()), ("plain", "passthrough")])
    inputs = ["income", "flag", "level", "age", "late"]
    for scaler in (NumericScaler(union), make_pipeline(None, NumericScaler(union))):
        schema, _ = fit(columns(("num", scaler, inputs)), X)
        primary = [schema.numeric_names[j] for j in schema.primary_numeric]
        assert primary == ["income", "level", "age", "late"]
        assert schema.numeric_names[-1] == "missingindicator_income"
        assert schema.missing_indicators == {0: 10, 5: 10}


def test_positions_count_the_columns_that_are_kept():
    schema, _ = fit(preprocess(), make_frame())
    assert schema.numeric_names == ["x", "missingindicator_x"]
    assert schema.primary_numeric == [0]
    assert schema.missing_indicators == {0: 1}
    other = columns(
        ("first", StandardScaler(), ["age"]),
        ("num", NumericScaler(), ["age", "income"]),
    )
    schema, _ = fit(other, make_mixed_frame())
    assert schema.primary_numeric == [0, 1, 2]
    assert schema.missing_indicators == {2: 3}


def test_numbers_of_other_transformers_are_all_their_own():
    X = make_mixed_frame().fillna({"town": "Oslo"})
    hot = OneHotEncoder(handle_unknown="ignore")
    schema, _ = fit(columns(("n", StandardScaler(), ["age"]), ("h", hot, ["town"])), X)
    assert schema.primary_numeric == [0]
    assert schema.missing_indicators == {}
    schema = FeatureSchema.from_preprocessor(None, X[["age", "income", "member"]])
    assert schema.primary_numeric == [0, 1]


# What the training rows hold.


def figures(schema):
    frame = schema.frame().set_index("feature")
    return frame[["kept", "rare_share", "missing_share"]]


def test_shares_by_hand():
    """Of ten towns two are rare and one is missing; a word in eight is rare."""
    X = pd.DataFrame(
        {
            "town": ["Oslo"] * 4 + ["Rome"] * 3 + ["Bonn", "Bern", None],
            "x": [np.nan, np.nan, *range(8)],
            "words": [["a", "b"], ["a", "b", "c"], ["b"], [], None]
            + [["a"]]
            + [[]] * 4,
        }
    )
    preprocessor = make_tabular_preprocessor(X, min_frequency=2)
    schema, _ = fit(preprocessor, X)
    found = figures(schema)
    assert found.loc["town"].tolist() == [2, 0.2, 0.1]
    assert found.loc["words"].tolist() == [2, 1 / 7, 0.6]
    assert found.loc["x"].tolist() == [pd.NA, pd.NA, 0.2]
    assert found.loc["missingindicator_x"].isna().all()


def test_numbers_of_a_numeric_scaler_are_known_to_have_no_gaps():
    X = make_mixed_frame()
    union = FeatureUnion([("standard", StandardScaler()), ("plain", "passthrough")])
    scaled = ("num", NumericScaler(union), ["age", "income"])
    schema, _ = fit(columns(scaled, ("other", StandardScaler(), ["visits"])), X)
    assert figures(schema)["missing_share"].fillna(-1).to_dict() == {
        "age": 0.0,
        "income": 1 / 60,
        "plain__age": 0.0,
        "plain__income": 1 / 60,
        "missingindicator_income": -1,
        "visits": -1,
    }


@pytest.mark.parametrize(
    "encoder",
    [
        CategoryEncoder(min_frequency=2),
        ordinal(min_frequency=2, encoded_missing_value=-2),
        ordinal(min_frequency=2),
    ],
    ids=str,
)
@pytest.mark.parametrize("output", ["default", "pandas"])
def test_every_encoder_is_reported(encoder, output):
    town = ["Oslo"] * 4 + ["Rome", "Bonn", "Bern", None]
    X = pd.DataFrame({"town": town, "side": ["l", "r"] * 4}, dtype=object)
    X["town"] = X["town"].where(X["town"].notna(), np.nan)
    preprocessor = columns(("cat", encoder, ["side", "town"]))
    schema, _ = fit(preprocessor.set_output(transform=output), X)
    assert figures(schema).loc["town"].tolist() == [1, 3 / 8, 1 / 8]
    assert figures(schema).loc["side"].tolist() == [2, 0, 0]


def test_labels_are_reported():
    schema = FeatureSchema.from_preprocessor(None, make_mixed_frame()[["town"]])
    assert figures(schema).loc["town"].tolist() == [3, 0, 1 / 60]


def test_missing_values_that_are_unknown_are_reported():
    X = pd.DataFrame({"a": ["x", "y", None, "x"], "b": ["u", "v", "u", "v"]})
    encoders = (CategoryEncoder(missing="unknown"), ordinal(encoded_missing_value=-1))
    for encoder in encoders:
        schema, _ = fit(encoder, X.astype(object).where(X.notna(), np.nan))
        assert figures(schema).loc["a"].tolist() == [2, 0, 0.25]
        assert figures(schema).loc["b"].tolist() == [2, 0, 0]
    hashed, _ = fit(HashingEncoder(100), X)
    assert figures(hashed)["missing_share"].tolist() == [0.25, 0]
    assert figures(hashed)["kept"].isna().all()


def test_shared_codes_leave_the_figures_of_a_column_as_they_are():
    X = pd.DataFrame({"a": ["x", "y", "x"], "b": ["u", "v", "w"]})
    encoder = CategoryEncoder()
    schema, _ = fit(encoder, X)
    shared, _ = schema.share_vocabularies(encoder, [["a", "b"]])
    assert shared.frame()["cardinality"].tolist() == [6, 6]
    assert shared.frame()["kept"].tolist() == [2, 3]

import pickle
import re

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn import config_context
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    OneHotEncoder,
    OrdinalEncoder,
    StandardScaler,
)

from sk_mtl.preprocessing import (
    CategoryEncoder,
    FeatureSchema,
    NumericScaler,
    make_tabular_preprocessor,
)
from sk_mtl.preprocessing._schema._blocks import CodeBlock
from tests.preprocessing._sample_tables import (
    import_polars,
    make_coded_array,
    make_mixed_frame,
)
from tests.preprocessing._schemas import (
    CAT,
    NUM,
    assert_same_arrays,
    by_columns,
    columns,
    fit,
    ordinal,
)


class ToCategory(TransformerMixin, BaseEstimator):
    """A vectorizer of another library, which returns `category` columns."""

    def fit(self, X, y=None):
        self.names_ = list(X)
        return self

    def transform(self, X):
        return X.astype("category")

    def get_feature_names_out(self, input_features=None):
        return np.array(self.names_, dtype=object)


class MyColumnTransformer(ColumnTransformer):
    """A subclass, which must be left to do its own things."""


PREPROCESSORS = {
    "default": make_tabular_preprocessor(),
    "category encoder": by_columns(CategoryEncoder()),
    "ordinal": by_columns(ordinal()),
    "ordinal int": by_columns(ordinal(dtype=np.int64, encoded_missing_value=-1)),
    "ordinal nan": by_columns(ordinal(unknown_value=np.nan)),
    "one-hot": by_columns(OneHotEncoder(handle_unknown="ignore")),
    "one-hot dense": by_columns(
        OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    ),
    "sparse": columns(
        ("hot", OneHotEncoder(handle_unknown="ignore"), CAT),
        ("code", ordinal(), CAT),
        ("num", StandardScaler(), NUM),
        sparse_threshold=1,
    ),
    "passthrough and drop": columns(
        ("cat", ordinal(), CAT), ("gone", "drop", ["income"]), remainder="passthrough"
    ),
    "remainder encoder": columns(
        ("num", StandardScaler(), NUM),
        ("gone", "drop", ["income"]),
        remainder=ordinal(),
    ),
    "inner pipeline": by_columns(
        make_pipeline(SimpleImputer(strategy="most_frequent"), ordinal(), "passthrough")
    ),
    "outer pipeline": make_pipeline(FunctionTransformer(), by_columns(ordinal())),
    "nested": columns(
        ("inner", by_columns(CategoryEncoder()), NUM + CAT),
        ("flag", ordinal(), ["member"]),
    ),
    "union": FeatureUnion(
        [
            ("codes", columns(("cat", ordinal(), CAT))),
            ("numbers", columns(("num", StandardScaler(), NUM))),
            ("nothing", "drop"),
        ]
    ),
    "pandas output": by_columns(ordinal()).set_output(transform="pandas"),
    "category output": by_columns(ToCategory()).set_output(transform="pandas"),
    "category output, mixed": columns(
        ("both", ToCategory(), CAT), ("rest", "passthrough", ["age", "member"])
    ).set_output(transform="pandas"),
    "text output": columns(("num", "passthrough", NUM), ("cat", "passthrough", CAT)),
    "numbers in between": columns(
        ("a", "passthrough", ["town", "age", "colour", "visits"])
    ).set_output(transform="pandas"),
    "weights": by_columns(ordinal(), transformer_weights={"num": 2.0}),
    "subclass": MyColumnTransformer(
        [("num", StandardScaler(), NUM), ("cat", ordinal(), CAT)]
    ),
    "mask, slice and positions": columns(
        ("mask", ordinal(), [True, False, True, False, False, False]),
        ("positions", StandardScaler(), [1, -1]),
        ("slice", ordinal(), slice(4, 5)),
    ),
    "selectors": columns(
        ("cat", CategoryEncoder(), make_column_selector(dtype_exclude="number")),
        ("none", StandardScaler(), []),
    ),
    "words": columns(
        ("words", CountVectorizer(), "colour"), ("cat", ordinal(), ["colour"])
    ),
    "binned": by_columns(
        ordinal(),
        remainder=make_pipeline(
            SimpleImputer(),
            KBinsDiscretizer(
                3, encode="ordinal", quantile_method="averaged_inverted_cdf"
            ),
        ),
    ).set_params(transformers=[("a", ordinal(), CAT + ["member"])]),
}


@pytest.mark.parametrize("name", PREPROCESSORS)
def test_direct_and_ordinary_transformation_are_identical(name):
    X = make_mixed_frame().astype({"visits": int})
    schema, transformed = fit(PREPROCESSORS[name], X)
    unseen = X.assign(town="Paris")
    unseen["colour"] = pd.Categorical(["green"] * len(X), categories=["green"])
    for rows in (X, X.iloc[[7]], X.iloc[::-2], unseen, X[X.columns[::-1]]):
        ordinary = schema.split(PREPROCESSORS[name].transform(rows))
        direct = schema.transform(PREPROCESSORS[name], rows)
        assert_same_arrays(ordinary, direct)
    assert (direct.codes >= 0).all()
    assert (direct.codes < schema.cardinalities).all()
    copied = pickle.loads(pickle.dumps(schema))
    np.testing.assert_array_equal(
        copied.transform(PREPROCESSORS[name], X).codes, schema.split(transformed).codes
    )


@pytest.mark.parametrize(
    ("name", "n_categorical", "n_numeric"),
    [
        ("default", 3, 4),
        ("one-hot", 0, 8),
        ("sparse", 2, 8),
        ("passthrough and drop", 2, 3),
        ("remainder encoder", 3, 2),
        ("nested", 3, 2),
        ("union", 2, 2),
        ("category output", 2, 2),
        ("category output, mixed", 2, 2),
        ("text output", 2, 2),
        ("numbers in between", 2, 2),
        ("mask, slice and positions", 3, 2),
        ("selectors", 3, 0),
    ],
)
def test_every_column_is_a_category_or_a_number(name, n_categorical, n_numeric):
    X = make_mixed_frame().astype({"visits": int})
    schema, transformed = fit(PREPROCESSORS[name], X)
    assert (schema.n_categorical, schema.n_numeric) == (n_categorical, n_numeric)
    assert schema.n_outputs == transformed.shape[1] == n_categorical + n_numeric


@pytest.mark.parametrize(
    "encoder",
    [
        CategoryEncoder(),
        ordinal(),
        ordinal(encoded_missing_value=-2),
        ordinal(encoded_missing_value=-2, dtype=np.int32),
        ordinal(unknown_value=99),
        ordinal(unknown_value=99, dtype=np.int16, encoded_missing_value=50),
        ordinal(unknown_value=np.nan, encoded_missing_value=-1),
        ordinal(unknown_value=np.nan, encoded_missing_value=-1, dtype=np.float32),
        make_pipeline(FunctionTransformer(), ordinal()),
        make_pipeline("passthrough", CategoryEncoder(), "passthrough", None),
    ],
    ids=str,
)
@pytest.mark.parametrize("whole", [True, False])
def test_codes_count_from_one_and_missing_has_its_own(encoder, whole):
    X = pd.DataFrame({"town": ["Oslo", "Rome", np.nan, "Bonn"]}, dtype=object)
    new = pd.DataFrame({"town": ["Paris", "Rome", np.nan]}, dtype=object)
    preprocessor = encoder if whole else columns(("cat", encoder, ["town"]))
    schema, transformed = fit(preprocessor, X)
    assert schema.categorical_names == ["town"]
    assert schema.cardinalities == [5]
    assert schema.split(transformed).codes.ravel().tolist() == [2, 3, 4, 1]
    assert schema.transform(preprocessor, new).codes.ravel().tolist() == [0, 3, 4]


@pytest.mark.parametrize("marker", [-1, np.nan, 70])
def test_missing_written_as_unknown_is_unknown(marker):
    X = pd.DataFrame({"town": ["Oslo", "Rome", np.nan, "Bonn"]}, dtype=object)
    preprocessor = ordinal(unknown_value=marker, encoded_missing_value=marker)
    schema, transformed = fit(preprocessor, X)
    assert schema.cardinalities == [4]
    assert schema.split(transformed).codes.ravel().tolist() == [2, 3, 0, 1]


def test_a_gap_that_training_did_not_have_is_unknown():
    X = pd.DataFrame({"a": ["x", "y"], "b": ["x", np.nan]}, dtype=object)
    new = pd.DataFrame({"a": [np.nan], "b": [np.nan]}, dtype=object)
    for encoder in (ordinal(), CategoryEncoder()):
        schema, _ = fit(encoder, X)
        assert schema.cardinalities == [3, 3]
        assert schema.transform(encoder, new).codes.tolist() == [[0, 2]]


@pytest.mark.parametrize("rare", [{"min_frequency": 2}, {"max_categories": 2}])
@pytest.mark.parametrize("make", [CategoryEncoder, ordinal])
def test_rare_categories_share_one_code(rare, make):
    town = ["Oslo", "Oslo", "Oslo", "Rome", "Bonn", np.nan]
    X = pd.DataFrame({"town": town, "side": ["a", "b"] * 3}, dtype=object)
    schema, transformed = fit(make(**rare), X)
    assert schema.cardinalities == [4, 3], "unknown, Oslo, rare and missing"
    assert schema.split(transformed).codes[:, 0].tolist() == [1, 1, 1, 2, 2, 3]


def test_given_categories_and_strict_encoders_are_read():
    X = pd.DataFrame({"town": ["Rome", "Oslo"]})
    encoder = OrdinalEncoder(categories=[["Rome", "Oslo", "Bonn"]])
    schema, transformed = fit(encoder, X)
    assert schema.cardinalities == [4]
    assert schema.split(transformed).codes.ravel().tolist() == [1, 2]


def test_labels_that_no_step_encoded_get_a_vocabulary():
    X = make_mixed_frame()[CAT]
    for preprocessor in ("passthrough", None):
        schema = FeatureSchema.from_preprocessor(preprocessor, X)
        assert schema.cardinalities == [5, 3]
        codes = schema.transform(preprocessor, X).codes
        assert codes[4, 0] == 4, "the gap is the last category"
        assert set(codes[:, 1]) == {1, 2}


def test_a_plain_transformer_is_read():
    X = make_coded_array()[:, :2]
    schema, _ = fit(StandardScaler(), X)
    assert (schema.numeric_names, schema.cardinalities) == (["x0", "x1"], [])
    assert schema.transform(StandardScaler().fit(X), X).codes.shape == (60, 0)


def test_codes_before_a_scaler_are_numbers():
    schema, _ = fit(make_pipeline(ordinal(), StandardScaler()), make_mixed_frame()[CAT])
    assert (schema.n_categorical, schema.n_numeric) == (0, 2)


def test_an_array_through_a_column_transformer():
    X = make_coded_array()
    preprocessor = columns(
        ("num", StandardScaler(), [0, 1]),
        ("codes", ordinal(encoded_missing_value=-1), [3, 2]),
    )
    schema, _ = fit(preprocessor, X)
    assert schema.categorical_names == ["x3", "x2"]
    for rows in (X, X[[4]], X.tolist()):
        direct = schema.transform(preprocessor, rows)
        ordinary = schema.split(preprocessor.transform(rows))
        np.testing.assert_array_equal(direct.codes, ordinary.codes)
        np.testing.assert_array_equal(direct.numeric, ordinary.numeric)


@pytest.mark.parametrize("container", ["pandas", "polars"])
def test_the_output_container_makes_no_difference(container):
    if container == "polars":
        import_polars()
    X = make_mixed_frame()
    preprocessor = make_tabular_preprocessor(X)
    schema, transformed = fit(preprocessor, X)
    expected = schema.split(transformed)
    with config_context(transform_output=container):
        other, framed = fit(make_tabular_preprocessor(X), X)
        for arrays in (other.split(framed), schema.transform(preprocessor, X)):
            np.testing.assert_array_equal(arrays.codes, expected.codes)
            np.testing.assert_array_equal(arrays.numeric, expected.numeric)
    assert other.categorical_names == schema.categorical_names


def test_polars_rows_give_the_same_arrays():
    pl = import_polars()
    X = make_mixed_frame()
    preprocessor = make_tabular_preprocessor(X)
    schema, transformed = fit(preprocessor, X)
    arrays = schema.transform(preprocessor, pl.from_pandas(X))
    np.testing.assert_array_equal(arrays.codes, schema.split(transformed).codes)


def test_names_of_steps_are_dropped_unless_names_would_be_equal():
    X = make_mixed_frame()
    schema, _ = fit(by_columns(ordinal()), X)
    assert schema.categorical_names == CAT
    assert schema.numeric_names == NUM
    twice = columns(("one", ordinal(), CAT), ("two", ordinal(), CAT))
    schema, _ = fit(twice, X)
    assert schema.categorical_names[0] == "one__town"
    kept = by_columns(ordinal(), verbose_feature_names_out=False)
    schema, _ = fit(
        kept, X.rename(columns={"town": "cat__town"}).assign(town=X["colour"])
    )
    assert schema.categorical_names == CAT


def test_a_transformer_without_names_gets_generated_ones():
    class Nameless(BaseEstimator):
        def fit(self, X, y=None):
            return self

        def transform(self, X):
            return np.asarray(X, dtype=float)

    X = make_mixed_frame()
    schema, _ = fit(columns(("a", Nameless(), ["age"]), ("b", ordinal(), CAT)), X)
    assert schema.numeric_names == ["x0"]
    assert schema.categorical_names == CAT


def test_numbers_come_in_the_wanted_precision():
    X = make_mixed_frame()
    preprocessor = make_tabular_preprocessor(X)
    schema, transformed = fit(preprocessor, X)
    assert schema.split(transformed).numeric.dtype == np.float32
    assert schema.transform(preprocessor, X).codes.dtype == np.int32
    wide = schema.split(transformed, dtype=np.float64).numeric
    np.testing.assert_array_equal(wide[:, 0], transformed[:, 0])


# What is refused.


def test_a_gap_that_no_step_imputes_raises():
    X = make_mixed_frame()
    preprocessor = columns(("num", StandardScaler(), ["age", "income"]))
    schema, transformed = fit(preprocessor, X)
    match = (
        r"'income' must be finite after the preprocessor; found nan in row 3.*Impute"
    )
    with pytest.raises(ValueError, match=match):
        schema.split(transformed)
    with pytest.raises(ValueError, match=match):
        schema.transform(preprocessor, X)


def test_training_numbers_beyond_the_precision_raise():
    X = pd.DataFrame({"z": [0.0, 1.0], "a": [1.0, -1e300]})
    expected = (
        "Column 'a' must hold numbers of at most 1e+37 in size after the preprocessor; "
        "found 1e+300. Scale the column in the preprocessor, or replace such numbers "
        "by NaN."
    )
    with pytest.raises(ValueError, match=re.escape(expected)):
        FeatureSchema.from_preprocessor("passthrough", X)


# Numbers far beyond those of the training rows.


@pytest.mark.parametrize("container", [pd.DataFrame, np.asarray, sparse.csr_array])
def test_limits_are_a_hundred_times_the_training_numbers(container):
    X = np.column_stack([[0.5, -2.0, 0.0], [300.0, 1e9, -1.0], [1.0, -1e36, 0]])
    schema = FeatureSchema.from_preprocessor("passthrough", container(X))
    np.testing.assert_array_equal(schema.numeric_limits, [1e4, 1e11, 1e38])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_numbers_are_cut_off_at_the_limits_and_not_before(dtype):
    X = pd.DataFrame({"a": [0.5, -2.0], "b": [3e5, 0.0]})
    schema = FeatureSchema.from_preprocessor("passthrough", X)
    far = pd.DataFrame({"a": [20.0, -1e4, 1e39, -1e308], "b": [-3e6, 3e7, 1e308, 1.0]})
    numeric = schema.transform("passthrough", far, dtype=dtype).numeric
    expected = [[20, -3e6], [-1e4, 3e7], [1e4, 3e7], [-1e4, 1]]
    np.testing.assert_array_equal(numeric, np.array(expected, dtype=dtype))
    assert schema.split(far, dtype).numeric.tobytes() == numeric.tobytes()


def test_a_sub_table_keeps_its_limits():
    X = pd.DataFrame({"flat": [1.0, 1.0], "a": [0.0, 1e6]})
    schema = FeatureSchema.from_preprocessor("passthrough", X)
    np.testing.assert_array_equal(schema.numeric_limits, [1e8])


def test_what_overflows_in_the_scaler_is_cut_off():
    X = pd.DataFrame({"a": [1e-3, 2e-3, 3e-3], "b": [1.0, 2.0, 4.0]})
    far = pd.DataFrame({"a": [1.7e308, 2e-3], "b": [-1e308, 2.0]})
    for scaler in (NumericScaler(), StandardScaler()):
        for names in (["a", "b"], slice(0, 2)):
            preprocessor = columns(("num", scaler, names))
            schema, _ = fit(preprocessor, X)
            numeric = schema.transform(preprocessor, far).numeric
            np.testing.assert_array_equal(numeric[0], [1e4, -1e4])
            near = schema.transform(preprocessor, far[1:]).numeric
            np.testing.assert_array_equal(numeric[1:], near)


def test_infinity_of_the_raw_rows_raises():
    X = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]})
    schema = FeatureSchema.from_preprocessor("passthrough", X)
    infinite = X.assign(b=[3.0, -np.inf])
    match = r"'b' must be finite after the preprocessor; found -inf in row 1. .*replace"
    for table in (
        infinite,
        infinite.astype(object),
        infinite.astype("Float64"),
        infinite.to_numpy(),
        infinite.astype({"b": object}),
    ):
        with pytest.raises(ValueError, match=match):
            schema.transform("passthrough", table)
        with pytest.raises(ValueError, match=match):
            schema.split(table)


def test_text_in_a_column_of_numbers_names_the_column():
    X = make_mixed_frame()[["age", "town"]]
    preprocessor = columns(("all", "passthrough", ["age", "town"]))
    schema, _ = fit(preprocessor, X)
    with pytest.raises(
        ValueError, match=r"'age' must hold numbers; found the text 'old'"
    ):
        schema.transform(preprocessor, X.assign(age="old"))


def test_a_preprocessor_that_keeps_nothing_raises():
    X = make_mixed_frame()
    for preprocessor in (
        columns(("gone", "drop", CAT)),
        FunctionTransformer(lambda X: X["age"].to_numpy()),
        FunctionTransformer(lambda X: X["age"].to_list()),
    ):
        with pytest.raises(ValueError, match="must return a table with at least one"):
            fit(preprocessor, X)


def test_another_number_of_columns_raises():
    X = make_mixed_frame()
    schema, transformed = fit(make_tabular_preprocessor(X), X)
    with pytest.raises(ValueError, match=r"must return 7 columns.*found 6"):
        schema.split(transformed[:, :-1])


@pytest.mark.parametrize("value", [-3, 9, 1.5, np.nan, np.inf])
def test_what_is_no_code_of_the_encoder_raises(value):
    X = make_mixed_frame()
    schema, transformed = fit(by_columns(CategoryEncoder()), X)
    transformed[2, 3] = value
    with pytest.raises(
        ValueError, match=rf"Codes of column 'colour' must be.*found {value}.*in row 2"
    ):
        schema.split(transformed)


def test_codes_that_floats_may_have_rounded_are_refused():
    n_codes = 2**24 + 2
    block = CodeBlock(np.array([0]), ["id"], [n_codes])
    codes = np.array([[0], [2**24 + 1]])
    for dtype in (np.int32, np.int64, np.float64):
        assert block.read(codes.astype(dtype)).ravel().tolist() == [1, n_codes]
    with pytest.raises(
        ValueError, match=r"'id' must pass.*found 16777218 codes in flo"
    ):
        block.read(codes.astype(np.float32))


def test_the_direct_path_keeps_codes_out_of_narrow_floats():
    """A float32 scaler beside int16 codes makes ColumnTransformer join in float32."""
    X = make_mixed_frame()
    preprocessor = columns(
        ("num", FunctionTransformer(lambda X: X.astype(np.float32)), ["age"]),
        ("cat", ordinal(dtype=np.int16, encoded_missing_value=-2), CAT),
    )
    schema, transformed = fit(preprocessor, X)
    assert transformed.dtype == np.float32
    block = schema._blocks[1]
    block.n_codes = np.array([2**24 + 5, 2])
    with pytest.raises(ValueError, match="'town' must pass"):
        schema.split(transformed)
    assert schema.transform(preprocessor, X).codes.shape == (60, 2)


def test_a_column_of_lists_raises():
    X = pd.DataFrame({"age": [1, 2], "history": [[1, 2], [3]]})
    with pytest.raises(TypeError, match="'history': one value per row is required"):
        FeatureSchema.from_preprocessor("passthrough", X)


# The table of features.


def test_the_table_lists_features_in_order():
    X = make_mixed_frame()
    schema, _ = fit(
        columns(
            ("cat", ordinal(), ["town"]),
            ("num", StandardScaler(), ["age"]),
            ("flag", CategoryEncoder(), ["member"]),
        ),
        X,
    )
    frame = schema.frame()
    assert frame["feature"].tolist() == ["town", "age", "member"]
    assert frame["kind"].tolist() == ["categorical", "numeric", "categorical"]
    assert frame["cardinality"].tolist() == [5, pd.NA, 3]
    assert frame["width"].tolist() == [pd.NA, 1, pd.NA]
    wide = schema.with_embedding_dims([8, 2])
    assert wide.frame()["width"].tolist() == [8, 1, 2]
    assert wide.embedding_dims == [8, 2]
    assert schema.embedding_dims is None
    assert "2 categorical, 1 numeric" in repr(schema)


def test_a_wrong_number_of_widths_raises():
    schema = FeatureSchema.from_preprocessor("passthrough", make_mixed_frame()[CAT])
    with pytest.raises(
        ValueError, match=r"one entry per column.*found 1 for 2 columns"
    ):
        schema.with_embedding_dims([8])

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from sk_mtl.preprocessing import (
    CategoryEncoder,
    FeatureSchema,
    NumericScaler,
    make_tabular_preprocessor,
)
from tests.preprocessing._sample_tables import make_mixed_frame
from tests.preprocessing._schemas import columns, fit


def one_hot(inputs):
    return ("hot", OneHotEncoder(handle_unknown="ignore"), inputs)


def test_a_column_is_found_by_its_name():
    schema, _ = fit(make_tabular_preprocessor(), make_mixed_frame())
    assert schema.input_names == list(make_mixed_frame())
    assert schema.names_of("town") == ["town"]
    assert schema.names_of("income") == ["income", "missingindicator_income"]
    assert schema.names_of("nowhere") == []


def test_one_hot_columns_belong_to_their_column():
    preprocessor = columns(one_hot(["town", "colour"]))
    schema, _ = fit(preprocessor, make_mixed_frame().fillna({"town": "Oslo"}))
    assert schema.names_of("town") == ["town_Bonn", "town_Oslo", "town_Rome"]
    assert schema.names_of("colour") == ["colour_blue", "colour_red"]
    assert schema.names_of("town_Rome") == ["town_Rome"], "a feature stands for itself"
    assert schema.names_of("age") == []


def test_a_longer_name_explains_better():
    X = pd.DataFrame(
        {"at": [1.0, 2, 3], "at_home": ["a", "b", "a"], "home": ["a", "c", "c"]}
    )
    names = ["at", "at_month", "at_home", "at_home_in", "home", "missingindicator_at"]
    all_names = FunctionTransformer(
        lambda X: np.arange(18.0).reshape(3, 6),
        feature_names_out=lambda self, inputs: np.array(names, dtype=object),
    )
    schema, _ = fit(all_names, X)
    assert schema.names_of("at") == ["at", "at_month", "missingindicator_at"]
    assert schema.names_of("at_home") == ["at_home", "at_home_in"]
    assert schema.names_of("home") == ["home"]


def test_only_columns_that_a_step_reads_explain_its_output():
    """town_size_m is a town, not a size, as the step does not see the sizes."""
    X = pd.DataFrame(
        {
            "town": ["size_m", "size_s", "size_m"],
            "colour": ["red", "red", "blue"],
            "town_size": [1.0, 2.0, 3.0],
        }
    )
    preprocessor = columns(
        one_hot(["town", "colour"]), ("num", StandardScaler(), ["town_size"])
    )
    schema, _ = fit(preprocessor, X)
    assert schema.names_of("town") == ["town_size_m", "town_size_s"]
    assert schema.names_of("town_size") == ["town_size"]


def test_all_that_a_step_makes_of_one_column_belongs_to_it():
    X = pd.DataFrame({"text": ["red sky", "blue sky", "red sea"], "sky": [1.0, 2, 3]})
    preprocessor = columns(
        ("words", CountVectorizer(), "text"), ("num", StandardScaler(), ["sky"])
    )
    schema, _ = fit(preprocessor, X)
    assert len(schema.names_of("text")) == 4
    assert len(schema.names_of("sky")) == 1
    assert not {*schema.names_of("text")} & {*schema.names_of("sky")}


@pytest.mark.parametrize(
    "inputs",
    [
        [0, 2],
        [True, False, True, False, False, False],
        slice(0, 3, 2),
        ["town", "colour"],
    ],
    ids=str,
)
def test_columns_of_steps_are_given_in_any_form(inputs):
    X = make_mixed_frame().fillna({"town": "Oslo"})
    schema, _ = fit(columns(one_hot(inputs), remainder="drop"), X)
    assert len(schema.names_of("town")) == 3
    assert len(schema.names_of("colour")) == 2


def test_a_slice_of_names_is_read():
    X = make_mixed_frame().fillna({"town": "Oslo"})
    schema, _ = fit(columns(one_hot(slice("town", "colour"))), X[["town", "colour"]])
    assert len(schema.names_of("town")) == 3
    assert len(schema.names_of("colour")) == 2


def test_copies_in_a_union_of_scalers_belong_to_their_column():
    union = FeatureUnion([("standard", StandardScaler()), ("plain", "passthrough")])
    X = make_mixed_frame()[["age", "income"]]
    schema, _ = fit(columns(("num", NumericScaler(union), ["age", "income"])), X)
    assert schema.names_of("age") == ["age", "plain__age"]
    assert schema.names_of("income") == [
        "income",
        "plain__income",
        "missingindicator_income",
    ]


def test_columns_in_nested_transformers_and_pipelines_are_found():
    X = make_mixed_frame().fillna({"town": "Oslo"})
    inner = ColumnTransformer(
        [one_hot(["town"]), ("flag", CategoryEncoder(), ["member"])]
    )
    nested = columns(
        ("inner", inner, ["member", "town"]),
        ("num", make_pipeline(NumericScaler()), ["age", "income"]),
    )
    for preprocessor in (
        nested,
        make_pipeline(nested),
        make_pipeline("passthrough", nested),
    ):
        schema, _ = fit(preprocessor, X)
        assert len(schema.names_of("town")) == 3
        assert len(schema.names_of("member")) == 1
        assert len(schema.names_of("income")) == 2


def test_columns_of_an_array_are_called_by_position():
    X = np.array([[1.0, np.nan, 5.0], [2.0, 4.0, 5.0], [3.0, 3.0, 5.0]])
    schema, _ = fit(NumericScaler(), X)
    assert schema.input_names == ["x0", "x1", "x2"]
    assert schema.names_of("x1") == ["x1", "missingindicator_x1"]
    assert schema.names_of("x2") == [], "it was dropped"


def test_without_a_preprocessor_the_columns_are_the_features():
    X = make_mixed_frame()[["town", "age"]]
    schema = FeatureSchema.from_preprocessor(None, X)
    assert schema.input_names == ["town", "age"]
    assert schema.names_of("age") == ["age"]

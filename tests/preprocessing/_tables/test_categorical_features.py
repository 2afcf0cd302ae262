"""Columns that `categorical_features` lists, in the tabular preprocessor."""

import pickle
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from sk_mtl.exceptions import ColumnWarning
from sk_mtl.preprocessing import FeatureSchema, make_tabular_preprocessor
from tests.preprocessing._sample_tables import make_coded_array, make_mixed_frame


@pytest.mark.parametrize(
    "listed", [[2, 3], np.array([2, 3]), [False, False, True, True]]
)
@pytest.mark.parametrize("given", [True, False])
def test_listed_columns_of_numbers_are_opaque_codes(listed, given):
    X = make_coded_array()
    preprocessor = make_tabular_preprocessor(
        X if given else None, categorical_features=listed
    ).fit(X)
    schema = FeatureSchema.from_preprocessor(preprocessor, preprocessor.transform(X))
    assert (schema.n_numeric, schema.n_categorical) == (2, 2)
    assert schema.cardinalities == [6, 6], "five codes and the unknown row"
    codes = schema.transform(preprocessor, X).codes
    known = np.where(np.isnan(X[:, 2:]), -1, X[:, 2:]) + 1
    np.testing.assert_array_equal(codes, known)


def test_codes_are_the_same_from_every_container():
    X = make_coded_array()
    floats = pd.DataFrame(X, columns=["a", "b", "u", "v"])
    nullable = floats.astype({"u": "Int64", "v": "Int64"})
    integers = floats.fillna({"v": -1}).astype({"u": int, "v": "int16"})
    outs = []
    for frame in (floats, nullable, integers):
        preprocessor = make_tabular_preprocessor(
            frame, categorical_features=["u", "v"]
        ).fit(frame)
        outs.append(preprocessor.transform(frame))
        np.testing.assert_array_equal(preprocessor.transform(integers), outs[-1])
    np.testing.assert_array_equal(outs[0], outs[1])
    np.testing.assert_array_equal(outs[0], outs[2])


def test_codes_beyond_the_floats_stay_exact():
    X = pd.DataFrame({"id": [2**53 + 1, 2**53 + 2, -1]})
    for frame in (X, X.astype({"id": "Int64"})):
        preprocessor = make_tabular_preprocessor(frame, categorical_features=["id"])
        assert preprocessor.fit_transform(frame).ravel().tolist() == [1, 2, 0]


def test_an_unseen_code_is_unknown():
    X = make_coded_array()
    preprocessor = make_tabular_preprocessor(X, categorical_features=[2, 3]).fit(X)
    new = X[5:6].copy()
    new[0, 2] = 77
    assert preprocessor.transform(new)[0, 2] == 0


@pytest.mark.parametrize(
    ("value", "dtype", "error"),
    [
        (-2, float, r"found -2.0 in row 4. List columns of codes only"),
        (1.5, float, r"found 1.5 in row 4"),
        (np.inf, float, r"found inf in row 4"),
        (2.0**53, float, r"float64 does not hold every integer of this size"),
        (2.0**24, np.float32, r"float32 does not hold every integer of this size"),
    ],
)
@pytest.mark.parametrize("kind", ["array", "frame"])
def test_what_is_no_code_raises_and_names_the_column(value, dtype, error, kind):
    X = make_coded_array().astype(dtype)
    bad = X.copy()
    bad[4, 3] = value
    if kind == "frame":
        X, bad = pd.DataFrame(X).add_prefix("x"), pd.DataFrame(bad).add_prefix("x")
    preprocessor = make_tabular_preprocessor(X, categorical_features=[2, 3])
    match = rf"'x3' is listed as categorical and must hold integer codes.*{error}"
    with pytest.raises(ValueError, match=match):
        preprocessor.fit(bad)
    with pytest.raises(ValueError, match=match):
        preprocessor.fit(X).transform(bad)


def test_what_is_no_number_in_a_column_of_codes_is_unknown():
    X = pd.DataFrame({"u": [0, 1, 2**60]})
    preprocessor = make_tabular_preprocessor(X, categorical_features=["u"]).fit(X)
    values = ["a", 1, 1.0, None, Decimal(1), True, 2**60, pd.Timestamp("2024-01-01")]
    codes = preprocessor.transform(pd.DataFrame({"u": pd.Series(values, dtype=object)}))
    assert codes[:, 0].tolist() == [0, 2, 2, 0, 2, 2, 3, 0]
    assert preprocessor.transform(pd.DataFrame({"u": ["a"]})).tolist() == [[0]]
    with pytest.warns(ColumnWarning, match="'u' must hold a number .*; found text in"):
        preprocessor.transform(pd.DataFrame({"u": ["1"] * 10}))
    for value in (0.5, -2, 2.0**60):
        with pytest.raises(ValueError, match=r"'u' .*must hold integer codes"):
            preprocessor.transform(pd.DataFrame({"u": ["a", value]}, dtype=object))


def test_listed_columns_of_labels_are_encoded_as_labels():
    X = make_mixed_frame()
    listed = ["town", "colour", "visits"]
    preprocessor = make_tabular_preprocessor(X, categorical_features=listed).fit(X)
    schema = FeatureSchema.from_preprocessor(preprocessor, preprocessor.transform(X))
    assert schema.categorical_names == listed
    assert schema.cardinalities == [5, 3, 10], "the gap in town is a category"
    assert schema.numeric_names[:3] == ["age", "income", "member"]


def test_without_a_list_the_dtypes_decide():
    X = make_mixed_frame()
    expected = make_tabular_preprocessor(X).fit_transform(X)
    for given in (X, None):
        preprocessor = make_tabular_preprocessor(
            given, categorical_features="from_dtype"
        )
        assert "codes" not in preprocessor.get_params()
        np.testing.assert_array_equal(preprocessor.fit_transform(X), expected)


def test_an_empty_list_means_no_categories():
    X = make_mixed_frame()[["age", "member"]]
    preprocessor = make_tabular_preprocessor(X, categorical_features=[])
    assert preprocessor.fit_transform(X).shape == (60, 2)


def test_text_that_is_not_listed_raises():
    X = make_mixed_frame()
    with pytest.raises(ValueError, match=r"'town' must hold numbers.*not listed"):
        make_tabular_preprocessor(X, categorical_features=["colour"])


@pytest.mark.parametrize(
    ("listed", "error"),
    [
        (["colur"], r"must name columns of X; found \['colur'\]"),
        ([7], r"indices from 0 to 5; found \[7\]"),
        ([-1], r"indices from 0 to 5; found \[-1\]"),
        ([True, False], r"found 2 entries for 6 columns"),
        ("town", r"found 'town'. Write \['town'\]"),
        ([1.5], r"must be a list of column names or of indices"),
        (3, r"must be a list of column names or of indices.*found 3"),
    ],
)
@pytest.mark.parametrize("given", [True, False])
def test_a_wrong_list_raises(listed, error, given):
    X = make_mixed_frame()
    with pytest.raises(ValueError, match=error):
        make_tabular_preprocessor(
            X if given else None, categorical_features=listed
        ).fit(X)


def test_names_for_an_array_raise():
    with pytest.raises(ValueError, match="need a data frame with column names"):
        make_tabular_preprocessor(make_coded_array(), categorical_features=["u"])


def test_codes_survive_names_pickling_and_output_containers():
    X = make_coded_array()
    frame = pd.DataFrame(X, columns=["a", "b", "u", "v"])
    for table, names in ((X, ["x0", "x1", "x2", "x3"]), (frame, list(frame))):
        preprocessor = make_tabular_preprocessor(table, categorical_features=[2, 3])
        preprocessor.fit(table)
        assert preprocessor.get_feature_names_out().tolist() == names
        expected = preprocessor.transform(table)
        copied = pickle.loads(pickle.dumps(preprocessor))
        np.testing.assert_array_equal(copied.transform(table), expected)
        preprocessor.set_output(transform="pandas")
        out = preprocessor.fit_transform(table)
        assert list(out) == names
        np.testing.assert_array_equal(out.to_numpy(), expected)

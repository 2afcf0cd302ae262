"""Which objects count as X, and how the others are refused."""

import pathlib

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.base import BaseEstimator

from sk_mtl import MMOEClassifier
from sk_mtl.estimators._rows._inputs import check_X
from tests.estimators.common import QUICK, assert_equal_proba, mixed_table

ROWS = [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]


class Model(BaseEstimator):
    """Keeps the columns that it was shown."""


@pytest.fixture
def fitted():
    model = Model()
    check_X(model, pd.DataFrame(ROWS), reset=True)
    return model


def read(X, model=None, **options):
    return check_X(model or Model(), X, reset=model is None, **options)


# Rows that are dicts.


def test_a_list_of_dicts_is_a_frame():
    model = Model()
    frame = check_X(model, ROWS, reset=True)
    pd.testing.assert_frame_equal(frame, pd.DataFrame(ROWS))
    assert model.feature_names_in_.tolist() == ["a", "b"]


def test_a_key_that_a_training_row_lacks_is_a_missing_value():
    frame = read([{"a": 2**60 + 1}, {"a": 2**60, "b": "x", "c": True}, {"c": None}])
    assert frame["a"].tolist() == [2**60 + 1, 2**60, pd.NA], "no integer is rounded"
    assert frame["b"].isna().tolist() == [True, False, True]
    assert frame["c"].dtype == "boolean"


def test_lists_in_dicts_stay_lists():
    frame = read([{"h": [1, 2]}, {"h": [3, 4]}])
    assert frame["h"].tolist() == [[1, 2], [3, 4]]


def test_dicts_are_read_by_their_keys(fitted):
    frame = read([{"b": "x", "a": 1}], fitted)
    assert frame.columns.tolist() == ["a", "b"]
    assert frame.iloc[0].tolist() == [1, "x"]
    series = pd.Series({"b": "x", "a": 1})
    assert read([series], fitted).iloc[0].tolist() == [1, "x"]


def test_one_dict_is_one_row_of_a_prediction(fitted):
    assert read({"a": 1, "b": None}, fitted).shape == (1, 2)
    with pytest.raises(
        TypeError, match=r"a row per sample; found one dict, .* Give a l"
    ):
        read({"a": 1, "b": None})


@pytest.mark.parametrize("reset", [True, False])
@pytest.mark.parametrize("make", [list, np.array, pd.Series])
def test_a_dict_of_columns(fitted, reset, make):
    X = {"a": make([1, 2]), "b": make(["x", "y"])}
    with pytest.raises(
        TypeError, match=r"found a dict of columns. Give pandas.DataFra"
    ):
        read(X, None if reset else fitted)


def test_dicts_with_other_keys_than_in_training(fitted):
    message = (
        "Rows of X must have the columns that the estimator was fitted with, ['a', "
        "'b']; found no ['b'] and ['c'] besides in row 1. Give None for a value that "
        "is missing, and leave other keys out."
    )
    with pytest.raises(ValueError) as caught:
        read([ROWS[0], {"a": 1, "c": 3}], fitted)
    assert str(caught.value) == message


def test_dicts_beside_other_rows():
    with pytest.raises(
        TypeError, match=r"must all be dicts .* found list in row 1. Give"
    ):
        read([ROWS[0], [1, "x"]])


def test_dicts_for_a_model_of_columns_without_names():
    model = Model()
    check_X(model, np.ones((2, 2)), reset=True)
    with pytest.raises(
        ValueError, match=r"must have no names, .* Give lists of values"
    ):
        read([{"a": 1, "b": 2}], model)
    check_X(model, pd.DataFrame(np.ones((2, 2))), reset=True)
    assert read([{1: 5, 0: 4}], model).iloc[0].tolist() == [4, 5]


def test_dicts_give_the_answers_of_a_frame():
    X, y = mixed_table(120)
    rows = X.to_dict("records")
    by_frame = MMOEClassifier(**QUICK).fit(X, y)
    by_dicts = MMOEClassifier(**QUICK).fit(rows, y)
    expected = by_frame.predict_proba(X)
    assert_equal_proba(by_dicts.predict_proba(rows), expected)
    assert_equal_proba(by_frame.predict_proba(rows), expected)
    alone = by_frame.predict_proba(rows[0])
    assert_equal_proba(alone, [proba[:1] for proba in expected], atol=1e-6)


def test_a_structured_array_is_a_frame():
    frame = read(np.array([(1, 0.5), (2, 1.5)], [("a", np.int64), ("b", np.float64)]))
    pd.testing.assert_frame_equal(frame, pd.DataFrame({"a": [1, 2], "b": [0.5, 1.5]}))


# What is no table.


@pytest.mark.parametrize("reset", [True, False])
@pytest.mark.parametrize(
    ("X", "message"),
    [
        (
            "x.csv",
            "the path or text 'x.csv'. Read it first, .*read_parquet or read_csv",
        ),
        (pathlib.Path("x.parquet"), "the path or text 'x.parquet'. Read it first"),
        ((row for row in ROWS), "a generator, which holds no rows in order. Give a li"),
        (map(dict, ROWS), "a map, which holds no rows in order"),
        ({1, 2}, "a set, which holds no rows in order"),
        (
            pd.Series([1.0, 2.0]),
            r"a Series, .* Give X.to_frame\(\) if it is a column, X.",
        ),
        (pl.Series([1.0]), r"a Series, .* Give .* as X.to_pandas\(\).to_frame\(\)."),
        (pa.array([1.0]), "a DoubleArray, which is one column. Give a table of it"),
        (None, "found None. Give a data frame, or an array of two dimensions."),
        (3.5, "found 3.5. Give a data frame"),
        (pd.DataFrame, "found <class .* Give a data frame"),
        ([], "found an empty list. Give at least one row."),
    ],
    ids=lambda X: type(X).__name__ if not isinstance(X, str) else X[:9],
)
def test_what_is_no_table(fitted, X, message, reset):
    with pytest.raises(ValueError, match=f"X must be a table of rows .*{message}"):
        read(X, None if reset else fitted)


def test_rows_of_unequal_length():
    message = (
        "Rows of X_val must have .*; found 2 in row 0 and 1 in row 2. Give a value"
    )
    with pytest.raises(ValueError, match=message):
        read([[1, 2], [3, 4], [5]], what="X_val")


def test_rows_that_hold_lists():
    frame = read([[1, [1, 2]], [2, [3]]])
    assert frame[0].tolist() == [1, 2]
    assert frame[1].tolist() == [[1, 2], [3]]


def test_large_integers_beside_floats_in_a_list_of_rows():
    frame = read([[2**60 + 1, 0.5], [2**60 + 2, 1.5]])
    assert frame[0].tolist() == [2**60 + 1, 2**60 + 2]
    assert read([[2**50, 0.5]]).dtype.kind == "f"


# The names of columns.


@pytest.mark.parametrize(
    "names", [["a", 1], ["a", None], [("a", 1), "b"], [b"a", "b"], ["a", 2.5]]
)
def test_names_of_which_some_are_text(names):
    X = pd.DataFrame(np.ones((2, 2)))
    X.columns = pd.Index(names, dtype=object, tupleize_cols=False)
    message = (
        r"columns of X must all be named by text, or none of them; found .*\). Make "
        r"them text, with X.columns = X.columns.map\(str\)."
    )
    with pytest.raises(TypeError, match=message):
        read(X)
    with pytest.raises(TypeError, match=message):
        read(X.to_dict("records"))
    X.columns = X.columns.map(str)
    read(X)


def test_names_of_a_subclass_of_text():
    X = pd.DataFrame(np.ones((2, 2)))
    X.columns = pd.Index([np.str_("a"), "b"], dtype=object)
    assert [type(name) for name in read(X).columns] == [str, str]


@pytest.mark.parametrize("names", [[3, 5], [0.5, 1.5], [("a", 1), ("b", 2)], [None, 1]])
def test_columns_that_are_not_named_by_text_keep_their_order(names):
    X = pd.DataFrame([[1.0, 2.0]])
    X.columns = pd.Index(names, dtype=object, tupleize_cols=False)
    model = Model()
    check_X(model, X, reset=True)
    assert read(X, model) is X
    # Columns that are only numbered are in the order of training.
    assert read(np.ones((1, 2)), model).shape == (1, 2)
    assert read(pd.DataFrame(np.ones((1, 2))), model).shape == (1, 2)
    with pytest.raises(ValueError, match=r"in their order, .*; found .*. Give X\[\["):
        read(X.iloc[:, ::-1], model)


def test_numbered_columns_for_a_model_of_named_ones(fitted):
    X = pd.DataFrame([[1, "x"]])
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        frame = read(X, fitted)
    assert frame.columns.tolist() == ["a", "b"]
    with pytest.raises(ValueError, match=r"order, \['a', 'b'\]; found \[7, 8\]. Give"):
        read(X.set_axis([7, 8], axis=1), fitted)

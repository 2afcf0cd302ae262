"""Weights of rows, and of rows and tasks, in every form."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from sk_mtl._weights import read_weights, weight_columns

NAMES = ["buy", "churn"]


@pytest.mark.parametrize(
    "make",
    [
        list,
        np.array,
        pd.Series,
        pl.Series,
        pa.array,
        lambda w: pa.chunked_array([w]),
        lambda w: pd.array(w, dtype="Int64"),
        lambda w: pd.array(w, dtype="double[pyarrow]"),
        lambda w: np.array(w, dtype=object),
    ],
)
def test_weights_of_rows_count_for_every_task(make):
    weight = read_weights(make([1, 2]), 2, NAMES)
    np.testing.assert_array_equal(weight, [[1, 1], [2, 2]])
    assert weight.dtype == np.float64


def test_weights_of_rows_and_tasks():
    assert read_weights(None, 2, NAMES) is None
    table = [[1, 0], [2, 3]]
    np.testing.assert_array_equal(read_weights(table, 2, NAMES), table)
    np.testing.assert_array_equal(read_weights([True, False], 2, ["a"]), [[1], [0]])
    np.testing.assert_array_equal(read_weights(2, 2, NAMES), [[2, 2], [2, 2]])
    assert weight_columns(None, 2, NAMES) == [None, None]
    assert [w.tolist() for w in weight_columns(table, 2, NAMES)] == [[1, 2], [0, 3]]


@pytest.mark.parametrize(
    "make",
    [
        pd.DataFrame,
        pl.DataFrame,
        pa.table,
        lambda w: pd.DataFrame(w).convert_dtypes(dtype_backend="pyarrow"),
        lambda w: pd.DataFrame(w).astype("Float64"),
    ],
)
def test_the_columns_of_a_frame_are_found_by_name(make):
    weight = make({"buy": [1.0, 2.0], "churn": [3.0, 4.0]})
    np.testing.assert_array_equal(read_weights(weight, 2, NAMES), [[1, 3], [2, 4]])
    found = read_weights(weight, 2, NAMES[::-1])
    np.testing.assert_array_equal(found, [[3, 1], [4, 2]])
    with pytest.raises(ValueError) as caught:
        read_weights(weight, 2, ["buy", "click"], "own")
    assert str(caught.value) == (
        "own must have the columns ['buy', 'click'], one per task; found ['buy', "
        "'churn']. Rename the columns, or give those that are missing."
    )


def test_a_frame_without_names_is_taken_in_its_order():
    weight = pd.DataFrame([[1.0, 3.0], [2.0, 4.0]])
    np.testing.assert_array_equal(read_weights(weight, 2, NAMES), weight)
    # Columns called by numbers that are out of order have names.
    found = read_weights(weight[[1, 0]], 2, [0, 1])
    np.testing.assert_array_equal(found, weight)
    with pytest.raises(ValueError, match=r"found \[1, 0\]"):
        read_weights(weight[[1, 0]], 2, NAMES)
    # A single task can have no other task's weights.
    one = pd.DataFrame({"weight": [1.0, 2.0]})
    np.testing.assert_array_equal(read_weights(one, 2, ["buy"]), [[1], [2]])


def test_a_dict_holds_weights_by_task():
    weight = {"churn": pd.array([3, 4], dtype="Int64")}
    np.testing.assert_array_equal(read_weights(weight, 2, NAMES), [[1, 3], [1, 4]])
    numbered = {np.int64(8): [1, 0], 7: 2}
    np.testing.assert_array_equal(read_weights(numbered, 2, [7, 8]), [[2, 1], [2, 0]])


def test_a_masked_weight_is_zero():
    weight = np.ma.masked_array([[1, 2], [3, 4]], mask=[[0, 1], [0, 0]])
    np.testing.assert_array_equal(read_weights(weight, 2, NAMES), [[1, 0], [3, 4]])
    by_task = {"buy": weight[:, 1]}
    np.testing.assert_array_equal(read_weights(by_task, 2, NAMES), [[0, 1], [4, 1]])


_ROW = "Use weight 0 for a row that must not count."
_SHAPE = "own must have shape (2,) or (2, 2), one weight per row, or per row and task;"


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        ([1, 2, 3], f"{_SHAPE} found (3,)."),
        ([[1, 2, 0], [3, 4, 0]], f"{_SHAPE} found (2, 3)."),
        ([1, np.nan], f"own must hold finite weights; found nan in row 1. {_ROW}"),
        ([1, None], f"own must hold finite weights; found nan in row 1. {_ROW}"),
        (
            pd.Series([pd.NA, 1], dtype="Int64"),
            f"own must hold finite weights; found nan in row 0. {_ROW}",
        ),
        (
            pl.Series([1.5, None]),
            f"own must hold finite weights; found nan in row 1. {_ROW}",
        ),
        ([np.inf, 1], f"own must hold finite weights; found inf in row 0. {_ROW}"),
        ([1, -0.5], f"own must not be negative; found weight -0.5 in row 1. {_ROW}"),
        ("balanced", "own must hold numbers; found 'balanced'. Give weights >= 0."),
        (["1", "much"], "own must hold numbers; found 'much'. Give weights >= 0."),
        (
            pd.to_datetime(["2020-01-01", "2021-01-01"]),
            "own must hold numbers; found datetime64[us]. Give weights >= 0.",
        ),
        (
            {"buy": [1, 2], "click": [1, 2]},
            "own must be keyed by task names ['buy', 'churn']; found ['click']. "
            "Correct the names; tasks left out count 1.",
        ),
        (
            {"buy": [1, 2, 3]},
            "own of task 'buy' must have shape (2,) or (2, 1), one weight per row, or "
            "per row and task; found (3,).",
        ),
    ],
)
def test_weights_that_make_no_sense_are_refused(weight, message):
    with pytest.raises(ValueError) as caught:
        read_weights(weight, 2, NAMES, "own")
    assert str(caught.value) == message


def test_no_rows_have_no_weights():
    assert read_weights(np.ones(0), 0, NAMES).shape == (0, 2)
    assert read_weights(np.ones((0, 2)), 0, NAMES).shape == (0, 2)

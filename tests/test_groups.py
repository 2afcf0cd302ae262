"""Groups of rows from any container."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from sk_mtl._groups import group_names, group_numbers


@pytest.mark.parametrize(
    "groups",
    [
        ["b", "a", "b", "c"],
        np.array(["b", "a", "b", "c"]),
        pd.Series(["b", "a", "b", "c"], dtype="category"),
        pd.DataFrame({"user": [9, 2, 9, 1]}),
        np.array([[1.5], [0], [1.5], [7]]),
        pl.Series(["b", "a", "b", "c"]),
        pl.DataFrame({"user": [9, 2, 9, 1]}),
        pa.array([9, 2, 9, 1]),
        [1, "1", 1, 2],
        (True, "x", True, 3.0),
    ],
)
def test_names_of_any_type_are_numbered(groups):
    assert group_numbers(groups).tolist() == [0, 1, 0, 2]


@pytest.mark.parametrize(
    "groups",
    [
        ["a", None],
        [1.0, np.nan],
        pd.Series([1, pd.NA], dtype="Int64"),
        np.ma.masked_array([1, 2], mask=[False, True]),
        pl.Series([1, None]),
    ],
)
def test_a_row_without_a_group_is_refused(groups):
    with pytest.raises(ValueError) as caught:
        group_names(groups)
    assert str(caught.value) == (
        "groups must name the group of every row; found missing values. Give rows "
        "without a group one of their own."
    )


def test_rows_that_do_not_count_may_have_no_group():
    groups = pd.Series(["b", None, "a", "b"])
    labelled = np.array([True, False, True, True])
    assert group_numbers(groups, labelled).tolist() == [0, 1, 0]
    with pytest.raises(ValueError, match="the group of every labelled row; found"):
        group_numbers(groups, ~labelled)


def test_groups_that_are_no_names_are_refused():
    with pytest.raises(TypeError) as caught:
        group_names([{"user": 1}, {"user": 2}])
    assert str(caught.value) == (
        "groups must hold names, such as numbers, text or times; found {'user': 1}, a "
        "dict. Give one name per row."
    )
    with pytest.raises(ValueError, match=r"found shape \(2, 2\)"):
        group_names(pd.MultiIndex.from_tuples([("a", 1), ("b", 2)]))

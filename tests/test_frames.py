import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from sk_mtl._frames import (
    as_pandas,
    column_as_pandas,
    column_names,
    column_of,
    has_fitted_columns,
    refuse_unreadable,
)
from sk_mtl._masked_arrays import nullable_column, without_mask

pl = pytest.importorskip("polars")

COLUMNS = {
    "whole": [2**53 + 1, 2**53 + 2, -1],
    "gaps": [2**53 + 1, None, 2**53 + 2],
    "price": [1.5, None, float("nan")],
    "flag": [True, False, True],
    "maybe": [True, None, False],
    "town": ["Oslo", None, "Rome"],
    "day": [dt.date(2024, 2, 29), None, dt.date(9999, 12, 31)],
    "at": [dt.datetime(2024, 2, 29, 9), None, dt.datetime(9999, 12, 31)],
    "stay": [dt.timedelta(seconds=1), None, dt.timedelta(days=2)],
    "history": [[1, 2], None, [2**53 + 1]],
    "cost": [Decimal("0.1"), None, Decimal("2.5")],
}
DTYPES = {
    "whole": "int64",
    "gaps": "Int64",
    "price": "float64",
    "flag": "bool",
    "maybe": "boolean",
    "day": "datetime64[ms]",
    "at": "datetime64[us]",
    "stay": "timedelta64[us]",
}


def of_polars():
    return pl.DataFrame(COLUMNS)


def of_arrow():
    return pa.table(COLUMNS)


def of_batch():
    return pa.RecordBatch.from_pydict(COLUMNS)


@pytest.mark.parametrize("make", [of_polars, of_arrow, of_batch])
def test_every_type_of_column(make):
    frame = as_pandas(make())
    assert list(frame) == list(COLUMNS)
    found = {name: str(frame[name].dtype) for name in DTYPES}
    assert found == DTYPES
    assert frame["whole"].tolist() == COLUMNS["whole"]
    assert frame["gaps"].dropna().tolist() == [2**53 + 1, 2**53 + 2]
    assert frame["town"].isna().tolist() == [False, True, False]
    assert frame["at"][2].year == 9999
    assert frame["cost"].tolist()[::2] == COLUMNS["cost"][::2]
    assert pa.types.is_decimal(frame["cost"].dtype.pyarrow_dtype)
    items = frame["history"].dtype.pyarrow_dtype.value_type
    assert items == pa.int64(), "a list of integers is not cast to floats"


@pytest.mark.parametrize("dtype", ["Int8", "Int16", "Int32", "UInt8", "UInt64"])
def test_integers_of_every_width_keep_it(dtype):
    X = pl.DataFrame({"a": [1, None]}, schema={"a": getattr(pl, dtype)})
    for table in (X, X.to_arrow()):
        assert as_pandas(table)["a"].dtype == dtype


def test_integers_without_gaps_stay_plain_beside_those_with():
    X = pl.DataFrame({"gaps": [1, None], "whole": [1, 2], "flag": [True, False]})
    for table in (X, X.to_arrow()):
        assert [str(dtype) for dtype in as_pandas(table).dtypes] == [
            *("Int64", "int64", "bool")
        ]


@pytest.mark.parametrize("dtype", [pl.Categorical, pl.Enum(["Rome", "Oslo", "Bonn"])])
def test_category_columns_are_codes(dtype):
    town = pl.Series("town", ["Oslo", None, "Rome"], dtype=dtype)
    X = pl.DataFrame([town])
    for table in (X, X.to_arrow(), X.to_arrow().to_batches()[0]):
        column = as_pandas(table)["town"]
        assert isinstance(column.dtype, pd.CategoricalDtype)
        assert column.cat.codes.dtype.kind == "i"
        assert column.isna().tolist() == [False, True, False]
        assert column.dropna().tolist() == ["Oslo", "Rome"]


@pytest.mark.parametrize("width", ["u1", "u2", "u4", "u8", "i1", "i8"])
def test_dictionaries_of_arrow_with_codes_of_every_width(width):
    kind = pa.from_numpy_dtype(width)
    chunks = [
        pa.DictionaryArray.from_arrays(pa.array(codes, kind), pa.array(towns))
        for codes, towns in (([1, 0], ["Oslo", "Rome"]), ([None, 0], ["Bonn"]))
    ]
    table = pa.table({"age": [1, 2, 3, 4], "town": pa.chunked_array(chunks)})
    column = as_pandas(table)["town"]
    assert isinstance(column.dtype, pd.CategoricalDtype)
    assert column.isna().tolist() == [False, False, True, False]
    assert column.dropna().tolist() == ["Rome", "Oslo", "Bonn"]


def test_numbers_share_their_memory():
    values = np.random.default_rng(0).normal(size=1000)
    for table in (pl.DataFrame({"a": values, "b": values}), pa.table({"a": values})):
        again = as_pandas(table)["a"].to_numpy()
        other = table["a"].to_numpy()
        assert np.shares_memory(again, other)


def test_the_index_of_a_pandas_frame_is_no_column():
    frame = pd.DataFrame({"a": [1, 2], "b": [3.0, 4.0]}, index=["x", "y"])
    table = pa.Table.from_pandas(frame)
    assert table.num_columns == 3
    pd.testing.assert_frame_equal(as_pandas(table), frame)


def test_pandas_and_arrays():
    frame = pd.DataFrame({"a": [1, 2]})
    assert as_pandas(frame) is frame
    X = np.array([[1, "x"], [2, "y"]], dtype=object)
    assert column_names(X) == ["x0", "x1"]
    assert as_pandas(X).dtypes[0].kind == "i"
    for table in (X, as_pandas(X)):
        assert column_of(table, 0).tolist() == [1, 2]


def test_objects_of_polars():
    X = pl.DataFrame({"a": [1, None], "b": pl.Series([{1}, {2}], dtype=pl.Object)})
    frame = as_pandas(X)
    assert frame["b"].tolist() == [{1}, {2}]
    assert frame["a"].dtype == "Int64"


def test_single_columns():
    for column, name in (
        (pl.Series("town", ["Oslo", None]), "town"),
        (pl.Series(["Oslo", None]), None),
        (pa.array(["Oslo", None]), None),
        (pa.chunked_array([["Oslo"], [None]]), None),
    ):
        series = column_as_pandas(column)
        assert series.name == name
        assert series.isna().tolist() == [False, True]
    for column in (pl.Series([2**53 + 1, None]), pa.array([2**53 + 1, None])):
        assert column_as_pandas(column)[0] == 2**53 + 1


class Fitted:
    """Stands for an estimator that has seen the columns a and b."""

    feature_names_in_ = np.array(["a", "b"], dtype=object)


@pytest.mark.parametrize(
    ("X", "known"),
    [
        (pd.DataFrame({"a": [1], "b": ["x"]}), True),
        (pd.DataFrame({"b": [1], "a": ["x"]}), False),
        (pd.DataFrame({"a": [1]}), False),
        (pd.DataFrame({"a": [1], "b": [1], "c": [1]}), False),
        (pd.DataFrame([[1, 2]]), False),
        (np.ones((1, 2)), False),
    ],
)
def test_only_a_frame_of_the_very_columns_needs_no_check(X, known):
    assert has_fitted_columns(X, Fitted()) == known
    assert not has_fitted_columns(X, object())


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ([7, 8], [np.nan, 8.0]),
        ([7.5, 8], [np.nan, 8.0]),
        (np.array([7, 8], np.float32), np.array([np.nan, 8], np.float32)),
        ([True, False], [np.nan, 0.0]),
        (["no", "yes"], np.array([None, "yes"], object)),
        (np.array([1, "yes"], object), np.array([None, "yes"], object)),
        (
            np.array(["2020-01-01", "2021-01-01"], "M8[D]"),
            np.array(["NaT", "2021-01-01"], "M8[D]"),
        ),
    ],
)
def test_masked_entries_are_missing(data, expected):
    masked = np.ma.masked_array(data, mask=[True, False])
    expected = np.asarray(expected)
    for found in (without_mask(masked), without_mask(masked[:, None])[:, 0]):
        assert type(found) is np.ndarray
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected)
    assert as_pandas(masked[:, None]).isna()[0].tolist() == [True, False]


def test_masked_integers_beyond_floats_stay_what_they_are():
    masked = np.ma.masked_array([[2**60 + 1, 5], [1, 6]], mask=[[0, 1], [0, 0]])
    frame = without_mask(masked)
    assert frame[0].tolist() == [2**60 + 1, 1]
    assert frame[1].isna().tolist() == [True, False]
    assert without_mask(masked[:, 0][:1])[0] == 2**60 + 1


def test_a_column_keeps_its_type_beside_masked_entries():
    mask = [False, True]
    assert nullable_column(np.ma.masked_array([3, 4], mask=mask)).dtype == "Int64"
    assert nullable_column(np.ma.masked_array([True, True], mask=mask)).dtype == (
        "boolean"
    )
    assert nullable_column(np.ma.masked_array([3, 4])).dtype == np.int64
    text = nullable_column(np.ma.masked_array(["a", "b"], mask=mask))
    assert text.tolist() == ["a", None]


def test_other_tables_have_no_mask():
    X = np.zeros((2, 2))
    assert without_mask(X) is X
    assert np.shares_memory(without_mask(np.ma.masked_array(X)), X)


# Types of Arrow that no step reads.

STRUCTS = pa.array([{"a": 1}, {"a": 2}])
UNREADABLE = {
    "struct": (STRUCTS, "Make a column of each of its fields"),
    "list of structs": (pa.array([[{"a": 1}], []]), "Make a column of each of its"),
    "map": (pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int64())), "of its keys"),
    "month interval": (
        pa.array([(1, 2, 3)], pa.month_day_nano_interval()),
        "Make columns of its numbers of months and of days",
    ),
    "time": (pa.array([dt.time(3)]), "Convert it to seconds since midnight"),
    "list of times": (pa.array([[dt.time(3)]]), "Convert it to seconds"),
    "categories that are structs": (
        pa.DictionaryArray.from_arrays(pa.array([0, 1], pa.int8()), STRUCTS),
        "Convert its categories to text",
    ),
    "categories that are intervals": (
        pa.array(pd.cut(pd.Series([1.0, 2.0]), 2)),
        "Convert its categories to text",
    ),
    "union": (
        pa.UnionArray.from_sparse(pa.array([0], pa.int8()), [pa.array([1])]),
        "Cast it to the plain type of its values",
    ),
    "runs": (
        pc.run_end_encode(pa.array(["a", "a"])),
        "Cast it to the plain type of its values",
    ),
}


@pytest.mark.parametrize("kind", UNREADABLE)
def test_types_that_no_step_reads_are_refused_by_name(kind):
    array, remedy = UNREADABLE[kind]
    message = (
        f"Column 'c' must hold numbers, .*; found Arrow's type .*. {remedy}.*, or d"
    )
    for table in (pa.table({"c": array}), pa.RecordBatch.from_pydict({"c": array})):
        with pytest.raises(TypeError, match=message):
            as_pandas(table)
    if "intervals" not in kind:
        column = pd.Series(pd.array(array, dtype=pd.ArrowDtype(array.type)))
        with pytest.raises(TypeError, match=message):
            refuse_unreadable(pd.DataFrame({"c": column}))


@pytest.mark.parametrize(
    "values", [[{"a": 1}], [[{"a": 1}]], [dt.time(3)]], ids=["struct", "list", "time"]
)
def test_types_of_polars_that_no_step_reads_are_refused_by_name(values):
    with pytest.raises(
        TypeError, match=r"Column 'c' must hold numbers.* or drop the col"
    ):
        as_pandas(pl.DataFrame({"c": values}))


@pytest.mark.skipif(
    not hasattr(pl, "Int128"), reason="an older polars has no such type"
)
def test_integers_of_128_bits_are_refused_by_name():
    X = pl.DataFrame({"c": pl.Series([1, 2], dtype=pl.Int128)})
    with pytest.raises(TypeError, match=r"Column 'c' must hold .* found .* Int128. C"):
        as_pandas(X)


def test_types_that_are_read_pass():
    dates = pa.array([dt.date(2024, 1, 1)]).dictionary_encode()
    intervals = pa.array(pd.arrays.IntervalArray.from_breaks([0, 1]))
    table = {"d": dates, "i": intervals, "l": pa.array([[1]]), "n": pa.nulls(1)}
    assert as_pandas(pa.table(table)).shape == (1, 4)
    objects = pl.DataFrame({"c": [object()]}, schema={"c": pl.Object})
    assert as_pandas(objects).shape == (1, 1)

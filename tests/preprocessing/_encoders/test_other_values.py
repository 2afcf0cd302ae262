"""Values of other types than an encoder learnt, and values that are no categories."""

import datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from sk_mtl.exceptions import ColumnWarning
from sk_mtl.preprocessing import (
    CategoryEncoder,
    HashingEncoder,
    NumericScaler,
    SequenceEncoder,
    make_tabular_preprocessor,
)
from tests.preprocessing._sample_tables import column, import_polars

INF = float("inf")


class Opaque:
    """Has no equality but that of its address."""


@pytest.mark.parametrize("n_rows", [1, 10])
def test_a_column_without_values_in_training_may_hold_anything_later(n_rows):
    encoder = CategoryEncoder().fit(column([None, np.nan]))
    unknown = CategoryEncoder(missing="unknown").fit(column([None, np.nan]))
    for value in ([1, 2], {3}, {"a": 1}, Opaque(), np.inf, 1 + 2j, (1,), "a"):
        X = column([value, None] * n_rows)
        assert encoder.transform(X)[:, 0].tolist() == [0, 1] * n_rows
        assert not unknown.transform(X).any()
    later = [
        pd.Series([[1], None], dtype=pd.ArrowDtype(pa.list_(pa.int64()))),
        pd.Series([1.5, None], dtype="Float64"),
        pd.Series(pd.to_datetime(["2024-01-01", None])),
        pd.Series(["a", None], dtype="category"),
        pd.Series([1.5, np.nan]),
    ]
    for values in later:
        X = pd.concat([values.to_frame("c")] * n_rows)
        assert encoder.transform(X)[:, 0].tolist() == [0, 1] * n_rows


@pytest.mark.parametrize("n_rows", [1, 10])
def test_a_polars_column_without_values_in_training_may_hold_anything_later(n_rows):
    pl = import_polars()
    encoder = CategoryEncoder().fit(pl.DataFrame({"c": [None, None]}))
    for values, dtype in (
        ([[1, 2], None], None),
        ([{1}, None], pl.Object),
        ([1.5, float("nan")], None),
        ([datetime.date(2024, 1, 1), None], None),
        (["a", None], pl.Categorical),
    ):
        X = pl.DataFrame({"c": pl.Series(values * n_rows, dtype=dtype)})
        assert encoder.transform(X)[:, 0].tolist() == [0, 1] * n_rows


SEQUENCE = "'c': one value per row is required; found a {}: .*with SequenceEncoder, or"
ADDRESS = "'c': argument must be a string or a number; found a {}: .* by value. Convert"


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        ([["i1", "i2"], ["i3"]], TypeError, SEQUENCE.format("list")),
        (["a", ["i3"]], TypeError, SEQUENCE.format("list")),
        ([np.array([1, 2]), np.array([1])], TypeError, SEQUENCE.format("ndarray")),
        ([("a", "b"), ("a",)], TypeError, SEQUENCE.format("tuple")),
        ([frozenset("a"), None], TypeError, SEQUENCE.format("frozenset")),
        ([{"foo": "bar"}, "a"], TypeError, ADDRESS.format("dict")),
        ([0.5, {"foo": "bar"}], TypeError, ADDRESS.format("dict")),
        ([object(), object()], TypeError, ADDRESS.format("object")),
        ([Opaque(), Opaque()], TypeError, ADDRESS.format("Opaque")),
        (["a", 1], TypeError, "'c': .* can be sorted, .*; found the types int, str. C"),
        (
            ["a", b"a"],
            TypeError,
            "found the types bytes, str. Convert the column to one",
        ),
        ([1.5, b"a"], TypeError, "found the types bytes, float. Convert the column"),
        ([1j, 2j], ValueError, "Complex data not supported: column 'c'"),
        (
            [1.5, INF],
            ValueError,
            "'c': finite or missing .* contains infinity. Replace",
        ),
        ([1.5, -INF, 3], ValueError, "Input X contains infinity"),
    ],
)
def test_values_that_are_no_categories(values, error, message):
    with pytest.raises(error, match=message):
        CategoryEncoder().fit(column(values))
    fitted = CategoryEncoder().fit(column([1.5, 2.5]))
    if "sorted" not in message and "types" not in message:
        for n_repeats in (1, 5):
            with pytest.raises(error, match=message):
                fitted.transform(pd.concat([column(values)] * n_repeats))


def test_infinity_in_float_columns():
    X = pd.DataFrame({"c": [1.0, np.inf, np.nan]})
    with pytest.raises(
        ValueError, match=r"'c': finite or missing .* contains infinity"
    ):
        CategoryEncoder().fit(X)
    encoder = CategoryEncoder().fit(X[:1])
    for rows in (X[1:2], pd.concat([X] * 9)):
        with pytest.raises(ValueError, match="contains infinity"):
            encoder.transform(rows)


def test_polars_columns_that_are_no_categories():
    pl = import_polars()
    with pytest.raises(
        TypeError, match=r"'c': one value per row .*with SequenceEncoder, or"
    ):
        CategoryEncoder().fit(pl.DataFrame({"c": [["i1", "i2"], ["i3"]]}))
    with pytest.raises(TypeError, match=r"'c' must hold .*struct.* each of its fields"):
        CategoryEncoder().fit(pl.DataFrame({"c": [{"a": 1}, {"a": 2}]}))
    with pytest.raises(TypeError, match=ADDRESS.format("object")):
        CategoryEncoder().fit(pl.DataFrame({"c": [object()]}, schema={"c": pl.Object}))
    with pytest.raises(
        TypeError, match=r"'c': text, numbers or .* found type datetime"
    ):
        CategoryEncoder().fit(pl.DataFrame({"c": [datetime.date(2024, 1, 1)]}))


@pytest.mark.parametrize(
    "dtype", ["datetime64[ns]", "datetime64[ns, UTC]", "timedelta64[ns]"]
)
def test_times_are_no_categories(dtype):
    X = pd.DataFrame({"when": pd.Series([1, 2]).astype(dtype)})
    with pytest.raises(TypeError, match=r"'when': text, .*64\[ns.*Take month, weekday"):
        CategoryEncoder().fit(X)


OTHERS = [
    *("guest", b"a", 5, 5.0, 2.5, True, None, pd.NA, pd.NaT),
    *(datetime.date(2024, 1, 1), datetime.time(3), pd.Timestamp("2024-01-01")),
    *(pd.Timedelta("1h"), pd.Interval(0, 1)),
]
TRAINED = {
    "text": ["a", "b"],
    "integers": [1, 2],
    "floats": [1.5, 2.5],
    "bool": [True, False],
    "times": pd.Categorical(pd.to_datetime(["2024-01-01", "2025-01-01"])),
}


@pytest.mark.parametrize("dtype", ["category", object])
@pytest.mark.parametrize("trained", TRAINED)
def test_a_value_of_another_type_than_in_training_is_an_unseen_category(trained, dtype):
    encoder = CategoryEncoder().fit(column(TRAINED[trained], dtype))
    known = dict(zip(encoder.categories_[0].tolist(), [1, 2], strict=True))
    mixed = column(OTHERS, object)
    codes = encoder.transform(mixed)[:, 0].tolist()
    assert codes == [known.get(value, 0) for value in OTHERS]
    alone = [encoder.transform(mixed[i : i + 1])[0, 0] for i in range(len(mixed))]
    assert codes == alone
    for value in ("guest", 5):
        for new in (type(value), object, "category"):
            assert encoder.transform(column([value], new)).tolist() == [[0]]
            assert not encoder.transform(column([value] * 6, new)).any()


@pytest.mark.parametrize("unit", ["s", "us", "ns"])
def test_columns_of_times_where_training_had_categories_are_unseen(unit):
    encoder = CategoryEncoder().fit(column([0, 1704067200 * 10**9]))
    times = pd.Series(pd.to_datetime(["2024-01-01", None])).astype(
        f"datetime64[{unit}]"
    )
    assert encoder.transform(pd.DataFrame({"c": times})).tolist() == [[0], [0]]
    zoned = times.dt.tz_localize("UTC")
    assert encoder.transform(pd.DataFrame({"c": zoned})).tolist() == [[0], [0]]
    array = pa.array([datetime.date(2024, 1, 1), None])
    assert encoder.transform(pa.table({"c": array})).tolist() == [[0], [0]]


def test_other_types_in_polars_columns_are_unseen():
    pl = import_polars()
    encoder = CategoryEncoder().fit(pl.DataFrame({"c": [1, 2]}))
    for kind in (pl.String, pl.Categorical, pl.Object):
        X = pl.DataFrame({"c": ["guest", "x"]}, schema={"c": kind})
        assert encoder.transform(X).tolist() == [[0], [0]]
    X = pl.DataFrame({"c": [datetime.date(2024, 1, 1)]})
    assert encoder.transform(X).tolist() == [[0]]


def test_a_column_in_which_all_rows_are_of_another_type_draws_a_warning():
    encoder = CategoryEncoder().fit(column([1, 2]))
    message = (
        "Column 'c' must hold a number in its rows, as in training; found text in all "
        "of them, such as '1', which training did not hold. Convert the column to the "
        "type it had in fit, unless all of these categories are new."
    )
    with pytest.warns(ColumnWarning, match=message):
        assert not encoder.transform(column(["1", "2", None] * 7)).any()
    # One row of the former type is enough, and so are few rows.
    encoder.transform(column([*["1"] * 20, 1], object))
    encoder.transform(column(["1"] * 9))
    with pytest.warns(ColumnWarning, match=r"must hold text .* found a number in all"):
        CategoryEncoder().fit(column(["1", "2"])).transform(column([1, 2] * 5))


def test_unused_categories_of_another_kind_do_not_matter():
    encoder = CategoryEncoder().fit(column(["a", "b"]))
    X = column(["a", "c", None] * 9, pd.CategoricalDtype(["c", 1, "a"]))
    assert encoder.transform(X)[:3, 0].tolist() == [1, 0, 0]
    assert encoder.transform(column([np.nan] * 9, float)).max() == 0


def test_zeros_of_both_signs_are_one_category_in_every_container():
    values = [0.0, 1.0, -0.0, None]
    arrow = pd.ArrowDtype(pa.float64())
    for dtype in (float, "Float64", arrow, object):
        encoder = CategoryEncoder(min_frequency=2).fit(column(values, dtype))
        assert encoder.cardinalities_ == [4]
        for other in (float, "Float64", arrow, object):
            codes = encoder.transform(column(values, other))
            assert codes[:, 0].tolist() == [1, 2, 1, 3]


def test_dates_are_the_same_categories_in_every_container():
    pl = import_polars()
    days = [datetime.date(2024, 1, 1), None, datetime.date(2023, 1, 1)] * 4
    tables = {
        "objects": column(days, object),
        "categories": column(days, "category"),
        "dictionary": pa.table({"c": pa.array(days).dictionary_encode()}),
        "polars": pl.DataFrame({"c": days}),
        "arrow": pa.table({"c": days}),
    }
    for kind in ("objects", "categories"):
        encoder = CategoryEncoder().fit(tables[kind])
        for table in tables.values():
            assert encoder.transform(table)[:3, 0].tolist() == [2, 3, 1]
    noon = pd.DataFrame({"c": [datetime.datetime(2024, 1, 1, 12)]})
    assert encoder.transform(noon).tolist() == [[0]]


def test_sparse_columns_are_read_as_dense_ones():
    X = pd.DataFrame({"a": [0, 0, 5], "b": [0.5, np.nan, 0], "c": [True, False, True]})
    sparse = pd.DataFrame({name: pd.arrays.SparseArray(X[name]) for name in X})
    for transformer in (
        CategoryEncoder(),
        HashingEncoder(9),
        NumericScaler(),
        make_tabular_preprocessor(sparse),
    ):
        found = transformer.fit_transform(sparse)
        np.testing.assert_array_equal(found, transformer.fit_transform(X))


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([{"a": 1}], "rows that are dicts. Give pandas.DataFrame"),
        (np.ones(2, dtype=[("a", int)]), "a structured array. Give pandas.DataFrame"),
    ],
)
@pytest.mark.parametrize(
    "transformer",
    [CategoryEncoder(), SequenceEncoder(), HashingEncoder(9), NumericScaler()],
    ids=str,
)
def test_rows_that_name_their_values_are_refused_in_words(X, message, transformer):
    with pytest.raises(TypeError, match=message):
        transformer.fit(X)


def test_a_query_without_rows_is_refused_in_words():
    X = import_polars().LazyFrame({"a": [1]})
    with pytest.raises(TypeError, match=r"found a LazyFrame of polars. Call X.collect"):
        CategoryEncoder().fit(X)

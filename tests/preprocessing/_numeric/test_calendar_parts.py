import datetime as dt
import pickle

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from sk_mtl.preprocessing import CalendarParts, CategoryEncoder
from tests.preprocessing._sample_tables import import_polars

#: A Thursday in winter, a Sunday night in summer.
MOMENTS = [dt.datetime(2024, 2, 29, 9, 15), dt.datetime(2024, 7, 7, 23, 59), None]
MONTH_WEEKDAY_HOUR = [[2, 3, 9], [7, 6, 23], [np.nan] * 3]


def moments(dtype):
    return pd.DataFrame({"at": pd.Series(MOMENTS, dtype=dtype)})


@pytest.mark.parametrize(
    "dtype",
    [
        *(f"datetime64[{unit}]" for unit in ("s", "ms", "us", "ns")),
        "datetime64[ns, UTC]",
        pd.ArrowDtype(pa.timestamp("us")),
        object,
    ],
    ids=str,
)
def test_month_weekday_and_hour_of_every_type(dtype):
    out = CalendarParts().fit_transform(moments(dtype))
    np.testing.assert_array_equal(out, MONTH_WEEKDAY_HOUR)
    assert out.dtype == np.float32


def test_every_part():
    parts = ("year", "quarter", "month", "day", "weekday", "hour", "minute")
    out = CalendarParts(parts).fit_transform(moments("datetime64[s]"))
    expected = [[2024, 1, 2, 29, 3, 9, 15], [2024, 3, 7, 7, 6, 23, 59], [np.nan] * 7]
    np.testing.assert_array_equal(out, expected)


def test_the_wall_clock_of_the_time_zone_counts():
    utc = moments("datetime64[ns, UTC]")
    oslo = utc.assign(at=utc["at"].dt.tz_convert("Europe/Oslo"))
    expected = [[2, 3, 10], [7, 0, 1], [np.nan] * 3]
    for X in (oslo, oslo.astype(object)):
        np.testing.assert_array_equal(CalendarParts().fit_transform(X), expected)


def test_the_ends_of_the_calendar():
    ends = [dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31, 23)]
    X = np.array(ends, dtype=object)[:, None]
    out = CalendarParts(("year", "month", "hour")).fit_transform(X)
    np.testing.assert_array_equal(out, [[1, 1, 0], [9999, 12, 23]])


def test_columns_come_one_after_another():
    X = moments("datetime64[s]").assign(end=moments("datetime64[s]")["at"])
    X["end"] += pd.Timedelta("31D")
    parts = CalendarParts(["month", "weekday"]).fit(X)
    names = ["at_month", "at_weekday", "end_month", "end_weekday"]
    assert parts.get_feature_names_out().tolist() == names
    np.testing.assert_array_equal(parts.transform(X)[0], [2, 3, 3, 6])
    out = clone(parts).set_output(transform="pandas").fit_transform(X)
    assert list(out) == names


def test_an_encoder_makes_a_category_of_what_is_missing():
    encode = make_pipeline(CalendarParts(), CategoryEncoder())
    codes = encode.fit_transform(moments("datetime64[s]"))
    np.testing.assert_array_equal(codes, [[1, 1, 1], [2, 2, 2], [3, 3, 3]])
    new = pd.DataFrame({"at": pd.to_datetime(["2025-02-02 10:00"])})
    # Only the month and the weekday were seen in training.
    np.testing.assert_array_equal(encode.transform(new), [[1, 2, 0]])


def test_polars_gives_what_pandas_gives():
    pl = import_polars()
    Y = pl.DataFrame({"at": MOMENTS})
    parts = CalendarParts().fit(Y)
    np.testing.assert_array_equal(parts.transform(Y), MONTH_WEEKDAY_HOUR)
    assert parts.get_feature_names_out()[0] == "at_month"


def test_it_survives_pickling_and_works_on_arrays():
    X = moments("datetime64[s]").to_numpy(dtype="datetime64[s]")
    parts = pickle.loads(pickle.dumps(CalendarParts().fit(X)))
    np.testing.assert_array_equal(parts.transform(X), MONTH_WEEKDAY_HOUR)
    assert parts.get_feature_names_out()[0] == "x0_month"


@pytest.mark.parametrize(
    ("parts", "found"),
    [(("month", "decade"), "['decade']"), ((), "()"), ([["month"]], "[['month']]")],
)
def test_unknown_parts_raise(parts, found):
    with pytest.raises(ValueError) as caught:
        CalendarParts(parts).fit(moments("datetime64[s]"))
    assert str(caught.value) == (
        "`parts` must hold one or more of ['year', 'quarter', 'month', 'day', "
        f"'weekday', 'hour', 'minute']; found {found}. Give for instance ('month', "
        "'weekday', 'hour')."
    )


def test_parts_as_text_raise():
    with pytest.raises(ValueError, match="'parts' parameter of CalendarParts must be"):
        CalendarParts("month").fit(moments("datetime64[s]"))


@pytest.mark.parametrize(
    ("column", "found"),
    [
        (["2024-01-01"], "the text '2024-01-01'"),
        (pd.to_timedelta(["1h"]), "the Timedelta Timedelta"),
        ([3], "the int 3"),
    ],
)
def test_what_is_no_time_raises_and_names_the_column(column, found):
    with pytest.raises(
        TypeError, match=f"'at' must hold dates or times; found {found}"
    ):
        CalendarParts().fit(pd.DataFrame({"at": column}))

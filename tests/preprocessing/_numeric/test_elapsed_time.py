import datetime as dt
import pickle

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.base import clone

from sk_mtl.preprocessing import ElapsedTime
from tests.preprocessing._sample_tables import import_polars

#: Three moments, the last one missing, a day and a half apart.
MOMENTS = [dt.datetime(2024, 2, 29), dt.datetime(2024, 3, 1, 12), None]
DURATIONS = [dt.timedelta(minutes=1), dt.timedelta(hours=1), None]


def moments(dtype):
    return pd.DataFrame({"at": pd.Series(MOMENTS, dtype=dtype)})


def durations(dtype):
    return pd.DataFrame({"stay": pd.Series(DURATIONS, dtype=dtype)})


def test_days_since_the_earliest_training_value():
    at = np.array(["2024-02-28", "2024-02-26", "NaT"], dtype="datetime64[s]")
    elapsed = ElapsedTime().fit(pd.DataFrame({"at": at}))
    later = np.array(["2024-02-27T06", "2024-02-25", "NaT"], dtype="datetime64[s]")
    out = elapsed.transform(pd.DataFrame({"at": later}))
    np.testing.assert_array_equal(out, [[1.25], [-1.0], [np.nan]])
    assert elapsed.origins_ == [np.datetime64("2024-02-26")]
    assert out.dtype == np.float64


@pytest.mark.parametrize(
    "dtype",
    [
        *(f"datetime64[{unit}]" for unit in ("s", "ms", "us", "ns")),
        *(f"datetime64[{unit}, UTC]" for unit in ("s", "ns")),
        pd.ArrowDtype(pa.timestamp("us")),
        pd.ArrowDtype(pa.timestamp("ms", "UTC")),
        object,
    ],
    ids=str,
)
def test_moments_of_every_type(dtype):
    out = ElapsedTime().fit_transform(moments(dtype))
    np.testing.assert_array_equal(out, [[0.0], [1.5], [np.nan]])


@pytest.mark.parametrize(
    "dtype",
    [
        *(f"timedelta64[{unit}]" for unit in ("s", "ms", "us", "ns")),
        pd.ArrowDtype(pa.duration("us")),
        object,
    ],
    ids=str,
)
def test_durations_of_every_type_become_seconds(dtype):
    elapsed = ElapsedTime().fit(durations(dtype))
    out = elapsed.transform(durations(dtype))
    np.testing.assert_array_equal(out, [[60.0], [3600.0], [np.nan]])
    assert elapsed.origins_ == [None], "a duration is counted from nothing"


@pytest.mark.parametrize(
    "dtype", ["datetime64[s]", pd.ArrowDtype(pa.date32()), object], ids=str
)
def test_dates_are_moments_at_midnight(dtype):
    days = [dt.date(2024, 2, 29), dt.date(2024, 3, 2), None]
    X = pd.DataFrame({"day": pd.Series(days, dtype=object).astype(dtype)})
    np.testing.assert_array_equal(
        ElapsedTime().fit_transform(X), [[0.0], [2.0], [np.nan]]
    )


def test_objects_of_several_types_and_of_numpy():
    values = [pd.NaT, dt.date(2024, 1, 1), dt.datetime(2024, 1, 2), None]
    values += [pd.Timestamp("2024-01-03"), np.datetime64("2024-01-04")]
    X = np.array(values, dtype=object)[:, None]
    out = ElapsedTime().fit_transform(X).ravel()
    np.testing.assert_array_equal(out, [np.nan, 0, 1, np.nan, 2, 3])
    values = [np.timedelta64(2, "m"), pd.Timedelta("1s"), None]
    X = np.array(values, dtype=object)[:, None]
    out = ElapsedTime().fit_transform(X).ravel()
    np.testing.assert_array_equal(out, [120, 1, np.nan])


def test_the_hour_that_summer_time_takes_does_not_pass():
    midnights = pd.to_datetime(["2024-03-31", "2024-04-01"])
    X = pd.DataFrame({"at": midnights.tz_localize("Europe/Oslo")})
    expected = [[0.0], [23 / 24]]
    np.testing.assert_array_equal(ElapsedTime().fit_transform(X), expected)
    objects = X.astype(object)
    assert objects["at"][0].tzinfo is not None
    np.testing.assert_array_equal(ElapsedTime().fit_transform(objects), expected)
    naive = pd.DataFrame({"at": midnights})
    np.testing.assert_array_equal(ElapsedTime().fit_transform(naive), [[0.0], [1.0]])


def test_time_zones_may_differ_between_training_and_later():
    oslo = pd.DataFrame({"at": pd.to_datetime(["2024-01-01"]).tz_localize("Etc/GMT-6")})
    elapsed = ElapsedTime().fit(oslo)
    utc = pd.DataFrame({"at": pd.to_datetime(["2024-01-01"]).tz_localize("UTC")})
    np.testing.assert_array_equal(elapsed.transform(utc), [[0.25]])


def test_centuries_neither_overflow_nor_depend_on_the_unit():
    # In nanoseconds this difference is larger than any 64-bit integer.
    ends = np.array(["1678-01-01", "2262-01-01"], dtype="datetime64[ns]")
    expected = 213_301.0
    for unit in ("ns", "us", "s"):
        X = pd.DataFrame({"at": ends.astype(f"datetime64[{unit}]")})
        assert ElapsedTime().fit_transform(X)[1, 0] == expected
    X = np.array([dt.date(1, 1, 1), dt.date(9999, 12, 31)], dtype=object)[:, None]
    assert ElapsedTime().fit_transform(X)[1, 0] == 3_652_058


def test_a_nanosecond_is_not_rounded_away():
    at = np.array([0, 1], dtype="datetime64[ns]")
    out = ElapsedTime().fit_transform(pd.DataFrame({"at": at}))
    assert out[1, 0] == 1 / 86_400e9


def test_a_column_without_any_training_value_stays_missing():
    empty = pd.DataFrame({"at": np.array(["NaT", "NaT"], dtype="datetime64[ns]")})
    for X in (empty, empty.astype(object), pd.DataFrame({"at": [None, None]})):
        elapsed = ElapsedTime().fit(X)
        assert np.isnat(elapsed.origins_[0])
        assert np.isnan(elapsed.transform(moments("datetime64[s]"))).all()


def test_a_row_without_a_value_is_taken_whatever_its_type():
    elapsed = ElapsedTime().fit(moments("datetime64[ns, UTC]"))
    for missing in (None, np.nan, pd.NaT):
        out = elapsed.transform(pd.DataFrame({"at": [missing]}))
        np.testing.assert_array_equal(out, [[np.nan]])


def test_polars_gives_what_pandas_gives():
    pl = import_polars()
    zone = pl.Datetime("us", "Europe/Oslo")
    naive = [moment and moment.replace(tzinfo=dt.UTC) for moment in MOMENTS]
    Y = pl.DataFrame(
        {
            "at": MOMENTS,
            "zoned": pl.Series(naive, dtype=pl.Datetime("us", "UTC")).cast(zone),
            "day": [moment and moment.date() for moment in MOMENTS],
            "stay": DURATIONS,
        }
    )
    expected = [[0, 0, 0, 60], [1.5, 1.5, 1, 3600], [np.nan] * 4]
    np.testing.assert_array_equal(ElapsedTime().fit_transform(Y), expected)
    np.testing.assert_array_equal(ElapsedTime().fit_transform(Y.to_pandas()), expected)


def test_an_array_of_moments():
    X = moments("datetime64[s]").to_numpy(dtype="datetime64[s]")
    np.testing.assert_array_equal(
        ElapsedTime().fit_transform(X), [[0.0], [1.5], [np.nan]]
    )


def test_names_are_those_of_the_columns():
    X = moments("datetime64[s]").join(durations("timedelta64[s]"))
    elapsed = ElapsedTime().fit(X)
    assert elapsed.get_feature_names_out().tolist() == ["at", "stay"]
    assert elapsed.feature_names_in_.tolist() == ["at", "stay"]
    out = clone(elapsed).set_output(transform="pandas").fit_transform(X)
    assert list(out) == ["at", "stay"]


def test_it_survives_pickling():
    X = moments("datetime64[ns, Europe/Oslo]").join(durations("timedelta64[ns]"))
    elapsed = ElapsedTime().fit(X)
    copied = pickle.loads(pickle.dumps(elapsed))
    np.testing.assert_array_equal(copied.transform(X), elapsed.transform(X))


@pytest.mark.parametrize(
    ("column", "error"),
    [
        (["2024-01-01"], "the text '2024-01-01'. Convert it with pd.to_datetime"),
        ([MOMENTS[0], "soon"], "the text 'soon'. Convert it with pd.to_datetime"),
        ([MOMENTS[0], 7], "the int 7. Convert it with pd.to_datetime"),
        ([3.5], "the float 3.5. Convert it with pd.to_datetime"),
    ],
)
def test_what_is_no_time_raises_and_names_the_column(column, error):
    X = pd.DataFrame({"at": column})
    with pytest.raises(TypeError) as caught:
        ElapsedTime().fit(X)
    assert str(caught.value) == (
        f"Column 'at' must hold dates or times; found {error}, and write NaT where a "
        "value is missing."
    )


def test_times_and_durations_are_not_exchanged():
    times, lengths = moments("datetime64[s]"), durations("timedelta64[s]")
    with pytest.raises(TypeError, match=r"'at' must hold dates or times; found the Ti"):
        ElapsedTime().fit(times).transform(lengths.set_axis(["at"], axis=1))
    with pytest.raises(TypeError, match=r"'stay' must hold durations; found the Time"):
        ElapsedTime().fit(lengths).transform(times.set_axis(["stay"], axis=1))


@pytest.mark.parametrize("dtypes", [("s", "s, UTC"), ("s, UTC", "s")])
def test_times_with_and_without_a_zone_are_not_exchanged(dtypes):
    fitted, later = (moments(f"datetime64[{dtype}]") for dtype in dtypes)
    without, with_ = ("without", "with") if dtypes[0] == "s" else ("with", "without")
    with pytest.raises(ValueError) as caught:
        ElapsedTime().fit(fitted).transform(later)
    assert str(caught.value) == (
        f"Column 'at' must hold times {without} a time zone, as in training; found "
        f"times {with_} one. Convert it with column.dt.tz_localize."
    )


def test_a_column_of_objects_with_and_without_a_zone_raises():
    mixed = [dt.datetime(2024, 1, 1, tzinfo=dt.UTC), dt.datetime(2024, 1, 1)]
    with pytest.raises(ValueError) as caught:
        ElapsedTime().fit(pd.DataFrame({"at": pd.Series(mixed, dtype=object)}))
    assert str(caught.value) == (
        "Column 'at' must hold times that all have a time zone, or none; found both. "
        "Give every time its zone, or remove the zones."
    )


def test_an_array_names_the_position():
    X = np.array([[MOMENTS[0], "soon"]], dtype=object)
    with pytest.raises(TypeError, match=r"'1 of the times' must hold dates or times"):
        ElapsedTime().fit(X)


def test_other_columns_raise():
    elapsed = ElapsedTime().fit(moments("datetime64[s]"))
    with pytest.raises(ValueError, match="feature names should match"):
        elapsed.transform(durations("timedelta64[s]"))

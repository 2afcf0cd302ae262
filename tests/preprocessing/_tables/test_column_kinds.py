"""What a column holds, told by its type or its first value."""

import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from sk_mtl.preprocessing._tables._column_kinds import column_kinds, step_kinds


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        ([[1], [2]], "sequence"),
        ([None, (1, 2)], "sequence"),
        ([np.nan, np.array([1])], "sequence"),
        (pd.Series([[1], None], dtype=pd.ArrowDtype(pa.list_(pa.int64()))), "sequence"),
        (
            pd.Series([[1], None], dtype=pd.ArrowDtype(pa.large_list(pa.int8()))),
            "sequence",
        ),
        (
            pd.Series([[1], [2]], dtype=pd.ArrowDtype(pa.list_(pa.int8(), 1))),
            "sequence",
        ),
        (["[1]", "[2]"], "category"),
        ([None, None], "category"),
        ([dt.date(2024, 1, 1), None], "time"),
        (pd.Series([None, dt.datetime(2024, 1, 1)], dtype=object), "time"),
        (pd.Series([pd.NaT, np.datetime64("2024-01-01")], dtype=object), "time"),
        (pd.to_datetime(["2024-01-01", None]), "time"),
        (pd.to_datetime(["2024-01-01", None]).tz_localize("UTC"), "time"),
        (pd.Series([None, None], dtype=pd.ArrowDtype(pa.date32())), "time"),
        (pd.Series([None, None], dtype=pd.ArrowDtype(pa.timestamp("s"))), "time"),
        (pd.Series([None, dt.timedelta(1)], dtype=object), "duration"),
        (pd.to_timedelta(["1s", None]), "duration"),
        (pd.Series([None, None], dtype=pd.ArrowDtype(pa.duration("s"))), "duration"),
        (["2024-01-01", "2024-01-02"], "category"),
        (pd.Categorical(pd.to_datetime(["2024-01-01", None])), "category"),
        ([dt.time(9), dt.time(10)], "category"),
        (pd.PeriodIndex(["2024-01", "2024-02"], freq="M"), "time"),
        (pd.Series([None, pd.Period("2024-01", "M")], dtype=object), "time"),
        (pd.Categorical(pd.PeriodIndex(["2024-01", "2024-02"], freq="M")), "category"),
        ([1.5, np.nan], "number"),
        ([None, Decimal("1.5")], "number"),
        (pd.Series([None, None], dtype=pd.ArrowDtype(pa.decimal128(9, 2))), "number"),
        (pd.Series([None, None], dtype=pd.ArrowDtype(pa.decimal256(50))), "number"),
        (pd.Series([1, 2], dtype=object), "category"),
        (pd.Series([1, "a"], dtype=object), "category"),
        (pd.Series([1.5, None], dtype=object), "category"),
        (pd.array([1, None], dtype="Int64"), "number"),
        (pd.Series([1, None], dtype=pd.ArrowDtype(pa.int64())), "number"),
        ([True, False], "bool"),
        (pd.array([True, None], dtype="boolean"), "bool"),
    ],
)
def test_the_first_value_tells_the_kind_of_a_column(column, kind):
    X = pd.DataFrame({"a": column})
    assert step_kinds(X) == [kind]
    plain = {"number", "bool"}
    assert column_kinds(X) == [kind if kind in plain else "category"]


def test_a_long_gap_does_not_hide_the_kind():
    column = np.full(1000, None, dtype=object)
    assert step_kinds(pd.DataFrame({"a": column})) == ["category"]
    for position in (63, 64, 255, 256, 999):
        column = np.full(1000, None, dtype=object)
        column[position] = [1]
        assert step_kinds(pd.DataFrame({"a": column})) == ["sequence"]

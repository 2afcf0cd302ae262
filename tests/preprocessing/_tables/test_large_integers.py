"""Integers beyond 2**53 stay apart on their way to floats."""

import warnings
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from sk_mtl.exceptions import ColumnWarning
from sk_mtl.preprocessing import NumericScaler, make_tabular_preprocessor
from sk_mtl.preprocessing._tables._large_integers import find_offsets

STEPS = [0, 1, 2, 3, 4, 2, 1]
BASES = [1_234_567_890_123_456_768, -(2**62), 2**63 - 5, 2**63 + 7, -(2**63), 10**25]


def decimals(values, scale=0):
    kind = pd.ArrowDtype(pa.decimal128(38, scale))
    return pd.Series([Decimal(value) for value in values], dtype=kind)


def tables(base):
    """The same numbers in every container that holds them."""
    values = [base + step for step in STEPS]
    numbers = [Decimal(value) for value in values]
    found = {
        "objects": pd.Series(values, dtype=object),
        "Decimals": pd.Series(numbers, dtype=object),
        "decimals of Arrow": decimals(values),
    }
    if -(2**63) <= base < 2**63 - 5:
        found["int64"] = np.array(values, dtype=np.int64)
        found["Int64 with a gap"] = pd.array([*values, None], "Int64")
        found["Arrow"] = pd.array(values, pd.ArrowDtype(pa.int64()))
    if 0 <= base < 2**64 - 5:
        found["uint64"] = np.array(values, dtype=np.uint64)
    return {kind: pd.DataFrame({"id": column}) for kind, column in found.items()}


@pytest.mark.parametrize("base", BASES)
def test_large_integers_are_counted_from_the_least(base):
    for X in tables(base).values():
        scaler = NumericScaler("passthrough").fit(X)
        assert scaler.offsets_ == [base]
        for Z in tables(base).values():
            assert scaler.transform(Z)[: len(STEPS), 0].tolist() == STEPS
            one = NumericScaler.transform(scaler, Z[3:4])
            assert one[0, 0] == 3
        assert len(np.unique(NumericScaler().fit_transform(X[: len(STEPS)]))) == 5
        far = scaler.transform(pd.DataFrame({"id": [5]}))[0, 0]
        assert far == float(5 - base)


def test_arrays_and_polars():
    base = BASES[0]
    values = np.array([base + step for step in STEPS])
    for X in (values[:, None], pl.DataFrame({"id": values})):
        scaled = NumericScaler("passthrough").fit_transform(X)
        assert scaled[:, 0].tolist() == STEPS


def test_small_numbers_are_not_moved():
    X = pd.DataFrame(
        {
            "count": [2**53 - 1, 0],
            "large float": [2.0**60, 2.0**61],
            "price": decimals(["10.01", "10.02"], 2),
            "fine": decimals(["1234567890.123456789", "1234567891.123456789"], 9),
            "flag": [True, False],
            "empty": pd.Series([None, None], dtype="Int64"),
        }
    )
    assert find_offsets(X) == [0] * 6
    np.testing.assert_array_equal(
        NumericScaler("passthrough").fit_transform(X[["count"]]), [[2**53 - 1], [0]]
    )


def test_decimals_that_floats_would_merge():
    X = pd.DataFrame({"d": decimals(["1000000000000000.01", "1000000000000000.02"], 2)})
    distances = NumericScaler("passthrough").fit_transform(X)[:, 0]
    np.testing.assert_allclose(distances, [0, 0.01], rtol=1e-12)


def test_floats_in_place_of_large_integers_are_refused():
    base = BASES[0]
    scaler = NumericScaler().fit(pd.DataFrame({"id": [base, base + 1]}))
    message = (
        f"Column 'id' must hold exact integers, as in training, whose least value was "
        f"{base}; found the float .* Keep the column in an integer type"
    )
    for dtype in (float, object):
        with pytest.raises(ValueError, match=message):
            scaler.transform(pd.DataFrame({"id": [float(base)]}, dtype=dtype))
    missing = scaler.transform(pd.DataFrame({"id": [np.nan]}))
    assert missing.tolist() == [[0.0]], "the median"
    given = pd.DataFrame({"id": [1.5, np.nan]})
    scaler.transform(given)
    assert given["id"].tolist()[0] == 1.5, "the table is not written into"


@pytest.mark.parametrize("given", [True, False])
def test_the_default_preprocessor_names_columns_of_large_integers(given):
    X = pd.DataFrame({"campaign": [BASES[0], BASES[0] + 1], "n": [1, 2]})
    message = (
        "Column 'campaign' must hold quantities, .*; found integers beyond "
        "9,007,199,254,740,992, such as 1234567890123456768, .* kept apart, .* Convert "
        "identifiers to 'category' or text, times with pandas.to_datetime"
    )
    with pytest.warns(ColumnWarning, match=message) as caught:
        make_tabular_preprocessor(X if given else None).fit(X)
    assert len(caught) == 1
    listed = make_tabular_preprocessor(X, categorical_features=["campaign"])
    assert listed.fit_transform(X)[:, 1].tolist() == [1, 2]


@pytest.mark.parametrize("dtype", ["float64", "Float64", "float64[pyarrow]"])
def test_columns_of_integers_that_floats_have_rounded_are_named(dtype):
    values = [None, *(float(BASES[0] + 1000 * k) for k in range(8)), 0.0]
    X = pd.DataFrame({"campaign": pd.array(values, dtype=dtype), "n": range(10)})
    message = (
        "Column 'campaign' must hold quantities, .*; found floats beyond "
        "9,007,199,254,740,992, such as 1234.*floats have rounded.*'Int64'"
    )
    with pytest.warns(ColumnWarning, match=message) as caught:
        make_tabular_preprocessor(X)
    assert len(caught) == 1


@pytest.mark.parametrize(
    "values",
    [
        [1e17, *range(9)],
        [1e300, -1e300] * 5,
        [1e16] * 10,
        [2.0**53 - 1] * 10,
        [0.5] * 10,
    ],
)
def test_other_large_floats_are_quantities(values):
    X = pd.DataFrame({"mass": np.array(values, dtype=float), "n": range(10)})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        make_tabular_preprocessor(X)
        make_tabular_preprocessor(X.astype({"mass": "float64"}).to_numpy())

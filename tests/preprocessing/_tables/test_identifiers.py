import re
import warnings

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.base import clone

from sk_mtl.datasets import load_adult, load_census_income
from sk_mtl.exceptions import IdentifierWarning
from sk_mtl.preprocessing import make_tabular_preprocessor
from tests.preprocessing._sample_tables import import_polars

N = 20_000


def warned_columns(X, **parameters):
    """Names of the columns that a preprocessor of X warns of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        make_tabular_preprocessor(X, **parameters)
    assert {warning.category for warning in caught} <= {IdentifierWarning}
    texts = [str(warning.message) for warning in caught]
    return [name for name in X if any(f"of {name!r}, which" in text for text in texts)]


def frame_of(values, name="a"):
    return pd.DataFrame({name: values})


def random(name, *arguments):
    return getattr(np.random.default_rng(0), name)(*arguments, N)


def test_the_warning_says_what_to_do():
    X = pd.DataFrame({"age": np.arange(N) % 90, "user": np.arange(N)})
    with pytest.warns(IdentifierWarning) as caught:
        make_tabular_preprocessor(X)
    assert [str(warning.message) for warning in caught] == [
        "A column of integers must hold quantities, as it is scaled like any number; "
        "found 20,000 distinct values in 20,000 rows of 'user', which look like "
        "identifiers. Convert it, for instance with X.astype({'user': 'category'}), "
        "list it in `categorical_features`, or encode it by HashingEncoder. If it is a "
        "quantity after all, convert it to float."
    ]
    assert caught[0].filename == __file__


@pytest.mark.parametrize(
    "values",
    [
        np.arange(N),
        np.arange(N) + 2**62,
        np.arange(N, dtype=np.uint64) + 2**63,
        np.random.default_rng(0).permutation(N) + np.iinfo(np.int64).min,
        random("integers", 0, 2**63),
        random("integers", -(2**63), 2**63),
        random("integers", 10**6, 10**7).astype(np.int32),
        (np.arange(N) - N // 2).astype(np.int16),
        np.arange(N) * 10,
        pd.array([None, *range(N)], dtype="Int64"),
        pd.Series([None, *range(N)], dtype=pd.ArrowDtype(pa.int64())),
        pd.util.hash_array(np.arange(N)),
    ],
    ids=lambda values: str(values.dtype),
)
def test_sequences_random_numbers_and_hashes_are_identifiers(values):
    assert warned_columns(frame_of(values)) == ["a"]


@pytest.mark.parametrize(
    "values",
    [
        random("lognormal", 10, 1).astype(int),
        random("exponential", 1e6).astype(int),
        random("normal", 0, 1e6).astype(int),
        random("poisson", 10**9),
        random("gamma", 5, 1e6).astype(int),
    ],
    ids=["lognormal", "exponential", "normal", "poisson", "gamma"],
)
def test_sums_prices_and_measurements_are_quantities(values):
    assert len(np.unique(values)) > 10_000
    assert warned_columns(frame_of(values)) == []


def test_the_bundled_tables_hold_quantities():
    for load in (load_adult, load_census_income):
        X, _ = load(subset="train", return_X_y=True)
        assert warned_columns(X) == []
        assert warned_columns(X, categorical_features="from_dtype") == []
    assert load_adult().data["fnlwgt"].nunique() > 10_000


@pytest.mark.parametrize(
    "name",
    ["id", "user_id", "ID", "userId", "UserID", "itemid", "item.id", "user_id_2"]
    + ["Postal Code", "uuid", "primary-key", "session_ids", "url_hash"],
)
def test_a_name_tells_an_identifier(name):
    skewed = random("lognormal", 10, 1).astype(int)
    assert warned_columns(frame_of(skewed, name)) == [name]


@pytest.mark.parametrize(
    "name", ["paid", "total_bid", "humid", "idle", "keyed", "id_count", "codec"]
)
def test_a_name_that_only_looks_like_an_identifier(name):
    skewed = random("lognormal", 10, 1).astype(int)
    assert warned_columns(frame_of(skewed, name)) == []


@pytest.mark.parametrize("name", ["timestamp", "event_time", "unixTime", "created_at"])
def test_seconds_of_an_epoch_are_a_quantity(name):
    seconds = 1_700_000_000 + np.sort(random("integers", 0, 10**7))
    assert warned_columns(frame_of(seconds, name)) == []
    assert warned_columns(frame_of(seconds, "a")) == ["a"]


def test_few_distinct_values_are_no_cause():
    assert warned_columns(frame_of(np.arange(N) % 10_000, "user_id")) == []
    assert warned_columns(frame_of(np.arange(N) % 10_000 * 1000, "user_id")) == []
    assert warned_columns(frame_of(np.arange(N) % 10_001, "user_id")) == ["user_id"]
    assert warned_columns(frame_of(np.arange(10_001), "user_id")) == ["user_id"]
    assert warned_columns(frame_of(np.arange(10_000), "user_id")) == []


def test_only_integers_that_become_numbers_are_looked_at():
    ids = np.arange(N)
    for column in (ids.astype(float), ids.astype(str), pd.Categorical(ids)):
        assert warned_columns(frame_of(column, "user_id")) == []
    X = frame_of(ids, "user_id")
    assert warned_columns(X, categorical_features=["user_id"]) == []
    assert warned_columns(X, categorical_features=[]) == []
    assert warned_columns(X, categorical_features="from_dtype") == ["user_id"]


def test_other_tables():
    pl = import_polars()
    X = pd.DataFrame({"user": np.arange(N), "town": ["Oslo"] * N})
    for table in (X, pl.from_pandas(X), pa.Table.from_pandas(X)):
        with pytest.warns(IdentifierWarning, match="20,000 rows of 'user'"):
            make_tabular_preprocessor(table)
    with pytest.warns(IdentifierWarning, match="20,000 rows of 'x1'"):
        make_tabular_preprocessor(np.column_stack([np.arange(N) % 90, np.arange(N)]))


def test_columns_that_are_chosen_at_fit_are_looked_at_then():
    X = pd.DataFrame({"age": np.arange(N) % 90, "user": np.arange(N)})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        preprocessor = make_tabular_preprocessor()
        make_tabular_preprocessor(categorical_features=["user"]).fit(X)
    for table in (X, X.to_numpy()):
        with pytest.warns(IdentifierWarning) as caught:
            clone(preprocessor).fit(table)
        assert len(caught) == 1
        assert re.search("20,000 rows of '(user|x1)'", str(caught[0].message))


@pytest.mark.parametrize("dtype", [float, "Float64", "Int64"])
def test_integers_with_gaps_are_told_by_their_name(dtype):
    values = pd.Series([None, *random("lognormal", 10, 1).astype(int)], dtype=dtype)
    assert warned_columns(frame_of(values, "user_id")) == ["user_id"]
    assert warned_columns(frame_of(values, "a")) == []
    assert warned_columns(frame_of(values.dropna() + 0.5, "user_id")) == []
    assert warned_columns(frame_of(values + 0.5, "user_id")) == []
    even = pd.Series([np.nan, *range(N)])
    assert warned_columns(frame_of(even, "a")) == []
    # No gap: someone has made floats of them, as the warning says to do.
    assert warned_columns(frame_of(even.dropna(), "user_id")) == []


def test_the_warning_of_integers_with_gaps_says_what_to_do():
    X = frame_of([np.nan, *range(N)], "user_id")
    with pytest.warns(IdentifierWarning) as caught:
        make_tabular_preprocessor(X)
    assert str(caught[0].message) == (
        "A column of integers must hold quantities, as it is scaled like any number; "
        "found 20,000 distinct values in 20,000 rows of 'user_id', which look like "
        "identifiers. Convert it, for instance with X.astype({'user_id': 'category'}), "
        "list it in `categorical_features`, or encode it by HashingEncoder. If it is a "
        "quantity after all, ignore IdentifierWarning with warnings.simplefilter."
    )


def test_what_the_warning_says_to_do_can_be_done():
    X = np.column_stack([np.arange(N) % 90, np.arange(N)])
    with pytest.warns(IdentifierWarning) as caught:
        make_tabular_preprocessor(X)
    assert str(caught[0].message).endswith(
        "of 'x1', which look like identifiers. List it, for instance with "
        "categorical_features=[1], or encode it by HashingEncoder. If it is a quantity "
        "after all, convert it to float."
    )
    frame = pd.DataFrame(X)
    with pytest.warns(IdentifierWarning, match=r"X.astype\({1: 'category'}\)"):
        make_tabular_preprocessor(frame)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        make_tabular_preprocessor(X, categorical_features=[1]).fit(X)
        make_tabular_preprocessor(X.astype(float)).fit(X.astype(float))
        make_tabular_preprocessor(frame.astype({1: "category"}))


def test_a_million_rows_are_enough_to_tell():
    X = frame_of(np.arange(2_500_000))
    with pytest.warns(IdentifierWarning, match="found 1,250,000 distinct values in"):
        make_tabular_preprocessor(X)

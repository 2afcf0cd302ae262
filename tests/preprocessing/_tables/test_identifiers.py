import warnings
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.base import clone

from sk_mtl import ESMMClassifier, MMOEClassifier
from sk_mtl.datasets import load_adult, load_census_income, make_conversion_funnel
from sk_mtl.exceptions import ColumnWarning
from sk_mtl.preprocessing import make_tabular_preprocessor
from sk_mtl.preprocessing._tables._column_steps import columns_by_step, columns_to_read
from tests.preprocessing._sample_tables import import_polars

N = 60
QUICK = {"max_epochs": 1, "random_state": 0}


def frame_of(values, name):
    """A frame of one named column beside one of numbers."""
    return pd.DataFrame({name: values, "price": np.linspace(0, 1, len(values))})


def categories(X):
    """Names of the columns that the default preprocessor takes as categories."""
    columns = make_tabular_preprocessor(X).transformers[1][2]
    return [f"x{j}" if isinstance(j, int) else j for j in columns]


def few(dtype=int):
    """Whole numbers that come back."""
    return pd.Series(np.arange(N) % 7).astype(dtype)


@pytest.mark.parametrize(
    "name",
    ["id", "user_id", "ID", "userId", "UserID", "itemid", "item.id", "user_id_2"]
    + ["movie_ID", "Postal Code", "uuid", "primary-key", "session_ids", "url_hash"]
    + ["id_student", "idUser", "ID Item"],
)
def test_whole_numbers_named_as_identifiers_are_categories(name):
    assert categories(frame_of(few(), name)) == [name]


@pytest.mark.parametrize(
    "name",
    ["paid", "total_bid", "humid", "idle", "keyed", "id_count", "codec", "valid"]
    + ["ideal_user", "covid_user"],
)
def test_a_name_that_only_looks_like_an_identifier(name):
    assert categories(frame_of(few(), name)) == []


@pytest.mark.parametrize(
    "dtype",
    ["int8", "uint64", "Int64", "int64[pyarrow]", "float64", "float32", "Float64"]
    + [pd.ArrowDtype(pa.decimal128(20, 0))],
)
@pytest.mark.parametrize("has_gaps", [False, True])
def test_all_types_of_whole_numbers_may_be_identifiers(dtype, has_gaps):
    values = few("Float64")
    if has_gaps:
        values[3] = pd.NA
        dtype = {"int8": "float64", "uint64": "UInt64"}.get(dtype, dtype)
    if dtype in ("float64", "float32"):
        values = values.astype("object").where(values.notna(), np.nan)
    elif not isinstance(dtype, str):
        values = values.astype("Int64")
    X = frame_of(values.astype(dtype), "user_id")
    assert X["user_id"].hasnans == has_gaps
    assert categories(X) == ["user_id"]
    out = make_tabular_preprocessor(X).fit_transform(X)
    assert len(np.unique(out[:, 1])) == 7 + has_gaps


def test_decimals_may_be_identifiers():
    values = [Decimal(k) for k in range(7)] * 9
    assert categories(frame_of(values, "user_id")) == ["user_id"]
    assert categories(frame_of([v / 2 for v in values], "user_id")) == []


@pytest.mark.parametrize("dtype", ["float64", "float32", "Float64", "double[pyarrow]"])
def test_fractions_are_no_identifiers(dtype):
    values = few(float)
    values[3] += 0.5
    assert categories(frame_of(values.astype(dtype), "user_id")) == []


def test_two_values_are_enough_and_one_is_dropped_as_constant():
    assert categories(frame_of(np.arange(N) % 2, "user_id")) == ["user_id"]
    X = frame_of(np.zeros(N, int), "user_id")
    y = pd.DataFrame({"a": X["price"] > 0.3, "b": X["price"] > 0.7}).astype(int)
    assert "user_id" in MMOEClassifier(**QUICK).fit(X, y).schema_.dropped
    assert categories(frame_of([5], "user_id")) == ["user_id"]


def test_other_kinds_of_columns_keep_their_step():
    n = N // 2
    X = pd.DataFrame(
        {
            "is_valid_id": [True, False] * n,
            "session_id": pd.date_range("2024", periods=N),
            "item_ids": [[1, 2], [3]] * n,
            "visit_key": pd.to_timedelta(np.arange(N), "s"),
        }
    )
    positions = columns_to_read(X)
    assert positions["cat"] == [0]
    assert positions["time"] == [1, 3]
    assert positions["seq"] == [2]


def test_all_tables_and_moments_agree():
    pl = import_polars()
    X = frame_of(few(), "user_id").assign(town=["Oslo", "Rome", "Bonn"] * (N // 3))
    expected = make_tabular_preprocessor(X).fit_transform(X)
    np.testing.assert_array_equal(expected[:, 1], X["user_id"] + 1)
    for table in (X, pl.from_pandas(X), pa.Table.from_pandas(X)):
        for given in (table, None):
            preprocessor = make_tabular_preprocessor(given)
            if not isinstance(table, pa.Table):
                out = preprocessor.fit_transform(table)
                np.testing.assert_array_equal(out, expected)
            np.testing.assert_array_equal(preprocessor.fit_transform(X), expected)


def test_arrays_have_no_names():
    X = np.column_stack([np.arange(N) % 7, np.linspace(0, 1, N)])
    assert categories(X) == []


def test_a_list_of_categories_decides_alone():
    X = frame_of(np.arange(N), "row_id").assign(user_id=few())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for listed, codes in (([], []), (["row_id"], [0]), (["user_id"], [2])):
            positions = columns_to_read(X, listed)
            assert positions["codes"] == codes
            assert sorted(positions["codes"] + positions["num"]) == [0, 1, 2]


def test_integer_identifiers_rank_as_well_as_categories():
    X, y, _ = make_conversion_funnel(3000, n_users=200, random_state=0)
    X = X.drop(columns="history")
    integers = X.astype({"user_id": int, "item_id": int})
    models = [
        ESMMClassifier(max_epochs=2, random_state=0).fit(table[:2400], y[:2400])
        for table in (X, integers)
    ]
    for model in models:
        assert {"user_id", "item_id"} <= set(model.schema_.categorical_names)
    first, second = (
        model.predict_proba(table[2400:])
        for model, table in zip(models, (X, integers), strict=True)
    )
    np.testing.assert_allclose(first, second, atol=1e-6)


# Identifiers that are new in more than half of the rows.


def unique_ids(kind):
    ids = np.random.default_rng(0).permutation(N)
    return {
        "integer": ids,
        "text": [f"A-{i}" for i in ids],
        "str": pd.array([f"A-{i}" for i in ids], dtype="string"),
        "category": pd.Categorical(ids),
        "float": np.where(ids == 3, np.nan, ids),
    }[kind]


@pytest.mark.parametrize("kind", ["integer", "text", "str", "category", "float"])
@pytest.mark.parametrize("name", ["row_id", "order_id", "orderId", "ID"])
def test_an_identifier_of_a_row_is_left_out(kind, name):
    X = frame_of(unique_ids(kind), name)
    with pytest.warns(
        ColumnWarning, match=f"Column '{name}' is named as an identifier"
    ):
        preprocessor = make_tabular_preprocessor(X)
    names = preprocessor.fit(X).get_feature_names_out().tolist()
    assert names == ["price"]
    with pytest.warns(ColumnWarning, match="left out"):
        names = make_tabular_preprocessor().fit(X).get_feature_names_out().tolist()
    assert names == ["price"]


def test_the_warning_says_what_to_do():
    X = frame_of(np.arange(N) % 45, "order_id").assign(town=["Oslo", "Rome"] * (N // 2))
    with pytest.warns(ColumnWarning) as caught:
        make_tabular_preprocessor(X)
    assert [str(warning.message) for warning in caught] == [
        "Column 'order_id' is named as an identifier and must have values that come "
        "back in other rows; found 45 values in 60 rows, new in 75 % of them, so the "
        "column is left out. Drop it, or, to keep it as a category, list it among the "
        "columns of categories: categorical_features=['order_id', 'town']."
    ]
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        listed = ["order_id", "town"]
        kept = make_tabular_preprocessor(X, categorical_features=listed).fit(X)
        make_tabular_preprocessor().fit(X.drop(columns="order_id"))
    assert set(kept.get_feature_names_out()) == {"price", "order_id", "town"}


def test_half_of_the_rows_is_the_limit():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert categories(frame_of(np.arange(N) % 30, "user_id")) == ["user_id"]
    with pytest.warns(ColumnWarning, match="31 values in 60 rows, new in 51 %"):
        assert categories(frame_of(np.arange(N) % 31, "user_id")) == []


def test_rows_without_an_identifier_count():
    values = pd.Series(np.arange(N), dtype="Int64").mask(np.arange(N) >= 20)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert categories(frame_of(values, "referrer_id")) == ["referrer_id"]


@pytest.mark.parametrize("values", [np.arange(N), [f"A-{i}" for i in range(N)]])
def test_the_only_column_is_kept(values):
    X = frame_of(values, "row_id")[["row_id"]]
    with pytest.warns(ColumnWarning, match="kept only because X has no other column"):
        assert categories(X) == ["row_id"]


def test_a_fit_warns_once_at_the_line_of_the_user():
    X = frame_of(np.arange(N), "row_id")
    y = pd.DataFrame({"a": X["price"] > 0.3, "b": X["price"] > 0.7}).astype(int)
    early = clone(make_tabular_preprocessor())
    for preprocessor in (None, early):
        with pytest.warns(ColumnWarning) as caught:
            model = MMOEClassifier(preprocessor=preprocessor, **QUICK).fit(X, y)
        assert [warning.filename for warning in caught] == [__file__]
        assert model.schema_.numeric_names == ["price"]
        assert model.schema_.categorical_names == []
    # Training has left the column out: what it holds later is of no account.
    later = model.predict_proba(X.assign(row_id=-5))
    np.testing.assert_array_equal(later, model.predict_proba(X))


def test_values_without_a_hash_raise_the_error_of_the_encoder():
    X = frame_of([{1, 2}, {3}] * (N // 2), "row_id")
    with pytest.raises(TypeError, match="Column 'row_id': one value per row"):
        make_tabular_preprocessor(X).fit(X)


def test_the_bundled_tables_have_no_columns_to_warn_of():
    for load in (load_adult, load_census_income):
        X, _ = load(subset="train", return_X_y=True)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            positions = columns_to_read(X)
        assert positions == columns_by_step(X)


@pytest.mark.slow
def test_a_million_identifiers_are_encoded():
    n = 1_000_000
    ids = np.random.default_rng(0).integers(0, n // 3, n) * 7_919
    X = pd.DataFrame({"user_id": ids, "price": np.linspace(0, 1, n)})
    preprocessor = make_tabular_preprocessor(X).fit(X)
    assert preprocessor.named_transformers_["cat"].cardinalities_[0] > 300_000


# Columns that a parameter of an estimator names.

HISTORY = [[i, (i + 7) % N] for i in range(N)]


@pytest.mark.parametrize("container", ["pandas", "polars"])
@pytest.mark.parametrize(
    "parameters",
    [
        {"embedding_dim": {"user_id": 4}},
        {"embedding_dim": {0: 4}},
        {"feature_groups": {"user": ["user_id", "price"]}},
        {"shared_embedding": [["user_id", "history"]]},
        {"shared_embedding": [(0, 2)]},
        {
            "shared_embedding": [["history", "user_id"]],
            "sequence_pooling": {"history": "target_attention"},
            "sequence_target": {"history": "user_id"},
        },
    ],
)
def test_an_identifier_that_a_parameter_names_is_kept(parameters, container):
    X = frame_of(np.arange(N), "user_id")[["user_id", "price"]].assign(history=HISTORY)
    y = pd.DataFrame({"a": X["price"] > 0.3, "b": X["price"] > 0.7}).astype(int)
    X = pytest.importorskip("polars").DataFrame(X) if container == "polars" else X
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = MMOEClassifier(**parameters, **QUICK).fit(X, y)
    assert model.schema_.categorical_names == ["user_id"]


def test_a_parameter_keeps_no_other_identifier():
    X = frame_of(np.arange(N), "user_id").assign(order_id=np.arange(N))
    y = pd.DataFrame({"a": X["price"] > 0.3, "b": X["price"] > 0.7}).astype(int)
    with pytest.warns(ColumnWarning, match="Column 'order_id'.*left out") as caught:
        model = MMOEClassifier(embedding_dim={"user_id": 4}, **QUICK).fit(X, y)
    assert len(caught) == 1
    assert model.schema_.categorical_names == ["user_id"]

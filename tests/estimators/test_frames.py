"""Tables of polars and pyarrow give what pandas gives, bit for bit."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.compose import make_column_transformer
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sk_mtl import ESMMClassifier, MMOEClassifier
from sk_mtl.datasets import load_adult, make_conversion_funnel
from sk_mtl.metrics import make_task_scorer
from sk_mtl.model_selection import out_of_fold_proba
from tests.estimators.common import QUICK, assert_equal_proba


def arrow_from_polars(frame):
    """A pyarrow table that knows nothing of pandas."""
    return pl.from_pandas(frame).to_arrow()


#: Makers of tables from pandas frames.
TABLES = {
    "polars": pl.from_pandas,
    "pyarrow": pa.Table.from_pandas,
    "pyarrow of polars": arrow_from_polars,
}
each_table = pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)

#: Makers of columns from pandas series.
COLUMNS = {
    "polars": pl.from_pandas,
    "pyarrow": pa.Array.from_pandas,
    "pyarrow in chunks": lambda s: pa.chunked_array([s.iloc[:9], s.iloc[9:]]),
}
each_column = pytest.mark.parametrize("column", COLUMNS.values(), ids=COLUMNS)


@pytest.fixture(scope="module")
def adult():
    """The first rows of Adult, some of them without a label of the second task."""
    X, y = load_adult(subset="train", return_X_y=True)
    y = y.iloc[:600].astype("float64")
    y.iloc[::7, 1] = np.nan
    assert X.iloc[:600].isna().any(axis=None)
    return X.iloc[:600], y


@pytest.fixture(scope="module")
def funnel():
    """Impressions with a list of earlier items each, and when they were shown."""
    X, y, _ = make_conversion_funnel(600, n_users=50, n_items=30, random_state=0)
    # polars has no categories that are numbers.
    X = X.astype({"user_id": "str", "item_id": "str"})
    seconds = np.random.default_rng(0).integers(0, 10**8, len(X))
    X["shown"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(seconds, unit="s")
    X.loc[5, "shown"] = pd.NaT
    X["waited"] = pd.to_timedelta(seconds % 1000, unit="s")
    return X, y


@pytest.fixture(scope="module")
def fitted(adult):
    return MMOEClassifier(n_members=1, **QUICK).fit(*adult)


@each_table
def test_adult(adult, fitted, table):
    X, y = adult
    model = MMOEClassifier(**QUICK).fit(table(X), table(y))
    assert model.task_names_ == ["income", "married"]
    assert model.feature_names_in_.tolist() == X.columns.tolist()
    expected = fitted.predict_proba(X)
    assert_equal_proba(model.predict_proba(table(X)), expected)
    assert_equal_proba(model.predict_proba(X), expected)
    assert_equal_proba(fitted.predict_proba(table(X)), expected)
    np.testing.assert_array_equal(model.predict(table(X)), fitted.predict(X))
    assert model.score(table(X), table(y)) == fitted.score(X, y)


@each_table
def test_the_conversion_funnel(funnel, table):
    X, y = funnel
    expected = ESMMClassifier(**QUICK).fit(X, y)
    assert {"history", "shown_month"} <= set(expected.schema_.frame()["feature"])
    model = ESMMClassifier(**QUICK).fit(table(X), table(y))
    assert repr(model.schema_) == repr(expected.schema_)
    assert_equal_proba(model.predict_proba(table(X)), expected.predict_proba(X))
    assert_equal_proba(
        model.predict_conditional_proba(table(X)), expected.predict_conditional_proba(X)
    )


@each_table
def test_validation_rows_and_weights(adult, table):
    X, y = adult
    weight = pd.DataFrame(np.random.default_rng(0).random(y.shape), columns=list(y))

    def fit(make):
        return MMOEClassifier(**QUICK).fit(
            make(X.iloc[:450]),
            make(y.iloc[:450]),
            sample_weight=make(weight.iloc[:450]),
            X_val=make(X.iloc[450:]),
            y_val=make(y.iloc[450:]),
            sample_weight_val=make(weight.iloc[450:]),
        )

    expected, model = fit(lambda frame: frame), fit(table)
    pd.testing.assert_frame_equal(
        model.history_.drop(columns="seconds"),
        expected.history_.drop(columns="seconds"),
    )
    assert_equal_proba(model.predict_proba(table(X)), expected.predict_proba(X))
    scores = (
        model.score(table(X), table(y), table(weight)),
        expected.score(X, y, weight),
    )
    assert scores[0] == scores[1]


@each_table
def test_weights_in_another_order_are_found_by_name(adult, table):
    X, y = adult
    weight = pd.DataFrame({"married": 1.0, "income": np.arange(len(X)) % 3.0})
    model, other = (
        MMOEClassifier(**QUICK).fit(table(X), table(y), sample_weight=table(given))
        for given in (weight, weight[["income", "married"]])
    )
    assert_equal_proba(model.predict_proba(X), other.predict_proba(X))


@each_column
def test_single_columns(adult, column):
    X, y = adult
    label = y["income"].map({0: "low", 1: "high"}).astype(object)
    group = pd.Series(np.arange(len(X)) % 40)
    weight = pd.Series(np.random.default_rng(0).random(len(X)))
    make = MMOEClassifier(**QUICK, early_stopping=True)

    def fit(convert):
        return make.fit(
            X, convert(label), sample_weight=convert(weight), groups=convert(group)
        ).predict_proba(X)

    expected = fit(lambda series: series)
    assert_equal_proba(fit(column), expected)
    assert make.classes_.tolist() == ["high", "low"]


def test_the_name_of_a_single_column_is_that_of_the_task(adult):
    X, y = adult
    model = MMOEClassifier(**QUICK)
    for label, name in (
        (pl.Series("income", y["income"]), "income"),
        (pl.Series(y["income"].to_numpy()), "task_0"),
        (pa.array(y["income"]), "task_0"),
    ):
        assert model.fit(X, label).task_names_ == [name]


@pytest.mark.parametrize("dtype", [pl.Categorical, pl.Enum(["free", "paid", "none"])])
def test_category_columns_of_polars(dtype):
    plan = np.random.default_rng(0).choice(["free", "paid"], 200)
    X = pd.DataFrame({"plan": pd.Categorical(plan), "age": np.arange(200.0)})
    y = (plan == "paid").astype(int)
    y[::5] ^= 1
    Y = pl.from_pandas(X).with_columns(pl.Series("plan", plan).cast(dtype))
    expected = MMOEClassifier(**QUICK).fit(X, y).predict_proba(X)
    for table in (Y, Y.to_arrow()):
        model = MMOEClassifier(**QUICK).fit(table, y)
        assert_equal_proba(model.predict_proba(table), expected)
        assert model.schema_.cardinalities == [3]


def test_large_identifiers_with_gaps_stay_apart():
    ids = [2**53 + 1, 2**53 + 2, None] * 60
    X = pl.DataFrame({"id": ids, "age": np.arange(180.0)})
    y = np.array([0, 1, 1] * 60)
    for table in (X, X.to_arrow()):
        model = MMOEClassifier(**QUICK, categorical_features=["id"]).fit(table, y)
        assert model.schema_.cardinalities == [3], "unknown, and one for each number"
        proba = model.predict_proba(table)[:, 1]
        assert proba[0] != proba[1]


@each_table
def test_integers_with_gaps_are_numbers(table):
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"visits": pd.array(rng.integers(0, 9, 200), dtype="Int64")})
    X.loc[::9, "visits"] = pd.NA
    y = rng.integers(0, 2, (200, 2))
    model = MMOEClassifier(**QUICK).fit(table(X), y)
    assert model.schema_.numeric_names == ["visits", "missingindicator_visits"]
    floats = X.astype(float)
    expected = MMOEClassifier(**QUICK).fit(floats, y).predict_proba(floats)
    assert_equal_proba(model.predict_proba(table(X)), expected)


def make_columns():
    return make_column_transformer(
        (StandardScaler(), ["age", "hours_per_week"]),
        (OneHotEncoder(handle_unknown="ignore"), ["sex", "race"]),
        sparse_threshold=0,
    )


@each_table
def test_a_preprocessor_inside(adult, table):
    X, y = adult
    model = MMOEClassifier(preprocessor=make_columns(), **QUICK)
    expected = model.fit(X, y).predict_proba(X)
    assert_equal_proba(model.fit(table(X), table(y)).predict_proba(table(X)), expected)


def test_a_preprocessor_in_front(adult):
    X, y = adult
    pipeline = make_pipeline(make_columns(), MMOEClassifier(**QUICK))
    expected = pipeline.fit(X, y).predict_proba(X)
    table = pl.from_pandas(X)
    pipeline.fit(table, pl.from_pandas(y))
    assert_equal_proba(pipeline.predict_proba(table), expected)


@each_table
def test_searches_and_folds(adult, table):
    X, y = adult
    model = MMOEClassifier(max_epochs=1, batch_size=256, random_state=0)
    search = GridSearchCV(
        model, {"lr": [0.01, 0.1]}, cv=KFold(2), scoring=make_task_scorer("roc_auc")
    )
    expected = search.fit(X, y).cv_results_["mean_test_score"]
    found = search.fit(table(X), table(y)).cv_results_["mean_test_score"]
    np.testing.assert_array_equal(found, expected)
    assert_equal_proba(
        out_of_fold_proba(model, table(X), table(y), cv=KFold(2)),
        out_of_fold_proba(model, X, y, cv=KFold(2)),
    )

import pickle
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import (
    KBinsDiscretizer,
    MinMaxScaler,
    RobustScaler,
    StandardScaler,
)

from sk_mtl._frames import as_pandas
from sk_mtl.preprocessing import (
    CategoryEncoder,
    ElapsedTime,
    FeatureSchema,
    NumericScaler,
    make_tabular_preprocessor,
)
from tests.preprocessing._sample_tables import (
    import_polars,
    make_coded_array,
    make_mixed_frame,
)


def transform(preprocessor, X, training=None):
    """Codes and numbers of X, by name; `training` holds the training rows if not X."""
    training = X if training is None else training
    encoded = preprocessor.transform(training)
    schema = FeatureSchema.from_preprocessor(preprocessor, encoded)
    arrays = schema.transform(preprocessor, X, dtype=np.float64)
    return dict(zip(schema.categorical_names, arrays.codes.T, strict=True)) | dict(
        zip(schema.numeric_names, arrays.numeric.T, strict=True)
    )


def test_numbers_come_first_and_names_survive():
    X = make_mixed_frame()
    preprocessor = make_tabular_preprocessor(X).fit(X)
    assert isinstance(preprocessor, ColumnTransformer)
    assert [name for name, _, _ in preprocessor.transformers] == ["num", "cat"]
    assert preprocessor.get_feature_names_out().tolist() == [
        "age",
        "income",
        "visits",
        "missingindicator_income",
        "town",
        "colour",
        "member",
    ]


def test_numbers_are_imputed_by_the_median_and_scaled():
    X = pd.DataFrame({"a": [1.0, 2.0, np.nan, 9.0], "b": [1, 2, 3, 4]})
    out = make_tabular_preprocessor(X).fit_transform(X)
    filled = np.array([1.0, 2.0, 2.0, 9.0])
    np.testing.assert_allclose(out[:, 0], (filled - filled.mean()) / filled.std())
    assert out[:, 2].tolist() == [0.0, 0.0, 1.0, 0.0]
    assert out.shape == (4, 3), "a column without gaps needs no indicator"


def test_columns_are_chosen_when_fitted_without_a_table():
    X = make_mixed_frame()
    late = make_tabular_preprocessor().fit(X)
    early = make_tabular_preprocessor(X).fit(X)
    np.testing.assert_array_equal(late.transform(X), early.transform(X))
    copied = pickle.loads(pickle.dumps(clone(late))).fit(X)
    np.testing.assert_array_equal(copied.transform(X), early.transform(X))


@pytest.mark.parametrize("given", [True, False])
def test_a_table_of_numbers_is_imputed_and_scaled(given):
    frame = make_mixed_frame()[["age", "income"]]
    for X in (frame, frame.to_numpy(), frame.to_numpy().tolist()):
        preprocessor = make_tabular_preprocessor(X if given else None)
        out = preprocessor.fit_transform(X)
        assert out.shape == (60, 3)
        np.testing.assert_allclose(out[:, :2].mean(axis=0), 0, atol=1e-12)


def test_an_array_of_objects_is_read_by_its_contents():
    X = make_mixed_frame().astype({"visits": int})
    from_frame = make_tabular_preprocessor(X).fit_transform(X)
    objects = X.to_numpy(dtype=object)
    out = make_tabular_preprocessor(objects).fit_transform(objects)
    np.testing.assert_allclose(out, from_frame)


def test_columns_with_integer_names_are_taken_by_position():
    X = make_mixed_frame()
    expected = make_tabular_preprocessor(X).fit_transform(X)
    X.columns = range(X.shape[1])
    np.testing.assert_array_equal(
        make_tabular_preprocessor(X).fit_transform(X), expected
    )


def test_polars_gives_what_pandas_gives():
    pl = import_polars()
    X = make_mixed_frame()
    Y = pl.from_pandas(X)
    expected = make_tabular_preprocessor(X).fit_transform(X)
    for given in (Y, None):
        out = make_tabular_preprocessor(given).fit_transform(Y)
        np.testing.assert_allclose(out, expected)


@pytest.mark.parametrize(
    ("numeric", "scaler"),
    [("standard", StandardScaler), ("robust", RobustScaler)],
)
def test_numeric_names_a_scaler(numeric, scaler):
    X = make_mixed_frame()[["age"]]
    preprocessor = make_tabular_preprocessor(X, numeric=numeric)
    np.testing.assert_allclose(
        preprocessor.fit_transform(X), scaler().fit_transform(X.astype(float))
    )


def test_quantiles_follow_the_number_of_rows():
    X = pd.DataFrame({"a": np.exp(np.arange(12_000.0) / 2000)})
    preprocessor = make_tabular_preprocessor(X, numeric="quantile")
    assert preprocessor.get_params()["num__scaler__n_quantiles"] == 400
    out = preprocessor.fit_transform(X)
    np.testing.assert_array_equal(preprocessor.fit_transform(X), out)
    assert abs(np.median(out)) < 0.01
    assert out.std() == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("numeric", ["quantile", "both"])
@pytest.mark.parametrize("given", [True, False])
def test_few_rows_have_few_quantiles(given, numeric):
    """Without the warning of scikit-learn, which would be an error here."""
    X = make_log()[["price", "stay"]]
    preprocessor = make_tabular_preprocessor(X if given else None, numeric=numeric)
    preprocessor.fit(X)
    for scaler in (
        preprocessor.named_transformers_["num"],
        preprocessor.named_transformers_["time"][-1],
    ):
        fitted = scaler.scaler_
        parts = dict(getattr(fitted, "transformer_list", [("quantile", fitted)]))
        assert parts["quantile"].n_quantiles_ == 3
    asked = preprocessor.get_params()
    name = (
        "num__scaler__quantile__n_quantiles"
        if numeric == "both"
        else "num__scaler__n_quantiles"
    )
    assert asked[name] == (10 if given else 1000), "a larger table has more"


@pytest.mark.parametrize("given", [True, False])
def test_both_keeps_the_standard_copy_under_the_plain_name(given):
    X = make_mixed_frame(1200)[["age", "income", "town"]]
    both = make_tabular_preprocessor(X if given else None, numeric="both").fit(X)
    names = both.get_feature_names_out().tolist()
    copies = ["quantile__age", "quantile__income", "missingindicator_income", "town"]
    assert names == ["age", "income", *copies]
    out = pd.DataFrame(both.transform(X), columns=names)
    for numeric, columns in (("standard", names[:2]), ("quantile", names[2:4])):
        one = make_tabular_preprocessor(X if given else None, numeric=numeric)
        np.testing.assert_array_equal(out[columns], one.fit_transform(X)[:, :2])


def test_parameters_of_both_copies_are_reached():
    X = make_mixed_frame()
    preprocessor = make_tabular_preprocessor(X, numeric="both")
    assert preprocessor.get_params()["num__scaler__quantile__n_quantiles"] == 10
    preprocessor.set_params(
        num__scaler__quantile__n_quantiles=5, num__scaler__standard__with_mean=False
    )
    scaler = clone(preprocessor).fit(X).named_transformers_["num"].scaler_
    parts = dict(scaler.transformer_list)
    assert parts["quantile"].n_quantiles_ == 5
    assert parts["standard"].with_mean is False


def test_a_transformer_takes_the_place_of_the_scaler():
    X = make_mixed_frame()
    preprocessor = make_tabular_preprocessor(X, numeric=MinMaxScaler()).fit(X)
    assert transform(preprocessor, X)["age"].max() == 1
    bins = KBinsDiscretizer(3, quantile_method="averaged_inverted_cdf")
    out = make_tabular_preprocessor(X, numeric=bins).fit(X)
    assert "age_0.0" in out.get_feature_names_out(), "sparse output is made dense"


def test_an_unknown_scaling_raises():
    with pytest.raises(ValueError) as caught:
        make_tabular_preprocessor(numeric="minmax")
    assert str(caught.value) == (
        "`numeric` must be 'standard', 'quantile', 'robust', 'both' or a transformer "
        "with fit and transform; found 'minmax'."
    )


def test_rare_categories_are_joined():
    X = pd.DataFrame({"town": ["Oslo"] * 5 + ["Rome", "Bonn"]})
    preprocessor = make_tabular_preprocessor(X, min_frequency=2)
    assert len(set(preprocessor.fit_transform(X).ravel())) == 2
    preprocessor = make_tabular_preprocessor(X, max_categories=2)
    assert preprocessor.get_params()["cat__max_categories"] == 2


def test_parameters_are_reached_from_a_grid_search():
    X = make_mixed_frame()
    pipeline = Pipeline(
        [
            ("preprocessor", make_tabular_preprocessor(X, numeric="quantile")),
            ("model", KNeighborsClassifier(3)),
        ]
    )
    grid = {
        "preprocessor__num__scaler__n_quantiles": [5, 10],
        "preprocessor__cat__min_frequency": [None, 4],
    }
    search = GridSearchCV(pipeline, grid, cv=2, error_score="raise")
    search.fit(X, X["member"])
    fitted = search.best_estimator_[0].named_transformers_["num"].scaler_
    assert (
        fitted.n_quantiles_
        == search.best_params_["preprocessor__num__scaler__n_quantiles"]
    )


def test_an_unseen_category_and_a_new_gap_are_taken():
    X = make_mixed_frame()
    preprocessor = make_tabular_preprocessor(X).fit(X)
    new = X.iloc[:2].copy()
    new["town"], new["colour"] = "Paris", "green"
    new["age"] = [np.nan, 30.0]
    out = transform(preprocessor, new, training=X)
    assert out["town"].tolist() == [0, 0]
    assert out["colour"].tolist() == [0, 0]
    median = X["age"].median()
    scaled = (median - X["age"].mean()) / X["age"].std(ddof=0)
    assert out["age"][0] == pytest.approx(scaled)


def test_text_in_a_column_of_numbers_names_the_column():
    X = make_mixed_frame()
    preprocessor = make_tabular_preprocessor(X).fit(X)
    for text in ("old", "7"):
        with pytest.raises(
            ValueError, match=rf"'age' must hold numbers; found the text '{text}'"
        ):
            preprocessor.transform(X.assign(age=text))


def test_infinity_names_the_column():
    X = make_mixed_frame()
    X.loc[5, "income"] = -np.inf
    with pytest.raises(
        ValueError, match=r"'income' must hold finite numbers; found -infinity in row 5"
    ):
        make_tabular_preprocessor(X).fit(X)


@pytest.mark.parametrize("given", [True, False])
@pytest.mark.parametrize(
    ("column", "error"),
    [
        ([{1, 2}, {3}], "one value per row"),
        ([1 + 2j, 3j], "Complex data not supported"),
    ],
)
def test_columns_that_are_neither_numbers_nor_categories_raise(column, error, given):
    X = pd.DataFrame({"a": [1, 2], "history": column})
    with pytest.raises(
        (TypeError, ValueError), match=rf"'history'.*{error}|{error}.*'history'"
    ):
        make_tabular_preprocessor(X if given else None).fit(X)


# Points in time, durations and lists.


def make_log():
    """A frame with every kind of column that a log may have beside numbers and text."""
    return pd.DataFrame(
        {
            "history": [[1, 2], None, [2]],
            "at": pd.to_datetime(["2024-02-29 09:00", "2024-03-01 21:00", None]),
            "town": ["Oslo", "Rome", "Oslo"],
            "stay": pd.to_timedelta(["1s", None, "3s"]),
            "price": [1.0, 2.0, 4.0],
        }
    )


@pytest.mark.parametrize("given", [True, False])
def test_times_and_lists_have_steps_of_their_own(given):
    X = make_log()
    preprocessor = make_tabular_preprocessor(X if given else None)
    preprocessor.set_params(seq__max_length=2).fit(X)
    steps = [name for name, _, _ in preprocessor.transformers]
    assert steps == ["num", "time", "cat", "calendar", "seq"]
    assert preprocessor.get_feature_names_out().tolist() == [
        *["price", "at", "stay", "missingindicator_at", "missingindicator_stay"],
        *["town", "at_month", "at_weekday", "at_hour", "history_0", "history_1"],
    ]
    out = preprocessor.transform(X)
    # The medians of 0 and 1.5 days, and of 1 and 3 seconds.
    np.testing.assert_allclose(
        out[:, 1],
        StandardScaler().fit_transform([[0.0], [1.5], [0.75]])[:, 0],
        atol=1e-15,
    )
    np.testing.assert_allclose(out[:, 2], [-np.sqrt(1.5), 0, np.sqrt(1.5)], atol=1e-15)
    assert out[:, 3].tolist() == [0, 0, 1]
    assert out[:, 6:9].tolist() == [[1, 1, 1], [2, 2, 2], [3, 3, 3]]
    assert out[:, 9:].tolist() == [[1, 2], [-1, -1], [2, -1]]


def test_steps_that_a_table_needs_not_are_left_out():
    for columns, steps in (
        (["price"], ["num", "cat"]),
        (["stay"], ["num", "time", "cat"]),
        (["at"], ["num", "time", "cat", "calendar"]),
        (["history"], ["num", "cat", "seq"]),
    ):
        preprocessor = make_tabular_preprocessor(make_log()[columns])
        assert [name for name, _, _ in preprocessor.transformers] == steps


def test_steps_of_times_and_lists_are_set_like_the_others():
    preprocessor = make_tabular_preprocessor(
        make_log(), numeric="both", min_frequency=2, max_categories=3
    )
    parameters = preprocessor.get_params()
    assert isinstance(parameters["time__elapsed"], ElapsedTime)
    assert parameters["time__scale__scaler__quantile__n_quantiles"] == 10
    assert parameters["calendar__parts__parts"] == ("month", "weekday", "hour")
    for step in ("cat", "calendar__encode", "seq"):
        assert parameters[f"{step}__min_frequency"] == 2
        assert parameters[f"{step}__max_categories"] == 3
    preprocessor.set_params(num__scaler__quantile__n_quantiles=7)
    assert preprocessor.get_params()["time__scale__scaler__quantile__n_quantiles"] == 10


def test_an_array_of_objects_may_hold_times_and_lists():
    X = make_log()
    expected = make_tabular_preprocessor(X).fit_transform(X)
    objects = X.to_numpy(dtype=object)
    for given in (objects, None):
        preprocessor = make_tabular_preprocessor(given).fit(objects)
        np.testing.assert_array_equal(preprocessor.transform(objects), expected)
    assert "x1_month" in preprocessor.get_feature_names_out()


def test_other_frames_with_times_and_lists_give_what_pandas_gives():
    pl = import_polars()
    X = make_log()
    expected = make_tabular_preprocessor(X).fit_transform(X)
    for given in (pl.from_pandas(X), None):
        preprocessor = make_tabular_preprocessor(given).fit(pl.from_pandas(X))
        np.testing.assert_array_equal(
            preprocessor.transform(pl.from_pandas(X)), expected
        )
    table = pa.Table.from_pandas(X)
    preprocessor = make_tabular_preprocessor(table)
    np.testing.assert_array_equal(preprocessor.fit_transform(X), expected)


@pytest.mark.parametrize("given", [True, False])
def test_decimals_are_numbers_in_every_container(given):
    pl = import_polars()
    values = {"price": [Decimal("1.5"), None, Decimal("2.5"), Decimal("5")]}
    expected = NumericScaler().fit_transform([[1.5], [np.nan], [2.5], [5]])
    objects = pd.DataFrame(values)
    assert objects["price"].dtype == object
    for X in (
        objects,
        objects.astype({"price": pd.ArrowDtype(pa.decimal128(9, 2))}),
        objects.astype({"price": pd.ArrowDtype(pa.decimal256(50, 2))}),
        objects.to_numpy(),
        pl.DataFrame(values),
    ):
        preprocessor = make_tabular_preprocessor(X if given else None).fit(X)
        np.testing.assert_array_equal(preprocessor.transform(X), expected)
        np.testing.assert_array_equal(preprocessor.transform(X[:1]), expected[:1])
    table = pa.table(values)
    preprocessor = make_tabular_preprocessor(table if given else None).fit(objects)
    frame = as_pandas(table)
    np.testing.assert_array_equal(preprocessor.transform(frame), expected)


def test_text_among_decimals_names_the_column():
    X = pd.DataFrame({"price": [Decimal("1.5"), "cheap"]})
    with pytest.raises(ValueError, match="'price' must hold numbers; found the text"):
        make_tabular_preprocessor(X).fit(X)


@pytest.mark.parametrize("given", [True, False])
def test_periods_count_from_their_start(given):
    months = pd.PeriodIndex(["2024-02", None, "2024-03"], freq="M")
    X = pd.DataFrame({"month": months})
    starts = pd.DataFrame({"month": months.to_timestamp()})
    expected = make_tabular_preprocessor(starts).fit_transform(starts)
    for table in (X, X.astype(object)):
        preprocessor = make_tabular_preprocessor(table if given else None).fit(table)
        np.testing.assert_array_equal(preprocessor.transform(table), expected)
        np.testing.assert_array_equal(preprocessor.transform(X[:1]), expected[:1])


@pytest.mark.parametrize("given", [True, False])
def test_histories_may_first_come_after_training(given):
    X = pd.DataFrame({"age": [1.0, 2.0], "history": [None, None]}, dtype=object)
    X = X.astype({"age": float})
    preprocessor = make_tabular_preprocessor(X if given else None)
    schema = FeatureSchema.from_preprocessor(
        preprocessor, preprocessor.fit_transform(X)
    )
    assert list(schema.dropped) == ["history"]
    later = X.assign(history=[[1, 2], None])
    for rows in (later, later[:1], pd.concat([later] * 5)):
        arrays = schema.transform(preprocessor, rows)
        assert arrays.numeric.shape == (len(rows), 1)
    only = X[["history"]]
    schema = FeatureSchema.from_preprocessor("passthrough", only)
    for rows in (later, later[:1], pd.concat([later] * 5)):
        codes = schema.transform("passthrough", rows[["history"]]).codes
        assert codes[:, 0].tolist() == ([0, 1] * 5)[: len(rows)]


def test_a_part_of_the_calendar_may_have_the_name_of_a_column():
    X = make_log()[["at"]].assign(at_month=[5.0, 6.0, 8.0])
    preprocessor = make_tabular_preprocessor(X).fit(X)
    names = preprocessor.get_feature_names_out().tolist()
    assert names[:2] == ["num__at_month", "time__at"]
    assert "calendar__at_month" in names
    assert make_tabular_preprocessor(X[["at"]]).verbose_feature_names_out is False


def test_times_and_lists_survive_cloning_pickling_and_output_containers():
    X = make_log()
    preprocessor = make_tabular_preprocessor().set_output(transform="pandas").fit(X)
    out = preprocessor.transform(X)
    assert list(out) == preprocessor.get_feature_names_out().tolist()
    copied = pickle.loads(pickle.dumps(clone(preprocessor).fit(X)))
    pd.testing.assert_frame_equal(copied.transform(X), out)


@pytest.mark.parametrize("given", [True, False])
def test_a_list_of_categories_need_not_name_times_and_lists(given):
    X = make_log()
    expected = make_tabular_preprocessor(X).fit_transform(X)
    # A column of lists may be named: its items are categories.
    for listed in (["town"], ["town", "history"]):
        preprocessor = make_tabular_preprocessor(
            X if given else None, categorical_features=listed
        )
        np.testing.assert_array_equal(preprocessor.fit_transform(X), expected)


@pytest.mark.parametrize("given", [True, False])
@pytest.mark.parametrize(("name", "kind"), [("at", "times"), ("stay", "durations")])
def test_a_list_of_categories_must_not_name_times(name, kind, given):
    X = make_log()
    with pytest.raises(TypeError) as caught:
        make_tabular_preprocessor(
            X if given else None, categorical_features=["town", name]
        ).fit(X)
    assert str(caught.value) == (
        f"Column {name!r} is listed in `categorical_features` and must hold text, "
        f"numbers, categories or lists; found {kind}. Convert it to 'category' to take "
        "each value as a category, or leave it out of the list, where it becomes "
        "elapsed time and parts of the calendar."
    )


def test_repeated_names_raise():
    X = pd.DataFrame([[1, 2]], columns=["a", "a"])
    with pytest.raises(ValueError, match=r"different names; found \['a'\]"):
        make_tabular_preprocessor(X)


def test_the_steps_are_the_documented_ones():
    X = make_coded_array()
    preprocessor = make_tabular_preprocessor(
        X, categorical_features=[2, 3], min_frequency=2
    )
    steps = {name: step for name, step, _ in preprocessor.transformers}
    assert isinstance(steps["num"], NumericScaler)
    assert isinstance(steps["cat"], CategoryEncoder)
    assert preprocessor.get_params()["codes__encode__min_frequency"] == 2

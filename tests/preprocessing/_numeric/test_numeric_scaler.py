import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.impute import SimpleImputer
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import QuantileTransformer, RobustScaler, StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from sk_mtl.preprocessing import NumericScaler
from tests.preprocessing._sample_tables import import_polars


@pytest.mark.parametrize("scaler", [None, "passthrough", RobustScaler()])
def test_every_check_of_scikit_learn_passes(scaler):
    results = check_estimator(NumericScaler(scaler), on_skip=None)
    passed = [result for result in results if result["status"] == "passed"]
    assert len(passed) > 40
    assert len(results) - len(passed) <= 1, "only the array API check may be skipped"


def table_with_gaps(n_samples=50):
    X = np.random.default_rng(0).lognormal(size=(n_samples, 4))
    X[::7, 1], X[3, 2] = np.nan, np.nan
    return X


def test_it_equals_an_imputer_and_a_scaler():
    X = table_with_gaps()
    imputer = SimpleImputer(strategy="median", add_indicator=True)
    expected = make_pipeline(imputer, StandardScaler()).fit_transform(X)
    out = NumericScaler().fit_transform(X)
    np.testing.assert_allclose(out[:, :4], expected[:, :4])
    np.testing.assert_array_equal(out[:, 4:], np.isnan(X[:, [1, 2]]))


def test_names_are_those_of_the_imputer():
    X = pd.DataFrame(table_with_gaps(), columns=list("abcd"))
    imputer = SimpleImputer(strategy="median", add_indicator=True).fit(X)
    names = NumericScaler().fit(X).get_feature_names_out()
    np.testing.assert_array_equal(names, imputer.get_feature_names_out())


def test_a_column_without_any_value_stays_at_zero():
    X = table_with_gaps()
    X[:, 0] = np.nan
    scaler = NumericScaler().fit(X)
    new = np.ones((1, 4))
    assert scaler.transform(new)[0, 0] == 0
    assert scaler.empty_.tolist() == [True, False, False, False]


def test_missing_values_of_every_container_are_imputed():
    expected = NumericScaler().fit_transform([[1.0], [np.nan], [3.0]])
    for column in (
        pd.array([1, None, 3], dtype="Int64"),
        pd.array([1.0, None, 3.0], dtype="Float32"),
        np.array([1, None, 3], dtype=object),
        [1, pd.NA, 3],
    ):
        out = NumericScaler().fit_transform(pd.DataFrame({"a": column}))
        np.testing.assert_array_equal(out, expected)


def test_rows_do_not_depend_on_each_other():
    X = table_with_gaps()
    scaler = NumericScaler().fit(X)
    rows = np.vstack([scaler.transform(X[[i]]) for i in range(len(X))])
    np.testing.assert_array_equal(rows, scaler.transform(X))


def test_the_table_is_left_as_it_was():
    X = table_with_gaps()
    before = X.copy()
    NumericScaler().fit_transform(X)
    np.testing.assert_array_equal(X, before)


def test_parameters_of_the_scaler_are_nested():
    scaler = NumericScaler(QuantileTransformer(n_quantiles=10))
    assert set(scaler.get_params(deep=False)) == {"scaler"}
    assert NumericScaler(**scaler.get_params(deep=False)).scaler is scaler.scaler
    scaler.set_params(scaler__n_quantiles=5)
    assert scaler.scaler.n_quantiles == 5
    scaler.set_params(scaler=StandardScaler(), scaler__with_mean=False)
    assert clone(scaler).scaler.with_mean is False
    with pytest.raises(ValueError, match="Invalid parameter 'with_mean'"):
        scaler.set_params(with_mean=False)


def two_copies(first="standard", second="quantile"):
    return FeatureUnion(
        [(first, StandardScaler()), (second, QuantileTransformer(n_quantiles=10))]
    )


def test_a_union_of_scalers_makes_copies():
    X = pd.DataFrame(table_with_gaps(), columns=list("abcd"))
    scaler = NumericScaler(two_copies()).fit(X)
    out = scaler.transform(X)
    np.testing.assert_array_equal(out[:, :4], NumericScaler().fit_transform(X)[:, :4])
    quantile = NumericScaler(QuantileTransformer(n_quantiles=10))
    np.testing.assert_array_equal(out[:, 4:], quantile.fit_transform(X))
    assert scaler.get_feature_names_out().tolist() == [
        *"abcd",
        *(f"quantile__{name}" for name in "abcd"),
        "missingindicator_b",
        "missingindicator_c",
    ]


def test_the_first_copy_keeps_its_prefix_where_a_plain_name_is_taken():
    X = pd.DataFrame(table_with_gaps()[:, [0, 3]], columns=["a", "quantile__a"])
    names = NumericScaler(two_copies()).fit(X).get_feature_names_out().tolist()
    assert names[:3] == ["standard__a", "standard__quantile__a", "quantile__a"]


@pytest.mark.parametrize("transform", ["pandas", "polars"])
def test_a_union_of_scalers_works_where_frames_are_the_output(transform):
    if transform == "polars":
        import_polars()
    X = pd.DataFrame(table_with_gaps(), columns=list("abcd"))
    expected = NumericScaler(two_copies()).fit_transform(X)
    with config_context(transform_output=transform):
        scaler = NumericScaler(two_copies()).fit(X)
        out = scaler.transform(X)
    assert list(out.columns) == scaler.get_feature_names_out().tolist()
    np.testing.assert_array_equal(out.to_numpy(), expected)


@pytest.mark.parametrize(
    ("scaler", "expected"),
    [
        (None, [(0, "value"), (1, "value")]),
        ("passthrough", [(0, "value"), (1, "value")]),
        (RobustScaler(), [(0, "value"), (1, "value")]),
        (two_copies(), [(0, "value"), (1, "value"), (0, "copy"), (1, "copy")]),
        (
            FeatureUnion(
                [("a", "drop"), ("b", "passthrough"), ("c", StandardScaler())]
            ),
            [(0, "value"), (1, "value"), (0, "copy"), (1, "copy")],
        ),
        (PCA(1), [(None, "value")]),
        (
            FeatureUnion([("pca", PCA(1)), ("standard", StandardScaler())]),
            [(None, "value"), (0, "value"), (1, "value")],
        ),
    ],
)
def test_the_sources_of_the_output(scaler, expected):
    X = table_with_gaps()[:, [0, 1]]
    scaler = NumericScaler(scaler).fit(X)
    assert scaler.output_sources() == [*expected, (1, "indicator")]
    assert len(scaler.output_sources()) == scaler.transform(X).shape[1]


def test_no_sources_before_fit():
    with pytest.raises(NotFittedError):
        NumericScaler().output_sources()


def test_a_mistyped_parameter_raises():
    with pytest.raises(ValueError, match="Invalid parameter 'n_quantile'"):
        NumericScaler(QuantileTransformer()).set_params(n_quantile=5)
    with pytest.raises(ValueError, match="Invalid parameter 'n_quantile'"):
        NumericScaler().set_params(n_quantile=5)
    with pytest.raises(ValueError, match="'scaler' parameter of NumericScaler"):
        NumericScaler("minmax").fit([[1.0]])


def test_no_rows_raise():
    with pytest.raises(ValueError, match="needs at least one row in fit; found 0"):
        NumericScaler().fit(pd.DataFrame({"a": np.zeros(0)}))


def test_what_is_no_number_raises_and_names_the_column():
    for column, error in (
        (["a", "b"], "'a' must hold numbers; found the text 'a'"),
        (pd.Categorical(["a", "b"]), "'a' must hold numbers; found the text 'a'"),
        (pd.to_datetime(["2024-01-01"] * 2), "'a'.*found a Timestamp"),
        ([{}, {}], "'a'.*found a dict"),
    ):
        with pytest.raises((TypeError, ValueError), match=error):
            NumericScaler().fit(pd.DataFrame({"a": column}))


def test_it_survives_pickling_and_output_containers():
    X = pd.DataFrame(table_with_gaps(), columns=list("abcd"))
    scaler = NumericScaler().fit(X)
    copied = pickle.loads(pickle.dumps(scaler))
    np.testing.assert_array_equal(copied.transform(X), scaler.transform(X))
    out = clone(scaler).set_output(transform="pandas").fit_transform(X)
    assert list(out) == scaler.get_feature_names_out().tolist()


def test_infinity_in_an_array_names_the_position():
    with pytest.raises(ValueError, match=r"'1 of the numbers' must hold finite"):
        NumericScaler().fit([[1.0, np.inf]])


def test_it_is_drawn_with_its_scaler():
    assert "RobustScaler" in NumericScaler(RobustScaler())._repr_html_()
    assert repr(NumericScaler()) == "NumericScaler()"


def test_numbers_whose_squares_overflow_are_cut_off():
    X = np.array([[1.0], [2.0], [1e300], [np.nan]])
    scaler = NumericScaler().fit(X)
    cut = np.where(X > 1e140, 1e140, X)
    np.testing.assert_array_equal(scaler.transform(X), scaler.transform(cut))
    assert np.isfinite(scaler.scaler_.scale_).all()
    few = scaler._transform_rows([[-1.7e308], [np.nan]])
    np.testing.assert_array_equal(few, scaler.transform([[-1e140], [np.nan]]))
    assert X[2, 0] == 1e300
    largest = NumericScaler().fit(np.full((3, 1), 1.7e308))
    assert largest.medians_ == [1e140]

"""Inside scikit-learn: pipelines, searches, routing, and other kinds of tables."""

import pickle

import numpy as np
import polars as pl
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.ensemble import StackingClassifier
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    learning_curve,
)
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OrdinalEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import estimator_html_repr

from sk_mtl import ESMMClassifier, MMOEClassifier
from sk_mtl.metrics import make_task_scorer
from sk_mtl.model_selection import out_of_fold_proba
from sk_mtl.preprocessing import CategoryEncoder, make_tabular_preprocessor
from tests.estimators.common import (
    QUICK,
    assert_equal_proba,
    funnel_table,
    mixed_table,
)

TWO = KFold(2)


@pytest.fixture(scope="module")
def table():
    return mixed_table()


def make(cls=MMOEClassifier, **options):
    return cls(**{**QUICK, **options})


def numbers_and_codes():
    """A ColumnTransformer of scikit-learn's own parts: two numbers, then two codes."""
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    return ColumnTransformer(
        [
            ("num", StandardScaler(), make_column_selector(dtype_include="number")),
            ("cat", encoder, make_column_selector(dtype_exclude="number")),
        ]
    )


def search(model, grid, **options):
    settings = {"cv": TWO, "error_score": "raise", **options}
    return GridSearchCV(model, grid, **settings)


def test_a_search_over_sizes_and_experts(table):
    X, y = table
    pipeline = Pipeline([("model", make(preprocessor=make_tabular_preprocessor(X)))])
    grid = {
        "model__n_experts": [1, 3],
        "model__expert_hidden_sizes": [(8,), (8, 4)],
        "model__tower_hidden_sizes": [(4,), [(4,), (8, 4)]],
    }
    scoring = {"mean": "roc_auc", "buy": make_task_scorer("roc_auc", task="buy")}
    found = search(pipeline, grid, scoring=scoring, refit="buy").fit(X, y)
    assert len(found.cv_results_["params"]) == 8
    assert np.isfinite(found.cv_results_["mean_test_mean"]).all()
    proba = found.predict_proba(X)
    assert type(proba) is list
    assert [p.shape for p in proba] == [(240, 2)] * 2
    best = found.best_estimator_["model"]
    experts = best.net_.module_.wiring.experts
    assert experts.n_experts == found.best_params_["model__n_experts"]
    assert_equal_proba(proba, pickle.loads(pickle.dumps(found)).predict_proba(X))


@pytest.mark.parametrize(
    "sizes", [[(4,), {"churn": (4,), "buy": ()}], [[(4,), ()], (4, 4)]]
)
def test_a_search_over_towers_of_one_task(table, sizes):
    found = search(make(ESMMClassifier, structure="independent"), {
        "tower_hidden_sizes": sizes
    }).fit(*table)  # fmt: skip
    assert found.best_params_["tower_hidden_sizes"] in sizes


def test_a_search_reaches_into_the_preprocessor(table):
    X, y = table
    towns = X["town"].to_numpy(object, copy=True)
    towns[::60], towns[1::60] = "Rare", "Rarer"
    X = X.assign(town=towns)
    model = make(preprocessor=make_tabular_preprocessor(X, numeric="quantile"))
    assert "preprocessor__num__scaler__n_quantiles" in model.get_params()
    grid = {
        "preprocessor__cat__min_frequency": [None, 20],
        "preprocessor__num__scaler__n_quantiles": [10],
    }
    found = search(model, grid).fit(X, y)
    for frequency, cardinality in ((None, 6), (20, 5)):
        model = clone(found.estimator).set_params(
            preprocessor__cat__min_frequency=frequency
        )
        schema = model.fit(X, y).schema_.frame().set_index("feature")
        assert schema.loc["town", "cardinality"] == cardinality
    rare = model.preprocessor_.named_transformers_["cat"].infrequent_categories_[0]
    assert rare.tolist() == ["Rare", "Rarer"]


def test_the_score_of_a_search_is_the_mean_accuracy(table):
    X, y = table
    scores = cross_val_score(make(), X, y, cv=TWO)
    train, test = next(TWO.split(X))
    model = make().fit(X.iloc[train], y.iloc[train])
    assert scores[0] == model.score(X.iloc[test], y.iloc[test])


def test_a_transformer_inside_equals_one_before(table):
    X, y = table
    inside = make(preprocessor=numbers_and_codes()).fit(X, y)
    before = Pipeline(
        [("columns", numbers_and_codes()), ("model", make(categorical_features=[2, 3]))]
    ).fit(X, y)
    assert inside.schema_.cardinalities == before["model"].schema_.cardinalities
    # The rows are scaled twice where the transformer stands before: equal up to that.
    assert_equal_proba(
        inside.predict_proba(X), before.predict_proba(X), rtol=0, atol=1e-3
    )


def test_a_transformer_before_may_give_a_frame(table):
    X, y = table
    columns = numbers_and_codes().set_output(transform="pandas")
    listed = make(categorical_features=["cat__town", "cat__plan"])
    model = Pipeline([("columns", columns), ("model", listed)]).fit(X, y)
    assert model["model"].schema_.categorical_names == ["cat__town", "cat__plan"]
    assert model["model"].feature_names_in_[0] == "num__age"


def test_codes_of_an_earlier_encoder_know_the_unknown(table):
    X, y = table
    model = Pipeline(
        [("columns", numbers_and_codes()), ("model", make(categorical_features=[2, 3]))]
    ).fit(X, y)
    never, other = (model.predict_proba(X.assign(town=town)) for town in ("A", "B"))
    assert_equal_proba(never, other)
    assert np.isfinite(never[0]).all()


def test_from_dtype_reads_the_category_columns(table):
    X, y = table
    X = X.assign(town=X["town"].astype("category"))
    model = make(categorical_features="from_dtype").fit(X, y)
    assert model.schema_.categorical_names == ["town", "plan"]


def test_folds_keep_their_encoders_to_themselves(table):
    X, y = table
    X = X.assign(town=np.where(np.arange(240) < 120, "Early", "Late"))
    found = cross_validate(make(), X, y, cv=TWO, return_estimator=True)
    towns = [
        model.preprocessor_.named_transformers_["cat"].categories_[0].tolist()
        for model in found["estimator"]
    ]
    assert towns == [["Late"], ["Early"]]


def test_cross_val_predict_with_task_names(table):
    X, y = table
    weights = {"buy": 2.0}
    proba = cross_val_predict(
        make(task_weights=weights, task_names=["churn", "buy"]),
        *(X, y),
        cv=TWO,
        method="predict_proba",
    )
    assert [p.shape for p in proba] == [(240, 2)] * 2
    own = out_of_fold_proba(make(task_weights=weights), X, y, cv=TWO)
    assert_equal_proba(proba, own)
    with pytest.raises(ValueError, match=r"task_weights must be keyed by task names"):
        cross_val_predict(
            make(task_weights=weights), X, y, cv=TWO, method="predict_proba"
        )


def test_cross_val_predict_of_labels(table):
    X, y = table
    named = y.replace({0: "no", 1: "yes"})
    labels = cross_val_predict(make(lr=0.02), X, named, cv=TWO)
    assert labels.shape == (240, 2)
    assert set(labels.ravel()) == {"no", "yes"}


def test_out_of_fold_probabilities_with_missing_labels(table):
    X, y = table
    gaps = y.astype(float)
    gaps.iloc[::3, 1] = np.nan
    proba = out_of_fold_proba(make(), X, gaps, cv=TWO)
    assert [p.shape for p in proba] == [(240, 2)] * 2
    train, test = next(TWO.split(X))
    model = make().fit(X.iloc[train], gaps.iloc[train])
    held_out = [p[test] for p in proba]
    assert_equal_proba(held_out, model.predict_proba(X.iloc[test]))


def test_scorers_of_all_tasks_read_missing_and_text_labels(table):
    X, y = table
    labels = y.astype(object).replace({0: "no", 1: "yes"})
    labels.iloc[::4, 0] = None
    scoring = {"auc": make_task_scorer("roc_auc"), "loss": make_task_scorer("log_loss")}
    found = cross_validate(make(), X, labels, cv=TWO, scoring=scoring)
    assert np.isfinite(found["test_auc"]).all()
    assert (found["test_loss"] < 0).all()
    assert np.isfinite(cross_val_score(make(), X, labels, cv=TWO)).all()


def test_learning_curves_work(table):
    X, y = table
    _, train, test = learning_curve(make(), X, y, cv=TWO, train_sizes=[0.5, 1.0])
    assert np.isfinite(train).all()
    assert np.isfinite(test).all()


def test_a_vector_y_works_in_stacks(table):
    X, y = table
    stack = StackingClassifier(
        [("mmoe", make()), ("again", make(random_state=1))],
        DecisionTreeClassifier(),
        cv=2,
    ).fit(X, y["buy"])
    assert stack.predict_proba(X).shape == (240, 2)


def test_validation_rows_pass_through_a_pipeline(table):
    X, y = table
    parts = {"X_val": X[160:], "y_val": y[160:]}
    columns = numbers_and_codes()
    with config_context(enable_metadata_routing=True):
        model = make(categorical_features=[2, 3]).set_fit_request(
            X_val=True, y_val=True
        )
        pipeline = Pipeline(
            [("columns", columns), ("model", model)], transform_input=["X_val"]
        ).fit(X[:160], y[:160], **parts)
    fitted = pipeline["model"]
    assert fitted.history_["valid_loss"].notna().all()
    # The same by hand: the transformer never saw the validation rows.
    columns = clone(columns).fit(X[:160])
    by_hand = make(categorical_features=[2, 3]).fit(
        columns.transform(X[:160]),
        y[:160],
        X_val=columns.transform(X[160:]),
        y_val=y[160:],
    )
    assert by_hand.history_["valid_loss"].equals(fitted.history_["valid_loss"])
    assert_equal_proba(
        by_hand.predict_proba(columns.transform(X)), pipeline.predict_proba(X)
    )


def test_fit_can_request_everything_it_takes():
    requests = MMOEClassifier().get_metadata_routing()
    assert set(requests.fit.requests) == {
        *("sample_weight", "X_val", "y_val", "sample_weight_val", "groups"),
        *("classes", "soft_labels"),
    }
    passed = {"classes", "sample_weight", "soft_labels"}
    assert set(requests.partial_fit.requests) == passed
    assert set(requests.score.requests) == {"sample_weight"}


def test_sample_weight_is_routed_through_a_search(table):
    X, y = table
    weight = np.where(y["churn"] == 1, 10.0, 1.0)
    grid = {"n_experts": [2]}
    with config_context(enable_metadata_routing=True):
        with pytest.raises(UnsetMetadataPassedError):
            search(make(), grid).fit(X, y, sample_weight=weight)
        asking = make().set_fit_request(sample_weight=True)
        asking.set_score_request(sample_weight=True)
        routed = search(asking, grid).fit(X, y, sample_weight=weight)
        refusing = make().set_fit_request(sample_weight=False)
        refusing.set_score_request(sample_weight=True)
        unweighted = search(refusing, grid).fit(X, y, sample_weight=weight)
    direct = make(n_experts=2).fit(X, y, sample_weight=weight)
    assert_equal_proba(routed.predict_proba(X), direct.predict_proba(X))
    plain = make(n_experts=2).fit(X, y)
    assert_equal_proba(unweighted.predict_proba(X), plain.predict_proba(X))


def test_weights_of_rows_and_tasks_reach_the_folds(table):
    X, y = table
    weight = np.ones(y.shape)
    weight[::2, 0] = 0
    with config_context(enable_metadata_routing=True):
        model = make().set_fit_request(sample_weight=True)
        model.set_score_request(sample_weight=True)
        found = cross_validate(
            model, X, y, cv=TWO, params={"sample_weight": weight}, return_estimator=True
        )
    train, test = next(TWO.split(X))
    by_hand = make().fit(X.iloc[train], y.iloc[train], sample_weight=weight[train])
    rows = X.iloc[test]
    assert_equal_proba(
        found["estimator"][0].predict_proba(rows), by_hand.predict_proba(rows)
    )
    expected = by_hand.score(rows, y.iloc[test], sample_weight=weight[test])
    assert found["test_score"][0] == expected


def test_parameters_pass_to_fit_without_routing(table):
    X, y = table
    pipeline = Pipeline([("model", make(early_stopping=True))])
    groups = np.arange(240) // 2
    model = pipeline.fit(X, y, model__groups=groups)["model"]
    direct = make(early_stopping=True).fit(X, y, groups=groups)
    assert_equal_proba(model.predict_proba(X), direct.predict_proba(X))


@pytest.mark.parametrize("cls", [MMOEClassifier, ESMMClassifier])
def test_the_picture_of_an_estimator(cls):
    X, y = funnel_table()
    model = cls(preprocessor=make_tabular_preprocessor(X), **QUICK)
    for each in (model, model.fit(X, y)):
        page = estimator_html_repr(each)
        assert cls.__name__ in page
        assert "CategoryEncoder" in page
        assert cls.__name__ in each._repr_html_()
    assert cls.__name__ in estimator_html_repr(Pipeline([("model", model)]))


def test_the_text_of_an_estimator_shows_what_was_set():
    model = MMOEClassifier(n_experts=8, task_weights={"buy": 2})
    assert repr(model) == "MMOEClassifier(n_experts=8, task_weights={'buy': 2})"
    assert eval(repr(model)).get_params() == model.get_params()
    assert repr(ESMMClassifier(structure="funnel")) == "ESMMClassifier()"


def test_names_of_the_preprocessed_columns(table):
    X, y = table
    X = X.assign(visits=X["visits"].where(X["visits"] > 0))
    model = make().fit(X, y)
    names = model.preprocessor_.get_feature_names_out().tolist()
    assert names == ["age", "visits", "missingindicator_visits", "town", "plan"]
    schema = model.schema_
    assert schema.numeric_names + schema.categorical_names == names
    assert model.feature_names_in_.tolist() == X.columns.tolist()


def test_a_schema_prints_as_a_table(table):
    model = make().fit(*table)
    lines = [line.split() for line in repr(model.schema_).splitlines()]
    assert lines[1] == ["feature", "kind", "cardinality", "width", "note"]
    assert ["town", "categorical", "4", "8"] in lines
    assert ["age", "numeric", "<NA>", "1", "ple", "+", "bins"] in lines


def test_polars_tables_give_what_pandas_tables_give(table):
    X, y = table
    X = X.assign(age=X["age"].where(X["age"] > 30))
    pandas, polars = make(), make()
    pandas.fit(X, y)
    polars.fit(pl.from_pandas(X), pl.from_pandas(y))
    assert polars.task_names_ == pandas.task_names_
    assert polars.feature_names_in_.tolist() == pandas.feature_names_in_.tolist()
    assert_equal_proba(pandas.predict_proba(X), polars.predict_proba(pl.from_pandas(X)))
    assert polars.score(pl.from_pandas(X), pl.from_pandas(y)) == pandas.score(X, y)


def test_arrays_of_objects_give_what_frames_give(table):
    X, y = table
    frame, array = make().fit(X, y), make().fit(X.to_numpy(), y)
    assert_equal_proba(frame.predict_proba(X), array.predict_proba(X.to_numpy()))
    assert array.schema_.n_categorical == 2


def test_category_encoders_alone_are_a_preprocessor(table):
    X, y = table
    model = make(preprocessor=CategoryEncoder()).fit(X[["town", "plan"]], y)
    assert model.schema_.n_numeric == 0
    assert model.schema_.cardinalities == [4, 3]
    numbers = make(preprocessor=StandardScaler()).fit(X[["age", "visits"]], y)
    assert numbers.schema_.n_categorical == 0


def test_a_wide_search_leaves_the_template_alone(table):
    X, y = table
    model = make()
    before = model.get_params()
    search(model, {"n_experts": [1, 2], "lr": [0.1]}).fit(X, y)
    assert model.get_params() == before
    assert not hasattr(model, "net_")


@pytest.mark.slow
def test_a_search_in_two_processes(table):
    X, y = table
    grid = {"n_experts": [1, 2]}
    serial = search(make(), grid).fit(X, y)
    parallel = search(make(), grid, n_jobs=2).fit(X, y)
    np.testing.assert_allclose(
        serial.cv_results_["mean_test_score"],
        parallel.cv_results_["mean_test_score"],
        atol=0.01,
    )
    assert_equal_proba(
        serial.predict_proba(X), parallel.predict_proba(X), rtol=0, atol=1e-4
    )

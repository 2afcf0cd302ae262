"""Warnings name the line of the user who called, however deep they arise."""

import inspect
import itertools
import pickle
import warnings

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.exceptions import ConvergenceWarning, UndefinedMetricWarning
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    cross_val_predict,
    cross_validate,
    learning_curve,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from skorch.callbacks import Callback

from sk_mtl import (
    ESCM2Classifier,
    ESMMClassifier,
    MMOEClassifier,
    MMOERegressor,
    MultiTaskEstimator,
    _versions,
    exceptions,
)
from sk_mtl.exceptions import (
    ColumnWarning,
    FunnelWarning,
    LeakWarning,
    PositiveClassWarning,
    PropensityWarning,
    VersionWarning,
)
from sk_mtl.metrics import (
    RocAucSketch,
    conditional_roc_auc,
    grouped_roc_auc,
    make_task_scorer,
    task_scores,
)
from sk_mtl.model_selection import compare_tasks, out_of_fold_proba
from sk_mtl.preprocessing import CategoryEncoder, make_tabular_preprocessor


class Spoil(Callback):
    """Makes the loss NaN in the second epoch."""

    def on_epoch_begin(self, net, **kwargs):
        if len(net.history) == 2:
            with torch.no_grad():
                next(net.module_.parameters()).fill_(float("nan"))


def clean_table(n_samples=80):
    rng = np.random.default_rng(0)
    X = pd.DataFrame(
        {"x": rng.normal(size=n_samples), "town": rng.choice(["A", "B"], n_samples)}
    )
    a = rng.integers(0, 2, n_samples)
    return X, pd.DataFrame({"a": a, "b": a * rng.integers(0, 2, n_samples)})


def leak():
    X, y = clean_table()
    return MMOEClassifier(max_epochs=1), X.assign(twin=y["a"]), y


def leak_of_a_number():
    X, y = clean_table()
    return MMOERegressor(max_epochs=1), X, y.assign(b=X["x"] * 2 + 1)


def leak_of_mixed_tasks():
    X, y = clean_table()
    return MultiTaskEstimator(max_epochs=1), X, y.assign(c=X["x"] * 2 + 1)


def broken_funnel():
    X, y = clean_table()
    return ESMMClassifier(max_epochs=1), X, y[["b", "a"]]


def clipped_propensities():
    X, y = clean_table()
    return ESCM2Classifier(max_epochs=1, propensity_clip=0.9), X, y


def identifier():
    X, y = clean_table()
    return MMOEClassifier(max_epochs=1), X.assign(row_id=np.arange(80)), y


def diverging():
    X, y = clean_table()
    options = {"max_epochs": 3, "weight_averaging": None}
    return MMOEClassifier(callbacks=[Spoil()], **options), X, y


def nothing_to_hold_out():
    X, y = clean_table(220)
    options = {"max_epochs": 11, "validation_fraction": 0.9999}
    return MMOEClassifier(**options), X, y


FITS = {
    leak: LeakWarning,
    leak_of_a_number: LeakWarning,
    leak_of_mixed_tasks: LeakWarning,
    broken_funnel: FunnelWarning,
    clipped_propensities: PropensityWarning,
    identifier: ColumnWarning,
    diverging: ConvergenceWarning,
    nothing_to_hold_out: UserWarning,
}
# Those that training for one epoch draws, too.
PARTIAL_FITS = [each for each in FITS if each not in (diverging, nothing_to_hold_out)]


def in_pipeline(model):
    return make_pipeline(FunctionTransformer(), model)


def by_fit(model, X, y):
    model.fit(X, y)


def by_partial_fit(model, X, y):
    model.partial_fit(X, y)


def by_pipeline(model, X, y):
    in_pipeline(model).fit(X, y)


def by_cross_validate(model, X, y):
    cross_validate(model, X, y, cv=KFold(2))


def by_cross_validate_of_a_pipeline(model, X, y):
    cross_validate(in_pipeline(model), X, y, cv=KFold(2))


def by_cross_val_predict(model, X, y):
    cross_val_predict(model, X, y, cv=KFold(2))


def by_learning_curve(model, X, y):
    learning_curve(model, X, y, cv=KFold(2), train_sizes=[0.9])


def by_search(model, X, y):
    GridSearchCV(model, {"lr": [0.01]}, cv=KFold(2)).fit(X, y)


def by_compare_tasks(model, X, y):
    compare_tasks(model, X, y, cv=KFold(2), baseline=model)


def by_threads(model, X, y):
    with joblib.parallel_backend("threading"):
        in_pipeline(model).fit(X, y)


OFTEN = [by_fit, by_pipeline, by_cross_validate_of_a_pipeline]
SELDOM = [
    by_cross_validate,
    by_cross_val_predict,
    by_learning_curve,
    by_search,
    by_compare_tasks,
    by_threads,
]


def assert_points_at(record, function, category):
    """Assert that there are warnings of a class, and all name lines of a function."""
    lines, start = inspect.getsourcelines(function)
    found = [each for each in record if issubclass(each.category, category)]
    assert found
    assert {each.filename for each in found} == {__file__}
    assert {each.lineno for each in found} <= set(range(start, start + len(lines)))


def name(function):
    return function.__name__


@pytest.mark.parametrize(
    ("cause", "route"),
    [*itertools.product(FITS, OFTEN), *itertools.product([leak], SELDOM)],
    ids=name,
)
def test_a_warning_of_fit_points_at_the_call(cause, route):
    with warnings.catch_warnings(record=True) as record:
        warnings.simplefilter("always")
        route(*cause())
    assert_points_at(record, route, FITS[cause])


@pytest.mark.parametrize("cause", PARTIAL_FITS, ids=name)
def test_a_warning_of_partial_fit_points_at_the_call(cause):
    with pytest.warns(FITS[cause]) as record:
        by_partial_fit(*cause())
    assert_points_at(record, by_partial_fit, FITS[cause])


def test_a_leak_in_out_of_fold_proba_points_at_the_call():
    def call():
        out_of_fold_proba(*leak(), cv=KFold(2))

    with pytest.warns(LeakWarning) as record:
        call()
    assert_points_at(record, call, LeakWarning)


@pytest.fixture(scope="module")
def fitted():
    """A model and a pipeline that know towns by their names, and rows of numbers."""
    X, y = clean_table()
    models = [MMOEClassifier(max_epochs=1), in_pipeline(MMOEClassifier(max_epochs=1))]
    return [model.fit(X, y) for model in models], X.assign(town=7), y


@pytest.mark.parametrize("index", [0, 1], ids=["model", "pipeline"])
@pytest.mark.parametrize(
    "answer",
    [
        lambda model, X, y: model.predict(X),
        lambda model, X, y: model.predict_proba(X),
        lambda model, X, y: model.score(X, y),
        lambda model, X, y: make_task_scorer("roc_auc")(model, X, y),
    ],
)
def test_a_warning_of_an_answer_points_at_the_call(answer, index, fitted):
    models, X, y = fitted
    with pytest.warns(ColumnWarning) as record:
        answer(models[index], X, y)
    assert_points_at(record, answer, ColumnWarning)


def test_a_warning_of_a_view_points_at_the_call(fitted):
    (model, _), X, _ = fitted

    def call():
        model.task("a").predict_proba(X)

    with pytest.warns(ColumnWarning) as record:
        call()
    assert_points_at(record, call, ColumnWarning)


def test_a_warning_of_a_preprocessor_points_at_the_call():
    X, _ = clean_table()
    encoder = CategoryEncoder().fit(X[["town"]])
    preprocessor = make_tabular_preprocessor().fit(X)

    def call(transformer, columns):
        transformer.transform(columns)

    for transformer, columns in ((encoder, X[["town"]]), (preprocessor, X)):
        with pytest.warns(ColumnWarning) as record:
            call(transformer, columns.assign(town=7))
        assert_points_at(record, call, ColumnWarning)


ONE_CLASS = np.zeros(20), np.full(20, 0.5)
METRICS = {
    "task_scores": lambda: task_scores(ONE_CLASS[0], ONE_CLASS[1]),
    "conditional_roc_auc": lambda: conditional_roc_auc(
        np.zeros((20, 2)), [ONE_CLASS[1]] * 2, step=1
    ),
    "grouped_roc_auc": lambda: grouped_roc_auc(*ONE_CLASS, np.arange(20) % 4),
    "roc_auc_sketch": lambda: RocAucSketch().update(*ONE_CLASS).result(),
}


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
def test_an_undefined_metric_points_at_the_call(metric):
    with pytest.warns(UndefinedMetricWarning) as record:
        metric()
    assert_points_at(record, metric, UndefinedMetricWarning)


def one_class_in_the_last_fold():
    X, y = clean_table()
    y = y.copy()
    y.loc[40:, "a"] = 0
    y.loc[:39, "a"] = np.arange(40) % 2
    y["b"] = y["a"]
    return MMOEClassifier(max_epochs=1), X, y


def test_an_undefined_score_of_a_fold_points_at_the_call():
    model, X, y = one_class_in_the_last_fold()
    folds = [(np.arange(40), np.arange(40, 80))] * 2

    def call_cross_validate():
        cross_validate(model, X, y, cv=folds, scoring=make_task_scorer("roc_auc"))

    def call_compare_tasks():
        compare_tasks(model, X, y, cv=folds, baseline=model)

    for call in (call_cross_validate, call_compare_tasks):
        with pytest.warns(UndefinedMetricWarning) as record:
            call()
        assert_points_at(record, call, UndefinedMetricWarning)


def test_an_open_positive_class_points_at_the_call():
    X, y = clean_table()
    words = pd.Series(np.where(y["a"] == 1, "churn", "stay"), name="state")
    model = MMOEClassifier(max_epochs=1).fit(X, words)
    scorer = make_task_scorer("average_precision")

    def call_task_scores():
        task_scores(words, model.predict_proba(X), metrics=["average_precision"])

    def call_scorer():
        scorer(model, X, words)

    def call_cross_validate():
        cross_validate(model, X, words, cv=KFold(2), scoring=scorer)

    for call in (call_task_scores, call_scorer, call_cross_validate):
        with pytest.warns(PositiveClassWarning) as record:
            call()
        assert_points_at(record, call, PositiveClassWarning)


def test_another_version_points_at_the_line_that_loads(monkeypatch, tmp_path):
    with monkeypatch.context() as patch:
        patch.setattr(_versions, "__version__", "0.0.1")
        pickled = pickle.dumps(make_pipeline(MMOEClassifier()))
        joblib.dump(MMOEClassifier(), tmp_path / "model")

    def call_pickle():
        pickle.loads(pickled)

    def call_joblib():
        joblib.load(tmp_path / "model")

    for call in (call_pickle, call_joblib):
        with pytest.warns(VersionWarning) as record:
            call()
        assert_points_at(record, call, VersionWarning)


def test_every_class_of_warning_is_tried_here():
    tried = {
        *FITS.values(),
        *(PositiveClassWarning, VersionWarning, ColumnWarning),
    }
    public = {getattr(exceptions, each) for each in exceptions.__all__}
    assert {each for each in public if issubclass(each, Warning)} <= tried

"""One task of a fitted model in scikit-learn's tools."""

import copy
import pickle
import warnings

import matplotlib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.calibration import CalibratedClassifierCV, CalibrationDisplay
from sklearn.ensemble import StackingClassifier
from sklearn.exceptions import NotFittedError, UndefinedMetricWarning
from sklearn.frozen import FrozenEstimator
from sklearn.inspection import (
    PartialDependenceDisplay,
    partial_dependence,
    permutation_importance,
)
from sklearn.metrics import (
    ConfusionMatrixDisplay,
    DetCurveDisplay,
    PrecisionRecallDisplay,
    PredictionErrorDisplay,
    RocCurveDisplay,
    accuracy_score,
    average_precision_score,
    balanced_accuracy_score,
    r2_score,
    roc_auc_score,
)
from sklearn.model_selection import (
    FixedThresholdClassifier,
    TunedThresholdClassifierCV,
    cross_val_score,
)
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from sk_mtl import ESMMClassifier, MMOEClassifier, MMOERegressor, MultiTaskEstimator
from tests.estimators.common import QUICK, funnel_table, mixed_table

matplotlib.use("Agg")


@pytest.fixture(scope="module")
def table():
    X, y = mixed_table(300)
    spend = X["visits"] * 2.0 + np.random.default_rng(0).normal(size=300)
    plan = np.where(y["buy"] == 1, "stay", "leave")
    y = y.assign(plan=plan, spend=spend, town=X["town"])
    return X[["age", "visits", "plan"]], y


@pytest.fixture(scope="module")
def model(table):
    return MultiTaskEstimator(**{**QUICK, "lr": 0.02}).fit(*table)


@pytest.fixture(params=["churn", "plan"])
def case(request, model, table):
    """Features, labels and the view of a task of two numbers, and of two words."""
    X, y = table
    return X, y[request.param], model.task(request.param)


def test_a_view_answers_as_the_model_does(model, table):
    X, _ = table
    predicted, proba = model.predict(X), model.predict_proba(X)
    for k, name in enumerate(model.task_names_):
        view = model.task(name)
        np.testing.assert_array_equal(view.predict(X), predicted[name])
        assert view.predict(X).dtype == predicted[name].to_numpy().dtype
        assert is_classifier(view) == (name != "spend")
        assert is_regressor(view) == (name == "spend")
        if is_classifier(view):
            np.testing.assert_array_equal(view.predict_proba(X), proba[k])
            np.testing.assert_array_equal(view.classes_, model.classes_[k])
            np.testing.assert_allclose(
                view.predict_log_proba(X), np.log(proba[k]), atol=1e-6
            )
        else:
            assert not hasattr(view, "predict_proba")


@pytest.mark.parametrize("cls", [MMOEClassifier, ESMMClassifier])
def test_views_of_a_classifier_and_of_a_funnel(cls):
    X, y = funnel_table()
    model = cls(**QUICK).fit(X, y)
    for k, name in enumerate(y):
        view = model.task(name)
        np.testing.assert_array_equal(view.predict_proba(X), model.predict_proba(X)[k])
        np.testing.assert_array_equal(
            view.predict_log_proba(X), model.predict_log_proba(X)[k]
        )
        np.testing.assert_array_equal(view.predict(X), model.predict(X)[:, k])


def test_a_y_of_one_dimension_has_one_task(table):
    X, y = table
    model = MMOEClassifier(**QUICK).fit(X, y["plan"])
    view = model.task("plan")
    np.testing.assert_array_equal(view.predict_proba(X), model.predict_proba(X))
    np.testing.assert_array_equal(view.predict(X), model.predict(X))
    assert view.score(X, y["plan"]) == model.score(X, y["plan"])
    numbers = MMOERegressor(**QUICK).fit(X, y["spend"].to_numpy())
    np.testing.assert_array_equal(numbers.task("task_0").predict(X), numbers.predict(X))


def test_score_is_that_of_the_task(model, table):
    X, y = table
    weight = np.random.default_rng(0).random(300)
    for name in ("churn", "plan", "town", "spend"):
        view = model.task(name)
        metric = r2_score if name == "spend" else accuracy_score
        for weights in (None, weight):
            expected = metric(y[name], view.predict(X), sample_weight=weights)
            assert view.score(X, y[name], weights) == pytest.approx(expected)


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
def test_missing_labels_do_not_count_in_score(missing, model, table):
    X, y = table
    for name in ("churn", "plan", "spend"):
        view, labels = model.task(name), y[name].astype(object)
        labels[::3] = missing
        kept = labels.notna()
        expected = view.score(X[kept], y[name][kept])
        assert view.score(X, labels) == pytest.approx(expected)


def test_tags_are_those_of_one_output_and_of_the_models_input(model):
    for name in ("churn", "spend"):
        tags = get_tags(model.task(name))
        assert tags.target_tags.single_output
        assert not tags.target_tags.multi_output
        assert tags.target_tags.required
        assert tags.input_tags == get_tags(model).input_tags
    assert get_tags(model.task("churn")).estimator_type == "classifier"
    assert get_tags(model.task("spend")).estimator_type == "regressor"


def test_a_view_knows_its_features(model, table):
    X, y = table
    view = model.task("churn")
    assert view.n_features_in_ == 3
    assert view.feature_names_in_.tolist() == list(X)
    bare = MMOEClassifier(**QUICK).fit(X[["age"]].to_numpy(), y[["churn"]])
    assert not hasattr(bare.task("churn"), "feature_names_in_")


def test_copies_of_a_view(model, table):
    X, _ = table
    view = model.task("churn")
    check_is_fitted(view)
    assert clone(view) is view
    assert repr(view).startswith("TaskClassifier(model=MultiTaskEstimator(")
    assert view.get_params()["task"] == "churn"
    for again in (copy.deepcopy(view), pickle.loads(pickle.dumps(view))):
        np.testing.assert_array_equal(again.predict_proba(X), view.predict_proba(X))


def test_a_view_stays_as_it_is_when_the_model_is_fitted_again(table):
    X, y = table
    model = MMOEClassifier(**QUICK).fit(X, y[["churn", "plan"]])
    view = model.task("churn")
    before = view.predict_proba(X)
    model.partial_fit(X, y[["churn", "plan"]])
    np.testing.assert_array_equal(view.predict_proba(X), before)
    model.set_params(task_names=["stay", "go"]).fit(X, y[["plan", "churn"]].to_numpy())
    np.testing.assert_array_equal(view.predict_proba(X), before)
    assert model.task("go").classes_.tolist() == [0, 1]


def test_an_unknown_task_and_a_model_before_fit(model):
    with pytest.raises(ValueError) as caught:
        model.task("chrn")
    assert str(caught.value) == (
        "The task must be one of ['churn', 'buy', 'plan', 'spend', 'town']; found "
        "'chrn'. Use one of these names."
    )
    with pytest.raises(NotFittedError):
        MMOEClassifier().task("churn")
    view = model.task("buy").set_params(task="by")
    with pytest.raises(ValueError, match=r"must be one of .*; found 'by'"):
        view.predict(None)


def test_fit_is_refused_in_words(case):
    X, y, view = case
    with pytest.raises(ValueError) as caught:
        view.fit(X, y)
    assert str(caught.value) == (
        f"The view of task {view.task!r} answers for a fitted model and must not be "
        "fitted; found a call of fit. Wrap it in sklearn.frozen.FrozenEstimator for "
        "tools that fit what they are given, or fit the model and take its task again."
    )
    with pytest.raises(ValueError, match="must not be fitted"):
        cross_val_score(view, X, y, error_score="raise")


def test_curves(case):
    X, y, view = case
    chance = view.predict_proba(X)[:, 1]
    positive = view.classes_[1]
    assert RocCurveDisplay.from_estimator(view, X, y).roc_auc == pytest.approx(
        roc_auc_score(y, chance)
    )
    shown = PrecisionRecallDisplay.from_estimator(view, X, y, pos_label=positive)
    assert shown.average_precision == pytest.approx(
        average_precision_score(y, chance, pos_label=positive)
    )
    DetCurveDisplay.from_estimator(view, X, y)
    shown = CalibrationDisplay.from_estimator(view, X, y)
    np.testing.assert_array_equal(shown.y_prob, chance)
    shown = ConfusionMatrixDisplay.from_estimator(view, X, y)
    assert np.trace(shown.confusion_matrix) == (view.predict(X) == y).sum()
    matplotlib.pyplot.close("all")


def test_a_confusion_matrix_of_several_classes(model, table):
    X, y = table
    shown = ConfusionMatrixDisplay.from_estimator(model.task("town"), X, y["town"])
    assert shown.confusion_matrix.sum() == 300
    matplotlib.pyplot.close("all")


def test_calibration(case):
    X, y, view = case
    calibrated = CalibratedClassifierCV(FrozenEstimator(view)).fit(X, y)
    assert calibrated.classes_.tolist() == view.classes_.tolist()
    chance = calibrated.predict_proba(X)[:, 1]
    assert chance.mean() == pytest.approx((y == view.classes_[1]).mean(), abs=0.05)


def test_thresholds(case):
    X, y, view = case
    tuned = TunedThresholdClassifierCV(
        view, scoring="balanced_accuracy", cv="prefit", refit=False
    ).fit(X, y)
    found = balanced_accuracy_score(y, tuned.predict(X))
    assert found >= balanced_accuracy_score(y, view.predict(X))
    fixed = FixedThresholdClassifier(FrozenEstimator(view), threshold=0.3).fit(X, y)
    expected = view.classes_[(view.predict_proba(X)[:, 1] >= 0.3).astype(int)]
    np.testing.assert_array_equal(fixed.predict(X), expected)


def test_stacking_of_views(table, model):
    X, y = table
    views = [(name, model.task(name)) for name in ("churn", "plan")]
    stacked = StackingClassifier(views, cv="prefit").fit(X, y["buy"])
    assert stacked.score(X, y["buy"]) > 0.7


def test_partial_dependence_and_importance(case):
    X, y, view = case
    X = X.astype({"visits": float})
    found = partial_dependence(view, X, ["age"], grid_resolution=4)["average"]
    assert found.shape == (1, 4)
    PartialDependenceDisplay.from_estimator(
        view, X, ["age", "plan"], categorical_features=["plan"], grid_resolution=4
    )
    matplotlib.pyplot.close("all")
    drops = permutation_importance(view, X, y, n_repeats=2, random_state=0)
    assert drops.importances_mean.argmax() == 0


def test_tools_for_numbers(model, table):
    X, y = table
    view = model.task("spend")
    shown = PredictionErrorDisplay.from_estimator(view, X, y["spend"])
    np.testing.assert_array_equal(shown.y_pred, view.predict(X))
    matplotlib.pyplot.close("all")
    floats = X.astype({"visits": float})
    assert partial_dependence(view, floats, ["visits"])["average"].shape[0] == 1
    drops = permutation_importance(view, X, y["spend"], n_repeats=2, random_state=0)
    assert drops.importances_mean.argmax() == 1


def test_nothing_of_a_view_warns(case):
    X, y, view = case
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        view.score(X, y)
        pickle.loads(pickle.dumps(view))


def test_a_conditional_view_answers_the_rate_of_a_step():
    X, y = funnel_table()
    model = ESMMClassifier(**QUICK).fit(X, y)
    rates = model.predict_conditional_proba(X)
    for k, name in enumerate(y):
        view = model.task(name, conditional=True)
        np.testing.assert_array_equal(view.predict_proba(X), rates[k])
        np.testing.assert_allclose(view.predict_log_proba(X), np.log(rates[k]), 1e-4)
        likelier = view.classes_[rates[k].argmax(axis=1)]
        np.testing.assert_array_equal(view.predict(X), likelier)
    reached = y.iloc[:, 0] == 1
    rate = model.task(y.columns[1], conditional=True)
    expected = roc_auc_score(y.iloc[:, 1][reached], rates[1][reached, 1])
    drawn = RocCurveDisplay.from_estimator(rate, X[reached], y.iloc[:, 1][reached])
    assert drawn.roc_auc == pytest.approx(expected)


def test_a_conditional_view_of_tasks_that_are_no_steps_is_refused(model):
    with pytest.raises(ValueError) as caught:
        model.task("churn", conditional=True)
    assert str(caught.value) == (
        "conditional=True needs a model that learns the rates of a funnel; found task "
        "'churn' of MultiTaskEstimator. Fit a classifier with structure='funnel' or a "
        "dict of steps, such as ESMMClassifier."
    )


def test_rows_without_positives_get_scikit_learns_own_warning():
    X, y = funnel_table()
    # All classes are named, so that the fit takes a task of negatives.
    y = y.assign(order=0)
    classes = [np.array([0, 1])] * y.shape[1]
    model = ESMMClassifier(structure="independent", **QUICK)
    view = model.fit(X, y, classes=classes).task("order")
    np.testing.assert_array_equal(view.classes_, [0, 1])
    assert view.score(X, y["order"]) == 1.0
    with pytest.warns(UndefinedMetricWarning, match="No positive samples"):
        RocCurveDisplay.from_estimator(view, X, y["order"])

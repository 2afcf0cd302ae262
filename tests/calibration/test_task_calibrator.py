"""Calibrated probabilities, task by task and step by step."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from sk_mtl import ESMMClassifier, MMOEClassifier, MultiTaskEstimator
from sk_mtl.calibration import TaskCalibrator, TaskThresholdTuner
from sk_mtl.calibration._probability_calibrators import fit_calibrator
from sk_mtl.ensemble import MultiTaskVotingClassifier
from sk_mtl.model_selection import out_of_fold_proba
from tests.calibration.common import Oracle, told
from tests.estimators.common import QUICK, funnel_table, mixed_table, refuse


@parametrize_with_checks([TaskCalibrator(LogisticRegression(), "sigmoid", cv=2)])
def test_scikit_learn_check(estimator, check):
    check(estimator)


def isotonic(p, labels, new=None):
    fitted = IsotonicRegression(out_of_bounds="clip").fit(p, labels)
    return fitted.predict(p if new is None else new)


def test_each_task_is_calibrated_on_its_labels():
    X, y = told()
    gaps = y.copy()
    gaps.loc[::3, "click"] = np.nan
    model = TaskCalibrator(Oracle().fit(X, y), "isotonic", cv="prefit").fit(X, gaps)
    click, buy = model.predict_proba(X)
    known = gaps["click"].notna()
    wanted = isotonic(X["a"][known], y["click"][known], X["a"])
    np.testing.assert_allclose(click[known, 1], wanted[known], atol=1e-9)
    np.testing.assert_allclose(buy[:, 1], isotonic(X["b"], y["buy"]), atol=1e-9)
    np.testing.assert_array_equal(model.predict(X)[:, 1], buy.argmax(1))
    assert model.score(X, gaps) > 0.5
    weighted = clone(model).set_params(estimator=model.estimator)
    weighted.fit(X, y, sample_weight=pd.DataFrame({"click": known * 1.0, "buy": 1.0}))
    np.testing.assert_allclose(weighted.predict_proba(X)[0], click)


@pytest.mark.parametrize("method", ["isotonic", "sigmoid", "beta"])
def test_funnel_stays_a_funnel(method):
    U, u = funnel_table(800)
    model = ESMMClassifier(**QUICK).fit(U[:400], u[:400])
    calibrated = TaskCalibrator(model, method, cv="prefit").fit(U[400:], u[400:])
    click, both = (p[:, 1] for p in calibrated.predict_proba(U))
    rate = calibrated.predict_conditional_proba(U)[1][:, 1]
    assert (both <= click).all()
    np.testing.assert_allclose(both, click * rate, rtol=1e-12)
    with np.errstate(divide="ignore"):
        logs = calibrated.predict_log_proba(U)
        np.testing.assert_array_equal(logs[0][:, 1], np.log(click))


def test_rate_is_calibrated_on_rows_that_reached_its_parent():
    U, u = funnel_table(800)
    model = ESMMClassifier(**QUICK).fit(U[:400], u[:400])
    calibrated = TaskCalibrator(model, "isotonic", cv="prefit").fit(U[400:], u[400:])
    clicked = (u["click"] == 1).to_numpy() & (np.arange(800) >= 400)
    rate = model.predict_conditional_proba(U)[1][:, 1].astype(float)
    found = calibrated.predict_conditional_proba(U)[1][clicked, 1]
    wanted = isotonic(rate[clicked], u["conversion"][clicked])
    np.testing.assert_allclose(found, wanted, atol=1e-6)
    assert found.mean() == pytest.approx(u["conversion"][clicked].mean())


def test_tree_of_steps_in_any_order():
    U, u = funnel_table(800)
    u["like"] = u["click"] * (U["visits"] > 4)
    u = u[["conversion", "click", "like"]]
    tree = {"conversion": "click", "like": "click"}
    text = u.replace({1: "a", 0: "n"})
    plain = ESMMClassifier(**QUICK, structure=tree)
    named = clone(plain).set_params(pos_label="a")
    first = TaskCalibrator(plain, "sigmoid", cv=KFold(2)).fit(U, u)
    second = TaskCalibrator(named, "sigmoid", cv=KFold(2)).fit(U, text)
    for p, q in zip(first.predict_proba(U), second.predict_proba(U), strict=True):
        np.testing.assert_allclose(p[:, 1], q[:, 0], rtol=1e-5, atol=1e-9)
        assert (p[:, 1] <= first.predict_proba(U)[1][:, 1]).all()
    assert second.pos_label_ == dict.fromkeys(u, "a")


def test_folds_are_those_of_out_of_fold_probabilities():
    X, y = mixed_table()
    model = MMOEClassifier(**QUICK)
    calibrated = TaskCalibrator(model, "isotonic", cv=KFold(2)).fit(X, y)
    held_out = out_of_fold_proba(model, X, y, cv=KFold(2))
    for k, task in enumerate(y):
        found = calibrated.calibrators_[task](held_out[k])[:, 1]
        np.testing.assert_allclose(
            found, isotonic(held_out[k][:, 1], y[task]), atol=1e-6
        )
    copy = pickle.loads(pickle.dumps(calibrated))
    np.testing.assert_array_equal(copy.predict(X), calibrated.predict(X))


def test_classes_and_numbers_in_one_model():
    X, y = mixed_table()
    y["visits"] = X["visits"] + np.random.default_rng(0).normal(size=len(y))
    y["place"] = np.resize(["a", "b", "c"], len(y))
    model = MultiTaskEstimator(**QUICK).fit(X, y)
    calibrated = TaskCalibrator(model, "sigmoid", cv="prefit").fit(X, y)
    proba, predicted = calibrated.predict_proba(X), calibrated.predict(X)
    assert proba[2] is None
    assert proba[3].shape == (len(y), 3)
    pd.testing.assert_series_equal(predicted["visits"], model.predict(X)["visits"])
    assert calibrated.predict_log_proba(X)[2] is None
    assert np.isfinite(calibrated.score(X, y))


def test_thresholds_of_calibrated_probabilities():
    U, u = funnel_table(800)
    calibrated = TaskCalibrator(ESMMClassifier(**QUICK), "sigmoid", cv=2)
    tuner = TaskThresholdTuner(calibrated, cv=2).fit(U, u)
    chosen = tuner.predict_proba(U)[1][:, 1] >= tuner.thresholds_["conversion"]
    np.testing.assert_array_equal(tuner.predict(U)[:, 1], chosen)
    assert len(tuner.predict_conditional_proba(U)) == 2
    assert not hasattr(TaskCalibrator(MMOEClassifier()), "predict_conditional_proba")


def test_labels_that_cannot_calibrate():
    X, y = told(n=50)
    model = TaskCalibrator(Oracle().fit(X, y), cv="prefit")
    refuse(
        lambda: model.fit(X, y.assign(buy=np.nan)),
        "Task 'buy' must have labels of each of its classes [0.0, 1.0] to be "
        "calibrated; found none. Give more rows.",
    )
    U, u = funnel_table()
    fitted = TaskCalibrator(ESMMClassifier(**QUICK).fit(U, u), cv="prefit")
    refuse(
        lambda: fitted.fit(U, u.assign(conversion=0)),
        "Task 'conversion' must have labels of each of its classes [0, 1] in rows that "
        "reached 'click' to be calibrated; found [0]. Give more rows.",
    )
    parts = [("a", ESMMClassifier(**QUICK)), ("b", ESMMClassifier(**QUICK))]
    refuse(
        lambda: TaskCalibrator(MultiTaskVotingClassifier(parts), cv=2).fit(U, u),
        "The steps of a funnel must be of a network of this package, which tells what "
        "they build on; found MultiTaskVotingClassifier. Calibrate its parts before "
        "they are joined.",
    )


def test_thinned_rows_stand_for_all_rows():
    U, u = funnel_table()
    settings = {**QUICK, "negative_sampling_rate": {"click": 0.25}}
    model = ESMMClassifier(**settings)
    calibrated = TaskCalibrator(model, "sigmoid", cv=KFold(2)).fit(U, u)
    weight = np.where(u["click"] == 0, 4.0, 1.0)
    held_out = out_of_fold_proba(model, U, u, cv=KFold(2))[0]
    wanted = fit_calibrator("sigmoid", held_out, u["click"].to_numpy(), weight)
    found = calibrated.calibrators_["click"](held_out)
    np.testing.assert_allclose(found, wanted(held_out), atol=1e-6)
    assert np.average(found[:, 1], weights=weight) == pytest.approx(
        np.average(u["click"], weights=weight), abs=0.01
    )
    tuner = TaskThresholdTuner(calibrated, cv=KFold(2), scoring="accuracy").fit(U, u)
    curve = tuner.curves_["click"]
    none = curve["score"][np.isinf(curve["threshold"])].item()
    assert none == pytest.approx(np.average(u["click"] == 0, weights=weight))


def test_pipeline_that_ends_in_a_funnel():
    U, u = funnel_table()
    piped = make_pipeline("passthrough", ESMMClassifier(**QUICK))
    calibrated = TaskCalibrator(piped, "sigmoid", cv=2)
    assert hasattr(calibrated, "predict_conditional_proba")
    click, both = (p[:, 1] for p in calibrated.fit(U, u).predict_proba(U))
    rate = calibrated.predict_conditional_proba(U)[1][:, 1]
    np.testing.assert_allclose(both, click * rate)

"""A threshold for each binary task, and what becomes of all others."""

import pickle
from functools import partial

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import clone, is_classifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, fbeta_score, make_scorer, precision_recall_curve
from sklearn.model_selection import KFold, TunedThresholdClassifierCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.estimator_checks import parametrize_with_checks

from sk_mtl import ESMMClassifier, MMOEClassifier, MultiTaskEstimator
from sk_mtl.calibration import TaskThresholdTuner
from sk_mtl.exceptions import PositiveClassWarning
from sk_mtl.model_selection import out_of_fold_proba
from tests.calibration.common import Oracle, told
from tests.estimators.common import QUICK, funnel_table, mixed_table, refuse


@pytest.mark.filterwarnings("ignore::sk_mtl.exceptions.PositiveClassWarning")
@parametrize_with_checks([TaskThresholdTuner(LogisticRegression(), cv=2)])
def test_scikit_learn_check(estimator, check):
    check(estimator)


def prefit(X, y, **settings):
    return TaskThresholdTuner(Oracle().fit(X, y), cv="prefit", **settings).fit(X, y)


def test_threshold_is_the_best_of_scikit_learns_curve():
    X, y = told()
    tuner = prefit(X, y, thresholds=1000)
    precision, recall, thresholds = precision_recall_curve(y["click"], X["a"])
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    assert tuner.thresholds_["click"] == thresholds[f1.argmax()]
    curve = tuner.curves_["click"]
    assert curve["score"].max() == pytest.approx(f1.max())
    assert curve.columns.tolist() == ["threshold", "score"]
    assert curve["threshold"].is_monotonic_increasing
    decided = tuner.predict(X)[:, 0]
    assert f1_score(y["click"], decided) == pytest.approx(f1.max())


def test_score_is_that_of_scikit_learns_tuner():
    X, y = told()
    model = LogisticRegression().fit(X, y["click"])
    tuner = TaskThresholdTuner(model, cv="prefit", thresholds=1000)
    other = TunedThresholdClassifierCV(
        FrozenEstimator(model), scoring="f1", cv="prefit", refit=False, thresholds=100
    )
    tuner.fit(X, y["click"]), other.fit(X, y["click"])
    assert tuner.curves_["click"]["score"].max() >= other.best_score_


def test_costs_are_the_least_of_all_decisions():
    X, y = told()
    tuner = prefit(X, y, costs={"fp": 1, "fn": 8}, thresholds=1000)
    positive = y["click"] == 1

    def cost(threshold):
        chosen = X["a"] >= threshold
        return ((chosen & ~positive) + 8 * (~chosen & positive)).mean()

    least = min(map(cost, [*X["a"], 2.0]))
    assert cost(tuner.thresholds_["click"]) == pytest.approx(least)
    assert tuner.curves_["click"]["score"].max() == pytest.approx(-least)


def test_no_row_is_positive_where_false_alarms_cost_too_much():
    X, y = told()
    tuner = prefit(1 - X, y, costs={"fp": 1000, "fn": 1})
    assert tuner.thresholds_["buy"] == np.inf
    assert tuner.predict(1 - X)[:, 1].max() == 0


def test_settings_by_task():
    X, y = told()
    costs = {"buy": {"fp": 5, "fn": 1}}
    both = prefit(X, y, scoring={"click": "f1"}, costs=costs)
    assert (
        both.thresholds_["buy"] == prefit(X, y, costs=costs["buy"]).thresholds_["buy"]
    )
    assert both.thresholds_["click"] == prefit(X, y).thresholds_["click"]
    one = prefit(X, y, scoring={"click": "f1"})
    assert list(one.thresholds_) == ["click"]
    assert (one.predict(X)[:, 1] == (X["b"] > 0.5)).all()


def test_function_equals_the_name():
    X, y = told(n=100)
    named, given = prefit(X, y), prefit(X, y, scoring=f1_score)
    for task, curve in named.curves_.items():
        np.testing.assert_allclose(curve, given.curves_[task], atol=1e-12)


def test_missing_labels_and_rows_of_weight_0_have_no_part():
    X, y = told()
    gaps = y.copy()
    gaps.loc[::3, "click"] = np.nan
    model = Oracle().fit(X, y)
    kept = np.arange(len(y)) % 3 > 0
    tuner = TaskThresholdTuner(model, cv="prefit")
    wanted = clone(tuner).set_params(estimator=model).fit(X[kept], y[kept])
    found = tuner.fit(X, gaps)
    assert found.thresholds_["click"] == wanted.thresholds_["click"]
    weighted = TaskThresholdTuner(model, cv="prefit").fit(
        X, y, sample_weight=kept * 1.0
    )
    assert weighted.thresholds_ == wanted.thresholds_
    assert found.score(X, gaps) == pytest.approx(
        np.mean(
            [
                (found.predict(X)[rows, k] == y.iloc[rows, k]).mean()
                for k, rows in enumerate([kept, np.ones(len(y), bool)])
            ]
        )
    )


def test_labels_of_text_take_the_positive_class():
    X, y = told()
    text = y.replace({1.0: "a", 0.0: "n"})
    flipped = 1 - X
    tuner = TaskThresholdTuner(
        Oracle().fit(flipped, text), f1_score, cv="prefit", pos_label="a"
    ).fit(flipped, text)
    assert tuner.pos_label_ == {"click": "a", "buy": "a"}
    wanted = prefit(X, y)
    for task, threshold in wanted.thresholds_.items():
        assert tuner.thresholds_[task] == pytest.approx(threshold)
    with pytest.warns(PositiveClassWarning, match="A threshold needs to know"):
        TaskThresholdTuner(Oracle().fit(X, text), cv="prefit").fit(X, text)


def test_thresholds_are_of_held_out_rows():
    X, y = mixed_table()
    model = MMOEClassifier(**QUICK)
    tuner = TaskThresholdTuner(model, cv=KFold(2)).fit(X, y)
    proba = out_of_fold_proba(model, X, y, cv=KFold(2))
    values = proba[1][(y["buy"] == 1).to_numpy(), 1]
    assert tuner.thresholds_["buy"] in values.astype(float)
    refitted = clone(model).fit(X, y)
    np.testing.assert_array_equal(
        tuner.predict_proba(X)[0], refitted.predict_proba(X)[0]
    )
    decided = tuner.predict(X)
    chosen = refitted.predict_proba(X)[1][:, 1] >= tuner.thresholds_["buy"]
    np.testing.assert_array_equal(decided[:, 1], chosen)
    assert is_classifier(tuner)
    assert tuner.n_features_in_ == 4
    assert tuner.feature_names_in_.tolist() == list(X)


def test_other_tasks_are_predicted_as_before():
    X, y = mixed_table()
    y["visits"] = X["visits"] + np.random.default_rng(0).normal(size=len(y))
    y["place"] = np.resize(["a", "b", "c"], len(y))
    model = MultiTaskEstimator(**QUICK).fit(X, y)
    tuner = TaskThresholdTuner(model, cv="prefit").fit(X, y)
    assert list(tuner.thresholds_) == ["churn", "buy"]
    before, now = model.predict(X), tuner.predict(X)
    pd.testing.assert_frame_equal(now[["visits", "place"]], before[["visits", "place"]])
    assert (now["churn"] != before["churn"]).any()
    assert np.isfinite(tuner.score(X, y))
    refuse(
        lambda: (
            clone(tuner).set_params(estimator=model, scoring={"place": "f1"}).fit(X, y)
        ),
        "A threshold needs a task with two classes; found one set for 'place', which "
        "has others. Leave it out of scoring and costs.",
    )


def test_keywords_of_fit_are_cut_to_the_folds():
    X, y = mixed_table()
    weight, groups = np.linspace(1, 2, len(y)), np.arange(len(y)) // 4
    tuner = TaskThresholdTuner(MMOEClassifier(**QUICK), cv=2)
    assert tuner.row_aligned_keywords[:2] == ("sample_weight", "groups")
    soft = [np.column_stack([1 - y[t], y[t]]) for t in y]
    tuner.fit(X, y, sample_weight=weight, groups=groups, soft_labels=soft)
    for routed in (False, True):
        with sklearn.config_context(enable_metadata_routing=routed):
            scaler = StandardScaler()
            if routed:
                scaler.set_fit_request(sample_weight=False)
            piped = make_pipeline(scaler, LogisticRegression())
            nested = TaskThresholdTuner(piped, cv=2)
            nested.fit(X[["age"]], y["buy"], sample_weight=weight)
    outer = out_of_fold_proba(tuner, X, y, cv=2, sample_weight=weight)
    assert outer[0].shape == (len(y), 2)


def test_answers_of_a_funnel_are_delegated():
    U, u = funnel_table()
    tuner = TaskThresholdTuner(ESMMClassifier(**QUICK).fit(U, u), cv="prefit").fit(U, u)
    assert len(tuner.predict_conditional_proba(U)) == 2
    assert len(tuner.predict_log_proba(U)) == 2
    assert not hasattr(
        TaskThresholdTuner(MMOEClassifier()), "predict_conditional_proba"
    )
    copy = pickle.loads(pickle.dumps(tuner))
    np.testing.assert_array_equal(copy.predict(U), tuner.predict(U))


def test_bad_settings():
    X, y = told(n=50)
    model = Oracle().fit(X, y)

    def fit(y=y, **settings):
        return lambda: TaskThresholdTuner(model, cv="prefit", **settings).fit(X, y)

    outcomes = "['fp', 'fn', 'tp', 'tn']"
    refuse(
        fit(costs={"fp": 1, "fn": -8}),
        f"costs must hold numbers >= 0 by outcome, {outcomes}; found {{'fp': 1, 'fn': "
        "-8}. Give for example {'fp': 1, 'fn': 8}.",
    )
    refuse(
        fit(costs={"click": {"miss": 1}}),
        f"costs of 'click' must hold numbers >= 0 by outcome, {outcomes}; found "
        "{'miss': 1}. Give for example {'fp': 1, 'fn': 8}.",
    )
    for parameter, value in (("scoring", "f1"), ("costs", {"fp": 1})):
        refuse(
            fit(**{parameter: {"open": value}}),
            f"{parameter} must be keyed by task names ['click', 'buy']; found "
            "['open']. Correct the names.",
        )
    names = "['f1', 'balanced_accuracy', 'accuracy', 'jaccard', 'matthews_corrcoef']"
    refuse(
        fit(scoring="roc_auc"),
        f"scoring must be one of {names}, or a function of labels and predicted "
        "labels; found 'roc_auc'. Give the function itself, such as "
        "functools.partial(fbeta_score, beta=2).",
    )
    with pytest.raises(ValueError, match="scoring must be one of"):
        fit(scoring=make_scorer(f1_score))()
    fit(scoring=partial(fbeta_score, beta=2))()
    refuse(
        fit(y.assign(buy=0.0)),
        "Task 'buy' must have labels of both classes to tune a threshold; found [0.0]. "
        "Give more rows, or leave it out with a dict as scoring.",
    )
    refuse(
        fit(y.assign(buy=np.nan)),
        "Task 'buy' must have labels of both classes to tune a threshold; found none. "
        "Give more rows, or leave it out with a dict as scoring.",
    )


def test_tree_of_two_labels_is_tuned_as_well():
    X, y = told()
    tree = DecisionTreeClassifier(max_depth=3, random_state=0)
    tuner = TaskThresholdTuner(tree, cv=2).fit(X, y.astype(int))
    assert tuner.predict(X).shape == (len(y), 2)

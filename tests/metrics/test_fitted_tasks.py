"""Scorers and tables of numbers, and of classes and numbers in one estimator."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.linear_model import LinearRegression
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    f1_score,
    matthews_corrcoef,
    mean_squared_error,
    r2_score,
    roc_auc_score,
)
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score, cross_validate
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sk_mtl import MMOEClassifier, MMOERegressor
from sk_mtl.calibration import TaskThresholdTuner
from sk_mtl.datasets import make_related_tasks
from sk_mtl.metrics import make_task_scorer, task_metric, task_scorers, task_scores
from tests.estimators.common import QUICK, mixed_table
from tests.metrics.common import MixedModel, mixed_tasks

X, Y = mixed_tasks()
NUMBERS = ("spend", "visits")
FITTED = MixedModel(NUMBERS).fit(X, Y)
KNOWN = {name: Y[name].notna().to_numpy() for name in Y}
PREDICTED = FITTED.predict(X)
R2 = {
    name: r2_score(Y[name][KNOWN[name]], PREDICTED[name][KNOWN[name]])
    for name in NUMBERS
}
AUC = {
    name: roc_auc_score(
        Y[name][KNOWN[name]].tolist(), FITTED.predict_proba(X)[k][KNOWN[name], 1]
    )
    for k, name in enumerate(["like", "buy"])
}


def largest(y, answers):
    return float(np.max(answers))


def test_average_is_over_the_tasks_of_the_metrics_kind():
    r2, auc = make_task_scorer("r2"), make_task_scorer("roc_auc")
    assert r2(FITTED, X, Y) == pytest.approx(np.mean(list(R2.values())))
    assert auc(FITTED, X, Y) == pytest.approx(np.mean(list(AUC.values())))
    worst = make_task_scorer("r2", average="min")(FITTED, X, Y)
    assert worst == pytest.approx(min(R2.values()))
    weighted = make_task_scorer("r2", average="weighted")(FITTED, X, Y)
    counts = [KNOWN[name].sum() for name in NUMBERS]
    assert weighted == pytest.approx(np.average(list(R2.values()), weights=counts))


@pytest.mark.parametrize("task", ["spend", 2, -2])
def test_one_task_of_numbers(task):
    found = make_task_scorer("r2", task=task)(FITTED, X, Y)
    assert found == pytest.approx(R2["spend"])


def test_loss_changes_its_sign():
    error = mean_squared_error(Y["spend"], PREDICTED["spend"])
    for name in ("mean_squared_error", "neg_mean_squared_error"):
        scorer = make_task_scorer(name, task="spend")
        assert scorer(FITTED, X, Y) == pytest.approx(-error)


def test_only_the_answers_that_are_needed_are_asked_for():
    for metric, call in [("r2", "predict"), ("roc_auc", "predict_proba")]:
        model = MixedModel(NUMBERS).fit(X, Y)
        make_task_scorer(metric)(model, X, Y)
        assert model.calls_ == [call]


def test_answers_as_a_matrix_of_objects():
    model = MixedModel((2, 3)).fit(X, Y.to_numpy())
    assert model.predict(X).dtype == object
    for y in (Y, Y.to_numpy()):
        found = make_task_scorer("r2")(model, X, y)
        assert found == pytest.approx(np.mean(list(R2.values())))
        found = make_task_scorer("roc_auc", task=1)(model, X, y)
        assert found == pytest.approx(AUC["buy"])


def test_columns_in_another_order_are_scored_by_name():
    other = Y[["visits", "buy", "spend", "like"]]
    for task in NUMBERS:
        found = make_task_scorer("r2", task=task)(FITTED, X, other)
        assert found == pytest.approx(R2[task])
    assert make_task_scorer("roc_auc", task="buy")(FITTED, X, other) == AUC["buy"]


def test_columns_of_other_names_are_refused():
    message = (
        r"y must have the columns \['like', 'buy', 'spend', 'visits'\], one per task; "
        r"found \['a', 'b', 'c', 'd'\]. Rename the columns"
    )
    with pytest.raises(ValueError, match=message):
        make_task_scorer("r2")(FITTED, X, Y.set_axis(list("abcd"), axis=1))
    with pytest.raises(ValueError, match=r"found \['like', 'buy'\]. Rename the"):
        make_task_scorer("r2")(FITTED, X, Y[["like", "buy"]])


def test_a_frame_without_names_is_taken_in_its_order():
    found = make_task_scorer("r2", task="spend")(
        FITTED, X, Y.set_axis(range(4), axis=1)
    )
    assert found == pytest.approx(R2["spend"])


def test_other_containers_of_labels():
    y = pl.from_pandas(Y)
    assert make_task_scorer("r2", task="visits")(FITTED, X, y) == R2["visits"]
    assert make_task_scorer("roc_auc", task="like")(FITTED, X, y) == AUC["like"]


def test_missing_label_of_the_estimator_is_skipped():
    y = Y.assign(visits=Y["visits"].fillna(-1))
    model = MixedModel(NUMBERS, missing_label=-1).fit(X, y)
    found = make_task_scorer("r2", task="visits")(make_pipeline(model), X, y)
    assert found == pytest.approx(R2["visits"])


def test_weights():
    weight = np.random.default_rng(0).integers(0, 3, len(Y))
    found = make_task_scorer("r2", task="spend")(FITTED, X, Y, sample_weight=weight)
    expected = r2_score(Y["spend"], PREDICTED["spend"], sample_weight=weight)
    assert found == pytest.approx(expected)


@pytest.mark.parametrize(
    ("metric", "task", "message"),
    [
        ("roc_auc", "spend", "'roc_auc' is of tasks of classes; found numbers in 'sp"),
        ("r2", "like", "'r2' is of tasks of numbers; found classes in 'like'"),
        (task_metric(largest, kind="class"), "visits", "of classes; found numbers in "),
    ],
)
def test_metric_of_the_wrong_kind_raises_for_a_named_task(metric, task, message):
    with pytest.raises(ValueError, match=message):
        make_task_scorer(metric, task=task)(FITTED, X, Y)


def test_metric_that_no_task_is_of_raises():
    model = LinearRegression().fit(X, Y[["spend"]])
    with pytest.raises(ValueError, match="of classes; found numbers in 'spend'"):
        make_task_scorer("roc_auc")(model, X, Y[["spend"]])
    model = GaussianNB().fit(X, Y["like"])
    with pytest.raises(ValueError, match="of numbers; found classes in 'like'"):
        make_task_scorer("r2")(model, X, Y["like"])


def test_callable_takes_what_a_task_has():
    proba = FITTED.predict_proba(X)[0]
    assert make_task_scorer(largest, task="like")(FITTED, X, Y) == proba.max()
    found = make_task_scorer(largest, task="spend")(FITTED, X, Y)
    assert found == PREDICTED["spend"].max()
    with pytest.raises(
        ValueError, match=r"found 'largest', .* kind='class'\) or kind="
    ):
        make_task_scorer(largest)(FITTED, X, Y)
    of_numbers = make_task_scorer(task_metric(largest, kind="number"))
    known = KNOWN["visits"]
    expected = PREDICTED["spend"].max() + PREDICTED["visits"][known].max()
    assert of_numbers(FITTED, X, Y) == pytest.approx(expected / 2)


def test_negative_counts_are_not_left_out_of_the_average():
    scorer = make_task_scorer("mean_poisson_deviance", task="visits")
    model = MixedModel(NUMBERS).fit(X, Y.assign(visits=-Y["visits"]))
    assert scorer(model, X, Y) == -np.inf


def test_undefined_task_is_left_out_of_the_average_with_a_warning():
    y = Y.assign(visits=2.0)
    with pytest.warns(
        UndefinedMetricWarning, match=r"r2 is .*NaN for \['visits'\].*dif"
    ):
        found = make_task_scorer("r2")(FITTED, X, y)
    assert found == pytest.approx(R2["spend"])


def test_search_over_both_kinds():
    scoring = {task: make_task_scorer("r2", task=task) for task in NUMBERS}
    scoring |= {"r2": make_task_scorer("r2"), "auc": make_task_scorer("roc_auc")}
    search = GridSearchCV(
        make_pipeline(StandardScaler(), MixedModel(NUMBERS)),
        {"mixedmodel__alpha": [1.0, 1e4]},
        scoring=scoring,
        refit="r2",
        cv=KFold(2),
        error_score="raise",
    ).fit(X, Y)
    assert search.best_params_ == {"mixedmodel__alpha": 1.0}
    results = search.cv_results_
    per_task = np.array([results[f"mean_test_{task}"] for task in NUMBERS])
    assert results["mean_test_r2"] == pytest.approx(per_task.mean(axis=0))
    assert len(set(results["mean_test_auc"])) == 1
    assert search.score(X, Y) == scoring["r2"](search, X, Y)


def test_scorers_of_one_call_predict_once():
    scoring = {task: make_task_scorer("r2", task=task) for task in NUMBERS}
    folds = cross_validate(
        FITTED, X, Y, scoring=scoring, cv=KFold(2), return_estimator=True
    )
    assert [model.calls_ for model in folds["estimator"]] == [["predict"]] * 2


def test_regressors_of_scikit_learn():
    y = Y[["spend"]].assign(twice=2 * X["a"] + X["c"])
    found = cross_val_score(LinearRegression(), X, y, scoring=make_task_scorer("r2"))
    expected = cross_val_score(LinearRegression(), X, y, scoring="r2")
    assert found == pytest.approx(expected)
    one = cross_val_score(
        LinearRegression(),
        X,
        Y["spend"],
        scoring=make_task_scorer("mean_absolute_error"),
    )
    expected = cross_val_score(
        LinearRegression(), X, Y["spend"], scoring="neg_mean_absolute_error"
    )
    assert one == pytest.approx(expected)


def test_regressor_of_several_tasks_in_a_search():
    features, y = make_related_tasks(300, random_state=0)
    y = pd.DataFrame(np.asarray(y), columns=["a", "b"])
    y.loc[:40, "b"] = np.nan
    quick = {"max_epochs": 2, "batch_size": 64, "random_state": 0}
    scoring = {"b": make_task_scorer("r2", task="b")}
    scoring |= {"error": make_task_scorer("root_mean_squared_error")}
    search = GridSearchCV(
        MMOERegressor(**quick),
        {"lr": [1e-6, 0.02]},
        scoring=scoring,
        refit="error",
        cv=KFold(2),
        error_score="raise",
    ).fit(features, y)
    assert search.best_params_ == {"lr": 0.02}
    table = task_scores(y, y_pred=search.predict(features))
    assert scoring["b"](search, features, y) == pytest.approx(table.loc["b", "r2"])
    mean = -table["root_mean_squared_error"].mean()
    assert scoring["error"](search, features, y) == pytest.approx(mean)
    swapped = y[["b", "a"]]
    assert scoring["b"](search, features, swapped) == scoring["b"](search, features, y)


def test_regressor_watches_a_metric_of_numbers():
    features, y = make_related_tasks(300, random_state=0)
    model = MMOERegressor(max_epochs=2, monitor="r2", random_state=0).fit(features, y)
    assert model.history_["valid_r2"].notna().all()


def test_classifiers_of_the_package_have_no_r2():
    features, y = make_related_tasks(200, task_type="classification", random_state=0)
    model = MMOEClassifier(max_epochs=1, random_state=0).fit(features, y)
    with pytest.raises(ValueError, match="of numbers; found classes in"):
        make_task_scorer("r2", task=0)(model, features, y)


def test_table_of_both_kinds():
    named = {"pos_label": {"like": "yes"}}
    table = task_scores(Y, FITTED.predict_proba(X), y_pred=PREDICTED, **named)
    assert list(table) == [
        *("roc_auc", "average_precision", "log_loss", "brier"),
        *("r2", "root_mean_squared_error", "mean_absolute_error"),
    ]
    assert table["roc_auc"].dropna().to_dict() == AUC
    assert table["r2"].dropna().to_dict() == pytest.approx(R2)
    shuffled = PREDICTED[["visits", "buy", "like", "spend"]]
    for y_pred in (shuffled, PREDICTED.to_numpy(), PREDICTED.to_numpy().tolist()):
        again = task_scores(Y, FITTED.predict_proba(X), y_pred=y_pred, **named)
        pd.testing.assert_frame_equal(again, table)


def test_table_of_numbers_alone():
    y, pred = Y[list(NUMBERS)], PREDICTED[list(NUMBERS)]
    table = task_scores(y, y_pred=pred)
    assert list(table) == ["r2", "root_mean_squared_error", "mean_absolute_error"]
    assert table["r2"].to_dict() == pytest.approx(R2)
    one = task_scores(y["spend"], y_pred=pred["spend"], metrics="r2")
    assert one.loc["spend", "r2"] == pytest.approx(R2["spend"])
    with pytest.warns(UndefinedMetricWarning, match=r"NaN for \['visits'\]"):
        undefined = task_scores(y.assign(visits=1.0), y_pred=pred, metrics="r2")
    assert undefined["r2"].isna().tolist() == [False, True]


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({}, r"found neither for \['spend', 'visits'\]\. Pass y_pred=model"),
        ({"y_proba": None}, r"found neither for \['like', 'buy', 'spend', 'visits'\]"),
        ({"y_proba": [None]}, r"one array per task \(4\); found 1"),
        ({"y_pred": PREDICTED[["spend"]]}, r"\(300, 4\); found \(300, 1\)"),
        ({"y_pred": PREDICTED[:9]}, r"\(300, 4\); found \(9, 4\)"),
        ({"y_pred": np.ones((3, 2, 1))}, r"y_pred must have 1 dimension, .* found 3"),
        (
            {"y_pred": PREDICTED.assign(spend="x")},
            r"of 'spend' must hold numbers; foun",
        ),
        (
            {"y_pred": PREDICTED, "pos_label": {"spend": 1}},
            r"pos_label must be of tasks of classes.* found \['spend'\] without",
        ),
    ],
)
def test_bad_tables_say_required_found_remedy(kwargs, message):
    given = {"y_true": Y, "y_proba": FITTED.predict_proba(X)}
    with pytest.raises(ValueError, match=message):
        task_scores(**{**given, **kwargs})


def test_table_of_a_metric_that_no_task_is_of_raises():
    numbers = Y[list(NUMBERS)]
    with pytest.raises(ValueError, match="'brier' is of tasks of classes; found numb"):
        task_scores(numbers, y_pred=PREDICTED[list(NUMBERS)], metrics=("r2", "brier"))


@pytest.mark.parametrize("pos_label", [None, {"churn": 0, "buy": 0}])
def test_tuned_thresholds_decide_what_is_predicted(pos_label):
    X, y = mixed_table(120)
    model = MMOEClassifier(**QUICK, n_members=1).fit(X, y)
    tuner = TaskThresholdTuner(model, cv="prefit", pos_label=pos_label).fit(X, y)
    predicted = pd.DataFrame(tuner.predict(X), columns=y.columns)
    assert not predicted.equals(pd.DataFrame(model.predict(X), columns=y.columns))
    names = "f1", "balanced_accuracy", "accuracy", "matthews_corrcoef", "roc_auc"
    found = task_scorers(*names, averages=())(tuner, X, y)
    label = 1 if pos_label is None else 0
    for task in y:
        labels, decided = y[task], predicted[task]
        expected = {
            "f1": f1_score(labels, decided, pos_label=label),
            "balanced_accuracy": balanced_accuracy_score(labels, decided),
            "accuracy": accuracy_score(labels, decided),
            "matthews_corrcoef": matthews_corrcoef(labels, decided),
        }
        own = {name: found[f"{name}_{task}"] for name in expected}
        assert own == pytest.approx(expected)
    # Probabilities are not decided upon.
    assert found["roc_auc_buy"] == task_scorers("roc_auc")(model, X, y)["roc_auc_buy"]

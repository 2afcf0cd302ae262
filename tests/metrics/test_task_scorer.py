import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    LearningCurveDisplay,
    ValidationCurveDisplay,
    cross_val_score,
    cross_validate,
)
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sk_mtl.exceptions import PositiveClassWarning
from sk_mtl.metrics import make_task_scorer, task_scores
from tests.metrics.common import OneModelPerTask, random_tasks

X, Y = random_tasks()
FITTED = OneModelPerTask().fit(X, Y)
POSITIVE = {"like": "yes"}
TABLE = task_scores(Y, FITTED.predict_proba(X), pos_label=POSITIVE)


def share_right(y, proba):
    return float(np.mean(y == np.array([False, True])[proba.argmax(axis=1)]))


def forest():
    return RandomForestClassifier(n_estimators=5, max_depth=3, random_state=0)


@pytest.mark.parametrize("task", ["click", "like", "stars", "buy"])
def test_one_task_is_its_cell_of_the_table(task):
    auc = make_task_scorer("roc_auc", task=task)(FITTED, X, Y)
    assert type(auc) is float
    assert auc == TABLE.loc[task, "roc_auc"]
    k = list(Y).index(task)
    assert auc == make_task_scorer("roc_auc", task=k)(FITTED, X, Y)
    assert auc == make_task_scorer("roc_auc", task=k - 4)(FITTED, X, Y)


def test_averages_over_tasks():
    auc = TABLE["roc_auc"]
    assert make_task_scorer("roc_auc")(FITTED, X, Y) == pytest.approx(auc.mean())
    worst = make_task_scorer("roc_auc", average="min")(FITTED, X, Y)
    assert worst == auc.min()
    weighted = make_task_scorer("roc_auc", average="weighted")(FITTED, X, Y)
    assert weighted == pytest.approx(np.average(auc, weights=Y.notna().sum()))


@pytest.mark.parametrize("name", ["log_loss", "neg_log_loss"])
def test_losses_change_their_sign(name):
    loss = TABLE["log_loss"]
    assert make_task_scorer(name, task="like")(FITTED, X, Y) == -loss["like"]
    assert make_task_scorer(name)(FITTED, X, Y) == pytest.approx(-loss.mean())
    assert make_task_scorer(name, average="min")(FITTED, X, Y) == -loss.max()


def test_weights_per_row_and_per_task():
    rng = np.random.default_rng(0)
    weight = rng.random((len(Y), 4))
    proba = FITTED.predict_proba(X)
    table = task_scores(Y, proba, "roc_auc", sample_weight=weight)["roc_auc"]
    one = make_task_scorer("roc_auc", task="stars")
    assert one(FITTED, X, Y, sample_weight=weight) == table["stars"]
    assert one(FITTED, X, Y, sample_weight=weight[:, 2]) == table["stars"]
    weighted = make_task_scorer("roc_auc", average="weighted")
    totals = (weight * Y.notna()).sum()
    assert weighted(FITTED, X, Y, sample_weight=weight) == pytest.approx(
        np.average(table, weights=totals)
    )


def test_names_come_from_y_then_from_the_estimator():
    scorer = make_task_scorer("roc_auc", task="like")
    expected = TABLE.loc["like", "roc_auc"]
    as_array = Y.to_numpy()
    assert scorer(FITTED, X, as_array) == expected
    pipeline = make_pipeline(StandardScaler(), OneModelPerTask()).fit(X, Y)
    assert scorer(pipeline, X, as_array) == scorer(pipeline, X, Y)
    search = GridSearchCV(pipeline, {}, scoring=scorer, cv=KFold(2)).fit(X, Y)
    assert scorer(search, X, as_array) == scorer(pipeline, X, Y)
    without_names = forest().fit(X, Y[["click", "stars"]])
    numbered = make_task_scorer("roc_auc", task="task_1")
    named = make_task_scorer("roc_auc", task="stars")
    y = Y[["click", "stars"]]
    assert numbered(without_names, X, y.to_numpy()) == named(without_names, X, y)


def test_columns_in_another_order_are_scored_by_name():
    other = Y[["stars", "buy", "click", "like"]]
    for task in Y:
        scorer = make_task_scorer("roc_auc", task=task)
        assert scorer(FITTED, X, other) == TABLE.loc[task, "roc_auc"]


def test_columns_of_other_names_are_refused():
    with pytest.raises(ValueError, match=r"found \['a', 'b', 'c', 'd'\]. Rename the"):
        make_task_scorer("roc_auc")(FITTED, X, Y.set_axis(list("abcd"), axis=1))


def test_an_integer_is_the_column_called_so_before_it_is_a_position():
    names = [3, 2, 1, 0]
    y = Y.set_axis(names, axis=1)
    model = OneModelPerTask().fit(X, y)
    for name, column in zip(names, Y, strict=True):
        scorer = make_task_scorer("roc_auc", task=np.int64(name))
        assert scorer(model, X, y) == TABLE.loc[column, "roc_auc"]
    last = make_task_scorer("roc_auc", task=-1)
    assert last(model, X, y) == TABLE.loc["buy", "roc_auc"]


def test_missing_label_of_the_estimator_is_skipped():
    y = Y.assign(buy=Y["buy"].fillna(-1).astype(int))
    scorer = make_task_scorer("roc_auc", task="buy")
    model = OneModelPerTask(missing_label=-1).fit(X, y)
    assert scorer(model, X, y) == TABLE.loc["buy", "roc_auc"]
    pipeline = make_pipeline(OneModelPerTask(missing_label=-1)).fit(X, y)
    assert scorer(pipeline, X, y) == TABLE.loc["buy", "roc_auc"]


def test_rows_that_lack_a_class_are_read_with_the_estimators_classes():
    few = (Y["stars"] != 2).to_numpy()
    auc = make_task_scorer("roc_auc", task="stars")(FITTED, X[few], Y[few])
    table = task_scores(
        Y[few], FITTED.predict_proba(X[few]), classes=FITTED.classes_, metrics="roc_auc"
    )
    assert auc == table.loc["stars", "roc_auc"]


@pytest.mark.parametrize("column", ["click", "like", "stars"])
def test_estimator_of_one_task_equals_sklearns_scorer(column):
    y = Y[column]
    model = GaussianNB().fit(X, y)
    score = make_task_scorer("log_loss")(model, X, y)
    assert score == pytest.approx(-log_loss(y, model.predict_proba(X)))
    expected = cross_val_score(model, X, y, scoring="roc_auc_ovr")
    found = cross_val_score(model, X, y, scoring=make_task_scorer("roc_auc"))
    assert found == pytest.approx(expected)


def test_mean_equals_sklearns_own_scorer_where_that_works():
    y = Y[["click"]].assign(other=(Y["stars"] > 1).astype(int))
    theirs = cross_val_score(forest(), X, y, cv=3, scoring="roc_auc")
    ours = cross_val_score(forest(), X, y, cv=3, scoring=make_task_scorer("roc_auc"))
    assert ours == pytest.approx(theirs)


@pytest.mark.parametrize("wrapper", [MultiOutputClassifier, ClassifierChain])
def test_other_estimators_of_several_tasks(wrapper):
    y = Y[["click"]].assign(other=(Y["stars"] > 1).astype(int))
    model = wrapper(GaussianNB()).fit(X, y)
    score = make_task_scorer("roc_auc", task="click")(model, X, y)
    expected = GaussianNB().fit(X, y["click"]).predict_proba(X)[:, 1]
    assert score == pytest.approx(roc_auc_score(y["click"], expected))


def test_search_over_strings_gaps_and_several_class_counts():
    scoring = {task: make_task_scorer("roc_auc", task=task) for task in Y}
    scoring |= {"mean": make_task_scorer("roc_auc"), "loss": make_task_scorer("brier")}
    search = GridSearchCV(
        make_pipeline(StandardScaler(), OneModelPerTask()),
        {"onemodelpertask__var_smoothing": [1e-9, 1e3]},
        scoring=scoring,
        refit="loss",
        cv=KFold(2),
        error_score="raise",
    ).fit(X, Y)
    assert search.best_params_ == {"onemodelpertask__var_smoothing": 1e-9}
    results = search.cv_results_
    per_task = np.array([results[f"mean_test_{task}"] for task in Y])
    assert results["mean_test_mean"] == pytest.approx(per_task.mean(axis=0))
    assert search.score(X, Y) == scoring["loss"](search, X, Y)


def test_mixes_with_names_of_sklearn():
    y = Y[["click"]].assign(other=(Y["stars"] > 1).astype(int))
    scoring = {
        "mean": "roc_auc",
        "first": make_task_scorer("roc_auc", task="click"),
        "second": make_task_scorer("roc_auc", task="other"),
    }
    search = GridSearchCV(
        forest(), {"max_depth": [2]}, scoring=scoring, refit="first", cv=2
    ).fit(X, y)
    mean, *tasks = (search.cv_results_[f"mean_test_{name}"] for name in scoring)
    assert mean == pytest.approx(np.mean(tasks, axis=0))


def test_scorers_of_one_call_predict_once():
    model = clone(FITTED).fit(X, Y)
    scoring = {task: make_task_scorer("roc_auc", task=task) for task in Y}
    search = GridSearchCV(model, {}, scoring=scoring, refit="click", cv=KFold(2)).fit(
        X, Y
    )
    fold = cross_validate(
        model, X, Y, scoring=scoring, cv=KFold(2), return_estimator=True
    )
    assert [m.n_predictions_ for m in fold["estimator"]] == [1, 1]
    assert fold["test_stars"] == pytest.approx(
        [search.cv_results_[f"split{k}_test_stars"][0] for k in range(2)]
    )


@pytest.mark.slow
def test_search_in_processes():
    scorer = make_task_scorer(share_right, task="buy")
    search = GridSearchCV(FITTED, {}, scoring=scorer, cv=KFold(2), error_score="raise")
    serial = clone(search).fit(X, Y).best_score_
    assert serial == clone(search).set_params(n_jobs=2).fit(X, Y).best_score_


def test_pickle_and_clone_keep_the_scorer():
    scorer = make_task_scorer("log_loss", average="min")
    expected = scorer(FITTED, X, Y)
    search = clone(GridSearchCV(FITTED, {}, scoring=scorer))
    for copy in (pickle.loads(pickle.dumps(scorer)), clone(scorer), search.scoring):
        assert copy is not scorer
        assert copy(FITTED, X, Y) == expected
        assert repr(copy) == repr(scorer)


@pytest.mark.parametrize(
    ("scorer", "text"),
    [
        (make_task_scorer("roc_auc", task="click"), "'roc_auc', task='click'"),
        (make_task_scorer("brier"), "'brier', average='mean'"),
        (make_task_scorer(share_right, task=0), "share_right, task=0"),
    ],
)
def test_repr_is_the_call(scorer, text):
    assert repr(scorer) == f"make_task_scorer({text})"


def swapped(y):
    """Return the labels with the other order of their classes."""
    return y.assign(like=y["like"].map({"yes": "agree", "no": "refuse"}))


def test_positive_class_of_one_task_or_by_task():
    y = swapped(Y)
    model = OneModelPerTask().fit(X, y)
    expected = TABLE.loc["like", "average_precision"]
    for scorer in (
        make_task_scorer("average_precision", task="like", pos_label="agree"),
        make_task_scorer("average_precision", task="like", pos_label={"like": "agree"}),
    ):
        assert scorer(model, X, y) == pytest.approx(expected)
        assert clone(scorer)(model, X, y) == pytest.approx(expected)
    mean = make_task_scorer("average_precision", pos_label={"like": "agree"})
    assert mean(model, X, y) == pytest.approx(TABLE["average_precision"].mean())
    assert repr(mean).endswith("average='mean', pos_label={'like': 'agree'})")
    message = r"average_precision needs .* positive: \{'like': 'refuse'\}"
    with pytest.warns(PositiveClassWarning, match=message) as record:
        make_task_scorer("average_precision")(model, X, y)
    assert record[0].filename == __file__


def test_positive_class_of_the_fitted_estimator():
    y = swapped(Y)
    model = OneModelPerTask().fit(X, y)
    model.pos_label_ = {"like": "agree"}
    scorer = make_task_scorer("average_precision", task="like")
    expected = TABLE.loc["like", "average_precision"]
    assert scorer(model, X, y) == pytest.approx(expected)
    assert scorer(model, X, y[["stars", "buy", "click", "like"]]) == scorer(model, X, y)
    own = make_task_scorer("average_precision", task="like", pos_label="refuse")
    assert own(model, X, y) != scorer(model, X, y)


@pytest.mark.parametrize(
    ("scorer", "name"),
    [
        (make_task_scorer("roc_auc"), "roc_auc"),
        (make_task_scorer("log_loss", task="like"), "neg_log_loss_like"),
        (make_task_scorer("neg_brier", average="min"), "neg_brier_min"),
        (make_task_scorer(share_right, task=0), "share_right_0"),
    ],
)
def test_name(scorer, name):
    assert scorer.__name__ == name
    assert clone(scorer).__name__ == name


@pytest.mark.parametrize("display", [LearningCurveDisplay, ValidationCurveDisplay])
def test_displays_of_scikit_learn_know_what_they_show(display):
    pyplot = pytest.importorskip("matplotlib.pyplot")
    options = {"scoring": make_task_scorer("log_loss", task="click"), "cv": KFold(2)}
    if display is ValidationCurveDisplay:
        options |= {"param_name": "var_smoothing", "param_range": [1e-9, 1e-3]}
    else:
        options |= {"train_sizes": [0.5, 1.0]}
    shown = display.from_estimator(OneModelPerTask(), X, Y, **options)
    assert shown.ax_.get_ylabel() == "Negative log loss click"
    pyplot.close("all")


def test_weights_are_routed_on_request():
    weight = np.random.default_rng(0).integers(0, 3, len(Y)).astype(float)
    scorer = make_task_scorer("roc_auc", task="click")
    with config_context(enable_metadata_routing=True):
        model = OneModelPerTask().set_fit_request(sample_weight=False)
        found = cross_val_score(
            model,
            X,
            Y,
            cv=KFold(2),
            scoring=scorer.set_score_request(sample_weight=True),
            params={"sample_weight": weight},
        )
    half = len(Y) // 2
    first = OneModelPerTask().fit(X[half:], Y[half:]).predict_proba(X[:half])[0]
    expected = roc_auc_score(
        Y["click"][:half], first[:, 1], sample_weight=weight[:half]
    )
    assert found[0] == pytest.approx(expected)


def test_undefined_task_is_left_out_of_the_average_with_a_warning():
    y = Y.assign(buy=np.where(Y["buy"].isna(), np.nan, 0.0))
    with pytest.warns(UndefinedMetricWarning, match=r"NaN for \['buy'\]"):
        mean = make_task_scorer("roc_auc")(FITTED, X, y)
    assert mean == pytest.approx(TABLE["roc_auc"][:3].mean())
    with pytest.warns(UndefinedMetricWarning, match=r"NaN for \['buy'\]"):
        assert np.isnan(make_task_scorer("roc_auc", task="buy")(FITTED, X, y))


@pytest.mark.parametrize("task", ["clik", 4, -5, None.__class__, 1.0])
def test_unknown_task_names_the_known_ones(task):
    scorer = make_task_scorer("roc_auc", task=task)
    message = r"task must be one of \['click', 'like', 'stars', 'buy'\] or .* found"
    with pytest.raises(ValueError, match=message):
        scorer(FITTED, X, Y)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"metric": "auc"}, r"metric must be one of \['roc_auc'"),
        ({"metric": "roc_auc", "average": "max"}, r"\['mean', 'min', 'weighted'\]; fo"),
        ({"metric": "roc_auc", "task": 0, "average": "min"}, "task or average, not bo"),
        ({"metric": "r2", "pos_label": 1}, "None for a metric of numbers.* for 'r2'"),
    ],
)
def test_bad_arguments_raise_when_the_scorer_is_made(args, message):
    with pytest.raises(ValueError, match=message):
        make_task_scorer(**args)


@pytest.mark.parametrize(
    ("pos_label", "message"),
    [
        ("yes", r"one of the classes \[0, 1\] of 'click'; found 'yes'.* a dict"),
        ({"lik": "yes"}, r"keyed by task names .*; found \['lik'\]"),
        ({"stars": 2}, r"of two classes; found 2 for 'stars'"),
    ],
)
def test_positive_class_that_no_task_has(pos_label, message):
    scorer = make_task_scorer("roc_auc", pos_label=pos_label)
    with pytest.raises(ValueError, match=message):
        scorer(FITTED, X, Y)


def test_labels_that_the_model_never_saw_raise():
    y = pd.DataFrame({"click": [0, 2], "stars": [1, 2]})
    model = forest().fit(X, Y[["click", "stars"]])
    message = r"'click' must be among its classes \[0, 1\]; found 2\. Give"
    with pytest.raises(ValueError, match=message):
        make_task_scorer("roc_auc")(model, X[:2], y)

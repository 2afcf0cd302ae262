import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    PredefinedSplit,
    RandomizedSearchCV,
    cross_validate,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sk_mtl.exceptions import PositiveClassWarning
from sk_mtl.metrics import (
    grouped_roc_auc,
    make_task_scorer,
    task_metric,
    task_scorers,
    task_scores,
)
from tests.metrics.common import (
    MixedModel,
    OneModelPerTask,
    mixed_tasks,
    random_tasks,
)

X, Y = random_tasks()
FITTED = OneModelPerTask().fit(X, Y)
TASKS = list(Y)
CV = KFold(2)
#: A metric for which no class must be named.
METRICS = ("roc_auc", "log_loss")
LIKE = {"like": "yes"}
USERS = np.arange(len(Y)) // 10


def test_a_score_for_each_task_and_for_each_average():
    scores = task_scorers(*METRICS)(FITTED, X, Y)
    table = task_scores(Y, FITTED.predict_proba(X), METRICS)
    auc, loss = table["roc_auc"], -table["log_loss"]
    assert scores == pytest.approx(
        {
            **{f"roc_auc_{task}": auc[task] for task in TASKS},
            "roc_auc_mean": auc.mean(),
            "roc_auc_min": auc.min(),
            **{f"neg_log_loss_{task}": loss[task] for task in TASKS},
            "neg_log_loss_mean": loss.mean(),
            "neg_log_loss_min": loss.min(),
        }
    )
    assert all(type(value) is float for value in scores.values())


@pytest.mark.parametrize("average", ["mean", "min", "weighted"])
@pytest.mark.parametrize("metric", ["roc_auc", "neg_log_loss", "balanced_accuracy"])
def test_equals_the_scorer_of_one_number(metric, average):
    scores = task_scorers(metric, averages=average)(FITTED, X, Y)
    one = make_task_scorer(metric, average=average)(FITTED, X, Y)
    assert scores[f"{metric}_{average}"] == one
    for task in TASKS:
        one = make_task_scorer(metric, task=task)(FITTED, X, Y)
        assert scores[f"{metric}_{task}"] == one


def test_some_tasks_by_name_or_position_and_no_average():
    scores = task_scorers("roc_auc", tasks=["buy", 2], averages=())(FITTED, X, Y)
    assert list(scores) == ["roc_auc_buy", "roc_auc_stars"]
    scores = task_scorers("roc_auc", tasks="buy")(FITTED, X, Y)
    assert scores["roc_auc_buy"] == scores["roc_auc_mean"] == scores["roc_auc_min"]


def test_rows_are_predicted_once_for_all_metrics():
    model = clone(FITTED).fit(X, Y)
    task_scorers("roc_auc", "log_loss", "f1", "lift@0.2", pos_label=LIKE)(model, X, Y)
    assert model.n_predictions_ == 1
    X_mixed, y_mixed = mixed_tasks()
    mixed = MixedModel(numbers=("spend", "visits")).fit(X_mixed, y_mixed)
    scorers = task_scorers("roc_auc", "log_loss", "r2", "mean_absolute_error")
    scorers(mixed, X_mixed, y_mixed)
    assert sorted(mixed.calls_) == ["predict", "predict_proba"]


def test_metrics_apply_to_the_tasks_of_their_kind():
    X_mixed, y_mixed = mixed_tasks()
    model = MixedModel(numbers=("spend", "visits")).fit(X_mixed, y_mixed)
    scores = task_scorers("roc_auc", "r2")(model, X_mixed, y_mixed)
    assert list(scores) == [
        *("roc_auc_like", "roc_auc_buy", "roc_auc_mean", "roc_auc_min"),
        *("r2_spend", "r2_visits", "r2_mean", "r2_min"),
    ]
    with pytest.raises(ValueError, match="'r2' is of tasks of numbers; found classes"):
        task_scorers("roc_auc", "r2", tasks=["like"])(model, X_mixed, y_mixed)

    def largest(y, answers):
        return 1.0

    with pytest.raises(ValueError, match="An average over tasks must be of one kind"):
        task_scorers(largest)(model, X_mixed, y_mixed)
    assert len(task_scorers(largest, averages=())(model, X_mixed, y_mixed)) == 4


@pytest.mark.parametrize("in_pipeline", [False, True])
def test_columns_of_a_search(in_pipeline):
    model, prefix = OneModelPerTask(), ""
    if in_pipeline:
        model, prefix = make_pipeline(StandardScaler(), model), "onemodelpertask__"
    grid = {f"{prefix}var_smoothing": [1e-9, 1.0]}
    scoring = task_scorers(*METRICS)
    search = GridSearchCV(model, grid, scoring=scoring, refit="roc_auc_mean", cv=CV)
    search.fit(X, Y)
    results = search.cv_results_
    auc = np.mean([results[f"mean_test_roc_auc_{task}"] for task in TASKS], axis=0)
    assert results["mean_test_roc_auc_mean"] == pytest.approx(auc)
    assert search.best_index_ == auc.argmax()
    assert {"rank_test_roc_auc_min", "std_test_neg_log_loss_buy"} <= set(results)
    assert search.score(X, Y) == scoring(search, X, Y)["roc_auc_mean"]


def test_other_searches_and_cross_validation():
    grid = {"var_smoothing": [1e-9, 1.0]}
    options = {"scoring": task_scorers("roc_auc"), "refit": "roc_auc_min", "cv": CV}
    model = OneModelPerTask()
    random = RandomizedSearchCV(model, grid, n_iter=2, **options).fit(X, Y)
    assert "mean_test_roc_auc_click" in random.cv_results_
    found = cross_validate(
        model, X, Y, scoring=options["scoring"], cv=CV, return_train_score=True
    )
    assert found["test_roc_auc_mean"].shape == (2,)
    assert "train_roc_auc_stars" in found
    forest = RandomForestClassifier(n_estimators=5, max_depth=3, random_state=0)
    found = cross_validate(
        forest, X, Y[["click", "stars"]].to_numpy(), scoring=options["scoring"], cv=CV
    )
    assert {"test_roc_auc_task_0", "test_roc_auc_task_1"} <= set(found)


def test_columns_stay_where_a_fold_lacks_the_labels_of_a_task():
    y = Y.copy()
    y.loc[150:, "buy"] = np.nan
    folds = PredefinedSplit(np.repeat([-1, 0, 1], [100, 50, 150]))
    message = r"roc_auc is undefined and NaN for \['buy'\]"
    with pytest.warns(UndefinedMetricWarning, match=message):
        found = cross_validate(
            OneModelPerTask(), X, y, scoring=task_scorers("roc_auc"), cv=folds
        )
    assert np.isnan(found["test_roc_auc_buy"]).tolist() == [False, True]
    assert np.isfinite(found["test_roc_auc_mean"]).all()


def test_weights_reach_every_score():
    weight = np.random.default_rng(0).random(len(Y))
    scores = task_scorers("roc_auc")(FITTED, X, Y, sample_weight=weight)
    one = make_task_scorer("roc_auc", task="buy")
    assert scores["roc_auc_buy"] == one(FITTED, X, Y, sample_weight=weight)
    with config_context(enable_metadata_routing=True):
        scoring = task_scorers("roc_auc").set_score_request(sample_weight=True)
        model = OneModelPerTask().set_fit_request(sample_weight=True)
        options = {"scoring": scoring, "cv": CV, "params": {"sample_weight": weight}}
        found = cross_validate(model, X, Y, **options)["test_roc_auc_buy"]
        plain = cross_validate(OneModelPerTask(), X, Y, scoring=scoring, cv=CV)
    assert (found != plain["test_roc_auc_buy"]).all()


@pytest.mark.parametrize("make", [task_scorers, make_task_scorer])
def test_groups_are_handed_to_the_scorer_itself(make):
    scorer = make("grouped_roc_auc")
    found = scorer(FITTED, X, Y, groups=USERS)
    found = found["grouped_roc_auc_mean"] if make is task_scorers else found
    each = [
        task_metric("grouped_roc_auc")(Y[task], proba, groups=USERS)
        for task, proba in zip(TASKS, FITTED.predict_proba(X), strict=True)
    ]
    assert found == pytest.approx(np.mean(each))
    with pytest.raises(ValueError, match="must be given the groups of rows"):
        scorer(FITTED, X, Y)


def test_groups_reach_a_search_by_metadata_routing():
    y = Y[["click", "buy"]]
    cv = GroupKFold(2)
    with config_context(enable_metadata_routing=True):
        search = GridSearchCV(
            OneModelPerTask(),
            {},
            scoring=task_scorers("roc_auc", "grouped_roc_auc"),
            refit="grouped_roc_auc_mean",
            cv=cv,
        ).fit(X, y, groups=USERS)
        one = GridSearchCV(
            OneModelPerTask(),
            {},
            scoring=make_task_scorer("grouped_roc_auc", task="click"),
            cv=cv,
        ).fit(X, y, groups=USERS)
        # A metric that takes none does not ask for them.
        plain = task_scorers("roc_auc")
        cross_validate(
            OneModelPerTask(), X, y, scoring=plain, cv=cv, params={"groups": USERS}
        )
    folds = []
    for train, test in cv.split(X, y, USERS):
        model = OneModelPerTask().fit(X.iloc[train], y.iloc[train])
        proba = model.predict_proba(X.iloc[test])[0]
        folds.append(grouped_roc_auc(y["click"].iloc[test], proba, USERS[test]))
    found = search.cv_results_["mean_test_grouped_roc_auc_click"]
    assert found == pytest.approx([np.mean(folds)])
    assert one.best_score_ == pytest.approx(np.mean(folds))


def test_groups_reach_a_scorer_beside_others_and_beside_weights():
    weight = np.random.default_rng(0).random(len(Y))
    with config_context(enable_metadata_routing=True):
        found = cross_validate(
            OneModelPerTask().set_fit_request(sample_weight=False),
            X,
            Y,
            scoring={
                "plain": make_task_scorer("grouped_roc_auc").set_score_request(
                    sample_weight=False
                ),
                "weighted": make_task_scorer("grouped_roc_auc").set_score_request(
                    sample_weight=True
                ),
                "other": make_task_scorer("roc_auc").set_score_request(
                    sample_weight=False
                ),
            },
            cv=GroupKFold(2),
            params={"groups": USERS, "sample_weight": weight},
        )
    assert (found["test_plain"] != found["test_weighted"]).all()
    assert (found["test_plain"] != found["test_other"]).all()


def test_a_search_without_routing_asks_for_groups():
    search = GridSearchCV(
        OneModelPerTask(),
        {},
        scoring=task_scorers("grouped_roc_auc"),
        refit=False,
        cv=GroupKFold(2),
        error_score="raise",
    )
    with pytest.raises(ValueError, match="where scikit-learn's enable_metadata_routi"):
        search.fit(X, Y, groups=USERS)


def test_positive_class_is_named_once():
    f1 = task_scorers("f1", pos_label=LIKE)(FITTED, X, Y)
    one = make_task_scorer("f1", task="like", pos_label="yes")(FITTED, X, Y)
    assert f1["f1_like"] == one
    with pytest.warns(
        PositiveClassWarning, match=r"f1 and recall need to know"
    ) as seen:
        task_scorers("f1", "recall", averages=())(FITTED, X, Y)
    assert len(seen) == 1


def test_pickle_clone_and_repr():
    scorers = task_scorers("roc_auc", "lift@0.2", tasks=["buy"], averages="min")
    expected = scorers(FITTED, X, Y)
    for copy in (pickle.loads(pickle.dumps(scorers)), clone(scorers)):
        assert copy(FITTED, X, Y) == expected
    text = "task_scorers('roc_auc', 'lift@0.2', tasks=['buy'], averages=('min',))"
    assert repr(scorers) == text


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ([], {}, r"must be given metrics; found none\. Name at least one, such as"),
        (["auc"], {}, r"metric must be one of \['roc_auc'"),
        (["brier"], {"averages": ("max",)}, r"one of \['mean', .*; found 'max'\. Use"),
        (["brier"], {"tasks": []}, "at least one task, or be None for all; found none"),
        (["r2"], {"pos_label": 1}, "pos_label must be None for a metric of numbers"),
    ],
)
def test_bad_input(arguments, options, message):
    with pytest.raises(ValueError, match=message):
        task_scorers(*arguments, **options)


def test_tasks_that_are_none_and_names_that_are_taken():
    with pytest.raises(
        ValueError, match=r"tasks must be one of \['click', .*; found 'x"
    ):
        task_scorers("roc_auc", tasks=["x"])(FITTED, X, Y)
    message = r"'roc_auc_click' twice\. Rename the task, or leave out the average"
    with pytest.raises(ValueError, match=message):
        task_scorers("roc_auc", "roc_auc")(FITTED, X, Y)
    y = pd.DataFrame({"mean": Y["click"], "buy": Y["buy"]})
    model = OneModelPerTask().fit(X, y)
    with pytest.raises(ValueError, match="found 'roc_auc_mean' twice"):
        task_scorers("roc_auc")(model, X, y)
    assert len(task_scorers("roc_auc", averages="min")(model, X, y)) == 3

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold, ShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sk_mtl import MMOEClassifier
from sk_mtl.ensemble import MultiTaskVotingClassifier
from sk_mtl.metrics import make_task_scorer
from sk_mtl.model_selection import out_of_fold_proba
from tests.ensemble.common import Recorder, binary_table, linear, net, table, tree
from tests.estimators.common import assert_equal_proba


def voting(*parts, **parameters):
    names = ("first", "second", "third")
    return MultiTaskVotingClassifier(list(zip(names, parts)), **parameters)


def test_one_part_answers_as_it_does_alone():
    X, y = table()
    alone = net().fit(X, y).predict_proba(X)
    assert_equal_proba(voting(net()).fit(X, y).predict_proba(X), alone, rtol=1e-5)


def test_single_label_parts_answer_as_they_do_alone():
    X, y = table()
    found = voting(linear()).fit(X, y).predict_proba(X)
    for name, proba in zip(y, found, strict=True):
        alone = linear().fit(X, y[name]).predict_proba(X)
        # Probabilities below 1e-7 count as 1e-7.
        np.testing.assert_allclose(proba, alone, atol=1e-6)


def test_log_odds_of_parts_are_averaged():
    X, y = binary_table()
    model = voting(net(), linear(), weights=[1, 3]).fit(X, y)
    logits = [
        np.log(part[0][:, 1] / part[0][:, 0])
        for part in (
            net().fit(X, y).predict_proba(X),
            [linear().fit(X, y["click"]).predict_proba(X)],
        )
    ]
    wanted = 1 / (1 + np.exp(-(0.25 * logits[0] + 0.75 * logits[1])))
    np.testing.assert_allclose(model.predict_proba(X)[0][:, 1], wanted, rtol=1e-5)


def test_labels_and_score_follow_the_probabilities():
    X, y = table()
    model = voting(linear(), tree()).fit(X, y)
    labels = model.predict(X)
    for k, (classes, proba) in enumerate(
        zip(model.classes_, model.predict_proba(X), strict=True)
    ):
        assert labels[:, k].tolist() == classes[proba.argmax(axis=1)].tolist()
    assert model.score(X, y) == pytest.approx(np.mean(labels == y.to_numpy()))
    assert model.task_names_ == ["click", "buy", "plan"]


def test_a_part_of_one_task_votes_as_in_scikit_learn():
    X, y = binary_table()
    parts = [("linear", linear()), ("tree", tree())]
    ours = MultiTaskVotingClassifier(parts).fit(X, y["click"])
    theirs = VotingClassifier(parts, voting="soft").fit(X, y["click"])
    assert ours.predict(X).tolist() == theirs.predict(X).tolist()
    assert ours.classes_.tolist() == theirs.classes_.tolist()


def test_rows_without_a_label_are_left_out_task_by_task():
    X, y = binary_table()
    y = y.astype(float)
    y.loc[:49, "click"] = np.nan
    weight = pd.DataFrame(1.0, y.index, list(y))
    weight.loc[100:, "buy"] = 0.0
    model = voting(Recorder()).fit(X, y, sample_weight=weight)
    click, buy = model.estimators_[0].values()
    assert click.X_.index.tolist() == [*range(50, 200)]
    assert buy.X_.index.tolist() == [*range(100)]
    assert click.weight_ is None
    assert buy.y_.tolist() == y["buy"][:100].tolist()


def test_weights_and_groups_reach_the_parts_that_take_them():
    X, y = binary_table()
    groups = np.arange(200) // 2
    weight = np.arange(1.0, 201.0)
    model = voting(Recorder(), net()).fit(X, y, sample_weight=weight, groups=groups)
    click = model.estimators_[0]["click"]
    assert click.weight_.tolist() == weight.tolist()
    assert click.groups_.tolist() == groups.tolist()
    alone = net().fit(X, y, sample_weight=weight, groups=groups)
    assert_equal_proba(model.estimators_[1].predict_proba(X), alone.predict_proba(X))


def test_the_label_that_a_network_takes_as_missing_is_missing_for_all():
    X, y = binary_table()
    y.loc[:49, "click"] = -1
    model = voting(net(missing_label=-1), Recorder()).fit(X, y)
    assert model.missing_label == -1
    assert len(model.estimators_[1]["click"].X_) == 150
    assert [classes.tolist() for classes in model.classes_] == [[0, 1], [0, 1]]


def test_a_dropped_part_has_no_vote():
    X, y = binary_table()
    model = voting(linear(), tree(), weights=[0, 1])
    kept = clone(model).set_params(first="drop").fit(X, y)
    assert_equal_proba(kept.predict_proba(X), model.fit(X, y).predict_proba(X))
    assert len(kept.estimators_) == 1
    assert kept.named_estimators_["first"] == "drop"
    assert list(kept.weights_.index) == ["second"]


def test_parameters_of_parts_are_reached_by_name():
    model = voting(net(), linear())
    model.set_params(first__lr=0.1, second__C=3.0)
    assert model.named_estimators["first"].lr == 0.1
    assert model.get_params()["second__C"] == 3.0
    assert model.set_params(second=tree()).named_estimators.second.max_depth == 2


@pytest.mark.parametrize(
    ("weights", "shares"),
    [
        (None, [[0.5, 0.5, 0.5], [0.5, 0.5, 0.5]]),
        ([1, 3], [[0.25, 0.25, 0.25], [0.75, 0.75, 0.75]]),
        ([[1, 1, 0], [1, 3, 2]], [[0.5, 0.25, 0], [0.5, 0.75, 1]]),
        ({"buy": [3, 1]}, [[0.5, 0.75, 0.5], [0.5, 0.25, 0.5]]),
    ],
    ids=["equal", "of parts", "of parts and tasks", "by task"],
)
def test_weights_sum_to_one_for_each_task(weights, shares):
    X, y = table()
    model = voting(linear(), tree(), weights=weights).fit(X, y)
    assert model.weights_.to_numpy().tolist() == shares


def test_learnt_weights_leave_out_a_part_that_knows_nothing():
    X, y = table(400)
    model = voting(linear(), Recorder(), weights="auto").fit(X, y)
    assert (model.weights_.loc["first"] > 0.95).all()


@pytest.mark.parametrize(
    "cv", [4, ShuffleSplit(1, test_size=0.25, random_state=0)], ids=["folds", "share"]
)
def test_learnt_weights_are_the_same_again(cv):
    X, y = binary_table()
    model = voting(linear(), tree(), weights="auto", cv=cv).fit(X, y)
    assert model.weights_.equals(clone(model).fit(X, y).weights_)
    assert ((model.weights_ > 0) & (model.weights_ < 1)).to_numpy().any()


def test_one_task_may_learn_its_weights_alone():
    X, y = binary_table()
    model = voting(linear(), tree(), weights={"buy": "auto", "click": [1, 0]})
    weights = model.fit(X, y).weights_
    assert weights["click"].tolist() == [1, 0]
    assert weights["buy"].equals(
        clone(model).set_params(weights="auto").fit(X, y).weights_["buy"]
    )


def test_groups_stay_together_where_weights_are_learnt():
    X, y = binary_table()
    groups = np.arange(200) // 4

    class Checks(Recorder):
        def predict_proba(self, X):
            assert set(X.index // 4).isdisjoint(self.groups_)
            return super().predict_proba(X)

    model = voting(Checks(), linear(), weights="auto")
    model.fit(X, y, groups=groups)


def test_all_ones_equal_no_weights():
    X, y = binary_table()
    model = voting(net(), tree())
    ones = clone(model).fit(X, y, sample_weight=np.ones(y.shape)).predict_proba(X)
    assert_equal_proba(ones, model.fit(X, y).predict_proba(X))


def test_named_classes_may_be_missing_in_the_rows():
    X, y = table()
    rows = y["plan"] != "trial"
    model = voting(net(), linear())
    model.fit(X[rows], y[rows], classes={"plan": ["free", "paid", "trial"]})
    assert model.classes_[2].tolist() == ["free", "paid", "trial"]
    assert model.predict_proba(X)[2][:, 2].max() < 0.01


def test_a_part_without_two_classes_leaves_the_task_to_others():
    X, y = binary_table()
    model = voting(net(), linear()).fit(X, y * [1, 0], classes=[[0, 1]] * 2)
    assert model.weights_["buy"].tolist() == [1, 0]
    assert list(model.estimators_[1]) == ["click"]


def test_pipelines_and_searches_are_parts():
    X, y = binary_table()
    search = GridSearchCV(net(), {"lr": [0.01]}, cv=2)
    piped = make_pipeline(StandardScaler(), net())
    single = make_pipeline(StandardScaler(), LogisticRegression())
    model = voting(search, piped, single)
    model.fit(X, y, sample_weight=np.arange(1.0, 201.0))
    assert [proba.shape for proba in model.predict_proba(X)] == [(200, 2)] * 2
    assert isinstance(model.estimators_[1][-1], MMOEClassifier)


def test_an_ensemble_is_a_part_of_another():
    X, y = binary_table()
    inner = voting(net(), linear())
    model = voting(inner, weights=[1]).fit(X, y)
    assert_equal_proba(
        model.predict_proba(X), inner.fit(X, y).predict_proba(X), rtol=1e-6
    )


def test_tools_of_the_package_and_scikit_learn_take_it(tmp_path):
    X, y = binary_table()
    y = y.astype(float)
    y.loc[::7, "buy"] = np.nan
    model = voting(net(), tree())
    scorer = make_task_scorer("roc_auc")
    search = GridSearchCV(
        model,
        {"first__lr": [0.01, 0.02], "weights": [None, [1, 2]]},
        cv=KFold(2),
        scoring=scorer,
        error_score="raise",
    ).fit(X, y)
    assert 0.5 < search.best_score_ <= 1
    proba = out_of_fold_proba(model, X, y, cv=2, groups=np.arange(200) // 2)
    assert [each.shape for each in proba] == [(200, 2)] * 2
    joblib.dump(model.fit(X, y), tmp_path / "model")
    loaded = joblib.load(tmp_path / "model")
    assert_equal_proba(loaded.predict_proba(X), model.predict_proba(X))


def test_boosted_trees_get_no_more_categories_than_they_take():
    rng = np.random.default_rng(0)
    user = rng.integers(0, 400, 2000)
    X = pd.DataFrame({"user": pd.Categorical(user), "a": rng.normal(size=2000)})
    y = pd.DataFrame({"click": (user % 2) ^ (rng.random(2000) < 0.1)})
    trees = HistGradientBoostingClassifier(
        categorical_features="from_dtype", max_iter=30, min_samples_leaf=2
    )
    model = voting(trees).fit(X, y)
    fitted = model.estimators_[0]["click"]
    kept = fitted[0].kept_["user"]
    counts = X["user"].value_counts()
    assert len(kept) == 255
    assert counts[kept].min() >= counts.drop(kept).max()
    assert model.score(X, y) > 0.6

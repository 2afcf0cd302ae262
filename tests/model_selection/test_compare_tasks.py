import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import stats
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, clone
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.linear_model import LinearRegression
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import GroupKFold, KFold, ShuffleSplit, TimeSeriesSplit
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sk_mtl import MMOEClassifier, MMOERegressor, estimators
from sk_mtl.exceptions import PositiveClassWarning
from sk_mtl.metrics import grouped_roc_auc, make_task_scorer, task_metric
from sk_mtl.model_selection import TaskComparison, compare_tasks
from sk_mtl.model_selection._baseline import single_task_baseline
from tests.metrics.common import (
    MixedModel,
    OneModelPerTask,
    mixed_tasks,
    random_tasks,
)

X, Y = random_tasks(300)
GOOD, POOR = OneModelPerTask(), OneModelPerTask(var_smoothing=1e3)
QUICK = {"max_epochs": 1, "batch_size": 64}


class Recorder(OneModelPerTask):
    """Keeps what each fit was given, in a list that clones share."""

    fits = []

    def __init__(self, name="", random_state=None):
        super().__init__()
        self.name = name
        self.random_state = random_state

    def fit(self, X, y):
        self.fits.append((self.name, self.random_state, list(X.index)))
        return super().fit(X, y)


@pytest.fixture
def fits():
    Recorder.fits.clear()
    return Recorder.fits


def comparison_of(scores, baseline_scores, metric="roc_auc", test_ratio=0.25):
    """A comparison of given scores, one row per fold."""
    tasks = [f"task_{k}" for k in range(np.shape(scores)[1])]
    return TaskComparison(
        names=["New"],
        baseline_name="Old",
        metrics=dict.fromkeys(tasks, task_metric(metric)),
        scores=pd.DataFrame(scores, columns=tasks),
        baseline_scores=pd.DataFrame(baseline_scores, columns=tasks),
        test_ratio=test_ratio,
        costs=pd.DataFrame(
            {"name": ["New", "Old"], "fit_seconds": 1.5, "n_parameters": [4200, 900]},
            index=["estimator", "baseline"],
        ),
    )


def test_interval_worked_by_hand():
    table = comparison_of([[0.7], [0.8], [0.9]], [[0.6], [0.6], [0.6]]).frame()
    # Differences 0.1, 0.2, 0.3 have variance 0.01; (1/3 + 1/4) of it is 0.07 / 12.
    half = stats.t.ppf(0.975, df=2) * np.sqrt(0.07 / 12)
    row = table.loc["task_0"]
    assert row["difference"] == pytest.approx(0.2)
    assert row["lower"] == pytest.approx(0.2 - half)
    assert row["upper"] == pytest.approx(0.2 + half)
    assert row[["mean", "baseline_mean"]].tolist() == pytest.approx([0.8, 0.6])
    assert row[["std", "baseline_std"]].tolist() == pytest.approx([0.1, 0])
    assert list(table) == [
        *("metric", "mean", "std", "baseline_mean", "baseline_std"),
        *("difference", "lower", "upper", "verdict"),
    ]


def test_test_rows_widen_the_interval():
    scores = [[0.7], [0.8], [0.9]], [[0.6], [0.6], [0.6]]
    none, half = (comparison_of(*scores, test_ratio=r).frame() for r in (0, 0.5))
    plain = stats.t.interval(0.95, 2, 0.2, stats.sem([0.1, 0.2, 0.3]))
    assert none.loc["task_0", ["lower", "upper"]].tolist() == pytest.approx(plain)
    assert half.loc["task_0", "upper"] > none.loc["task_0", "upper"]


def test_verdicts_and_sentence():
    base = np.full((4, 4), 0.5)
    noise = np.array([-1, 0, 0, 1])[:, None] * 0.01
    scores = base + [0.1, -0.2, 0.001, 0.3] + noise
    gain = comparison_of(scores, base)
    verdicts = gain.frame()["verdict"].tolist()
    assert verdicts == ["gains", "loses", "undecided", "gains"]
    assert gain.summary == (
        "New beside Old, over 4 folds: 'task_0' (roc_auc +0.1 ± 0.018) and 'task_3' "
        "(roc_auc +0.3 ± 0.018) gain; 'task_1' (roc_auc -0.2 ± 0.018) loses; 'task_2' "
        "(roc_auc +0.001 ± 0.018) is undecided."
    )
    # The very same numbers, where less is better.
    loss = comparison_of(scores, base, "log_loss").frame()["verdict"].tolist()
    assert loss == ["loses", "gains", "undecided", "loses"]


def test_printed_it_is_the_table_the_costs_and_the_sentence():
    comparison = comparison_of([[0.7], [0.8], [0.9]], [[0.6], [0.6], [0.6]])
    text = str(comparison)
    assert text == repr(comparison)
    assert text.endswith("\n\n" + comparison.summary)
    assert "4,200" in text
    assert "1.5" in text
    assert "undecided" in text


def test_equal_models_cannot_be_told_apart():
    scores = np.array([[0.7], [0.8]])
    row = comparison_of(scores, scores).frame().loc["task_0"]
    assert row[["difference", "lower", "upper"]].tolist() == [0, 0, 0]
    assert row["verdict"] == "undecided"


@pytest.mark.parametrize("n_defined", [0, 1])
def test_too_few_folds_leave_it_open(n_defined):
    scores = np.full((3, 1), np.nan)
    scores[:n_defined] = 0.9
    comparison = comparison_of(scores, np.full((3, 1), 0.5))
    assert comparison.frame().loc["task_0", "verdict"] == "undecided"
    assert "± nan) is undecided." in comparison.summary


def test_difference_is_over_the_folds_that_both_define():
    scores = [[0.9], [0.8], [np.nan], [0.7]]
    others = [[0.8], [0.7], [0.1], [0.5]]
    row = comparison_of(scores, others).frame().loc["task_0"]
    kept = comparison_of([[0.9], [0.8], [0.7]], [[0.8], [0.7], [0.5]]).frame()
    columns = ["difference", "lower", "upper"]
    assert row[columns].tolist() == pytest.approx(kept.loc["task_0", columns].tolist())


def test_infinite_loss_leaves_it_open():
    comparison = comparison_of([[np.inf], [1.0]], [[1.0], [2.0]], "mean_gamma_deviance")
    row = comparison.frame().loc["task_0"]
    assert (row["mean"], row["verdict"]) == (np.inf, "undecided")
    assert "+inf ± nan" in comparison.summary


def test_scores_are_those_of_the_folds():
    cv = KFold(3)
    found = compare_tasks(GOOD, X, Y, cv=cv, baseline=POOR, scoring="log_loss")
    for fold, (train, test) in enumerate(cv.split(X)):
        for model, scores in ((GOOD, found.scores), (POOR, found.baseline_scores)):
            fitted = clone(model).fit(X.iloc[train], Y.iloc[train])
            proba = fitted.predict_proba(X.iloc[test])
            like = log_loss(Y["like"].iloc[test], proba[1])
            assert scores.loc[fold, "like"] == pytest.approx(like)
    assert found.test_ratio == 0.5
    assert list(found.scores) == list(Y)
    assert found.frame().loc["like", "mean"] == found.scores["like"].mean()


def test_a_better_model_gains():
    args = {"cv": KFold(5), "scoring": "log_loss"}
    found = compare_tasks(GOOD, X, Y, **args, baseline=POOR)
    assert found.frame().loc["click", "verdict"] == "gains"
    assert (found.frame()["metric"] == "log_loss").all()
    assert (
        "OneModelPerTask(var_smoothing=1e-09) beside "
        "OneModelPerTask(var_smoothing=1000.0), over 5 folds: "
    ) in found.summary
    other = compare_tasks(POOR, X, Y, **args, baseline=GOOD)
    assert other.frame().loc["click", "verdict"] == "loses"
    difference = found.frame()["difference"] + other.frame()["difference"]
    assert difference.abs().max() < 1e-15


def test_both_models_get_the_same_rows_and_seeds(fits):
    models = Recorder("new"), Recorder("old")
    compare_tasks(models[0], X, Y, cv=3, baseline=models[1], random_state=0)
    new = [fit[1:] for fit in fits if fit[0] == "new"]
    old = [fit[1:] for fit in fits if fit[0] == "old"]
    assert new == old
    assert len({seed for seed, _ in new}) == 3
    # A number of folds shuffles the rows.
    assert all(rows[:3] != [0, 1, 2] for _, rows in new[1:])


def test_own_seed_is_kept(fits):
    compare_tasks(Recorder(random_state=7), X, Y, cv=2, baseline=Recorder("b"))
    assert [seed for name, seed, _ in fits if name == ""] == [7, 7]


def test_random_state_decides():
    args = (GOOD, X, Y)
    first, second, other = (
        compare_tasks(*args, cv=2, baseline=POOR, random_state=seed).scores
        for seed in (0, 0, 1)
    )
    pd.testing.assert_frame_equal(first, second)
    assert not first.equals(other)


@pytest.mark.parametrize("cv", [4, GroupKFold(4)])
def test_groups_stay_together(fits, cv):
    groups = np.repeat(np.arange(30), 10)
    compare_tasks(
        Recorder(), X, Y, cv=cv, baseline=Recorder(), groups=groups, random_state=0
    )
    for _, _, rows in fits:
        assert np.isin(np.bincount(groups[rows], minlength=30), [0, 10]).all()


@pytest.mark.parametrize("cv", [TimeSeriesSplit(3), ShuffleSplit(3, random_state=0)])
def test_splitters_that_are_no_partition(cv):
    found = compare_tasks(GOOD, X, Y, cv=cv, baseline=POOR)
    assert len(found.scores) == 3
    ratios = [len(test) / len(train) for train, test in cv.split(X)]
    assert found.test_ratio == pytest.approx(np.mean(ratios))


def test_one_task_is_stratified():
    y = np.repeat([0, 1], [290, 10])
    model = GaussianNB()
    found = compare_tasks(
        model, X, y, cv=10, baseline=model, random_state=0, scoring="log_loss"
    )
    assert list(found.scores) == ["task_0"]
    auc = compare_tasks(model, X, y, cv=10, baseline=model, random_state=0)
    assert auc.scores.notna().all(axis=None)


def test_test_rows_of_one_class_are_left_out_with_a_warning():
    y = Y.assign(click=Y["click"].where(Y.index >= 60, 0))
    with pytest.warns(UndefinedMetricWarning, match=r"scores of \['click'\] are unde"):
        found = compare_tasks(GOOD, X, y, cv=KFold(5), baseline=POOR)
    assert found.scores["click"].isna().tolist() == [True, *[False] * 4]
    assert found.scores["like"].notna().all()


@pytest.mark.parametrize(
    "scoring",
    [
        "roc_auc",
        task_metric("roc_auc"),
        make_task_scorer("roc_auc"),
        lambda y, proba: roc_auc_score(y.tolist(), proba[:, 1]),
    ],
    ids=["name", "metric", "scorer", "callable"],
)
def test_scoring_in_every_form(scoring):
    y = Y[["click", "like"]]
    found = compare_tasks(GOOD, X, y, cv=KFold(3), baseline=POOR, scoring=scoring)
    expected = compare_tasks(GOOD, X, y, cv=KFold(3), baseline=POOR)
    pd.testing.assert_frame_equal(found.scores, expected.scores)


def test_scorer_of_one_task():
    scorer = make_task_scorer("brier", task="stars")
    found = compare_tasks(GOOD, X, Y, cv=KFold(3), baseline=POOR, scoring=scorer)
    assert list(found.scores) == ["stars"]
    assert found.frame().loc["stars", "metric"] == "brier"


def test_tasks_of_both_kinds():
    features, y = mixed_tasks()
    models = [MixedModel(("spend", "visits"), alpha=alpha) for alpha in (1.0, 1e5)]
    found = compare_tasks(models[0], features, y, cv=KFold(4), baseline=models[1])
    table = found.frame()
    assert table["metric"].tolist() == ["roc_auc", "roc_auc", "r2", "r2"]
    assert table.loc["spend", "verdict"] == "gains"
    assert table.loc["like", "difference"] == 0
    numbers = compare_tasks(
        models[0], features, y, cv=KFold(4), baseline=models[1], scoring="r2"
    )
    assert list(numbers.scores) == ["spend", "visits"]


def test_regressors():
    y = np.column_stack([X["a"], X["b"] + X["c"]])
    ones = pd.DataFrame(np.ones((300, 1)))
    found = compare_tasks(
        LinearRegression(), X, y, cv=3, baseline=make_pipeline(LinearRegression())
    )
    assert found.frame()["difference"].abs().max() < 1e-12
    assert (found.frame()["mean"] > 0.999).all()
    poor = compare_tasks(
        LinearRegression(), ones, y, cv=3, baseline=LinearRegression()
    ).frame()
    assert (poor["metric"] == "r2").all()


@pytest.mark.parametrize("container", [np.asarray, pl.from_pandas])
def test_containers_give_the_same(container):
    y = Y[["click"]].assign(other=(Y["stars"] > 1).astype(int))
    found = compare_tasks(GOOD, X, container(y), cv=KFold(3), baseline=POOR)
    expected = compare_tasks(GOOD, X, y, cv=KFold(3), baseline=POOR)
    np.testing.assert_allclose(found.scores, expected.scores)


def test_costs_of_networks_and_of_other_models():
    y = Y[["click", "like"]]
    small = MMOEClassifier(**QUICK, n_experts=1)
    found = compare_tasks(small, X, y, cv=2, baseline=GOOD, random_state=0)
    network = small.fit(X, y).net_.module_
    assert found.costs.loc["estimator", "n_parameters"] == sum(
        weights.numel() for weights in network.parameters()
    )
    assert np.isnan(found.costs.loc["baseline", "n_parameters"])
    assert found.costs["name"].tolist() == ["MMOEClassifier", "OneModelPerTask"]
    assert (found.costs["fit_seconds"] > 0).all()
    assert not hasattr(GOOD, "classes_")


@pytest.mark.slow
def test_fits_in_parallel_equal_fits_in_turn():
    args = {"cv": 2, "baseline": POOR, "random_state": 0}
    turn = compare_tasks(GOOD, X, Y, **args)
    parallel = compare_tasks(GOOD, X, Y, **args, n_jobs=2)
    pd.testing.assert_frame_equal(turn.scores, parallel.scores)


class SingleTaskClassifier(ClassifierMixin, BaseEstimator):
    """Stands for the package's own, with some of its parameters."""

    def __init__(self, *, tower_hidden_sizes=(5,), max_epochs=9, own=3):
        self.tower_hidden_sizes = tower_hidden_sizes
        self.max_epochs = max_epochs
        self.own = own

    seen = []

    def fit(self, X, y):
        self.seen.append(self.get_params())
        self._model = OneModelPerTask().fit(X, y)
        self.classes_ = self._model.classes_
        return self

    def predict_proba(self, X):
        return self._model.predict_proba(X)


class SingleTaskRegressor(RegressorMixin, BaseEstimator):
    def __init__(self, *, max_epochs=9):
        self.max_epochs = max_epochs

    def fit(self, X, y):
        self.mean_ = np.asarray(y).mean(axis=0)
        return self

    def predict(self, X):
        return np.tile(self.mean_, (len(X), 1))


@pytest.fixture
def single_tasks(monkeypatch):
    for cls in (SingleTaskClassifier, SingleTaskRegressor):
        monkeypatch.setattr(estimators, cls.__name__, cls, raising=False)
    SingleTaskClassifier.seen.clear()


@pytest.mark.usefixtures("single_tasks")
def test_default_baseline_has_the_estimators_own_values():
    y = Y[["click", "like"]]
    model = MMOEClassifier(**QUICK, tower_hidden_sizes=[(8,), (4, 2)])
    found = compare_tasks(model, X, y, cv=2, random_state=0)
    given = {"tower_hidden_sizes": [(8,), (4, 2)], "max_epochs": 1, "own": 3}
    assert SingleTaskClassifier.seen == [given] * 2
    assert found.baseline_name == "SingleTaskClassifier"
    assert "MMOEClassifier beside SingleTaskClassifier, over 2 folds: " in str(found)


@pytest.mark.usefixtures("single_tasks")
def test_default_baseline_of_a_pipeline_keeps_its_other_steps():
    pipeline = make_pipeline(StandardScaler(), MMOERegressor(**QUICK))
    y = (X**2)[["a", "b"]].to_numpy()
    found = compare_tasks(pipeline, X, y, cv=2, random_state=0)
    assert [*found.names, found.baseline_name] == [
        *("MMOERegressor", "SingleTaskRegressor")
    ]
    assert found.costs.loc["estimator", "n_parameters"] > 0


@pytest.mark.usefixtures("single_tasks")
def test_default_baseline_needs_a_model_of_the_package():
    with pytest.raises(
        ValueError, match=r"of sk_mtl, .*; found OneModelPerTask\. Give"
    ):
        compare_tasks(GOOD, X, Y, cv=2)


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"scoring": "auc"}, r"metric must be one of \['roc_auc'"),
        ({"scoring": "r2"}, r"'r2' is of tasks of numbers; found classes in 'click'"),
        ({"groups": np.ones(3)}, r"inconsistent numbers of samples"),
    ],
)
def test_bad_input_raises(kwargs, message):
    with pytest.raises(ValueError, match=message):
        compare_tasks(GOOD, X, Y, cv=2, baseline=POOR, **kwargs)


@pytest.mark.parametrize("wrong", [OneModelPerTask, {"a": GOOD}, "single"])
@pytest.mark.parametrize("parameter", ["estimator", "baseline"])
def test_what_is_no_estimator_is_refused(wrong, parameter):
    given = {"estimator": GOOD, "baseline": POOR, parameter: wrong}
    with pytest.raises(TypeError) as caught:
        compare_tasks(X=X, y=Y, cv=2, **given)
    remedies = {
        "estimator": "or for `estimator` a list of estimators.",
        "baseline": "or 'single_task'.",
    }
    assert str(caught.value) == (
        f"{parameter} must be one estimator, an instance; found {wrong!r}. Give an "
        f"estimator, {remedies[parameter]}"
    )


def test_a_list_without_estimators_is_refused():
    with pytest.raises(TypeError) as caught:
        compare_tasks([], X, Y)
    assert str(caught.value) == (
        "estimator must hold at least one estimator; found []. Give an estimator, or "
        "for `estimator` a list of estimators."
    )
    with pytest.raises(TypeError, match="estimator must be one estimator, an instance"):
        compare_tasks([GOOD, "poor"], X, Y)


def test_steps_with_a_structure_of_their_own_stand_beside_tasks_apart():
    baseline = single_task_baseline(estimators.AITMClassifier(lr=0.5))
    assert (baseline.structure, baseline.lr) == ("independent", 0.5)
    funnel = single_task_baseline(estimators.ESCM2Classifier())
    assert funnel.structure == "funnel"
    assert isinstance(funnel, estimators.SingleTaskClassifier)


def test_a_baseline_is_not_balanced():
    model = MMOEClassifier(balancing="pcgrad", task_weights=[2, 1])
    baseline = single_task_baseline(model)
    assert (baseline.balancing, baseline.task_weights) == (None, None)


def test_the_baseline_of_mixed_tasks_has_their_types():
    types = {"a": "binary", "b": "regression"}
    model = estimators.MultiTaskEstimator(
        task_types=types, wiring=estimators.MMoE(gate="top_k")
    )
    baseline = single_task_baseline(model)
    assert baseline.wiring == "single_task"
    assert baseline.task_types == types


@pytest.mark.parametrize("in_pipeline", [False, True])
def test_groups_reach_the_fit(in_pipeline):
    class Grouped(OneModelPerTask):
        seen = []

        def fit(self, X, y, groups=None):
            self.seen.append(set(groups))
            return super().fit(X, y)

    groups = np.arange(len(X)) % 6
    model = make_pipeline(StandardScaler(), Grouped()) if in_pipeline else Grouped()
    compare_tasks(model, X, Y, cv=3, groups=groups, baseline=GOOD)
    assert [len(each) for each in Grouped.seen] == [4, 4, 4]


def test_groups_reach_a_metric_that_ranks_within_them():
    groups, folds = (
        np.arange(len(X)) // 10,
        list(GroupKFold(2).split(X, Y, X.index // 10)),
    )
    scores = compare_tasks(
        GOOD, X, Y, cv=folds, groups=groups, scoring="grouped_roc_auc", baseline=POOR
    ).scores
    model = clone(GOOD).fit(X.iloc[folds[0][0]], Y.iloc[folds[0][0]])
    test = folds[0][1]
    proba = model.predict_proba(X.iloc[test])[0]
    expected = grouped_roc_auc(Y["click"].iloc[test], proba, groups[test])
    assert scores["click"].iloc[0] == pytest.approx(expected)


def test_scorer_says_which_class_is_positive():
    y, given = Y[["click", "like"]], {"cv": 2, "baseline": POOR, "random_state": 0}
    scores = {}
    for label in ("no", "yes"):
        scorer = make_task_scorer("average_precision", pos_label={"like": label})
        found = compare_tasks(GOOD, X, y, scoring=scorer, **given)
        scores[label] = found.scores["like"]
    assert (scores["no"] != scores["yes"]).all()
    with pytest.warns(PositiveClassWarning, match="positive: 'yes'"):
        found = compare_tasks(GOOD, X, y, scoring="average_precision", **given)
    pd.testing.assert_series_equal(found.scores["like"], scores["yes"])

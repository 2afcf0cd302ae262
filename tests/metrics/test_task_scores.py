import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import average_precision_score, log_loss, roc_auc_score

from sk_mtl.exceptions import PositiveClassWarning
from sk_mtl.metrics import conditional_roc_auc, task_metric, task_scores
from tests.metrics.common import OneModelPerTask, random_tasks

Y = pd.DataFrame({"click": [0, 1, 1, 0], "buy": [np.nan, 0.0, 1.0, np.nan]})
P = [
    np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.5, 0.5]]),
    np.array([[0.9, 0.1], [0.75, 0.25], [0.5, 0.5], [0.5, 0.5]]),
]


def test_small_table_worked_by_hand():
    scores = task_scores(Y, P, metrics=("roc_auc", "brier", "accuracy"))
    expected = pd.DataFrame(
        {
            # Of four pairs, only 0.4 against 0.5 is in the wrong order.
            "roc_auc": [0.75, 1.0],
            "brier": [(0.01 + 0.04 + 0.36 + 0.25) / 4, (0.0625 + 0.25) / 2],
            # Ties go to the first class: the last click is right, the last buy wrong.
            "accuracy": [0.75, 0.5],
        },
        index=pd.Index(["click", "buy"], name="task"),
    )
    pd.testing.assert_frame_equal(scores, expected)


def test_default_metrics_equal_sklearn_on_labelled_rows():
    X, y = random_tasks()
    proba = OneModelPerTask().fit(X, y).predict_proba(X)
    scores = task_scores(y, proba, pos_label={"like": "yes"})
    assert list(scores) == ["roc_auc", "average_precision", "log_loss", "brier"]
    assert list(scores.index) == ["click", "like", "stars", "buy"]
    known = y["buy"].notna()
    buy, p = y["buy"][known], proba[3][known]
    assert scores.loc["buy", "roc_auc"] == pytest.approx(roc_auc_score(buy, p[:, 1]))
    assert scores.loc["buy", "log_loss"] == pytest.approx(log_loss(buy, p))
    like = roc_auc_score(y["like"], proba[1][:, 1])
    assert scores.loc["like", "roc_auc"] == pytest.approx(like)
    stars = average_precision_score(y["stars"], proba[2])
    assert scores.loc["stars", "average_precision"] == pytest.approx(stars)


@pytest.mark.parametrize(
    "proba",
    [
        np.column_stack([p[:, 1] for p in P]),
        pd.DataFrame({"click": P[0][:, 1], "buy": P[1][:, 1]}),
        [p[:, 1] for p in P],
        tuple(P),
        np.array(P),
        [pd.DataFrame(p) for p in P],
    ],
    ids=["matrix", "frame", "vectors", "tuple", "cube", "frames"],
)
def test_probabilities_in_any_form(proba):
    pd.testing.assert_frame_equal(task_scores(Y, proba), task_scores(Y, P))


@pytest.mark.parametrize("y", [[0, 1, 1, 0], np.array([[0], [1], [1], [0]])])
@pytest.mark.parametrize("proba", [P[0], P[0][:, 1], [P[0]], P[0][:, 1].tolist()])
def test_one_task(y, proba):
    scores = task_scores(y, proba)
    assert list(scores.index) == ["task_0"]
    assert scores.to_numpy() == pytest.approx(task_scores(Y, P).loc[["click"]])


def test_names_of_the_rows():
    assert list(task_scores(Y.to_numpy(), P).index) == ["task_0", "task_1"]
    assert list(task_scores(Y, P, task_names=["a", "b"]).index) == ["a", "b"]
    assert list(task_scores(Y["click"], P[0]).index) == ["click"]
    assert list(task_scores(Y["click"], P[0], task_names="a").index) == ["a"]
    integers = Y.set_axis([7, 8], axis=1)
    assert list(task_scores(integers, P).index) == [7, 8]
    named_by_pairs = Y.set_axis([("click", 1), ("buy", 2)], axis=1)
    assert list(task_scores(named_by_pairs, P).index) == [("click", 1), ("buy", 2)]


def test_probabilities_are_found_by_name():
    table = task_scores(Y, P)
    by_task = {"buy": P[1], "click": P[0]}
    pd.testing.assert_frame_equal(task_scores(Y, by_task), table)
    frame = pd.DataFrame({name: proba[:, 1] for name, proba in by_task.items()})
    pd.testing.assert_frame_equal(task_scores(Y, frame), table)
    with pytest.raises(
        ValueError, match=r"y_proba must have the columns \['click', 'b"
    ):
        task_scores(Y, frame.set_axis(["buy", "view"], axis=1))


def test_polars_equals_pandas():
    y = pl.DataFrame({"click": [0, 1, 1, 0], "like": ["no", None, "yes", "no"]})
    same = pd.DataFrame({"click": [0, 1, 1, 0], "like": ["no", None, "yes", "no"]})
    named = {"pos_label": {"like": "yes"}}
    expected = task_scores(same, P, **named)
    pd.testing.assert_frame_equal(task_scores(y, P, **named), expected)
    pd.testing.assert_frame_equal(task_scores(y.to_arrow(), P, **named), expected)
    assert list(task_scores(y["like"], P[0], pos_label="yes").index) == ["like"]


def test_index_of_the_labels_does_not_matter():
    shuffled = Y.set_axis([3, 1, 2, 0])
    pd.testing.assert_frame_equal(task_scores(shuffled, P), task_scores(Y, P))


def test_weights_per_row_and_per_task():
    rows = [1.0, 2.0, 0.0, 3.0]
    one = task_scores(Y["click"], P[0], sample_weight=rows)
    weight = np.column_stack([rows, np.ones(4)])
    both = task_scores(Y, P, sample_weight=weight)
    assert both.loc["click"].tolist() == one.loc["click"].tolist()
    assert both.loc["buy"].tolist() == task_scores(Y, P).loc["buy"].tolist()


def test_all_ones_equals_no_weight():
    scores = task_scores(Y, P, sample_weight=np.ones(4))
    pd.testing.assert_frame_equal(scores, task_scores(Y, P))


def test_metrics_given_as_callable_or_single_name():
    def mean_probability(y, proba):
        return proba[:, 1].mean()

    scores = task_scores(Y, P, metrics=["roc_auc", mean_probability])
    assert scores["mean_probability"].tolist() == [0.45, 0.375]
    assert list(task_scores(Y, P, metrics="brier")) == ["brier"]
    assert list(task_scores(Y, P, metrics=task_metric("brier"))) == ["brier"]


def test_undefined_metric_is_nan_and_warns_with_the_task():
    y = Y.assign(buy=[np.nan, 0.0, 0.0, np.nan])
    with pytest.warns(UndefinedMetricWarning, match=r"roc_auc is .*NaN for \['buy'\]"):
        scores = task_scores(y, P, metrics=("roc_auc", "brier"))
    assert scores.isna().to_numpy().tolist() == [[False, False], [True, False]]


def test_task_without_any_label_is_nan_and_warns():
    with pytest.warns(UndefinedMetricWarning, match="buy"):
        scores = task_scores(Y.assign(buy=np.nan), P, metrics="log_loss")
    assert scores["log_loss"].isna().tolist() == [False, True]


def test_missing_label():
    scores = task_scores(Y.fillna(-1), P, missing_label=-1)
    pd.testing.assert_frame_equal(scores, task_scores(Y, P))


@pytest.mark.parametrize("as_dict", [False, True])
def test_classes_where_labels_lack_one(as_dict):
    X, y = random_tasks()
    model = OneModelPerTask().fit(X, y)
    few = y["stars"] != 2
    classes = {"stars": [1, 2, 3]} if as_dict else model.classes_
    proba, named = model.predict_proba(X[few]), {"like": "yes"}
    scores = task_scores(y[few], proba, classes=classes, pos_label=named)
    assert scores.notna().to_numpy().all()
    with pytest.raises(ValueError, match=r"'stars' must have as many classes"):
        task_scores(y[few], proba)


def test_forest_of_scikit_learn():
    X, y = random_tasks()
    y = y[["click", "stars"]]
    forest = RandomForestClassifier(n_estimators=5, random_state=0).fit(X, y)
    scores = task_scores(y, forest.predict_proba(X), classes=forest.classes_)
    assert (scores["roc_auc"] > 0.9).all()


def test_conditional_rates_are_scored_on_rows_that_reached_the_step_before():
    rng = np.random.default_rng(0)
    click = rng.integers(0, 2, 300)
    y = pd.DataFrame({"click": click, "buy": click * rng.integers(0, 2, 300)})
    y["like"] = click * rng.integers(0, 2, 300)
    y = y.astype(float)
    y.loc[:30, "click"], y.loc[20:50, "like"] = np.nan, np.nan
    proba, weight = rng.random((300, 3)), rng.random((300, 3))
    tree = {"buy": "click", "like": "click"}
    metrics = ("roc_auc", "average_precision", "log_loss", "accuracy")
    given = {"conditional": True, "funnel": tree, "sample_weight": weight}
    found = task_scores(y, proba, metrics, **given)
    for k, step in enumerate(y):
        counted = y[step].notna() if step == "click" else y["click"] == 1
        own = task_scores(
            y[[step]][counted],
            proba[counted, k],
            metrics,
            sample_weight=weight[counted, k],
        )
        assert found.loc[step].to_numpy() == pytest.approx(own.loc[step].to_numpy())
        auc = conditional_roc_auc(y, proba[:, k], step, weight[:, k], funnel=tree)
        assert found.loc[step, "roc_auc"] == pytest.approx(auc)
    chain = task_scores(y, proba, metrics, conditional=True)
    assert chain.loc["like", "roc_auc"] == pytest.approx(
        conditional_roc_auc(y, proba[:, 2], "like")
    )


def test_conditional_rates_of_text_labels():
    y = pd.DataFrame({"click": [0, 0, 1, 1, 1], "buy": [1, 0, 0, 1, 0]})
    of_reached = np.array([[1, 2, 8, 7, 9], [9, 3, 4, 6, 7]]) / 10
    rates = [np.column_stack([1 - p, p]) for p in of_reached]
    expected = task_scores(y, rates, conditional=True)
    assert expected.loc["buy", "roc_auc"] == 0.5
    text = y.replace({0: "none", 1: "done"})
    flipped = [p[:, ::-1] for p in rates]
    found = task_scores(text, flipped, conditional=True, pos_label="done")
    assert found.to_numpy() == pytest.approx(expected.to_numpy())
    message = r"conditional=True needs .* positive: \{'click': 'none'\}"
    with pytest.warns(PositiveClassWarning, match=message):
        task_scores(text, flipped, "roc_auc", conditional=True)


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"funnel": {"buy": "click"}}, "funnel must come with conditional=True"),
        ({"conditional": True, "funnel": {"b": "click"}}, r"funnel must name tasks of"),
        (
            {"conditional": True, "y_proba": [P[0], None]},
            r"probabilities of each step; found none of \['buy'\]",
        ),
        (
            {"conditional": True, "y_true": Y.assign(click=range(4))},
            "click must hold two classes; found 4",
        ),
    ],
)
def test_what_is_no_funnel_is_refused(kwargs, message):
    with pytest.raises(ValueError, match=message):
        task_scores(**{"y_true": Y, "y_proba": P, **kwargs})


TEXT = pd.DataFrame({"state": np.where(Y["click"], "churn", "stay"), "buy": Y["buy"]})
TEXT_P = [P[0][:, ::-1], P[1]]


def test_positive_class_by_task():
    expected = task_scores(Y, P)
    found = task_scores(TEXT, TEXT_P, pos_label={"state": "churn"})
    assert found.to_numpy() == pytest.approx(expected.to_numpy())
    matrix = np.column_stack([p[:, 1] for p in P])
    found = task_scores(TEXT, matrix, pos_label={"state": "churn", "buy": 1})
    assert found.to_numpy() == pytest.approx(expected.to_numpy())
    one = task_scores(TEXT["state"], TEXT_P[0], pos_label="churn")
    assert one.to_numpy() == pytest.approx(expected.loc[["click"]].to_numpy())
    both = task_scores(Y[["click"]].assign(other=1 - Y["click"]), [P[0], P[0]])
    swapped = task_scores(
        Y[["click"]].assign(other=1 - Y["click"]), [P[0], P[0][:, ::-1]], pos_label=1
    )
    assert swapped.loc["other"].tolist() != both.loc["other"].tolist()


def test_positive_class_that_nothing_names_is_taken_with_one_warning():
    message = r"average_precision needs .* positive: \{'state': 'stay'\}.*'churn'\}"
    with pytest.warns(PositiveClassWarning, match=message) as record:
        found = task_scores(TEXT, TEXT_P)
    assert len(record) == 1
    assert record[0].filename == __file__
    stay = task_scores(TEXT, TEXT_P, pos_label={"state": "stay"})
    pd.testing.assert_frame_equal(found, stay)
    # Metrics that are the same with both classes swapped leave no question.
    symmetric = ("roc_auc", "log_loss", "brier")
    expected = task_scores(Y, P, symmetric).to_numpy()
    assert task_scores(TEXT, TEXT_P, symmetric).to_numpy() == pytest.approx(expected)
    with pytest.warns(PositiveClassWarning, match="roc_auc and log_loss need"):
        task_scores(TEXT["state"], TEXT_P[0][:, 1], ("roc_auc", "log_loss"))


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"pos_label": 2}, r"one of the classes \[0, 1\] of 'click'; found 2"),
        ({"pos_label": {"clik": 1}}, r"keyed by task names .* found \['clik'\]"),
        ({"pos_label": [1, 1]}, r"must be one label; found \[1, 1\]"),
        ({"y_proba": {"buy": P[0]}}, r"found \['buy'\], which differs in \['click'\]"),
        ({"y_proba": P[:1]}, r"one array per task \(2\); found 1"),
        ({"y_proba": P[0][:, :1]}, r"one array per task \(2\); found 1"),
        ({"y_proba": [P[0], P[1][:2]]}, r"found \(2, 2\)"),
        ({"task_names": ["a"]}, r"one name per column of y; found 1 names \['a'\]"),
        ({"task_names": ["buy", "click"]}, r"must agree with the columns of y"),
        ({"task_names": ["a", "a"]}, r"differ, also as text; found \['a', 'a'\]"),
        ({"sample_weight": np.ones((4, 3))}, r"or \(4, 2\), .*; found \(4, 3\)"),
        ({"classes": [[0, 1]]}, r"one entry per task .* found 1"),
        ({"classes": [[0, 0], [0, 1]]}, r"classes of 'click' must differ; .* \[0, 0\]"),
        ({"classes": {"clik": [0, 1]}}, r"names \['click', 'buy'\]; found \['clik'\]"),
        ({"metrics": "auc"}, r"metric must be one of"),
    ],
)
def test_bad_input_says_required_found_remedy(kwargs, message):
    with pytest.raises(ValueError, match=message):
        task_scores(**{"y_true": Y, "y_proba": P, **kwargs})

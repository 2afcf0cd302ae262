"""The positive one of two classes: of funnels, monitors and scorers."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from sk_mtl import (
    AITMClassifier,
    ESCM2Classifier,
    ESMMClassifier,
    MMOEClassifier,
    MultiTaskEstimator,
)
from sk_mtl.datasets import make_conversion_funnel
from sk_mtl.exceptions import FunnelWarning, PositiveClassWarning
from sk_mtl.metrics import conditional_roc_auc, make_task_scorer, task_scores

QUICK = {"max_epochs": 2, "random_state": 0}
X, Y, _ = make_conversion_funnel(400, n_users=20, n_items=10, random_state=0)
X = X.drop(columns="history")
# Both labels that mean "reached" sort first.
TEXT = pd.DataFrame(
    {
        "click": np.where(Y["click"], "clicked", "none"),
        "conversion": np.where(Y["conversion"], "bought", "left"),
    }
)
REACHED = {"click": "clicked", "conversion": "bought"}
FUNNELS = [
    ESMMClassifier(**QUICK),
    MMOEClassifier(structure="funnel", **QUICK),
    ESCM2Classifier(variant="dr", **QUICK),
    AITMClassifier(**QUICK),
]
each_funnel = pytest.mark.parametrize(
    "model", FUNNELS, ids=lambda model: type(model).__name__
)


def assert_same_but_for_the_order(found, expected):
    for own, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(own[:, ::-1], other)


@each_funnel
def test_a_funnel_of_text_is_that_of_zeros_and_ones(model):
    expected = clone(model).fit(X, Y)
    found = clone(model).set_params(pos_label=REACHED).fit(X, TEXT)
    assert [each.tolist() for each in found.classes_] == [
        ["clicked", "none"],
        ["bought", "left"],
    ]
    assert found.pos_label_ == REACHED
    for method in ("predict_proba", "predict_log_proba"):
        assert_same_but_for_the_order(
            getattr(found, method)(X), getattr(expected, method)(X)
        )
    if hasattr(expected, "predict_conditional_proba"):
        assert_same_but_for_the_order(
            found.predict_conditional_proba(X), expected.predict_conditional_proba(X)
        )
    labels = expected.predict(X).astype(bool)
    wanted = np.where(labels, list(REACHED.values()), ["none", "left"])
    np.testing.assert_array_equal(found.predict(X), wanted)
    assert found.score(X, TEXT) == expected.score(X, Y)


def test_answers_are_those_of_the_sorted_classes():
    model = ESMMClassifier(pos_label=REACHED, **QUICK).fit(X, TEXT)
    click, conversion = model.predict_proba(X)
    ctr, cvr = model.predict_conditional_proba(X)
    assert np.abs(conversion[:, 0] - ctr[:, 0] * cvr[:, 0]).max() < 1e-6
    assert (conversion[:, 0] <= click[:, 0]).all()
    assert all(array.flags["C_CONTIGUOUS"] for array in (click, ctr))
    view = model.task("click")
    assert view.classes_.tolist() == ["clicked", "none"]
    np.testing.assert_array_equal(view.predict_proba(X), click)
    np.testing.assert_array_equal(
        view.predict_log_proba(X), model.predict_log_proba(X)[0]
    )
    np.testing.assert_array_equal(view.predict(X), model.predict(X)[:, 0])
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict_proba(X)[0], click)


@each_funnel
def test_what_a_funnel_takes_for_reached_is_said(model):
    message = (
        r"A funnel, .*\['clicked', 'none'\].* positive: \{'click': 'none', "
        r"'conversion': 'left'\}.*pos_label=\{'click': 'clicked'"
    )
    # Taken that way, every sale comes before its click.
    contradicted = pytest.warns(FunnelWarning)
    with pytest.warns(PositiveClassWarning, match=message), contradicted:
        clone(model).fit(X, TEXT)


def test_only_steps_that_nothing_is_said_of_are_named():
    model = ESMMClassifier(pos_label={"click": "clicked"}, **QUICK)
    y = TEXT.assign(conversion=Y["conversion"])
    assert model.fit(X, y).pos_label_ == {"click": "clicked"}
    with (
        pytest.warns(PositiveClassWarning, match=r"positive: \{'conversion': 'left'\}"),
        pytest.warns(FunnelWarning),
    ):
        model.fit(X, TEXT)


@pytest.mark.parametrize(
    ("model", "y"),
    [
        (ESMMClassifier(**QUICK), TEXT["click"]),
        (MMOEClassifier(**QUICK), TEXT),
    ],
    ids=["one step", "independent"],
)
def test_where_nothing_depends_on_it_nothing_is_said(model, y):
    assert clone(model).fit(X, y).pos_label_ == {}


def test_labels_that_follow_from_an_earlier_step():
    y = TEXT.where(TEXT["click"] == "clicked", TEXT.assign(conversion=None))
    found = ESMMClassifier(pos_label=REACHED, **QUICK).fit(X, y)
    expected = ESMMClassifier(pos_label=REACHED, **QUICK).fit(X, TEXT)
    assert_same_but_for_the_order(
        found.predict_proba(X), [p[:, ::-1] for p in expected.predict_proba(X)]
    )


def test_class_weights_go_with_their_labels():
    given = {"pos_label": REACHED, **QUICK}
    weight = {"click": {"clicked": 3.0}, "conversion": {"bought": 2.0, "left": 0.5}}
    found = ESMMClassifier(class_weight=weight, **given).fit(X, TEXT)
    numbers = {"click": {1: 3.0}, "conversion": {1: 2.0, 0: 0.5}}
    expected = ESMMClassifier(class_weight=numbers, **QUICK).fit(X, Y)
    assert_same_but_for_the_order(found.predict_proba(X), expected.predict_proba(X))


def test_partial_fit_keeps_the_positive_class():
    found = ESMMClassifier(pos_label=REACHED, **QUICK)
    expected = ESMMClassifier(**QUICK)
    classes = [["clicked", "none"], ["bought", "left"]]
    for rows in (slice(0, 200), slice(200, 400)):
        found.partial_fit(X[rows], TEXT[rows], classes=classes)
        expected.partial_fit(X[rows], Y[rows], classes=[[0, 1], [0, 1]])
    assert_same_but_for_the_order(found.predict_proba(X), expected.predict_proba(X))
    found.set_params(pos_label=None)
    assert found.predict(X)[0, 0] in ("clicked", "none")
    with pytest.raises(ValueError, match="pos_label"):
        found.partial_fit(X, TEXT)


def test_one_label_for_all_steps():
    y = Y.replace({0: "no", 1: "done"})
    found = ESMMClassifier(pos_label="done", **QUICK).fit(X, y)
    assert found.pos_label_ == {"click": "done", "conversion": "done"}
    expected = ESMMClassifier(**QUICK).fit(X, Y)
    assert_same_but_for_the_order(found.predict_proba(X), expected.predict_proba(X))


def test_scorers_take_the_positive_class_of_one_task():
    model = MMOEClassifier(pos_label=REACHED, **QUICK).fit(X, TEXT)
    scorer = make_task_scorer("average_precision")
    expected = make_task_scorer("average_precision", task="click")(model, X, TEXT)
    for y in (TEXT["click"], TEXT["click"].to_numpy(), TEXT["click"].rename("other")):
        assert scorer(model.task("click"), X, y) == expected
    numbers = MMOEClassifier(pos_label=True, **QUICK).fit(X, Y)
    assert numbers.pos_label_ == {"click": 1, "conversion": 1}
    assert numbers.task("click").pos_label_ == {"click": 1}


@pytest.mark.parametrize("average", ["mean", "min"])
def test_scorers_take_the_positive_class_of_the_fit(average):
    model = MMOEClassifier(pos_label=REACHED, **QUICK).fit(X, TEXT)
    scorer = make_task_scorer("average_precision", average=average)
    table = task_scores(TEXT, model.predict_proba(X), pos_label=REACHED)
    expected = getattr(table["average_precision"], average)()
    assert scorer(model, X, TEXT) == pytest.approx(expected)
    # What was said at the fit holds, whatever the parameter says since.
    model.set_params(pos_label=None)
    assert scorer(model, X, TEXT) == pytest.approx(expected)


def test_the_monitor_takes_the_positive_class():
    given = {"monitor": ("average_precision", "click"), "early_stopping": True}
    named = MMOEClassifier(pos_label=REACHED, **given, **QUICK).fit(X, TEXT)
    zeros = MMOEClassifier(**given, **QUICK).fit(X, Y)
    column = "valid_average_precision_click"
    assert named.history_[column].tolist() == zeros.history_[column].tolist()
    with pytest.warns(PositiveClassWarning, match="monitor='average_precision' needs"):
        other = MMOEClassifier(**given, **QUICK).fit(X, TEXT)
    assert other.history_[column].tolist() != zeros.history_[column].tolist()


def test_a_callable_monitor_sees_the_sorted_classes():
    def found(y_true, y_proba):
        return np.mean(np.array(["clicked", "none"])[y_proba.argmax(1)] == y_true)

    model = MMOEClassifier(
        monitor=(found, "click"), early_stopping=True, pos_label=REACHED, **QUICK
    ).fit(X, TEXT)
    same = MMOEClassifier(monitor=("accuracy", "click"), early_stopping=True, **QUICK)
    history = same.fit(X, Y).history_["valid_accuracy_click"]
    assert model.history_["valid_found_click"].tolist() == history.tolist()


def test_conditional_rates_of_text_labels():
    model = ESMMClassifier(pos_label=REACHED, **QUICK).fit(X, TEXT)
    rates = model.predict_conditional_proba(X)
    plain = ESMMClassifier(**QUICK).fit(X, Y).predict_conditional_proba(X)
    found = conditional_roc_auc(TEXT, rates, step="conversion", pos_label=REACHED)
    expected = conditional_roc_auc(Y, plain, step="conversion")
    assert found == pytest.approx(expected)


def test_mixed_tasks():
    y = TEXT[["click"]].assign(price=np.random.default_rng(0).random(400) * 30)
    model = MultiTaskEstimator(pos_label="clicked", **QUICK).fit(X, y)
    proba, none = model.predict_proba(X)
    assert none is None
    assert model.pos_label_ == {"click": "clicked"}
    assert model.classes_[0].tolist() == ["clicked", "none"]
    numbers = y.assign(click=Y["click"])
    expected = MultiTaskEstimator(**QUICK).fit(X, numbers).predict_proba(X)[0]
    np.testing.assert_array_equal(proba[:, ::-1], expected)
    scorer = make_task_scorer("average_precision")
    named = task_scores(y["click"], proba, pos_label="clicked")
    assert scorer(model, X, y) == pytest.approx(named["average_precision"].iloc[0])


@pytest.mark.parametrize(
    ("model", "y", "message"),
    [
        (
            ESMMClassifier(pos_label="clicked"),
            TEXT,
            r"one of the classes \['bought', 'left'\] of 'conversion'; found 'clicked'",
        ),
        (
            ESMMClassifier(pos_label={"clik": "clicked"}),
            TEXT,
            r"pos_label must be keyed by task names .*; found \['clik'\]",
        ),
        (
            MMOEClassifier(pos_label=1),
            pd.DataFrame({"a": np.arange(400) % 3}),
            r"of two classes; found 1 for 'a' with the classes \[0, 1, 2\]",
        ),
        (MMOEClassifier(pos_label=[1, 1]), Y, r"must be one label; found \[1, 1\]"),
        (
            MultiTaskEstimator(pos_label={"click": 1}),
            Y.astype(float) + 0.5,
            r"of tasks of classes; found that these hold numbers: \['click'\]",
        ),
    ],
)
def test_what_is_no_positive_class_is_refused(model, y, message):
    with pytest.raises(ValueError, match=message):
        clone(model).fit(X, y)

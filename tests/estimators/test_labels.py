"""Labels, weights and names of tasks on their way through the public methods."""

import numpy as np
import pandas as pd
import pytest

from sk_mtl import (
    AITMClassifier,
    DBMTLClassifier,
    ESMMClassifier,
    HoMEClassifier,
    MMOEClassifier,
    MMOERegressor,
    MultiTaskEstimator,
)
from sk_mtl.metrics import conditional_roc_auc, make_task_scorer, task_scores
from sk_mtl.model_selection import compare_tasks, out_of_fold_proba
from tests.estimators.common import assert_equal_proba

QUICK = {"max_epochs": 1, "random_state": 0}
RANDOM = np.random.default_rng(0)
X = pd.DataFrame({"x": RANDOM.normal(size=200), "c": RANDOM.choice(list("abc"), 200)})
LABELS = np.c_[X["x"] > 0, (X["x"] > 0) & (RANDOM.random(200) < 0.5)].astype(int)
Y = pd.DataFrame(LABELS, columns=["click", "buy"])
GAPS = RANDOM.random(LABELS.shape) < 0.2

# Names of tasks that are no text, the second of which is also a position of the first.
NAMES = {
    "numbers": [1, 0],
    "pairs": [("a", 1), ("a", 2)],
    "counted": [0, 1],
}
named = pytest.mark.parametrize("names", NAMES.values(), ids=NAMES)


def frame(names):
    index = pd.MultiIndex.from_tuples(names) if names == NAMES["pairs"] else names
    return pd.DataFrame(LABELS, columns=index)


def fit(y, cls=MMOEClassifier, **options):
    return cls(**QUICK, **options).fit(X, y)


def test_masked_labels_are_missing_labels():
    wrong = np.where(GAPS, 1 - LABELS, LABELS)
    masked = np.ma.masked_array(wrong, mask=GAPS)
    missing = np.where(GAPS, np.nan, LABELS)
    model = fit(masked)
    assert_equal_proba(model.predict_proba(X), fit(missing).predict_proba(X))
    assert model.predict(X).dtype == int
    assert model.score(X, masked) == model.score(X, missing)
    proba = model.predict_proba(X)
    pd.testing.assert_frame_equal(
        task_scores(masked, proba), task_scores(missing, proba)
    )
    scorer = make_task_scorer("roc_auc")
    assert scorer(model, X, masked) == scorer(model, X, missing)


def test_a_masked_weight_is_weight_0():
    weight = np.ma.masked_array(np.full(LABELS.shape, 7.0), mask=GAPS)
    zero = np.where(GAPS, 0.0, 7.0)
    masked = MMOEClassifier(**QUICK).fit(X, Y, sample_weight=weight)
    other = MMOEClassifier(**QUICK).fit(X, Y, sample_weight=zero)
    assert_equal_proba(masked.predict_proba(X), other.predict_proba(X))
    proba = masked.predict_proba(X)
    pd.testing.assert_frame_equal(
        task_scores(Y, proba, sample_weight=weight),
        task_scores(Y, proba, sample_weight=zero),
    )


def test_masked_values_of_X_are_missing_values():
    values = np.c_[X["x"], RANDOM.normal(size=200)]
    masked = np.ma.masked_array(np.where(GAPS, 1e6, values), mask=GAPS)
    missing = np.where(GAPS, np.nan, values)
    first = MMOEClassifier(**QUICK).fit(masked, Y)
    second = MMOEClassifier(**QUICK).fit(missing, Y)
    assert_equal_proba(first.predict_proba(masked), second.predict_proba(missing))


@pytest.mark.parametrize("dtype", ["Int64", "Float64", "boolean", "int64[pyarrow]"])
def test_a_missing_label_beside_gaps(dtype):
    y = Y.astype("Int64").mask(GAPS)
    marker = None if dtype == "boolean" else -1
    if marker is not None:
        y.iloc[:20] = marker
    model = fit(y.astype(dtype), missing_label=marker)
    plain = y.astype(float).replace(-1, np.nan)
    assert_equal_proba(model.predict_proba(X), fit(plain).predict_proba(X))
    assert model.score(X, y.astype(dtype)) == model.score(X, plain)


def test_score_refuses_labels_of_another_type():
    model = fit(Y)
    message = (
        r"y of task 'click' must hold labels of the type of the classes \[0, 1\]; "
        r"found '[01]', which is text. Convert the labels"
    )
    with pytest.raises(ValueError, match=message):
        model.score(X, Y.astype(str))
    with pytest.raises(ValueError, match="'click' must be among its classes"):
        make_task_scorer("accuracy")(model, X, Y.astype(str))
    # A class that fit has not seen is wrong.
    assert model.score(X, Y + 5) == 0


def test_labels_in_another_order_of_columns():
    flipped = Y[["buy", "click"]]
    model = fit(Y)
    assert model.score(X, flipped) == model.score(X, Y)
    for task in ("buy", 1):
        scorer = make_task_scorer("log_loss", task=task)
        assert scorer(model, X, flipped) == scorer(model, X, Y)
    given = {"X_val": X}
    first = MMOEClassifier(**QUICK).fit(X, Y, y_val=Y, **given)
    second = MMOEClassifier(**QUICK).fit(X, Y, y_val=flipped, **given)
    assert first.history_["valid_loss_buy"].equals(second.history_["valid_loss_buy"])
    first = fit(Y).partial_fit(X, Y)
    second = fit(Y).partial_fit(X, flipped)
    assert_equal_proba(first.predict_proba(X), second.predict_proba(X))


def test_weights_by_name():
    weight = pd.DataFrame(RANDOM.random(LABELS.shape), columns=Y.columns)
    expected = MMOEClassifier(**QUICK).fit(X, Y, sample_weight=weight.to_numpy())
    proba = expected.predict_proba(X)
    table = task_scores(Y, proba, sample_weight=weight.to_numpy())
    for given in (weight, weight[["buy", "click"]], dict(weight[["buy", "click"]])):
        model = MMOEClassifier(**QUICK).fit(X, Y, sample_weight=given)
        assert_equal_proba(model.predict_proba(X), proba)
        further = MMOEClassifier(**QUICK).partial_fit(X, Y, sample_weight=given)
        assert further.task_names_ == ["click", "buy"]
        score = expected.score(X, Y, sample_weight=weight.to_numpy())
        assert expected.score(X, Y, sample_weight=given) == score
        found = task_scores(Y, proba, sample_weight=given)
        pd.testing.assert_frame_equal(found, table)
        out_of_fold_proba(MMOEClassifier(**QUICK), X, Y, cv=2, sample_weight=given)
    one_task = {"click": weight["click"]}
    model = MMOEClassifier(**QUICK).fit(X, Y, sample_weight=one_task)
    ones = weight.assign(buy=1.0)
    other = MMOEClassifier(**QUICK).fit(X, Y, sample_weight=ones)
    assert_equal_proba(model.predict_proba(X), other.predict_proba(X))


def test_classes_by_name():
    model = MMOEClassifier(**QUICK)
    model.partial_fit(X, Y, classes={"buy": [0, 1, 2], "click": [1, 0]})
    assert [classes.tolist() for classes in model.classes_] == [[0, 1], [0, 1, 2]]
    model = MMOEClassifier(**QUICK).partial_fit(X, Y, classes={"buy": [0, 1, 2]})
    assert [classes.tolist() for classes in model.classes_] == [[0, 1], [0, 1, 2]]
    with pytest.raises(ValueError, match=r"classes must be keyed .* found \['view'\]"):
        MMOEClassifier(**QUICK).partial_fit(X, Y, classes={"view": [0, 1]})


def test_a_scorer_names_the_column_that_is_missing():
    message = r"y must have the columns \['click', 'buy'\].* found \['click'\]"
    for task in (None, "click"):
        with pytest.raises(ValueError, match=message):
            make_task_scorer("roc_auc", task=task)(fit(Y), X, Y[["click"]])


@named
def test_a_task_is_known_by_its_own_name(names):
    second, y = names[1], frame(names)
    model = fit(y)
    assert model.task_names_ == names
    assert f"train_loss_{second}" in model.history_
    proba = model.predict_proba(X)
    accuracy = (model.predict(X)[:, 1] == LABELS[:, 1]).mean()
    assert make_task_scorer("accuracy", task=second)(model, X, y) == accuracy
    assert make_task_scorer("accuracy", task=-1)(model, X, y) == accuracy
    table = task_scores(y, proba, metrics="accuracy")
    assert table.index.tolist() == names
    assert table["accuracy"].iloc[1] == accuracy
    expected = conditional_roc_auc(LABELS, proba, step=1)
    assert conditional_roc_auc(y, proba, step=second) == expected
    assert model.task(second).score(X, y[second]) == accuracy
    reordered = y.iloc[:, ::-1]
    assert model.score(X, reordered) == model.score(X, y)


@named
@pytest.mark.parametrize(
    ("cls", "options", "positional"),
    [
        (MMOEClassifier, lambda a, b: {"task_weights": {b: 3.0}}, [1.0, 3.0]),
        (MMOEClassifier, lambda a, b: {"class_weight": {b: {1: 5}}}, [None, {1: 5}]),
        (
            MMOEClassifier,
            lambda a, b: {"tower_hidden_sizes": {b: (4,), a: (8, 8)}},
            [(8, 8), (4,)],
        ),
        (
            MMOERegressor,
            lambda a, b: {"loss": {b: "poisson", a: "huber"}},
            ["huber", "poisson"],
        ),
        (
            MultiTaskEstimator,
            lambda a, b: {"task_types": {b: "poisson"}},
            ["binary", "poisson"],
        ),
    ],
    ids=["task_weights", "class_weight", "tower_hidden_sizes", "loss", "task_types"],
)
def test_parameters_are_keyed_by_own_names(names, cls, options, positional):
    given = options(*names)
    (name,) = given
    model = fit(frame(names), cls, **given)
    other = fit(LABELS, cls, **{name: positional})
    np.testing.assert_array_equal(model.predict(X), other.predict(X))
    train_loss = [fitted.history_["train_loss"].tolist() for fitted in (model, other)]
    assert train_loss[0] == train_loss[1]


@named
@pytest.mark.parametrize(
    ("cls", "options"),
    [
        (ESMMClassifier, lambda a, b: {"structure": {b: a}}),
        (AITMClassifier, lambda a, b: {"structure": {b: a}}),
        (DBMTLClassifier, lambda a, b: {"relations": {b: a}}),
        (DBMTLClassifier, lambda a, b: {"relations": {b: [a]}}),
        (HoMEClassifier, lambda a, b: {"groups": [[b], [a]]}),
    ],
    ids=["esmm", "aitm", "dbmtl", "dbmtl-list", "home"],
)
def test_relations_are_given_by_own_names(names, cls, options):
    model = fit(frame(names), cls, **options(*names))
    other = fit(Y, cls, **options(*Y))
    assert_equal_proba(model.predict_proba(X), other.predict_proba(X))


@named
def test_what_is_monitored_is_given_by_its_own_name(names):
    y, second = frame(names), names[1]
    options = {"early_stopping": True}
    model = fit(y, monitor=second, **options)
    assert f"valid_loss_{second}" in model.history_
    column = f"valid_roc_auc_{second}"
    found = fit(y, monitor=("roc_auc", second), **options).history_[column]
    expected = fit(Y, monitor=("roc_auc", "buy"), **options).history_
    assert found.tolist() == expected["valid_roc_auc_buy"].tolist()
    by_position = fit(Y, monitor=("roc_auc", 1), **options).history_
    assert by_position["valid_roc_auc_buy"].equals(expected["valid_roc_auc_buy"])


@named
def test_tools_keep_own_names(names):
    y = frame(names)
    compared = compare_tasks(MMOEClassifier(**QUICK), X, y, cv=2, random_state=0)
    assert compared.frame().index.tolist() == names
    assert repr(names[1]) in compared.summary
    weight = {names[1]: np.ones(len(y))}
    probas = out_of_fold_proba(
        MMOEClassifier(**QUICK), X, y, cv=2, sample_weight=weight
    )
    assert [proba.shape for proba in probas] == [(200, 2), (200, 2)]
    predicted = fit(y, MultiTaskEstimator).predict(X)
    assert predicted.columns.tolist() == names

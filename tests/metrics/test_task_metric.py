import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    brier_score_loss,
    log_loss,
    roc_auc_score,
)

from sk_mtl.exceptions import PositiveClassWarning
from sk_mtl.metrics import CLASS_METRICS, NUMBER_METRICS, TASK_METRICS, task_metric
from tests.metrics.common import random_proba

Y = np.array([0, 0, 1, 1])
P = np.array([0.1, 0.4, 0.35, 0.8])


def positive(score):
    def of_positive(y, proba, sample_weight=None):
        return score(y, proba[:, 1], sample_weight=sample_weight)

    return of_positive


#: The names of metrics that need no groups. The label of a task of two classes is
#: always one of the two likeliest ones.
NAMES = [
    "top_k_accuracy@1" if name == "top_k_accuracy" else name
    for name in CLASS_METRICS
    if not task_metric(name).needs_groups
]
#: Those that are undefined where all labels are equal, and where none is positive.
OF_BOTH = ("roc", "average", "balanced", "matthews", "lift", "normalized")
OF_POSITIVE = ("f1", "precision", "recall")
#: Those whose value changes where the classes are swapped.
ASYMMETRIC = ("average_precision", "lift", *OF_POSITIVE)

BINARY = {
    "roc_auc": positive(roc_auc_score),
    "roc_auc_ovr_weighted": positive(roc_auc_score),
    "average_precision": positive(average_precision_score),
    "log_loss": log_loss,
    "brier": positive(brier_score_loss),
}


def labels_of(proba, **kwargs):
    return lambda y, p, sample_weight=None: proba(
        y, p, sample_weight=sample_weight, **kwargs
    )


MULTI_CLASS = {
    "roc_auc": labels_of(roc_auc_score, multi_class="ovr", average="macro"),
    "roc_auc_ovr_weighted": labels_of(
        roc_auc_score, multi_class="ovr", average="weighted"
    ),
    "average_precision": average_precision_score,
    "log_loss": log_loss,
    "brier": brier_score_loss,
}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        # Of the four pairs of a positive and a negative row, three are in order.
        ("roc_auc", 0.75),
        # Precision 1 at the first positive, 2/3 at the second, a half of recall each.
        ("average_precision", 0.5 * 1 + 0.5 * 2 / 3),
        ("log_loss", -(np.log(0.9) + np.log(0.6) + np.log(0.35) + np.log(0.8)) / 4),
        ("brier", (0.01 + 0.16 + 0.65**2 + 0.04) / 4),
        ("accuracy", 0.75),
    ],
)
def test_value_worked_by_hand(name, value):
    assert task_metric(name)(Y, P) == pytest.approx(value, rel=1e-15)


def test_multi_class_values_worked_by_hand():
    y = ["a", "b", "c"]
    proba = np.array([[0.5, 0.25, 0.25], [0.25, 0.5, 0.25], [0.5, 0.25, 0.25]])
    # Class a: 0.5 against 0.25 and 0.5; class b is in order; class c ties twice.
    assert task_metric("roc_auc")(y, proba) == pytest.approx((0.75 + 1 + 0.5) / 3)
    # The row of class c: 0.25 + 0.0625 + 0.5625; the other rows 0.375 each.
    assert task_metric("brier")(y, proba) == pytest.approx((0.375 * 2 + 0.875) / 3)
    assert task_metric("log_loss")(y, proba) == pytest.approx(4 * np.log(2) / 3)
    assert task_metric("accuracy")(y, proba) == pytest.approx(2 / 3)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", BINARY)
def test_binary_equals_sklearn(name, dtype, weighted):
    rng = np.random.default_rng(0)
    y, proba = rng.integers(0, 2, 200), random_proba(200, 2, rng).astype(dtype)
    weight = rng.integers(0, 4, 200) if weighted else None
    expected = BINARY[name](y, proba, sample_weight=weight)
    assert task_metric(name)(y, proba, weight) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", MULTI_CLASS)
def test_multi_class_equals_sklearn(name, weighted):
    rng = np.random.default_rng(1)
    y, proba = rng.choice(["x", "y", "z", "w"], 300), random_proba(300, 4, rng)
    weight = rng.random(300) if weighted else None
    expected = MULTI_CLASS[name](y, proba, sample_weight=weight)
    assert task_metric(name)(y, proba, weight) == pytest.approx(expected, rel=1e-12)


def test_accuracy_equals_sklearn():
    rng = np.random.default_rng(2)
    y, proba, weight = (
        rng.integers(0, 3, 50),
        rng.dirichlet([1, 1, 1], 50),
        rng.random(50),
    )
    expected = accuracy_score(y, proba.argmax(axis=1), sample_weight=weight)
    assert task_metric("accuracy")(y, proba, weight) == pytest.approx(expected)


def test_log_loss_of_a_certain_error_is_clipped_as_in_sklearn():
    y, proba = [0, 1], np.array([[0.0, 1.0], [0.5, 0.5]])
    expected = log_loss(y, proba)
    assert task_metric("log_loss")(y, proba) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_weights_equal_repeated_rows_and_zero_equals_absence(name):
    rng = np.random.default_rng(3)
    y, proba = rng.integers(0, 3, 60), random_proba(60, 3, rng)
    weight = rng.integers(0, 4, 60)
    metric = task_metric(name.replace("@1", "@2"))
    repeated = metric(np.repeat(y, weight), np.repeat(proba, weight, axis=0))
    assert metric(y, proba, weight) == pytest.approx(repeated, rel=1e-12)


def last_class(labels):
    return sorted(set(pd.Series(labels).dropna()))[-1]


@pytest.mark.parametrize(
    "labels",
    [
        Y.astype(bool),
        Y.astype(float),
        np.where(Y, "yes", "no"),
        pd.Series(np.where(Y, "yes", "no")),
        pd.Series(np.where(Y, "b", "a"), dtype="category"),
        pd.Series(Y, dtype="Int64"),
        Y.astype(bool).astype(object),
        (Y * 5).tolist(),
    ],
    ids=lambda labels: f"{type(labels).__name__}-{getattr(labels, 'dtype', '')}",
)
def test_labels_of_any_type(labels):
    for name in NAMES:
        found = task_metric(name)(labels, P, pos_label=last_class(labels))
        assert found == task_metric(name)(Y, P), name


@pytest.mark.parametrize(
    "labels",
    [
        [0, np.nan, 1, 1],
        [0, None, 1, 1],
        ["no", None, "yes", "yes"],
        ["no", np.nan, "yes", "yes"],
        pd.Series([0, None, 1, 1], dtype="Int64"),
        pd.Series(["no", None, "yes", "yes"], dtype="string"),
        pd.Series([False, None, True, True], dtype="boolean"),
    ],
    ids=lambda labels: f"{getattr(labels, 'dtype', labels)}",
)
def test_missing_labels_are_skipped(labels):
    if isinstance(labels, list):
        labels = np.array(labels, dtype=object)
    known = [0, 2, 3]
    for name in NAMES:
        found = task_metric(name)(labels, P, pos_label=last_class(labels))
        assert found == task_metric(name)(Y[known], P[known]), name


@pytest.mark.parametrize("gap", [None, np.nan, pd.NA])
def test_missing_label_in_a_list_of_strings_is_no_class(gap):
    auc, labels = task_metric("roc_auc"), ["no", gap, "yes", "yes"]
    assert auc(labels, P, pos_label="yes") == auc(Y[[0, 2, 3]], P[[0, 2, 3]])


@pytest.mark.parametrize("missing_label", [-1, "?"])
def test_missing_label_of_the_users_own(missing_label):
    y = np.array([0, missing_label, 1, 1], dtype=object)
    auc = task_metric("roc_auc")
    assert auc(y, P, missing_label=missing_label) == auc(Y[[0, 2, 3]], P[[0, 2, 3]])


@pytest.mark.parametrize("classes", [[0, 1, 2], np.array([0.0, 1.0, 2.0])])
def test_classes_name_the_columns_when_labels_lack_one(classes):
    proba = np.array([[0.5, 0.3, 0.2], [0.2, 0.2, 0.6]])
    value = task_metric("log_loss")([0, 2], proba, classes=classes)
    assert value == pytest.approx(-(np.log(0.5) + np.log(0.6)) / 2)


def test_a_class_without_rows_is_left_out_of_the_mean():
    rng = np.random.default_rng(4)
    y, proba = rng.choice([0, 2], 40), random_proba(40, 3, rng)
    scores = [roc_auc_score(y == k, proba[:, k]) for k in (0, 2)]
    value = task_metric("roc_auc")(y, proba, classes=[0, 1, 2])
    assert value == pytest.approx(np.mean(scores))


@pytest.mark.parametrize("name", ["roc_auc", "average_precision"])
@pytest.mark.parametrize("label", [0, 1])
def test_one_class_leaves_a_ranking_undefined(name, label):
    assert np.isnan(task_metric(name)([label, label], [0.2, 0.3]))


def test_one_class_of_zeros_and_ones_leaves_losses_defined():
    value = task_metric("log_loss")([1, 1], [0.5, 0.25])
    assert value == pytest.approx(1.5 * np.log(2))
    assert task_metric("brier")([False, False], [0.5, 0.25]) == 0.15625


@pytest.mark.parametrize("name", NAMES)
def test_no_labelled_row_is_nan(name):
    assert np.isnan(task_metric(name)([np.nan, np.nan], [0.2, 0.3]))


@pytest.mark.parametrize("name", NAMES)
def test_one_string_class_without_classes_is_nan(name):
    assert np.isnan(task_metric(name)(["yes", "yes"], [0.2, 0.3]))
    proba = [[0.8, 0.2], [0.7, 0.3]]
    classes = {"classes": ["no", "yes"], "pos_label": "yes"}
    known = task_metric(name)(["yes", "yes"], proba, **classes)
    own = name.removeprefix("neg_")
    assert np.isnan(known) == own.startswith(OF_BOTH)
    for given in (proba, [0.2, 0.3]):
        named = task_metric(name)(["no", "no"], given, pos_label="yes")
        assert np.isnan(named) == own.startswith((*OF_BOTH, *OF_POSITIVE))
        assert named == pytest.approx(task_metric(name)([0, 0], given), nan_ok=True)


@pytest.mark.parametrize("name", TASK_METRICS)
def test_direction_of_every_metric(name):
    metric = task_metric(name)
    losses = ("log_loss", "normalized", "brier", "expected", "mean_", "root_mean_")
    assert metric.greater_is_better != name.startswith(losses)
    assert metric.kind == ("class" if name in CLASS_METRICS else "number")
    if not metric.greater_is_better:
        negated = task_metric(f"neg_{name}")
        assert negated.greater_is_better
        answers = np.column_stack([1 - P, P]) if metric.kind == "class" else P * 3
        assert negated(Y + 1, answers) == -metric(Y + 1, answers) != 0


def test_names_of_both_kinds():
    assert (*CLASS_METRICS, *NUMBER_METRICS) == TASK_METRICS
    assert len(set(TASK_METRICS)) == len(TASK_METRICS)


def share_of_yes(y, proba):
    assert proba.shape == (len(y), 2)
    return np.mean(np.asarray(y) == "yes")


def weighted_share(y, proba, sample_weight=None):
    return np.average(y, weights=sample_weight)


weighted_share.greater_is_better = False


def test_callable_sees_labels_of_labelled_rows():
    y = np.array(["no", None, "yes", "yes"], dtype=object)
    metric = task_metric(share_of_yes)
    assert metric(y, P, pos_label="yes") == pytest.approx(2 / 3)
    assert (metric.name, metric.greater_is_better) == ("share_of_yes", True)
    assert not task_metric(share_of_yes, greater_is_better=False).greater_is_better


CHURN = np.where(Y, "churn", "stay")


@pytest.mark.parametrize("name", NAMES)
def test_positive_class_that_sorts_first(name):
    metric, expected = task_metric(name), task_metric(name)(Y, P)
    both = np.column_stack([P, 1 - P])
    assert metric(CHURN, both, pos_label="churn") == pytest.approx(expected)
    # One dimension holds the probability of the positive class.
    assert metric(CHURN, P, pos_label="churn") == pytest.approx(expected)
    assert metric(1 - Y, both, pos_label=0) == pytest.approx(expected)
    weight = np.arange(1, len(Y) + 1)
    found = metric(CHURN, both, weight, pos_label="churn")
    assert found == pytest.approx(metric(Y, P, weight))


@pytest.mark.parametrize("name", NAMES)
def test_warns_of_an_open_class_where_the_value_depends_on_it(name):
    metric, both = task_metric(name), np.column_stack([P, 1 - P])
    message = rf"{name} needs .*\['churn', 'stay'\].* positive: 'stay'"
    if name in ASYMMETRIC:
        with pytest.warns(PositiveClassWarning, match=message):
            found = metric(CHURN, both)
        assert found == pytest.approx(metric(1 - Y, 1 - P))
    else:
        assert metric(CHURN, both) == pytest.approx(metric(Y, P))
    with pytest.warns(PositiveClassWarning, match=message) as record:
        metric(CHURN, 1 - P)
    assert record[0].filename == __file__


def recall(y, proba, pos_label=1):
    column = int(pos_label == max(y))
    return np.mean((proba.argmax(axis=1) == column)[y == pos_label])


def test_callable_may_take_the_positive_class():
    metric, expected = task_metric(recall), task_metric(recall)(Y, P)
    both = np.column_stack([P, 1 - P])
    assert metric(CHURN, both, pos_label="churn") == expected
    with pytest.warns(PositiveClassWarning, match="'stay', which sorts last"):
        metric(CHURN, both)


def test_classes_in_another_order_do_not_change_the_positive_one():
    backwards = np.column_stack([P, 1 - P])
    metric = task_metric("average_precision")
    assert metric(Y, backwards, classes=[1, 0]) == pytest.approx(metric(Y, P))
    with pytest.warns(PositiveClassWarning, match="positive: 'stay'"):
        found = metric(CHURN, 1 - P, classes=["stay", "churn"])
    assert found == metric(1 - Y, 1 - P)


def test_positive_class_of_more_than_two_or_of_numbers_is_refused():
    proba = np.full((3, 3), 1 / 3)
    message = r"task of two classes; found 2 for 'task' with the classes \[0, 1, 2\]"
    with pytest.raises(ValueError, match=message):
        task_metric("average_precision")([0, 1, 2], proba, pos_label=2)
    with pytest.raises(ValueError, match="one of the classes"):
        task_metric("average_precision")(CHURN, P, pos_label=1)
    with pytest.raises(ValueError, match="'r2' is of tasks of numbers"):
        task_metric("r2")([0.0, 1.0], [0.1, 0.2], pos_label=1)


def test_callable_with_weights():
    metric = task_metric(weighted_share)
    assert not metric.greater_is_better
    assert metric(Y, P, [1, 1, 1, 0]) == pytest.approx(1 / 3)
    with pytest.raises(ValueError, match=r"'share_of_yes' must take sample_weight"):
        task_metric(share_of_yes)(Y, P, [1, 1, 1, 0])


def test_callable_takes_the_kind_that_it_is_given():
    def largest(y, answers):
        return answers.max()

    metric = task_metric(largest)
    assert metric.kind is None
    with pytest.raises(ValueError, match="Probabilities must lie between 0 and 1"):
        metric([1.0, 2.0], [3.0, 4.0])
    assert metric.of_kind("number")([1.0, 2.0], [3.0, 4.0]) == 4
    assert task_metric(largest, kind="number")([1.0, None], [3.0, 4.0]) == 3
    assert metric.of_kind("class")(Y, P) == metric(Y, P) == 0.9


def test_metric_of_the_other_kind_raises_in_words():
    auc, r2 = task_metric("roc_auc"), task_metric("r2")
    assert auc.of_kind("class") is auc
    message = r"'roc_auc' is of tasks of classes; found numbers in 'spend'\. Use one of"
    with pytest.raises(ValueError, match=rf"{message} \['r2', 'mean_squared_error'"):
        auc.of_kind("number", "spend")
    message = r"'r2' is of tasks of numbers; found classes in 'click'\. Use one of"
    with pytest.raises(ValueError, match=rf"{message} \['roc_auc', .* or another task"):
        r2.of_kind("class", "click")
    with pytest.raises(ValueError, match="of numbers; found classes in 'y_true'"):
        r2(Y, P, classes=[0, 1])


def test_kind_that_is_none_raises():
    with pytest.raises(
        ValueError, match=r"\['class', 'number'\] or None; found 'real'"
    ):
        task_metric(share_of_yes, kind="real")


@pytest.mark.parametrize(
    "metric",
    ["roc_auc", "neg_log_loss", "mean_gamma_deviance", "grouped_ndcg", weighted_share],
)
def test_pickle_keeps_the_metric(metric):
    metric = task_metric(metric)
    assert pickle.loads(pickle.dumps(metric)) == metric
    assert task_metric(metric) is metric


def test_repr_says_the_direction():
    assert repr(task_metric("brier")) == "<task metric 'brier', less is better>"
    assert "greater" in repr(task_metric("roc_auc"))


@pytest.mark.parametrize("metric", ["auc", None, ["roc_auc"]])
def test_unknown_metric_names_the_known_ones(metric):
    with pytest.raises(ValueError, match=r"metric must be one of \['roc_auc', .*found"):
        task_metric(metric)


@pytest.mark.parametrize(
    ("y", "proba", "kwargs", "message"),
    [
        (Y, P[:3], {}, r"must have shape \(4, n_classes\).*found \(3,\)"),
        (Y, P * 10, {}, r"between 0 and 1; found values from 1\.0 to 8\.0"),
        (
            Y,
            [0.1, np.nan, 0.2, 0.3],
            {},
            r"every row; found none \(NaN\) in 1 of 4 rows.* row 1\.",
        ),
        (
            Y,
            [0.1, np.inf, 0.2, 0.3],
            {},
            r"between 0 and 1; found values from 0.1 to inf",
        ),
        (Y, np.ma.masked_equal([0.1, 0, 0.2, 0], 0), {}, r"\(NaN\) in 2 of 4 rows"),
        (Y, pd.DataFrame({"a": pd.array([0.1, None, 0, 1])}), {}, r"\(NaN\) in 1 of 4"),
        (Y, np.full((4, 2), 0.75), {}, r"must sum to 1; found 1\.5 in row 0"),
        ([0, 1, 2, 1], P, {}, r"columns \(2\); found 3: \[0, 1, 2\]\. Pass classes="),
        (Y, np.full((4, 3), 1 / 3), {}, r"columns \(3\); found 2.*Pass classes="),
        (Y, P, {"classes": [1, 2]}, r"among its classes \[1, 2\]; found .*0"),
        (Y, P, {"classes": ["no", "yes"]}, r"among its classes \['no', 'yes'\]"),
        (
            Y,
            P,
            {"sample_weight": [1, 1, 1]},
            r"shape \(4,\) or \(4, 1\), .*; found \(3,\)",
        ),
        (
            Y,
            P,
            {"sample_weight": [1, -1, 1, 1]},
            r"not be negative; found weight -1\.0 in row",
        ),
        (
            Y,
            P,
            {"sample_weight": [1, np.nan, 1, 1]},
            r"must hold finite weights; found nan",
        ),
        (["a", 1, "b", 2], P, {}, r"of one type; found \['int', 'str'\]"),
        (np.ones((4, 2)), P, {}, r"y_true must hold one task; found 2 columns"),
        (np.ones((4, 2, 1)), P, {}, r"found 3 dimensions"),
    ],
)
def test_bad_input_says_required_found_remedy(y, proba, kwargs, message):
    if isinstance(y, list):
        y = np.array(y, dtype=object)
    with pytest.raises(ValueError, match=message):
        task_metric("roc_auc")(y, proba, **kwargs)

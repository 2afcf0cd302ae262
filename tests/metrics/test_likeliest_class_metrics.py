import numpy as np
import pytest
import sklearn.metrics

from sk_mtl.metrics import task_metric, task_scores
from tests.metrics.common import random_proba

Y = np.array([0, 0, 1, 1])
P = np.array([0.1, 0.4, 0.35, 0.8])
NAMES = {
    "f1": sklearn.metrics.f1_score,
    "precision": sklearn.metrics.precision_score,
    "recall": sklearn.metrics.recall_score,
    "balanced_accuracy": sklearn.metrics.balanced_accuracy_score,
    "matthews_corrcoef": sklearn.metrics.matthews_corrcoef,
}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        # One of two positives is found, and nothing else is taken for one.
        ("precision", 1.0),
        ("recall", 0.5),
        ("f1", 2 / 3),
        ("balanced_accuracy", (1 + 0.5) / 2),
        ("matthews_corrcoef", (1 * 2 - 0 * 1) / np.sqrt(1 * 2 * 2 * 3)),
        ("top_k_accuracy@1", 0.75),
    ],
)
def test_value_worked_by_hand(name, value):
    assert task_metric(name)(Y, P) == pytest.approx(value, rel=1e-15)


def test_multi_class_values_worked_by_hand():
    y = ["a", "b", "c"]
    proba = np.array([[0.6, 0.3, 0.1], [0.2, 0.5, 0.3], [0.5, 0.3, 0.2]])
    # Predicted are a, b, a: precision 1/2, 1 and 0, recall 1, 1 and 0.
    assert task_metric("precision")(y, proba) == pytest.approx(1.5 / 3)
    assert task_metric("recall")(y, proba) == pytest.approx(2 / 3)
    assert task_metric("f1")(y, proba) == pytest.approx((2 / 3 + 1 + 0) / 3)
    # Class c is the least likely one of its row.
    assert task_metric("top_k_accuracy")(y, proba) == pytest.approx(2 / 3)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("name", NAMES)
def test_equals_sklearn(name, n_classes, weighted):
    rng = np.random.default_rng(n_classes)
    y, proba = rng.integers(0, n_classes, 200), random_proba(200, n_classes, rng)
    weight = rng.integers(0, 4, 200) if weighted else None
    macro = {"average": "macro"} if name in ("f1", "precision", "recall") else {}
    keywords = macro if n_classes > 2 else {}
    likeliest = proba.argmax(axis=1)
    expected = NAMES[name](y, likeliest, sample_weight=weight, **keywords)
    assert task_metric(name)(y, proba, weight) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("k", [1, 2, 3])
def test_top_k_equals_sklearn(k, weighted):
    rng = np.random.default_rng(5)
    y, proba = rng.integers(0, 4, 200), rng.dirichlet(np.ones(4), 200)
    weight = rng.random(200) if weighted else None
    expected = sklearn.metrics.top_k_accuracy_score(y, proba, k=k, sample_weight=weight)
    found = task_metric(f"top_k_accuracy@{k}")(y, proba, weight)
    assert found == pytest.approx(expected, rel=1e-12)


def test_positives_that_are_never_predicted_are_found_at_zero():
    for name in ("f1", "precision", "recall"):
        assert task_metric(name)([0, 1], [0.1, 0.2]) == 0


@pytest.mark.parametrize("name", NAMES)
def test_rows_without_a_positive_one_leave_it_undefined(name):
    assert np.isnan(task_metric(name)([0, 0], [0.1, 0.7]))


def test_a_class_that_is_predicted_and_not_held_does_not_warn():
    proba = np.array([[0.6, 0.3, 0.1], [0.2, 0.5, 0.3], [0.1, 0.2, 0.7]])
    found = task_metric("balanced_accuracy")([0, 1, 1], proba, classes=[0, 1, 2])
    assert found == (1 + 0.5) / 2


def test_as_many_places_as_classes_leave_top_k_undefined():
    assert np.isnan(task_metric("top_k_accuracy@4")([0, 1, 2], np.eye(3)))
    message = r"NaN for \['y'\]: they have no more than k classes.* smaller k"
    with pytest.warns(sklearn.exceptions.UndefinedMetricWarning, match=message):
        task_scores(Y, P, metrics="top_k_accuracy", task_names=["y"])

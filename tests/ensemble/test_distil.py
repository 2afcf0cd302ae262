"""A student of a teacher whose answers were worked out without the row."""

from functools import wraps

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.model_selection import PredefinedSplit
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from sk_mtl import ESMMClassifier, MMOEClassifier, MMOERegressor, MultiTaskEstimator
from sk_mtl.ensemble import MultiTaskVotingEstimator, distil

QUICK = {"max_epochs": 1, "batch_size": 64, "random_state": 0}
N = 24
PLACE = np.arange(N)
X = pd.DataFrame({"place": PLACE.astype(float), "other": PLACE % 5.0})
#: The rows of the first fold; the other rows are the second.
FIRST = PLACE % 2 == 0
FOLDS = PredefinedSplit(np.where(FIRST, 0, 1))
PRIOR = DummyClassifier(strategy="prior")


class Recorder(MMOEClassifier):
    """Notes what its fit is given."""

    seen = []

    @wraps(MMOEClassifier.fit)
    def fit(self, X, y, **keywords):
        self.seen.append(keywords)
        return super().fit(X, y, **keywords)


@pytest.fixture
def seen():
    Recorder.seen.clear()
    return Recorder.seen


def in_turn(first, second):
    """Values for the rows of the first fold and of the second."""
    return np.where(FIRST, first, second)


def test_rows_are_answered_by_the_other_fold(seen):
    y = pd.DataFrame({"a": in_turn(PLACE % 8 == 0, PLACE % 4 == 1) * 1})
    y["b"] = np.array(["x", "y", "z"])[PLACE // 2 % 3]
    student = distil(Recorder(**QUICK), PRIOR, X, y, cv=FOLDS)
    (given,) = seen
    soft = given["soft_labels"]
    # A quarter of the first fold's rows are 1, and half of the second's.
    np.testing.assert_allclose(soft["a"][:, 1], in_turn(1 / 2, 1 / 4))
    np.testing.assert_allclose(soft["b"], np.full((N, 3), 1 / 3))
    expected = MMOEClassifier(**QUICK).fit(X, y, soft_labels=soft).predict_proba(X)
    for found, own in zip(student.predict_proba(X), expected, strict=True):
        np.testing.assert_array_equal(found, own)


def test_rows_without_a_label_have_soft_ones(seen):
    y = pd.DataFrame(
        {"a": PLACE // 2 % 2, "b": in_turn(PLACE % 8 == 0, PLACE % 4 == 1)}
    )
    y = y.astype(float)
    y.loc[::3, "b"] = np.nan
    distil(Recorder(**QUICK), PRIOR, X, y, cv=FOLDS)
    means = y["b"][FIRST].mean(), y["b"][~FIRST].mean()
    np.testing.assert_allclose(
        seen[0]["soft_labels"]["b"][:, 1], in_turn(means[1], means[0])
    )


def test_weights_reach_both_fits(seen):
    y, weight = PLACE // 2 % 2, np.where(PLACE // 2 % 2 == 1, 3.0, 1.0)
    distil(Recorder(**QUICK), PRIOR, X, y, cv=FOLDS, sample_weight=weight)
    (given,) = seen
    np.testing.assert_allclose(given["soft_labels"]["task_0"][:, 1], 3 / 4)
    assert given["sample_weight"] is weight


def test_rows_that_no_fold_tests_have_none(seen):
    y = PLACE // 2 % 2
    cv = PredefinedSplit(np.where(PLACE < 8, 0, -1))
    distil(Recorder(**QUICK), PRIOR, X, y, cv=cv)
    known = ~np.isnan(seen[0]["soft_labels"]["task_0"][:, 1])
    np.testing.assert_array_equal(known, PLACE < 8)


class FirstRows(ClassifierMixin, BaseEstimator):
    """Notes the rows of its fits, and answers as a coin."""

    rows = []

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.rows.append(set(X["place"].astype(int)))
        return self

    def predict_proba(self, X):
        return np.full((len(X), 2), 0.5)

    def predict(self, X):
        return self.classes_[np.zeros(len(X), int)]


def test_groups_are_kept_together(seen):
    FirstRows.rows.clear()
    y, groups = PLACE // 2 % 2, PLACE // 4
    distil(Recorder(**QUICK), FirstRows(), X, y, cv=3, groups=groups)
    assert len(FirstRows.rows) == 3
    for rows in FirstRows.rows:
        assert all(({4 * g + k for k in range(4)} <= rows) != (4 * g not in rows)
                   for g in range(6))  # fmt: skip
    assert seen[0]["groups"] is groups


def test_steps_of_a_funnel_are_products():
    """A rate of the clicked rows times the rate of clicks."""
    y = pd.DataFrame({"click": PLACE // 2 % 2, "buy": (PLACE // 2 % 4 == 3) * 1})
    student = distil(ESMMClassifier(**QUICK), PRIOR, X, y, cv=FOLDS)
    soft = np.tile([1 / 2, 1 / 4], (N, 1))
    expected = ESMMClassifier(**QUICK).fit(X, y, soft_labels=soft)
    for found, own in zip(
        student.predict_proba(X), expected.predict_proba(X), strict=True
    ):
        np.testing.assert_allclose(found, own, atol=1e-6)


def test_numbers_and_classes_beside_each_other():
    y = pd.DataFrame({"kind": PLACE // 2 % 2, "size": in_turn(1.5, 4.0) + PLACE % 3})
    types = {"kind": "binary", "size": "regression"}
    teacher = MultiTaskVotingEstimator(
        [("classes", PRIOR), ("numbers", DummyRegressor())]
    )
    student = distil(
        MultiTaskEstimator(**QUICK, task_types=types), teacher, X, y, cv=FOLDS
    )
    soft = {"kind": np.full(N, 0.5), "size": in_turn(5.0, 2.5)}
    expected = MultiTaskEstimator(**QUICK, task_types=types)
    expected.fit(X, y, soft_labels=soft)
    np.testing.assert_allclose(student.predict(X), expected.predict(X), atol=1e-6)


def test_numbers_alone():
    y = in_turn(0.0, 1.0) + PLACE % 2
    student = distil(MMOERegressor(**QUICK), DummyRegressor(), X, y, cv=FOLDS)
    expected = MMOERegressor(**QUICK).fit(X, y, soft_labels=in_turn(2.0, 0.0))
    np.testing.assert_allclose(student.predict(X), expected.predict(X), atol=1e-6)


def test_a_multi_task_teacher_and_a_student_in_a_pipeline(seen):
    y = pd.DataFrame({"a": PLACE // 2 % 2, "b": PLACE // 4 % 2})
    teacher = MMOEClassifier(**QUICK)
    student = Recorder(**QUICK)
    pipeline = make_pipeline("passthrough", student)
    found = distil(pipeline, teacher, X, y, cv=FOLDS, params={"classes": [[0, 1]] * 2})
    assert found is not pipeline
    assert not hasattr(student, "net_")
    fits = [teacher.fit(X[rows], y[rows]) and teacher.predict_proba(X)[0]
            for rows in (~FIRST, FIRST)]  # fmt: skip
    expected = np.where(FIRST[:, None], *fits)
    np.testing.assert_allclose(seen[0]["soft_labels"]["a"], expected, atol=1e-6)


def refused(estimator, teacher, message, error=ValueError):
    with pytest.raises(error, match=message):
        distil(estimator, teacher, X, PLACE // 2 % 2)


def test_wrong_estimators():
    net = MMOEClassifier(**QUICK)
    refused(MMOEClassifier, PRIOR, "estimator must be one estimator, an", TypeError)
    refused(net, DummyClassifier, "teacher must be one estimator, an inst", TypeError)
    refused(PRIOR, net, "estimator must be a multi-task model whose fit takes")
    refused(net, LinearSVC(), "teacher must have predict_proba; found LinearSVC")
    refused(
        net,
        DummyRegressor(),
        "teacher must answer tasks of classes, as the estimator does; found "
        "DummyRegressor, which does not. Give a classifier.",
    )

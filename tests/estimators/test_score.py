"""The mean accuracy over tasks, as `score` returns it."""

import numpy as np
import pytest

from sk_mtl import MMOEClassifier
from tests.estimators.common import QUICK, mixed_table


@pytest.fixture(scope="module")
def table():
    return mixed_table()


def test_it_is_the_mean_over_tasks_of_the_accuracy(table):
    X, y = table
    model = MMOEClassifier(**QUICK).fit(X, y)
    right = model.predict(X) == y.to_numpy()
    assert model.score(X, y) == pytest.approx(right.mean(axis=0).mean())


def test_missing_labels_are_left_out(table):
    X, y = table
    model = MMOEClassifier(**QUICK).fit(X, y)
    right = (model.predict(X) == y.to_numpy()).astype(float)
    gaps = y.astype(float)
    gaps.iloc[:200, 0] = np.nan
    expected = np.mean([right[200:, 0].mean(), right[:, 1].mean()])
    assert model.score(X, gaps) == pytest.approx(expected)
    gaps["churn"] = np.nan
    assert model.score(X, gaps) == pytest.approx(right[:, 1].mean())


def test_weights_count(table):
    X, y = table
    model = MMOEClassifier(**QUICK).fit(X, y)
    right = model.predict(X) == y.to_numpy()
    weight = np.arange(240.0)
    expected = np.average(right, axis=0, weights=weight).mean()
    assert model.score(X, y, sample_weight=weight) == pytest.approx(expected)
    both = np.column_stack([weight, weight[::-1]])
    expected = np.average(right, axis=0, weights=both).mean()
    assert model.score(X, y, sample_weight=both) == pytest.approx(expected)


def test_a_label_never_seen_counts_as_wrong(table):
    X, y = table
    model = MMOEClassifier(**QUICK).fit(X, y)
    assert model.score(X, y + 5) == 0


def test_nothing_to_score_is_refused(table):
    X, y = table
    model = MMOEClassifier(**QUICK).fit(X, y)
    with pytest.raises(ValueError) as caught:
        model.score(X, y * np.nan)
    assert str(caught.value) == (
        "y must hold labels to score against; found only missing ones. Give rows "
        "with labels."
    )

"""The numbers of a wide table that tell something about a label."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import f_oneway
from sklearn.feature_selection import f_classif

from sk_mtl.estimators._automatic import _telling_numbers
from sk_mtl.estimators._automatic._telling_numbers import (
    FEWEST_ROWS,
    MOST_ROWS,
    N_KEPT,
    WIDE,
    _error_probabilities,
    _intervals,
    _threshold,
    find_telling_numbers,
    is_wide,
)

CLASSES, NUMBERS = SimpleNamespace(classes=np.array([0, 1])), SimpleNamespace()


@pytest.mark.parametrize(
    ("n_rows", "n_numbers", "expected"),
    [
        (FEWEST_ROWS, WIDE + 1, True),
        (FEWEST_ROWS, WIDE, False),
        (FEWEST_ROWS - 1, WIDE + 1, False),
        (MOST_ROWS, WIDE + 1, True),
        (MOST_ROWS + 1, WIDE + 1, False),
    ],
)
def test_tables_of_few_rows_and_many_numbers_are_wide(n_rows, n_numbers, expected):
    assert is_wide(n_rows, n_numbers) == expected


def draw(n_rows=1_000, n_numbers=300):
    rng = np.random.default_rng(0)
    return rng.standard_normal((n_rows, n_numbers)), rng


def test_curves_and_gaps_are_found():
    values, rng = draw()
    logits = 3 * (values[:, 250] ** 2 > 1) - 3 * (values[:, 260] > 0)
    label = (logits + rng.logistic(size=1_000) > 0).astype(float)
    values[rng.random(1_000) < 0.2 + 0.4 * label, 270] = np.nan
    found = find_telling_numbers(values, label[:, None], [CLASSES])
    assert found[[250, 260, 270]].all()
    # No more than the fewest, of which the others are noise.
    assert found.sum() == N_KEPT


def test_each_task_counts_on_its_own_rows():
    values, _ = draw()
    labels = np.full((1_000, 2), np.nan)
    labels[:600, 0] = values[:600, 100] > 0
    labels[600:, 1] = np.exp(values[600:, 200] ** 3)
    found = find_telling_numbers(values, labels, [CLASSES, NUMBERS])
    assert found[[100, 200]].all()


def test_all_are_kept_where_no_label_can_be_tested():
    values, _ = draw(600)
    labels = np.full((600, 1), np.nan)
    labels[:30, 0] = np.arange(30) < 5
    assert find_telling_numbers(values, labels, [CLASSES]).all()


def test_error_probabilities_equal_those_of_scipy():
    values, rng = draw(400, 3)
    intervals = np.column_stack([_intervals(column) for column in values.T])
    trait = rng.random(400) < 0.3
    found = _error_probabilities(intervals, trait[:, None])
    expected = [
        f_oneway(*(trait[interval == k].astype(float) for k in range(8))).pvalue
        for interval in intervals.T
    ]
    np.testing.assert_allclose(found[:, 0], expected, rtol=1e-10)


def test_two_intervals_give_the_test_of_two_classes():
    rng = np.random.default_rng(1)
    interval, numbers = rng.integers(2, size=100), rng.normal(size=(100, 2))
    found = _error_probabilities(interval[:, None], numbers)[0]
    np.testing.assert_allclose(found, f_classif(numbers, interval)[1], rtol=1e-10)


def test_a_constant_or_empty_number_tells_nothing():
    trait = np.tile([0.0, 1.0], 50)[:, None]
    columns = np.column_stack([np.zeros(100), np.full(100, np.nan)])
    intervals = np.column_stack([_intervals(column) for column in columns.T])
    assert _error_probabilities(intervals, trait).tolist() == [[1.0], [1.0]]


def test_threshold_is_that_of_benjamini_and_hochberg():
    # Limits of 10 tests at a share of .1: .01, .02, .03, .04, ...; the third passes
    # though the second does not.
    p = np.array([0.5, 0.029, 0.009, 0.025, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0])
    assert _telling_numbers.FALSE_SHARE == 0.1
    assert _threshold(p) == 0.029
    assert _threshold(np.array([0.5, 0.9])) == 0.0

import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import log_loss

from sk_mtl.metrics import task_metric
from sk_mtl.metrics._calibration_metrics import calibration_ratio
from tests.metrics.common import random_proba

Y = np.array([0, 0, 1, 1])
P = np.array([0.1, 0.4, 0.35, 0.8])


def test_expected_calibration_error_worked_by_hand():
    # Two rows of mean 0.225 and two of mean 0.6, each half positive.
    error = task_metric("expected_calibration_error@2")
    assert error(Y, P) == pytest.approx((0.275 + 0.1) / 2)
    assert not error.greater_is_better
    # Every row has a bin of its own.
    apart = (0.1 + 0.4 + 0.65 + 0.2) / 4
    assert task_metric("expected_calibration_error")(Y, P) == pytest.approx(apart)
    one = task_metric("expected_calibration_error@1")
    assert one(Y, P) == pytest.approx(0.5 - P.mean())


def test_equals_the_curve_of_scikit_learn_in_bins_of_equal_size():
    rng = np.random.default_rng(0)
    proba = rng.permutation(1000) / 1000
    y = (rng.random(1000) < proba**2) * 1
    observed, predicted = calibration_curve(y, proba, n_bins=10, strategy="quantile")
    found = task_metric("expected_calibration_error")(y, proba)
    assert found == pytest.approx(np.abs(observed - predicted).mean())


def test_rows_of_one_probability_share_a_bin_in_any_order():
    error = task_metric("expected_calibration_error@2")
    assert error([0, 1, 1, 0], [0.5] * 4) == error([1, 1, 0, 0], [0.5] * 4) == 0


def test_several_classes_are_averaged():
    rng = np.random.default_rng(1)
    y, proba = rng.integers(0, 3, 100), random_proba(100, 3, rng)
    error = task_metric("expected_calibration_error@5")
    each = [error((y == k) * 1, proba[:, k]) for k in range(3)]
    assert error(y, proba) == pytest.approx(np.mean(each))


@pytest.mark.parametrize("weighted", [False, True])
def test_normalized_entropy_is_log_loss_beside_that_of_the_shares(weighted):
    rng = np.random.default_rng(2)
    y, proba = rng.integers(0, 3, 100), random_proba(100, 3, rng)
    weight = rng.integers(0, 4, 100) if weighted else np.ones(100, int)
    shares = np.bincount(y, weight) / weight.sum()
    of_shares = log_loss(y, np.tile(shares, (100, 1)), sample_weight=weight)
    expected = log_loss(y, proba, sample_weight=weight) / of_shares
    found = task_metric("normalized_entropy")(y, proba, weight)
    assert found == pytest.approx(expected)


def test_normalized_entropy_of_the_base_rate_is_one():
    entropy = task_metric("normalized_entropy")
    assert entropy([0, 1, 1, 1], [0.75] * 4) == pytest.approx(1)
    assert np.isnan(entropy([1, 1], [0.5, 0.5]))


def test_lift_worked_by_hand():
    # The highest probability is of a positive row, the two highest of one of two.
    assert task_metric("lift@0.25")(Y, P) == 2
    assert task_metric("lift@0.5")(Y, P) == 1
    assert task_metric("lift@1")(Y, P) == 1
    # A tenth of four rows is a part of the first one.
    assert task_metric("lift")(Y, P) == pytest.approx(2)
    # Half of three tied rows, one of which is positive.
    assert task_metric("lift@0.5")([1, 0, 0], [0.3] * 3) == pytest.approx(1)
    assert np.isnan(task_metric("lift")([0, 0], [0.1, 0.2]))


def test_lift_of_several_classes_is_the_mean_of_each_against_the_rest():
    rng = np.random.default_rng(3)
    y, proba = rng.integers(0, 3, 90), random_proba(90, 3, rng)
    lift = task_metric("lift@0.2")
    each = [lift((y == k) * 1, proba[:, k]) for k in range(3)]
    assert lift(y, proba) == pytest.approx(np.mean(each))


def test_calibration_ratio():
    assert calibration_ratio(Y, P) == pytest.approx(1.65 / 2)
    assert calibration_ratio(Y, P, np.array([1, 1, 0, 2])) == pytest.approx(2.1 / 2)
    assert np.isnan(calibration_ratio(np.zeros(2), P[:2]))
    assert np.isnan(calibration_ratio(Y[:0], P[:0]))

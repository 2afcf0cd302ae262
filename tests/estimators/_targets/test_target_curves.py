"""Curves of targets: inverses, ranks and means by hand."""

import numpy as np
import pytest
from scipy.stats import norm

from sk_mtl.estimators._targets._target_curves import CURVES, NormalScores, SignedLog


def numbers(seed=0):
    rng = np.random.default_rng(seed)
    return {
        "log-normal": np.exp(2 * rng.normal(size=5000)),
        "signed": rng.standard_t(2, size=3000),
        "zeros": np.where(rng.random(400) < 0.4, 0, rng.lognormal(8, 2, 400)),
        "one": np.full(9, 7.5),
        "none but zero": np.zeros(5),
        "two": np.array([-3.0, 4.0]),
        "huge": np.append(rng.normal(size=50), [1e150, -1e149]),
        "tiny": 1e-140 * rng.lognormal(size=50),
        "million": 1e6 + rng.normal(size=300),
    }


@pytest.mark.parametrize("values", numbers().values(), ids=numbers())
@pytest.mark.parametrize("name", CURVES)
def test_inverses_are_exact_and_order_is_kept(name, values):
    curve = CURVES[name].fit(values, None)
    bent = curve.bend(values)
    assert np.isfinite(bent).all()
    size = np.abs(values).max()
    np.testing.assert_allclose(curve.unbend(bent), values, rtol=1e-6, atol=1e-9 * size)
    # Without errors the mean is the number itself.
    np.testing.assert_allclose(curve.mean(bent), values, rtol=1e-6, atol=1e-9 * size)
    order = np.argsort(values)
    assert (np.diff(bent[order]) >= 0).all()
    assert (curve.lowest, curve.highest) == (bent.min(), bent.max())


@pytest.mark.parametrize("name", CURVES)
def test_missing_targets_stay_missing(name):
    curve = CURVES[name].fit(np.array([1.0, 2.0, 3.0]), None)
    found = curve.bend(np.array([1.0, np.nan, 3.0]))
    assert np.isnan(found).tolist() == [False, True, False]


def test_signed_logarithms_by_hand():
    curve = SignedLog.fit(np.array([0.0, 0.0, 0.0, 2.0, -3.0, 6.0]), None)
    # The median size of the numbers that are not 0.
    assert curve.unit == 3
    found = curve.bend(np.array([0.0, 3 * (np.e - 1), -3 * (np.e**2 - 1)]))
    np.testing.assert_allclose(found, [0, 1, -2], rtol=1e-12)


def test_normal_scores_by_hand():
    curve = NormalScores.fit(np.array([5.0, 1.0, 1.0, 9.0]), None)
    # Middles of ranks: 1 in the first half, then 5, then 9.
    expected = norm.ppf([0.25, 0.625, 0.875])
    np.testing.assert_allclose(curve.bend(np.array([1.0, 5.0, 9.0])), expected)
    between = curve.bend(np.array([7.0]))
    np.testing.assert_allclose(between, expected[1:].mean())
    # Numbers beyond the training targets are the nearest of them.
    outside = curve.bend(np.array([-1e300, 1e300]))
    np.testing.assert_allclose(outside, expected[[0, 2]])


@pytest.mark.parametrize("name", CURVES)
def test_whole_weights_are_repeated_rows(name):
    rng = np.random.default_rng(0)
    values, weight = rng.lognormal(size=60), rng.integers(1, 4, 60)
    weighted = CURVES[name].fit(values, weight / 3)
    repeated = CURVES[name].fit(values.repeat(weight), None)
    places = rng.lognormal(size=9)
    np.testing.assert_allclose(weighted.bend(places), repeated.bend(places))
    answers, bent = rng.normal(size=60), weighted.bend(values)
    repeats = (each.repeat(weight) for each in (answers, bent, np.ones(60)))
    means = [
        curve.mean(np.array([-0.5, 0.5]))
        for curve in (
            weighted.with_errors(answers, bent, weight / 3),
            repeated.with_errors(*repeats),
        )
    ]
    np.testing.assert_allclose(*means, rtol=0.02)


def test_many_values_need_few_knots():
    values = np.random.default_rng(0).lognormal(sigma=2, size=100_000)
    curve = NormalScores.fit(values, None)
    assert len(curve.knots) <= 1000
    assert curve.knots[0] == values.min()
    assert curve.knots[-1] == values.max()
    bent = curve.bend(values)
    assert abs(bent.mean()) < 0.01
    assert bent.std() == pytest.approx(1, abs=0.01)


def test_a_mean_of_two_errors_by_hand():
    curve = SignedLog(-9.0, 9.0, unit=2.0)
    # Errors of 1 and -1, each half of the weight: the means are right as they are.
    answers, errors = np.array([3.0, 3.0, 3.0]), np.array([1.0, -1.0, 1.0])
    curve = curve.with_errors(answers, answers + errors, np.array([1.0, 2.0, 1.0]))
    np.testing.assert_allclose(curve.errors, [-1, 1, 1], atol=1e-4)
    np.testing.assert_allclose(curve.shares, [0.5, 0.25, 0.25])
    expected = (2 * (np.e**3 - 1) + 2 * (np.e - 1)) / 2
    assert curve.mean(np.array([2.0])) == pytest.approx([expected], rel=1e-3)
    # Around 0 the two sides cancel.
    assert curve.mean(np.array([0.0])) == pytest.approx([0.0], abs=1e-3)


def test_the_mean_of_a_log_normal_number():
    rng = np.random.default_rng(0)
    answers = 20 + rng.normal(size=100_000)
    bent = answers + rng.normal(size=100_000)
    curve = SignedLog(0.0, 50.0, unit=1e-9)
    curve = curve.with_errors(answers, bent, np.ones(100_000))
    u = np.log1p(np.exp([1.0, 2.0]) / 1e-9)
    # E[exp(m + e)] = exp(m + 1/2) for a standard normal e.
    np.testing.assert_allclose(curve.mean(u), np.exp([1.5, 2.5]), rtol=0.05)


@pytest.mark.parametrize("name", CURVES)
@pytest.mark.parametrize("sign", [-1, 1])
def test_the_mean_prediction_is_the_mean_target(name, sign):
    rng = np.random.default_rng(0)
    values = sign * rng.lognormal(size=800)
    curve = CURVES[name].fit(values, None)
    bent = curve.bend(values)
    # Large numbers have larger errors than small ones.
    answers = bent + rng.normal(size=800) * np.abs(bent)
    weight = rng.random(800) + 0.1
    curve = curve.with_errors(answers, bent, weight)
    means = np.average(curve.mean(answers), weights=weight)
    assert means == pytest.approx(np.average(values, weights=weight), rel=1e-4)


def test_no_mean_leaves_the_range_of_the_targets():
    values = np.random.default_rng(0).lognormal(size=200)
    for name in CURVES:
        curve = CURVES[name].fit(values, None)
        bent, errors = curve.bend(values), np.where(np.arange(200) % 2, 0.1, -0.1)
        curve = curve.with_errors(bent - errors, bent, np.ones(200))
        means = curve.mean(np.array([-1e30, 0.9, 1.0, 1e30]))
        assert (np.diff(means) > 0).all()
        assert means.min() >= values.min() * (1 - 1e-9)
        assert means.max() <= values.max() * (1 + 1e-9)

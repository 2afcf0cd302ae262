"""Calibrators of one task equal scikit-learn's."""

import numpy as np
import pytest
import sklearn
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.utils.fixes import parse_version

from sk_mtl.calibration._probability_calibrators import (
    METHODS,
    BetaCalibration,
    fit_calibrator,
)

NEW = parse_version(sklearn.__version__) >= parse_version("1.8")


def rows(n_classes=2, n=500, seed=0):
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(n, n_classes))
    proba = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    return proba, np.array([rng.choice(n_classes, p=p) for p in proba])


def able(method):
    return pytest.param(
        method,
        marks=pytest.mark.skipif(
            method == "temperature" and not NEW, reason="new in scikit-learn 1.8"
        ),
    )


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("method", [able(each) for each in METHODS])
def test_probabilities_stay_probabilities(method, n_classes):
    proba, codes = rows(n_classes)
    found = fit_calibrator(method, proba, codes)(proba)
    assert found.shape == proba.shape
    np.testing.assert_allclose(found.sum(1), 1)
    assert found.min() >= 0


def test_isotonic_equals_scikit_learns_regression():
    proba, codes = rows()
    other = IsotonicRegression(out_of_bounds="clip").fit(proba[:, 1], codes)
    found = fit_calibrator("isotonic", proba, codes)(proba)[:, 1]
    np.testing.assert_allclose(found, other.predict(proba[:, 1]), atol=1e-12)


@pytest.mark.parametrize("method", [able(each) for each in METHODS[:3]])
def test_calibrator_equals_scikit_learns(method):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 2))
    y = (rng.random(400) < 1 / (1 + np.exp(-3 * X[:, 0]))).astype(int)
    weight = rng.random(400)
    model = LogisticRegression(C=0.001).fit(X, y)
    every = np.arange(400)
    other = CalibratedClassifierCV(
        FrozenEstimator(model), method=method, cv=[(every, every)], ensemble=False
    )
    with pytest.warns(UserWarning, match="only be used for the calibration"):
        other.fit(X, y, sample_weight=weight)
    own = fit_calibrator(method, model.predict_proba(X), y, weight)
    np.testing.assert_allclose(
        own(model.predict_proba(X)), other.predict_proba(X), atol=1e-6
    )


def test_beta_finds_the_curve_that_labels_were_drawn_from():
    rng = np.random.default_rng(0)
    p = rng.uniform(0.01, 0.99, 200_000)
    odds = 0.5 * np.log(p) - 2 * np.log1p(-p) + 0.3
    true = 1 / (1 + np.exp(-odds))
    codes = (rng.random(len(p)) < true).astype(int)
    proba = np.column_stack([1 - p, p])
    found = fit_calibrator("beta", proba, codes)(proba)[:, 1]
    np.testing.assert_allclose(found, true, atol=0.01)


def test_beta_leaves_out_a_negative_coefficient():
    p = np.linspace(0.05, 0.95, 400)
    rng = np.random.default_rng(0)
    odds = np.log(p) + 2 * np.log1p(-p)
    codes = (rng.random(400) < 1 / (1 + np.exp(-odds))).astype(int)
    proba = np.column_stack([1 - p, p])
    found = BetaCalibration().fit(proba, codes)(proba)[:, 1]
    assert len(np.unique(np.sign(np.diff(found)))) == 1

"""Calibrators of the probabilities of one task."""

import numpy as np
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.linear_model import LogisticRegression

#: Names of the methods of `TaskCalibrator`.
METHODS = ("isotonic", "sigmoid", "temperature", "beta")

# Logarithms of smaller probabilities are of this one.
_LEAST = 1e-15


def fit_calibrator(method, proba, codes, weight=None):
    """Return a function from probabilities to calibrated probabilities.

    Parameters
    ----------
    method : {"isotonic", "sigmoid", "temperature", "beta"}
    proba : ndarray of shape (n_samples, n_classes)
    codes : ndarray of int of shape (n_samples,)
        Positions of the labels among the classes, of which each occurs.
    weight : ndarray of shape (n_samples,) or None
    """
    if method == "beta":
        return BetaCalibration().fit(proba, codes, weight)
    every = np.arange(len(codes))
    model = CalibratedClassifierCV(
        GivenScores(),
        method=method,
        # The scores are of held-out rows already.
        cv=[(every, every)],
        ensemble=False,
    )
    # The weights are given here, by no one's request.
    with config_context(enable_metadata_routing=False):
        return ScoreCalibration(model.fit(_scores(proba), codes, sample_weight=weight))


class ScoreCalibration:
    """A calibrator of scikit-learn that takes probabilities.

    Parameters
    ----------
    model : CalibratedClassifierCV
        Fitted to the logarithms of probabilities, or of the odds of two classes.
    """

    def __init__(self, model):
        self.model = model

    def __call__(self, proba):
        """Return calibrated probabilities, (n_samples, n_classes)."""
        return self.model.predict_proba(_scores(proba))


class GivenScores(ClassifierMixin, BaseEstimator):
    """A classifier whose decision function is X."""

    def fit(self, X, y, sample_weight=None):
        """Take the classes."""
        self.classes_ = np.unique(y)
        self.n_features_in_ = np.shape(X)[1]
        return self

    def decision_function(self, X):
        """Return X, as a vector where it has one column."""
        return X[:, 0] if X.shape[1] == 1 else X

    def predict(self, X):
        """Return the class of the largest score."""
        scores = self.decision_function(X)
        best = scores > 0 if scores.ndim == 1 else scores.argmax(axis=1)
        return self.classes_[best.astype(int)]


class BetaCalibration:
    r"""Beta calibration, one class against the rest.

    The calibrated log-odds are :math:`c + a \log p - b \log(1 - p)` with
    :math:`a, b \ge 0`: unlike a sigmoid of the log-odds they can be right as they are,
    and may bend differently at 0 and at 1. A coefficient that would be negative is left
    out.

    References
    ----------
    M. Kull, T. Silva Filho and P. Flach (2017). Beta calibration: a well-founded and
    easily implemented improvement on logistic calibration for binary classifiers.
    AISTATS.
    """

    def fit(self, proba, codes, weight=None):
        """Fit a model for each class, one for both of two."""
        n_classes = proba.shape[1]
        self._models = [
            _fit_beta(proba[:, k], codes == k, weight)
            for k in ([1] if n_classes == 2 else range(n_classes))
        ]
        return self

    def __call__(self, proba):
        """Return calibrated probabilities, (n_samples, n_classes)."""
        if len(self._models) == 1:
            positive = _apply_beta(self._models[0], proba[:, 1])
            return np.column_stack([1 - positive, positive])
        each = np.column_stack(
            [_apply_beta(model, p) for model, p in zip(self._models, proba.T)]
        )
        return each / each.sum(axis=1, keepdims=True)


def _fit_beta(p, is_class, weight):
    """Return the features that have a coefficient >= 0, and the model of them."""
    used = [0, 1]
    while True:
        features = _beta_features(p)[:, used]
        # So large a C is no penalty.
        model = LogisticRegression(C=1e10, max_iter=1000)
        model.fit(features, is_class, sample_weight=weight)
        negative = model.coef_[0] < 0
        if len(used) == 1 or not negative.any():
            return used, model
        used = [used[int(model.coef_[0].argmax())]]


def _apply_beta(fitted, p):
    used, model = fitted
    return model.predict_proba(_beta_features(p)[:, used])[:, 1]


def _beta_features(p):
    p = np.clip(np.asarray(p, float), _LEAST, 1 - _LEAST)
    return np.column_stack([np.log(p), -np.log1p(-p)])


def _scores(proba):
    """Return log-probabilities, or the log-odds of two classes in one column."""
    logs = np.log(np.clip(np.asarray(proba, float), _LEAST, 1))
    return logs[:, 1:] - logs[:, :1] if proba.shape[1] == 2 else logs

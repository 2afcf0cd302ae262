"""Small tables and estimators that several tests share."""

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

import sk_mtl

NET = {"max_epochs": 2, "batch_size": 64, "random_state": 0}


def table(n_samples=200, seed=0):
    """Numbers, two related binary tasks and a task of three classes of text."""
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(rng.normal(size=(n_samples, 3)), columns=["a", "b", "c"])
    score = X["a"] + 0.5 * rng.normal(size=n_samples)
    y = pd.DataFrame(
        {
            "click": (score > 0) * 1,
            "buy": (score > 0.8) * 1,
            "plan": np.select([X["b"] < -0.5, X["b"] > 0.5], ["free", "paid"], "trial"),
        }
    )
    return X, y


def binary_table(n_samples=200, seed=0):
    """The two tasks that are steps of a funnel."""
    X, y = table(n_samples, seed)
    return X, y[["click", "buy"]]


def linear():
    return LogisticRegression()


def tree():
    return DecisionTreeClassifier(max_depth=2, random_state=0)


def net(**parameters):
    return sk_mtl.MMOEClassifier(**{**NET, **parameters})


class Recorder(ClassifierMixin, BaseEstimator):
    """A classifier that keeps what `fit` was given, and answers with base rates."""

    def fit(self, X, y, sample_weight=None, groups=None):
        self.X_, self.y_, self.weight_, self.groups_ = X, y, sample_weight, groups
        self.classes_, counts = np.unique(y, return_counts=True)
        self.rates_ = counts / counts.sum()
        return self

    def predict_proba(self, X):
        return np.tile(self.rates_, (len(X), 1))

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

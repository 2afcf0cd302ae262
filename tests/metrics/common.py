"""Labels, probabilities and a small multi-task estimator for the tests of metrics."""

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import Ridge
from sklearn.naive_bayes import GaussianNB


class OneModelPerTask(ClassifierMixin, BaseEstimator):
    """A naive Bayes model per column of y, fitted on the rows that have a label."""

    def __init__(self, missing_label=None, task_names=None, var_smoothing=1e-9):
        self.missing_label = missing_label
        self.task_names = task_names
        self.var_smoothing = var_smoothing

    def fit(self, X, y, sample_weight=None):
        one_task = np.ndim(y) == 1
        y = pd.DataFrame(y)
        weight = np.ones(len(y)) if sample_weight is None else np.asarray(sample_weight)
        self.y_dtypes_, self.weight_sum_ = list(y.dtypes), weight.sum()
        self.models_ = []
        for name in y:
            known = (y[name].notna() & (y[name] != self.missing_label)).to_numpy()
            labels = y[name].to_numpy()[known]
            if labels.dtype.kind == "f":
                labels = labels.astype(int)
            model = GaussianNB(var_smoothing=self.var_smoothing)
            self.models_.append(model.fit(np.asarray(X)[known], labels, weight[known]))
        names = y.columns if self.task_names is None else self.task_names
        self.task_names_ = list(names)
        classes = [model.classes_ for model in self.models_]
        self.classes_ = classes[0] if one_task else classes
        self.n_predictions_ = 0
        return self

    def predict_proba(self, X):
        self.n_predictions_ += 1
        proba = [model.predict_proba(np.asarray(X)) for model in self.models_]
        return proba if isinstance(self.classes_, list) else proba[0]

    def predict(self, X):
        columns = [model.predict(np.asarray(X)) for model in self.models_]
        return np.column_stack(columns)


class MixedModel(BaseEstimator):
    """A naive Bayes model per column of classes, a ridge per column of numbers.

    Columns named in `numbers`, or at these positions, hold numbers. The answers have
    the form that estimators with tasks of both kinds give.
    """

    def __init__(self, numbers=(), alpha=1.0, missing_label=None):
        self.numbers = numbers
        self.alpha = alpha
        self.missing_label = missing_label

    def fit(self, X, y):
        self._columns = list(y.columns) if isinstance(y, pd.DataFrame) else None
        y = pd.DataFrame(y)
        self.task_names_ = list(y)
        self.models_ = []
        for name in y:
            known = (y[name].notna() & (y[name] != self.missing_label)).to_numpy()
            labels = y[name].to_numpy()[known]
            if name in self.numbers:
                model, labels = Ridge(alpha=self.alpha), labels.astype(float)
            else:
                model, labels = GaussianNB(), np.array(labels.tolist())
            self.models_.append(model.fit(np.asarray(X)[known], labels))
        self.classes_ = [getattr(model, "classes_", None) for model in self.models_]
        self.calls_ = []
        return self

    def predict_proba(self, X):
        self.calls_.append("predict_proba")
        return [
            None if isinstance(model, Ridge) else model.predict_proba(np.asarray(X))
            for model in self.models_
        ]

    def predict(self, X):
        self.calls_.append("predict")
        columns = [model.predict(np.asarray(X)) for model in self.models_]
        if self._columns is None:
            return np.column_stack([column.astype(object) for column in columns])
        return pd.DataFrame(dict(zip(self._columns, columns)))


def random_tasks(n_samples=300, seed=0):
    """X and a y of four tasks: numbers, strings, three classes, and one with gaps."""
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(rng.normal(size=(n_samples, 3)), columns=["a", "b", "c"])
    noisy = X.to_numpy() + rng.normal(size=(n_samples, 3))
    y = pd.DataFrame(
        {
            "click": (noisy[:, 0] > 0).astype(int),
            "like": np.where(noisy[:, 1] > 0, "yes", "no"),
            "stars": np.digitize(noisy[:, 2], [-1, 1]) + 1,
            "buy": np.where(rng.random(n_samples) < 0.4, np.nan, noisy[:, 0] > 0.5),
        }
    )
    return X, y


def mixed_tasks(n_samples=300, seed=0):
    """X and a y of two tasks of classes and two of numbers, each kind with gaps."""
    X, y = random_tasks(n_samples, seed)
    rng = np.random.default_rng(seed + 1)
    spend = X["a"].to_numpy() + rng.normal(size=n_samples)
    visits = rng.poisson(np.exp(X["b"] / 2)).astype(float)
    visits[rng.random(n_samples) < 0.3] = np.nan
    return X, y[["like", "buy"]].assign(spend=spend, visits=visits)


def random_proba(n_samples, n_classes, rng):
    """Probabilities with ties, which a test of ranks must hold."""
    counts = rng.integers(1, 8, (n_samples, n_classes))
    return counts / counts.sum(axis=1, keepdims=True)

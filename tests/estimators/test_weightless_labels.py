"""A label of weight 0 is as good as no label, in every fit."""

import numpy as np
import pandas as pd
import pytest

from sk_mtl import (
    ESMMClassifier,
    MMOEClassifier,
    MMOERegressor,
    MultiTaskEstimator,
)
from tests.estimators.common import QUICK, funnel_table, mixed_table

SHORT = {**QUICK, "max_epochs": 2}


def classes(n_samples):
    X, y = mixed_table(n_samples)
    return X, y.assign(kind=np.arange(n_samples) % 3)


def numbers(n_samples):
    X, y = mixed_table(n_samples)
    return X, y + X[["age"]].to_numpy()


def mixed(n_samples):
    X, y = mixed_table(n_samples)
    return X, y.assign(spend=np.exp(X["age"] / 20))


CASES = {
    "classes": (MMOEClassifier, classes, {}),
    "balanced classes": (MMOEClassifier, classes, {"class_weight": "balanced"}),
    "numbers": (MMOERegressor, numbers, {}),
    "counts": (MMOERegressor, numbers, {"loss": "poisson"}),
    "mixed": (MultiTaskEstimator, mixed, {}),
    "funnel": (ESMMClassifier, funnel_table, {}),
    "balanced funnel": (ESMMClassifier, funnel_table, {"class_weight": "balanced"}),
}


def hidden_labels(y, rng):
    """Labels with gaps in two tasks, and weights that make the same gaps."""
    hidden = np.zeros(y.shape, dtype=bool)
    hidden[:, 0] = (rng.random(len(y)) < 0.4) & (y.iloc[:, 0] >= y.iloc[:, 0].median())
    hidden[:, -1] = rng.random(len(y)) < 0.3
    return y.astype(float).mask(hidden), 1.0 - hidden


def assert_same(first, second, X):
    for name in ("train_loss", "valid_loss"):
        if name in first.history_:
            np.testing.assert_allclose(
                first.history_[name], second.history_[name], rtol=1e-6
            )
    if hasattr(first, "predict_proba"):
        pairs = zip(first.predict_proba(X), second.predict_proba(X), strict=True)
        for a, b in pairs:
            if a is not None:
                np.testing.assert_allclose(a, b, rtol=0, atol=1e-6)
    predictions = (np.asarray(m.predict(X), dtype=float) for m in (first, second))
    np.testing.assert_allclose(*predictions, rtol=1e-5)


@pytest.mark.filterwarnings("ignore::sk_mtl.exceptions.FunnelWarning")
@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_weight_zero_equals_a_missing_label(case, early_stopping):
    cls, table, options = CASES[case]
    X, y = table(250)
    gone, weight = hidden_labels(y, np.random.default_rng(0))
    options = {**SHORT, **options, "early_stopping": early_stopping}
    missing = cls(**options).fit(X, gone)
    weightless = cls(**options).fit(X, y, sample_weight=weight)
    assert_same(missing, weightless, X)


def test_a_funnel_is_completed_where_the_label_has_no_weight():
    X, y = funnel_table()
    out_of_reach = y["click"] == 0
    weight = np.column_stack([np.ones(len(y)), ~out_of_reach])
    told = ESMMClassifier(**SHORT).fit(X, y)
    assert_same(told, ESMMClassifier(**SHORT).fit(X, y, sample_weight=weight), X)


@pytest.mark.parametrize("monitor", ["valid_loss", "roc_auc", ("log_loss", "kind")])
def test_weight_zero_on_validation_rows(monitor):
    X, y = classes(400)
    gone, weight = hidden_labels(y, np.random.default_rng(1))
    first, second = (
        MMOEClassifier(**SHORT, monitor=monitor, early_stopping=True).fit(
            X[:300], y[:300], X_val=X[300:], **valid
        )
        for valid in (
            {"y_val": gone[300:]},
            {"y_val": y[300:], "sample_weight_val": weight[300:]},
        )
    )
    pd.testing.assert_frame_equal(
        first.history_.drop(columns="seconds"), second.history_.drop(columns="seconds")
    )
    assert_same(first, second, X)


def test_partial_fit():
    X, y = classes(400)
    gone, weight = hidden_labels(y, np.random.default_rng(2))
    missing, weightless = MMOEClassifier(**SHORT), MMOEClassifier(**SHORT)
    for rows in (slice(0, 200), slice(200, 400)):
        missing.partial_fit(X[rows], gone[rows])
        weightless.partial_fit(X[rows], y[rows], sample_weight=weight[rows])
    assert_same(missing, weightless, X)


def test_a_leak_is_found_in_the_rows_that_count():
    X, y = mixed_table()
    other = np.arange(len(y)) % 5 == 0
    X = X.assign(told=np.where(other, 7, y["buy"]))
    weight = np.column_stack([np.ones(len(y)), ~other])
    with pytest.warns(UserWarning, match="Feature 'told' must not tell"):
        MMOEClassifier(**SHORT).fit(X, y, sample_weight=weight)


def test_score_reads_no_label_without_weight():
    X, y = mixed_table()
    model = MMOEClassifier(**SHORT).fit(X, y)
    gone = np.arange(len(y)) % 5 == 0
    weight = np.column_stack([np.ones(len(y)), ~gone])
    other = y.astype(object)
    other.loc[gone, "buy"] = "unknown"
    assert list(y)[1] == "buy"
    missing = other.replace("unknown", np.nan)
    assert model.score(X, other, sample_weight=weight) == model.score(X, missing)


@pytest.mark.parametrize("monitor", ["roc_auc", "log_loss"])
def test_a_task_without_weight_on_validation_rows_is_not_monitored(monitor):
    X, y = mixed_table()
    weight = np.column_stack([np.zeros(len(y)), np.ones(len(y))])
    unknown = y.astype(object)
    unknown.iloc[:, 0] = np.nan
    model = MMOEClassifier(**SHORT, early_stopping=True, monitor=monitor)
    weightless = model.fit(X, y, X_val=X, y_val=y, sample_weight_val=weight).history_
    missing = model.fit(X, y, X_val=X, y_val=unknown).history_
    assert (weightless[f"valid_{monitor}"] == missing[f"valid_{monitor}"]).all()

"""Finite numbers make finite answers, or an error in words."""

import re

import numpy as np
import pandas as pd
import pytest

from sk_mtl import (
    AITMClassifier,
    ESMMClassifier,
    HoMEClassifier,
    MMOEClassifier,
    MMOERegressor,
    MultiTaskEstimator,
)
from tests.estimators.common import ESTIMATORS, EVERY

FAST = {"max_epochs": 1, "random_state": 0}
OUTLIERS = [1e3, -1e4, 1e5, -1e10, 1e25, 1e38, -1e39, 1e100, 1.7e308, -1.7e308]
LOSSES = ["squared_error", "absolute_error", "huber", "poisson", "gamma", "ziln"]
FEATURES = {
    "cross": {},
    "fm": {"interaction": "fm", "wide": True},
    "senet": {"interaction": "senet"},
    "no interaction": {"interaction": None, "numeric_embedding": None},
    "embeddings": {"numeric_embedding": ("bins", "ple", "periodic")},
    "members": {"n_members": 2},
    "normalised": {"batch_norm": True, "max_epochs": 3},
    "double": {"precision": "float64"},
}


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"x": rng.normal(size=100), "z": rng.normal(size=100)})
    X["town"] = rng.choice(["Oslo", "Rome", "Bonn"], len(X))
    first = (X["x"] > 0).astype(int)
    return X, pd.DataFrame({"a": first, "b": first * rng.integers(0, 2, len(X))})


def answers(model, X):
    """All that a model says of rows, one row each."""
    methods = (
        "predict",
        "predict_proba",
        "predict_log_proba",
        "predict_conditional_proba",
        "predict_proba_positive",
        "predict_gates",
    )
    found = []
    for method in methods:
        if hasattr(model, method):
            made = getattr(model, method)(X)
            parts = made if isinstance(made, list) else [made]
            found += [
                np.asarray(part, dtype=float).reshape(len(X), -1) for part in parts
            ]
    return np.hstack(found)


def assert_finite_beside_outliers(model, X):
    """Answers are finite, and those of the other rows the same bit for bit."""
    rows = X[: len(OUTLIERS) + 5]
    far = rows.copy()
    far.loc[: len(OUTLIERS) - 1, "x"] = OUTLIERS
    far.loc[: len(OUTLIERS) - 1, "z"] = OUTLIERS[::-1]
    found = answers(model, far)
    assert np.isfinite(found).all()
    kept = slice(len(OUTLIERS), None)
    np.testing.assert_array_equal(found[kept], answers(model, rows)[kept])


@pytest.mark.parametrize("cls", EVERY)
def test_outliers_of_any_size_have_finite_answers(cls, table):
    X, y = table
    assert_finite_beside_outliers(cls(**FAST).fit(X, y), X)


@pytest.mark.parametrize("name", list(FEATURES)[1:])
def test_outliers_with_every_feature(name, table):
    X, y = table
    model = MMOEClassifier(**{**FAST, **FEATURES[name]}).fit(X, y)
    assert_finite_beside_outliers(model, X)


@pytest.mark.nightly
@pytest.mark.parametrize("name", list(FEATURES)[1:])
@pytest.mark.parametrize("cls", ESTIMATORS, ids=lambda cls: cls.__name__)
def test_outliers_with_every_feature_of_every_model(cls, name, table):
    X, y = table
    assert_finite_beside_outliers(cls(**{**FAST, **FEATURES[name]}).fit(X, y), X)


@pytest.mark.parametrize(
    "loss", ["absolute_error", "huber", "poisson", "gamma", "ziln"]
)
@pytest.mark.parametrize("n_members", [1, 2])
def test_outliers_with_every_loss(loss, n_members, table):
    X, y = table
    y = y + (loss == "gamma")
    model = MMOERegressor(loss=loss, n_members=n_members, **FAST).fit(X, y)
    assert_finite_beside_outliers(model, X)


@pytest.mark.parametrize("loss", ["squared_error", "poisson", "ziln"])
def test_outliers_among_the_validation_rows(loss, table):
    X, y = table
    far = X.copy()
    far.loc[: len(OUTLIERS) - 1, "x"] = OUTLIERS
    model = MMOERegressor(loss=loss, **FAST).fit(X, y, X_val=far, y_val=y)
    assert np.isfinite(model.history_["valid_loss"]).all()


@pytest.mark.parametrize("cls", [MMOEClassifier, ESMMClassifier, AITMClassifier])
def test_an_outlier_among_the_training_rows(cls, table):
    X, y = table
    far = X.copy()
    far.loc[0, "x"] = 1e300
    assert_finite_beside_outliers(cls(**FAST).fit(far, y), X)


@pytest.mark.parametrize("cls", [MMOEClassifier, MMOERegressor])
def test_within_ten_times_the_training_range_nothing_is_cut_off(cls, table):
    X, y = table
    model = cls(**FAST).fit(X, y)
    far = X.copy()
    far[["x", "z"]] *= 10
    found = answers(model, far)
    for block in model.schema_._blocks:
        if block.kind == "numeric":
            block.limits[:] = np.inf
    np.testing.assert_array_equal(found, answers(model, far))


def test_infinity_in_x_is_still_refused(table):
    X, y = table
    model = MMOEClassifier(**FAST).fit(X, y)
    infinite = X.assign(x=np.inf)
    for rows in (infinite, infinite.astype({"x": object})):
        with pytest.raises(
            ValueError, match=r"'x'.*found infinity|found infinity.*'x'"
        ):
            model.predict(rows)


def test_a_network_that_overflows_says_so(table):
    X, y = table
    model = MMOEClassifier(**FAST).fit(X, y)
    bias = model.net_.module_.wiring.experts.first.bias
    bias.data[:] = np.inf
    expected = (
        "The network must return finite numbers for every row; found NaN or infinity "
        "for 100 of 100 rows. Scale the numeric columns in the preprocessor, and check "
        "these rows for huge numbers."
    )
    for method in (model.predict, model.predict_proba, model.predict_log_proba):
        with pytest.raises(ValueError, match=re.escape(expected)):
            method(X)


# Targets.

SIZES = [1e-140, 1e-30, 1e30, 1e100, 1e150]


def targets_of(size, table):
    """Two targets of a size, with a few that are smaller by far."""
    X, y = table
    large = size * (1 + X["x"].abs() / 10)
    return pd.DataFrame({"a": large / large.max() * size, "b": size * (y["a"] + 1e-3)})


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("loss", LOSSES)
def test_targets_of_any_size_that_has_squares(size, loss, table):
    X, _ = table
    y = targets_of(size, table).clip(upper=1e150)
    model = MMOERegressor(loss=loss, **FAST).fit(X, y)
    assert np.isfinite(model.predict(X)).all()
    assert np.isfinite(model.score(X, y))
    # The size is a unit, and makes no difference.
    plain = MMOERegressor(loss=loss, **FAST).fit(X, y / size)
    np.testing.assert_allclose(model.predict(X), plain.predict(X) * size, rtol=1e-4)


@pytest.mark.parametrize("size", [1.1e150, 1e160, 1e200, 1e300, -1.7e308])
def test_targets_without_finite_squares_are_refused_by_name(size, table):
    X, y = table
    expected = (
        "The targets of task 'b' in y must be at most 1e+150 in size, so that their "
        f"squares are finite; found {size:g}. Divide them by a constant, or mark it as "
        "missing with NaN."
    )
    huge = y.astype(float)
    huge.loc[5, "b"] = size
    for model in (
        MMOERegressor(**FAST),
        MMOERegressor(loss="huber", **FAST),
        MultiTaskEstimator(task_types={"a": "binary", "b": "regression"}, **FAST),
    ):
        with pytest.raises(ValueError, match=re.escape(expected)):
            model.fit(X, huge)
    model = MMOERegressor(**FAST).fit(X, y)
    with pytest.raises(ValueError, match=re.escape(expected)):
        model.score(X, huge)
    with pytest.raises(ValueError, match="targets of task 'b' in y_val"):
        MMOERegressor(**FAST).fit(X, y, X_val=X, y_val=huge)


@pytest.mark.parametrize(
    ("loss", "required"),
    [
        ("squared_error", "equal, or have a standard deviation of at least 1e-150"),
        ("poisson", "0, or have a mean of at least 1e-150"),
        ("gamma", "0, or have a mean of at least 1e-150"),
    ],
)
@pytest.mark.parametrize("size", [1e-160, 1e-300, 1e-320])
def test_targets_whose_squares_are_zero_are_refused_by_name(
    loss, required, size, table
):
    X, y = table
    tiny = y.assign(b=size * (1 + y["b"]))
    expected = rf"targets of task 'b' must be {required}.*Multiply them by a constant"
    with pytest.raises(ValueError, match=expected):
        MMOERegressor(loss=loss, **FAST).fit(X, tiny + [1, 0])


def test_equal_targets_of_any_size_are_learnt(table):
    X, y = table
    equal = y.astype(float).assign(a=1e-300, b=1e150)
    predicted = MMOERegressor(**FAST).fit(X, equal).predict(X)
    np.testing.assert_allclose(predicted[:, 1], 1e150, rtol=1e-6)


def test_targets_far_from_those_of_the_first_call_are_refused(table):
    X, y = table
    model = MMOERegressor(**FAST).partial_fit(X, y)
    with pytest.raises(ValueError, match=r"targets of task 'b' must be within 1e\+16"):
        model.partial_fit(X, y.astype(float).assign(b=1e100))
    with pytest.raises(ValueError, match=r"targets of task 'b' must be within 1e\+16"):
        MMOERegressor(**FAST).fit(X, y, X_val=X, y_val=y + [0, 1e30])


@pytest.mark.parametrize("size", [1e-300, 1e-30, 1e30, 1e300])
@pytest.mark.parametrize("cls", [MMOEClassifier, MMOERegressor])
def test_weights_too_large_or_small_are_refused(cls, size, table):
    X, y = table
    expected = (
        "The weights of task 'a', sample_weight times class_weight, must have a "
        f"maximum from 1e-20 to 1e+20; found {size:g}. Multiply them by a constant, "
        "which changes nothing else."
    )
    with pytest.raises(ValueError, match=re.escape(expected)):
        cls(**FAST).fit(X, y, sample_weight=np.full(len(X), size))


# Trainings that diverge.


def test_answers_that_are_not_finite_after_the_last_step_are_an_error(table):
    X, y = table
    X = X[["x"]]
    # One step, whose weights are finite, and whose products are not.
    settings = {"max_epochs": 1, "batch_size": 1000, "weight_averaging": None}
    settings["batch_norm"] = True
    model = HoMEClassifier(lr=1e6, optimizer="sgd", random_state=0, **settings)
    expected = (
        "The answers of the trained network must be finite; found NaN or infinity for "
        "100 of 100 training rows. Try a smaller lr, check the scale of numeric "
        "columns and the sample weights, or use precision='float64'."
    )
    with pytest.raises(ValueError, match=re.escape(expected)):
        model.fit(X, y)
    assert not hasattr(model, "net_")


@pytest.mark.parametrize("name", ["fairgrad", "cagrad", "imtl_g", "nash_mtl", "pcgrad"])
def test_balanced_gradients_that_are_not_finite_are_an_error_in_words(name, table):
    pytest.importorskip("torchjd")
    X, y = table
    model = MMOEClassifier(balancing=name, lr=1e5, max_epochs=5, random_state=0)
    with pytest.raises(
        ValueError, match=r"(The loss|A gradient) must stay finite; .* lr"
    ):
        model.fit(X, y)

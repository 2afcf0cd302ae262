"""Fits on rows that are encoded already, and the steps of a prediction."""

import numpy as np
import pandas as pd
import pytest
import torch

from sk_mtl import (
    ESMMClassifier,
    MMOEClassifier,
    MMOERegressor,
    MultiTaskEstimator,
    SharedBottomClassifier,
)
from tests.estimators.common import (
    QUICK,
    assert_equal_proba,
    funnel_table,
    mixed_table,
)


def make(**options):
    return MMOEClassifier(**{**QUICK, "early_stopping": True, **options})


@pytest.fixture(scope="module")
def table():
    X, y = mixed_table(160)
    y = y.astype(float)
    y.iloc[::7, 0] = np.nan
    return X, y, np.linspace(0.5, 2, len(X))


def test_a_fit_on_encoded_rows_is_the_fit_on_raw_ones(table):
    X, y, weight = table
    expected = make(class_weight=[None, {0: 1, 1: 2}]).fit(X, y, weight)
    rows, targets = make().encode_rows(X, y, weight)
    model = make(class_weight=[None, {0: 1, 1: 2}]).fit_rows(rows, targets)
    assert_equal_proba(model.predict_proba(X), expected.predict_proba(X))
    ours, theirs = (m.history_.drop(columns="seconds") for m in (model, expected))
    assert ours.equals(theirs)
    assert set(vars(model)) == set(vars(expected))
    assert repr(model.schema_) == repr(expected.schema_)


def test_rows_serve_several_models_and_stay_as_they_are(table):
    X, y, weight = table
    rows, targets = make().encode_rows(X, y, weight)
    for options in ({"embedding_dim": 3}, {"batch_size": 32, "tower_hidden_sizes": 8}):
        expected = make(**options).fit(X, y, weight).predict_proba(X)
        model = make(**options).fit_rows(rows, targets)
        assert_equal_proba(model.predict_proba(X), expected)
    other = SharedBottomClassifier(**QUICK).fit_rows(rows, targets)
    assert [proba.shape for proba in other.predict_proba(X)] == [(160, 2)] * 2


def test_rows_of_another_preprocessing_are_refused(table):
    X, y, _ = table
    rows, targets = make().encode_rows(X, y)
    for options in ({"precision": "float64"}, {"loss": "focal"}, {"pos_label": 0}):
        (name,) = options
        with pytest.raises(ValueError, match=f"{name} must be the one that the rows"):
            make(**options).fit_rows(rows, targets)


def test_rows_of_other_kinds_are_refused(table):
    X, y, _ = table
    rows, targets = make(early_stopping=False).encode_rows(X, y)
    with pytest.raises(ValueError, match="same kind of tasks; found rows of MMOEC"):
        MMOERegressor(**QUICK).fit_rows(rows, targets)
    with pytest.raises(ValueError, match="early_stopping=True needs validation rows"):
        make().fit_rows(rows, targets)
    with pytest.raises(TypeError, match="found a value of type DataFrame"):
        make().fit_rows(X, y)


def test_a_fit_on_rows_that_continues_needs_the_encoder_of_the_first(table):
    X, y, _ = table
    model = make(warm_start=True)
    rows, targets = model.encode_rows(X, y)
    model.fit_rows(rows, targets).fit_rows(rows, targets)
    assert model.n_iter_ == 2 * QUICK["max_epochs"]
    with pytest.raises(ValueError, match="must have rows of the encoder of the first"):
        model.fit_rows(*make().encode_rows(X, y))


def test_numbers_keep_their_units_where_a_fit_on_rows_continues(table):
    X, y, _ = table
    y = pd.DataFrame({"a": 100 + np.arange(len(X)) % 7, "b": np.linspace(0, 9, len(X))})
    model = MMOERegressor(warm_start=True, **QUICK)
    rows, targets = model.encode_rows(X, y)
    model.fit_rows(rows, targets).fit_rows(rows, targets)
    expected = MMOERegressor(warm_start=True, **QUICK).fit(X, y).fit(X, y).predict(X)
    np.testing.assert_array_equal(model.predict(X), expected)


def test_targets_of_other_rows_are_refused(table):
    X, y, _ = table
    rows, _ = make().encode_rows(X, y)
    _, others = make().encode_rows(X, y.iloc[:, :1])
    for wrong in (others, None, y):
        with pytest.raises(ValueError, match="targets must come from the same call"):
            make().fit_rows(rows, wrong)


def test_the_steps_of_a_prediction_are_public(table):
    X, y, _ = table
    model = make().fit(X, y)
    network = model.predictor_
    logits = network.logits(network.encode(X))
    answers = network.answers(logits)
    np.testing.assert_array_equal(network.decode(answers), model.predict(X))
    assert network.task_names == model.task_names_
    assert network.schema is model.schema_
    # A later fit leaves it as it is.
    model.set_params(max_epochs=1).fit(X[:80], y[:80])
    np.testing.assert_array_equal(network.logits(network.encode(X)), logits)


@pytest.mark.parametrize(
    "model",
    [
        MMOEClassifier(pos_label=0, n_members=2, **QUICK),
        ESMMClassifier(precision="float64", **QUICK),
        MultiTaskEstimator(task_types=["binary", "regression"], **QUICK),
    ],
)
def test_an_exporter_needs_public_names_alone(model):
    X, y = funnel_table(80)
    network = model.fit(X, y).predictor_
    arrays = network.schema.transform(network.preprocessor, X, dtype=network.dtype)
    codes, numbers = map(torch.from_numpy, (arrays.codes, arrays.numeric))
    with torch.inference_mode():
        logits = network.module(codes, numbers, ()).numpy()
    np.testing.assert_allclose(logits, network.logits(network.encode(X)), rtol=1e-5)
    answers = network.answers(network.logits(arrays))
    found = network.probabilities(answers)
    for ours, theirs in zip(found, model.predict_proba(X), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(network.decode(answers), model.predict(X))

"""Warnings name the line of the user who called, however deep they arise."""

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline

from sk_mtl import ESMMClassifier, MMOEClassifier
from sk_mtl.exceptions import FunnelWarning, LeakWarning
from sk_mtl.metrics import make_task_scorer
from sk_mtl.preprocessing import make_tabular_preprocessor


def leaking():
    rng = np.random.default_rng(0)
    y = pd.DataFrame({"a": rng.integers(0, 2, 80), "b": rng.integers(0, 2, 80)})
    return pd.DataFrame({"x": rng.normal(size=80), "twin": y["a"]}), y


def assert_points_here(record):
    assert {each.filename for each in record} == {__file__}


def test_a_leak_points_at_the_call_of_fit():
    X, y = leaking()
    with pytest.warns(LeakWarning) as record:
        MMOEClassifier(max_epochs=1).fit(X, y)
    assert_points_here(record)


def test_a_leak_points_at_the_call_of_partial_fit():
    X, y = leaking()
    with pytest.warns(LeakWarning) as record:
        MMOEClassifier(max_epochs=1).partial_fit(X, y)
    assert_points_here(record)


def test_a_leak_in_a_pipeline_points_at_the_call_of_its_fit():
    X, y = leaking()
    model = make_pipeline(make_tabular_preprocessor(), MMOEClassifier(max_epochs=1))
    with pytest.warns(LeakWarning) as record:
        model.fit(X, y)
    assert_points_here(record)


def test_a_leak_in_a_search_points_at_the_call_of_its_fit():
    X, y = leaking()
    search = GridSearchCV(
        MMOEClassifier(max_epochs=1),
        {"lr": [0.01]},
        cv=KFold(2),
        scoring=make_task_scorer("log_loss"),
    )
    with pytest.warns(LeakWarning) as record:
        search.fit(X, y)
    assert_points_here(record)


def test_a_broken_funnel_points_at_the_call_of_fit():
    X, y = leaking()
    with pytest.warns(FunnelWarning) as record:
        ESMMClassifier(max_epochs=1).fit(X[["x"]], y)
    assert_points_here(record)

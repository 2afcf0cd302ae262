"""The numbers of wide tables that a default fit leaves out."""

import warnings

import numpy as np
import pandas as pd
import pytest

from sk_mtl import MMOEClassifier, MMOERegressor
from sk_mtl.exceptions import ColumnWarning
from sk_mtl.preprocessing import make_tabular_preprocessor

QUICK = {"max_epochs": 1, "n_members": 1, "random_state": 0}


def make_table(n_rows=600, n_numbers=220):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n_rows, n_numbers)).astype("float32")
    y = pd.DataFrame({"a": X[:, 150] > 0, "b": (X[:, 160] ** 2 > 0.5)}).astype(int)
    X = pd.DataFrame(X).add_prefix("n").assign(kind=np.tile(["x", "y"], n_rows // 2))
    return X, y


def test_default_fit_leaves_out_numbers_that_tell_nothing():
    X, y = make_table()
    with pytest.warns(ColumnWarning, match=r"found 188 of 220 columns .* left out"):
        model = MMOEClassifier(**QUICK).fit(X, y)
    names = model.schema_.numeric_names
    assert len(names) == 32
    assert {"n150", "n160"} <= set(names)
    assert model.schema_.categorical_names == ["kind"]
    assert model.n_features_in_ == 221
    other = X.assign(**dict.fromkeys(set(X) - {*names, "kind"}, 0.0))
    np.testing.assert_array_equal(
        model.predict_proba(X)[0], model.predict_proba(other)[0]
    )


def test_columns_without_names_and_tasks_of_numbers():
    X, y = make_table()
    X = X.drop(columns="kind").to_numpy()
    with pytest.warns(ColumnWarning, match="found 188 of 220"):
        model = MMOERegressor(**QUICK).fit(X, y.to_numpy() * 1.5)
    assert len(model.schema_.numeric_names) == 32


def test_numbers_that_a_parameter_names_are_kept():
    X, y = make_table()
    groups = {"first": ["n0", "n1"], "second": ["n2"]}
    with pytest.warns(ColumnWarning, match="left out"):
        model = MMOEClassifier(feature_groups=groups, **QUICK).fit(X, y)
    assert {"n0", "n1", "n2"} <= set(model.schema_.numeric_names)


def test_a_given_preprocessor_reads_all_numbers():
    X, y = make_table()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = MMOEClassifier(preprocessor=make_tabular_preprocessor(X), **QUICK)
        model.fit(X, y)
    assert len(model.schema_.numeric_names) == 220

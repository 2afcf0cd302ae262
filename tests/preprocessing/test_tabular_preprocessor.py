"""The output of the tabular preprocessor's steps, with and without joining it."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sk_mtl.preprocessing import FeatureSchema, make_tabular_preprocessor
from sk_mtl.preprocessing._tables._unjoined_columns import UnjoinedColumns
from sk_mtl.preprocessing._tabular_preprocessor import (
    TabularPreprocessor,
    fit_transform_unjoined,
)
from tests.preprocessing._sample_tables import make_mixed_frame
from tests.preprocessing._schemas import NUM, assert_same_arrays


def make_dated_frame():
    X = make_mixed_frame()
    X["day"] = pd.date_range("2024-01-01", periods=len(X), freq="17h")
    X["history"] = [["a", "b"][: i % 3] for i in range(len(X))]
    return X


@pytest.mark.parametrize("numeric", ["standard", "both"])
def test_the_schema_reads_the_same_off_both_forms(numeric):
    X = make_dated_frame()
    joined, unjoined = (make_tabular_preprocessor(X, numeric=numeric) for _ in "ab")
    parts = fit_transform_unjoined(unjoined, X)
    table = joined.fit_transform(X)
    assert isinstance(parts, UnjoinedColumns)
    assert {part.dtype.kind for part in parts.parts} == {"i", "f"}
    assert parts.shape == table.shape
    schemas = [
        FeatureSchema.from_preprocessor(joined, table),
        FeatureSchema.from_preprocessor(unjoined, parts),
    ]
    assert repr(schemas[0]) == repr(schemas[1])
    pd.testing.assert_frame_equal(schemas[0].frame(), schemas[1].frame())
    expected = schemas[0].split(table)
    assert_same_arrays(schemas[1].split(parts), expected)
    assert_same_arrays(schemas[1].transform(unjoined, X), expected)


def test_it_is_an_ordinary_column_transformer():
    X = make_mixed_frame()
    preprocessor = make_tabular_preprocessor(X)
    assert isinstance(preprocessor, ColumnTransformer)
    assert repr(preprocessor).startswith("TabularPreprocessor(transformers=[('num',")
    plain = ColumnTransformer(**clone(preprocessor).get_params(deep=False))
    expected = plain.fit_transform(X)
    fit_transform_unjoined(preprocessor, X)
    for fitted in (preprocessor, pickle.loads(pickle.dumps(preprocessor))):
        np.testing.assert_array_equal(fitted.transform(X), expected)
    np.testing.assert_array_equal(clone(preprocessor).fit_transform(X), expected)


def test_outputs_are_joined_again_after_a_failed_fit():
    X = make_mixed_frame()
    preprocessor = make_tabular_preprocessor(X)
    with pytest.raises(ValueError, match="column"):
        fit_transform_unjoined(preprocessor, X.drop(columns="town"))
    assert type(preprocessor.fit_transform(X)) is np.ndarray


class Stacked(TabularPreprocessor):
    pass


def test_other_output_comes_as_the_preprocessor_returns_it():
    X = make_mixed_frame().dropna()

    def fit(preprocessor, *steps):
        return fit_transform_unjoined(preprocessor(list(steps)), X)

    scaled, copied = ("num", StandardScaler(), NUM), ("two", StandardScaler(), NUM)
    hot = ("hot", OneHotEncoder(), ["town", "colour"])
    assert fit(TabularPreprocessor, hot, ("num", "drop", NUM)).shape == (58, 5)
    labels = fit(TabularPreprocessor, scaled, ("raw", "passthrough", ["town"]))
    assert labels.dtype == object
    assert type(fit(TabularPreprocessor, scaled)) is np.ndarray
    assert type(fit(TabularPreprocessor, scaled, copied)) is UnjoinedColumns
    assert type(fit(ColumnTransformer, scaled, copied)) is np.ndarray
    assert type(fit(Stacked, scaled, copied)) is np.ndarray
    assert fit_transform_unjoined(StandardScaler(), X[NUM]).shape == (58, 2)
    with config_context(transform_output="pandas"):
        frame = fit_transform_unjoined(make_tabular_preprocessor(X), X)
    assert isinstance(frame, pd.DataFrame)


def test_columns_are_taken_across_parts():
    parts = [np.arange(6).reshape(2, 3), np.array([[0.5, 1.5], [2.5, 3.5]])]
    columns = UnjoinedColumns(parts)
    joined = np.hstack(parts)
    for where in (
        slice(None),
        slice(0, 3),
        slice(3, None),
        slice(2, 4),
        np.array([0, 2]),
        np.array([1, 3]),
        np.array([4]),
    ):
        np.testing.assert_array_equal(columns.take(where), joined[:, where])
    assert columns.take(slice(0, 3)).dtype == parts[0].dtype
    for where in (slice(1, 3), np.array([1, 2])):
        assert np.shares_memory(columns.take(where), parts[0])

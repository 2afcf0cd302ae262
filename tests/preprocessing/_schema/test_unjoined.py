"""What a ColumnTransformer's steps return, taken without joining it."""

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.compose import ColumnTransformer
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sk_mtl.preprocessing import FeatureSchema, make_tabular_preprocessor
from sk_mtl.preprocessing._schema._unjoined import (
    UnjoinedColumns,
    fit_transform_unjoined,
)
from tests.preprocessing._sample_tables import make_mixed_frame
from tests.preprocessing._schemas import NUM, assert_same_arrays, columns


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


def test_the_fitted_preprocessor_is_the_ordinary_one():
    X = make_mixed_frame()
    preprocessor = make_tabular_preprocessor(X)
    fit_transform_unjoined(preprocessor, X)
    assert type(preprocessor) is ColumnTransformer
    expected = make_tabular_preprocessor(X).fit_transform(X)
    np.testing.assert_array_equal(preprocessor.transform(X), expected)


def test_a_failed_fit_leaves_the_class_as_it_was():
    preprocessor = columns(("num", StandardScaler(), ["no such column"]))
    with pytest.raises(ValueError, match=r"not a column|not columns"):
        fit_transform_unjoined(preprocessor, make_mixed_frame())
    assert type(preprocessor) is ColumnTransformer


class Stacked(ColumnTransformer):
    pass


def test_other_output_comes_as_the_preprocessor_returns_it():
    X = make_mixed_frame().dropna()
    sparse = columns(("hot", OneHotEncoder(), ["town", "colour"]), ("num", "drop", NUM))
    assert fit_transform_unjoined(sparse, X).shape == (58, 5)
    labels = columns(("num", StandardScaler(), NUM), ("raw", "passthrough", ["town"]))
    assert fit_transform_unjoined(labels, X).dtype == object
    single = columns(("num", StandardScaler(), NUM))
    assert type(fit_transform_unjoined(single, X)) is np.ndarray
    subclass = Stacked([("a", StandardScaler(), NUM), ("b", StandardScaler(), NUM)])
    assert type(fit_transform_unjoined(subclass, X)) is np.ndarray
    scaler = StandardScaler()
    assert fit_transform_unjoined(scaler, X[NUM]).shape == (58, 2)
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

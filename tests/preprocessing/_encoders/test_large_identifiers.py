"""Identifiers beyond 2**53, of which floats cannot hold every one, stay apart.

2**53 + 1 becomes 2**53 as a float, the neighbour of 2**53 + 2 in both directions. Every
way from a column of identifiers to codes is taken here, also beside columns of floats.
"""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.preprocessing import StandardScaler

from sk_mtl.preprocessing import (
    CategoryEncoder,
    FeatureSchema,
    HashingEncoder,
    SequenceEncoder,
    make_tabular_preprocessor,
)

# Floats merge the first with the second, and the third with the fourth.
SIGNED = [2**53, 2**53 + 1, 2**53 + 2, 2**53 + 3]
UNSIGNED = [2**63, 2**63 + 1, 2**63 + 2, 2**63 + 3]


def test_floats_confuse_these_identifiers():
    for values in (SIGNED, UNSIGNED):
        assert len(set(map(float, values))) < 4
        assert len(set(np.array(values).astype(np.float32))) == 1


def numpy_type(values):
    return np.uint64 if 2**63 in values else np.int64


PLAIN = {
    "int64": lambda values: np.array(values, dtype=numpy_type(values)),
    "Int64": lambda values: pd.array(values, f"{'U' * (2**63 in values)}Int64"),
    "Arrow": lambda values: pd.array(
        values, pd.ArrowDtype(pa.from_numpy_dtype(numpy_type(values)))
    ),
    "object": lambda values: pd.array(values, dtype=object),
    "category": lambda values: pd.Categorical(values),
}


def frame(values, container, **others):
    """The identifiers as a column beside others, in a container that holds them."""
    return pd.DataFrame({"id": PLAIN[container](values), **others})


def assert_apart(codes, n_known=4):
    """The first `n_known` codes differ, and what follows equals none of them."""
    codes = np.asarray(codes).ravel().tolist()
    assert len(set(codes[:n_known])) == n_known
    assert set(codes[:n_known]).isdisjoint(codes[n_known:])


def test_sequences_and_single_values_have_the_same_order():
    ids = frame([*SIGNED, None], "Int64")
    history = pd.DataFrame({"h": [SIGNED, [None]]})
    single = CategoryEncoder().fit(ids)
    items = SequenceEncoder(max_length=4).fit(history)
    np.testing.assert_array_equal(single.categories_[0][:4], items.categories_[0][:4])


def all_codes(preprocessor, X):
    """The codes that a network gets of the identifiers."""
    Z = preprocessor.fit_transform(X)
    schema = FeatureSchema.from_preprocessor(preprocessor, Z)
    split = schema.split(Z).codes
    transformed = schema.transform(preprocessor, X).codes
    np.testing.assert_array_equal(split, transformed)
    assert split.dtype == np.int32
    return split[:, schema.categorical_names.index("id")]


@pytest.mark.parametrize(
    ("container", "listed"),
    [
        ("category", None),
        ("object", None),
        ("category", ["id"]),
        ("int64", ["id"]),
        ("Int64", ["id"]),
        ("Arrow", ["id"]),
    ],
)
def test_tabular_preprocessor(container, listed):
    price = np.linspace(0, 1, 8)
    X = frame(SIGNED * 2, container, price=price)
    codes = all_codes(make_tabular_preprocessor(X, categorical_features=listed), X)
    assert_apart(codes[:4])
    np.testing.assert_array_equal(codes[:4], codes[4:])
    late = make_tabular_preprocessor(categorical_features=listed)
    np.testing.assert_array_equal(all_codes(late, X), codes)


@pytest.mark.parametrize("container", ["Int64", "Arrow"])
def test_tabular_preprocessor_with_gaps(container):
    X = frame([*SIGNED, None] * 2, container, price=np.linspace(0, 1, 10))
    preprocessor = make_tabular_preprocessor(X, categorical_features=["id"])
    codes = all_codes(preprocessor, X)
    assert_apart(codes[:5])
    assert codes[4] == 0


def test_tabular_preprocessor_of_an_array():
    X = np.array([SIGNED * 2, [0, 1] * 4]).T
    preprocessor = make_tabular_preprocessor(X, categorical_features=[0])
    assert_apart(preprocessor.fit_transform(X)[:4, -1])


def test_tabular_preprocessor_refuses_identifiers_that_floats_may_have_rounded():
    X = pd.DataFrame({"id": np.array(SIGNED, dtype=float), "n": [0.0, 1, 2, 3]})
    preprocessor = make_tabular_preprocessor(X, categorical_features=["id"])
    with pytest.raises(ValueError, match="keep the codes in a column of integers"):
        preprocessor.fit(X)


@pytest.mark.parametrize("values", [SIGNED, UNSIGNED], ids=["signed", "unsigned"])
@pytest.mark.parametrize("container", ["int64", "Int64", "Arrow", "category"])
def test_column_transformer_with_numbers_beside(values, container):
    X = frame(values * 2, container, price=np.linspace(0, 1, 8))
    X["history"] = [[value] for value in values * 2]
    columns = ColumnTransformer(
        [
            ("num", StandardScaler(), ["price"]),
            ("cat", CategoryEncoder(), ["id"]),
            ("hash", HashingEncoder(10**6), ["id"]),
            ("seq", SequenceEncoder(max_length=2), ["history"]),
        ]
    )
    Z = columns.fit_transform(X)
    assert Z.dtype == np.float64
    for j in (1, 2, 3):
        assert_apart(Z[:4, j])
        np.testing.assert_array_equal(Z[:4, j], Z[4:, j])
    np.testing.assert_array_equal(columns.transform(X), Z)
    np.testing.assert_array_equal(columns.transform(X[1:2]), Z[1:2])

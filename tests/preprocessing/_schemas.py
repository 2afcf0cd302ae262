"""Fitted preprocessors and their schemas, for the tests that read schemas."""

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.preprocessing import OrdinalEncoder, StandardScaler

from sk_mtl.preprocessing import FeatureSchema

NUM, CAT = ["age", "visits"], ["town", "colour"]


def fit(preprocessor, X):
    """The schema of a preprocessor fitted on X, and its output."""
    transformed = preprocessor.fit_transform(X)
    return FeatureSchema.from_preprocessor(preprocessor, transformed), transformed


def ordinal(**kwargs):
    kwargs = {"handle_unknown": "use_encoded_value", "unknown_value": -1} | kwargs
    return OrdinalEncoder(**kwargs)


def columns(*steps, **kwargs):
    return ColumnTransformer(list(steps), **kwargs)


def by_columns(encoder, **kwargs):
    return columns(("num", StandardScaler(), NUM), ("cat", encoder, CAT), **kwargs)


def assert_same_arrays(one, other):
    """Equal values and types, in C order as a network takes them."""
    assert len(one.sequences) == len(other.sequences)
    pairs = zip([*one[:2], *one.sequences], [*other[:2], *other.sequences])
    for first, second in pairs:
        assert first.dtype == second.dtype
        assert first.flags.c_contiguous
        assert second.flags.c_contiguous
        np.testing.assert_array_equal(first, second)

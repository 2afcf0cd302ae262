"""Integers that a preprocessor of the user's own merges are named."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    MinMaxScaler,
    StandardScaler,
)

from sk_mtl.exceptions import ColumnWarning
from sk_mtl.preprocessing import CategoryEncoder, FeatureSchema, NumericScaler
from sk_mtl.preprocessing._schema._merged_integers import warn_of_merged_integers

RNG = np.random.default_rng(0)
STEPS = RNG.integers(0, 5, 300)
LARGE = STEPS + 1_234_567_890_123_456_768


def subtract_least(X):
    return X - LARGE.min()


def warn(step, values, dtype=None):
    X = pd.DataFrame({"id": pd.Series(values, dtype=dtype), "n": RNG.normal(size=300)})
    transformers = [("id", step, ["id"]), ("n", StandardScaler(), ["n"])]
    preprocessor = ColumnTransformer(transformers, verbose_feature_names_out=False)
    encoded = preprocessor.fit_transform(X)
    schema = FeatureSchema.from_preprocessor(preprocessor, encoded)
    warn_of_merged_integers(schema, X, schema.split(encoded))


MERGING = {
    "scaled": (StandardScaler(), LARGE),
    "scaled by the range": (MinMaxScaler(), LARGE),
    "passed through": ("passthrough", LARGE),
    "objects": (StandardScaler(), LARGE.astype(object)),
    "Decimals": (FunctionTransformer(), [Decimal(int(value)) for value in LARGE]),
    "beyond 2**24, unscaled": ("passthrough", STEPS + 2**30),
    "one marker": (StandardScaler(), np.append(STEPS[1:], 2**62)),
    "one marker, exact": (NumericScaler(), np.append(STEPS[1:], 2**62)),
}


@pytest.mark.parametrize("kind", MERGING)
def test_integers_that_become_one_number_are_named(kind):
    step, values = MERGING[kind]
    message = (
        "Column 'id' must hold integers that stay apart as floats; found that the "
        r"preprocessor makes . of . values. Give identifiers to a CategoryEncoder"
    )
    with pytest.warns(ColumnWarning, match=message):
        warn(step, values)


APART = {
    "exact": (NumericScaler(), LARGE),
    "categories": (CategoryEncoder(), LARGE),
    "dropped": ("drop", LARGE),
    "subtracted": (
        make_pipeline(
            FunctionTransformer(subtract_least, feature_names_out="one-to-one"),
            StandardScaler(),
        ),
        LARGE,
    ),
    "scaled": (StandardScaler(), STEPS + 2**30),
    "spread": (StandardScaler(), RNG.integers(0, 2**62, 300)),
    "few": (StandardScaler(), STEPS),
    "binned on purpose": (
        KBinsDiscretizer(2, encode="ordinal", quantile_method="linear"),
        RNG.integers(0, 10**9, 300),
    ),
    "text": (CategoryEncoder(), LARGE.astype(str)),
}


@pytest.mark.parametrize("kind", APART)
def test_integers_that_stay_apart_pass(kind):
    warn(*APART[kind])


def test_arrays():
    X = np.column_stack([LARGE, STEPS])
    scaler = StandardScaler()
    encoded = scaler.fit_transform(X)
    schema = FeatureSchema.from_preprocessor(scaler, encoded)
    with pytest.warns(ColumnWarning, match="Column 'x0' must hold integers that stay"):
        warn_of_merged_integers(schema, X, schema.split(encoded))

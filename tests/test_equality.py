"""Values of parameters are compared by what they hold."""

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import StandardScaler

from sk_mtl._equality import same_value

LONG = np.arange(2000.0)
CHANGED = LONG.copy()
CHANGED[1000] = -1


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (1, 1.0),
        (float("nan"), np.nan),
        ([64, 32], (64, 32)),
        (LONG, LONG.copy()),
        (np.array(["a", None], dtype=object), np.array(["a", None], dtype=object)),
        (np.array([np.nan, 1.0]), np.array([np.nan, 1.0])),
        ({"a": LONG}, {"a": LONG.copy()}),
        (pd.Series([1, 2]), pd.Series([1, 2])),
        (StandardScaler(copy=False), StandardScaler(copy=False)),
        (len, len),
        (dict, dict),
        (None, None),
    ],
)
def test_equal_values_are_the_same(a, b):
    assert same_value(a, b)
    assert same_value(b, a)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (1, 2),
        (1, True),
        (0, False),
        ("a", ["a"]),
        (LONG, CHANGED),
        (LONG, LONG[:-1]),
        (np.arange(3), np.arange(3.0)),
        ({"a": 1}, {"b": 1}),
        (pd.DataFrame({"a": [1]}), pd.DataFrame({"a": [2]})),
        (StandardScaler(copy=False), StandardScaler()),
        (StandardScaler, StandardScaler()),
        (object(), object()),
        (lambda: 0, lambda: 0),
        (None, 0),
    ],
)
def test_different_values_are_not(a, b):
    assert not same_value(a, b)
    assert not same_value(b, a)

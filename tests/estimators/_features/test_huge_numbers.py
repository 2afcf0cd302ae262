"""Columns whose numbers or their squares floats do not hold are named."""

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.preprocessing import (
    FunctionTransformer,
    QuantileTransformer,
    StandardScaler,
)

from sk_mtl import MMOEClassifier
from tests.estimators.common import QUICK

N = 60
Y = np.column_stack([np.tile([0, 1], N // 2), np.tile([0, 0, 1, 1], N // 4)])
PLAIN = np.random.default_rng(0).normal(size=N)


def fit(values, step=None):
    X = pd.DataFrame({"x": PLAIN, "h": values})
    step = StandardScaler() if step is None else step
    preprocessor = ColumnTransformer([("s", step, ["x", "h"])])
    return MMOEClassifier(preprocessor=preprocessor, **QUICK).fit(X, Y)


@pytest.mark.parametrize(
    "values",
    [
        np.where(np.arange(N) == 3, 1e300, PLAIN),
        PLAIN * 1e160,
        pd.Series([10**400] + [1] * (N - 1), dtype=object),
        np.where(np.arange(N) == 3, np.finfo(float).max, PLAIN),
    ],
    ids=["one", "all", "integer", "largest"],
)
def test_numbers_whose_squares_overflow_are_refused_by_name(values):
    message = (
        "Column 'h' of X must hold numbers whose squares are finite; found .* Replace "
        "huge numbers, by NaN if they stand for a missing value, or take their log"
    )
    with pytest.raises(ValueError, match=message):
        fit(values)


def test_a_step_that_takes_no_squares_takes_huge_numbers():
    values = np.where(np.arange(N) == 3, 1e300, PLAIN)
    fit(values, QuantileTransformer(n_quantiles=10))


def test_an_integer_that_no_float_holds_in_a_row():
    model = fit(PLAIN)
    X = pd.DataFrame({"x": [1.0], "h": pd.Series([10**400], dtype=object)})
    with pytest.raises(ValueError, match="Column 'h' of X must hold numbers whose squ"):
        model.predict(X)


def test_what_overflows_for_another_reason_draws_a_warning():
    step = FunctionTransformer(lambda X: np.minimum(np.exp(X * 1e4), 1.0))
    with pytest.warns(RuntimeWarning, match="overflow encountered in the preprocessor"):
        fit(PLAIN, step)

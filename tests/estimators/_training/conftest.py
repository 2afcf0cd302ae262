"""Tables that the tests of trainings share."""

import pytest

from tests.estimators.common import mixed_table


@pytest.fixture(scope="module")
def tables():
    X, y = mixed_table()
    return {"X": X[:160], "y": y[:160], "X_val": X[160:], "y_val": y[160:]}

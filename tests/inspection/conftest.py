"""Fitted models that the displays draw."""

import pytest

from sk_mtl import ESMMClassifier, MMOEClassifier
from tests.estimators.common import PLAIN, QUICK, funnel_table, mixed_table

pytest.importorskip("matplotlib")


@pytest.fixture(scope="session")
def table():
    """Return features and two tasks."""
    return mixed_table()


@pytest.fixture(scope="session")
def model(table):
    """Return a mixture of experts that was fitted to the table."""
    return MMOEClassifier(n_experts=3, n_members=1, **QUICK, **PLAIN).fit(*table)


@pytest.fixture(scope="session")
def funnel():
    """Return a fitted funnel, features and steps."""
    X, y = funnel_table()
    return ESMMClassifier(n_members=1, **QUICK, **PLAIN).fit(X, y), X, y

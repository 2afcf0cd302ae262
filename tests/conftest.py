"""What all tests share."""

import pytest


@pytest.fixture(autouse=True)
def few_networks(request, monkeypatch):
    """Train one network where `n_members` is "auto", except where it is tested.

    Most tests look at the parts of a network, on so few rows that a fit by default
    would train four.
    """
    if request.node.get_closest_marker("members") is None:
        rows = "sk_mtl.estimators._automatic._network_rules.MEMBER_ROWS"
        monkeypatch.setattr(rows, 0)

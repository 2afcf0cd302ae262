"""The names that a mistyped one may have meant."""

import pytest

from sk_mtl._close_names import did_you_mean

NAMES = ["n_experts", "n_active_experts", "balancing", "gate_type", "gate_size"]


@pytest.mark.parametrize(
    ("name", "question"),
    [
        ("n_expert", "Did you mean 'n_experts'?"),
        ("gradient_balancing", "Did you mean 'balancing'?"),
        ("n_actve_experts", "Did you mean 'n_active_experts'?"),
        ("gate_tpye", "Did you mean 'gate_type'?"),
        ("gate_", "Did you mean 'gate_type' or 'gate_size'?"),
        ("Balancing", "Did you mean 'balancing'?"),
        ("zebra", ""),
    ],
)
def test_the_closest_names_are_asked_for(name, question):
    assert did_you_mean(name, NAMES) == question


def test_there_may_be_no_names():
    assert did_you_mean("lr", []) == ""

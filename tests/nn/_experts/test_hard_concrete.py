import math

import pytest
import torch

from sk_mtl.nn._experts._hard_concrete import HardConcrete
from tests.nn._asserts import assert_close, set_values

BETA, GAMMA, ZETA = 2 / 3, -0.1, 1.1


def _gates(put, log_alpha, **options):
    gates = put(HardConcrete(len(log_alpha), **options))
    set_values(gates.log_alpha, log_alpha)
    return gates


def test_gates_in_evaluation_by_hand(put):
    gates = _gates(put, [-5.0, math.log(1 / 3), 0.0, math.log(3), 5.0]).eval()
    assert_close(gates(), [0.0, 0.2, 0.5, 0.8, 1.0])
    assert torch.equal(gates(), gates.deterministic())


def test_the_chance_of_a_gate_not_closed_by_hand(put):
    # With limits -1 and 2 the shift is beta log(1 / 2).
    gates = _gates(put, [0.0, math.log(3)], temperature=1.0, limits=(-1.0, 2.0))
    assert_close(gates.open_probability(), [2 / 3, 6 / 7])


@pytest.mark.parametrize("log_alpha", [-2.0, 0.0, 1.5])
def test_the_shares_of_closed_and_open_draws(log_alpha, put):
    n = 200_000
    drawn = _gates(put, [log_alpha] * n)()
    assert 0 <= drawn.min() <= drawn.max() <= 1
    not_closed = (drawn > 0).double().mean()
    shift = BETA * math.log(-GAMMA / ZETA)
    expected = 1 / (1 + math.exp(shift - log_alpha))
    assert abs(not_closed - expected) < 5 * math.sqrt(0.25 / n)
    # With limits as far below 0 as above 1, one end mirrors the other.
    wide_open = (drawn == 1).double().mean()
    assert abs(wide_open - 1 / (1 + math.exp(-shift - log_alpha))) < 6e-3
    chance = _gates(put, [log_alpha]).open_probability()
    assert_close(chance, [expected])


def test_the_distribution_of_draws_between_the_ends(put):
    # P(z <= t) is that of the logistic noise behind it.
    drawn = _gates(put, [0.4] * 200_000)()
    for t in (0.1, 0.5, 0.9):
        s = (t - GAMMA) / (ZETA - GAMMA)
        logit = BETA * math.log(s / (1 - s)) - 0.4
        expected = 1 / (1 + math.exp(-logit))
        assert abs((drawn <= t).double().mean() - expected) < 6e-3


def test_draws_differ_from_call_to_call_in_training_only(put):
    gates = put(HardConcrete(3, 4))
    assert gates().shape == (3, 4)
    assert not torch.equal(gates(), gates())
    gates.eval()
    assert torch.equal(gates(), gates())


def test_a_gradient_passes_where_a_draw_is_between_the_ends(put):
    gates = _gates(put, [0.0] * 100)
    drawn = gates()
    drawn.sum().backward()
    between = (drawn > 0) & (drawn < 1)
    assert 0 < between.sum() < 100
    assert torch.equal(gates.log_alpha.grad > 0, between)


def test_a_gradient_of_the_chance_reaches_every_gate(put):
    gates = _gates(put, [-3.0, 0.0, 3.0])
    gates.open_probability().sum().backward()
    assert bool((gates.log_alpha.grad > 0).all())


def test_gates_start_half_open_and_different(put):
    gates = put(HardConcrete(20, 5)).eval()
    assert len(gates.log_alpha.unique()) == 100
    assert bool((gates() - 0.5).abs().max() < 0.02)


def test_gates_start_where_they_are_told(put):
    gates = put(HardConcrete(20, 5, start=0.75))
    assert len(gates.log_alpha.unique()) == 100
    assert bool((gates.log_alpha - math.log(3)).abs().max() < 0.06)
    assert bool((gates.eval()() - 0.8).abs().max() < 0.02)


def test_a_large_parameter_opens_for_sure(put):
    for value, expected in ((100.0, 1.0), (-100.0, 0.0)):
        gates = _gates(put, [value] * 1000)
        assert bool((gates() == expected).all())
        assert bool((gates.eval()() == expected).all())


def test_settings_that_make_no_gate_are_refused():
    with pytest.raises(ValueError, match="temperature must be positive; found 0"):
        HardConcrete(2, temperature=0)
    for limits in ((0.0, 1.1), (-0.1, 1.0)):
        with pytest.raises(ValueError, match=r"below 0 and one above 1.*; found \("):
            HardConcrete(2, limits=limits)
    for start in (0.0, 1.0):
        with pytest.raises(ValueError, match=f"between 0 and 1.*found {start}. Give"):
            HardConcrete(2, start=start)
    assert "temperature=0.667, limits=(-0.1, 1.1)" in repr(HardConcrete(2))

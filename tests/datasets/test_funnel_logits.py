from types import SimpleNamespace

import numpy as np
import pytest
from scipy.special import expit

from sk_mtl.datasets._funnel_logits import (
    SHARPNESS,
    SPREAD,
    _match,
    _mood,
    _unrelated,
    intercept,
    standardised,
)

# Three items at right angles or equal, four rows, the first without a history.
KIND = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
LOG = SimpleNamespace(
    item=np.array([0, 0, 0, 1]),
    earlier=np.array([[-1, -1], [-1, 2], [1, 2], [-1, 0]]),
)


def test_match_by_hand():
    # Likeness 1 with item 2 and 0 with item 1: attention e^5 / (e^5 + 1) on item 2.
    both = np.exp(SHARPNESS) / (np.exp(SHARPNESS) + 1)
    expected = np.append(0.0, standardised(np.array([1.0, both, 0.0])))
    np.testing.assert_allclose(_match(KIND, LOG), expected, atol=1e-12)


def test_mood_by_hand():
    appeal = np.array([2.0, 4.0, 6.0])
    expected = np.append(0.0, standardised(np.array([6.0, 5.0, 2.0])))
    np.testing.assert_allclose(_mood(appeal, LOG), expected, atol=1e-12)


def test_intercept_of_equal_logits_is_the_log_odds():
    logit = np.full(5, 3.0)
    assert intercept(logit, 0.2) == pytest.approx(np.log(0.2 / 0.8) - 3.0)


@pytest.mark.parametrize("rate", [0.001, 0.3, 0.99])
def test_unrelated_probabilities_do_not_follow_the_later_logits(rate):
    rng = np.random.RandomState(0)
    later = [standardised(rng.standard_normal(5000)) for _ in range(2)]
    own = standardised(rng.standard_normal(5000) + later[0] + 0.5 * later[1] ** 2)
    p = expit(_unrelated(SPREAD * own, later, rate))
    assert p.mean() == pytest.approx(rate)
    for logit in later:
        for power in (1, 2, 3):
            assert np.mean((p - rate) * logit**power) == pytest.approx(0, abs=1e-9)
    assert np.corrcoef(p, own)[0, 1] > 0.15


def test_standardised_equal_values_are_zeros():
    assert standardised(np.full(3, 0.1)).tolist() == [0.0, 0.0, 0.0]

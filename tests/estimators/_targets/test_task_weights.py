"""Weights of the tasks in the sum of their losses."""

import numpy as np
import pytest

from sk_mtl.estimators._targets._task_weights import resolve_task_weights

NAMES = ["a", "b"]


def test_task_weights_are_one_number_per_task():
    assert resolve_task_weights(None, NAMES).tolist() == [1, 1]
    assert resolve_task_weights({"b": 0.1}, NAMES).tolist() == [1, 0.1]
    assert resolve_task_weights((2, 0), NAMES).tolist() == [2, 0]
    assert resolve_task_weights(np.array([2, 3]), NAMES).tolist() == [2, 3]


@pytest.mark.parametrize("weights", [[-1, 1], [0, 0], [np.nan, 1], [np.inf, 1]])
def test_task_weights_that_make_no_sense_are_refused(weights):
    with pytest.raises(ValueError, match="must be finite and >= 0, not all 0; found"):
        resolve_task_weights(weights, NAMES)

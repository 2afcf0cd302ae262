"""Asserts shared by the tests of losses."""

import torch


def gradient(function, logits):
    """Return the gradient of the function's sum at the logits."""
    logits = logits.detach().clone().requires_grad_()
    function(logits).sum().backward()
    return logits.grad


def assert_close(actual, expected, tolerance=None):
    """Equal up to rounding in the actual value's dtype, or a given relative error."""
    expected = torch.as_tensor(expected, dtype=torch.float64)
    if tolerance is None:
        tolerance = 2e-6 if actual.dtype == torch.float32 else 1e-12
    torch.testing.assert_close(
        actual.detach().double(), expected.detach(), rtol=tolerance, atol=tolerance
    )


def assert_rows_sum_to_one(log_probas):
    """Every row of every task's probabilities sums to 1 within 1e-6."""
    for log_proba in log_probas:
        assert not bool(log_proba.isnan().any())
        assert bool((log_proba <= 0).all())
        total = log_proba.exp().sum(1)
        assert bool(((total - 1).abs() < 1e-6).all())

"""Device, batch size and early stopping, resolved from their parameters."""

import re

import numpy as np
import pytest
import torch

from sk_mtl.estimators._training._resolved import (
    resolve_batch_size,
    resolve_device,
    resolve_early_stopping,
)


def test_auto_batches_follow_the_rows():
    rows = (1, 100, 400, 2_000, 20_000, 200_000, 10**8)
    sizes = [resolve_batch_size("auto", n) for n in rows]
    assert sizes == [16, 16, 32, 64, 256, 1024, 1024]
    assert resolve_batch_size(np.int64(7), 10**6) == 7


@pytest.mark.parametrize(
    ("setting", "n_samples", "max_epochs", "monitor", "stops"),
    [
        ("auto", 2_000, 5, "valid_loss", False),
        ("auto", 2_001, 5, "valid_loss", True),
        ("auto", 2_000, 10, "valid_loss", False),
        ("auto", 101, 11, "valid_loss", True),
        ("auto", 100, 11, "valid_loss", False),
        ("auto", 50, 5, ("roc_auc", "income"), True),
        ("auto", 50, 5, "income", True),
        (True, 50, 5, "valid_loss", True),
        (False, 10**6, 100, "roc_auc", False),
    ],
)
def test_auto_stops_early_where_it_pays(setting, n_samples, max_epochs, monitor, stops):
    found = resolve_early_stopping(
        setting, n_samples, max_epochs=max_epochs, monitor=monitor
    )
    assert found is stops


def test_a_device_is_what_it_is_called():
    assert resolve_device("cpu") == torch.device("cpu")
    assert resolve_device(torch.device("cpu")) == torch.device("cpu")
    auto = "cuda" if torch.cuda.is_available() else "cpu"
    assert resolve_device("auto") == torch.device(auto)
    assert resolve_device("cpu:3") == torch.device("cpu")


@pytest.mark.parametrize(
    "device",
    ["mps", "meta", "xpu", "hpu", "xla", "gpu", "CPU", "", torch.device("meta"), 1.5],
    ids=str,
)
def test_devices_that_are_not_served_are_refused_in_words(device):
    with pytest.raises(ValueError, match=r"device must be 'cpu', 'cuda', .* found"):
        resolve_device(device)


def test_a_card_of_a_number_that_is_not_there(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert resolve_device("cuda") == torch.device("cuda")
    assert resolve_device("cuda:1") == torch.device("cuda:1")
    expected = (
        "device='cuda:7' must name one of the CUDA devices here; found 2, numbered "
        "from 0. Use a smaller number, or 'cuda'."
    )
    with pytest.raises(ValueError, match=re.escape(expected)):
        resolve_device("cuda:7")

"""The device that a parameter names."""

import re

import pytest
import torch

from sk_mtl.estimators._training._device import resolve_device


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

"""From parameters to sizes, weights and structures."""

import re

import numpy as np
import pytest
import torch

from sk_mtl.estimators._architecture import (
    make_class_structure,
    resolve_batch_norm,
    resolve_batch_size,
    resolve_device,
    resolve_early_stopping,
    resolve_task_weights,
    resolve_tower_sizes,
)
from sk_mtl.estimators._wiring_model import WIRINGS
from sk_mtl.losses import ClassOutput, FunnelStructure, IndependentStructure
from tests.estimators.common import class_targets

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


def test_tower_sizes_go_by_name_and_not_by_place():
    assert resolve_tower_sizes({"b": (1,), "a": (2, 3)}, NAMES) == [(2, 3), (1,)]


def test_tower_sizes_are_one_tuple_for_all_or_one_each():
    assert resolve_tower_sizes([(1,), ()], NAMES) == [(1,), ()]
    assert resolve_tower_sizes((4, 2), NAMES) == [(4, 2), (4, 2)]
    assert resolve_tower_sizes((), NAMES) == [(), ()]
    assert resolve_tower_sizes(np.array([4, 2]), NAMES) == [(4, 2), (4, 2)]
    assert resolve_tower_sizes(np.array([[4], [2]]), NAMES) == [(4,), (2,)]


def test_auto_batches_follow_the_rows():
    rows = (1, 100, 400, 2_000, 20_000, 200_000, 10**8)
    sizes = [resolve_batch_size("auto", n) for n in rows]
    assert sizes == [16, 16, 32, 64, 256, 1024, 1024]
    assert resolve_batch_size(np.int64(7), 10**6) == 7


def test_auto_normalises_many_rows():
    auto = [resolve_batch_norm("auto", n, above=100_000) for n in (100_000, 100_001)]
    assert auto == [False, True]
    assert resolve_batch_norm(True, 1, above=100_000) is True
    assert resolve_batch_norm(np.False_, 10**6, above=100_000) is False


def test_home_normalises_fewer_rows_than_other_models():
    above = {name: model._batch_norm_above for name, model in WIRINGS.items()}
    assert above.pop("home") == 20_000
    assert set(above.values()) == {100_000}


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


def test_structures_follow_the_tasks():
    two, three = np.array([0, 1]), np.array([0, 1, 2])
    mixed = class_targets(NAMES, [two, three], False)
    structure = make_class_structure("independent", mixed, ClassOutput)
    assert isinstance(structure, IndependentStructure)
    assert structure.head_widths == (1, 3)
    steps = class_targets(NAMES, [two, two], False)
    funnel = make_class_structure("funnel", steps, ClassOutput)
    assert isinstance(funnel, FunnelStructure)
    assert funnel.head_widths == (1, 1)
    with pytest.raises(ValueError, match="task 'b' has 3 classes"):
        make_class_structure("funnel", mixed, ClassOutput)

"""Optimisers by name."""

import pytest
import torch

from sk_mtl import MMOEClassifier
from sk_mtl.estimators._training._optimizers import OPTIMIZERS, optimizer_options
from tests.estimators.common import QUICK, mixed_table, moved, weights_of


def test_names_mean_the_classes_of_torch():
    for name, cls in OPTIMIZERS.items():
        options = optimizer_options(name, weight_decay=0.5)
        assert options["optimizer"] is cls
        assert cls.__name__.lower() == name
        assert options["optimizer__weight_decay"] == 0.5


def test_weight_decay_zero_reaches_a_named_optimizer():
    # The default of torch's AdamW is 0.01.
    assert optimizer_options("adamw", weight_decay=0)["optimizer__weight_decay"] == 0


def test_a_class_without_weight_decay_can_be_given():
    options = optimizer_options(torch.optim.Rprop, weight_decay=0.0)
    assert options == {"optimizer": torch.optim.Rprop}


@pytest.mark.parametrize("optimizer", [*OPTIMIZERS, torch.optim.Adamax])
def test_every_optimizer_trains(optimizer):
    X, y = mixed_table(120)
    start = MMOEClassifier(optimizer=optimizer, lr=1e-30, **QUICK).fit(X, y)
    model = MMOEClassifier(optimizer=optimizer, **QUICK).fit(X, y)
    assert moved(model, weights_of(start)) > 1e-5


def test_parameters_reach_the_optimizer():
    X, y = mixed_table(60)
    model = MMOEClassifier(lr=0.3, weight_decay=0.2, optimizer="sgd", **QUICK).fit(X, y)
    (group,) = model.net_.optimizer_.param_groups
    assert group["lr"] == 0.3
    assert group["weight_decay"] == 0.2


def test_an_optimizer_without_weight_decay_says_so():
    with pytest.raises(ValueError, match=r"must be 0 for Rprop.*Set weight_decay=0"):
        optimizer_options(torch.optim.Rprop, weight_decay=0.01)

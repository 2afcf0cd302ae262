"""Small fits of several members in one network."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from sk_mtl import ESMMClassifier, MMOEClassifier
from sk_mtl.nn import MEMBER_SHARING
from tests.estimators.common import QUICK

sharings = pytest.mark.parametrize("sharing", MEMBER_SHARING)


classes = pytest.mark.parametrize("cls", [MMOEClassifier, ESMMClassifier])


def make(cls=MMOEClassifier, **options):
    # A rate that falls towards `max_epochs` would tell a shorter training from a part.
    settings = {**QUICK, "lr_schedule": None, "early_stopping": False, **options}
    settings = {"n_members": 3, **settings}
    return cls(**settings)


def fit(X, y, **options):
    names = ("X_val", "y_val", "sample_weight")
    fitting = {k: options.pop(k) for k in names if k in options}
    return make(**options).fit(X, y, **fitting)


def weights_of(model):
    return {k: v.clone() for k, v in model.net_.module_.state_dict().items()}


def stacked_names(module):
    """The names of what every member has for itself, in the single network."""
    return [name.removeprefix("network.") for name in module._own]


def member(module, number):
    """A member as a network of its own, and the scales of its inputs."""
    network, state = copy.deepcopy(module.network), module.network.state_dict()
    for name in stacked_names(module):
        path, _, leaf = name.rpartition(".")
        value = state[name][number].clone()
        if isinstance(getattr(network.get_submodule(path), leaf), nn.Parameter):
            value = nn.Parameter(value)
        setattr(network.get_submodule(path), leaf, value)
    scales = None if module.scales is None else module.scales[number]
    return network, scales


@torch.no_grad()
def logits_of_members(model, X):
    """The logits of each member, computed by networks that stand alone."""
    module, arrays = model.net_.module_, model.predictor_.encode(X)
    inputs = torch.from_numpy(arrays.codes), torch.from_numpy(arrays.numeric)
    sequences = tuple(map(torch.from_numpy, arrays.sequences))
    answers = []
    for number in range(module.n_members):
        network, scales = member(module, number)
        encoded = network.encoder(*inputs, sequences)
        if scales is not None:
            encoded = encoded._replace(shared=encoded.shared * scales)
        answers.append(network.logits(encoded).double())
    return answers


def proba_of_members(model, X):
    """The probabilities that each member gives, one list of tasks per member."""
    log_proba = model.predictor_.structure.log_proba
    return [
        [task.exp().numpy() for task in log_proba(logits)]
        for logits in logits_of_members(model, X)
    ]


def mean_proba(model, X):
    """The mean of the members' probabilities, task by task."""
    tasks = zip(*proba_of_members(model, X), strict=True)
    return [np.mean(task, axis=0) for task in tasks]

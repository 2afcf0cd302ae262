"""A model of one dense layer, written as a user writes one, by public names alone.

The classes stand in a module of their own so that they can be pickled.
"""

from dataclasses import dataclass

import torch
from torch import nn

from sk_mtl import MultiTaskClassifier, MultiTaskRegressor, WiringChoice
from sk_mtl.nn import Wiring


class ToyWiring(Wiring):
    """Every task reads the same dense layer."""

    shared_by_members = ("dense",)

    def __init__(self, in_width, n_tasks, *, size=32, **layers):
        super().__init__()
        self.n_tasks, self.out_width = n_tasks, size
        self.dense = nn.Linear(in_width, size)

    def forward(self, encoded):
        rows = torch.relu(self.dense(encoded.shared))
        return rows.unsqueeze(1).expand(-1, self.n_tasks, -1)


@dataclass(kw_only=True, eq=False, repr=False)
class Toy(WiringChoice):
    """One dense layer.

    Parameters
    ----------
    size : int, default=32
        Its width.
    """

    wiring_class = ToyWiring

    size: int = 32


@dataclass(kw_only=True, eq=False, repr=False)
class ToyClassifier(Toy, MultiTaskClassifier):
    """One dense layer for classes."""


@dataclass(kw_only=True, eq=False, repr=False)
class ToyRegressor(Toy, MultiTaskRegressor):
    """One dense layer for numbers."""

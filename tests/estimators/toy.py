"""A model of one dense layer, added as the package adds its own.

The classes stand in a module of their own so that they can be pickled. The name under
which the model enters the family is taken back at once: who needs it there sets it for
the time of a test.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn

from sk_mtl.estimators._classifier import MultiTaskClassifier
from sk_mtl.estimators._constraints import COUNT
from sk_mtl.estimators._documentation import share_documentation
from sk_mtl.estimators._regressor import MultiTaskRegressor
from sk_mtl.estimators._wiring_model import WIRINGS, WiringModel
from sk_mtl.nn import Wiring


class Toy(Wiring):
    """Every task reads the same dense layer."""

    def __init__(self, in_width, n_tasks, *, size=32, **layers):
        super().__init__()
        self.n_tasks, self.out_width = n_tasks, size
        self.shared_by_members = ("dense",)
        self.dense = nn.Linear(in_width, size)

    def forward(self, encoded):
        rows = torch.relu(self.dense(encoded.shared))
        return rows.unsqueeze(1).expand(-1, self.n_tasks, -1)


@dataclass(kw_only=True, eq=False, repr=False)
class ToyModel(WiringModel):
    """One dense layer.

    It is as plain as can be.

    Parameters
    ----------
    size : int, default=32
        Its width.
    """

    _wiring = Toy
    _wiring_name = "toy"
    _parameter_constraints: ClassVar[dict] = {"size": COUNT}

    size: int = 32


@share_documentation
@dataclass(kw_only=True, eq=False, repr=False)
class ToyClassifier(ToyModel, MultiTaskClassifier):
    """One dense layer for classes."""


@share_documentation
@dataclass(kw_only=True, eq=False, repr=False)
class ToyRegressor(ToyModel, MultiTaskRegressor):
    """One dense layer for numbers."""


del WIRINGS[ToyModel._wiring_name]

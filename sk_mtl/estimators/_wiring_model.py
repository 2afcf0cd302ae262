"""What is a model's own: its wiring, the wiring's parameters, and its towers."""

from __future__ import annotations

from abc import ABC
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import ClassVar

from torch import nn

from sk_mtl.estimators._layer_sizes import resolve_sizes
from sk_mtl.nn import LayerOptions, Towers, Wiring

#: The models of the family by the name of their wiring.
WIRINGS: dict[str, type[WiringModel]] = {}


@dataclass(kw_only=True, eq=False, repr=False)
class WiringModel(ABC):
    """Mixin of a model: parameters of its wiring as fields, and what they make.

    A model sets `_wiring` and `_wiring_name`, and has a field for each keyword of the
    wiring's constructor that a user may choose. Classifier and regressor of the model
    are this mixin before `MultiTaskClassifier` or `MultiTaskRegressor`.
    """

    _wiring: ClassVar[type[Wiring]]
    _wiring_name: ClassVar[str]
    #: With more training rows ``batch_norm="auto"`` normalises.
    _batch_norm_above: ClassVar[int] = 100_000

    def __init_subclass__(cls, **kwargs):
        """Enter a model under the name of its wiring; its text is its estimators'."""
        super().__init_subclass__(**kwargs)
        if "_wiring_name" in vars(cls):
            WIRINGS[cls._wiring_name] = cls
            cls._teaches = True

    def _model(self) -> WiringModel:
        """Return what makes the part of the network behind the encoder."""
        return self

    def _make_wiring(self, in_width: int, task_names: list[str], **layers) -> Wiring:
        """Return the part of the network between encoder and towers.

        `layers` are the settings of hidden layers: ``activation``, ``dropout`` and
        ``batch_norm``.
        """
        options = {
            name: resolve_sizes(name, value) if name.endswith("hidden_sizes") else value
            for name, value in self._wiring_options(task_names).items()
        }
        return self._wiring(in_width, len(task_names), **options, **layers)

    def _wiring_options(self, task_names: list[str]) -> dict:
        """Return the parameters of the wiring."""
        return {name: getattr(self, name) for name in self._own_parameters()}

    @classmethod
    def _own_parameters(cls) -> list[str]:
        """Return the names of the parameters that are the model's alone."""
        shared = LayerOptions.__annotations__
        model = WIRINGS[cls._wiring_name]
        return [field.name for field in fields(model) if field.name not in shared]

    def _make_towers(
        self,
        in_width: int,
        hidden_sizes: Sequence[Sequence[int]],
        head_widths: Sequence[int],
        task_names: list[str],
        **layers,
    ) -> nn.Module:
        """Return the part of the network behind the wiring."""
        return Towers(in_width, hidden_sizes, head_widths, **layers)

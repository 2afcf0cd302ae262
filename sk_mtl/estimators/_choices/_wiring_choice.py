"""Wirings as choices: a model's own parameters, its wiring, and its towers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar

from torch import nn

import sk_mtl.estimators as estimators
from sk_mtl.estimators._choices._choice import Choice, resolve_choice
from sk_mtl.estimators._choices._own_wirings import check_keywords, check_wiring_class
from sk_mtl.estimators._layer_sizes import resolve_sizes
from sk_mtl.nn import LayerOptions, Towers, Wiring

# The imported models by the name of their wiring.
_WIRINGS: dict[str, type[WiringChoice]] = {}


@dataclass(kw_only=True, eq=False, repr=False)
class WiringChoice(Choice):
    """Base of wirings with their parameters: the models of this package, and your own.

    A wiring of your own is a subclass, a dataclass (``kw_only=True, eq=False,
    repr=False``) with a field for each keyword of `wiring_class` that a user may
    choose. `MultiTaskEstimator` takes it as `wiring`; a class that derives from it and
    from `MultiTaskClassifier` or `MultiTaskRegressor` is an estimator with its fields
    in addition to the parameters that all models share.

    The attribute `wiring_class` is the torch module between encoder and towers, a
    subclass of `sk_mtl.nn.Wiring`; with more than `batch_norm_above` training rows
    ``batch_norm="auto"`` normalises.

    Examples
    --------
    Each task scales the columns of the encoded row in its own way.

    >>> from dataclasses import dataclass
    >>> import torch
    >>> from sk_mtl import MultiTaskEstimator, WiringChoice
    >>> from sk_mtl.nn import Wiring
    >>> class MasksWiring(Wiring):
    ...     def __init__(self, in_width, n_tasks, *, start, **layers):
    ...         super().__init__()
    ...         self.n_tasks, self.out_width = n_tasks, in_width
    ...         scales = torch.full((n_tasks, in_width), start)
    ...         self.scales = torch.nn.Parameter(scales)
    ...
    ...     def forward(self, encoded):
    ...         return encoded.shared.unsqueeze(1) * self.scales
    >>> @dataclass(kw_only=True, eq=False, repr=False)
    ... class Masks(WiringChoice):
    ...     wiring_class = MasksWiring
    ...     start: float = 1.0
    >>> MultiTaskEstimator(wiring=Masks(start=0.5)).get_params()["wiring__start"]
    0.5
    """

    wiring_class: ClassVar[type[Wiring]] = Wiring
    batch_norm_above: ClassVar[int] = 100_000
    _wiring_name: ClassVar[str]

    def __init_subclass__(cls, **kwargs):
        """Register a model by its wiring's name; its estimators share its text."""
        super().__init_subclass__(**kwargs)
        check_wiring_class(cls)
        if "_wiring_name" in vars(cls):
            _WIRINGS[cls._wiring_name] = cls
            cls._teaches = True

    def make_wiring(self, in_width: int, task_names: Sequence, **layers: Any) -> Wiring:
        """Return the part of the network between encoder and towers.

        Parameters
        ----------
        in_width : int
            The width of encoded rows.

        task_names : list
            The tasks, each of which gets a row.

        **layers : dict
            The settings of hidden layers, ``activation``, ``dropout`` and
            ``batch_norm``, and settings that a subclass gives in place of fields.

        Returns
        -------
        wiring : sk_mtl.nn.Wiring
            An object of `wiring_class`, with each field as a keyword.
        """
        settings = {
            name: resolve_sizes(name, value) if name.endswith("hidden_sizes") else value
            for name, value in self._settings().items()
        }
        check_keywords(type(self), settings)
        return self.wiring_class(in_width, len(task_names), **{**settings, **layers})

    def make_towers(
        self,
        in_width: int,
        hidden_sizes: Sequence[Sequence[int]],
        head_widths: Sequence[int],
        task_names: Sequence,
        **layers: Any,
    ) -> nn.Module:
        """Return the part of the network behind the wiring.

        Parameters
        ----------
        in_width : int
            The width of the wiring's rows.

        hidden_sizes : list of tuple of int
            The layers of each task's tower.

        head_widths : list of int
            The number of logits of each task.

        task_names : list
            The tasks.

        **layers : dict
            The settings of hidden layers, as in `make_wiring`.

        Returns
        -------
        towers : torch.nn.Module
            From (n_samples, n_tasks, in_width) to the logits of all tasks side by side.
        """
        return Towers(in_width, hidden_sizes, head_widths, **layers)

    def _model(self) -> WiringChoice:
        """Return the model that makes the part of the network behind the encoder."""
        return self

    def _settings(self) -> dict[str, Any]:
        """Return the values of the fields, of an estimator only the wiring's fields."""
        own = next(cls for cls in type(self).__mro__ if not is_estimator(cls))
        shared = LayerOptions.__annotations__
        names = (field.name for field in fields(own) if field.name not in shared)
        return {name: getattr(self, name) for name in names}


def is_estimator(cls: type) -> bool:
    """Return whether a class is an estimator, and not a wiring alone."""
    return hasattr(cls, "fit")


def known_wirings() -> dict[str, type[WiringChoice]]:
    """Return the models of the family by the name of their wiring.

    A model registers itself when it is imported, so all of them are imported.
    """
    for name in estimators.__all__:
        getattr(estimators, name)
    return dict(sorted(_WIRINGS.items()))


def resolve_wiring(value: Any) -> WiringChoice:
    """Return the wiring for the parameter `wiring`, or raise."""
    known = known_wirings()
    cls = value if isinstance(value, type) else type(value)
    if is_estimator(cls):
        wirings = (base for base in cls.__mro__ if base in known.values())
        name = next(wirings, WiringChoice).__name__
        raise ValueError(
            f"wiring must be one of {list(known)} or a WiringChoice; found "
            f"{cls.__name__}, an estimator. Give the wiring alone, such as {name}()."
        )
    named: Mapping[str, WiringChoice] = {key: own() for key, own in known.items()}
    return resolve_choice("wiring", value, named, WiringChoice)

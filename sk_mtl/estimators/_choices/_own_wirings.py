"""Checks of wirings, which users may have written themselves."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence
from typing import Any

import torch

from sk_mtl.nn import Encoded, Wiring


def check_wiring_class(cls: type) -> None:
    """Raise where a class sets `wiring_class` to something else than a wiring."""
    found = vars(cls).get("wiring_class", Wiring)
    if not (isinstance(found, type) and issubclass(found, Wiring)):
        raise TypeError(
            f"wiring_class of {cls.__name__} must be a subclass of sk_mtl.nn.Wiring; "
            f"found {found!r}. Derive it from sk_mtl.nn.Wiring, and give the class."
        )


def check_keywords(cls: type, settings: Iterable[str]) -> None:
    """Raise where the wiring cannot be made, or would not see some settings."""
    wiring = cls.wiring_class
    if inspect.isabstract(wiring):
        raise ValueError(
            f"{cls.__name__} must set wiring_class to a subclass of sk_mtl.nn.Wiring "
            f"that defines forward; found {wiring.__name__}. Set it in the class, or "
            "define make_wiring."
        )
    taken = {
        name
        for base in wiring.__mro__
        if "__init__" in vars(base)
        for name in inspect.signature(base.__init__).parameters
    }
    unknown = [name for name in settings if name not in taken]
    if unknown:
        raise ValueError(
            f"The constructor of {wiring.__name__} must take each field of "
            f"{cls.__name__} by its name; found none for {unknown}. Correct the name, "
            "or define make_wiring."
        )


def make_checked_wiring(
    choice: Any, in_width: int, task_names: Sequence, **layers: Any
) -> Wiring:
    """Return the wiring that a choice makes, or raise if it is not usable."""
    wiring = choice.make_wiring(in_width, task_names, **layers)
    own = type(choice).__name__
    if not isinstance(wiring, Wiring):
        raise ValueError(
            f"make_wiring of {own} must return a sk_mtl.nn.Wiring; found "
            f"{type(wiring).__name__}. Derive its class from sk_mtl.nn.Wiring."
        )
    if wiring.embedding_sets != choice.wiring_class.embedding_sets:
        raise ValueError(
            f"wiring_class of {own} must be the class that make_wiring returns, since "
            "it says which encoders to make; found "
            f"{choice.wiring_class.__name__} and {type(wiring).__name__}. Set "
            f"wiring_class = {type(wiring).__name__}."
        )
    missing = [name for name in ("n_tasks", "out_width") if not hasattr(wiring, name)]
    if missing or wiring.n_tasks != len(task_names):
        found = f"no {missing[0]}" if missing else f"n_tasks={wiring.n_tasks}"
        raise ValueError(
            f"The wiring of {own} must set n_tasks, {len(task_names)}, and out_width; "
            f"found {found}. Set them in its constructor."
        )
    if not type(wiring).__module__.startswith("sk_mtl."):
        _check_rows(wiring, in_width, own)
    return wiring


def _check_rows(wiring: Wiring, in_width: int, own: str) -> None:
    """Raise for a wiring whose rows are of another shape, tried with two of zeros.

    In evaluation, where no layer draws numbers or keeps statistics of the rows.
    """
    shared, per_task = (
        torch.zeros(2, in_width),
        torch.zeros(2, wiring.n_tasks, in_width),
    )
    encoded = {
        "shared": Encoded(shared),
        "per_task": Encoded(None, per_task),
        "both": Encoded(shared, per_task),
    }[wiring.embedding_sets]
    training = wiring.training
    with torch.no_grad():
        found = getattr(wiring.eval()(encoded), "shape", None)
    wiring.train(training)
    wanted = (2, wiring.n_tasks, wiring.out_width)
    if found != wanted:
        raise ValueError(
            f"The wiring of {own} must return (n_samples, n_tasks, out_width), "
            f"{wanted} for two rows; found "
            f"{'no tensor' if found is None else tuple(found)}. Return a row of "
            "out_width numbers for each task."
        )

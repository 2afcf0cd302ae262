"""Schedules of the learning rate, by step and by epoch."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable

import torch
from torch.optim import lr_scheduler

SCHEDULES = ("cosine", "linear", "plateau")


class StepRates:
    """Hook that takes every step at a share of the optimiser's learning rate.

    The rate is lowered before a step and restored after it, so a schedule by epoch or a
    callback reads and changes the full rate.

    Parameters
    ----------
    optimizer : Optimizer

    share : callable
        Maps the number of a step, counted from 1 after this object is made, to its
        share of the learning rate.

    Examples
    --------
    Two steps of a third and two thirds, then the full length.

    >>> import torch
    >>> from sk_mtl.estimators._training._schedules import StepRates
    >>> weight = torch.zeros(1, requires_grad=True)
    >>> optimizer = torch.optim.SGD([weight], lr=0.3)
    >>> rates, before = StepRates(optimizer, lambda step: min(step / 3, 1.0)), 0.0
    >>> for _ in range(4):
    ...     weight.grad = -torch.ones(1)
    ...     optimizer.step()
    ...     print(round(weight.item() - before, 2))
    ...     before = weight.item()
    0.1
    0.2
    0.3
    0.3
    """

    def __init__(
        self, optimizer: torch.optim.Optimizer, share: Callable[[int], float]
    ) -> None:
        self._optimizer, self._share, self._step = optimizer, share, 0
        # The full rates of the groups during a step; empty between steps.
        self._rates: list[float] = []
        self._hooks = [
            optimizer.register_step_pre_hook(self._lower),
            optimizer.register_step_post_hook(self._restore),
        ]

    def remove(self) -> None:
        """Remove the hooks and restore the optimiser's own learning rate.

        Do not call it within a hook, while torch iterates over the hooks.
        """
        # An interruption may have come in the middle of a step.
        self._restore()
        for hook in self._hooks:
            hook.remove()

    def _lower(self, *_) -> None:
        self._step += 1
        share = self._share(self._step)
        if share != 1:
            groups = self._optimizer.param_groups
            self._rates = [group["lr"] for group in groups]
            for group in groups:
                group["lr"] = group["lr"] * share

    def _restore(self, *_) -> None:
        for group, rate in zip(self._optimizer.param_groups, self._rates):
            group["lr"] = rate
        self._rates = []


def make_share(
    schedule, *, n_steps: int, n_warmup: int
) -> Callable[[int], float] | None:
    """Return a function from steps to shares of the learning rate, or None.

    Parameters
    ----------
    schedule : None, str or callable
        ``"linear"`` and ``"cosine"`` fall from 1 at the first of `n_steps` to 0 after
        the last. Others change from epoch to epoch (`make_schedule`).

    n_steps : int
        Number of steps of the fit.

    n_warmup : int
        Number of first steps of which step t takes t / (n_warmup + 1) of that share.
        The first steps of Adam are as long as any, in the direction of a single batch.
    """
    falls = _FALLING.get(schedule) if isinstance(schedule, str) else None
    if falls is None and not n_warmup:
        return None

    def share(step: int) -> float:
        rise = min(step / (n_warmup + 1), 1.0)
        return rise * falls(min((step - 1) / n_steps, 1.0)) if falls else rise

    return share


_FALLING: dict[str, Callable[[float], float]] = {
    "cosine": lambda done: (1 + math.cos(math.pi * done)) / 2,
    "linear": lambda done: 1 - done,
}


def make_schedule(
    schedule, optimizer: torch.optim.Optimizer, *, maximise: bool
) -> Callable[[float | None], None] | None:
    """Return a function to call after each epoch with the monitored value, or None.

    Parameters
    ----------
    schedule : None, str or callable
        ``"plateau"``, or a callable that takes the optimiser and returns a torch
        scheduler. Others change from step to step (`make_share`), or not at all.

    optimizer : Optimizer

    maximise : bool
        Whether the monitored value is better when larger ("plateau").
    """
    if schedule == "plateau":
        mode = "max" if maximise else "min"
        plateau = lr_scheduler.ReduceLROnPlateau(
            optimizer, mode=mode, factor=0.5, patience=0
        )
        return lambda score: None if score is None else plateau.step(score)
    if callable(schedule):
        scheduler = _call_with_optimizer(schedule, optimizer)
        return lambda score: scheduler.step()
    return None


def _call_with_optimizer(schedule: Callable, optimizer: torch.optim.Optimizer):
    """Return a scheduler, or raise if a class needs more than the optimiser."""
    if isinstance(schedule, type):
        try:
            inspect.signature(schedule).bind(optimizer)
        except TypeError as error:
            name = schedule.__name__
            raise ValueError(
                "lr_schedule must be callable with the optimiser alone; found the "
                f"class {name}: {error}. Give a function, such as "
                f"lambda optimizer: {name}(optimizer, ...)."
            ) from None
    return schedule(optimizer)

"""Optimisers and learning-rate schedules by name."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence

import torch
from torch.optim import lr_scheduler

from sk_mtl.estimators._sparse_optimizer import DenseAndSparse

OPTIMIZERS: dict[str, type[torch.optim.Optimizer]] = {
    "adagrad": torch.optim.Adagrad,
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "nadam": torch.optim.NAdam,
    "rmsprop": torch.optim.RMSprop,
    "sgd": torch.optim.SGD,
}
SCHEDULES = ("cosine", "linear", "plateau")


def optimizer_options(
    optimizer, *, weight_decay: float, sparse_names: Sequence[str] = ()
) -> dict:
    """Return the class of an optimiser and its options, as skorch names them.

    Parameters
    ----------
    optimizer : str or class

    weight_decay : float

    sparse_names : sequence of str, default=()
        The parameters with sparse gradients, which SparseAdam trains beside the
        optimiser of all others. They have no weight decay.
    """
    cls = OPTIMIZERS[optimizer] if isinstance(optimizer, str) else optimizer
    options = {"optimizer": cls}
    if sparse_names:
        _check_plain_step(cls)
        marks = [(name, {"sparse": True}) for name in sparse_names]
        options = {
            "optimizer": DenseAndSparse,
            "optimizer__dense": cls,
            "optimizer__param_groups": marks,
        }
    if cls in (torch.optim.Adam, torch.optim.AdamW):
        # One kernel per step instead of one per parameter and operation.
        options["optimizer__fused"] = True
    if "weight_decay" in inspect.signature(cls).parameters:
        options["optimizer__weight_decay"] = weight_decay
    elif weight_decay:
        raise ValueError(
            f"weight_decay must be 0 for {cls.__name__}, which has none; found "
            f"{weight_decay}. Set weight_decay=0."
        )
    return options


def _check_plain_step(cls: type[torch.optim.Optimizer]) -> None:
    closure = inspect.signature(cls.step).parameters.get("closure")
    if closure is not None and closure.default is inspect.Parameter.empty:
        raise ValueError(
            "optimizer must compute the loss once per step where tables have sparse "
            f"gradients; found {cls.__name__}, which computes it as often as it needs. "
            "Set sparse_embedding=False, or take another optimizer."
        )


class Warmup:
    """Raises the learning rate linearly over the first steps.

    Step t of n is taken at t / (n + 1) of the learning rate that the optimiser
    holds, whatever schedule sets it: it is lowered before the step and restored behind
    it. The first steps of Adam are as long as any, in a direction that one batch says.

    Parameters
    ----------
    optimizer : Optimizer

    n_steps : int
        The number of steps, counted from the first one after this object is made.

    Examples
    --------
    Two steps of a third and two thirds, then the full length.

    >>> import torch
    >>> from sk_mtl.estimators._optimizers import Warmup
    >>> weight = torch.zeros(1, requires_grad=True)
    >>> optimizer = torch.optim.SGD([weight], lr=0.3)
    >>> warmup, before = Warmup(optimizer, 2), 0.0
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

    def __init__(self, optimizer: torch.optim.Optimizer, n_steps: int) -> None:
        self._optimizer, self._n_steps, self._step = optimizer, n_steps, 0
        # What the groups hold while a step is under way; nothing between steps.
        self._rates: list[float] = []
        self._hooks = [
            optimizer.register_step_pre_hook(self._lower),
            optimizer.register_step_post_hook(self._restore),
        ]

    def remove(self) -> None:
        """Leave the optimiser alone from here on, with its own learning rate.

        Not from within a hook: torch is walking along the hooks then.
        """
        # An interruption may have come in the middle of a step.
        self._restore()
        for hook in self._hooks:
            hook.remove()

    def _lower(self, *_) -> None:
        if self._step < self._n_steps:
            self._step += 1
            groups = self._optimizer.param_groups
            self._rates = [group["lr"] for group in groups]
            for group in groups:
                group["lr"] = group["lr"] * (self._step / (self._n_steps + 1))

    def _restore(self, *_) -> None:
        for group, rate in zip(self._optimizer.param_groups, self._rates):
            group["lr"] = rate
        self._rates = []


def make_schedule(
    schedule, optimizer: torch.optim.Optimizer, *, max_epochs: int, maximise: bool
) -> Callable[[float | None], None] | None:
    """Return a function to call after each epoch with the monitored value, or None.

    Parameters
    ----------
    schedule : None, "cosine", "linear", "plateau" or callable
        A callable takes the optimiser and returns a torch scheduler.

    optimizer : Optimizer

    max_epochs : int
        Where "cosine" and "linear" arrive at zero.

    maximise : bool
        Whether the monitored value is better when larger ("plateau").
    """
    if schedule is None:
        return None
    if schedule == "plateau":
        mode = "max" if maximise else "min"
        plateau = lr_scheduler.ReduceLROnPlateau(
            optimizer, mode=mode, factor=0.5, patience=0
        )
        return lambda score: None if score is None else plateau.step(score)
    if schedule == "cosine":
        scheduler = lr_scheduler.CosineAnnealingLR(optimizer, T_max=max_epochs)
    elif schedule == "linear":
        scheduler = lr_scheduler.LinearLR(
            optimizer, start_factor=1.0, end_factor=0.0, total_iters=max_epochs
        )
    else:
        scheduler = schedule(optimizer)
    return lambda score: scheduler.step()

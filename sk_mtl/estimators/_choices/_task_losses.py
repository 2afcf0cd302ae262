"""The losses of the tasks, resolved from the parameter `loss`."""

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
from sklearn.base import clone

from sk_mtl._task_names import per_task
from sk_mtl.estimators._choices._choice import resolve_choice
from sk_mtl.estimators._choices._class_losses import CrossEntropy, Focal
from sk_mtl.estimators._choices._loss import GivenOutput, Loss
from sk_mtl.estimators._choices._number_losses import (
    ZILN,
    AbsoluteError,
    Gamma,
    Huber,
    Poisson,
    Quantile,
    SquaredError,
)
from sk_mtl.losses import TaskOutput
from sk_mtl.losses._outputs._task_output import DOMAINS

CLASS_LOSSES: dict[str, Loss] = {"log_loss": CrossEntropy(), "focal": Focal()}
NUMBER_LOSSES: dict[str, Loss] = {
    "squared_error": SquaredError(),
    "absolute_error": AbsoluteError(),
    "huber": Huber(),
    "quantile": Quantile(),
    "poisson": Poisson(),
    "gamma": Gamma(),
    "ziln": ZILN(),
}
LOSSES: dict[str, Loss] = {**CLASS_LOSSES, **NUMBER_LOSSES}

_REMEDY = (
    "Use one of these names, a Loss, or a sk_mtl.losses.TaskOutput; functions and "
    "modules are not taken."
)


def is_one_loss(loss: Any) -> bool:
    """Return whether a value of `loss` is the same for all tasks."""
    return not isinstance(loss, list | tuple | Mapping | np.ndarray)


def losses_by_task(loss: Any, names: list, default: Any) -> dict[Hashable, Any]:
    """Return the entry of `loss` for each task, unchanged."""
    entries = per_task(
        "loss",
        loss,
        names,
        is_single=is_one_loss,
        default=default,
        left_out=f"take {default!r}",
    )
    return dict(zip(names, entries, strict=True))


def resolve_losses(loss: Any, names: list, default: str) -> dict[Hashable, Loss]:
    """Return the loss of each task, all of classes or all of numbers.

    Parameters
    ----------
    loss : str, Loss or TaskOutput, or a sequence or dict of these
        One for all tasks, or one for each.
    names : list
        Names of the tasks.
    default : {"log_loss", "squared_error"}
        The loss of tasks that a dict leaves out, which decides the kind of all tasks.
    """
    has_classes = default in CLASS_LOSSES
    named = CLASS_LOSSES if has_classes else NUMBER_LOSSES
    resolved = {}
    for name, entry in losses_by_task(loss, names, default).items():
        parameter = loss_parameter(loss, name)
        own = resolve_loss(parameter, entry, named)
        if fits(own, has_classes=has_classes):
            resolved[name] = own
            continue
        wanted, found, estimator = (
            ("classes", "numbers", "regressor")
            if has_classes
            else ("numbers", "classes", "classifier")
        )
        raise ValueError(
            f"{parameter} must be a loss of {wanted}, such as {default!r}; found "
            f"{name_of(own)}, a loss of {found}. Use one that fits the task, a "
            f"{estimator}, or MultiTaskEstimator for classes beside numbers."
        )
    return resolved


def loss_parameter(loss: Any, name: Hashable) -> str:
    """Return the entry of `loss` that holds the loss of a task, for messages."""
    return "loss" if is_one_loss(loss) else f"loss[{name!r}]"


def resolve_loss(parameter: str, value: Any, named: Mapping[str, Loss]) -> Loss:
    """Return the loss for an entry of `loss`, or raise.

    Parameters
    ----------
    parameter : str
        The parameter or its entry, for messages.
    value : str, Loss or TaskOutput
    named : mapping of str to Loss
        The losses that a message names.
    """
    if isinstance(value, TaskOutput):
        return _with_domain(parameter, GivenOutput(value))
    if isinstance(value, str) and value in LOSSES:
        return LOSSES[value]
    is_class = isinstance(value, type) and issubclass(value, TaskOutput)
    remedy = f"Write {value.__name__}()." if is_class else _REMEDY
    # A copy, so that later changes of settings do not affect a fitted model.
    loss = clone(resolve_choice(parameter, value, named, Loss, remedy))
    return _with_domain(parameter, loss)


def _with_domain(parameter: str, loss: Loss) -> Loss:
    """Return the loss, or raise if it does not declare the targets that it takes."""
    domain = getattr(loss, "domain", None)
    if domain not in DOMAINS:
        raise ValueError(
            f"{parameter} must have an attribute domain, one of {list(DOMAINS)}; found "
            f"{loss!r} with domain={domain!r}. Set it in the class."
        )
    return loss


def fits(loss: Loss, *, has_classes: bool) -> bool:
    """Return whether a loss is of tasks of classes, or of numbers."""
    return (loss.domain == "classes") == has_classes


def name_of(loss: Loss) -> str:
    """Return the text of a loss for messages: its name if it has one."""
    names = (repr(name) for name, named in LOSSES.items() if named == loss)
    return next(names, repr(loss))

"""Balancers by name."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from sk_mtl.losses._balancing._balancer import Balancer, FixedBalancer
from sk_mtl.losses._balancing._grad_norm import GradNormBalancer
from sk_mtl.losses._balancing._gradient_balancer import AggregatedBalancer
from sk_mtl.losses._balancing._meta_balance import MetaBalancer
from sk_mtl.losses._balancing._scalarized_balancer import ScalarizedBalancer


def _torchjd(module: str) -> Any:
    """Return a module of TorchJD, or raise with the line that installs it."""
    try:
        return __import__(f"torchjd.{module}", fromlist=[module])
    except ImportError as error:
        raise ImportError(
            "This way to balance tasks needs TorchJD; found that it is not installed. "
            "Run pip install 'sk_mtl[balance]'."
        ) from error


def _scalarizer(name: str, *arguments: Any) -> Callable[[int], Balancer]:
    def make(n_tasks: int) -> Balancer:
        given = [each(n_tasks) if callable(each) else each for each in arguments]
        return ScalarizedBalancer(getattr(_torchjd("scalarization"), name)(*given))

    return make


def _count(n_tasks: int) -> int:
    return n_tasks


def _even(n_tasks: int) -> Tensor:
    return torch.full((n_tasks,), 1.0 / n_tasks)


# Where a paper names a value it is taken, but for PBI: with its 5 the differences
# between losses outweigh the losses, and 0.5 leaves the mean in the lead.
WEIGHTINGS: dict[str, Callable[[int], Balancer]] = {
    "uncertainty": _scalarizer("UW", _count),
    "dwa": _scalarizer("DWA"),
    "random": _scalarizer("Random"),
    "geometric": _scalarizer("GeometricMean"),
    "stch": _scalarizer("STCH", 0.1),
    "famo": _scalarizer("FAMO", _count),
    "imtl_l": _scalarizer("IMTLL", _count),
    "pbi": _scalarizer("PBI", 0.5, _even),
    "cosmos": _scalarizer("COSMOS", 1.0, _even),
    "gradnorm": GradNormBalancer,
    "metabalance": MetaBalancer,
}
"""What `task_weights` can name: each makes a balancer of so many tasks."""

NEED_POSITIVE_LOSSES = frozenset(
    {"uncertainty", "dwa", "geometric", "famo", "imtl_l", "gradnorm"}
)
"""Those that take logarithms or ratios of losses, or the inverse as a weight."""


class _Quiet:
    """An aggregator without its solver's advice on how to pose the problem."""

    def __init__(self, aggregator: Callable[[Tensor], Tensor]) -> None:
        self.aggregator = aggregator

    def __call__(self, jacobian: Tensor) -> Tensor:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            warnings.simplefilter("ignore", RuntimeWarning)
            return self.aggregator(jacobian)


AGGREGATORS: dict[str, Callable[[Any, int], Any]] = {
    "pcgrad": lambda jd, n_tasks: jd.PCGrad(),
    "cagrad": lambda jd, n_tasks: jd.CAGrad(c=0.4),
    "mgda": lambda jd, n_tasks: jd.MGDA(),
    "nash_mtl": lambda jd, n_tasks: _Quiet(jd.NashMTL(n_tasks=n_tasks)),
    "imtl_g": lambda jd, n_tasks: jd.IMTLG(),
    "aligned_mtl": lambda jd, n_tasks: jd.AlignedMTL(),
    "upgrad": lambda jd, n_tasks: jd.UPGrad(),
    "dualproj": lambda jd, n_tasks: jd.DualProj(),
    "config": lambda jd, n_tasks: jd.ConFIG(),
    "graddrop": lambda jd, n_tasks: jd.GradDrop(),
    "fairgrad": lambda jd, n_tasks: jd.FairGrad(alpha=1.0),
    "excess_mtl": lambda jd, n_tasks: jd.ExcessMTL(),
}
"""What `gradient_balancing` can name."""


def make_aggregator(aggregator: Any, n_tasks: int) -> Callable[[Tensor], Tensor]:
    """Return an aggregator of gradients by its name, or as it was given."""
    if isinstance(aggregator, type):
        raise ValueError(
            "gradient_balancing must be an aggregator, not its class; found the class "
            f"{aggregator.__name__}. Make an instance, such as "
            f"{aggregator.__name__}()."
        )
    if not isinstance(aggregator, str):
        return aggregator
    if aggregator not in AGGREGATORS:
        raise ValueError(
            f"gradient_balancing must be None, one of {list(AGGREGATORS)}, or an "
            f"aggregator of torchjd.aggregation; found {aggregator!r}. Use one of "
            "these."
        )
    jd = _torchjd("aggregation")
    try:
        return AGGREGATORS[aggregator](jd, n_tasks)
    except ImportError as error:
        raise ImportError(
            f"gradient_balancing={aggregator!r} needs solvers that are not installed: "
            f"{error} Run pip install 'sk_mtl[balance]'."
        ) from error


def make_balancer(
    task_weights: Tensor | str,
    gradient_balancing: Any,
    n_tasks: int,
    *,
    may_be_negative: bool = False,
) -> Balancer:
    """Return what joins the losses of so many tasks.

    Parameters
    ----------
    task_weights : Tensor of shape (n_tasks,) or str
        Weights, or one of `WEIGHTINGS`.
    gradient_balancing : None, str or callable
        One of `AGGREGATORS`, or an aggregator.
    n_tasks : int
    may_be_negative : bool, default=False
        Whether a task's loss can be less than 0.

    Raises
    ------
    ValueError
        Where a name is unknown, two methods are named, or one needs positive losses.
    """
    if isinstance(task_weights, str):
        if gradient_balancing is not None:
            raise ValueError(
                "task_weights and gradient_balancing must not both name a method; "
                f"found {task_weights!r} and {gradient_balancing!r}. Choose one."
            )
        if task_weights not in WEIGHTINGS:
            raise ValueError(
                f"task_weights must be numbers or one of {list(WEIGHTINGS)}; found "
                f"{task_weights!r}. Use one of these."
            )
        if may_be_negative and task_weights in NEED_POSITIVE_LOSSES:
            others = [name for name in WEIGHTINGS if name not in NEED_POSITIVE_LOSSES]
            raise ValueError(
                f"task_weights={task_weights!r} needs losses that are positive; found "
                "a task whose loss can be negative ('ziln'). Use one of "
                f"{others}, numbers, or gradient_balancing."
            )
        return WEIGHTINGS[task_weights](n_tasks)
    if gradient_balancing is None:
        return FixedBalancer(task_weights)
    return AggregatedBalancer(
        make_aggregator(gradient_balancing, n_tasks), task_weights
    )

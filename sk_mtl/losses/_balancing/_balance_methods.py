"""Balancers by name."""

from __future__ import annotations

import copy
import sys
import warnings
from collections.abc import Callable
from difflib import get_close_matches
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
"""Methods that weigh losses: each makes a balancer of so many tasks."""

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
"""Methods that join gradients: each makes an aggregator from TorchJD."""


def make_balancer(
    balancing: Any,
    n_tasks: int,
    task_weights: Tensor | None = None,
    *,
    may_be_negative: bool = False,
) -> Balancer:
    """Return what joins the losses of so many tasks.

    Parameters
    ----------
    balancing : None, str, callable or Scalarizer
        One of `WEIGHTINGS` or `AGGREGATORS`, an aggregator of gradients, or a
        scalarizer of losses of :mod:`torchjd.scalarization`. An object is copied, so
        that what it learns stays with the balancer.
    n_tasks : int
    task_weights : Tensor of shape (n_tasks,) or None, default=None
        Fixed weights, without balancing or before an aggregator. None weights all
        tasks alike.
    may_be_negative : bool, default=False
        Whether a task's loss can be less than 0.

    Raises
    ------
    ValueError
        If a name is unknown, weights meet a method that sets its own, or the method
        needs positive losses.
    """
    by_losses = _is_weighting(balancing)
    if by_losses and task_weights is not None:
        raise ValueError(
            "task_weights must be None where the balancing sets weights of its own; "
            f"found {task_weights.tolist()} with balancing={_describe(balancing)}. "
            "Leave task_weights out, or balance gradients, such as by 'pcgrad'."
        )
    if by_losses:
        return _make_weighting(balancing, n_tasks, may_be_negative)
    weights = torch.ones(n_tasks) if task_weights is None else task_weights
    if balancing is None:
        return FixedBalancer(weights)
    return AggregatedBalancer(_make_aggregator(balancing, n_tasks), weights)


def _is_weighting(balancing: Any) -> bool:
    """Return whether a method joins losses, by weights of its own."""
    if isinstance(balancing, str):
        return balancing in WEIGHTINGS
    return _is_of_torchjd(balancing, "scalarization", "Scalarizer")


def _is_of_torchjd(value: Any, module: str, base: str) -> bool:
    # Its objects exist only where it has been imported.
    loaded = sys.modules.get(f"torchjd.{module}")
    return isinstance(value, getattr(loaded, base, ()))


def _make_weighting(balancing: Any, n_tasks: int, may_be_negative: bool) -> Balancer:
    if not isinstance(balancing, str):
        return ScalarizedBalancer(copy.deepcopy(balancing))
    if may_be_negative and balancing in NEED_POSITIVE_LOSSES:
        others = [name for name in WEIGHTINGS if name not in NEED_POSITIVE_LOSSES]
        raise ValueError(
            f"balancing={balancing!r} needs losses that are positive; found a task "
            f"whose loss can be negative, such as 'ziln'. Use one of {others}, one "
            "that joins gradients, or fixed task_weights."
        )
    return WEIGHTINGS[balancing](n_tasks)


def _make_aggregator(balancing: Any, n_tasks: int) -> Callable[[Tensor], Tensor]:
    """Return an aggregator of gradients by its name, or a copy of the given one."""
    if not isinstance(balancing, str):
        _check_aggregator(balancing)
        return copy.deepcopy(balancing)
    if balancing not in AGGREGATORS:
        raise _refusal(balancing)
    jd = _torchjd("aggregation")
    try:
        return AGGREGATORS[balancing](jd, n_tasks)
    except ImportError as error:
        raise ImportError(
            f"balancing={balancing!r} needs solvers that are not installed: {error} "
            "Run pip install 'sk_mtl[balance]'."
        ) from error


def _check_aggregator(balancing: Any) -> None:
    if isinstance(balancing, type):
        raise ValueError(
            "balancing must be an instance of its class; found the class "
            f"{balancing.__name__}. Write {balancing.__name__}()."
        )
    if _is_of_torchjd(balancing, "aggregation", "Weighting"):
        name = type(balancing).__name__
        raise ValueError(
            f"balancing must join gradients or losses; found {name}, which only weighs "
            f"gradients. Write GramianWeightedAggregator({name}(...)), or "
            "WeightedAggregator for a weighting of whole matrices."
        )
    if not callable(balancing):
        raise _refusal(balancing)


def _refusal(balancing: Any) -> ValueError:
    names = [*WEIGHTINGS, *AGGREGATORS]
    read = str(balancing).lower()
    close = [read] if read in names else get_close_matches(read, names)
    remedy = "Use one of these."
    if close:
        remedy = f"Did you mean {' or '.join(map(repr, close))}?"
    return ValueError(
        f"balancing must be None, one of {names}, an aggregator of torchjd.aggregation "
        f"or a scalarizer of torchjd.scalarization; found {balancing!r}. {remedy}"
    )


def _describe(balancing: Any) -> str:
    return repr(balancing) if isinstance(balancing, str) else type(balancing).__name__

"""Optimisers by name."""

from __future__ import annotations

import inspect
from collections.abc import Sequence

import torch

from sk_mtl.estimators._training._sparse_optimizer import DenseAndSparse

OPTIMIZERS: dict[str, type[torch.optim.Optimizer]] = {
    "adagrad": torch.optim.Adagrad,
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "nadam": torch.optim.NAdam,
    "rmsprop": torch.optim.RMSprop,
    "sgd": torch.optim.SGD,
}


def optimizer_options(
    optimizer, *, weight_decay: float, sparse_names: Sequence[str] = ()
) -> dict:
    """Return the class of an optimiser and its options, by skorch's names.

    Parameters
    ----------
    optimizer : str or class

    weight_decay : float

    sparse_names : sequence of str, default=()
        The parameters with sparse gradients, which SparseAdam trains, without weight
        decay. The optimiser trains all others.
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
    if takes_decay(cls):
        options["optimizer__weight_decay"] = weight_decay
    elif weight_decay:
        raise ValueError(
            f"weight_decay must be 0 for {cls.__name__}, which has none; found "
            f"{weight_decay}. Set weight_decay=0."
        )
    return options


def keep_rows(optimizer: torch.optim.Optimizer, rows: Sequence[int]) -> None:
    """Keep the state of some rows of all parameters, which have no others any more."""
    for parameter, state in optimizer.state.items():
        index = torch.tensor(rows, device=parameter.device)
        for name, value in state.items():
            # Counts of steps belong to the whole parameter.
            if torch.is_tensor(value) and value.dim() == parameter.dim():
                state[name] = value.index_select(0, index)


def takes_decay(optimizer) -> bool:
    """Return whether an optimiser, by its name or class, has a weight decay."""
    cls = OPTIMIZERS[optimizer] if isinstance(optimizer, str) else optimizer
    return "weight_decay" in inspect.signature(cls).parameters


def _check_plain_step(cls: type[torch.optim.Optimizer]) -> None:
    closure = inspect.signature(cls.step).parameters.get("closure")
    if closure is not None and closure.default is inspect.Parameter.empty:
        raise ValueError(
            "optimizer must compute the loss once per step where tables have sparse "
            f"gradients; found {cls.__name__}, which computes it as often as it needs. "
            "Set sparse_embedding=False, or take another optimizer."
        )

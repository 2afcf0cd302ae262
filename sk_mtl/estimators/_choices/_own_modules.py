"""Modules that a choice makes, which may be a user's own."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn


def take_module(
    made: Any, inputs: Tensor, shape: Sequence[int], what: str, remedy: str
):
    """Return a copy of a module for one network alone, or raise.

    It is a copy because a user's code may return the same module each time, and several
    networks would then share its weights.

    Parameters
    ----------
    made : Module
    inputs : Tensor of shape (n, ...)
        Rows to try it with.
    shape : sequence of int
        The shape that its output must have, without the rows.
    what : str
        The parameter and its value, for messages.
    remedy : str
    """
    if not isinstance(made, nn.Module):
        raise ValueError(
            f"{what} must make a torch.nn.Module; found {made!r}, of type "
            f"{type(made).__name__}. {remedy}"
        )
    module = copy.deepcopy(made).to(inputs.dtype)
    found = _output_shape(module, inputs, what)
    if found != _text((len(inputs), *shape), len(inputs)):
        raise ValueError(
            f"{what} must make a module that takes a tensor "
            f"{_text(inputs.shape, len(inputs))} to one "
            f"{_text((len(inputs), *shape), len(inputs))}; found {found}. {remedy}"
        )
    return module


@contextmanager
def noted(note: str) -> Iterator[None]:
    """Add what was done to an error of a user's own code."""
    try:
        yield
    except Exception as error:
        error.add_note(note)
        raise


def _output_shape(module: nn.Module, inputs: Tensor, what: str) -> str:
    """Return the shape of a module's output as text.

    The module is in evaluation mode, so no layer draws numbers or keeps statistics.
    """
    training = module.training
    with torch.no_grad(), noted(f"{what} was tried with {tuple(inputs.shape)}."):
        output = module.eval()(inputs)
    module.train(training)
    if not isinstance(output, Tensor):
        return f"an object of type {type(output).__name__}"
    return _text(output.shape, len(inputs))


def _text(shape: Sequence[int], n_rows: int) -> str:
    """Return a shape with "n" for the rows."""
    first, *rest = shape or ("",)
    return f"({', '.join(['n' if first == n_rows else str(first), *map(str, rest)])})"

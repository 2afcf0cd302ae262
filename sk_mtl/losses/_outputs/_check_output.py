"""Checks of outputs, which users may have written themselves."""

from functools import lru_cache
from numbers import Integral
from typing import Any

import torch

from sk_mtl.losses._outputs._task_output import DOMAINS, TaskOutput

# Unlike each other and unlike any width in use, so that no two axes are mistaken.
_N_MEMBERS, _N_SAMPLES, _N_TASKS = 5, 3, 2


def check_output(output: TaskOutput) -> None:
    """Raise for an output with a part that is not there, or of a wrong shape."""
    try:
        hash(output)
    except TypeError:
        _check(output)
    else:
        _check_once(output)


def _check(output: TaskOutput) -> None:
    if getattr(output, "domain", None) not in DOMAINS:
        raise ValueError(
            f"{output!r}.domain must be one of {list(DOMAINS)}; found "
            f"{getattr(output, 'domain', None)!r}. Set it to the kind of targets that "
            "the loss takes."
        )
    _check_integer(output, "width", least=1)
    if output.domain == "classes":
        _check_integer(output, "n_classes", least=2)
    # The caller's default device may hold no numbers.
    with torch.device("cpu"), torch.enable_grad():
        heads = torch.zeros(_N_MEMBERS, _N_SAMPLES, _N_TASKS, output.width)
        heads.requires_grad_()
        try:
            losses = output.row_losses(heads[0], torch.ones(_N_SAMPLES, _N_TASKS))
            answers, combined = output.answers(heads[0]), output.combine(heads)
        except Exception as error:
            error.add_note(
                f"{output!r} was tried with heads (n_samples, n_tasks, width), "
                f"{tuple(heads[0].shape)}, and y of shape (n_samples, n_tasks)."
            )
            raise
    _check_shape(output, "row_losses", losses, (_N_SAMPLES, _N_TASKS))
    if not losses.requires_grad:
        raise ValueError(
            f"{output!r}.row_losses must depend on the logits; found a tensor without "
            "a gradient. Leave out detach(), item() and NumPy on the way."
        )
    n_answers = _n_answers(output, answers)
    _check_shape(output, "answers", answers, (_N_SAMPLES, _N_TASKS, n_answers))
    _check_shape(output, "combine", combined, tuple(heads[0].shape))


# Every fit makes a structure, mostly of outputs that are equal to former ones.
_check_once = lru_cache(_check)


def _check_integer(output: TaskOutput, name: str, *, least: int) -> None:
    value = getattr(output, name, None)
    if not isinstance(value, Integral) or value < least:
        raise ValueError(
            f"{output!r}.{name} must be an integer of at least {least}; found "
            f"{value!r}. Set it as an attribute."
        )


def _n_answers(output: TaskOutput, answers: Any) -> int:
    """Return the number of answers; of numbers there may be more than it takes."""
    if output.domain == "classes":
        return output.n_classes
    least = 1 + int(output.zero_inflated) + len(output.quantile_levels)
    return max(least, answers.shape[-1]) if getattr(answers, "shape", ()) else least


def _check_shape(
    output: TaskOutput, method: str, found: Any, wanted: tuple[int, ...]
) -> None:
    if not isinstance(found, torch.Tensor):
        raise ValueError(
            f"{output!r}.{method} must return a tensor; found {type(found).__name__}. "
            "Compute it by torch, and return it."
        )
    if tuple(found.shape) != wanted:
        raise ValueError(
            f"{output!r}.{method} must return a tensor of shape {wanted} for "
            f"{_N_SAMPLES} rows and {_N_TASKS} tasks; found {tuple(found.shape)}. Keep "
            "the axes of rows and tasks."
        )

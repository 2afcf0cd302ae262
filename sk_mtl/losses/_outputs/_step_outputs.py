"""Outputs of steps, which are reached or not."""

from collections.abc import Sequence

import torch

from sk_mtl.losses._outputs._check_output import check_output
from sk_mtl.losses._outputs._class_output import ClassOutput
from sk_mtl.losses._outputs._numerics import binary_log_proba
from sk_mtl.losses._outputs._task_output import TaskOutput


def step_outputs(
    output: TaskOutput | Sequence[TaskOutput] | None, n_steps: int
) -> list[TaskOutput]:
    """Return the output of each step, or raise where it cannot be a step's.

    Parameters
    ----------
    output : TaskOutput, sequence of TaskOutput or None
        One for all steps, or one for each. None is plain cross-entropy.
    n_steps : int
    """
    if output is None:
        return [ClassOutput(2)] * n_steps
    outputs = [output] * n_steps if isinstance(output, TaskOutput) else list(output)
    if len(outputs) != n_steps:
        raise ValueError(
            f"output must have one entry for each of the {n_steps} steps; found "
            f"{len(outputs)}. Give one for all steps, or one for each."
        )
    for each in outputs:
        _refuse_other_links(each)
    return outputs


def _refuse_other_links(output: TaskOutput) -> None:
    """Raise where the probability is not the sigmoid of a single logit.

    Structures of steps compute probabilities themselves, by products or differences of
    sigmoids, and would answer something else than the loss has learnt.
    """
    check_output(output)
    logits = torch.tensor([-2.0, 0.0, 3.0], device="cpu").view(3, 1, 1)
    if output.domain == "classes" and output.width == 1:
        with torch.no_grad():
            answers = output.answers(logits)
        if torch.allclose(answers, binary_log_proba(logits.squeeze(2)), atol=1e-5):
            return
    raise ValueError(
        "A step must be learnt by a loss of two classes with one logit, whose sigmoid "
        f"is the probability; found {output!r}. Use another loss, or "
        "structure='independent'."
    )

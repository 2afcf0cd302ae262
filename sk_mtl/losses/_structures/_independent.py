"""Each column of y a task of its own."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from sk_mtl._equality import same_value
from sk_mtl.losses._outputs._check_output import check_output
from sk_mtl.losses._outputs._class_output import ClassOutput
from sk_mtl.losses._outputs._task_output import TaskOutput
from sk_mtl.losses._structures._structure import Structure


class IndependentStructure(Structure):
    """logits (n, n_heads) -> losses (n, n_tasks), each task by itself.

    A task's output defines the meaning of its logits: classes, or a number under one of
    several losses. Tasks with equal outputs are computed together. If all tasks have
    the same output, the logits are used without a copy.

    Parameters
    ----------
    outputs : sequence of TaskOutput or int
        The output of each task; a number is that of its classes, `ClassOutput`.

    Examples
    --------
    A binary task and one with three classes; logits of zero mean "all equal".

    >>> import torch
    >>> from sk_mtl.losses import IndependentStructure
    >>> structure = IndependentStructure([2, 3])
    >>> structure.head_widths
    (1, 3)
    >>> [log_proba.exp() for log_proba in structure.log_proba(torch.zeros(1, 4))]
    [tensor([[0.5000, 0.5000]]), tensor([[0.3333, 0.3333, 0.3333]])]
    """

    def __init__(self, outputs: Sequence[TaskOutput | int]) -> None:
        if not len(outputs):
            raise ValueError(
                "outputs must hold at least one task; found none. Give one output for "
                "each column of y."
            )
        self.outputs = tuple(
            each if isinstance(each, TaskOutput) else ClassOutput(int(each))
            for each in outputs
        )
        self._groups = _group_equal(self.outputs)
        for output, _ in self._groups:
            check_output(output)
        self.n_tasks = len(self.outputs)
        self.may_be_negative = any(each.may_be_negative for each in self.outputs)
        self.head_widths = tuple(output.width for output in self.outputs)

    def row_losses(self, logits: Tensor, y: Tensor) -> Tensor:
        """Return the loss of every row and task, (n_samples, n_tasks)."""
        if len(self._groups) == 1:
            ((output, _),) = self._groups
            return output.row_losses(logits.unflatten(1, (-1, output.width)), y)
        losses: list[Tensor] = [logits] * self.n_tasks
        labels = y.unbind(1)
        for output, tasks, heads in self._grouped(logits):
            targets = torch.stack([labels[k] for k in tasks], 1)
            together = output.row_losses(heads, targets).unbind(1)
            for k, loss in zip(tasks, together):
                losses[k] = loss
        return torch.stack(losses, 1)

    def soft_losses(self, logits: Tensor, proba: Tensor) -> Tensor:
        """Return the expected loss of every row and task, (n_samples, n_tasks)."""
        widths = [
            each.n_classes if each.domain == "classes" else 0 for each in self.outputs
        ]
        own = proba.split(widths, 1)
        losses = [logits.new_zeros(len(logits))] * self.n_tasks
        for output, tasks, heads in self._grouped(logits):
            if output.domain != "classes":
                continue
            targets = torch.stack([own[k] for k in tasks], 1)
            together = output.soft_losses(heads, targets).unbind(1)
            for k, loss in zip(tasks, together):
                losses[k] = loss
        return torch.stack(losses, 1)

    def answers(self, logits: Tensor) -> list[Tensor]:
        """Return what each task's output answers, (n_samples, n_answers) per task."""
        logits = self.of_all_rows(logits)
        result: list[Tensor] = [logits] * self.n_tasks
        for output, tasks, heads in self._grouped(logits):
            for k, answer in zip(tasks, output.answers(heads).unbind(1)):
                result[k] = answer
        return result

    def uncorrectable_tasks(self, task: int) -> list[int]:
        """Return no task: the losses of the others are to be weighted."""
        return []

    def of_all_rows(self, logits: Tensor) -> Tensor:
        r"""Return the logits for all rows, given the logits for the training rows.

        Where a share :math:`r` of the negatives was kept, the odds in the training rows
        are :math:`1 / r` times the odds in all rows, so that :math:`\log r` is added
        to the logit. The training rows stand for all rows in the other tasks if their
        kept negatives of this task are weighted by :math:`1 / r`.
        """
        if self.thinning is None:
            return logits
        head = sum(self.head_widths[: self.thinning.task])
        shift = torch.zeros_like(logits[:1])
        shift[:, head] = math.log(self.thinning.rate)
        return logits + shift

    def combine(self, logits: Tensor) -> Tensor:
        """Return the logits of the mean of several networks' answers."""
        heads = logits.split(self.head_widths, 2)
        return torch.cat(
            [
                output.combine(head.unsqueeze(2)).squeeze(1)
                for output, head in zip(self.outputs, heads)
            ],
            1,
        )

    def _grouped(self, logits: Tensor):
        """Yield each output with its tasks and their heads, (n, n_tasks, width)."""
        if len(self._groups) == 1:
            ((output, tasks),) = self._groups
            yield output, tasks, logits.unflatten(1, (-1, output.width))
            return
        heads = logits.split(self.head_widths, 1)
        for output, tasks in self._groups:
            yield output, tasks, torch.stack([heads[k] for k in tasks], 1)


def _group_equal(outputs: Sequence[TaskOutput]) -> list[tuple[TaskOutput, list[int]]]:
    """Return the outputs that differ, each with the numbers of its tasks."""
    groups: list[tuple[TaskOutput, list[int]]] = []
    for k, output in enumerate(outputs):
        equal = [tasks for other, tasks in groups if same_value(other, output)]
        if equal:
            equal[0].append(k)
        else:
            groups.append((output, [k]))
    return groups

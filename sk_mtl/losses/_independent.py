"""Each column of y a task of its own."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from sk_mtl.losses._structures import Structure, binary_log_proba, log_mean_exp


class IndependentStructure(Structure):
    """logits (n, n_heads) -> losses (n, n_tasks), each task by itself.

    A task with two classes has one logit, that of class 1, and binary cross-entropy; a
    task with C > 2 classes has C logits and categorical cross-entropy. Tasks with the
    same number of classes are computed together. When all tasks have the same number,
    the logits are used as they lie, without a copy.

    Parameters
    ----------
    n_classes : sequence of int
        The number of classes of each task, at least 2.

    Examples
    --------
    A binary task beside one with three classes; logits of zero mean "all equal".

    >>> import torch
    >>> from sk_mtl.losses import IndependentStructure
    >>> structure = IndependentStructure([2, 3])
    >>> structure.head_widths
    (1, 3)
    >>> [log_proba.exp() for log_proba in structure.log_proba(torch.zeros(1, 4))]
    [tensor([[0.5000, 0.5000]]), tensor([[0.3333, 0.3333, 0.3333]])]
    """

    def __init__(self, n_classes: Sequence[int]) -> None:
        self.n_classes = tuple(int(count) for count in n_classes)
        if not self.n_classes or min(self.n_classes) < 2:
            raise ValueError(
                "n_classes must hold at least one task, each with 2 classes or more; "
                f"found {self.n_classes}. Leave out tasks with a single class."
            )
        self.n_tasks = len(self.n_classes)
        self.head_widths = tuple(1 if c == 2 else c for c in self.n_classes)
        self._tasks_of = {
            width: [k for k, w in enumerate(self.head_widths) if w == width]
            for width in dict.fromkeys(self.head_widths)
        }

    def row_losses(self, logits: Tensor, y: Tensor) -> Tensor:
        """Return the cross-entropy of every row and task, (n_samples, n_tasks)."""
        if len(self._tasks_of) == 1:
            return _cross_entropy(logits, y, self.head_widths[0])
        heads = logits.split(self.head_widths, 1)
        labels = y.unbind(1)
        losses: list[Tensor] = [logits] * self.n_tasks
        for width, tasks in self._tasks_of.items():
            columns = torch.cat([heads[k] for k in tasks], 1)
            targets = torch.stack([labels[k] for k in tasks], 1)
            together = _cross_entropy(columns, targets, width).unbind(1)
            for k, loss in zip(tasks, together):
                losses[k] = loss
        return torch.stack(losses, 1)

    def log_proba(self, logits: Tensor) -> list[Tensor]:
        """Return log-probabilities, one (n_samples, n_classes) tensor per task."""
        heads = logits.split(self.head_widths, 1)
        result: list[Tensor] = [logits] * self.n_tasks
        for width, tasks in self._tasks_of.items():
            columns = torch.cat([heads[k] for k in tasks], 1)
            for k, log_proba in zip(tasks, _log_proba(columns, width)):
                result[k] = log_proba
        return result

    def combine(self, logits: Tensor) -> Tensor:
        """Return the logits of the mean of several networks' probabilities."""
        heads = []
        for width, head in zip(self.head_widths, logits.split(self.head_widths, 2)):
            if width > 1:
                heads.append(log_mean_exp(torch.log_softmax(head, 2)))
            else:
                positive, negative = F.logsigmoid(head), F.logsigmoid(-head)
                heads.append(log_mean_exp(positive) - log_mean_exp(negative))
        return torch.cat(heads, 1)


def _cross_entropy(logits: Tensor, y: Tensor, width: int) -> Tensor:
    """Return (n_samples, n_tasks) losses of tasks that have ``width`` logits each."""
    if width == 1:
        return F.binary_cross_entropy_with_logits(logits, y, reduction="none")
    losses = F.cross_entropy(
        logits.reshape(-1, width), y.reshape(-1).long(), reduction="none"
    )
    return losses.view(y.shape)


def _log_proba(logits: Tensor, width: int) -> list[Tensor]:
    """Return the log-probabilities of tasks that have ``width`` logits each."""
    if width == 1:
        return binary_log_proba(logits)
    return list(torch.log_softmax(logits.unflatten(1, (-1, width)), 2).unbind(1))

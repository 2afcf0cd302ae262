"""From losses of rows to losses of tasks to the number that is minimised."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from sk_mtl.losses._soft_targets import SoftTargets
from sk_mtl.losses._structures._structure import Structure


class TaskLoss(nn.Module):
    r"""logits (n, n_heads), y (n, n_tasks), weight (n, n_tasks) -> scalar.

    The loss of task k on a batch of B rows is

    .. math:: L_k = \frac{1}{B \, \bar w_k} \sum_{i=1}^{B} w_{ik} \, \ell_{ik},

    where :math:`\ell_{ik}` is the structure's loss of row i, :math:`w_{ik}` its weight,
    zero where the label is missing, and :math:`\bar w_k` the mean of the weights over
    all *training* rows (``mean_weights``). The result is :math:`\sum_k \lambda_k L_k`
    with :math:`\lambda` = ``task_weights``, plus the structure's auxiliary losses.

    The divisor is a constant. Dividing by the batch's own sum of weights looks natural
    and is wrong: at 2 % labels and 64 rows a batch, 27 % of the batches hold no label
    of the task, their gradient is zero while the others are divided by too little or
    too much, and sparse tasks lose weight without anybody having said so. With the
    constant, the mean gradient over batches is that of the whole training set, and two
    processes with half a batch each equal one.

    Parameters
    ----------
    structure : Structure
        Gives the losses of rows.
    mean_weights : Tensor of shape (n_tasks,)
        The mean over the training rows of each task's weights, with 0 for rows without
        a label; ones where every label is there and weighs 1.
    task_weights : Tensor of shape (n_tasks,)
        What each task counts. A larger value favours the task where tasks compete.

    Examples
    --------
    The second row has no label for the second task, as is so for half of the training
    rows: the remaining row counts double.

    >>> import torch
    >>> from sk_mtl.losses import IndependentStructure, TaskLoss
    >>> loss = TaskLoss(
    ...     IndependentStructure([2, 2]), torch.tensor([1.0, 0.5]), torch.ones(2)
    ... )
    >>> weight = torch.tensor([[1.0, 1.0], [1.0, 0.0]])
    >>> loss.task_losses(torch.zeros(2, 2), torch.zeros(2, 2), weight)
    tensor([0.6931, 0.6931])
    """

    mean_weights: Tensor
    task_weights: Tensor

    def __init__(
        self, structure: Structure, mean_weights: Tensor, task_weights: Tensor
    ) -> None:
        super().__init__()
        for name, value in (
            ("mean_weights", mean_weights),
            ("task_weights", task_weights),
        ):
            if value.shape != (structure.n_tasks,):
                raise ValueError(
                    f"{name} must have one entry for each of the {structure.n_tasks} "
                    f"tasks; found shape {tuple(value.shape)}. Give a 1-d tensor."
                )
        if not bool((mean_weights > 0).all()):
            raise ValueError(
                "mean_weights must be positive for every task; found "
                f"{mean_weights.tolist()}. Leave out tasks without a weighted label."
            )
        self.structure = structure
        self.register_buffer("mean_weights", mean_weights.detach().clone())
        self.register_buffer("task_weights", task_weights.detach().clone())

    def task_losses(
        self,
        logits: Tensor,
        y: Tensor,
        weight: Tensor | None = None,
        soft: SoftTargets | None = None,
    ) -> Tensor:
        """Return each task's loss on the batch, (n_tasks,), free of ``task_weights``.

        Of the members of an ensemble it is (n_members, n_tasks), the losses of each.

        Parameters
        ----------
        logits : Tensor of shape (n_samples, n_heads) or (n_members, n_samples, n_heads)
        y : Tensor of shape (n_samples, n_tasks)
            Class indices in the logits' dtype, 0 (never NaN) where a label is missing.
        weight : Tensor of shape (n_samples, n_tasks), or None
            Sample and class weights in the logits' dtype, 0 where a label is missing.
            None means that every row has every label and counts 1. The members of an
            ensemble can have weights of their own, (n_members, n_samples, n_tasks).
        soft : SoftTargets or None
            Probabilities of the classes, which are targets beside the labels. Their
            weights can be of each member, too.
        """
        losses = _of_rows(self.structure.row_losses, logits, y)
        if weight is not None:
            losses = losses * weight
        if soft is not None:
            expected = _of_rows(self.structure.soft_losses, logits, soft.proba)
            losses = losses * soft.kept + expected * soft.weight
        return losses.mean(-2) / self.mean_weights

    def auxiliary_losses(
        self, logits: Tensor, y: Tensor, weight: Tensor | None = None
    ) -> dict[str, Tensor]:
        """Return the structure's auxiliary losses on the batch, scalars by name.

        Of the members of an ensemble they are the means over the members. The
        parameters are as of `task_losses`.
        """
        if not self.structure.auxiliary_names:
            return {}
        weight = (torch.ones_like(y) if weight is None else weight) / self.mean_weights
        if logits.dim() > 2:
            logits, y, weight = _below_each_other(logits, y, weight)
        return self.structure.auxiliary_losses(logits, y, weight)

    def parts(
        self,
        logits: Tensor,
        y: Tensor,
        weight: Tensor | None = None,
        soft: SoftTargets | None = None,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the tasks' losses and the auxiliary losses, which make up `total`.

        Auxiliary losses are of the labels alone.
        """
        return (
            self.task_losses(logits, y, weight, soft),
            self.auxiliary_losses(logits, y, weight),
        )

    def forward(
        self, logits: Tensor, y: Tensor, weight: Tensor | None = None
    ) -> Tensor:
        """Return what is minimised, a scalar."""
        return self.total(*self.parts(logits, y, weight))

    def total(
        self, task_losses: Tensor, auxiliary_losses: Mapping[str, Tensor] | None = None
    ) -> Tensor:
        """Return what is minimised, given its parts.

        It is a sum over the members, too, so that each is trained as it would be alone.
        """
        total = (task_losses * self.task_weights).sum()
        n_members = len(task_losses) if task_losses.dim() > 1 else 1
        for loss in (auxiliary_losses or {}).values():
            total = total + n_members * loss
        return total


def _of_rows(
    function: Callable[[Tensor, Tensor], Tensor], logits: Tensor, table: Tensor
) -> Tensor:
    """Return the losses of rows, of each member where there are members."""
    if logits.dim() == 2:
        return function(logits, table)
    losses = function(*_below_each_other(logits, table))
    return losses.unflatten(0, logits.shape[:2])


def _below_each_other(logits: Tensor, *tables: Tensor) -> tuple[Tensor, ...]:
    """Return the members' rows as rows of one table, and the tables as often.

    A table that has a part for each member is joined like the logits.
    """
    return (
        logits.flatten(0, 1),
        *(
            table.repeat(len(logits), 1) if table.dim() == 2 else table.flatten(0, 1)
            for table in tables
        ),
    )

"""Meaning of the logits of one task: the base class of outputs."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Literal, get_args

import torch
from torch import Tensor

Domain = Literal["classes", "real", "nonnegative", "positive"]

#: The values that `TaskOutput.domain` can have.
DOMAINS: tuple[str, ...] = get_args(Domain)


class TaskOutput(ABC):
    r"""heads (n, n_tasks, width) -> losses (n, n_tasks) and answers.

    The meaning of the logits of a kind of task: how many of them a task needs, the loss
    of a row, and the answers. Estimators take an output of your own as ``loss``; it
    defines `domain`, `width`, `row_losses`, `answers` and `combine`.

    Tasks of equal outputs are computed together, as several columns of one tensor. Make
    an output a frozen dataclass, which is equal by its fields; outputs without an
    equality of their own are computed one by one. An output holds settings and no
    state: make tensors on the device and in the dtype of ``heads``.

    Attributes
    ----------
    domain : {"classes", "real", "nonnegative", "positive"}
        The targets that the loss takes. A task of numbers is checked for its range
        and learnt in units of its own: ``"real"`` numbers are shifted to mean 0 and
        scaled to standard deviation 1, ``"nonnegative"`` (>= 0) and ``"positive"``
        (> 0) numbers are scaled to mean 1 and not shifted. Of ``"classes"`` the targets
        are class numbers as floats.

    width : int
        The number of logits of each task.

    n_classes : int
        The number of classes; only of the domain ``"classes"``.

    may_be_negative : bool
        Whether a row can lose less than 0, as where the loss is a density's.

    zero_inflated : bool
        Whether the second answer is the logarithm of the chance that a number is not
        zero. Estimators then have `predict_proba_positive`, and splits into parts
        spread the zeros evenly.

    quantile_levels : tuple of float
        The levels of the quantiles that the last answers are, in increasing order;
        empty without. Estimators then have `predict_quantiles`.

    Examples
    --------
    A smooth loss of numbers, :math:`\log \cosh (z - y)`.

    >>> from dataclasses import dataclass
    >>> import torch
    >>> from sk_mtl.losses import TaskOutput
    >>> @dataclass(frozen=True)
    ... class LogCoshOutput(TaskOutput):
    ...     domain = "real"
    ...     width = 1
    ...     def row_losses(self, heads, y):
    ...         return (heads.squeeze(2) - y).cosh().log()
    ...     def answers(self, heads):
    ...         return heads
    ...     def combine(self, heads):
    ...         return heads.mean(0)
    >>> LogCoshOutput().row_losses(torch.ones(1, 1, 1), torch.zeros(1, 1))
    tensor([[0.4338]])
    """

    domain: Domain
    width: int
    n_classes: int
    may_be_negative: ClassVar[bool] = False
    zero_inflated: ClassVar[bool] = False
    quantile_levels: tuple[float, ...] = ()

    @abstractmethod
    def row_losses(self, heads: Tensor, y: Tensor) -> Tensor:
        """Return the loss of every row on every task, (n_samples, n_tasks).

        Parameters
        ----------
        heads : Tensor of shape (n_samples, n_tasks, width)
        y : Tensor of shape (n_samples, n_tasks)
            Targets of the domain. In place of a missing one stands class 0 or a number
            of the domain, and its loss has no weight: it must be finite.
        """

    def soft_losses(self, heads: Tensor, proba: Tensor) -> Tensor:
        """Return the expected loss of every row and task, (n_samples, n_tasks).

        It is the mean of `row_losses` over the classes, weighted by probabilities. A
        task of numbers has none.

        Parameters
        ----------
        heads : Tensor of shape (n_samples, n_tasks, width)
        proba : Tensor of shape (n_samples, n_tasks, n_classes)
        """
        first = proba[:, :, 0]
        losses = [
            self.row_losses(heads, torch.full_like(first, c))
            for c in range(proba.shape[2])
        ]
        return (torch.stack(losses, 2) * proba).sum(2)

    @abstractmethod
    def answers(self, heads: Tensor) -> Tensor:
        """Return the answers, (n_samples, n_tasks, n_answers).

        Of classes they are the log-probabilities of each. Of a number the first is the
        prediction, in the units of ``y``; `zero_inflated` and `quantile_levels` define
        the others.
        """

    @abstractmethod
    def combine(self, heads: Tensor) -> Tensor:
        """Return the logits of the mean of several networks' answers.

        Parameters
        ----------
        heads : Tensor of shape (n_members, n_samples, n_tasks, width)

        Returns
        -------
        heads : Tensor of shape (n_samples, n_tasks, width)
        """

    def logit_offsets(self, untrained: Sequence[int]) -> list[float]:
        """Return constants to add to a task's logits, one for each.

        They make classes improbable that no training row has.

        Parameters
        ----------
        untrained : sequence of int
            Numbers of these classes; empty for most tasks.
        """
        return [0.0] * self.width

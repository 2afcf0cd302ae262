"""What the logits of one task mean: the base class of outputs."""

from abc import ABC, abstractmethod
from typing import ClassVar

from torch import Tensor


class TaskOutput(ABC):
    """heads (n, n_tasks, width) -> losses (n, n_tasks) and answers.

    What the logits of a kind of task mean: how many of them a task needs, what a row
    loses, and what is answered. Tasks of equal outputs are computed together.

    Attributes
    ----------
    width : int
        The number of logits of each task.

    may_be_negative : bool
        Whether a row can lose less than 0, as where the loss is a density's.
    """

    width: int
    may_be_negative: ClassVar[bool] = False

    @abstractmethod
    def row_losses(self, heads: Tensor, y: Tensor) -> Tensor:
        """Return what every row loses on every task, (n_samples, n_tasks).

        Parameters
        ----------
        heads : Tensor of shape (n_samples, n_tasks, width)
        y : Tensor of shape (n_samples, n_tasks)
        """

    @abstractmethod
    def answers(self, heads: Tensor) -> Tensor:
        """Return what is answered, (n_samples, n_tasks, n_answers)."""

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

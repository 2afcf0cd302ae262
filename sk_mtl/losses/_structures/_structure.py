"""The base class of structures, the meaning of logits."""

import copy
from abc import ABC, abstractmethod

from torch import Tensor

from sk_mtl.losses._structures._thinning import Thinning


class Structure(ABC):
    """logits (n, n_heads) -> losses (n, n_tasks) and probabilities.

    A structure defines the meaning of a network's logits, independently of its wiring:
    the number of logits (heads) of each task, the loss of a row on each column of y,
    and the probabilities of each column's classes.

    Heads are not tasks: a structure may need a head that answers no column of y, such
    as one that is of use in training only. And it may add losses that belong to no
    task.

    Attributes
    ----------
    head_widths : tuple of int
        The number of logits of each head; their sum is the width of the logits. The
        first ``n_tasks`` heads belong to the tasks.
    head_tasks : tuple of int
        For each head the task whose tower sizes it takes.
    n_tasks : int
        The number of columns of y.
    auxiliary_names : tuple of str
        The names of the losses in addition to the tasks' own.
    may_be_negative : bool
        Whether a task's loss can be less than 0.
    thinning : Thinning or None
        The negatives that the training rows lack. Losses are of the training rows,
        answers of all rows.
    """

    head_widths: tuple[int, ...]
    n_tasks: int
    auxiliary_names: tuple[str, ...] = ()
    may_be_negative: bool = False
    thinning: Thinning | None = None

    @property
    def head_tasks(self) -> tuple[int, ...]:
        """For each head the task whose tower sizes it takes."""
        return tuple(range(self.n_tasks))

    @abstractmethod
    def row_losses(self, logits: Tensor, y: Tensor) -> Tensor:
        """Return what every row loses on every task, (n_samples, n_tasks).

        Parameters
        ----------
        logits : Tensor of shape (n_samples, sum of head_widths)
        y : Tensor of shape (n_samples, n_tasks)
            Class indices, or numbers. A missing label is replaced by any target that
            the loss takes (never NaN, which a weight of zero cannot remove), and the
            row's weight is zero.
        """

    def soft_losses(self, logits: Tensor, proba: Tensor) -> Tensor:
        """Return what every row loses against probabilities, (n_samples, n_tasks).

        It is the mean of `row_losses` over the classes of each task, weighted by their
        probabilities, and 0 for tasks of numbers. Auxiliary losses have no part in it.

        Parameters
        ----------
        logits : Tensor of shape (n_samples, sum of head_widths)
        proba : Tensor of shape (n_samples, sum of n_classes)
            As of `SoftTargets`.
        """
        raise NotImplementedError(
            f"{type(self).__name__} must define soft_losses to be trained with soft "
            "labels; found none. Define it, or fit without soft_labels."
        )

    def auxiliary_losses(
        self, logits: Tensor, y: Tensor, weight: Tensor
    ) -> dict[str, Tensor]:
        """Return the losses in addition to the tasks' own, a scalar for each name.

        Each is a mean over the rows. That of several networks' rows, one below the
        other, is so the mean of what it is for each.

        Parameters
        ----------
        logits : Tensor of shape (n_samples, sum of head_widths)
        y : Tensor of shape (n_samples, n_tasks)
            As of `row_losses`.
        weight : Tensor of shape (n_samples, n_tasks)
            The rows' weights on each task, 0 where the label is missing. In the mean
            over the training rows they are 1 for each task.
        """
        return {}

    @abstractmethod
    def answers(self, logits: Tensor) -> list[Tensor]:
        """Return what is answered on each task, (n_samples, n_answers) per task.

        Of classes these are their log-probabilities, of a number its mean.
        """

    def log_proba(self, logits: Tensor) -> list[Tensor]:
        """Return log-probabilities, one (n_samples, n_classes) tensor per task.

        It is another name of `answers`, for tasks that all are classes.
        """
        return self.answers(logits)

    def with_thinning(self, task: int, rate: float) -> "Structure":
        """Return a copy that answers for all rows after a training on thinned ones.

        Parameters
        ----------
        task : int
            The task whose negative rows were thinned.
        rate : float
            The chance of each of these rows to be kept, in (0, 1].
        """
        if not 0 < rate <= 1:
            raise ValueError(
                f"rate must be greater than 0 and at most 1; found {rate!r}. Give the "
                "share of the negative rows that was kept."
            )
        lost = self.uncorrectable_tasks(task)
        if lost:
            raise ValueError(
                f"The negatives of task {task} must determine how many rows of each "
                f"other task are missing; found that they do not for tasks {lost}. "
                "Thin the negatives of another task."
            )
        new = copy.copy(self)
        new.thinning = None if rate == 1 else Thinning(task, rate)
        return new

    def uncorrectable_tasks(self, task: int) -> list[int]:
        """Return the tasks without known probabilities if one task is thinned."""
        raise NotImplementedError(
            f"{type(self).__name__} must define uncorrectable_tasks and of_all_rows to "
            "be trained on thinned negatives; found none. Define them, or train on all "
            "rows."
        )

    def of_all_rows(self, logits: Tensor) -> Tensor:
        """Return the logits for all rows, given the logits for the training rows."""
        return logits

    @abstractmethod
    def combine(self, logits: Tensor) -> Tensor:
        """Return the logits of the mean of several networks' probabilities.

        Parameters
        ----------
        logits : Tensor of shape (n_members, n_samples, sum of head_widths)

        Returns
        -------
        logits : Tensor of shape (n_samples, sum of head_widths)
        """

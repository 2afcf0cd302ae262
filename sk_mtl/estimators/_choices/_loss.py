"""The base class of losses that a parameter takes in place of a name."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from sk_mtl.estimators._choices._choice import Choice
from sk_mtl.losses import TaskOutput


@dataclass(eq=False, repr=False)
class Loss(Choice, ABC):
    """Base of the losses that `loss` takes in place of a name.

    A loss of your own is a dataclass (``eq=False, repr=False``) with a field per
    setting. It sets `domain` and defines `make_output`; the settings are searched as
    ``loss__<setting>``. A loss without settings needs no class here: `loss` takes a
    `sk_mtl.losses.TaskOutput`, too.

    Attributes
    ----------
    domain : {"classes", "real", "nonnegative", "positive"}
        The targets that the loss takes, as in its output.

    Examples
    --------
    Absolute errors that count only beyond a tolerance.

    >>> from dataclasses import dataclass
    >>> from sk_mtl import Loss
    >>> from sk_mtl.losses import AbsoluteErrorOutput
    >>> @dataclass(frozen=True)
    ... class TolerantOutput(AbsoluteErrorOutput):
    ...     tolerance: float = 0.1
    ...     def row_losses(self, heads, y):
    ...         return (super().row_losses(heads, y) - self.tolerance).clamp(min=0)
    >>> @dataclass(eq=False, repr=False)
    ... class Tolerant(Loss):
    ...     domain = "real"
    ...     tolerance: float = 0.1
    ...     def make_output(self, n_classes=None):
    ...         return TolerantOutput(self.tolerance)
    >>> Tolerant(0.2).make_output()
    TolerantOutput(tolerance=0.2)
    """

    domain: ClassVar[str]

    @abstractmethod
    def make_output(self, n_classes: int | None = None) -> TaskOutput:
        """Return the meaning of a task's logits.

        Parameters
        ----------
        n_classes : int or None, default=None
            The number of classes of the task; None for a task of numbers.

        Returns
        -------
        output : TaskOutput
            Of the loss's domain.
        """

    def checked_output(self, n_classes: int | None = None) -> TaskOutput:
        """Return the output, or raise if `make_output` returns something else."""
        output = self.make_output(n_classes)
        domain = getattr(output, "domain", None)
        if not isinstance(output, TaskOutput) or domain != self.domain:
            raise ValueError(
                f"{self!r}.make_output must return a TaskOutput of the domain "
                f"{self.domain!r}; found {output!r} of domain {domain!r}. Return one, "
                "or correct the domain of the loss."
            )
        return output


@dataclass(eq=False, repr=False)
class GivenOutput(Loss):
    """The loss of an output from the user.

    Parameters
    ----------
    output : TaskOutput
    """

    output: TaskOutput

    def __repr__(self) -> str:
        """Return the representation of the user's output."""
        return repr(self.output)

    @property
    def domain(self) -> str:
        """The targets that the loss takes."""
        return getattr(self.output, "domain", None)

    def make_output(self, n_classes: int | None = None) -> TaskOutput:
        """Return the output itself."""
        return self.output

"""The negatives of a task that are missing in the rows of a training."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Thinning:
    """Rows that are negative for a task were kept by chance, all others always.

    Attributes
    ----------
    task : int
        The task; a step of a funnel is negative in all rows that did not reach it,
        wherever they were lost.
    rate : float
        The chance of each of its negative rows to be kept, in (0, 1].
    """

    task: int
    rate: float

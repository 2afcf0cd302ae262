"""The base class of wirings, the part between encoder and towers."""

from abc import ABC, abstractmethod
from typing import ClassVar

from torch import Tensor, nn

from sk_mtl.nn._encoding._encoded import Encoded


class Wiring(nn.Module, ABC):
    """Encoded rows -> (n, n_tasks, out_width).

    The part of a network that is the subject of a paper: it turns the encoder's row
    into one row for each task, which the task's tower reads.

    Attributes
    ----------
    n_tasks : int
        The number of tasks.

    out_width : int
        The width of each task's row.

    embedding_sets : {"shared", "per_task", "both"}
        The rows of `Encoded` that the wiring reads: ``shared``, the rows of each task's
        own encoder (``per_task``), or both.

    shared_by_members : tuple of str
        The submodules that members of an ensemble share with ``sharing="most"``.
    """

    embedding_sets: ClassVar[str] = "shared"
    shared_by_members: ClassVar[tuple[str, ...]] = ()

    n_tasks: int
    out_width: int

    @abstractmethod
    def forward(self, encoded: Encoded) -> Tensor:
        """Return each task's row."""

    def with_penalty(self, encoded: Encoded) -> tuple[Tensor, Tensor | None]:
        """Return each task's row, and the penalty of the batch in training.

        A wiring with a penalty computes both here, and `forward` returns the rows.
        """
        return self(encoded), None

    def extra_repr(self) -> str:
        """Return the sizes that ``repr`` shows."""
        return f"out_width={self.out_width}, n_tasks={self.n_tasks}"

"""The base class of wirings in which tasks mix experts."""

from abc import abstractmethod
from collections.abc import Hashable, Iterable, Sequence

import torch
from torch import Tensor

from sk_mtl.nn._encoding._encoded import Encoded
from sk_mtl.nn._wirings._wiring import Wiring


class MixtureWiring(Wiring):
    """Encoded rows -> (n, n_tasks, out_width), mixed from the results of experts.

    At each level a task's row is a weighted sum of the experts' results, with weights
    from a gate that reads the row, or from a matrix that is the same for all rows. A
    subclass also returns these weights.
    """

    @abstractmethod
    def gate_weights(self, encoded: Encoded) -> list[Tensor]:
        """Return each task's weights of all experts, lowest level first.

        Each is (n_samples, n_tasks, n_experts). They multiply the experts' results
        outside training; an expert that a task cannot read has the weight 0.
        """

    @abstractmethod
    def expert_names(self, task_names: Sequence[Hashable]) -> list[list[str]]:
        """Return the names of the experts, in the order of `gate_weights`."""


def numbered(names: Iterable[Hashable], n_each: int) -> list[str]:
    """Return ``<name>_0``, ``<name>_1`` and so on of each name."""
    return [f"{name}_{k}" for name in names for k in range(n_each)]


def among_all(own: Tensor) -> Tensor:
    """(n, n_groups, n_own) -> (n, n_groups, n_groups * n_own), zeros elsewhere.

    The weights of each group's own experts, with 0 for the experts of other groups.
    """
    # The diagonal of (group, group) holds the weights of a group's own experts.
    return torch.diag_embed(own.mT).permute(0, 2, 3, 1).flatten(2)

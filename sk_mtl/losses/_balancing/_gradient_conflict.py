"""The cosines between the gradients of tasks."""

from collections.abc import Sequence
from itertools import combinations

import torch
from torch import Tensor

from sk_mtl.losses._balancing._task_gradients import SharedRows


class GradientConflict:
    """Mean cosines between the gradients of the tasks' losses, epoch by epoch.

    On the parameters that two or more of them reach. A cosine near 1 means that the
    tasks ask for the same change, near 0 that they do not interfere, and below 0 that
    what helps one harms the other. It is taken at some steps of an epoch only: each
    takes a backward pass per task.

    Parameters
    ----------
    every : int
        At each such step of an epoch, from the first one on.
    """

    def __init__(self, every: int) -> None:
        self.every = every
        self._shared = SharedRows()
        self._step = 0
        self._cosines: list[Tensor] = []

    def observe(self, losses: Tensor, parameters: Sequence[Tensor]) -> None:
        """Take note of a batch's losses, before they are differentiated."""
        if self._step % self.every == 0:
            losses = losses if losses.dim() == 1 else losses.mean(0)
            found = self._shared.differentiate(losses, parameters, retain_graph=True)
            unit = torch.nn.functional.normalize(found.jacobian(), dim=1)
            self._cosines.append(unit @ unit.T)
        self._step += 1

    def end_epoch(self) -> dict[tuple[int, int], float]:
        """Return the mean cosine of each pair of tasks, and begin anew."""
        mean = torch.stack(self._cosines).mean(0)
        self._step, self._cosines = 0, []
        return {(a, b): mean[a, b].item() for a, b in combinations(range(len(mean)), 2)}

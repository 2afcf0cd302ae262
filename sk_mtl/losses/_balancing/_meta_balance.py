"""Gradients of the other tasks, brought to the size of the main one's."""

import torch
from torch import Tensor

from sk_mtl.losses._balancing._gradient_balancer import GradientBalancer
from sk_mtl.losses._balancing._task_gradients import TaskGradients


class MetaBalancer(GradientBalancer):
    r"""Brings the other tasks' gradients towards the size of the main task's.

    Layer by layer, with :math:`m_k` a moving average of the norm of task k's gradient
    and task 0 the main one,

    .. math:: g = g_0 + \sum_{k > 0} \left( r \frac{m_0}{m_k} + 1 - r \right) g_k ,

    .. math:: m_k \leftarrow \beta \, m_k + (1 - \beta) \lVert g_k \rVert ,

    where the averages start at 0, so that the first batch weighs as much as any other.
    A parameter of three axes or more stacks layers along its first one, such as the
    layers of several experts, and every one of them has norms of its own. Norms are
    taken on the rows that two or more tasks reach, and only these are balanced.

    Parameters
    ----------
    n_tasks : int
    relaxation : float, default=0.7
        :math:`r`, in [0, 1]: 0 leaves the gradients unchanged, 1 makes them equal in
        size.
    decay : float, default=0.9
        :math:`\beta`, in [0, 1). Larger averages over more batches.

    References
    ----------
    Y. He, X. Feng, C. Cheng, G. Ji, Y. Guo and J. Caverlee (2022). MetaBalance:
    Improving Multi-Task Recommendations via Adapting Gradient Magnitudes of Auxiliary
    Tasks. WWW.
    """

    def __init__(
        self, n_tasks: int, *, relaxation: float = 0.7, decay: float = 0.9
    ) -> None:
        super().__init__(torch.ones(n_tasks))
        self.relaxation, self.decay = relaxation, decay
        self._norms: list[Tensor] | None = None

    def combine(self, found: TaskGradients, losses: Tensor) -> list[Tensor]:
        """Return the sum of the gradients, rescaled in rows that tasks share."""
        norms = [
            _layer_norms(grad, mask)
            for grad, mask in zip(found.grads, found.shared, strict=True)
        ]
        if self._norms is None:
            self._norms = [torch.zeros_like(norm) for norm in norms]
        combined = []
        for grad, mask, average, norm in zip(
            found.grads, found.shared, self._norms, norms, strict=True
        ):
            average.lerp_(norm, 1 - self.decay)
            factor = self._factors(average).expand(-1, len(mask))[:, mask]
            rows = grad[:, mask]
            factor = factor.reshape(*factor.shape, *[1] * (rows.dim() - 2))
            total = grad.sum(0)
            total[mask] = (factor * rows).sum(0)
            combined.append(total)
        return combined

    def _factors(self, norms: Tensor) -> Tensor:
        """Return what each task's gradient is multiplied by, (n_tasks, n_layers)."""
        main = norms[:1]
        factors = self.relaxation * main / norms + 1 - self.relaxation
        # Where one of the two does not reach a layer nothing is to be balanced.
        return factors.masked_fill((norms == 0) | (main == 0), 1.0)


def _layer_norms(grad: Tensor, shared: Tensor) -> Tensor:
    """Return the norm of each task's gradient on each layer, (n_tasks, n_layers).

    There is one layer where the gradients (n_tasks, n_rows, ...) belong to a matrix
    or a vector, and one for each row where they have more axes.
    """
    if grad.dim() > 3:
        return grad.flatten(2).norm(dim=2)
    return grad[:, shared].flatten(1).norm(dim=1, keepdim=True)

"""Gradients of the other tasks, brought to the size of the main one's."""

import torch
from torch import Tensor

from sk_mtl.losses._balancing._gradient_balancer import GradientBalancer
from sk_mtl.losses._balancing._task_gradients import TaskGradients


class MetaBalancer(GradientBalancer):
    r"""Brings the other tasks' gradients towards the size of the main task's.

    Parameter by parameter, with :math:`m_k` a moving average of the norm of task k's
    gradient and task 0 the main one,

    .. math:: g = g_0 + \sum_{k > 0} \left( r \frac{m_0}{m_k} + 1 - r \right) g_k .

    Parameters
    ----------
    n_tasks : int
    relaxation : float, default=0.7
        :math:`r`, in [0, 1]: 0 leaves the gradients as they are, 1 makes them equal in
        size.
    decay : float, default=0.9
        Of the moving averages, in [0, 1).

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
        self._norms: Tensor | None = None

    def combine(self, found: TaskGradients, losses: Tensor) -> list[Tensor]:
        """Return the sum of the gradients, rescaled in rows that tasks share."""
        norms = torch.stack([grad.flatten(1).norm(dim=1) for grad in found.grads])
        if self._norms is not None:
            norms = self.decay * self._norms + (1 - self.decay) * norms
        self._norms = norms
        main = norms[:, :1]
        # Where one of the two does not reach a parameter nothing is to be balanced.
        alone = (norms == 0) | (main == 0)
        factors = self.relaxation * main / norms + 1 - self.relaxation
        factors = factors.masked_fill(alone, 1.0)
        combined = []
        for grad, factor, mask in zip(found.grads, factors, found.shared, strict=True):
            total = grad.sum(0)
            total[mask] = torch.tensordot(factor, grad[:, mask], 1)
            combined.append(total)
        return combined

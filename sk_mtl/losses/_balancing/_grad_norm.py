"""Weights that let the tasks learn at one rate."""

import torch
from torch import Tensor

from sk_mtl.losses._balancing._gradient_balancer import GradientBalancer
from sk_mtl.losses._balancing._task_gradients import TaskGradients

# A weight of zero would never come back.
_LEAST_WEIGHT = 1e-3


class GradNormBalancer(GradientBalancer):
    r"""Learns weights :math:`w_k` by which the tasks' gradients are of like size.

    With :math:`G_k = w_k \lVert \nabla L_k \rVert` on the shared parameters and
    :math:`r_k` the task's loss as a share of its first, divided by the mean share, the
    weights descend

    .. math:: \sum_k \lvert G_k - \bar G r_k^\alpha \rvert

    and are then scaled to sum to the number of tasks. All parameters get the gradient
    of :math:`\sum_k w_k L_k`. The paper looks at one shared layer; here it is all that
    two losses reach. A task without any label in a batch is left out of these sums.

    Parameters
    ----------
    n_tasks : int
    alpha : float, default=1.5
        :math:`\alpha`: how much more a task counts that learns slowly; 0 makes all
        gradients equal in size.
    lr : float, default=0.025
        Learning rate of the weights.

    References
    ----------
    Z. Chen, V. Badrinarayanan, C.-Y. Lee and A. Rabinovich (2018). GradNorm: Gradient
    Normalization for Adaptive Loss Balancing in Deep Multitask Networks. ICML.
    """

    def __init__(self, n_tasks: int, *, alpha: float = 1.5, lr: float = 0.025) -> None:
        super().__init__(torch.ones(n_tasks))
        self.alpha, self.lr = alpha, lr
        self._first = torch.zeros(n_tasks)
        self._optimizer: torch.optim.Optimizer | None = None

    def combine(self, found: TaskGradients, losses: Tensor) -> list[Tensor]:
        """Return the weighted sum of the gradients, and learn the weights."""
        if self._optimizer is None:
            self._first = self._first.to(losses)
            self._optimizer = torch.optim.Adam([self.task_weights], self.lr)
        combined = found.sum(self.task_weights)
        # The loss of a task without a label in the batch is exactly zero: it has no
        # share in what is learnt, and its first loss is yet to come.
        present = losses != 0
        self._first = torch.where(self._first == 0, losses, self._first)
        share = torch.where(present, losses / self._first, 0.0)
        self._learn(found.jacobian().norm(dim=1), share, present.to(losses))
        return combined

    def _learn(self, norms: Tensor, share: Tensor, present: Tensor) -> None:
        sizes, n_present = self.task_weights * norms, present.sum().clamp_min(1)
        mean = (share.sum() / n_present).clamp_min(torch.finfo(share.dtype).tiny)
        target = (sizes * present).sum() / n_present * (share / mean) ** self.alpha
        # The derivative of the absolute differences, the target held fixed.
        self.task_weights.grad = torch.sign(sizes - target) * norms * present
        self._optimizer.step()
        self.task_weights.clamp_(min=_LEAST_WEIGHT)
        self.task_weights.mul_(len(share) / self.task_weights.sum())

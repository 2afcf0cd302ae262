"""Classes: cross-entropy, plain, smoothed or focal."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from sk_mtl.losses._outputs._numerics import (
    binary_log_proba,
    log_mean_exp,
    mean_binary_logits,
)
from sk_mtl.losses._outputs._task_output import TaskOutput

# What is taken from the logit of a class that no training row has: with one other class
# a probability of about 5e-5.
_IMPROBABLE = 10.0


@dataclass(frozen=True)
class ClassOutput(TaskOutput):
    r"""heads (n, n_tasks, width) -> log-probabilities (n, n_tasks, n_classes).

    Two classes have one logit, that of class 1, and binary cross-entropy; C > 2 classes
    have C logits and categorical cross-entropy. With :math:`p` the probability of the
    row's class,

    .. math:: \ell = -(1 - p)^\gamma \log p,

    and with smoothing :math:`\epsilon` the label is its class with probability
    :math:`1 - \epsilon + \epsilon / C` and every other with :math:`\epsilon / C`.

    Parameters
    ----------
    n_classes : int
        At least 2.
    label_smoothing : float, default=0.0
        :math:`\epsilon`, in [0, 1): probabilities keep away from 0 and 1 the more the
        larger it is.
    focal_gamma : float, default=0.0
        :math:`\gamma` >= 0: rows that are easy count the less the larger it is. 0 is
        plain cross-entropy.

    References
    ----------
    T.-Y. Lin, P. Goyal, R. Girshick, K. He and P. Dollár (2017). Focal Loss for Dense
    Object Detection. ICCV.

    C. Szegedy, V. Vanhoucke, S. Ioffe, J. Shlens and Z. Wojna (2016). Rethinking the
    Inception Architecture for Computer Vision. CVPR.

    Examples
    --------
    A row of even odds loses log 2, and a quarter of it with a focus of 2.

    >>> import torch
    >>> from sk_mtl.losses import ClassOutput
    >>> heads, y = torch.zeros(1, 1, 1), torch.ones(1, 1)
    >>> ClassOutput(2).row_losses(heads, y)
    tensor([[0.6931]])
    >>> ClassOutput(2, focal_gamma=2).row_losses(heads, y)
    tensor([[0.1733]])
    """

    domain = "classes"

    n_classes: int
    label_smoothing: float = 0.0
    focal_gamma: float = 0.0

    def __post_init__(self) -> None:
        if self.n_classes < 2:
            raise ValueError(
                f"n_classes must be at least 2; found {self.n_classes}. Leave out "
                "tasks with a single class."
            )

    @property
    def width(self) -> int:
        """The number of logits: one for two classes."""
        return 1 if self.n_classes == 2 else self.n_classes

    def row_losses(self, heads: Tensor, y: Tensor) -> Tensor:
        """Return the cross-entropy of every row and task."""
        losses = self._cross_entropy(heads, y, self.label_smoothing)
        if not self.focal_gamma:
            return losses
        plain = losses
        if self.label_smoothing:
            plain = self._cross_entropy(heads, y, 0.0)
        # The derivative of a power of zero would be infinite.
        wrong = (-torch.expm1(-plain)).clamp_min(torch.finfo(plain.dtype).tiny)
        return wrong**self.focal_gamma * losses

    def soft_losses(self, heads: Tensor, proba: Tensor) -> Tensor:
        """Return the expected loss of every row and task, over the classes."""
        if self.focal_gamma:
            return super().soft_losses(heads, proba)
        # Cross-entropy is linear in the label.
        target = proba[:, :, 1] if self.width == 1 else proba
        return self._cross_entropy(heads, target, self.label_smoothing)

    def answers(self, heads: Tensor) -> Tensor:
        """Return log-probabilities."""
        if self.width == 1:
            return binary_log_proba(heads.squeeze(2))
        return torch.log_softmax(heads, 2)

    def combine(self, heads: Tensor) -> Tensor:
        """Return the logits of the mean probabilities."""
        if self.width == 1:
            return mean_binary_logits(heads)
        return log_mean_exp(torch.log_softmax(heads, 3))

    def logit_offsets(self, untrained: Sequence[int]) -> list[float]:
        """Return constants that make untrained classes improbable."""
        if self.width == 1:
            return [_IMPROBABLE * (1 - 2 * k) for k in untrained] or [0.0]
        return [-_IMPROBABLE * (k in untrained) for k in range(self.width)]

    def _cross_entropy(self, heads: Tensor, y: Tensor, smoothing: float) -> Tensor:
        if self.width == 1:
            y = y * (1 - smoothing) + smoothing / 2 if smoothing else y
            return F.binary_cross_entropy_with_logits(
                heads.squeeze(2), y, reduction="none"
            )
        is_soft = y.dim() > 2
        losses = F.cross_entropy(
            heads.reshape(-1, self.width),
            y.reshape(-1, self.width) if is_soft else y.reshape(-1).long(),
            reduction="none",
            label_smoothing=smoothing,
        )
        return losses.view(heads.shape[:2])

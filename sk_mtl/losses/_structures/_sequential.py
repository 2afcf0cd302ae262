"""Each column of y a step, with a loss where a later one is predicted as likelier."""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from sk_mtl.losses._outputs._numerics import check_n_steps
from sk_mtl.losses._outputs._step_outputs import step_outputs
from sk_mtl.losses._outputs._task_output import TaskOutput
from sk_mtl.losses._structures._independent import IndependentStructure


class SequentialStructure(IndependentStructure):
    r"""logits (n, n_steps) -> losses (n, n_steps) of steps, and a calibrator.

    Column k of y says "reached step k", and no step is reached without the one before.
    Each step is a binary task with the logit :math:`z_k` and the probability
    :math:`p_k = \sigma(z_k)` of its own. That these fall along the steps is not built
    in, as it is in `FunnelStructure`, but encouraged by an auxiliary loss named
    ``"calibrator"``,

    .. math:: \alpha \sum_{k > 1} \frac{1}{n} \sum_i
              w_{ik} \max(p_{ik} - p_{i,k-1}, 0),

    with :math:`\alpha` = ``calibrator_weight``. It needs no label; the weight
    :math:`w_{ik}` is the mean of the row's weights on the two steps, so that a row with
    neither label does not count.

    Parameters
    ----------
    n_steps : int
        The number of steps.
    calibrator_weight : float, default=0.6
        What the calibrator counts. A larger value leaves fewer rows in which a later
        step is likelier than the one before; 0 leaves the tasks independent.
    output : TaskOutput, sequence of TaskOutput or None, default=None
        The loss of the steps, one for all or one for each: of two classes, with one
        logit whose sigmoid is the probability. None is plain cross-entropy.

    References
    ----------
    D. Xi, Z. Chen, P. Yan, Y. Zhang, Y. Zhu, F. Zhuang and Y. Chen (2021). Modeling the
    Sequential Dependence among Audience Multi-step Conversions with Multi-task
    Learning in Targeted Display Advertising. KDD.

    Examples
    --------
    The second step has the probability 3/4, the first 1/2, which is 1/4 too little.

    >>> import torch
    >>> from sk_mtl.losses import SequentialStructure
    >>> structure = SequentialStructure(2, calibrator_weight=1.0)
    >>> logits, y = torch.tensor([[0.0, 1.0986]]), torch.zeros(1, 2)
    >>> structure.auxiliary_losses(logits, y, weight=torch.ones(1, 2))
    {'calibrator': tensor(0.2500)}
    """

    auxiliary_names = ("calibrator",)

    def __init__(
        self,
        n_steps: int,
        *,
        calibrator_weight: float = 0.6,
        output: TaskOutput | Sequence[TaskOutput] | None = None,
    ) -> None:
        check_n_steps(n_steps)
        super().__init__(step_outputs(output, n_steps))
        self.calibrator_weight = calibrator_weight

    def auxiliary_losses(
        self, logits: Tensor, y: Tensor, weight: Tensor
    ) -> dict[str, Tensor]:
        """Return the calibrator, summed over the steps but the first."""
        excess = torch.sigmoid(logits).diff(dim=1).clamp(min=0)
        weight = (weight[:, 1:] + weight[:, :-1]) / 2
        return {"calibrator": self.calibrator_weight * (excess * weight).mean(0).sum()}

    def uncorrectable_tasks(self, task: int) -> list[int]:
        """Return the steps before the thinned one."""
        return list(range(task))

    def of_all_rows(self, logits: Tensor) -> Tensor:
        r"""Return the logits for all rows, given the logits for the training rows.

        Rows that reached a step reached the first one and were all kept, so that their
        probability is as for a funnel, :math:`P_k = r Q_k / (1 - (1 - r) Q_1)`.
        """
        if self.thinning is None:
            return logits
        kept, dropped = math.log(self.thinning.rate), math.log1p(-self.thinning.rate)
        lost_first = F.logsigmoid(-logits[:, :1]) + dropped
        missed = torch.logaddexp(F.logsigmoid(-logits) + kept, lost_first)
        return F.logsigmoid(logits) + kept - missed

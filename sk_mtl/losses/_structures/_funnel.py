"""Each column of y a step that is reached only through the one before."""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from sk_mtl._relations import order_tasks
from sk_mtl.losses._outputs._numerics import (
    binary_log_proba,
    check_n_steps,
    log_mean_exp,
)
from sk_mtl.losses._outputs._step_outputs import step_outputs
from sk_mtl.losses._outputs._task_output import TaskOutput
from sk_mtl.losses._structures._independent import IndependentStructure
from sk_mtl.losses._structures._structure import Structure


class FunnelStructure(Structure):
    r"""logits (n, n_steps) -> losses (n, n_steps) over the entire space.

    Column k of y says "reached step k", for instance clicked, then bought. The logit
    :math:`z_k` is that of reaching step k *given* step k - 1, so

    .. math:: P_k = \prod_{j \le k} \sigma(z_j),

    and a row's loss on step k is the binary cross-entropy of the product :math:`P_k`
    against column k. It is taken over all rows, those that failed before included.
    With two steps the sum of both columns is the paper's loss, that of the
    click-through rate plus that of click-and-conversion, and no conversion rate is
    learnt on clicked rows alone.

    Nothing is multiplied: with :math:`\ell_k = \sum_{j \le k} \log \sigma(z_j) = \log
    P_k`, the ways to miss step k are "lost at step j" for each :math:`j \le k`,

    .. math:: \log(1 - P_k) = \mathrm{logsumexp}_{j \le k}
              (\ell_{j-1} + \log \sigma(-z_j)),

    and the difference of the two is the logit of :math:`P_k`. Losses and probabilities
    are computed from this *cumulative logit* by the usual stable functions. Gradients
    and probabilities so keep their relative precision in very rare steps, where
    :math:`1 - P_k` rounds to 1, and stay finite where all logits are in the hundreds.

    Steps need not form a chain: after a click, "liked" and "bought" may each build on
    the click and not on each other. Then :math:`j \le k` means "on the way to step k",
    and "the step before" is ``parents[k]``.

    Parameters
    ----------
    n_steps : int
        The number of steps.
    parents : sequence of int or None, default=None
        For each step the index of the step that it builds on, or None for a first step.
        None in its place is the chain, in which each builds on the one to its left.
    output : TaskOutput, sequence of TaskOutput or None, default=None
        The loss of the products against the columns of y, one for all steps or one for
        each: of two classes, with one logit whose sigmoid is the probability. None is
        plain cross-entropy.

    Attributes
    ----------
    parents : tuple of int or None
        For each step the one that it builds on.

    References
    ----------
    X. Ma, L. Zhao, G. Huang, Z. Wang, Z. Hu, X. Zhu and K. Gai (2018). Entire Space
    Multi-Task Model: An Effective Approach for Estimating Post-Click Conversion Rate.
    SIGIR.

    Examples
    --------
    Each step is reached with probability 1/2 from the one before.

    >>> import torch
    >>> from sk_mtl.losses import FunnelStructure
    >>> structure = FunnelStructure(2)
    >>> [log_proba.exp() for log_proba in structure.log_proba(torch.zeros(1, 2))]
    [tensor([[0.5000, 0.5000]]), tensor([[0.7500, 0.2500]])]

    Both the second and the third step build on the first.

    >>> structure = FunnelStructure(3, parents=[None, 0, 0])
    >>> [log_proba.exp()[0, 1] for log_proba in structure.log_proba(torch.zeros(1, 3))]
    [tensor(0.5000), tensor(0.2500), tensor(0.2500)]
    """

    def __init__(
        self,
        n_steps: int,
        parents: Sequence[int | None] | None = None,
        *,
        output: TaskOutput | Sequence[TaskOutput] | None = None,
    ) -> None:
        check_n_steps(n_steps)
        chain = (None, *range(n_steps - 1))
        self.n_tasks = n_steps
        # The losses of the products, as if they were tasks of their own.
        self._products = IndependentStructure(step_outputs(output, n_steps))
        self.may_be_negative = self._products.may_be_negative
        self.head_widths = (1,) * n_steps
        self.parents = chain if parents is None else tuple(parents)
        self._off_path: list[list[bool]] | None = None
        if self.parents != chain:
            paths, steps = _paths(n_steps, self.parents), range(n_steps)
            self._off_path = [[j not in path for j in steps] for path in paths]

    def row_losses(self, logits: Tensor, y: Tensor) -> Tensor:
        """Return the cross-entropy of reaching each step, (n_samples, n_steps)."""
        return self._products.row_losses(self.cumulative_logits(logits), y)

    def soft_losses(self, logits: Tensor, proba: Tensor) -> Tensor:
        """Return the expected cross-entropy of reaching each step, (n, n_steps).

        The probabilities are of the products too: of a click and a conversion, not of a
        conversion given a click.
        """
        return self._products.soft_losses(self.cumulative_logits(logits), proba)

    def answers(self, logits: Tensor) -> list[Tensor]:
        """Return per step the log-probabilities of not reaching and of reaching it."""
        logits = self.of_all_rows(logits)
        return list(binary_log_proba(self.cumulative_logits(logits)).unbind(1))

    def conditional_log_proba(self, logits: Tensor) -> list[Tensor]:
        """Return per step the log-probabilities given that the step before was reached.

        Each is (n_samples, 2); the second column is the step's own rate, such as the
        click-through rate and the conversion rate of a click.
        """
        return list(binary_log_proba(self.of_all_rows(logits)).unbind(1))

    def uncorrectable_tasks(self, task: int) -> list[int]:
        """Return the steps that are neither before nor behind the thinned one."""
        paths = _paths(self.n_tasks, self.parents)
        return [
            step
            for step, path in enumerate(paths)
            if task not in path and step not in paths[task]
        ]

    def of_all_rows(self, logits: Tensor) -> Tensor:
        r"""Return the logits for all rows, given the logits for the training rows.

        All rows that reached step t are training rows, and a share :math:`r` of all
        others. With :math:`Q` in the training rows, a row that reached t then counts
        :math:`r`, and a row that was lost before or at t counts 1, in proportion:

        .. math:: P_k = r Q_k / D, \quad P_j = (Q_j - (1 - r) Q_t) / D, \quad
                  D = 1 - (1 - r) Q_t,

        where k is t or a step behind it and j one before it. The rates of the steps
        behind t thus are the same in both. The logit of t's own rate is that in the
        training rows plus :math:`\log r`, and that of a step j before it plus
        :math:`\log(1 - (1 - r) Q_t / Q_j)`.
        """
        if self.thinning is None:
            return logits
        step, rate = self.thinning.task, self.thinning.rate
        columns = list(logits.unbind(1))
        columns[step] = logits[:, step] + math.log(rate)
        # The log-probability to reach the thinned step from the one at hand.
        onwards = F.logsigmoid(logits[:, step])
        for before in _paths(self.n_tasks, self.parents)[step][1:]:
            kept = torch.log1p((rate - 1) * onwards.exp())
            columns[before] = logits[:, before] + kept
            onwards = onwards + F.logsigmoid(logits[:, before])
        return torch.stack(columns, 1)

    def combine(self, logits: Tensor) -> Tensor:
        """Return the logits of the mean of several networks' probabilities.

        The mean is taken of the products P_k, and the logits of the steps follow from
        it: the odds of step k are the members' mean chance to reach it over their mean
        chance to be lost there.
        """
        reached, lost_here = self._reached_and_lost(logits)
        return log_mean_exp(reached) - log_mean_exp(lost_here)

    def cumulative_logits(self, logits: Tensor) -> Tensor:
        """Return the logits of the products P_k, (n_samples, n_steps)."""
        reached, lost_here = self._reached_and_lost(logits)
        # One row of `ways` per step. The mask instead of a cumulative logsumexp
        # costs nothing at a handful of steps, is more exact at large logits, and
        # has a counterpart in ONNX.
        off_path = self._off_path_mask(logits.device)
        ways = lost_here.unsqueeze(1).masked_fill(off_path, -torch.inf)
        return reached - torch.logsumexp(ways, 2)

    def _reached_and_lost(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        """Return the log-probabilities to reach each step and to be lost right there.

        The steps are the last axis.
        """
        going_on = F.logsigmoid(logits)
        if self._off_path is None:
            reached = going_on.cumsum(-1)
            before = F.pad(reached[..., :-1], (1, 0))
        else:
            off_path = self._off_path_mask(logits.device)
            reached = going_on.unsqueeze(-2).masked_fill(off_path, 0).sum(-1)
            # Before a first step stands what is certain, in front of all steps.
            places = [0 if parent is None else parent + 1 for parent in self.parents]
            before = F.pad(reached, (1, 0))[..., places]
        return reached, before + F.logsigmoid(-logits)

    def _off_path_mask(self, device: torch.device) -> Tensor:
        """Return for each step (row) which steps are not on the way to it."""
        if self._off_path is not None:
            return torch.tensor(self._off_path, device=device)
        shape = (self.n_tasks, self.n_tasks)
        return torch.ones(shape, dtype=torch.bool, device=device).triu(1)


def _paths(n_steps: int, parents: Sequence[int | None]) -> list[list[int]]:
    """Return the steps on the way to each step, from the step itself to a first one."""
    if len(parents) != n_steps:
        raise ValueError(
            f"parents must have one entry for each of the {n_steps} steps; found "
            f"{len(parents)}. Give None for a step that builds on no other."
        )
    for k, parent in enumerate(parents):
        if parent is not None and parent not in range(n_steps):
            raise ValueError(
                f"parents must hold indices of steps, 0 to {n_steps - 1}, or None; "
                f"found {parent!r} for step {k}. Correct the index."
            )
    before = {k: [] if on is None else [on] for k, on in enumerate(parents)}
    paths: dict[int, list[int]] = {}
    for k in order_tasks("parents", before):
        paths[k] = [k, *(j for on in before[k] for j in paths[on])]
    return [paths[k] for k in range(n_steps)]

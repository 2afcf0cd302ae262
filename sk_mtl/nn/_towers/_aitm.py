"""The tower stage of adaptive information transfer between consecutive steps."""

from collections.abc import Sequence
from typing import Unpack

import torch
from torch import Tensor, nn

from sk_mtl.nn._layers import BatchedMLP, LayerOptions
from sk_mtl.nn._towers._task_depths import task_depths
from sk_mtl.nn._towers._towers import TaskMLPs, Towers


class TransferTowers(nn.Module):
    r"""(n, n_tasks, in_width) -> logits (n, sum of out_widths).

    Adaptive information transfer (AITM): the tasks are steps, such as click, add to
    cart and purchase, each reached through the one before. The tower of step t turns
    the wiring's row into :math:`q_t`. The step before passes on
    :math:`p_{t-1} = g_{t-1}(z_{t-1})`, and attention decides row by row how much of
    each to use,

    .. math::

        z_1 = q_1, \qquad
        z_t = \sum_{u \in \{p_{t-1}, q_t\}} w_u \, h_1(u), \qquad
        w = \mathrm{softmax}\!\left(
            \frac{\langle h_2(u), h_3(u) \rangle}{\sqrt{d}} \right),

    and a linear head turns :math:`z_t` into the logits of step t. Here :math:`g_{t-1}`
    is one layer with activation, :math:`h_1, h_2, h_3` are linear, each step has its
    own four, and :math:`d` is the last of ``hidden_sizes``. A step with few labels,
    such as purchase, thus builds on features learnt from the many labels of the step
    before.

    The towers are multiplied at once, and so are the three projections of both rows
    of a step. The steps themselves are a loop, since each needs the one before.

    Parameters
    ----------
    in_width, hidden_sizes, out_widths
        As in `Towers`; all towers must end in the same width.
    transfer : bool, default=True
        Without the transfer :math:`z_t = q_t`, and the stage is the same as `Towers`.
    parents : sequence of int or None, default=None
        For each step the step before it, or None for a first step. None instead of a
        sequence is the chain, in which each step takes from the step to its left.
    **layers
        `LayerOptions` of the towers and of the layers :math:`g`.

    Attributes
    ----------
    pairs : list of (int, int)
        The steps that take something, each with the step that it takes from.

    References
    ----------
    D. Xi, Z. Chen, P. Yan, Y. Zhang, Y. Zhu, F. Zhuang and Y. Chen (2021). Modeling the
    Sequential Dependence among Audience Multi-step Conversions with Multi-task
    Learning in Targeted Display Advertising. KDD.

    Examples
    --------
    Three steps: the second and the third take from the step before.

    >>> import torch
    >>> from sk_mtl.nn import TransferTowers
    >>> towers = TransferTowers(4, [(8,)] * 3, [1, 1, 1])
    >>> hidden = torch.ones(6, 3, 4)
    >>> towers(hidden).shape, towers.transfer_weights(hidden).shape
    (torch.Size([6, 3]), torch.Size([6, 2]))
    """

    def __init__(
        self,
        in_width: int,
        hidden_sizes: Sequence[Sequence[int]],
        out_widths: Sequence[int],
        *,
        transfer: bool = True,
        parents: Sequence[int | None] | None = None,
        **layers: Unpack[LayerOptions],
    ) -> None:
        super().__init__()
        self.hidden = TaskMLPs(in_width, hidden_sizes, **layers)
        n_tasks, width = len(hidden_sizes), self.hidden.out_width
        before = (None, *range(n_tasks - 1)) if parents is None else parents
        depths = task_depths([() if j is None else (j,) for j in before])
        order = sorted(range(n_tasks), key=depths.__getitem__)
        pairs = [(k, before[k]) for k in order if before[k] is not None]
        self.pairs = pairs if transfer else []
        self.transfers = nn.ModuleList(
            InformationTransfer(width, **layers) for _ in self.pairs
        )
        self.heads = Towers(width, [()] * n_tasks, out_widths)

    def forward(self, hidden: Tensor) -> Tensor:
        """Return the logits of all steps side by side."""
        rows, _ = self._pass_on(self.hidden(hidden))
        return self.heads(rows.transpose(0, 1))

    def transfer_weights(self, hidden: Tensor) -> Tensor:
        """Return how much each step except the first takes from the step before.

        This is the attention to the step before, (n_samples, n_transfers), between 0
        (the step uses only its own tower) and 1, with a column for each of `pairs`;
        without transfer there is none.
        """
        _, shares = self._pass_on(self.hidden(hidden))
        return torch.cat([hidden.new_empty(len(hidden), 0), *shares], 1)

    def _pass_on(self, rows: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Return the steps' rows after the transfers, and the attention to these."""
        if not len(self.transfers):
            return rows, []
        passed, shares = list(rows.unbind(0)), []
        for transfer, (step, before) in zip(self.transfers, self.pairs):
            passed[step], share = transfer(passed[before], passed[step])
            shares.append(share)
        return torch.stack(passed), shares


class InformationTransfer(nn.Module):
    """before (n, width), own (n, width) -> mixture (n, width), attention (n, 1).

    The transfer of one step; the attention is to the row of the step before.
    """

    def __init__(self, width: int, **layers: Unpack[LayerOptions]) -> None:
        super().__init__()
        self.information = BatchedMLP(1, width, (width,), **layers)
        self.projections = nn.Linear(width, 3 * width, bias=False)

    def forward(self, before: Tensor, own: Tensor) -> tuple[Tensor, Tensor]:
        """Mix the row of the step before with the step's own row."""
        offered = self.information(before.unsqueeze(0))
        pair = self.projections(torch.cat([offered, own.unsqueeze(0)]))
        value, query, key = pair.chunk(3, 2)
        scores = (query * key).sum(2, keepdim=True) / value.shape[2] ** 0.5
        attention = torch.softmax(scores, 0)
        return (attention * value).sum(0), attention[0]

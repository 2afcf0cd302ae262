"""The tower stage of Bayesian relations between tasks."""

from collections.abc import Sequence
from itertools import groupby
from typing import Unpack

import torch
from torch import Tensor, nn

from sk_mtl.nn._layers import BatchedMLP, LayerOptions
from sk_mtl.nn._towers._task_depths import task_depths
from sk_mtl.nn._towers._towers import Permutation, TaskMLPs, Towers, inverse


class RelationTowers(nn.Module):
    r"""(n, n_tasks, in_width) -> logits (n, sum of out_widths).

    Deep Bayesian multi-target learning (DBMTL): the tasks form a directed acyclic
    graph, as in a Bayesian network. The tower of task k turns the wiring's row into
    :math:`q_k`. A second perceptron :math:`f_k`, the relation layer, reads it together
    with the rows of the tasks on which k depends,

    .. math:: r_k = f_k([q_k, r_{j_1}, ..., r_{j_m}]), \quad
              \{j_1, ..., j_m\} = \mathrm{parents}(k),

    with parents(k) = ``relations[k]``, and a linear head turns :math:`r_k` into the
    logits of task k. So the prediction of a label uses the rows of the tasks before it,
    along every path of the graph, and the labels of a task also train the towers of the
    tasks before it.

    Tasks of the same depth in the graph with equally many parents are computed at
    once. Without relations the stage is the same as `Towers` with the relation layers
    appended to every tower.

    Parameters
    ----------
    in_width, hidden_sizes, out_widths
        As in `Towers`; all towers must end in the same width.
    relations : sequence of sequence of int, one per task
        The indices of the tasks on which each task depends, without a circle.
    relation_hidden_sizes : sequence of int, default=(32,)
        The relation layers of every task, at least one.
    **layers
        `LayerOptions` of towers and relation layers.

    References
    ----------
    Q. Wang, Z. Ji, H. Liu and B. Zhao (2019). Deep Bayesian Multi-Target Learning for
    Recommender Systems. arXiv:1902.09154.

    Examples
    --------
    Both like and share depend on the click, and no task depends on them.

    >>> import torch
    >>> from sk_mtl.nn import RelationTowers
    >>> towers = RelationTowers(4, [(8,)] * 3, [1, 1, 1], [(), (0,), (0,)])
    >>> towers(torch.ones(6, 3, 4)).shape
    torch.Size([6, 3])
    """

    def __init__(
        self,
        in_width: int,
        hidden_sizes: Sequence[Sequence[int]],
        out_widths: Sequence[int],
        relations: Sequence[Sequence[int]],
        *,
        relation_hidden_sizes: Sequence[int] = (32,),
        **layers: Unpack[LayerOptions],
    ) -> None:
        super().__init__()
        n_tasks = len(hidden_sizes)
        if len(relations) != n_tasks:
            raise ValueError(
                f"relations must have one entry for each of the {n_tasks} tasks; found "
                f"{len(relations)}. Give () for a task that depends on no other."
            )
        if len(relation_hidden_sizes) < 1:
            raise ValueError(
                "relation_hidden_sizes must hold at least one layer width; found "
                f"{tuple(relation_hidden_sizes)}. Give for example (32,)."
            )
        depths = task_depths(relations)
        kinds = [(depths[k], len(relations[k])) for k in range(n_tasks)]
        order = sorted(range(n_tasks), key=kinds.__getitem__)
        places = inverse(order)
        self.hidden = TaskMLPs(in_width, hidden_sizes, **layers)
        self.groups = nn.ModuleList(
            RelationGroup(
                self.hidden.out_width,
                [[places[parent] for parent in relations[k]] for k in tasks],
                relation_hidden_sizes,
                **layers,
            )
            for _, tasks in groupby(order, key=kinds.__getitem__)
        )
        self._group_sizes = [group.n_tasks for group in self.groups]
        self.heads = Towers(relation_hidden_sizes[-1], [()] * n_tasks, out_widths)
        self.sort, self.unsort = Permutation(order), Permutation(places)

    def forward(self, hidden: Tensor) -> Tensor:
        """Return the logits of all tasks side by side."""
        first, *others = self.sort(self.hidden(hidden)).split(self._group_sizes)
        rows = self.groups[0](first, None)
        for group, own in zip(self.groups[1:], others):
            rows = torch.cat([rows, group(own, rows)])
        return self.heads(self.unsort(rows).transpose(0, 1))


class RelationGroup(nn.Module):
    """own (n_tasks, n, width), earlier (n_earlier, n, out) -> (n_tasks, n, out).

    Relation layers of tasks with the same number of parents, all of them earlier.
    """

    parents: Tensor

    def __init__(
        self,
        width: int,
        parents: Sequence[Sequence[int]],
        hidden_sizes: Sequence[int],
        **layers: Unpack[LayerOptions],
    ) -> None:
        super().__init__()
        self.n_tasks, self.n_parents = len(parents), len(parents[0])
        in_width = width + self.n_parents * hidden_sizes[-1]
        self.relation = BatchedMLP(self.n_tasks, in_width, hidden_sizes, **layers)
        flat = torch.tensor([each for task in parents for each in task]).long()
        self.register_buffer("parents", flat, persistent=False)

    def forward(self, own: Tensor, earlier: Tensor | None) -> Tensor:
        """Return each task's row, computed from its own and its parents' rows."""
        if earlier is not None:
            rows = earlier.index_select(0, self.parents)
            rows = rows.unflatten(0, (self.n_tasks, self.n_parents))
            own = torch.cat([own, rows.transpose(1, 2).flatten(2)], 2)
        return self.relation(own)

"""One tower per task, those of equal sizes in one product."""

from collections.abc import Sequence
from itertools import groupby

import torch
from torch import Tensor, nn

from sk_mtl.nn._layers import BatchedHeads, BatchedMLP


class Towers(nn.Module):
    """(n, n_tasks, in_width) -> logits (n, sum of out_widths).

    Each task's tower is a multilayer perceptron that ends in the task's logits. Towers
    with equal hidden sizes are stacked and multiplied at once, their heads likewise
    where the output widths agree. When all towers agree, which is the common case, no
    row is copied or reordered on the way.

    The logits of the tasks stand side by side in the order of the tasks, whatever the
    grouping.

    Parameters
    ----------
    in_width : int
        The width of each task's input.
    hidden_sizes : sequence of sequence of int, one per task
        The hidden layers of each tower; ``()`` is a linear head.
    out_widths : sequence of int
        The number of logits of each task: 1 for two classes, else the class count.
    activation : str, default="relu"
        One of `ACTIVATIONS`, after every hidden layer.
    dropout : float, default=0.0
        The share of hidden units that are zeroed in training.
    batch_norm : bool, default=False
        Whether hidden layers are normalised over the batch before their activation.

    Examples
    --------
    A tower with one hidden layer and one logit beside a linear head with three.

    >>> import torch
    >>> from sk_mtl.nn import Towers
    >>> Towers(4, [(8,), ()], [1, 3])(torch.ones(6, 2, 4)).shape
    torch.Size([6, 4])
    """

    task_order: Tensor | None
    logit_order: Tensor | None

    def __init__(
        self,
        in_width: int,
        hidden_sizes: Sequence[Sequence[int]],
        out_widths: Sequence[int],
        *,
        activation: str = "relu",
        dropout: float = 0.0,
        batch_norm: bool = False,
    ) -> None:
        super().__init__()
        if len(hidden_sizes) != len(out_widths):
            raise ValueError(
                "hidden_sizes and out_widths must have one entry per task; found "
                f"{len(hidden_sizes)} and {len(out_widths)} entries. Give a tuple of "
                "hidden sizes for every task."
            )
        sizes = [tuple(size) for size in hidden_sizes]
        seen = list(dict.fromkeys(sizes))
        order = sorted(
            range(len(sizes)), key=lambda k: (seen.index(sizes[k]), out_widths[k])
        )
        self.groups = nn.ModuleList(
            TowerGroup(
                in_width,
                size,
                [out_widths[k] for k in tasks],
                activation=activation,
                dropout=dropout,
                batch_norm=batch_norm,
            )
            for size, tasks in groupby(order, key=sizes.__getitem__)
        )
        self._group_sizes = [sizes.count(size) for size in seen]
        self.register_buffer("task_order", _unless_sorted(order), persistent=False)
        columns = _logit_columns(order, out_widths)
        self.register_buffer("logit_order", _unless_sorted(columns), persistent=False)

    def forward(self, hidden: Tensor) -> Tensor:
        """Return the logits of all tasks side by side."""
        tasks = hidden.transpose(0, 1)
        if self.task_order is not None:
            tasks = tasks.index_select(0, self.task_order)
        parts = _split(tasks, self._group_sizes)
        logits = _join([group(part) for group, part in zip(self.groups, parts)])
        if self.logit_order is not None:
            logits = logits.index_select(1, self.logit_order)
        return logits


class TowerGroup(nn.Module):
    """(n_towers, n, in_width) -> logits (n, sum of out_widths).

    Towers with the same hidden sizes, ordered by their output widths. The hidden layers
    are batched over all of them, the heads over those of equal output width.
    """

    def __init__(
        self,
        in_width: int,
        hidden_sizes: Sequence[int],
        out_widths: Sequence[int],
        *,
        activation: str,
        dropout: float,
        batch_norm: bool,
    ) -> None:
        super().__init__()
        self.hidden = BatchedMLP(
            len(out_widths),
            in_width,
            hidden_sizes,
            activation=activation,
            dropout=dropout,
            batch_norm=batch_norm,
        )
        heads = [(width, len(list(same))) for width, same in groupby(out_widths)]
        self.heads = nn.ModuleList(
            BatchedHeads(count, self.hidden.out_features, width)
            for width, count in heads
        )
        self._head_sizes = [count for _, count in heads]

    def forward(self, x: Tensor) -> Tensor:
        """Return the group's logits side by side."""
        parts = _split(self.hidden(x), self._head_sizes)
        return _join([head(part) for head, part in zip(self.heads, parts)])


def _split(x: Tensor, sizes: list[int]) -> Sequence[Tensor]:
    """Return the parts along the first axis; a single one keeps its gradient whole.

    The gradient of a split is joined from its parts' gradients, which would copy even
    a single part.
    """
    return (x,) if len(sizes) == 1 else x.split(sizes, 0)


def _join(blocks: list[Tensor]) -> Tensor:
    """Return the blocks side by side; a single one is not copied."""
    return blocks[0] if len(blocks) == 1 else torch.cat(blocks, 1)


def _unless_sorted(order: list[int]) -> Tensor | None:
    """Return the order as an index, or None where it changes nothing."""
    return None if order == sorted(order) else torch.tensor(order)


def _logit_columns(order: list[int], out_widths: Sequence[int]) -> list[int]:
    """Return where each logit, in task order, stands among the grouped logits."""
    columns: dict[int, list[int]] = {}
    start = 0
    for task in order:
        columns[task] = list(range(start, start + out_widths[task]))
        start += out_widths[task]
    return [column for task in range(len(order)) for column in columns[task]]

"""Towers, one per task; towers of equal sizes share one product."""

from collections.abc import Sequence
from itertools import groupby
from typing import Unpack

import torch
from torch import Tensor, nn

from sk_mtl.nn._layers import BatchedHeads, BatchedMLP, LayerOptions


class Towers(nn.Module):
    """(n, n_tasks, in_width) -> logits (n, sum of out_widths).

    Each task's tower is a multilayer perceptron that ends in the task's logits. Towers
    with equal hidden sizes are stacked and multiplied at once, and so are heads of
    equal output widths. If all towers agree, which is the common case, no row is copied
    or reordered.

    The logits of the tasks stand side by side in the order of the tasks, for any
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
        self.sort = Permutation(order)
        self.unsort = Permutation(_logit_columns(order, out_widths), dim=1)

    def forward(self, hidden: Tensor) -> Tensor:
        """Return the logits of all tasks side by side."""
        parts = _split(self.sort(hidden.transpose(0, 1)), self._group_sizes)
        logits = [group(part) for group, part in zip(self.groups, parts)]
        return self.unsort(_join(logits))


class TaskMLPs(nn.Module):
    """(n, n_tasks, in_width) -> (n_tasks, n, out_width).

    The hidden layers of towers, without their heads, for tower stages that combine the
    tasks' rows. Each task has a perceptron of its own sizes; perceptrons of equal sizes
    are multiplied at once. All must end in the same width, so that the rows can be
    stacked and added.

    Parameters
    ----------
    in_width : int
        The width of each task's input.
    hidden_sizes : sequence of sequence of int, one per task
        The layers of each perceptron; ``()`` passes the input on.
    **layers
        `LayerOptions` of the perceptrons.

    Attributes
    ----------
    out_width : int
        The last of each task's ``hidden_sizes``.

    Examples
    --------
    One task has one more layer than the other; both end in three units.

    >>> import torch
    >>> from sk_mtl.nn import TaskMLPs
    >>> TaskMLPs(4, [(8, 3), (3,)])(torch.ones(6, 2, 4)).shape
    torch.Size([2, 6, 3])
    """

    def __init__(
        self,
        in_width: int,
        hidden_sizes: Sequence[Sequence[int]],
        **layers: Unpack[LayerOptions],
    ) -> None:
        super().__init__()
        sizes = [tuple(size) for size in hidden_sizes]
        last = [(in_width, *size)[-1] for size in sizes]
        if len(set(last)) != 1:
            raise ValueError(
                "tower_hidden_sizes must end in the same width for every task where "
                f"the towers' rows are added or compared; found last widths {last}. "
                "Change the last layers, or add one."
            )
        self.out_width = last[0]
        seen = list(dict.fromkeys(sizes))
        order = sorted(range(len(sizes)), key=lambda k: seen.index(sizes[k]))
        self._group_sizes = [sizes.count(size) for size in seen]
        self.groups = nn.ModuleList(
            BatchedMLP(sizes.count(size), in_width, size, **layers) for size in seen
        )
        self.sort, self.unsort = Permutation(order), Permutation(inverse(order))

    def forward(self, hidden: Tensor) -> Tensor:
        """Return the rows of all tasks, the tasks along the first axis."""
        parts = _split(self.sort(hidden.transpose(0, 1)), self._group_sizes)
        rows = [group(part) for group, part in zip(self.groups, parts)]
        return self.unsort(_join(rows, 0))


class TowerGroup(nn.Module):
    """(n_towers, n, in_width) -> logits (n, sum of out_widths).

    Towers with the same hidden sizes, ordered by their output widths. The hidden layers
    are batched over all towers, the heads over the towers of equal output width.
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


class Permutation(nn.Module):
    """x -> the same shape, with its parts along an axis reordered.

    If every part stays in place, x itself is returned, without a copy.
    """

    order: Tensor | None

    def __init__(self, order: list[int], dim: int = 0) -> None:
        super().__init__()
        self.dim = dim
        index = None if order == sorted(order) else torch.tensor(order)
        self.register_buffer("order", index, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return the parts in the order."""
        return x if self.order is None else x.index_select(self.dim, self.order)


def _split(x: Tensor, sizes: list[int]) -> Sequence[Tensor]:
    """Return the parts along the first axis; a single part is not split.

    The gradient of a split is concatenated from its parts' gradients, which would copy
    even a single part.
    """
    return (x,) if len(sizes) == 1 else x.split(sizes, 0)


def _join(blocks: list[Tensor], dim: int = 1) -> Tensor:
    """Return the blocks joined along an axis; a single one is not copied."""
    return blocks[0] if len(blocks) == 1 else torch.cat(blocks, dim)


def inverse(order: list[int]) -> list[int]:
    """Return the position of each entry in an order: the inverse permutation."""
    return sorted(range(len(order)), key=order.__getitem__)


def _logit_columns(order: list[int], out_widths: Sequence[int]) -> list[int]:
    """Return the positions of logits, in task order, among the grouped logits."""
    columns: dict[int, list[int]] = {}
    start = 0
    for task in order:
        columns[task] = list(range(start, start + out_widths[task]))
        start += out_widths[task]
    return [column for task in range(len(order)) for column in columns[task]]

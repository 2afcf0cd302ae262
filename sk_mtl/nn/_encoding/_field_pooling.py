"""Pooling of the embeddings of a group of fields into one vector."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from sk_mtl.nn._encoding._fields import FieldStacks, check_equal_widths

GROUP_POOLINGS = ("concat", "sum", "mean")


class FieldPooling(nn.Module):
    """stacks of fields, each (n, n_fields, width) -> one (n, width) per group.

    The fields of a group are added, or averaged, entry by entry, as in the figure of
    the paper on the entire-space multi-task model: its *user field* is the sum of the
    embeddings of all columns about the user. Fields in no group form one of their own,
    which stands last.

    The groups come in their order, groups of narrower fields before wider ones.

    Parameters
    ----------
    stacks : FieldStacks
        The fields of the stacks.
    field_widths : sequence of int
        The width of each field.
    groups : sequence of sequence of int or None
        The fields of each group. None is a single group of all fields.
    mode : {"sum", "mean"}
        Pooling of the fields of a group.

    Attributes
    ----------
    widths : list of int
        The width of each vector in the result.
    """

    def __init__(
        self,
        stacks: FieldStacks,
        field_widths: Sequence[int],
        groups: Sequence[Sequence[int]] | None,
        mode: str,
    ) -> None:
        super().__init__()
        groups = _complete(groups or [], len(field_widths))
        for position, group in enumerate(groups):
            what = f"group_pooling={mode!r} in group {position}"
            check_equal_widths(group, field_widths, what)
        self.mode = mode
        self._sizes, self.widths = [], []
        for stack, (fields, width) in enumerate(zip(stacks.fields, stacks.widths)):
            members = [group for group in groups if field_widths[group[0]] == width]
            order = [fields.index(field) for group in members for field in group]
            is_sorted = order == sorted(order)
            index = None if is_sorted else torch.tensor(order)
            self.register_buffer(f"order_{stack}", index, persistent=False)
            self._sizes.append([len(group) for group in members])
            self.widths += [width] * len(members)

    def forward(self, stacks: Sequence[Tensor]) -> list[Tensor]:
        """Pool the fields of every group."""
        pooled = []
        for position, (stack, sizes) in enumerate(zip(stacks, self._sizes)):
            order = getattr(self, f"order_{position}")
            if order is not None:
                stack = stack.index_select(1, order)
            for part in stack.split(sizes, 1):
                pooled.append(part.sum(1) if self.mode == "sum" else part.mean(1))
        return pooled

    def extra_repr(self) -> str:
        """Return the settings that ``repr`` shows."""
        return f"mode={self.mode!r}, widths={self.widths}"


def _complete(groups: Sequence[Sequence[int]], n_fields: int) -> list[list[int]]:
    """Return the checked groups, followed by a group of the remaining fields."""
    named = [field for group in groups for field in group]
    wrong = [field for field in named if not 0 <= field < n_fields]
    if wrong or len(set(named)) < len(named) or not all(map(len, groups)):
        raise ValueError(
            f"field_groups must hold each of the {n_fields} fields at most once, as "
            f"its position from 0, and no empty group; found {list(groups)}. Name "
            "every field in one group only."
        )
    rest = [field for field in range(n_fields) if field not in named]
    return [list(group) for group in groups] + ([rest] if rest else [])

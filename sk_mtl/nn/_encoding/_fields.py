"""The places of fields in the blocks of an encoder."""

from collections.abc import Sequence

import torch
from torch import Tensor


class FieldStacks:
    """blocks, each (n, fields * width) -> stacks, each (n, n_fields, width).

    A *field* is one embedding of a row: a column's, a pooled sequence's or an embedded
    number's. The encoder makes blocks of fields side by side; here the fields of
    equal width become one stack, where they can be added and weighed.

    Parameters
    ----------
    block_fields : sequence of sequence of int
        The fields of each block.
    block_widths : sequence of int
        The width of every field in a block.

    Attributes
    ----------
    widths : list of int
        The width of each stack, narrowest first.
    fields : list of list of int
        The fields of each stack, in its order.
    """

    def __init__(
        self, block_fields: Sequence[Sequence[int]], block_widths: Sequence[int]
    ) -> None:
        self.widths = sorted(set(block_widths))
        self._blocks = [
            [b for b, width in enumerate(block_widths) if width == stack]
            for stack in self.widths
        ]
        self.fields = [
            [field for b in blocks for field in block_fields[b]]
            for blocks in self._blocks
        ]

    def __call__(self, blocks: Sequence[Tensor]) -> list[Tensor]:
        """Return one stack per width."""
        return [
            torch.cat([blocks[b] for b in members], 1).unflatten(1, (-1, width))
            for members, width in zip(self._blocks, self.widths)
        ]


def check_equal_widths(
    fields: Sequence[int], field_widths: Sequence[int], what: str
) -> None:
    """Raise if the fields' widths differ; `what` begins the message."""
    if len({field_widths[field] for field in fields}) > 1:
        found = ", ".join(f"{field} ({field_widths[field]})" for field in fields)
        raise ValueError(
            f"{what} needs fields of equal width; found, by position, {found}. Give "
            "these fields one width."
        )

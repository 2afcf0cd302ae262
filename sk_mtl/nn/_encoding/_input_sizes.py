"""The sizes for which an interaction of features is made."""

from collections.abc import Sequence
from typing import NamedTuple


class InputSizes(NamedTuple):
    """Sizes of an encoder's input and of the logits behind it.

    Parameters
    ----------
    width : int
        The width of the whole input, embedded fields and numeric columns joined.
    n_fields : int
        The number of embedded fields.
    field_width : int or None
        The width of every field; None if their widths differ or there are none.
    n_heads : int
        The number of logits.
    """

    width: int
    n_fields: int
    field_width: int | None
    n_heads: int

    @classmethod
    def of(cls, width: int, field_widths: Sequence[int], n_heads: int) -> "InputSizes":
        """Return the sizes of an input with fields of these widths."""
        distinct = set(field_widths)
        equal = distinct.pop() if len(distinct) == 1 else None
        return cls(width, len(field_widths), equal, n_heads)

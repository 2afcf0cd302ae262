"""The padded columns of one sequence of codes."""

import copy
from collections.abc import Mapping

import numpy as np

from sk_mtl.preprocessing._encoders._sequence_encoder import PADDING
from sk_mtl.preprocessing._schema._code_columns import (
    code_columns,
    extended_columns,
    read_numbers,
)


class SequenceBlock:
    """The columns of one sequence: a code per item, then padding up to the last column.

    Parameters
    ----------
    positions : ndarray of int
        Output columns of the preprocessor, one per place in the sequence.
    name : str
        Name of the sequence.
    column : CodeColumn
        What the encoder knows of it.

    Attributes
    ----------
    share_with : str or None
        The column whose codes it is to share.
    """

    kind = "sequence"
    is_ordered = False

    def __init__(self, positions, name, column):
        self.positions = positions
        self.names = [name]
        self.columns = [column]
        self.cardinalities = [column.vocabulary.cardinality]
        self.share_with = None

    def extended(self, vocabularies):
        """Let the encoder, in place, know the larger vocabulary of its column.

        Returns the block that reads its codes; this one takes the former codes only.
        """
        block = copy.copy(self)
        block.columns = extended_columns(self.columns, vocabularies, self.names)
        block.cardinalities = [block.columns[0].vocabulary.cardinality]
        return block

    def read(self, columns):
        """Return the codes, cut to the longest sequence but at least one column."""
        n_places = len(self.positions)
        values = read_numbers(
            columns, self.names * n_places, self.cardinalities * n_places
        )
        with np.errstate(invalid="ignore"):
            codes = values.astype(np.int32, copy=False)
        self._refuse(values, codes)
        is_item = codes != PADDING
        gaps = ~is_item[:, :-1] & is_item[:, 1:]
        if gaps.any():
            row = int(np.argmax(gaps.any(axis=1)))
            self._raise(f"found an item behind padding in row {row}")
        longest = int(np.count_nonzero(is_item.any(axis=0)))
        return np.ascontiguousarray(codes[:, : max(longest, 1)])

    def _refuse(self, values, codes):
        if (
            codes.min(initial=0) >= PADDING
            and codes.max(initial=0) < self.cardinalities[0]
            and (codes is values or np.array_equal(codes, values))
        ):
            return
        wrong = (codes != values) | (codes < PADDING)
        wrong |= codes >= self.cardinalities[0]
        row, place = np.argwhere(wrong)[0]
        self._raise(f"found {values[row, place]} in row {row}")

    def _raise(self, found):
        raise ValueError(
            f"Codes of sequence {self.names[0]!r} must be integers from 0 to "
            f"{self.cardinalities[0] - 1}, then -1 up to the end of the row; {found}; "
            "the preprocessor must be the one that the schema was read off, and no "
            "step after the encoder may change its codes."
        )


def sequence_blocks(encoder, positions, names):
    """Return one block per column of a fitted `SequenceEncoder`.

    Parameters
    ----------
    encoder : SequenceEncoder
    positions : ndarray of int
        Output columns of the preprocessor that the encoder wrote.
    names : list of str
        Their names. That of a sequence is theirs without the place, `_0`.

    Returns
    -------
    blocks : list of SequenceBlock
    """
    columns = code_columns(encoder, encoder.n_features_in_)
    inputs = getattr(encoder, "feature_names_in_", [None] * len(columns))
    places = np.split(positions, len(columns))
    blocks = []
    for column, where, source in zip(columns, places, inputs, strict=True):
        first = names[where[0] - positions[0]]
        name = first.removesuffix("_0")
        if name == first and source is not None:
            name = str(source)
        blocks.append(SequenceBlock(where, name, column))
    for block, source in zip(blocks, inputs, strict=True):
        block.share_with = _shared_column(encoder, source, block.names[0])
    _check_keys(encoder.share_with, [*inputs, *(block.names[0] for block in blocks)])
    return blocks


def _shared_column(encoder, *names):
    """The column that a sequence of one of these names shares its codes with."""
    if not isinstance(encoder.share_with, Mapping):
        return encoder.share_with
    found = [encoder.share_with[name] for name in names if name in encoder.share_with]
    return found[0] if found else None


def _check_keys(share_with, names):
    """Refuse a dict that names a sequence which the encoder does not have."""
    names = list(dict.fromkeys(name for name in names if name is not None))
    for name in share_with if isinstance(share_with, Mapping) else ():
        if name not in names:
            raise ValueError(
                "share_with of a SequenceEncoder must be keyed by its columns "
                f"{names}; found {name!r}. Correct the name."
            )

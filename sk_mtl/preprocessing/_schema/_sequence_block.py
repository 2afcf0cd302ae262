"""The padded columns of one sequence of codes."""

import numpy as np

from sk_mtl.preprocessing._encoders._sequence_encoder import PADDING
from sk_mtl.preprocessing._schema._code_columns import code_columns, read_numbers


class SequenceBlock:
    """The columns of one sequence: a code per item, then padding up to the last column.

    Parameters
    ----------
    positions : ndarray of int
        Output columns of the preprocessor, one per place in the sequence.
    name : str
        Name of the sequence.
    column : CodeColumn
        The encoder's record of it.
    """

    kind = "sequence"
    is_ordered = False

    def __init__(self, positions, name, column):
        self.positions = positions
        self.names = [name]
        self.columns = [column]
        self.cardinalities = [column.vocabulary.cardinality]

    def with_columns(self, columns):
        """Return the block of the same output columns with another vocabulary."""
        return SequenceBlock(self.positions, self.names[0], *columns)

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
    return blocks

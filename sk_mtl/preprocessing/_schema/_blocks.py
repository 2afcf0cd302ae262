"""Groups of output columns that are read in the same way: numbers, codes or labels.

Every block turns its columns of a preprocessor's output into floats or into local
codes. Local codes count from 0 in each column, and 0 is the row of unknown categories.
`take` leaves out some of a block's columns.
"""

import copy

import numpy as np
from sklearn.preprocessing import OrdinalEncoder

from sk_mtl._frames import as_pandas
from sk_mtl.preprocessing._encoders._category_encoder import CategoryEncoder
from sk_mtl.preprocessing._schema._code_columns import (
    code_columns,
    equals,
    read_numbers,
)
from sk_mtl.preprocessing._tables._numbers import to_floats


class NumericBlock:
    """Columns of numbers.

    Parameters
    ----------
    positions : ndarray of int
        Output columns of the preprocessor.
    names : list of str
        Their names.
    sources : list of (int, str), default=None
        For each, the input column of the transformer that wrote it, and what it holds
        of it: its "value", a second "copy" of the value, or the "indicator" of its
        gaps. None if the transformer does not declare it.

    Attributes
    ----------
    n_values : ndarray of int or None
        Number of distinct training values of each, counted up to three, once known.
    limits : ndarray of float
        What each may be in size; infinity until the training rows are known.
    """

    kind = "numeric"

    def __init__(self, positions, names, sources=None):
        self.positions = positions
        self.names = names
        self.sources = sources
        self.n_values = None
        self.limits = np.full(len(names), np.inf)

    @property
    def primary(self):
        """Columns with a number of their own: no flag, no copy of another one."""
        sources = self.sources or [(None, "value")] * len(self.names)
        return [
            j
            for j, (_, role) in enumerate(sources)
            if role == "value" and self.n_values[j] > 2
        ]

    @property
    def indicators(self):
        """For columns whose gaps have an indicator column, the position of that."""
        sources = list(enumerate(self.sources or []))
        of_input = {source: j for j, (source, role) in sources if role == "indicator"}
        return {
            j: of_input[source]
            for j, (source, role) in sources
            if role != "indicator" and source in of_input
        }

    def take(self, kept):
        """Return the block of the columns at some positions in this one."""
        return _take(self, kept, ["names", "sources", "n_values", "limits"])

    def read(self, columns):
        """Return the columns as floats."""
        return to_floats(columns, self.names)


class LabelBlock:
    """Columns of labels (text or `category`) that no step has encoded.

    They get a vocabulary of their own, learned from the training rows.

    Parameters
    ----------
    positions : ndarray of int
        Output columns of the preprocessor.
    names : list of str
        Their names.
    columns : data frame or array of shape (n_samples, n_columns)
        Training rows of the columns.
    """

    kind = "categorical"
    is_ordered = False

    def __init__(self, positions, names, columns):
        self.positions = positions
        self.names = names
        frame = as_pandas(columns).set_axis(names, axis=1)
        encoders = [
            CategoryEncoder().fit(frame.iloc[:, [j]]) for j in range(len(names))
        ]
        self.columns = [code_columns(encoder, 1)[0] for encoder in encoders]

    @property
    def cardinalities(self):
        """Number of codes of each column."""
        return [column.vocabulary.cardinality for column in self.columns]

    def take(self, kept):
        """Return the block of the columns at some positions in this one."""
        return _take(self, kept, ["names", "columns"])

    def with_columns(self, columns):
        """Return the block of the same output columns with other vocabularies."""
        block = copy.copy(self)
        block.columns = columns
        return block

    def read(self, columns):
        """Return the local codes of the columns."""
        frame = as_pandas(columns).set_axis(self.names, axis=1)
        codes = [
            np.asarray(column.encoder.transform(frame.iloc[:, [j]]))
            for j, column in enumerate(self.columns)
        ]
        return np.hstack(codes)


class CodeBlock:
    """Columns of integer codes that one encoder wrote.

    The local code of a known category is the encoder's code plus `shift`; a missing
    value has the local code after the known ones where training had missing values.
    Where the encoder writes the same for unknown and missing, both read as unknown.

    Parameters
    ----------
    positions : ndarray of int
        Output columns of the preprocessor.
    names : list of str
        Their names.
    n_codes : list of int
        Codes from 0 to `n_codes[j] - 1` are known in column j.
    shift : {0, 1}, default=1
        0 for an encoder that itself writes 0 for unknown, else 1.
    unknown : int, nan or None, default=None
        What the encoder writes for an unknown category.
    missing : int, nan or None, default=None
        What the encoder writes for a missing value.
    has_missing : list of bool, default=None
        Columns where training had missing values; None means no column.
    columns : list of CodeColumn, default=None
        The encoder's record of each column.

    Attributes
    ----------
    is_ordered : bool
        Whether the user gave the categories in an order, so that the codes are
        quantities as well.
    """

    kind = "categorical"
    is_ordered = False

    def __init__(
        self,
        positions,
        names,
        n_codes,
        *,
        shift=1,
        unknown=None,
        missing=None,
        has_missing=None,
        columns=None,
    ):
        self.positions = positions
        self.names = names
        self.n_codes = np.asarray(n_codes, dtype=np.int64)
        self.shift = shift
        self.unknown = unknown
        self.missing = missing
        if has_missing is None:
            has_missing = [False] * len(names)
        self.has_missing = np.asarray(has_missing, dtype=bool)
        self.columns = columns
        self.cardinalities = (self.n_codes + shift + self.has_missing).tolist()

    @classmethod
    def of(cls, encoder, positions, names):
        """Return the block of a fitted `CategoryEncoder` or the like."""
        columns = code_columns(encoder, len(names))
        cardinalities = [column.vocabulary.cardinality for column in columns]
        if not isinstance(encoder, OrdinalEncoder):
            return cls(positions, names, cardinalities, shift=0, columns=columns)
        has_missing = [bool(column.missing_code) for column in columns]
        block = cls(
            positions,
            names,
            np.subtract(cardinalities, 1) - has_missing,
            unknown=encoder.unknown_value,
            missing=encoder.encoded_missing_value,
            has_missing=has_missing,
            columns=columns,
        )
        block.is_ordered = not isinstance(encoder.categories, str)
        return block

    def take(self, kept):
        """Return the block of the columns at some positions in this one."""
        parts = ["names", "n_codes", "has_missing", "columns", "cardinalities"]
        return _take(self, kept, parts)

    def with_columns(self, columns):
        """Return the block of the same output columns with other vocabularies."""
        cardinalities = [column.vocabulary.cardinality for column in columns]
        block = copy.copy(self)
        block.columns, block.cardinalities = columns, cardinalities
        block.n_codes = np.array(cardinalities) - self.shift - self.has_missing
        return block

    def read(self, columns):
        """Return the local codes of the columns."""
        columns = read_numbers(columns, self.names, self.n_codes)
        with np.errstate(invalid="ignore"):
            codes = columns.astype(np.int32, copy=False)
        if self._all_known(columns, codes):
            return codes + np.int32(self.shift) if self.shift else codes
        known = (codes == columns) & (codes >= 0) & (codes < self.n_codes)
        missing = equals(columns, self.missing) & self.has_missing & ~known
        unknown = equals(columns, self.unknown) & ~known & ~missing
        self._refuse(columns, ~(known | missing | unknown))
        codes = np.where(known, codes + self.shift, 0)
        return np.where(missing, self.n_codes + self.shift, codes)

    def _all_known(self, columns, codes):
        """Return whether all codes are known: cheaper than a mask of each kind."""
        return (
            codes.min(initial=0) >= 0
            and (codes.max(axis=0, initial=0) < self.n_codes).all()
            and (codes is columns or np.array_equal(codes, columns))
        )

    def _refuse(self, columns, wrong):
        if wrong.any():
            row, j = np.argwhere(wrong)[0]
            raise ValueError(
                f"Codes of column {self.names[j]!r} must be integers from 0 to "
                f"{self.n_codes[j] - 1}; found {columns[row, j]} in row {row}. Use the "
                "preprocessor that the schema was read off, without a step after the "
                "encoder that changes its codes."
            )


def _take(block, kept, parts):
    """Return a copy of a block with some of its columns."""
    taken = copy.copy(block)
    taken.positions = block.positions[kept]
    for part in parts:
        values = getattr(block, part)
        if isinstance(values, np.ndarray):
            setattr(taken, part, values[kept])
        elif values is not None:
            setattr(taken, part, [values[j] for j in kept])
    return taken

"""Groups of output columns that are read in the same way: numbers, codes or labels.

Every block turns its columns of a preprocessor's output into floats or into local
codes. Local codes count from 0 in each column, and 0 is the row of unknown categories.
"""

import math

import numpy as np

from sk_mtl.preprocessing._category_encoder import CategoryEncoder
from sk_mtl.preprocessing._code_reader import integer_limit
from sk_mtl.preprocessing._columns import as_pandas
from sk_mtl.preprocessing._numbers import to_floats


class NumericBlock:
    """Columns of numbers.

    Parameters
    ----------
    positions : ndarray of int
        Output columns of the preprocessor.
    names : list of str
        Their names.
    """

    kind = "numeric"

    def __init__(self, positions, names):
        self.positions = positions
        self.names = names

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

    def __init__(self, positions, names, columns):
        self.positions = positions
        self.names = names
        self.encoder = CategoryEncoder().fit(self._frame(columns))
        self.cardinalities = [int(count) for count in self.encoder.cardinalities_]

    def read(self, columns):
        """Return the local codes of the columns."""
        return np.asarray(self.encoder.transform(self._frame(columns)))

    def _frame(self, columns):
        return as_pandas(columns).set_axis(self.names, axis=1)


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
    """

    kind = "categorical"

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
    ):
        self.positions = positions
        self.names = names
        self.n_codes = np.asarray(n_codes, dtype=np.int64)
        self.shift = shift
        self.unknown = unknown
        self.missing = missing
        if has_missing is None or missing == unknown or _is_nan(missing, unknown):
            has_missing = [False] * len(names)
        self.has_missing = np.asarray(has_missing, dtype=bool)
        self.cardinalities = (self.n_codes + shift + self.has_missing).tolist()

    @classmethod
    def of(cls, encoder, positions, names):
        """Return the block of a fitted `CategoryEncoder` or `OrdinalEncoder`."""
        if isinstance(encoder, CategoryEncoder):
            return cls(positions, names, encoder.cardinalities_, shift=0)
        has_missing = [
            len(categories) > 0 and _is_nan(categories[-1])
            for categories in encoder.categories_
        ]
        n_codes = [
            len(categories) - absent
            for categories, absent in zip(encoder.categories_, has_missing, strict=True)
        ]
        if encoder.min_frequency is not None or encoder.max_categories is not None:
            for j, rare in enumerate(encoder.infrequent_categories_):
                n_codes[j] -= 0 if rare is None else len(rare) - 1
        return cls(
            positions,
            names,
            n_codes,
            unknown=encoder.unknown_value,
            missing=encoder.encoded_missing_value,
            has_missing=has_missing,
        )

    def read(self, columns):
        """Return the local codes of the columns."""
        if not isinstance(columns, np.ndarray) or columns.dtype.kind not in "iuf":
            columns = to_floats(columns, self.names)
        if columns.dtype.kind == "f":
            self._refuse_narrow(columns.dtype)
        with np.errstate(invalid="ignore"):
            codes = columns.astype(np.int32, copy=False)
        if self._all_known(columns, codes):
            return codes + np.int32(self.shift) if self.shift else codes
        known = (codes == columns) & (codes >= 0) & (codes < self.n_codes)
        missing = _equal(columns, self.missing) & self.has_missing & ~known
        unknown = _equal(columns, self.unknown) & ~known & ~missing
        self._refuse(columns, ~(known | missing | unknown))
        codes = np.where(known, codes + self.shift, 0)
        return np.where(missing, self.n_codes + self.shift, codes)

    def _all_known(self, columns, codes):
        """Whether all codes are known ones: cheaper than a mask of each kind."""
        return (
            codes.min(initial=0) >= 0
            and (codes.max(axis=0, initial=0) < self.n_codes).all()
            and (codes is columns or np.array_equal(codes, columns))
        )

    def _refuse_narrow(self, dtype):
        """Raise an error if floats of this dtype may have rounded the codes."""
        limit = integer_limit(dtype)
        wide = np.flatnonzero(self.n_codes > limit)
        if len(wide):
            raise ValueError(
                f"Codes of column {self.names[wide[0]]!r} must pass through the "
                f"preprocessor without rounding; found {self.n_codes[wide[0]]} codes "
                f"in {dtype}, which is exact only up to {limit:.0f}; let the "
                "preprocessor return float64 or integers."
            )

    def _refuse(self, columns, wrong):
        if wrong.any():
            row, j = np.argwhere(wrong)[0]
            raise ValueError(
                f"Codes of column {self.names[j]!r} must be integers from 0 to "
                f"{self.n_codes[j] - 1}; found {columns[row, j]} in row {row}; the "
                "preprocessor must be the one that the schema was read off, and no "
                "step after the encoder may change its codes."
            )


def _is_nan(*values):
    return all(isinstance(value, float) and math.isnan(value) for value in values)


def _equal(columns, marker):
    """Mask of the entries that equal the marker, which may be NaN or None."""
    if marker is None or (_is_nan(marker) and columns.dtype.kind != "f"):
        return np.zeros(columns.shape, dtype=bool)
    return np.isnan(columns) if _is_nan(marker) else columns == marker

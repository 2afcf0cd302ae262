"""Figures of the training rows by output column: constant, rare, missing."""

from typing import NamedTuple

import numpy as np
from scipy import sparse

from sk_mtl.preprocessing._encoders._sequence_encoder import PADDING
from sk_mtl.preprocessing._schema._blocks import LabelBlock
from sk_mtl.preprocessing._schema._output_columns import as_slice, take_columns
from sk_mtl.preprocessing._schema._schema_table import ALL_RARE, CONSTANT
from sk_mtl.preprocessing._tables._few_values import count_values
from sk_mtl.preprocessing._tables._numbers import to_floats

# Numbers are cut off at this multiple of the largest in size among the training rows,
# far beyond the range that training covers, within these two bounds.
_BEYOND_TRAINING = 100.0
_LEAST_LIMIT, _LARGEST_LIMIT = 1e4, 1e38

# So large may the numbers of training rows be: ten times as much is a number in single
# precision, too.
_LARGEST = 1e37


class ColumnReport(NamedTuple):
    """Figures of one column over the training rows; None where not known.

    Attributes
    ----------
    n_kept : int or None
        Categories with a code of their own.
    rare_share : float or None
        Share of rows (of a sequence: of items) whose category shares the rare code.
    missing_share : float or None
        Share of rows without a value (of a sequence: without an item).
    """

    n_kept: int | None = None
    rare_share: float | None = None
    missing_share: float | None = None


def without_constant_columns(blocks, Z):
    """Return blocks without the columns that have a single value, and these columns.

    All are kept where nothing would be left, and sequences always are.

    Parameters
    ----------
    blocks : list of block
    Z : array, sparse matrix or data frame of shape (n_samples, n_outputs)
        Training rows.

    Returns
    -------
    kept : list of block
    dropped : dict of str to int
        Names and positions of the columns left out, in order.
    reasons : dict of str to str
        Why each was left out, in the same order.
    """
    kept, dropped, reasons = [], {}, {}
    for block in blocks:
        constant = _is_constant(block, Z)
        for j in np.flatnonzero(constant):
            dropped[block.names[j]] = int(block.positions[j])
            reasons[block.names[j]] = ALL_RARE if _is_rare(block, j) else CONSTANT
        if not constant.any():
            kept.append(block)
        elif not constant.all():
            kept.append(block.take(np.flatnonzero(~constant)))
    in_order = dict(sorted(dropped.items(), key=lambda item: item[1]))
    if not kept:
        return blocks, {}, {}
    return kept, in_order, {name: reasons[name] for name in in_order}


def learn_limits(blocks, Z):
    """Set how large in size the numbers of each block may be.

    Parameters
    ----------
    blocks : list of block
    Z : array, sparse matrix or data frame of shape (n_samples, n_outputs)
        Training rows.
    """
    for block in blocks:
        if block.kind != "numeric":
            continue
        sizes = _largest_sizes(_values(block, Z))
        if sizes.max(initial=0.0) > _LARGEST:
            j = int(sizes.argmax())
            raise ValueError(
                f"Column {block.names[j]!r} must hold numbers of at most {_LARGEST:g} "
                f"in size after the preprocessor; found {sizes[j]:g}. Scale the column "
                "in the preprocessor, or replace such numbers by NaN."
            )
        beyond = _BEYOND_TRAINING * sizes
        block.limits = np.clip(beyond, _LEAST_LIMIT, _LARGEST_LIMIT)


def _largest_sizes(values):
    """Return the size of each column's largest finite number; 0 where there is none."""
    if sparse.issparse(values):
        sizes = abs(values).tocsc()
        sizes.data = np.where(np.isfinite(sizes.data), sizes.data, 0)
        return sizes.max(axis=0).toarray().ravel().astype(float)
    # An integer has no infinity, and the least one no opposite.
    values = values if values.dtype.kind == "f" else values.astype(float)
    if not np.isfinite(values).all():
        values = np.where(np.isfinite(values), values, 0)
    largest, least = values.max(axis=0, initial=0), values.min(axis=0, initial=0)
    return np.maximum(largest, -least).astype(float)


def _is_rare(block, j):
    """Return whether the only code of a constant column is its rare one."""
    if block.kind == "numeric":
        return False
    return block.columns[j].rare_code is not None and block.columns[j].n_kept == 0


def _is_constant(block, Z):
    """Return a mask of the block's columns with a single value."""
    if block.kind == "sequence":
        return np.zeros(1, dtype=bool)
    if block.kind == "numeric":
        block.n_values = count_values(_values(block, Z), limit=2)
        return block.n_values == 1
    if isinstance(block, LabelBlock):
        # The vocabulary was learned from these rows: unknown, and a single category.
        return np.array(block.cardinalities) <= 2
    return count_values(_values(block, Z), limit=1) == 1


def _values(block, Z):
    """Return the numbers of the block's columns."""
    if sparse.issparse(Z):
        return Z[:, block.positions]
    columns = take_columns(Z, as_slice(block.positions))
    if isinstance(columns, np.ndarray) and columns.dtype.kind in "iufb":
        return columns
    return to_floats(columns, block.names)


def report_columns(blocks, Z):
    """Return figures of each column over the training rows.

    Codes are read only of columns that have one for rare or for missing values.

    Parameters
    ----------
    blocks : list of block
    Z : array, sparse matrix or data frame of shape (n_samples, n_outputs)
        Training rows.

    Returns
    -------
    reports : dict of str to ColumnReport
    """
    reports = {}
    for block in blocks:
        report = _REPORTS[block.kind](block, Z)
        reports.update(zip(block.names, report, strict=True))
    return reports


def _report_numbers(block, Z):
    """Return shares of gaps from the indicators; 0 for a number that needs none."""
    indicator_of, shares = block.indicators, {}
    for indicator in set(indicator_of.values()):
        flags = take_columns(Z, block.positions[[indicator]])
        shares[indicator] = float(np.mean(to_floats(flags, ["indicator"]) != 0))
    reports = []
    sources = block.sources or [(None, "value")] * len(block.names)
    for j, (source, role) in enumerate(sources):
        has_none = source is not None and role != "indicator"
        share = shares.get(indicator_of.get(j), 0.0 if has_none else None)
        reports.append(ColumnReport(missing_share=share))
    return reports


def _report_codes(block, Z):
    looked_at = [
        j
        for j, column in enumerate(block.columns)
        if column.rare_code is not None or column.missing_code is not None
    ]
    reports = [ColumnReport(column.n_kept, 0.0, 0.0) for column in block.columns]
    if looked_at:
        part = block.take(looked_at)
        codes = part.read(take_columns(Z, as_slice(part.positions)))
        for j, column in zip(looked_at, codes.T, strict=True):
            known = block.columns[j]
            rare_share = _share(column, known.rare_code)
            missing_share = _share(column, known.missing_code)
            reports[j] = ColumnReport(known.n_kept, rare_share, missing_share)
    return reports


def _report_sequence(block, Z):
    column = block.columns[0]
    first = take_columns(Z, block.positions[:1])
    missing_share = _share(to_floats(first, block.names), PADDING)
    rare_share = 0.0
    if column.rare_code is not None:
        codes = block.read(take_columns(Z, as_slice(block.positions)))
        n_items = np.count_nonzero(codes != PADDING)
        rare_share = np.count_nonzero(codes == column.rare_code) / max(n_items, 1)
    return [ColumnReport(column.n_kept, rare_share, missing_share)]


def _share(values, code):
    return 0.0 if code is None else float(np.mean(values == code))


_REPORTS = {
    "numeric": _report_numbers,
    "categorical": _report_codes,
    "sequence": _report_sequence,
}

"""Columns that hold no more than one or two distinct values."""

import numpy as np
from scipy import sparse

_N_FIRST = 256
# Numbers that are looked at together: as many as stay in a processor's cache.
_N_TOGETHER = 2**16


def count_values(columns, limit):
    """Count the distinct values of each column, up to `limit` + 1.

    The first rows rule out most columns, and the others are read only as long as they
    are not ruled out. NaN counts as more.

    Parameters
    ----------
    columns : ndarray or sparse matrix of shape (n_samples, n_columns)
        Numbers.
    limit : {1, 2}
        The largest number of interest.

    Returns
    -------
    counts : ndarray of shape (n_columns,)
    """
    if sparse.issparse(columns):
        return _count_sparse(columns.tocsc(), limit)
    counts = np.full(columns.shape[1], limit + 1)
    left = np.arange(columns.shape[1])
    low = high = columns[0]
    start, stop = 0, _N_FIRST
    while start < len(columns) and len(left):
        part = columns[start:stop]
        part = part if len(left) == columns.shape[1] else part[:, left]
        low, high, few = _narrowest(part, low, high)
        if limit == 1:
            few &= low == high
        left, low, high = left[few], low[few], high[few]
        start, stop = stop, stop + max(_N_FIRST, _N_TOGETHER // max(len(left), 1))
    counts[left] = np.where(low == high, 1, 2)
    return counts


def _narrowest(part, low, high):
    """Return the least and largest value so far, and whether there are no others."""
    lower, higher = (
        np.minimum(low, part.min(axis=0)),
        np.maximum(high, part.max(axis=0)),
    )
    few = ((part == lower) | (part == higher)).all(axis=0)
    for earlier in (low, high):
        few &= (earlier == lower) | (earlier == higher)
    return lower, higher, few


def _count_sparse(columns, limit):
    n_samples, n_columns = columns.shape
    counts = np.empty(n_columns, dtype=np.int64)
    for j, (start, stop) in enumerate(zip(columns.indptr[:-1], columns.indptr[1:])):
        zero = np.zeros(int(stop - start < n_samples))
        stored = np.append(zero, columns.data[start:stop])
        counts[j] = count_values(stored[:, None], limit)[0]
    return counts

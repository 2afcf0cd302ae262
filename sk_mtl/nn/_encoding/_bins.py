"""Bin edges at quantiles, with separate bins for frequent values."""

import numpy as np
from numpy.typing import ArrayLike

# A million rows put an edge within a thousandth of the wanted share, and sorting ten
# times as many takes seconds a column.
_MOST_ROWS = 1_000_000


def quantile_bins(values: ArrayLike, n_bins: int) -> np.ndarray:
    """Return the edges between bins that hold about the same number of rows.

    A value that fills more than one bin's share of the rows, as zero does in many
    columns of amounts, gets its own bin, and the remaining bins are spread over the
    quantiles of all other rows. Plain quantiles would give that value many coinciding
    edges and the rest too few bins. If there are no more distinct values than bins,
    every value has a bin.

    Edges are midpoints between distinct values: bin 0 holds all values up to and
    including the first edge, and so on.

    Parameters
    ----------
    values : array-like of shape (n_samples,)
        The column. Values that are not finite are left out. Of more than a million
        rows, about a million evenly spaced ones are used.
    n_bins : int
        The largest number of bins, at least 2.

    Returns
    -------
    edges : ndarray of shape (at most n_bins - 1,)
        Strictly increasing, in the dtype of the values (float64 for integers).

    Examples
    --------
    Six rows of ten are zero. Zero gets one of three bins, the rest two.

    >>> from sk_mtl.nn import quantile_bins
    >>> quantile_bins([0, 0, 0, 0, 0, 0, 1, 2, 3, 4], n_bins=3).tolist()
    [0.5, 2.5]
    """
    if n_bins < 2:
        raise ValueError(
            f"n_bins must be at least 2; found {n_bins}. Give for example 64."
        )
    values = np.asarray(values)
    if values.dtype.kind != "f":
        values = values.astype(np.float64)
    values = values[:: -(-len(values) // _MOST_ROWS) or 1]
    distinct, counts = np.unique(values[np.isfinite(values)], return_counts=True)
    below = np.arange(len(distinct) - 1)
    if len(distinct) > n_bins:
        below = _last_of_bins(counts, n_bins)
    return _midpoints(distinct[below], distinct[below + 1])


def _last_of_bins(counts: np.ndarray, n_bins: int) -> np.ndarray:
    """Return the positions in `counts` of the last values of all bins but the top."""
    heavy, segments = _part_by_heavy(counts, n_bins)
    last = {*(heavy - 1), *heavy}
    bins_left = n_bins - len(heavy)
    rows_left = counts.sum() - counts[heavy].sum()
    for position, (start, stop) in enumerate(segments):
        part, later = counts[start:stop], len(segments) - position - 1
        share = round(bins_left * part.sum() / rows_left)
        n = min(max(share, 1), bins_left - later, len(part))
        last.update(start + _last_of_equal_bins(part, n))
        bins_left -= n
        rows_left -= part.sum()
    return np.array(sorted(last - {-1, len(counts) - 1}), dtype=np.intp)


def _part_by_heavy(
    counts: np.ndarray, n_bins: int
) -> tuple[np.ndarray, list[tuple[int, int]]]:
    """Return the positions of heavy values, and the ranges of others between them.

    Each of them takes at least one bin. If that exceeds the number of bins, the least
    frequent of the heavy values join their neighbours.
    """
    heavy = np.flatnonzero(counts > counts.sum() / n_bins)
    by_weight = heavy[np.argsort(-counts[heavy], kind="stable")]
    while True:
        heavy = np.sort(by_weight)
        ranges = zip([0, *(heavy + 1)], [*heavy, len(counts)])
        segments = [(int(a), int(b)) for a, b in ranges if a < b]
        if len(heavy) + len(segments) <= n_bins:
            return heavy, segments
        by_weight = by_weight[:-1]


def _last_of_equal_bins(counts: np.ndarray, n_bins: int) -> np.ndarray:
    """Divide values into bins by the position of each value's middle row."""
    if len(counts) <= n_bins:
        return np.arange(len(counts) - 1)
    middle = counts.cumsum() - counts / 2
    return np.flatnonzero(np.diff(np.floor(middle * (n_bins / counts.sum()))))


def _midpoints(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return a midpoint with low <= midpoint < high, also after rounding.

    Between two neighbouring floating point numbers there is no third.
    """
    middle = low / 2 + high / 2
    return np.where((low <= middle) & (middle < high), middle, low)

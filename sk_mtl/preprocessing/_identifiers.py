"""Columns of integers that look like identifiers rather than quantities."""

import re
import warnings

import numpy as np
import pandas as pd

from sk_mtl.exceptions import IdentifierWarning

# With fewer distinct values a column is cheap to encode and its nature hard to tell.
_MANY = 10_000

# Rows that are looked at, spread over the column: they bound the cost.
_SAMPLE = 1_000_000

_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_IDENTIFIER_WORDS = {
    *("id", "ids", "uid", "guid", "uuid", "identifier", "key", "code", "hash"),
    # Written as one word; a bare ending "id" would also fit `bid`, `paid` and `valid`.
    *(
        f"{thing}id"
        for thing in ("user", "item", "product", "customer", "client", "account")
        + ("member", "visitor", "session", "device", "order", "query", "article")
        + ("post", "video", "movie", "song", "track", "store", "shop", "ad", "campaign")
    ),
}
_TIME_WORDS = {"time", "timestamp", "datetime", "date", "epoch", "unix", "ts", "at"}


def warn_of_identifiers(columns, stacklevel):
    """Warn of the columns of integers that look like identifiers.

    Parameters
    ----------
    columns : iterable of (str, Series)
        Names and columns that are about to be treated as numbers.
    stacklevel : int
        Whose line the warning shows, counted as by `warnings.warn`.
    """
    for name, column in columns:
        if column.dtype.kind not in "iu":
            continue
        sample = column.iloc[:: max(1, len(column) // _SAMPLE)].dropna()
        values = sample.to_numpy(dtype=getattr(column.dtype, "numpy_dtype", None))
        n_distinct = _count_identifiers(values, name)
        if n_distinct:
            warnings.warn(
                "A column of integers must hold quantities, as it is scaled like any "
                f"number; found {n_distinct:,} distinct values in {len(values):,} rows "
                f"of {name!r}, which look like identifiers. Convert it, for instance "
                f"with X.astype({{{name!r}: 'category'}}), list it in "
                "`categorical_features`, or encode it by HashingEncoder. If it is a "
                "quantity after all, convert it to float.",
                IdentifierWarning,
                stacklevel=stacklevel,
            )


def _count_identifiers(values, name):
    """Number of distinct values of a column of identifiers, 0 for any other column."""
    if len(values) <= _MANY:
        return 0
    low, high = int(values.min()), int(values.max())
    if high - low < _MANY:
        return 0
    distinct = _distinct(values, low, high)
    if len(distinct) <= _MANY:
        return 0
    words = [word.lower() for word in _WORDS.findall(str(name))]
    if words and words[-1] in _IDENTIFIER_WORDS:
        return len(distinct)
    is_time = not _TIME_WORDS.isdisjoint(words)
    return len(distinct) if not is_time and _is_even(distinct) else 0


def _distinct(values, low, high):
    """The distinct values, less the lowest one."""
    span = high - low + 1
    if span > 8 * len(values):
        # Rounded, which does not matter to where quartiles lie.
        return pd.unique(values).astype(np.float64) - low
    seen = np.zeros(span, dtype=bool)
    # Right in arithmetic modulo 2**64 for every type of integers.
    offset = np.uint64(low % 2**64)
    seen[(values.astype(np.uint64) - offset).astype(np.intp)] = True
    return np.flatnonzero(seen)


def _is_even(distinct):
    """Whether values are spread evenly from the least to the largest.

    Numbers of a sequence, random numbers and hashes are: half of them lie in the middle
    half of their range. Sums, counts and prices gather at its low end, measurements at
    its middle: no more than two fifths of the range holds their middle half.
    """
    # Ten thousand of them tell where quartiles lie.
    some = distinct[:: len(distinct) // _MANY]
    first, middle, last = np.quantile(some, [0.25, 0.5, 0.75]) / distinct.max()
    return 0.35 <= middle <= 0.65 and last - first >= 0.4

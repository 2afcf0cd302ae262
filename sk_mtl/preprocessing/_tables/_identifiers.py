"""Columns of integers that look like identifiers rather than quantities."""

import re

import numpy as np
import pandas as pd

from sk_mtl._frames import column_names, column_of, is_frame
from sk_mtl._warnings import warn_user
from sk_mtl.exceptions import IdentifierWarning
from sk_mtl.preprocessing._tables._numbers import whole_numbers

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


def warn_of_identifiers(X, positions):
    """Warn of the columns of integers that look like identifiers.

    Parameters
    ----------
    X : data frame or array of shape (n_samples, n_features)
    positions : list of int
        Columns that are about to be treated as numbers.
    """
    names = column_names(X)
    for j in positions:
        column = column_of(X, j)
        values = _integers(column, names[j])
        n_distinct = _count_identifiers(values, names[j])
        if n_distinct:
            as_category, as_quantity = _remedies(X, j, column)
            warn_user(
                "A column of integers must hold quantities, as it is scaled like any "
                f"number; found {n_distinct:,} distinct values in {len(values):,} rows "
                f"of {names[j]!r}, which look like identifiers. {as_category}, or "
                f"encode it by HashingEncoder. If it is a quantity after all, "
                f"{as_quantity}.",
                IdentifierWarning,
            )


def _remedies(X, j, column):
    """What to do with an identifier, and with a quantity."""
    as_category = f"List it, for instance with categorical_features=[{j}]"
    if is_frame(X):
        as_category = (
            f"Convert it, for instance with X.astype({{{column.name!r}: 'category'}}), "
            "list it in `categorical_features`"
        )
    # With gaps, floats are no sign of a quantity.
    if column.hasnans:
        return as_category, "ignore IdentifierWarning with warnings.simplefilter"
    return as_category, "convert it to float"


def _integers(column, name):
    """The integers of a column, or a sample of them; none if it holds other numbers.

    Where a value is missing, pandas makes floats of integers: these count if the name
    says what they are.
    """
    sample = column.iloc[:: max(1, len(column) // _SAMPLE)]
    present = sample.dropna()
    if column.dtype.kind in "iu":
        return present.to_numpy(dtype=getattr(column.dtype, "numpy_dtype", None))
    has_gaps = len(present) < len(sample)
    if column.dtype.kind == "f" and has_gaps and _is_identifier(_words(name)):
        is_whole, integers = whole_numbers(present.to_numpy(dtype=np.float64))
        if is_whole.all():
            return integers
    return np.empty(0, dtype=np.int64)


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
    words = _words(name)
    if _is_identifier(words):
        return len(distinct)
    is_time = not _TIME_WORDS.isdisjoint(words)
    return len(distinct) if not is_time and _is_even(distinct) else 0


def _words(name):
    return [word.lower() for word in _WORDS.findall(name)]


def _is_identifier(words):
    return bool(words) and words[-1] in _IDENTIFIER_WORDS


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

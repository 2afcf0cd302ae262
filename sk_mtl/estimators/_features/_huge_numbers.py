"""Errors for numbers that overflow, or whose squares do, with their column."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pandas as pd

from sk_mtl._frames import as_pandas, column_names
from sk_mtl._warnings import warn_user
from sk_mtl.preprocessing._tables._numbers import to_floats

# Squares of larger numbers, summed over rows, overflow.
_LARGEST = 1e150


@contextmanager
def watching_for_overflow(X) -> Iterator[None]:
    """Raise an error that names the column of X whose numbers overflow in the block.

    Overflow for other reasons causes NumPy's own warning.
    """
    found = []
    try:
        with np.errstate(over="call", invalid="call", call=lambda *e: found.append(e)):
            yield
    except (ValueError, OverflowError) as error:
        refuse_numbers_behind(error, X)
        raise
    if not found:
        return
    _refuse_largest(X)
    for message in {kind for kind, _ in found}:
        warn_user(f"{message} encountered in the preprocessor", RuntimeWarning)


def refuse_numbers_behind(error: Exception, X) -> None:
    """Raise for the column that an error of scikit-learn or Python does not name."""
    signs = ("infinity or a value too large", "too large to convert to float")
    if any(sign in str(error) for sign in signs):
        _refuse_largest(X, error)


def _refuse_largest(X, cause: Exception | None = None) -> None:
    frame = as_pandas(X)
    for position, name in enumerate(column_names(X)):
        value = _largest(frame.iloc[:, [position]])
        if value is not None and abs(value) > _LARGEST:
            raise ValueError(
                f"Column {name!r} of X must hold numbers whose squares are finite; "
                f"found {value!r:.40}. Replace huge numbers, by NaN if they stand for "
                "a missing value, or take their logarithm."
            ) from cause


def _largest(column: pd.DataFrame):
    """Return the number of the largest size, None if there are no numbers."""
    values = column.iloc[:, 0].dropna()
    if values.dtype.kind == "O":
        values = values[[isinstance(value, int) for value in values]]
        return max(values, key=abs, default=None)
    try:
        numbers = to_floats(values.to_frame())[:, 0]
    except (TypeError, ValueError):
        return None
    return float(numbers[np.abs(numbers).argmax()]) if len(numbers) else None

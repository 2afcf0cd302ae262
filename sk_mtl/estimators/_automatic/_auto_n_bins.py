"""The number of bins of numbers by the number of rows."""

import math


def auto_n_bins(n_rows: int) -> int:
    """Return the power of two nearest to one bin per 150 rows, from 4 to 64."""
    return max(4, min(64, 2 ** round(math.log2(max(n_rows, 1) / 150))))

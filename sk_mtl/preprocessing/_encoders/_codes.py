"""The type of the codes that an encoder returns, and tables that hold them."""

import numpy as np


def code_dtype(dtype):
    """Return the dtype, if it is one of numbers."""
    dtype = np.dtype(dtype)
    if dtype.kind not in "iuf":
        raise ValueError(
            f"dtype must be an integer or float type; found {dtype}. Choose np.int32, "
            "or np.int64 for more than 2**31 codes."
        )
    return dtype


def check_fits(cardinality, dtype, name, remedy):
    """Refuse a dtype that does not hold every code below the cardinality exactly."""
    # A float holds integers exactly up to 2**(number of mantissa bits + 1).
    exact = 2 ** (np.finfo(dtype).nmant + 1) if dtype.kind == "f" else None
    largest = np.iinfo(dtype).max if exact is None else exact
    if cardinality - 1 > largest:
        raise ValueError(
            f"Column {name!r}: codes up to {cardinality - 1} are required; dtype="
            f"{dtype} holds at most {largest} exactly. Choose a wider dtype, or "
            f"{remedy}."
        )


def look_up(table, codes, out):
    """Write the table's entry of each code into an array; code -1 is the last entry."""
    np.take(table.astype(out.dtype), codes, out=out, mode="wrap")

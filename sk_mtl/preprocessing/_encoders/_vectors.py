"""Vectors of numbers, distinguished from sequences of categories by fractions."""

import numpy as np
import pandas as pd

from sk_mtl.preprocessing._encoders._vocabulary import MANY_ROWS


def refuse_vectors(items, name, *, fitted=False):
    """Raise an error where a column of sequences holds vectors of numbers.

    Whole numbers pass, also as floats, which they become beside a missing item.

    Parameters
    ----------
    items : Items
        The items of all rows. Where none has more than one, they are no vectors.

    name : str or int
        The column's name, for errors.

    fitted : bool, default=False
        Whether an encoder was fitted before. A fraction here and there is then an item
        that training did not hold.
    """
    if items.lengths.max() < 2:
        return
    floats = _floats(items.values)
    is_fraction = np.isfinite(floats) & (floats != np.floor(floats))
    if fitted and (len(floats) < MANY_ROWS or is_fraction.mean() < 0.5):
        return
    if is_fraction.any():
        raise TypeError(
            f"Column {name!r}: sequences of categories are required; found the "
            f"fraction {floats[is_fraction.argmax()]:.6g}, as in vectors of numbers. "
            f"{_remedy(items.lengths, name)}"
        )


def _remedy(lengths, name):
    if len(set(lengths[lengths > 0])) > 1:
        return (
            "Replace each by numbers, such as its mean and its length, or make text of "
            "fractions that are labels."
        )
    spread = "Spread them over one column per element: "
    if lengths.min() == 0:
        return (
            f"{spread}v = X.pop({name!r}).dropna(); X = X.join(pd.DataFrame("
            f"v.tolist(), index=v.index).add_prefix('{name}_'))."
        )
    return (
        f"{spread}X = X.join(pd.DataFrame(X.pop({name!r}).tolist(), index=X.index)"
        f".add_prefix('{name}_'))."
    )


def _floats(values):
    """Return the items that are floats, as an array of these."""
    if values.dtype.kind == "f":
        return pd.Series(values).dropna().to_numpy(dtype=np.float64)
    kind = "" if values.dtype != object else pd.api.types.infer_dtype(values)
    if kind not in ("floating", "mixed-integer-float"):
        return np.empty(0)
    is_float = [isinstance(value, float | np.floating) for value in values]
    return values[np.array(is_float)].astype(np.float64)

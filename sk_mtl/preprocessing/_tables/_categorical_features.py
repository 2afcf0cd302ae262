"""The columns that `categorical_features` lists."""

import numbers

import numpy as np

from sk_mtl._frames import column_names, is_frame

_REQUIRED = (
    "`categorical_features` must be a list of column names or of indices, a boolean "
    "mask, or 'from_dtype'"
)


def lists_columns(categorical_features):
    """Return whether `categorical_features` lists columns; else dtypes decide."""
    return categorical_features is not None and not _is_from_dtype(categorical_features)


def _is_from_dtype(categorical_features):
    if not isinstance(categorical_features, str):
        return False
    if categorical_features == "from_dtype":
        return True
    raise ValueError(
        f"{_REQUIRED}; found {categorical_features!r}. Write "
        f"[{categorical_features!r}] for a single column."
    )


def categorical_mask(X, categorical_features):
    """Return a mask of the columns that `categorical_features` lists.

    Parameters
    ----------
    X : data frame or array of shape (n_samples, n_features)
    categorical_features : list of names, of indices, or boolean mask

    Returns
    -------
    mask : ndarray of shape (n_features,), dtype bool
    """
    names = column_names(X)
    listed = np.asarray(categorical_features)
    mask = np.zeros(len(names), dtype=bool)
    if listed.ndim != 1:
        raise ValueError(f"{_REQUIRED}; found {categorical_features!r}.")
    if listed.size == 0:
        return mask
    if listed.dtype.kind == "b":
        if len(listed) != len(names):
            raise ValueError(
                "A boolean `categorical_features` must have one entry per column; "
                f"found {len(listed)} entries for {len(names)} columns. Give a mask "
                f"of length {len(names)}, or the names or indices of the columns."
            )
        return listed.copy()
    mask[_positions(listed.tolist(), X, names)] = True
    return mask


def _positions(listed, X, names):
    """Return positions of the listed names or indices among the columns of `X`."""
    if all(isinstance(item, numbers.Integral) for item in listed):
        outside = [item for item in listed if not 0 <= item < len(names)]
        if outside:
            raise ValueError(
                f"`categorical_features` must hold indices from 0 to "
                f"{len(names) - 1}; found {outside}. Correct them."
            )
        return listed
    if not all(isinstance(item, str) for item in listed):
        raise ValueError(f"{_REQUIRED}; found {listed}.")
    if not is_frame(X):
        raise ValueError(
            "Names in `categorical_features` need a data frame with column names; "
            f"found {listed} for an array. Give indices or a boolean mask."
        )
    absent = [item for item in listed if item not in names]
    if absent:
        raise ValueError(
            f"`categorical_features` must name columns of X; found {absent}. The "
            f"columns are {names}."
        )
    return [names.index(item) for item in listed]

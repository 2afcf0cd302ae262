"""Groups of rows, such as all rows of one user, read from any container."""

from collections.abc import Hashable

import numpy as np
import pandas as pd

from sk_mtl._frames import as_pandas, column_as_pandas, is_frame
from sk_mtl._masked_arrays import without_mask


def group_numbers(groups, rows=None):
    """Number the groups of rows in the order of their first rows.

    Parameters
    ----------
    groups : array-like of shape (n_samples,)
        Names of any type, also of several types.
    rows : ndarray of bool of shape (n_samples,), default=None
        The labelled rows, which are numbered; the others may have no group. None
        numbers all rows.

    Returns
    -------
    numbers : ndarray of int of shape (n_samples,), or (n_labelled,)
    """
    return pd.factorize(group_names(groups, rows))[0]


def group_names(groups, rows=None):
    """Return the name of each row's group as an array, or raise."""
    if isinstance(groups, pd.MultiIndex):
        groups = groups.to_frame()
    names = without_mask(_one_column(groups))
    if rows is not None:
        if len(names) != len(rows):
            raise ValueError(
                f"groups must have one entry per row of y ({len(rows)}); found "
                f"{len(names)}."
            )
        names = names[rows]
    if pd.isna(names).any():
        every = "every row" if rows is None else "every labelled row"
        raise ValueError(
            f"groups must name the group of {every}; found missing values. Give rows "
            "without a group one of their own."
        )
    names = np.asarray(names)
    if names.dtype.kind == "O":
        _refuse_unhashable(names)
    return names


def _refuse_unhashable(names):
    wrong = tuple(
        kind for kind in set(map(type, names)) if not issubclass(kind, Hashable)
    )
    if wrong:
        found = next(name for name in names if isinstance(name, wrong))
        raise TypeError(
            "groups must hold names, such as numbers, text or times; found "
            f"{found!r}, a {type(found).__name__}. Give one name per row."
        )


def _one_column(groups):
    if hasattr(groups, "to_pandas"):
        groups = as_pandas(groups) if is_frame(groups) else column_as_pandas(groups)
    is_array = hasattr(groups, "dtype") or is_frame(groups)
    if np.iterable(groups) and not is_array and not isinstance(groups, str):
        groups = _array_of_list(list(groups))
    shape = np.shape(groups)
    if len(shape) == 2 and shape[1] == 1:
        return groups.iloc[:, 0] if is_frame(groups) else groups[:, 0]
    if len(shape) != 1:
        named = f", the columns {list(groups.columns)}" if is_frame(groups) else ""
        raise ValueError(
            "groups must hold one group per row, of shape (n_samples,); found shape "
            f"{shape}{named}. Give one column, or join several into one, for instance "
            "by frame.groupby(columns).ngroup()."
        )
    return groups


def _array_of_list(groups):
    """Return an array; NumPy would turn 1 and "1" of a list into the same text."""
    array = pd.Series(groups, dtype=object).infer_objects().to_numpy()
    if len(array) and np.ndim(array[0]):
        return np.array(groups, dtype=object)
    return array

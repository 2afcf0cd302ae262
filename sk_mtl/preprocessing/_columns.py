"""What the columns of a table hold: numbers, categories, or neither."""

import numbers
from dataclasses import dataclass

import numpy as np
import pandas as pd

_REQUIRED = (
    "`categorical_features` must be a list of column names or of indices, a boolean "
    "mask, or 'from_dtype'"
)


def is_frame(X):
    """Whether `X` has named columns, as pandas and polars data frames have."""
    return hasattr(X, "columns") and hasattr(X, "shape")


def as_pandas(X):
    """`X` (a data frame or array) as a pandas data frame."""
    if isinstance(X, pd.DataFrame):
        return X
    if hasattr(X, "to_pandas"):
        return X.to_pandas()
    X = np.asarray(X)
    frame = pd.DataFrame(X)
    return frame.infer_objects() if X.dtype.kind == "O" else frame


def column_names(X):
    """Names of the columns of `X`; those of an array are `x0`, `x1` and so on."""
    if not is_frame(X):
        return [f"x{j}" for j in range(np.shape(X)[1])]
    return [str(name) for name in X.columns]


def column_kinds(X):
    """Kind of each column: "number", "bool", or "category" for all else."""
    if is_frame(X) and not isinstance(X, pd.DataFrame):
        X = X.head(0)
    kinds = dict.fromkeys("iuf", "number") | {"b": "bool"}
    return [kinds.get(dtype.kind, "category") for dtype in as_pandas(X).dtypes]


def categorical_mask(X, categorical_features):
    """Mask of the columns that `categorical_features` lists.

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
                f"found {len(listed)} entries for {len(names)} columns; give a mask "
                f"of length {len(names)}, or the names or indices of the columns."
            )
        return listed.copy()
    mask[_positions(listed.tolist(), X, names)] = True
    return mask


def _positions(listed, X, names):
    """Positions of the listed names or indices among the columns of `X`."""
    if all(isinstance(item, numbers.Integral) for item in listed):
        outside = [item for item in listed if not 0 <= item < len(names)]
        if outside:
            raise ValueError(
                f"`categorical_features` must hold indices from 0 to "
                f"{len(names) - 1}; found {outside}; X has {len(names)} columns."
            )
        return listed
    if not all(isinstance(item, str) for item in listed):
        raise ValueError(f"{_REQUIRED}; found {listed}.")
    if not is_frame(X):
        raise ValueError(
            "Names in `categorical_features` need a data frame with column names; "
            f"found {listed} for an array; give indices or a boolean mask."
        )
    absent = [item for item in listed if item not in names]
    if absent:
        raise ValueError(
            f"`categorical_features` must name columns of X; found {absent}; the "
            f"columns are {names}."
        )
    return [names.index(item) for item in listed]


def columns_by_step(X, categorical_features=None):
    """Positions of the columns that belong to each step of the tabular preprocessor.

    Parameters
    ----------
    X : data frame or array of shape (n_samples, n_features)
    categorical_features : None, "from_dtype", list of names or indices, or mask

    Returns
    -------
    positions : dict
        "num" for numbers, "cat" for labels, "codes" for listed columns of numbers.
    """
    names = column_names(X)
    kinds = column_kinds(X)
    positions = {"num": [], "cat": [], "codes": []}
    if categorical_features is None or _is_from_dtype(categorical_features):
        for j, kind in enumerate(kinds):
            positions["num" if kind == "number" else "cat"].append(j)
        return positions
    listed = categorical_mask(X, categorical_features)
    for j, (name, kind) in enumerate(zip(names, kinds, strict=True)):
        if listed[j]:
            positions["codes" if kind == "number" else "cat"].append(j)
        elif kind == "category":
            raise ValueError(
                f"Column {name!r} must hold numbers, as it is not listed in "
                "`categorical_features`; found text or other objects; add it to "
                "`categorical_features`, or drop it."
            )
        else:
            positions["num"].append(j)
    return positions


def _is_from_dtype(categorical_features):
    if not isinstance(categorical_features, str):
        return False
    if categorical_features == "from_dtype":
        return True
    raise ValueError(
        f"{_REQUIRED}; found {categorical_features!r}; write "
        f"[{categorical_features!r}] for a single column."
    )


@dataclass(frozen=True, eq=False)
class ColumnsOfStep:
    """Choose the columns of one step of the tabular preprocessor when it is fitted.

    A `ColumnTransformer` calls this object with the table that it is fitted on.

    Parameters
    ----------
    step : {"num", "cat", "codes"}
        Step whose columns are wanted.
    categorical_features : None, "from_dtype", list of names or indices, or mask
        As in `make_tabular_preprocessor`.
    """

    step: str
    categorical_features: object = None

    def __call__(self, X):
        """Return the names of the columns, or their positions where X has none."""
        positions = columns_by_step(X, self.categorical_features)[self.step]
        if is_frame(X) and all(isinstance(name, str) for name in X.columns):
            return [X.columns[j] for j in positions]
        return positions

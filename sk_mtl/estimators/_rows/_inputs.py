"""What an estimator accepts as X and as weights, and what it says of the rest."""

from __future__ import annotations

from typing import NoReturn

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_array, validate_data

from sk_mtl._frames import (
    as_pandas,
    column_names,
    has_fitted_columns,
    is_frame,
    is_lazy,
    without_mask,
)

# Numbers of a data frame that are looked at together.
_CHECKED_TOGETHER = 2**16


def check_X(estimator, X, *, reset: bool, what: str = "X"):
    """Return X as a pandas DataFrame or a numeric array, checked.

    Parameters
    ----------
    estimator : estimator
        Carries ``n_features_in_`` and ``feature_names_in_``.

    X : {array-like, DataFrame} of shape (n_samples, n_features)
        Data frames of pandas and polars and tables of pyarrow are taken. NaN is
        allowed, infinity is not, and masked entries are missing.

    reset : bool
        Whether X teaches the estimator its features (``fit``) or is checked against
        them.

    what : str
        The argument's name in messages.
    """
    if is_lazy(X):
        raise TypeError(
            f"{what} must be a data frame or an array; found a LazyFrame of polars; "
            f"call {what}.collect()."
        )
    if is_frame(X) and hasattr(X, "to_pandas"):
        X = as_pandas(X)
    named = isinstance(X, pd.DataFrame)
    X = without_mask(X)
    if isinstance(X, pd.DataFrame):
        _check_frame(estimator, X)
    else:
        X = _check_array_like(estimator, X)
    if not reset and has_fitted_columns(X, estimator):
        return X
    try:
        validate_data(estimator, X, reset=reset, skip_check_array=True)
    except ValueError as error:
        if reset:
            raise
        named = hasattr(estimator, "feature_names_in_")
        remedy = f"{what}[model.feature_names_in_]" if named else "the same columns"
        raise ValueError(
            f"{str(error).rstrip()}\n{what} must have the columns that the estimator "
            f"was fitted with, in their order. Give {remedy}."
        ) from error
    names = getattr(estimator, "feature_names_in_", None)
    if names is not None and not named:
        X = pd.DataFrame(X).set_axis(names, axis=1)
    return X


def check_same_length(**tables) -> None:
    """Raise where the named tables differ in their number of rows."""
    lengths = {name: len(table) for name, table in tables.items() if table is not None}
    if len(set(lengths.values())) > 1:
        found = ", ".join(f"{name} has {n}" for name, n in lengths.items())
        raise ValueError(
            f"{' and '.join(lengths)} must have the same number of samples; found: "
            f"{found}. Give one row of each per sample."
        )


def check_weights(
    weight,
    n_samples: int,
    n_tasks: int,
    name: str = "sample_weight",
    task_names: list[str] | None = None,
):
    """Return weights as a float array of shape (n_samples, n_tasks), or None."""
    if weight is None:
        return None
    _check_weight_names(weight, name, task_names)
    array = np.asarray(weight, dtype=float)
    if array.ndim == 0:
        array = np.full(n_samples, array)
    if array.shape not in ((n_samples,), (n_samples, n_tasks)):
        raise ValueError(
            f"{name} must have shape ({n_samples},) or ({n_samples}, {n_tasks}), one "
            f"weight per row, or per row and task; found {array.shape}."
        )
    if not np.isfinite(array).all():
        place = tuple(np.argwhere(~np.isfinite(array))[0])
        raise ValueError(
            f"{name} must hold finite weights; found {array[place]} in row {place[0]}. "
            "Use weight 0 for a row that must not count."
        )
    if (array < 0).any():
        place = tuple(np.argwhere(array < 0)[0])
        raise ValueError(
            f"{name} must not be negative; found weight {array[place]} in row "
            f"{place[0]}. Use weight 0 for a row that must not count."
        )
    if not array.any():
        raise ValueError(
            f"{name} must hold a positive weight; found that every weight is zero. "
            "Give some row a weight above 0."
        )
    return np.broadcast_to(array.reshape(n_samples, -1), (n_samples, n_tasks))


def _check_weight_names(weight, name: str, task_names: list[str] | None) -> None:
    """Raise where a frame of weights has the tasks of y in another order, or others."""
    if task_names is None or not is_frame(weight):
        return
    found = column_names(weight)
    nameless = isinstance(weight.columns, pd.RangeIndex)
    if len(found) == len(task_names) and found != task_names and not nameless:
        raise ValueError(
            f"{name} must have the tasks {task_names} as its columns, in this order; "
            f"found {found}. Reorder or rename the columns."
        )


def _check_frame(estimator, X: pd.DataFrame) -> None:
    name = type(estimator).__name__
    if X.shape[0] == 0:
        raise ValueError(
            f"Found array with 0 sample(s) (shape={X.shape}) while a minimum of 1 is "
            f"required by {name}. Give at least one row."
        )
    if X.shape[1] == 0:
        raise ValueError(
            f"Found array with 0 feature(s) (shape={X.shape}) while a minimum of 1 is "
            f"required by {name}. Give at least one column."
        )
    if not X.columns.is_unique:
        twice = X.columns[X.columns.duplicated()].unique().tolist()
        raise ValueError(
            f"The columns of X must have different names; found {twice} more than "
            "once. Rename or drop the repeated columns."
        )
    floats = []
    for position, dtype in enumerate(X.dtypes.to_numpy()):
        kind = getattr(dtype, "kind", "O")
        if kind == "c" or isinstance(dtype, pd.SparseDtype):
            _refuse_dtype(X.columns.tolist()[position], dtype)
        if kind == "f":
            floats.append(position)
    # Few rows of many columns are read at once, and many rows column by column, so that
    # the copy stays small.
    n_together = max(1, _CHECKED_TOGETHER // len(X))
    for start in range(0, len(floats), n_together):
        part = X.iloc[:, floats[start : start + n_together]]
        numbers = part.to_numpy(float, na_value=np.nan)
        _check_no_infinity(numbers, part.columns.tolist())


def _refuse_dtype(column, dtype) -> NoReturn:
    if isinstance(dtype, pd.SparseDtype):
        raise TypeError(
            f"Sparse data was passed for column {column!r} of X, but dense data is "
            "required. Use X.sparse.to_dense()."
        )
    raise ValueError(
        f"Complex data not supported: column {column!r} of X must be real; found "
        f"{dtype}. Give real and imaginary part as two columns."
    )


def _check_array_like(estimator, X):
    if np.asarray(X).dtype.kind == "c":
        # scikit-learn's own error prints the whole array.
        raise ValueError(
            "Complex data not supported: X must be real; found complex numbers. Give "
            "real and imaginary parts as columns of their own."
        )
    given = X
    X = check_array(
        X, dtype=None, ensure_all_finite=False, estimator=estimator, input_name="X"
    )
    if X.dtype.kind in "SU" and not hasattr(given, "dtype"):
        # A list of numbers and text would become text altogether.
        X = np.asarray(given, dtype=object)
    if X.dtype.kind == "f":
        _check_no_infinity(X, [f"x{k}" for k in range(X.shape[1])])
    elif X.dtype.kind not in "iub":
        X = pd.DataFrame(X).infer_objects()
        _check_frame(estimator, X)
    return X


def _check_no_infinity(values: np.ndarray, names: list) -> None:
    # A sum is finite only where every term is: one pass that seldom needs a second.
    with np.errstate(all="ignore"):
        if np.isfinite(values.sum()):
            return
    infinite = np.isinf(values)
    if infinite.any():
        column, row = np.argwhere(infinite.T)[0]
        raise ValueError(
            "X must be finite or missing (NaN); found infinity in column "
            f"{names[column]!r}, row {row}. Replace the infinite values, for instance "
            "by NaN."
        )

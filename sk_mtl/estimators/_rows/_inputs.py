"""Checks of X and of weights, with errors for what an estimator cannot accept."""

from __future__ import annotations

from typing import NoReturn

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_array, validate_data

from sk_mtl._frames import has_fitted_columns, refuse_unreadable
from sk_mtl._masked_arrays import EXACT_INTEGERS
from sk_mtl._weights import read_weights
from sk_mtl.estimators._rows._raw_tables import check_names, read_table

# The number of values of a data frame that are checked together.
_CHECKED_TOGETHER = 2**16


def check_X(estimator, X, *, reset: bool, what: str = "X"):
    """Return X as a pandas DataFrame or a numeric array, checked.

    Parameters
    ----------
    estimator : estimator
        Holds ``n_features_in_`` and ``feature_names_in_``.

    X : {array-like, DataFrame} of shape (n_samples, n_features)
        Data frames of pandas and polars, tables of pyarrow, lists of dicts and, with
        `reset` off, one dict. NaN is allowed, infinity is not, and masked entries are
        missing.

    reset : bool
        Whether the estimator learns its features from X (``fit``) or X is checked
        against them.

    what : str
        The argument's name in messages.
    """
    if not reset and has_fitted_columns(X, estimator):
        _check_frame(estimator, X)
        return X
    labels = None if reset else _known_labels(estimator)
    X = read_table(X, labels, reset=reset, what=what)
    if isinstance(X, pd.DataFrame):
        X = check_names(X, what)
        _check_frame(estimator, X)
    else:
        X = _check_array_like(estimator, X, what)
    return _check_columns(estimator, X, reset=reset, what=what)


def _check_columns(estimator, X, *, reset: bool, what: str):
    """Learn the columns of a checked table, or compare them with the fitted ones."""
    labels = X.columns.tolist() if isinstance(X, pd.DataFrame) else None
    if not reset and labels is not None:
        _check_labels(_known_labels(estimator), labels, what)
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
    if reset:
        # scikit-learn keeps only names that are text, so it would not notice a frame
        # with numbered columns in another order.
        estimator._column_labels = labels if names is None else names.tolist()
    elif names is not None and labels != names.tolist():
        X = pd.DataFrame(X).set_axis(names, axis=1)
    return X


def _known_labels(estimator) -> list | None:
    """Return the labels of the columns in training, None if they had none."""
    return getattr(estimator, "_column_labels", None)


def _check_labels(known: list | None, labels: list, what: str) -> None:
    """Raise if columns that are not named by text differ from those in training.

    scikit-learn compares names that are text. Columns with the numbers of an array's
    columns are in the order of training.
    """
    numbered = labels == list(range(len(labels)))
    if known is None or labels == known or numbered or isinstance(labels[0], str):
        return
    raise ValueError(
        f"{what} must have the columns that the estimator was fitted with, in their "
        f"order, {known}; found {labels}. Give {what}[{known}]."
    )


def learnt_columns(estimator) -> dict:
    """Return the attributes that describe the columns of X in training."""
    names = ("n_features_in_", "feature_names_in_", "_column_labels")
    return {name: vars(estimator)[name] for name in names if name in vars(estimator)}


def check_same_length(**tables) -> None:
    """Raise if the named tables differ in their number of rows."""
    lengths = {name: len(table) for name, table in tables.items() if table is not None}
    if len(set(lengths.values())) > 1:
        found = ", ".join(f"{name} has {n}" for name, n in lengths.items())
        raise ValueError(
            f"{' and '.join(lengths)} must have the same number of samples; found: "
            f"{found}. Give one row of each per sample."
        )


def check_weights(weight, n_samples: int, task_names: list, what="sample_weight"):
    """Return weights as a float array of shape (n_samples, n_tasks), or None.

    Parameters
    ----------
    weight : array-like, DataFrame, dict or None
        As in `sk_mtl._weights.read_weights`, except that not all may be 0.

    n_samples : int

    task_names : list

    what : str, default="sample_weight"
        The argument's name in messages.
    """
    weight = read_weights(weight, n_samples, task_names, what)
    if weight is not None and not weight.any():
        raise ValueError(
            f"{what} must hold a positive weight; found that every weight is zero. "
            "Give some row a weight above 0."
        )
    return weight


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
        if kind == "O" and isinstance(dtype, pd.ArrowDtype):
            refuse_unreadable(X.iloc[:0])
        if kind == "f":
            floats.append(position)
    # A table of few rows is read at once, and one of many rows column by column, so
    # that the copy stays small.
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


def _check_array_like(estimator, X, what: str):
    try:
        kind = np.asarray(X).dtype.kind
    except ValueError:
        X = _frame_of_rows(X, what)
        _check_frame(estimator, X)
        return X
    if kind == "c":
        # scikit-learn's own error prints the whole array.
        raise ValueError(
            "Complex data not supported: X must be real; found complex numbers. Give "
            "real and imaginary parts as columns of their own."
        )
    given = X
    X = check_array(
        X, dtype=None, ensure_all_finite=False, estimator=estimator, input_name="X"
    )
    if not hasattr(given, "dtype") and _loses_values(X):
        X = np.asarray(given, dtype=object)
    if X.dtype.kind == "f":
        _check_no_infinity(X, [f"x{k}" for k in range(X.shape[1])])
    elif X.dtype.kind not in "iub":
        X = pd.DataFrame(X).infer_objects()
        _check_frame(estimator, X)
    return X


def _loses_values(array: np.ndarray) -> bool:
    """Return whether making an array of a list may have changed its values.

    In a list with text, numbers become text; with floats, integers become floats.
    """
    if array.dtype.kind == "f":
        return bool((np.abs(array) >= EXACT_INTEGERS).any())
    return array.dtype.kind in "SU"


def _frame_of_rows(rows, what: str) -> pd.DataFrame:
    """Return rows of which some hold lists; raise for rows of unequal length."""
    lengths = [len(row) if hasattr(row, "__len__") else 1 for row in rows]
    if len(set(lengths)) == 1:
        return pd.DataFrame([list(row) for row in rows])
    odd = next(i for i, length in enumerate(lengths) if length != lengths[0])
    raise ValueError(
        f"Rows of {what} must have the same number of values; found {lengths[0]} in "
        f"row 0 and {lengths[odd]} in row {odd}. Give a value, or None, for every "
        "column."
    )


def _check_no_infinity(values: np.ndarray, names: list) -> None:
    # A finite sum has finite terms, so one pass nearly always suffices.
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

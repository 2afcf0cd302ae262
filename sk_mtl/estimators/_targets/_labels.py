"""Reading y: its columns, their names, and which labels lack."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from sk_mtl._frames import as_pandas, column_as_pandas, is_frame


def split_targets(y, what: str = "y"):
    """Return the columns of y, their names or None, and whether y is a vector."""
    if y is None:
        raise ValueError(
            f"This estimator requires {what} to be passed, but the target {what} is "
            "None. Give one column of labels per task."
        )
    if hasattr(y, "to_pandas"):
        y = as_pandas(y) if is_frame(y) else column_as_pandas(y)
    if isinstance(y, pd.Series):
        _check_not_complex(y.dtype, what)
        return [y.array], None if y.name is None else [str(y.name)], True
    if isinstance(y, pd.DataFrame):
        for dtype in y.dtypes:
            _check_not_complex(dtype, what)
        names = [str(name) for name in y.columns]
        _check_unique_names(names, what)
        if not names:
            raise ValueError(
                f"{what} must have at least one column; found none. Give one column "
                "of labels per task."
            )
        return [y.iloc[:, k].array for k in range(y.shape[1])], names, False
    return _split_array(y, what)


def named_columns(y, task_names: Sequence[str] | None) -> tuple[dict[str, Any], bool]:
    """Return the columns of y by the names of their tasks, and whether y is a vector.

    `task_names` are names for a y that carries none.
    """
    columns, found, one_dimensional = split_targets(y)
    names = _resolve_names(found, task_names, len(columns))
    return dict(zip(names, columns, strict=True)), one_dimensional


def is_missing(column, missing_label: Any) -> np.ndarray:
    """Return where a column of labels is NaN, None, NaT or ``missing_label``."""
    missing = np.asarray(pd.isna(column), dtype=bool)
    if missing_label is not None and not pd.isna(missing_label):
        with warnings.catch_warnings():
            # Comparing text with a number warns in some versions of NumPy.
            warnings.simplefilter("ignore")
            equal = np.asarray(column, dtype=object) == missing_label
        missing = missing | np.asarray(equal, dtype=bool)
    return missing


def plain_values(labels) -> np.ndarray:
    """Return labels as a plain NumPy array, text as objects."""
    if isinstance(labels.dtype, pd.CategoricalDtype):
        labels = labels.categories.take(labels.codes).array
    dtype = labels.dtype
    if isinstance(dtype, np.dtype):
        return np.asarray(labels)
    kind = getattr(dtype, "kind", "O")
    wanted = getattr(dtype, "numpy_dtype", None) if kind in "iufb" else object
    return np.asarray(labels, dtype=wanted)


def _split_array(y, what: str):
    if hasattr(y, "toarray"):
        raise TypeError(
            f"{what} must be dense; found a sparse matrix. Use {what}.toarray()."
        )
    array = np.asarray(y)
    if array.dtype.kind in "SU" and not hasattr(y, "dtype"):
        # A list of text and numbers, or of text and NaN, would become text altogether.
        array = np.asarray(y, dtype=object)
    _check_not_complex(array.dtype, what)
    if array.ndim not in (1, 2):
        raise ValueError(
            f"{what} must have 1 dimension, or 2 dimensions with one column per task; "
            f"found {array.ndim} dimensions. Reshape it."
        )
    if array.ndim == 1:
        return [array], None, True
    if array.shape[1] == 0:
        raise ValueError(
            f"{what} must have at least one column; found shape {array.shape}. Give "
            "one column of labels per task."
        )
    return [array[:, k] for k in range(array.shape[1])], None, False


def _check_not_complex(dtype, what: str) -> None:
    if getattr(dtype, "kind", "O") == "c":
        raise ValueError(
            f"Complex data not supported: {what} must hold class labels; found "
            f"{dtype}. Give real labels."
        )


def _resolve_names(found, given, n_tasks: int) -> list[str]:
    if given is None:
        return found or [f"task_{k}" for k in range(n_tasks)]
    given = [str(name) for name in given]
    _check_unique_names(given, "task_names")
    if len(given) != n_tasks:
        raise ValueError(
            f"task_names must hold one name per column of y; found {len(given)} names "
            f"{given} for {n_tasks} column(s). Name every column."
        )
    if found is not None and n_tasks > 1 and found != given:
        raise ValueError(
            f"task_names must agree with the columns of y; found {given} and {found}. "
            "Leave task_names=None where y carries its own names."
        )
    return given


def _check_unique_names(names: list[str], what: str) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(
            f"The task names in {what} must differ; found {twice} more than once. "
            "Rename the columns."
        )

"""Conversion of X to a data frame or an array, with errors that name a remedy."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Set
from itertools import chain

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy.sparse import issparse

from sk_mtl._frames import as_pandas, frame_of_records, is_frame, is_lazy
from sk_mtl._masked_arrays import without_mask


def read_table(X, names, *, reset: bool, what: str = "X"):
    """Return X as a pandas DataFrame, an array or a list of rows.

    Parameters
    ----------
    X : object
        A table of pandas, polars or pyarrow, an array, a list of rows, a list of dicts
        with a column per key, or, in a prediction, the dict of one row.

    names : list or None
        Names of the columns in training, which give the order of values from dicts.

    reset : bool
        Whether X is to be learned from.

    what : str
        The argument's name in messages.
    """
    _refuse_no_table(X, what)
    # A sparse array in dictionary-of-keys format is also a dict.
    if isinstance(X, Mapping) and not issparse(X):
        X = [_one_record(X, reset, what)]
    if isinstance(X, list | tuple) and X and isinstance(X[0], Mapping | pd.Series):
        return _read_records(X, names, reset=reset, what=what)
    if is_frame(X):
        return as_pandas(X) if hasattr(X, "to_pandas") else X
    if getattr(getattr(X, "dtype", None), "names", None):
        # A structured array has a name and a type for each column.
        return pd.DataFrame(np.asarray(X))
    return without_mask(X)


def check_names(X: pd.DataFrame, what: str = "X") -> pd.DataFrame:
    """Return the frame; raise if only some of its columns are named by text."""
    kinds = set(map(type, X.columns))
    if not any(issubclass(kind, str) for kind in kinds) or kinds == {str}:
        return X
    if all(issubclass(kind, str) for kind in kinds):
        return X.set_axis([str(name) for name in X.columns], axis=1)
    shown = {kind: name for name, kind in zip(X.columns, map(type, X.columns))}
    found = ", ".join(f"{name!r} ({kind.__name__})" for kind, name in shown.items())
    raise TypeError(
        f"The columns of {what} must all be named by text, or none of them; found "
        f"{found}. Make them text, with {what}.columns = {what}.columns.map(str)."
    )


def _one_record(X: Mapping, reset: bool, what: str) -> Mapping:
    """Return the dict of one row, or raise if the dict is not one row."""
    columns = list | tuple | np.ndarray | pd.Series | pa.Array
    if X and all(isinstance(value, columns) for value in X.values()):
        raise TypeError(
            f"{what} must be a table; found a dict of columns. Give "
            f"pandas.DataFrame({what})."
        )
    if reset:
        raise TypeError(
            f"{what} must be a table with a row per sample; found one dict, which is "
            "one row. Give a list of dicts, or a pandas DataFrame."
        )
    return X


def _read_records(rows, names, *, reset: bool, what: str) -> pd.DataFrame:
    """Return rows that are dicts as a data frame, in the order of the known names."""
    rows = [row.to_dict() if isinstance(row, pd.Series) else row for row in rows]
    for i, row in enumerate(rows):
        if not isinstance(row, Mapping):
            raise TypeError(
                f"Rows of {what} must all be dicts where the first one is; found "
                f"{type(row).__name__} in row {i}. Give a pandas DataFrame."
            )
    if reset:
        return frame_of_records(rows, list(dict.fromkeys(chain.from_iterable(rows))))
    if names is None:
        raise ValueError(
            f"{what} must have no names, as the estimator was fitted on columns "
            "without them; found rows that are dicts. Give lists of values, or fit on "
            "a data frame."
        )
    known = set(names)
    for i, row in enumerate(rows):
        missing = [name for name in names if name not in row]
        extra = [key for key in row if key not in known]
        if missing or extra:
            found = " and ".join(
                [f"no {missing}"] * bool(missing) + [f"{extra} besides"] * bool(extra)
            )
            raise ValueError(
                f"Rows of {what} must have the columns that the estimator was fitted "
                f"with, {names}; found {found} in row {i}. Give None for a "
                "value that is missing, and leave other keys out."
            )
    return frame_of_records(rows, names)


def _refuse_no_table(X, what: str) -> None:
    """Raise for an object that is no table, with a remedy that makes a table of it."""
    if is_lazy(X):
        raise TypeError(
            f"{what} must be a data frame or an array; found a LazyFrame of polars. "
            f"Call {what}.collect()."
        )
    if isinstance(X, str | os.PathLike):
        found = f"the path or text {os.fspath(X)!r:.80}"
        remedy = "Read it first, for instance with pandas.read_parquet or read_csv"
    elif isinstance(X, Iterator | Set) or hasattr(X, "read"):
        found = f"a {type(X).__name__}, which holds no rows in order"
        remedy = "Give a list of rows, or a data frame"
    elif isinstance(X, pd.Series):
        found = "a Series, which is one column or one row"
        remedy = f"Give {what}.to_frame() if it is a column, {what}.to_frame().T if not"
    elif hasattr(X, "to_pandas") and not hasattr(X, "columns"):
        found = f"a {type(X).__name__}, which is one column"
        remedy = f"Give a table of it, such as {what}.to_pandas().to_frame()"
    elif X is None or isinstance(X, type | bool | int | float | bytes):
        found, remedy = repr(X), "Give a data frame, or an array of two dimensions"
    elif isinstance(X, list | tuple) and not X:
        found, remedy = "an empty list", "Give at least one row"
    else:
        return
    raise ValueError(
        f"{what} must be a table of rows and columns; found {found}. {remedy}."
    )

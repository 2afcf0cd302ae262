"""What the columns of a table hold, and which step of the preprocessor takes them."""

import datetime
import numbers
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import pandas as pd

from sk_mtl._frames import (
    as_pandas,
    column_names,
    column_of,
    is_decimal_type,
    is_frame,
    is_list_type,
)
from sk_mtl._warnings import warn_user
from sk_mtl.exceptions import ColumnWarning
from sk_mtl.preprocessing._tables._identifiers import (
    count_values,
    holds_whole_numbers,
    is_named_identifier,
)
from sk_mtl.preprocessing._tables._large_integers import warn_of_large_integers
from sk_mtl.preprocessing._tables._text_columns import warn_of_text

#: Steps of the tabular preprocessor: numbers first, then codes, then sequences.
STEPS = ("num", "time", "cat", "codes", "calendar", "seq")

_STEPS_OF_KIND = {
    "number": ("num",),
    "bool": ("cat",),
    "category": ("cat",),
    "time": ("time", "calendar"),
    "duration": ("time",),
    "sequence": ("seq",),
}

_REQUIRED = (
    "`categorical_features` must be a list of column names or of indices, a boolean "
    "mask, or 'from_dtype'"
)


def column_kinds(X):
    """Kind of each column: "number", "bool", or "category" for all else."""
    plain = {"number", "bool"}
    return [kind if kind in plain else "category" for kind in step_kinds(X)]


def step_kinds(X):
    """Kind of each column of `X`, as the tabular preprocessor tells them apart.

    Parameters
    ----------
    X : data frame or array of shape (n_samples, n_features)

    Returns
    -------
    kinds : list of str
        "number" (decimals, too), "bool", "time" (dates, periods and points in time),
        "duration", "sequence" (lists), or "category" for all else. In a column of
        objects the first value that is not missing decides. Integers and floats are
        categories there: `astype(object)` is a way to mark codes as such.
    """
    kinds = [_kind_of_dtype(dtype) for dtype in as_pandas(X).dtypes]
    return [
        _kind_of_value(_first_value(column_of(X, j))) if kind == "object" else kind
        for j, kind in enumerate(kinds)
    ]


def _kind_of_dtype(dtype):
    if is_list_type(dtype):
        return "sequence"
    if is_decimal_type(dtype):
        return "number"
    if isinstance(dtype, pd.PeriodDtype):
        return "time"
    if isinstance(dtype, np.dtype) and dtype.kind == "O":
        return "object"
    kinds = {"b": "bool", "M": "time", "m": "duration"}
    kinds |= dict.fromkeys("iuf", "number")
    return kinds.get(dtype.kind, "category")


def _kind_of_value(value):
    if isinstance(value, list | tuple) or (
        isinstance(value, np.ndarray) and value.ndim
    ):
        return "sequence"
    if isinstance(value, Decimal):
        return "number"
    if isinstance(value, datetime.date | np.datetime64 | pd.Period):
        return "time"
    if isinstance(value, datetime.timedelta | np.timedelta64):
        return "duration"
    return "category"


def _first_value(column):
    """The first value of a column of objects that is not missing, None if all are."""
    values, start, stop = column.to_numpy(), 0, 64
    while start < len(values):
        present = np.flatnonzero(~pd.isna(values[start:stop]))
        if len(present):
            return values[start + present[0]]
        # Most columns need a few rows; one that is empty for long needs few steps.
        start, stop = stop, 4 * stop
    return None


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
        "num" for numbers, "time" for points in time and durations, "cat" for labels
        and, without a list, for whole numbers that are named as identifiers, "codes"
        for listed columns of numbers, "calendar" for points in time, which are in
        "time" as well, and "seq" for lists.
    """
    listed = None
    if lists_columns(categorical_features):
        listed = categorical_mask(X, categorical_features)
    positions = {step: [] for step in STEPS}
    for j, (name, kind) in enumerate(zip(column_names(X), step_kinds(X), strict=True)):
        steps = (
            _steps_by_default(X, j, name, kind)
            if listed is None
            else _steps_of_listed(name, kind)
            if listed[j]
            else _steps_of_unlisted(name, kind)
        )
        for step in steps:
            positions[step].append(j)
    return positions


def _steps_by_default(X, j, name, kind):
    is_identifier = (
        kind == "number"
        and is_named_identifier(name)
        and holds_whole_numbers(column_of(X, j))
    )
    return _STEPS_OF_KIND["category" if is_identifier else kind]


def columns_to_read(X, categorical_features=None, wanted=()):
    """Positions of the columns of each step, less those that would be of no use.

    Without a list, an identifier that is new in more than half of the rows is left out,
    with a warning, and columns of text that need the user's attention are named.

    Parameters
    ----------
    X : data frame or array of shape (n_samples, n_features)
    categorical_features : None, "from_dtype", list of names or indices, or mask
    wanted : collection of str and int, default=()
        Names and positions of columns that another parameter names: no identifier
        among them is left out.

    Returns
    -------
    positions : dict
        As `columns_by_step` returns it.
    """
    positions = columns_by_step(X, categorical_features)
    if lists_columns(categorical_features):
        return positions
    names = column_names(X)
    free = [j for j in positions["cat"] if j not in wanted and names[j] not in wanted]
    fresh = _fresh_identifiers(X, free)
    n_read = len({j for columns in positions.values() for j in columns})
    is_left_out = len(fresh) < n_read
    for j, n_values in fresh.items():
        _warn_of_identifier(X, j, n_values, positions["cat"], is_left_out)
    if is_left_out:
        positions["cat"] = [j for j in positions["cat"] if j not in fresh]
    warn_of_text(X, positions["cat"])
    warn_of_large_integers(X, positions["num"])
    return positions


def _fresh_identifiers(X, positions):
    """Numbers of distinct values of the identifiers new in more than half the rows."""
    names, kinds = column_names(X), step_kinds(X)
    fresh = {}
    for j in positions:
        if kinds[j] != "bool" and is_named_identifier(names[j]):
            n_values = count_values(column_of(X, j))
            # A single value tells nothing either way; the schema drops it.
            if n_values > max(1, len(X) / 2):
                fresh[j] = n_values
    return fresh


def _warn_of_identifier(X, j, n_values, categories, is_left_out):
    names = column_names(X)
    if is_left_out:
        listed = [names[i] for i in categories]
        outcome = (
            "so the column is left out. Drop it, or, to keep it as a category, list it "
            f"among the columns of categories: categorical_features={listed}."
        )
    else:
        outcome = (
            "and it is kept only because X has no other column. Give columns that say "
            "something of new rows, too."
        )
    warn_user(
        f"Column {names[j]!r} is named as an identifier and must have values that come "
        f"back in other rows; found {n_values:,} values in {len(X):,} rows, new in "
        f"{int(100 * n_values / len(X))} % of them, {outcome}",
        ColumnWarning,
    )


def _steps_of_listed(name, kind):
    if kind in ("time", "duration"):
        raise TypeError(
            f"Column {name!r} is listed in `categorical_features` and must hold text, "
            f"numbers, categories or lists; found {kind}s. Convert it to 'category' to "
            "take each value as a category, or leave it out of the list, where it "
            "becomes elapsed time and parts of the calendar."
        )
    return ("codes",) if kind == "number" else _STEPS_OF_KIND[kind]


def _steps_of_unlisted(name, kind):
    if kind == "category":
        raise ValueError(
            f"Column {name!r} must hold numbers, as it is not listed in "
            "`categorical_features`; found text or other objects; add it to "
            "`categorical_features`, or drop it."
        )
    return ("num",) if kind == "bool" else _STEPS_OF_KIND[kind]


def lists_columns(categorical_features):
    """Whether `categorical_features` lists columns, so that dtypes do not decide."""
    return categorical_features is not None and not _is_from_dtype(categorical_features)


def _is_from_dtype(categorical_features):
    if not isinstance(categorical_features, str):
        return False
    if categorical_features == "from_dtype":
        return True
    raise ValueError(
        f"{_REQUIRED}; found {categorical_features!r}; write "
        f"[{categorical_features!r}] for a single column."
    )


def has_names(X):
    """Whether all columns of `X` can be called by name: arrays have none."""
    return is_frame(X) and all(isinstance(name, str) for name in X.columns)


@dataclass(frozen=True, eq=False)
class ColumnsOfStep:
    """Choose the columns of one step of the tabular preprocessor when it is fitted.

    A `ColumnTransformer` calls this object with the table that it is fitted on.

    Parameters
    ----------
    step : {"num", "time", "cat", "codes", "calendar", "seq"}
        Step whose columns are wanted.
    categorical_features : None, "from_dtype", list of names or indices, or mask
        As in `make_tabular_preprocessor`.
    """

    step: str
    categorical_features: object = None

    def __call__(self, X):
        """Return the names of the columns, or their positions where X has none."""
        X = as_pandas(X) if is_frame(X) else X
        # Only the step of categories loses columns, so that a fit warns once.
        choose = columns_to_read if self.step == "cat" else columns_by_step
        positions = choose(X, self.categorical_features)[self.step]
        names = column_names(X)
        return [names[j] for j in positions] if has_names(X) else positions

"""Labels in any form: their columns, the missing ones, their classes and numbers.

`fit`, `score` and the metrics read y through this file alone, so that they take the
same forms, find the same labels missing and refuse the same mistakes.
"""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from itertools import chain
from numbers import Number, Real
from typing import NamedTuple

import numpy as np
import pandas as pd
from pandas.api.types import infer_dtype, is_scalar

from sk_mtl._frames import (
    as_pandas,
    column_as_pandas,
    frame_of_records,
    is_frame,
    is_lazy,
)
from sk_mtl._masked_arrays import nullable_column
from sk_mtl._task_names import check_names, column_order, name_tasks, own_names

# What pandas calls objects that all have one type of NumPy.
_PLAIN = {
    *("integer", "boolean", "floating", "mixed-integer-float"),
    *("datetime", "datetime64", "timedelta", "timedelta64"),
}

_WHOLE, _BROKEN = "a number", "a number that is not whole"


class LabelTable(NamedTuple):
    """The columns of y.

    Attributes
    ----------
    columns : list of ndarray or ExtensionArray of shape (n_samples,)
    names : list or None
        The columns' own names; None for an array, which has none.
    is_vector : bool
        Whether y has one dimension.
    """

    columns: list
    names: list | None
    is_vector: bool

    @property
    def n_samples(self):
        """Number of rows."""
        return len(self.columns[0])

    def task_names(self, given=None, *, rename=False):
        """Return the names of the tasks, as `name_tasks` does.

        A vector may be called otherwise than its task.
        """
        own = None if self.is_vector and given is not None else self.names
        return name_tasks(own, given, len(self.columns), rename=rename)

    def columns_of(self, names, what="y"):
        """Return the columns in the order of tasks; a frame's are found by name."""
        if len(self.columns) != len(names) and (self.is_vector or self.names is None):
            raise ValueError(
                f"{what} must have {len(names)} column(s), one per task {names}; found "
                f"{len(self.columns)}. Give one column per task."
            )
        own = None if self.is_vector else self.names
        return [self.columns[k] for k in column_order(own, names, what)]


def read_labels(y, what="y"):
    """Return the columns of `y` as a `LabelTable`.

    Parameters
    ----------
    y : array-like or DataFrame of shape (n_samples,) or (n_samples, n_tasks)
        Arrays, masked ones too, lists, and columns and tables of pandas, polars and
        pyarrow.
    what : str, default="y"
        The argument's name in errors.
    """
    _refuse_containers(y, what)
    if isinstance(y, list | tuple) and y and all(isinstance(r, Mapping) for r in y):
        y = frame_of_records(y, list(dict.fromkeys(chain.from_iterable(y))))
    if is_frame(y):
        return _read_frame(as_pandas(y), what)
    if hasattr(y, "to_pandas"):
        y = column_as_pandas(y)
    if isinstance(y, pd.Series | pd.Index | pd.api.extensions.ExtensionArray):
        series = pd.Series(y)
        name = getattr(y, "name", None)
        names = None if name is None else own_names([name])
        return LabelTable([_column(series, what)], names, is_vector=True)
    array = _as_array(y, what)
    if array.ndim == 1:
        return LabelTable([nullable_column(array)], None, is_vector=True)
    return LabelTable([nullable_column(each) for each in array.T], None, False)


def one_label_column(y, what="y"):
    """Return the only column of `y`, of shape (n_samples,)."""
    columns = read_labels(y, what).columns
    if len(columns) != 1:
        raise ValueError(
            f"{what} must hold one task; found {len(columns)} columns. Pass one of "
            f"them, for instance {what}['click']."
        )
    return columns[0]


def is_missing(column, missing_label=None):
    """Return where labels are NaN, None, NA, NaT or `missing_label`.

    Parameters
    ----------
    column : ndarray or ExtensionArray of shape (n_samples,)
        As `read_labels` returns it.
    missing_label : object, default=None
        A single label of any type.
    """
    missing = np.array(pd.isna(column), dtype=bool)
    if not is_scalar(missing_label):
        raise ValueError(
            f"missing_label must be a single label; found {missing_label!r}. Replace "
            "the other labels by NaN."
        )
    if not pd.isna(missing_label):
        labels = plain_values(column[~missing])
        missing[~missing] = _equal(labels, missing_label)
    return missing


def keep_labelled(column, weight=None, missing_label=None):
    """Return where rows have a label and a positive weight, and their weights or None.

    Parameters
    ----------
    column, missing_label
        As of `is_missing`.
    weight : ndarray of shape (n_samples,) or None
    """
    keep = ~is_missing(column, missing_label)
    if weight is None:
        return keep, None
    keep &= weight > 0
    return keep, weight[keep]


def plain_values(labels):
    """Return labels that are not missing as a plain array, text as objects.

    Objects that all are of one type of NumPy are given in this type.
    """
    dtype = labels.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return plain_values(labels.categories.take(labels.codes).array)
    if not isinstance(dtype, np.dtype):
        plain = getattr(dtype, "kind", "O") in "iufb"
        wanted = getattr(dtype, "numpy_dtype", None) if plain else object
        labels = np.asarray(labels, dtype=wanted)
    labels = np.asarray(labels)
    if labels.dtype.kind == "U":
        return labels.astype(object)
    if labels.dtype == np.float16:
        # pandas has no index of half precision.
        return labels.astype(np.float32)
    if labels.dtype.kind == "O" and infer_dtype(labels, skipna=False) in _PLAIN:
        plain = pd.Series(labels, dtype=object).infer_objects().dtype
        # Times of a zone have no type of NumPy.
        labels = labels.astype(plain) if isinstance(plain, np.dtype) else labels
    return labels


def label_list(labels):
    """Return labels as a list in Python's own types, times in pandas' types.

    NumPy would make a list of integers of times in nanoseconds.
    """
    labels = np.asarray(labels)
    return (pd.Series(labels) if labels.dtype.kind in "mM" else labels).tolist()


def sorted_classes(labels, name="task"):
    """Return the distinct labels in sorted order, as `classes_` holds them."""
    try:
        return np.sort(np.asarray(pd.unique(labels)))
    except TypeError:
        kinds = sorted({type(label).__name__ for label in labels})
        raise ValueError(
            f"The labels of {name!r} must be single values of one type; found "
            f"{kinds}. Convert them, for instance with astype(str)."
        ) from None


def class_codes(labels, classes):
    """Return the position of each label among `classes`, -1 where it is none of them.

    Parameters
    ----------
    labels, classes : ndarray
        As `plain_values` returns them.
    """
    labels, classes = _bool_as_int(labels), _bool_as_int(classes)
    return pd.Index(classes).get_indexer(pd.Index(labels))


def check_kind(labels, classes, what):
    """Raise where a label cannot be meant as one of the classes, as "1" of 0 and 1.

    Parameters
    ----------
    labels, classes : ndarray
        As `plain_values` returns them.
    what : str
        What holds the labels, for the error.
    """
    known = set(_kinds(classes))
    if _BROKEN in known:
        known.add(_WHOLE)
    for kind, label in _kinds(labels).items():
        if kind not in known:
            raise ValueError(
                f"{what} must hold labels of the type of the classes "
                f"{label_list(classes)}; found {label!r}, which is {kind}. Convert the "
                "labels to the type that they had in fit."
            )


def as_numbers(labels, what, remedy):
    """Return labels as floats, or raise where one is no number.

    Parameters
    ----------
    labels : ndarray or ExtensionArray
        Labels that are not missing.
    what, remedy : str
        What holds the labels, and what to do about those that are no numbers.
    """
    labels = plain_values(labels)
    try:
        if labels.dtype.kind in "mMc":
            raise TypeError
        return labels.astype(np.float64)
    except (TypeError, ValueError):
        wrong = labels[pd.isna(pd.to_numeric(pd.Series(labels), errors="coerce"))]
        found = repr(wrong[0]) if len(wrong) else str(labels.dtype)
        raise ValueError(
            f"{what} must hold numbers; found {found}. {remedy}."
        ) from None


def _refuse_containers(y, what):
    if y is None:
        raise ValueError(
            f"This estimator requires {what} to be passed, but the target {what} is "
            "None. Give one column of labels per task."
        )
    if hasattr(y, "toarray"):
        raise TypeError(
            f"{what} must be dense; found a sparse matrix. Use {what}.toarray()."
        )
    if is_lazy(y):
        raise TypeError(
            f"{what} must be a data frame or an array; found a LazyFrame of polars. "
            f"Call {what}.collect()."
        )
    if isinstance(y, Mapping):
        raise TypeError(
            f"{what} must be a data frame or an array; found a dict. Give a DataFrame "
            "of pandas."
        )


def _read_frame(y, what):
    names = own_names(y.columns)
    check_names(names, what)
    if not names:
        raise ValueError(
            f"{what} must have at least one column; found none. Give one column of "
            "labels per task."
        )
    columns = [_column(y.iloc[:, k], what) for k in range(y.shape[1])]
    return LabelTable(columns, names, is_vector=False)


def _column(series, what):
    _check_dtype(series.dtype, what)
    return series.to_numpy() if isinstance(series.dtype, np.dtype) else series.array


def _as_array(y, what):
    if not isinstance(y, np.ma.MaskedArray):
        y = _without_casts(y, what)
    _check_dtype(y.dtype, what)
    if y.ndim not in (1, 2):
        raise ValueError(
            f"{what} must have 1 dimension, or 2 dimensions with one column per task; "
            f"found {y.ndim} dimensions. Reshape it."
        )
    if y.ndim == 2 and y.shape[1] == 0:
        raise ValueError(
            f"{what} must have at least one column; found shape {y.shape}. Give one "
            "column of labels per task."
        )
    return y


def _without_casts(y, what):
    """Return an array of a list that keeps its gaps, its numbers and its masks."""
    if isinstance(y, list | tuple) and any(
        isinstance(each, np.ma.MaskedArray) for each in y
    ):
        return np.ma.array(y)
    try:
        array = np.asarray(y)
    except ValueError as error:
        raise ValueError(
            f"{what} must have the same number of labels in every row; found rows of "
            "different lengths. Give one column of labels per task."
        ) from error
    if array.dtype.kind in "SU" and not hasattr(y, "dtype"):
        # A list of text and numbers, or of text and NaN, would become text altogether.
        array = np.asarray(y, dtype=object)
    return array


def _check_dtype(dtype, what):
    kind = getattr(dtype, "kind", "O")
    if kind == "c":
        raise ValueError(
            f"Complex data not supported: {what} must hold class labels; found "
            f"{dtype}. Give real labels."
        )
    if kind == "V" and isinstance(dtype, np.dtype):
        raise ValueError(
            f"{what} must be a data frame or an array of labels; found records of "
            f"{dtype}. Use pd.DataFrame({what})."
        )


def _equal(labels, label):
    """Return which plain labels equal one; labels of another type do not."""
    if labels.dtype.kind in "iufb":
        is_number = isinstance(label, Number | np.bool_)
        return labels == label if is_number else np.zeros(len(labels), bool)
    if labels.dtype.kind in "mM":
        # As objects, times of NumPy would be integers.
        is_day = isinstance(label, date) and not isinstance(label, datetime)
        label = pd.Timestamp(label) if is_day else label
        return (pd.Series(labels) == label).to_numpy(bool)
    return np.asarray(labels.astype(object) == label, dtype=bool)


def _bool_as_int(values):
    # pandas keeps True and 1 apart, NumPy and scikit-learn do not.
    return values.astype(np.int8) if values.dtype == bool else values


def _kinds(labels):
    """Return the kinds of labels, each with an example."""
    if labels.dtype.kind == "O":
        examples = pd.unique(labels).tolist()
    elif labels.dtype.kind == "f":
        broken = labels[labels != np.floor(labels)]
        examples = np.r_[broken[:1], labels[:1]].tolist()
    else:
        examples = label_list(labels[:1])
    return {_kind(label): label for label in reversed(examples)}


def _kind(label):
    if isinstance(label, Real | Decimal | np.bool_):
        return _WHOLE if label == label // 1 else _BROKEN
    if isinstance(label, datetime):
        return "a time" if label.tzinfo is None else "a time with a zone"
    return "text" if isinstance(label, str) else type(label).__name__

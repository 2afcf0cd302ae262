"""The columns of y: what each task is called, its classes, and which labels lack."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils.multiclass import check_classification_targets

from sk_mtl.preprocessing._frames import as_pandas, column_as_pandas, is_frame


@dataclass(frozen=True)
class ClassTargets:
    """What `fit` learnt about y.

    Attributes
    ----------
    task_names : list of str
        One name per column of y.

    classes : list of ndarray
        The sorted classes of each task, in the labels' own type.

    one_dimensional : bool
        Whether y was a vector: then answers are single arrays, not lists.

    missing_label : object
        The value that marks a missing label beside NaN and None.
    """

    task_names: list[str]
    classes: list[np.ndarray]
    one_dimensional: bool
    missing_label: Any = None

    @property
    def n_tasks(self) -> int:
        """The number of columns of y."""
        return len(self.task_names)

    @property
    def n_classes(self) -> list[int]:
        """The number of classes of each task."""
        return [len(classes) for classes in self.classes]

    def encode(self, y, *, what: str = "y", strict: bool = True) -> np.ndarray:
        """Return class numbers of shape (n_samples, n_tasks), NaN where a label lacks.

        A label outside the known classes raises, or, with ``strict=False``, becomes -1.
        """
        columns, names, _ = split_targets(y, what=what)
        if len(columns) != self.n_tasks:
            raise ValueError(
                f"{what} must have {self.n_tasks} column(s), one per task "
                f"{self.task_names}; found {len(columns)}. Give the columns that the "
                "estimator was fitted with."
            )
        if names is not None and not self.one_dimensional and names != self.task_names:
            raise ValueError(
                f"{what} must have the columns {self.task_names}, in this order; found "
                f"{names}. Reorder or rename the columns."
            )
        codes = np.empty((len(columns[0]), self.n_tasks))
        for k, column in enumerate(columns):
            codes[:, k] = self._encode_column(k, column, what, strict)
        return codes

    def _encode_column(self, k: int, column, what: str, strict: bool) -> np.ndarray:
        missing = is_missing(column, self.missing_label)
        labels = _plain_values(column[~missing])
        known = pd.Index(_without_bools(self.classes[k]))
        index = known.get_indexer(pd.Index(_without_bools(labels)))
        if strict and (index < 0).any():
            found = labels[index < 0][:1].tolist()[0]
            raise ValueError(
                f"{what} of task {self.task_names[k]!r} must hold the classes "
                f"{self.classes[k].tolist()}; found {found!r}. Remove these rows, or "
                "give all classes at the first fit."
            )
        codes = np.full(len(column), np.nan)
        codes[~missing] = index
        return codes

    def decode(self, indices: np.ndarray) -> np.ndarray:
        """Return the labels of class numbers of shape (n_samples, n_tasks)."""
        columns = [self.classes[k][indices[:, k]] for k in range(self.n_tasks)]
        if self.one_dimensional:
            return columns[0]
        kinds = {column.dtype.kind for column in columns}
        if len(kinds) > 1 and not kinds <= set("iuf"):
            # np.stack would turn every label of a mixed table into text.
            columns = [column.astype(object) for column in columns]
        return np.stack(columns, axis=1)


def learn_targets(
    y, *, task_names: Sequence[str] | None, missing_label: Any, classes=None
) -> ClassTargets:
    """Return what there is to know about y, or raise where it cannot be learnt from.

    Parameters
    ----------
    y : array-like of shape (n_samples,) or (n_samples, n_tasks)

    task_names : sequence of str or None
        Names for a y that carries none.

    missing_label : object
        The value that marks a missing label beside NaN and None.

    classes : array-like, list of array-like or None
        All classes, where y may hold only some of them (``partial_fit``).
    """
    columns, found_names, one_dimensional = split_targets(y)
    names = _resolve_names(found_names, task_names, len(columns))
    if classes is None:
        values = [
            _classes_of_column(name, column, missing_label)
            for name, column in zip(names, columns, strict=True)
        ]
    else:
        values = _given_classes(names, classes, one_dimensional)
    return ClassTargets(names, values, one_dimensional, missing_label)


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


def _plain_values(labels) -> np.ndarray:
    """Return labels as a plain NumPy array, text as objects."""
    if isinstance(labels.dtype, pd.CategoricalDtype):
        labels = labels.categories.take(labels.codes).array
    dtype = labels.dtype
    if isinstance(dtype, np.dtype):
        return np.asarray(labels)
    kind = getattr(dtype, "kind", "O")
    wanted = getattr(dtype, "numpy_dtype", None) if kind in "iufb" else object
    return np.asarray(labels, dtype=wanted)


def _without_bools(labels: np.ndarray) -> np.ndarray:
    """Return True and False as 1 and 0: NumPy finds them equal, pandas does not."""
    return labels.astype(np.int8) if labels.dtype.kind == "b" else labels


def _classes_of_column(name: str, column, missing_label) -> np.ndarray:
    labels = _plain_values(column[~is_missing(column, missing_label)])
    if len(labels) == 0:
        raise ValueError(
            f"Task {name!r} must have labelled rows; found none: all {len(column)} "
            "labels are missing. Drop the column, or give its labels."
        )
    if labels.dtype.kind == "f":
        _check_whole_numbers(name, labels)
    try:
        return np.asarray(pd.factorize(labels, sort=True)[1])
    except TypeError:
        # Labels of several types have no order; scikit-learn's error says which.
        check_classification_targets(labels)
        raise


def _check_whole_numbers(name: str, labels: np.ndarray) -> None:
    if np.isinf(labels).any():
        raise ValueError(
            f"Input y contains infinity: the labels of task {name!r} must be finite. "
            "Replace the infinite labels, or mark them as missing with NaN."
        )
    fractions = labels[labels != np.floor(labels)]
    if len(fractions):
        raise ValueError(
            "Unknown label type: continuous. A classifier needs discrete classes; task "
            f"{name!r} holds {float(fractions[0])}. Bin the values, or use a regressor."
        )


def check_class_counts(targets: ClassTargets, codes: np.ndarray, weight) -> None:
    """Raise where fewer than two classes of a task carry weight."""
    for k, name in enumerate(targets.task_names):
        active = ~np.isnan(codes[:, k])
        if weight is not None:
            active &= weight[:, k] > 0
        found = np.unique(codes[active, k]).astype(int)
        if len(found) < 2:
            labels = targets.classes[k][found].tolist()
            raise ValueError(
                f"Task {name!r} must have at least two classes among its labelled rows "
                f"of positive weight; found only one class: {labels}. Drop the task, "
                "or give rows of another class."
            )


def _given_classes(names, classes, one_dimensional: bool) -> list[np.ndarray]:
    if one_dimensional:
        classes = [classes]
    if len(classes) != len(names):
        raise ValueError(
            f"classes must hold one array of classes per task {names}; found "
            f"{len(classes)}. Give a list with the classes of every task."
        )
    values = [np.unique(np.asarray(each)) for each in classes]
    for name, each in zip(names, values, strict=True):
        if len(each) < 2:
            raise ValueError(
                f"classes of task {name!r} must hold at least two classes; found "
                f"{each.tolist()}. Give a list with the classes of every task, such as "
                "[[0, 1], [0, 1]] for two tasks."
            )
    return values

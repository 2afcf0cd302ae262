"""The tasks that an ensemble votes on, and the rows that it learns them from."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils import check_consistent_length
from sklearn.utils.multiclass import check_classification_targets

from sk_mtl._labels import (
    as_numbers,
    check_kind,
    class_codes,
    is_missing,
    label_list,
    plain_values,
    read_labels,
    sorted_classes,
)
from sk_mtl._positive_class import pos_label_per_task, positive_position
from sk_mtl._relations import chain_of, funnel_parents
from sk_mtl._sklearn_compat import _safe_indexing
from sk_mtl._weights import read_weights
from sk_mtl.metrics._read_tasks import classes_per_task


@dataclass(frozen=True)
class VotedTasks:
    """The tasks of an ensemble.

    Attributes
    ----------
    names : list
        The name of each column of y.
    classes : list of (ndarray or None)
        The sorted classes of each task, None where it holds numbers.
    parents : list of (int or None), or None
        For each step of a funnel the position of the step that it builds on; None
        where the tasks are no steps.
    positive : list of int
        The position of the positive class among the classes of each step.
    missing_label : object
        The value that marks a missing label in addition to NaN and None.
    one_dimensional : bool
        Whether y was a vector.
    framed : bool
        Whether y was a data frame.
    """

    names: list
    classes: list
    parents: list | None = None
    positive: list | None = None
    missing_label: Any = None
    one_dimensional: bool = False
    framed: bool = False

    @property
    def class_tasks(self):
        """The positions of the tasks of classes."""
        return [k for k, own in enumerate(self.classes) if own is not None]

    @property
    def number_tasks(self):
        """The positions of the tasks of numbers."""
        return [k for k, own in enumerate(self.classes) if own is None]

    def encode(self, table, weight=None, *, strict=True):
        """Return numbers of shape (n_samples, n_tasks), NaN for missing labels.

        Classes are numbered; one that is unknown raises, or is -1 without `strict`.
        Labels of weight 0 are missing.
        """
        codes = np.full((table.n_samples, len(self.names)), np.nan)
        for k, column in enumerate(table.columns_of(self.names)):
            keep = ~is_missing(column, self.missing_label)
            if weight is not None:
                keep &= weight[:, k] > 0
            codes[keep, k] = self._numbers(k, column[keep], strict)
        return codes

    def with_structure(self, structure, pos_label):
        """Return the tasks as steps of a funnel where `structure` describes one."""
        if not is_funnel(structure):
            return self
        for name, classes in zip(self.names, self.classes, strict=True):
            if len(classes) != 2:
                raise ValueError(
                    "Only binary classification is supported. The type of the target "
                    "is multiclass: a step of a funnel is reached or not, and task "
                    f"{name!r} has {len(classes)} classes. Use "
                    "structure='independent'."
                )
        if isinstance(structure, str):
            parents = [each[0] if each else None for each in chain_of(self.names)]
        else:
            parents = funnel_parents("structure", structure, self.names)
        labels = pos_label_per_task(pos_label, self.names)
        positive = [
            positive_position(*each)
            for each in zip(self.classes, labels, self.names, strict=True)
        ]
        return replace(self, parents=parents, positive=positive)

    def reached(self, codes):
        """Return which rows reached the step before each step, (n_samples, n_tasks).

        Every row counts where the tasks are no steps, or a step is a first one.
        """
        reached = np.ones(codes.shape, dtype=bool)
        for k, parent in enumerate(self.parents or []):
            if parent is not None:
                own = codes[:, k] == self.positive[k]
                reached[:, k] = own | (codes[:, parent] == self.positive[parent])
        return reached

    def _numbers(self, k, labels, strict):
        what = f"y of task {self.names[k]!r}"
        if self.classes[k] is None:
            return _finite(labels, what)
        labels = plain_values(labels)
        check_kind(labels, self.classes[k], what)
        codes = class_codes(labels, self.classes[k])
        if strict and (codes < 0).any():
            (found,) = label_list(labels[codes < 0][:1])
            raise ValueError(
                f"{what} must hold the classes {label_list(self.classes[k])}; found "
                f"{found!r}. Remove these rows, or name all classes by classes=."
            )
        return codes


def is_funnel(structure):
    """Return whether a structure is a funnel: by its name or as a tree."""
    by_name = isinstance(structure, str) and structure == "funnel"
    return by_name or isinstance(structure, Mapping)


def learn_tasks(table, weight, has_classes, settings, classes=None, framed=False):
    """Return the tasks of y.

    Parameters
    ----------
    table : LabelTable
    weight : ndarray of shape (n_samples, n_tasks) or None
    has_classes : list of bool
        Whether each task holds classes.
    settings : PartSettings
    classes : list, dict or array-like, default=None
        All classes, as in `fit`.
    framed : bool, default=False
        Whether y was a data frame.
    """
    names = table.task_names(settings.task_names)
    given = classes_per_task(classes, names)
    each = zip(names, table.columns, has_classes, given, strict=True)
    learnt = []
    for k, (name, column, is_class, known) in enumerate(each):
        keep = ~is_missing(column, settings.missing_label)
        if weight is not None:
            keep &= weight[:, k] > 0
        labels = column[keep]
        if len(labels) == 0:
            raise ValueError(
                f"Task {name!r} must have labelled rows of positive weight; found "
                "none. Drop the task, or give rows with labels."
            )
        if is_class:
            learnt.append(_learn_classes(name, labels, known))
        else:
            _refuse_classes(name, known)
            learnt.append(None)
    tasks = VotedTasks(
        names,
        learnt,
        missing_label=settings.missing_label,
        one_dimensional=table.is_vector,
        framed=framed,
    )
    return tasks.with_structure(settings.structure, settings.pos_label)


def _learn_classes(name, labels, given):
    labels = plain_values(labels)
    if labels.dtype.kind == "f":
        check_classification_targets(_finite(labels, f"y of task {name!r}"))
    if given is not None:
        given = read_labels(given, f"classes of task {name!r}").columns[0]
        labels = plain_values(given[~is_missing(given)])
    classes = sorted_classes(labels, name)
    if len(classes) < 2:
        raise ValueError(
            f"Task {name!r} must have at least two classes among its labelled rows of "
            f"positive weight; found only one class: {label_list(classes)}. Drop the "
            "task, or give rows of another class. Where other rows have one, name all "
            "classes by classes=."
        )
    return classes


def _refuse_classes(name, given):
    if given is not None:
        raise ValueError(
            f"classes must be of tasks of classes; found some for task {name!r}, which "
            "holds numbers. Leave it out."
        )


def _finite(labels, what):
    numbers = as_numbers(labels, what, "Convert them, or use a classifier")
    if not np.isfinite(numbers).all():
        raise ValueError(
            f"Input y contains infinity: {what} must be finite. Replace the infinite "
            "labels, or mark them as missing with NaN."
        )
    return numbers


@dataclass(frozen=True)
class VotedRows:
    """Rows with labels, weights and groups, to be cut to parts of themselves.

    Attributes
    ----------
    X : array-like or DataFrame with n_samples rows
        As the caller gave it.
    columns : list of ndarray or ExtensionArray
        The labels of each task as they were given.
    codes : ndarray of shape (n_samples, n_tasks)
        Class numbers or numbers, NaN where the label is missing or of weight 0.
    weight : ndarray of shape (n_samples, n_tasks) or None
    groups : array-like of shape (n_samples,) or None
    """

    X: Any
    columns: list
    codes: np.ndarray
    weight: np.ndarray | None = None
    groups: Any = None

    @classmethod
    def check(cls, X, table, weight, groups, tasks):
        """Return the rows, or raise where the lengths differ."""
        check_consistent_length(X, table.columns[0], groups)
        codes = tasks.encode(table, weight)
        return cls(X, table.columns_of(tasks.names), codes, weight, groups)

    def __len__(self):
        return len(self.codes)

    def take(self, rows):
        """Return some of the rows, given by their positions."""
        if np.array_equal(rows, np.arange(len(self))):
            return self
        return VotedRows(
            _safe_indexing(self.X, rows),
            [column[rows] for column in self.columns],
            self.codes[rows],
            None if self.weight is None else self.weight[rows],
            None if self.groups is None else _safe_indexing(self.groups, rows),
        )

    def y_of(self, tasks, positions):
        """Return the labels of some tasks as a frame, or of the only task of a vector.

        Parameters
        ----------
        tasks : VotedTasks
        positions : list of int
        """
        columns = [pd.Series(self.columns[k]) for k in positions]
        if tasks.one_dimensional:
            return columns[0].rename(tasks.names[0])
        names = pd.Index([tasks.names[k] for k in positions], tupleize_cols=False)
        return pd.concat(columns, axis=1).set_axis(names, axis=1)


def read_rows_weight(weight, n_samples, names):
    """Return weights of shape (n_samples, n_tasks), None where all are 1 or given so.

    Raise where no weight is positive.
    """
    weight = read_weights(weight, n_samples, names)
    if weight is not None and not weight.any():
        raise ValueError(
            "sample_weight must hold a positive weight; found that every weight is "
            "zero. Give some row a weight above 0."
        )
    return None if weight is None or (weight == 1).all() else weight

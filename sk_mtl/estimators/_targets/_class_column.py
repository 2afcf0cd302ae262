"""A column of y that holds classes."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from sk_mtl._labels import (
    check_kind,
    class_codes,
    is_missing,
    label_list,
    plain_values,
    read_labels,
    sorted_classes,
)
from sk_mtl._positive_class import positive_position
from sk_mtl.estimators._choices._class_losses import CrossEntropy
from sk_mtl.estimators._choices._loss import Loss
from sk_mtl.estimators._choices._task_losses import name_of
from sk_mtl.estimators._targets._target_column import TargetColumn, raise_unlabelled
from sk_mtl.losses import TaskOutput
from sk_mtl.metrics import TaskMetric

# Numbers of rows per class, and of classes, that rule out features unlike the label.
_TELLING = 32


@dataclass(frozen=True)
class ClassColumn(TargetColumn):
    """A task of classes, with labels of any type.

    Attributes
    ----------
    classes : ndarray
        The classes in the labels' own type, in the order of their numbers. They are
        sorted, unless there are two and the first is named as positive: number 1 of two
        is always the positive class.

    is_named : bool
        Whether the caller named the classes, so that some may have no rows.

    untrained : tuple of int
        Numbers of the classes that no training row has, if other classes have rows.

    pos_label : object
        The positive class if the caller named it, else None.

    loss : Loss
        The loss by which the task is learnt.
    """

    classes: np.ndarray = None
    is_named: bool = False
    untrained: tuple[int, ...] = ()
    pos_label: Any = None
    loss: Loss = field(default_factory=CrossEntropy)

    @property
    def output(self) -> TaskOutput:
        """The meaning of the task's logits."""
        output = self.loss.checked_output(len(self.classes))
        n_classes = getattr(output, "n_classes", None)
        if n_classes != len(self.classes):
            raise ValueError(
                f"The loss of task {self.name!r} must be for its {len(self.classes)} "
                f"classes; found {name_of(self.loss)}, for {n_classes}. Give a Loss "
                "whose make_output takes the number of classes."
            )
        return output

    @classmethod
    def learn(
        cls, name: Hashable, column, missing_label, pos_label=None
    ) -> ClassColumn:
        """Return the column with the classes that it contains."""
        labels = plain_values(column[~is_missing(column, missing_label)])
        if len(labels) == 0:
            raise_unlabelled(name, column)
        if labels.dtype.kind == "f":
            _check_whole_numbers(name, labels)
        return cls._of(name, missing_label, sorted_classes(labels, name), pos_label)

    @classmethod
    def learn_or_given(
        cls,
        name: Hashable,
        column,
        classes,
        missing_label,
        pos_label=None,
        loss: Loss | None = None,
    ) -> ClassColumn:
        """Return the column with the named classes, or with the classes it contains."""
        if classes is None:
            learnt = cls.learn(name, column, missing_label, pos_label)
        else:
            learnt = cls.given(name, classes, missing_label, pos_label)
        return learnt if loss is None else replace(learnt, loss=loss)

    @classmethod
    def given(
        cls, name: Hashable, classes, missing_label, pos_label=None
    ) -> ClassColumn:
        """Return the column with classes that the caller names."""
        classes = [classes] if np.ndim(classes) == 0 else classes
        column = read_labels(classes, f"classes of task {name!r}").columns[0]
        known = column[~is_missing(column, missing_label)]
        classes = sorted_classes(plain_values(known), name)
        if len(classes) < 2:
            raise ValueError(
                f"classes of task {name!r} must hold at least two classes; found "
                f"{label_list(classes)}. Give a list with the classes of every task, "
                "such as [[0, 1], [0, 1]] for two tasks."
            )
        column = cls._of(name, missing_label, classes, pos_label)
        return replace(column, is_named=True)

    @classmethod
    def _of(cls, name: Hashable, missing_label, classes, pos_label) -> ClassColumn:
        # A single class, which `check_counts` refuses later, may be the negative one.
        if pos_label is not None and len(classes) > 1:
            position = positive_position(classes, pos_label, name)
            pos_label = label_list(classes)[position]
            classes = classes if position else classes[::-1]
        return cls(name, missing_label, classes, pos_label=pos_label)

    @property
    def sorted_classes(self) -> np.ndarray:
        """The classes in sorted order, which is the order of public answers."""
        return self.classes[self._sorting]

    def sort_answers(self, answers: np.ndarray) -> np.ndarray:
        """Return answers with their columns in the order of the sorted classes."""
        # torch does not accept arrays with negative strides.
        return np.ascontiguousarray(answers[:, self._sorting])

    @property
    def _sorting(self) -> slice:
        backwards = len(self.classes) == 2 and self.pos_label is not None
        backwards = backwards and self.classes[0] > self.classes[1]
        return slice(None, None, -1 if backwards else 1)

    def _likeliest(self, answers: np.ndarray) -> np.ndarray:
        """Return the numbers of the likeliest classes; ties go to the first sorted."""
        numbers = np.arange(len(self.classes))[self._sorting]
        return numbers[answers[:, self._sorting].argmax(axis=1)]

    def encode(self, column, *, what: str, strict: bool) -> np.ndarray:
        """Return class numbers, NaN where the label is missing.

        Raise for a label outside the known classes; with `strict=False` return -1
        instead. Raise for a label of another type in any case.
        """
        missing = is_missing(column, self.missing_label)
        labels = plain_values(column[~missing])
        check_kind(labels, self.classes, f"{what} of task {self.name!r}")
        index = class_codes(labels, self.classes)
        if strict and (index < 0).any():
            (found,) = label_list(labels[index < 0][:1])
            raise ValueError(
                f"{what} of task {self.name!r} must hold the classes "
                f"{label_list(self.classes)}; found {found!r}. Remove these rows, or "
                "give all classes at the first fit."
            )
        codes = np.full(len(column), np.nan)
        codes[~missing] = index
        return codes

    def decode(self, answers: np.ndarray) -> np.ndarray:
        """Return the likeliest label of each row of log-probabilities."""
        return self.classes[self._likeliest(answers)]

    def labels_of(self, codes: np.ndarray) -> np.ndarray:
        """Return the labels behind class numbers."""
        return self.classes[codes.astype(int)]

    def score(
        self, codes: np.ndarray, answers: np.ndarray, weight: np.ndarray
    ) -> float:
        """Return the accuracy."""
        return np.average(self._likeliest(answers) == codes, weights=weight)

    def evaluate(
        self, metric: TaskMetric, codes, answers, weight, pos_label=None, groups=None
    ) -> float:
        """Return a metric of labels and probabilities."""
        if pos_label is None and len(self.classes) == 2:
            pos_label = self.classes[1]
        return metric.of_kind("class", self.name)(
            self.classes[codes.astype(int)],
            self.sort_answers(np.exp(answers)),
            sample_weight=weight,
            classes=self.sorted_classes,
            pos_label=pos_label,
            groups=groups,
        )

    def telling_rows(self, codes: np.ndarray) -> np.ndarray:
        """Return the positions of a few rows of each of the first classes."""
        order = np.argsort(codes.astype(np.int32), kind="stable")
        starts = np.flatnonzero(np.diff(codes[order], prepend=-1))
        stops = np.append(starts[1:], len(order))
        bounds = zip(starts, stops, strict=True)
        parts = [order[start : min(stop, start + _TELLING)] for start, stop in bounds]
        return np.concatenate(parts[:_TELLING])

    def may_be_told_by(self, features: np.ndarray, codes: np.ndarray) -> np.ndarray:
        """Return which columns have a single and different value for each class."""
        first, member = np.unique(codes, return_index=True, return_inverse=True)[1:]
        values = features[first]
        constant = (features == values[member]).all(axis=0)
        distinct = (np.diff(np.sort(values, axis=0), axis=0) != 0).all(axis=0)
        return constant & distinct & (len(first) > 1)

    def is_leaked_by(self, feature: np.ndarray, codes: np.ndarray) -> bool:
        """Return whether values and classes correspond one to one."""
        pairs = np.unique(np.column_stack([feature, codes]), axis=0)
        n_values = len(np.unique(pairs[:, 0]))
        return len(pairs) > 1 and n_values == len(pairs) == len(np.unique(pairs[:, 1]))

    def check_counts(self, codes: np.ndarray, weight: np.ndarray | None) -> None:
        """Raise if fewer than two classes have weight, unless they were named."""
        if self.is_named:
            return
        active = ~np.isnan(codes)
        if weight is not None:
            active &= weight > 0
        found = np.unique(codes[active]).astype(int)
        if len(found) < 2:
            labels = label_list(self.classes[found])
            raise ValueError(
                f"Task {self.name!r} must have at least two classes among its labelled "
                f"rows of positive weight; found only one class: {labels}. Drop the "
                "task, or give rows of another class. Where other rows have one, name "
                "all classes by classes=."
            )

    def mark_untrained(
        self, codes: np.ndarray, soft: np.ndarray | None = None
    ) -> ClassColumn:
        """Return the column with a record of the classes that no training row has.

        A class that has a positive probability in `soft` is trained, too.
        """
        trained = np.unique(codes[~np.isnan(codes)]).astype(int)
        if soft is not None:
            trained = np.union1d(trained, np.flatnonzero(soft.any(axis=0)))
        untrained = np.setdiff1d(np.arange(len(self.classes)), trained)
        found = tuple(untrained.tolist()) if len(trained) else ()
        return replace(self, untrained=found)

    def logit_offsets(self) -> list[float]:
        """Return constants that make untrained classes improbable."""
        return self.output.logit_offsets(self.untrained)


def _check_whole_numbers(name: Hashable, labels: np.ndarray) -> None:
    if np.isinf(labels).any():
        raise ValueError(
            f"Input y contains infinity: the labels of task {name!r} must be finite. "
            "Replace the infinite labels, or mark them as missing with NaN."
        )
    fractions = labels[labels != np.floor(labels)]
    if len(fractions):
        raise ValueError(
            "Unknown label type: continuous. A classifier needs discrete classes; task "
            f"{name!r} holds {float(fractions[0])}. Bin the values, use a regressor, "
            "or MultiTaskEstimator for classes beside numbers."
        )

"""The base class of the columns of y."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np

from sk_mtl.losses import TaskOutput
from sk_mtl.metrics import TaskMetric


@dataclass(frozen=True)
class TargetColumn(ABC):
    """One task of y: turns labels into numbers, and answers into labels.

    Attributes
    ----------
    name : hashable
        The name of the task.

    missing_label : object
        The value that marks a missing label in addition to NaN and None.
    """

    name: Hashable
    missing_label: Any

    @property
    @abstractmethod
    def output(self) -> TaskOutput:
        """The meaning of the task's logits."""

    @abstractmethod
    def encode(self, column, *, what: str, strict: bool) -> np.ndarray:
        """Return numbers, NaN where the label is missing.

        Raise for labels that `fit` would refuse; with `strict=False` an unknown class
        becomes -1, and a number outside the loss's domain is kept.
        """

    @abstractmethod
    def decode(self, answers: np.ndarray) -> np.ndarray:
        """Return predicted labels, given the answers of the network.

        Parameters
        ----------
        answers : ndarray of shape (n_samples, n_answers)
            The structure's answers for the task.
        """

    @abstractmethod
    def score(
        self, codes: np.ndarray, answers: np.ndarray, weight: np.ndarray
    ) -> float:
        """Return the quality of answers, at best 1, on rows of positive weight."""

    @abstractmethod
    def evaluate(
        self, metric: TaskMetric, codes, answers, weight, pos_label=None, groups=None
    ) -> float:
        """Return a metric of `sk_mtl.metrics` on labelled rows.

        `pos_label` is the positive one of two classes; None is the last. `groups` are
        the groups of the rows, for metrics that rank within them.
        """

    @abstractmethod
    def telling_rows(self, codes: np.ndarray) -> np.ndarray:
        """Return the positions of a few rows that rule out most features."""

    @abstractmethod
    def may_be_told_by(self, features: np.ndarray, codes: np.ndarray) -> np.ndarray:
        """Return which columns of features could be the label under another name.

        Parameters
        ----------
        features : ndarray of shape (n_samples, n_features)
            The features of these rows.

        codes : ndarray of shape (n_samples,)

        Returns
        -------
        may_be : ndarray of bool of shape (n_features,)
            True for every column that `is_leaked_by` accepts, and for few others.
        """

    @abstractmethod
    def is_leaked_by(self, feature: np.ndarray, codes: np.ndarray) -> bool:
        """Return whether a feature is the label under another name."""

    @abstractmethod
    def check_counts(self, codes: np.ndarray, weight: np.ndarray | None) -> None:
        """Raise if the labelled rows of positive weight are too few to learn from."""

    def labels_of(self, codes: np.ndarray) -> np.ndarray:
        """Return the labels behind numbers, of which none is NaN."""
        return codes

    def fit_scale(self, codes: np.ndarray, weight: np.ndarray | None) -> TargetColumn:
        """Return the column with the units in which the network learns it."""
        return self

    @property
    def needs_errors(self) -> bool:
        """True if predictions depend on the errors of the network in training."""
        return False

    def with_errors(
        self, answers: np.ndarray, scaled: np.ndarray, weight: np.ndarray
    ) -> TargetColumn:
        """Return the column with the errors of a network in training.

        Parameters
        ----------
        answers, scaled, weight : ndarray of shape (n_samples,)
            The network's answers and the targets in its units, and the weights of the
            rows, 0 where the label is missing.
        """
        return self

    def mark_untrained(
        self, codes: np.ndarray, soft: np.ndarray | None = None
    ) -> TargetColumn:
        """Return the column with a record of the classes that no training row has."""
        return self

    def logit_offsets(self) -> list[float]:
        """Return the constants that are added to the task's logits."""
        return self.output.logit_offsets(())

    def scale_codes(self, codes: np.ndarray) -> np.ndarray:
        """Return the targets in the network's units, with values for missing labels."""
        return np.where(np.isnan(codes), 0.0, codes)

    def strata(self, codes: np.ndarray) -> np.ndarray:
        """Return the values to stratify a split by, NaN where the label is missing."""
        return codes


def raise_unlabelled(name: Hashable, column) -> NoReturn:
    """Raise for a task without labels; `column` holds the labels of positive weight."""
    if len(column) == 0:
        raise ValueError(
            f"Task {name!r} must have labelled rows of positive weight; found none. "
            "Drop the task, or give rows that count."
        )
    raise ValueError(
        f"Task {name!r} must have labelled rows; found none: all {len(column)} labels "
        "are missing. Drop the column, or give its labels."
    )

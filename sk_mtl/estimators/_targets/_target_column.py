"""What `fit` learns about one column of y: the base class."""

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
    """One task of y: how its labels become numbers, and answers become labels.

    Attributes
    ----------
    name : hashable
        The name of the task.

    missing_label : object
        The value that marks a missing label beside NaN and None.
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
            What the structure answers for the task.
        """

    @abstractmethod
    def score(
        self, codes: np.ndarray, answers: np.ndarray, weight: np.ndarray
    ) -> float:
        """Return how good answers are, at best 1, on rows of positive weight."""

    @abstractmethod
    def evaluate(
        self, metric: TaskMetric, codes, answers, weight, pos_label=None
    ) -> float:
        """Return a metric of `sk_mtl.metrics` on labelled rows.

        `pos_label` is the positive one of two classes; None is the last.
        """

    @abstractmethod
    def telling_rows(self, codes: np.ndarray) -> np.ndarray:
        """Return the positions of a few rows that tell most features from the label."""

    @abstractmethod
    def may_be_told_by(self, features: np.ndarray, codes: np.ndarray) -> np.ndarray:
        """Return which columns of features could be the label under another name.

        Parameters
        ----------
        features : ndarray of shape (n_samples, n_features)
            Of the telling rows.

        codes : ndarray of shape (n_samples,)

        Returns
        -------
        may_be : ndarray of bool of shape (n_features,)
            True for every column that `is_told_by` accepts, and for few others.
        """

    @abstractmethod
    def is_told_by(self, feature: np.ndarray, codes: np.ndarray) -> bool:
        """Return whether a feature is the label under another name."""

    @abstractmethod
    def check_counts(self, codes: np.ndarray, weight: np.ndarray | None) -> None:
        """Raise where the labelled rows of positive weight cannot be learnt from."""

    def labels_of(self, codes: np.ndarray) -> np.ndarray:
        """Return the labels behind numbers, of which none is NaN."""
        return codes

    def fit_scale(self, codes: np.ndarray, weight: np.ndarray | None) -> TargetColumn:
        """Return the column with the units in which the network learns it."""
        return self

    def mark_untrained(self, codes: np.ndarray) -> TargetColumn:
        """Return the column, which remembers classes that no training row has."""
        return self

    def logit_offsets(self) -> list[float]:
        """Return the constants that are added to the task's logits."""
        return self.output.logit_offsets(())

    def scale_codes(self, codes: np.ndarray) -> np.ndarray:
        """Return the targets as the network learns them, one also of missing labels."""
        return np.where(np.isnan(codes), 0.0, codes)

    def strata(self, codes: np.ndarray) -> np.ndarray:
        """Return what a split into parts should spread evenly, NaN without a label."""
        return codes


def raise_unlabelled(name: Hashable, column) -> NoReturn:
    """Raise for a task without a single label; `column` holds those that count."""
    if len(column) == 0:
        raise ValueError(
            f"Task {name!r} must have labelled rows of positive weight; found none. "
            "Drop the task, or give rows that count."
        )
    raise ValueError(
        f"Task {name!r} must have labelled rows; found none: all {len(column)} labels "
        "are missing. Drop the column, or give its labels."
    )

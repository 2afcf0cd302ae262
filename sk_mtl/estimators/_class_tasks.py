"""Parameters and answers of tasks of classes."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from sk_mtl._sklearn_compat import StrOptions, _fit_context
from sk_mtl.estimators._fit_state import FitState
from sk_mtl.estimators._rows._labelled_rows import LabelledRows, weight_classes
from sk_mtl.estimators._rows._thinned_rows import (
    check_thinned_rows,
    has_steps,
    resolve_thinning,
    weight_negatives,
)
from sk_mtl.estimators._targets._class_column import ClassColumn
from sk_mtl.estimators._targets._targets import Targets
from sk_mtl.losses import Structure, Thinning


@dataclass(kw_only=True, eq=False, repr=False)
class ClassTasks:
    """Mixin of models with tasks of classes: their parameters and answers.

    Parameters
    ----------
    class_weight : "balanced", dict, list or None, default=None
        Weights of the classes of a task. ``"balanced"`` gives every class of a task
        the same total weight, sample weights included. A dict maps labels to weights,
        the same for every task, or task names to one of these values. A list holds one
        of these values per task. Weights above 1 for rare classes raise recall and
        harm calibration.

    pos_label : label, dict or None, default=None
        The positive class of two: the label that means "reached" in a funnel, and the
        one that a `monitor` or a scorer such as ``"average_precision"`` measures. One
        label for all tasks of classes, or a dict by task name. By default, and for
        tasks left out, it is 1 if the labels are 0 and 1 or -1 and 1, and otherwise
        the label that sorts last, with a `PositiveClassWarning` where it matters.

    negative_sampling_rate : float, dict or None, default=None
        The chance of a negative row to be among the training rows, in (0, 1], if they
        were thinned: ``{"click": 0.2}`` after four of five rows without a click were
        dropped, whatever their other labels. `predict_proba` and all other answers are
        then of all rows. A number is for a `y` of one task. Only one binary task may be
        thinned. In a funnel later steps are corrected with it; a step that is neither
        before nor behind it is refused. Tasks that do not build on each other learn
        with a weight of 1 / rate on the rows that are negative for the thinned one.
        Validation rows must be thinned in the same way, and losses, monitors and
        ``history_`` are of thinned rows. None: no rows were dropped.

    Attributes
    ----------
    pos_label_ : dict
        The positive class of the tasks for which `pos_label` names one.
    """

    _parameter_constraints: ClassVar[dict] = {
        "class_weight": [StrOptions({"balanced"}), dict, list, tuple, None],
        "pos_label": "no_validation",
        # Errors that name the task are raised once the tasks are known.
        "negative_sampling_rate": "no_validation",
    }

    _changeable: ClassVar[frozenset] = frozenset({"class_weight"})

    class_weight: str | Mapping | Sequence | None = None
    pos_label: Hashable | Mapping = None
    negative_sampling_rate: float | Mapping | None = None

    @_fit_context(prefer_skip_nested_validation=False)
    def partial_fit(self, X, y, classes=None, sample_weight=None, soft_labels=None):
        """Train for one more pass over the given rows.

        The first call fits the preprocessing, which then stays fixed: categories that
        first appear later are unknown, and columns that are constant in the first
        batch are left out for good. Its number of rows also determines `n_bins` and
        `batch_norm` if they are "auto". Use a first batch that is large enough to
        contain the categories.

        Parameters
        ----------
        X : {DataFrame, array-like} of shape (n_samples, n_features)

        y : {DataFrame, array-like} of shape (n_samples,) or (n_samples, n_tasks)

        classes : array-like, list of array-like or dict, default=None
            All classes, as in `fit`, if later rows may hold classes that the first
            rows do not. None takes the classes of the first `y`.

        sample_weight : array-like of shape (n_samples,) or (n_samples, n_tasks), or \
                dict, default=None
            As in `fit`.

        soft_labels : array-like, DataFrame, list or dict, default=None
            As in `fit`.

        Returns
        -------
        self : object
            The estimator, trained further.
        """
        self._refuse_balanced()
        self._fit_further(X, y, sample_weight, classes, soft_labels)
        return self

    def find_classes(self, y):
        """Return the classes of each task of `y`, as `fit` takes them.

        A part of the rows may not contain every class, so tools that fit on a part
        pass the classes of all rows to `fit`.

        Parameters
        ----------
        y : {DataFrame, array-like} of shape (n_samples,) or (n_samples, n_tasks)

        Returns
        -------
        classes : list of (ndarray or None), or ndarray
            The sorted classes, None for a task of numbers; a single one for a 1-d `y`.
        """
        targets = self._learn_targets(y)
        return targets.as_given(targets.sorted_classes)

    def predict_proba(self, X):
        """Return the probability of every class of every task.

        The probabilities of a row do not depend on the other rows or on their order,
        to within 1e-6, and are the same bit for bit in the same table.

        Parameters
        ----------
        X : {DataFrame, array-like} of shape (n_samples, n_features)

        Returns
        -------
        proba : list of ndarray of shape (n_samples, n_classes)
            One array per column of y, its columns in the order of ``classes_``, and
            None for a task of numbers; a single array if y was 1-d.
        """
        network = self.predictor_

        def proba(logits: np.ndarray) -> list[np.ndarray | None]:
            return network.probabilities(network.answers(logits))

        return network.targets.as_given(network.map_rows(X, proba))

    def predict_log_proba(self, X):
        """Return the logarithms of the probabilities, computed from the logits.

        Parameters
        ----------
        X : {DataFrame, array-like} of shape (n_samples, n_features)

        Returns
        -------
        log_proba : list of ndarray of shape (n_samples, n_classes)
            As from `predict_proba`.
        """
        network = self.predictor_
        answers = network.map_rows(X, network.answers)
        return in_order(network.targets, map(round_log_proba, answers))

    def _check_labels(self, rows: LabelledRows, targets: Targets) -> None:
        super()._check_labels(rows, targets)
        thinning = self._thinning(targets)
        if thinning is not None:
            check_thinned_rows(thinning, rows, targets, self._make_structure(targets))

    def _thinning(self, targets: Targets) -> Thinning | None:
        rate = self.negative_sampling_rate
        if rate is None:
            return None
        return resolve_thinning(rate, targets, self._make_structure(targets))

    def _answering_structure(self, structure: Structure, targets: Targets) -> Structure:
        thinning = self._thinning(targets)
        if thinning is None:
            return structure
        return structure.with_thinning(thinning.task, thinning.rate)

    def _weight_rows(self, targets, train, valid):
        thinning = self._thinning(targets)
        if thinning is not None and not has_steps(self._make_structure(targets)):
            train = weight_negatives(train, thinning)
            valid = valid and weight_negatives(valid, thinning)
        return weight_classes(self.class_weight, targets, train, valid)

    def _attributes_of(self, state: FitState) -> dict[str, Any]:
        targets = state.targets
        return {
            **super()._attributes_of(state),
            "classes_": targets.as_given(targets.sorted_classes),
            "pos_label_": targets.pos_labels,
        }

    def _refuse_balanced(self) -> None:
        given = self.class_weight
        if isinstance(given, Mapping):
            given = given.values()
        elif not isinstance(given, list | tuple):
            given = [given]
        if "balanced" in list(given):
            raise ValueError(
                "class_weight must hold numbers for partial_fit, which gets a part of "
                f"the rows; found {self.class_weight!r}. Compute the weights on all "
                "rows with sklearn.utils.compute_class_weight and give them as a dict."
            )


def in_order(targets: Targets, arrays: Iterable[np.ndarray]):
    """Return arrays in the order of ``classes_``, None for tasks of numbers."""
    return targets.as_given(
        column.sort_answers(array) if isinstance(column, ClassColumn) else None
        for column, array in zip(targets.columns, arrays, strict=True)
    )


def round_log_proba(answers: np.ndarray) -> np.ndarray:
    """Return logarithms that agree with rounded probabilities.

    A probability that rounds to one has the logarithm of one.
    """
    rounds_to_one = answers >= -np.finfo(answers.dtype).epsneg / 2
    return np.where(rounds_to_one, np.zeros_like(answers), answers)

"""The trained network of an estimator: from raw rows to answers, step by step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sk_mtl.estimators._fit_state import FitState
from sk_mtl.estimators._rows._inputs import check_X
from sk_mtl.estimators._rows._labelled_rows import LabelledRows
from sk_mtl.estimators._rows._training_rows import TrainingRows
from sk_mtl.estimators._targets._class_column import ClassColumn
from sk_mtl.estimators._targets._targets import Targets
from sk_mtl.estimators._training._evaluation import compute_logits, evaluate
from sk_mtl.estimators._training._precision import DTYPES
from sk_mtl.losses import Structure
from sk_mtl.preprocessing import FeatureArrays, FeatureSchema

# The number of rows that are encoded and predicted at a time, so that the memory of a
# prediction, apart from its answer, does not grow with the number of rows.
_CHUNK = 65_536


class FittedNetwork:
    """The steps of a prediction: encode, compute logits, answer, decode.

    It belongs to one fit and never changes; setting parameters or fitting the estimator
    again does not affect it.

    Attributes
    ----------
    module : torch.nn.Module
        The trained network. Called with the codes, the numbers and the sequences of
        encoded rows, it returns the logits of all tasks side by side.

    preprocessor : transformer
        From the columns of X to encoded ones.

    schema : FeatureSchema
        The columns of these inputs.

    dtype : numpy.dtype
        The type of the numbers among them, and of what is predicted of classes.

    structure : Structure
        The meaning of the logits.

    targets : Targets
        The tasks that `fit` has learnt.

    task_names : list
        The name of each task.

    classes : list of (ndarray or None)
        The classes of each task in the order of its answers; None for numbers.

    Examples
    --------
    >>> from sk_mtl import MMOEClassifier
    >>> from sk_mtl.datasets import load_adult
    >>> X, y = load_adult(return_X_y=True)
    >>> X, y = X[:1000], y[:1000]
    >>> model = MMOEClassifier(max_epochs=1, random_state=0).fit(X, y)
    >>> network = model.predictor_
    >>> answers = network.answers(network.logits(network.encode(X)))
    >>> proba = network.probabilities(answers)
    >>> bool((proba[0] == model.predict_proba(X)[0]).all())
    True
    >>> bool((network.decode(answers) == model.predict(X)).all())
    True
    """

    def __init__(self, state: FitState) -> None:
        self._state = state

    @property
    def module(self) -> nn.Module:
        """The trained network."""
        return self._state.net.module_

    @property
    def preprocessor(self) -> Any:
        """From the columns of X to encoded ones."""
        return self._state.encoder.preprocessor

    @property
    def schema(self) -> FeatureSchema:
        """The columns of the network's inputs."""
        return self._state.encoder.schema

    @property
    def dtype(self) -> np.dtype:
        """The type of the numbers of inputs and of probabilities."""
        return self._state.encoder.dtype

    @property
    def structure(self) -> Structure:
        """The meaning of the logits."""
        state = self._state
        return state.parameters._answering_structure(state.structure, state.targets)

    @property
    def targets(self) -> Targets:
        """The tasks that `fit` has learnt."""
        return self._state.targets

    @property
    def task_names(self) -> list:
        """The name of each task."""
        return self.targets.task_names

    @property
    def classes(self) -> list[np.ndarray | None]:
        """The classes of each task in the order of its answers; None for numbers."""
        return self.targets.classes

    def encode(self, X) -> FeatureArrays:
        """Return the inputs of the network.

        Parameters
        ----------
        X : {DataFrame, array-like} of shape (n_samples, n_features)
            Raw columns, as in `fit`.

        Returns
        -------
        arrays : FeatureArrays
            ``codes`` of shape (n_samples, n_categorical), ``numeric`` of shape
            (n_samples, n_numeric), and ``sequences``, one array of shape (n_samples,
            length) for each column of sequences.
        """
        return self._state.encoder.encode(self._check(X))

    def labelled_rows(self, X, y, sample_weight=None) -> TrainingRows:
        """Return encoded rows with labels and weights, as a fit trains on them.

        Parameters
        ----------
        X : {DataFrame, array-like} of shape (n_samples, n_features)
        y : {DataFrame, array-like} of shape (n_samples,) or (n_samples, n_tasks)
        sample_weight : array-like or dict, default=None
            As in `fit`.

        Returns
        -------
        rows : TrainingRows
            On the device of the network. Weights combine the weights of rows and
            classes, and are 0 where the label is missing.
        """
        state = self._state
        parameters, targets = state.parameters, state.targets
        X = self._check(X)
        rows = LabelledRows.check(X, y, sample_weight, None, targets)
        rows = parameters._complete_labels(rows, targets)
        rows, _ = parameters._weight_rows(targets, rows, None)
        rows = replace(rows, X=state.encoder.encode(X))
        device = torch.device(state.net.device)
        return rows.to_table(targets, DTYPES[parameters.precision], device)

    def logits(self, arrays: FeatureArrays) -> np.ndarray:
        """Return the logits of encoded rows.

        Parameters
        ----------
        arrays : FeatureArrays

        Returns
        -------
        logits : ndarray of shape (n_samples, n_heads)
            The logits of all tasks side by side; with several members, the shape is
            (n_samples, n_members, n_heads).
        """
        return self.evaluate(compute_logits, arrays)[0]

    def answers(self, logits: np.ndarray) -> list[np.ndarray]:
        """Return the answers for each task.

        They are computed in double precision, because the last digit of a vectorised
        exponential in single precision depends on a row's position in the batch.

        Parameters
        ----------
        logits : ndarray of shape (n_samples, n_heads)

        Returns
        -------
        answers : list of ndarray of shape (n_samples, n_answers)
            The logarithms of the probabilities of a task's `classes`, or for a task of
            numbers the quantities that its loss learns, in standard units.
        """
        return self.apply(self.structure.answers, logits)

    def conditional_answers(self, logits: np.ndarray) -> list[np.ndarray]:
        """Return the conditional answers for each step of a funnel.

        Parameters
        ----------
        logits : ndarray of shape (n_samples, n_heads)

        Returns
        -------
        answers : list of ndarray of shape (n_samples, 2)
            As from `answers`, which every funnel has.
        """
        return self.apply(self.structure.conditional_log_proba, logits)

    def decode(self, answers: Sequence[np.ndarray]) -> np.ndarray:
        """Return the predicted labels.

        Parameters
        ----------
        answers : list of ndarray of shape (n_samples, n_answers)

        Returns
        -------
        labels : ndarray of shape (n_samples,) or (n_samples, n_tasks)
            The likeliest class, in the labels' own type, or the number in the target's
            own units.
        """
        return self.targets.decode([self._rounded(answer) for answer in answers])

    def probabilities(self, answers: Sequence[np.ndarray]) -> list[np.ndarray | None]:
        """Return the probabilities of classes, as from `predict_proba`.

        Parameters
        ----------
        answers : list of ndarray of shape (n_samples, n_answers)

        Returns
        -------
        proba : list of (ndarray of shape (n_samples, n_classes) or None)
            The columns are the sorted classes, which differ from `classes` if
            `pos_label` names the class that sorts first. None for a task of numbers.
        """
        return [
            self._rounded(column.sort_answers(torch.from_numpy(answer).exp().numpy()))
            if isinstance(column, ClassColumn)
            else None
            for column, answer in zip(self.targets.columns, answers, strict=True)
        ]

    def apply(
        self, function: Callable[[Tensor], Sequence[Tensor]], logits: np.ndarray
    ) -> list[np.ndarray]:
        """Return the arrays that a function of tensors computes from logits."""
        results = function(torch.from_numpy(logits).double())
        return [result.numpy() for result in results]

    def evaluate(
        self, function: Callable[..., list[Tensor]], arrays: FeatureArrays
    ) -> list[np.ndarray]:
        """Return the arrays that a function computes from the module and its inputs.

        Parameters
        ----------
        function : callable
            Called with `module`, codes, numbers and sequences of each batch.
        arrays : FeatureArrays

        Returns
        -------
        results : list of ndarray with n_samples rows
        """
        net = self._state.net
        results = evaluate(net.module_, function, arrays, net.device)
        for each in results:
            _refuse_not_finite(each)
        return [each.numpy() for each in results]

    def map_rows(
        self, X, function: Callable[[np.ndarray], Sequence[np.ndarray | None]]
    ) -> list[np.ndarray | None]:
        """Return the rounded arrays of a function of logits, chunk by chunk.

        Parameters
        ----------
        X : {DataFrame, array-like} of shape (n_samples, n_features)
        function : callable
            Called with the logits of some rows, such as `answers`.
        """

        def of_chunk(arrays: FeatureArrays) -> list[np.ndarray | None]:
            return list(map(self._rounded, function(self.logits(arrays))))

        return self.map_arrays(X, of_chunk)

    def map_arrays(
        self, X, function: Callable[[FeatureArrays], list[np.ndarray | None]]
    ) -> list[np.ndarray | None]:
        """Return the arrays of a function of encoded rows, chunk by chunk."""
        X, encoder = self._check(X), self._state.encoder
        if len(X) <= _CHUNK:
            # Slicing all rows of a data frame costs as much as encoding one row.
            return function(encoder.encode(X))
        parts = []
        for start in range(0, len(X), _CHUNK):
            rows = slice(start, start + _CHUNK)
            chunk = X.iloc[rows] if hasattr(X, "iloc") else X[rows]
            parts.append(function(encoder.encode(chunk)))
        return [_joined(arrays) for arrays in zip(*parts, strict=True)]

    def _check(self, X):
        return check_X(self._state.parameters, X, reset=False)

    def _rounded(self, answer: np.ndarray | None) -> np.ndarray | None:
        """Return an answer in the precision of the network."""
        return None if answer is None else answer.astype(self.dtype, copy=False)


def _joined(arrays: Sequence[np.ndarray | None]) -> np.ndarray | None:
    return None if arrays[0] is None else np.concatenate(arrays)


def _refuse_not_finite(results: Tensor) -> None:
    """Raise if the network overflows, which large unscaled numbers cause."""
    if not bool(results.isfinite().all()):
        n_wrong = int((~results.isfinite().flatten(1).all(1)).sum())
        raise ValueError(
            "The network must return finite numbers for every row; found NaN or "
            f"infinity for {n_wrong} of {len(results)} rows. Scale the numeric columns "
            "in the preprocessor, and check these rows for huge numbers."
        )

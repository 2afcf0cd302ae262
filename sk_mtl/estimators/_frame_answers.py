"""Every answer of every task, as one table."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
from sklearn.utils.validation import check_is_fitted
from torch import Tensor, nn

from sk_mtl._positive_class import is_conventional, warn_positive_class
from sk_mtl.estimators._fitted_network import FittedNetwork
from sk_mtl.estimators._targets._class_column import ClassColumn
from sk_mtl.estimators._targets._target_column import TargetColumn
from sk_mtl.losses import FunnelStructure
from sk_mtl.nn import NetworkEnsemble
from sk_mtl.preprocessing import FeatureArrays


class FrameAnswers:
    """Mixin of estimators: a table with all of their answers."""

    def predict_frame(self, X, *, as_arrow: bool = False):
        """Return every answer of every task as one table.

        ====================== =======================================================
        column                 answer
        ====================== =======================================================
        ``<task>``             as from `predict`
        ``<task>_proba``       probability of the positive one of two classes
        ``<task>_proba_<c>``   probability of class c, of more than two
        ``<task>_rate``        conditional probability of a step of a funnel, such as a
                               conversion rate, as from `predict_conditional_proba`
        ``<task>_positive``    chance that a zero-inflated number is not zero
        ``<task>_q<level>``    quantile of a number that is learnt by `Quantile`
        ``<task>_std``         standard deviation of a number, or of the probability of
                               the positive class, among the members of an ensemble;
                               not for more than two classes
        ====================== =======================================================

        The columns of a task stand together, in this order. scikit-learn's
        ``set_output`` is for transformers and does not change it.

        Parameters
        ----------
        X : {DataFrame, array-like} of shape (n_samples, n_features)

        as_arrow : bool, default=False
            Return a table of pyarrow, which has no index.

        Returns
        -------
        answers : pandas.DataFrame or pyarrow.Table
            The rows of X, with its index if X is a pandas frame.

        Raises
        ------
        ValueError
            If two columns would have the same name, as the answers of the task "click"
            and the label of a task "click_proba".

        Examples
        --------
        The rates of a funnel in one call.

        >>> from sk_mtl import ESMMClassifier
        >>> from sk_mtl.datasets import make_conversion_funnel
        >>> X, y, _ = make_conversion_funnel(1000, random_state=0)
        >>> model = ESMMClassifier(max_epochs=1, n_members=1, random_state=0).fit(X, y)
        >>> list(model.predict_frame(X))[3:]
        ['conversion', 'conversion_proba', 'conversion_rate']
        """
        check_is_fitted(self)
        network = self.predictor_
        _warn_open_classes(network.targets.columns)
        writers = [
            _TaskWriter(network, k, column)
            for k, column in enumerate(network.targets.columns)
        ]
        names = [name for writer in writers for name in writer.names()]
        _check_unique(names)
        columns = network.map_arrays(X, lambda rows: _answer(network, writers, rows))
        table = dict(zip(names, columns, strict=True))
        if as_arrow:
            return pa.table(table)
        index = X.index if isinstance(X, pd.DataFrame) else None
        return pd.DataFrame(table, index=index)


class _TaskWriter:
    """The columns of one task."""

    def __init__(self, network: FittedNetwork, position: int, column: TargetColumn):
        self.position, self.column = position, column
        self._network = network
        self._n_classes = len(getattr(column, "classes", ()))
        self.is_step = isinstance(network.structure, FunnelStructure)
        self._has_spread = _has_members(network.module) and self._n_classes <= 2

    def names(self) -> list[str]:
        """Return the names of the columns."""
        task, output = str(self.column.name), self.column.output
        names = [task]
        if self._n_classes == 2:
            names.append(f"{task}_proba")
        elif self._n_classes:
            classes = self.column.sorted_classes.tolist()
            names += [f"{task}_proba_{each}" for each in classes]
        if self.is_step:
            names.append(f"{task}_rate")
        if output.zero_inflated:
            names.append(f"{task}_positive")
        names += [f"{task}_q{level:g}" for level in output.quantile_levels or ()]
        return names + [f"{task}_std"] * self._has_spread

    def values(self, answers, rates, by_member) -> list[np.ndarray]:
        """Return the columns.

        Parameters
        ----------
        answers, rates : list of ndarray of shape (n_samples, n_answers)
            Of every task; the log-probabilities of a step, given the one before.
        by_member : list of ndarray of shape (n_samples, n_members, n_answers)
        """
        network, output = self._network, self.column.output
        own = answers[self.position].astype(network.dtype, copy=False)
        columns = [self.column.decode(own)]
        if self._n_classes:
            proba = network.probabilities(answers)[self.position]
            columns += (
                [proba[:, self._positive]] if self._n_classes == 2 else [*proba.T]
            )
        if self.is_step:
            columns.append(np.exp(rates[self.position][:, 1]).astype(network.dtype))
        if output.zero_inflated:
            columns.append(np.exp(own[:, 1]))
        if output.quantile_levels:
            columns += [*self.column.decode_quantiles(own).T]
        if self._has_spread:
            numbers = self._main_number(by_member[self.position])
            columns.append(numbers.std(axis=1).astype(columns[self._main].dtype))
        return columns

    @property
    def _main(self) -> int:
        """The position of the column whose spread among members is shown."""
        return 1 if self._n_classes else 0

    @property
    def _positive(self) -> int:
        """The position of the positive class among the sorted ones."""
        return int(self.column.sorted_classes[1] == self.column.classes[1])

    def _main_number(self, answers: np.ndarray) -> np.ndarray:
        """Return what the members' spread is of, (n_samples, n_members)."""
        if self._n_classes:
            return np.exp(answers[:, :, 1])
        flat = answers.reshape(-1, answers.shape[2])
        return self.column.decode(flat).reshape(answers.shape[:2])


def _answer(
    network: FittedNetwork, writers: Sequence[_TaskWriter], rows: FeatureArrays
) -> list[np.ndarray]:
    """Return all columns of encoded rows."""
    logits, *members = network.evaluate(_logits, rows)
    answers, by_member = network.answers(logits), None
    rates = network.conditional_answers(logits) if writers[0].is_step else None
    if members:
        n_samples, n_members, n_heads = members[0].shape
        flat = network.answers(members[0].reshape(-1, n_heads))
        by_member = [each.reshape(n_samples, n_members, -1) for each in flat]
    return [
        column
        for writer in writers
        for column in writer.values(answers, rates, by_member)
    ]


def _logits(module: nn.Module, *inputs) -> list[Tensor]:
    """Return the logits, and the members' logits (n_samples, n_members, n_heads)."""
    if not _has_members(module):
        return [module(*inputs)]
    logits = module.member_logits(*inputs)
    chosen = logits if module.picks is None else logits[module.picks]
    return [module.average(logits), chosen.transpose(0, 1)]


def _has_members(module: nn.Module) -> bool:
    return isinstance(module, NetworkEnsemble)


def _check_unique(names: Sequence[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(
            "The columns of predict_frame must have names of their own; found "
            f"{twice} twice. Fit with other names of the tasks."
        )


def _warn_open_classes(columns: Sequence[TargetColumn]) -> None:
    """Warn where the positive class of two is a guess."""
    found = {
        column.name: column.classes
        for column in columns
        if isinstance(column, ClassColumn)
        and len(column.classes) == 2
        and column.pos_label is None
        and not is_conventional(column.classes)
    }
    if found:
        warn_positive_class("predict_frame needs", found, only_task=len(columns) == 1)

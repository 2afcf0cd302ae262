"""The base of the ensembles: fit, and the scikit-learn contract."""

import inspect
from abc import abstractmethod
from contextlib import suppress

import numpy as np
import pandas as pd
from sklearn.base import MetaEstimatorMixin
from sklearn.metrics import accuracy_score, r2_score
from sklearn.utils import Bunch, get_tags
from sklearn.utils.validation import check_is_fitted

from sk_mtl._labels import read_labels
from sk_mtl._sklearn_compat import (
    StrOptions,
    _BaseComposition,
    _fit_context,
)
from sk_mtl._versions import VersionedPickle
from sk_mtl.ensemble._fitted_parts import fit_part
from sk_mtl.ensemble._held_out import held_out_answers
from sk_mtl.ensemble._part_settings import PartSettings
from sk_mtl.ensemble._voted_tasks import (
    VotedRows,
    learn_tasks,
    read_rows_weight,
)
from sk_mtl.ensemble._votes import join_parts, least_loss_weights
from sk_mtl.ensemble._weights import given_weights, normalised

DROP = "drop"


class MultiTaskVoting(VersionedPickle, MetaEstimatorMixin, _BaseComposition):
    """Base of the ensembles of multi-task and single-label estimators.

    `fit` reads its arguments, finds the weights, fits every part to all rows and
    finally stores the fit.
    """

    _parameter_constraints = {
        "estimators": [list],
        "weights": [StrOptions({"auto"}), "array-like", dict, None],
        "cv": ["cv_object"],
    }

    #: Keywords of `fit` with an entry for each row of X. Tools that fit on a part of
    #: the rows must cut these to the same rows.
    row_aligned_keywords = ("sample_weight", "groups")

    def __init__(self, estimators, *, weights=None, cv=3):
        self.estimators = estimators
        self.weights = weights
        self.cv = cv

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, sample_weight=None, groups=None, classes=None):
        """Fit every estimator, and find the weights where they are "auto".

        Parameters
        ----------
        X : {DataFrame, array-like} of shape (n_samples, n_features)
            Handed to the estimators as it is.

        y : {DataFrame, array-like} of shape (n_samples,) or (n_samples, n_tasks)
            One column per task. NaN, None, masked entries and the `missing_label` of
            the multi-task estimators mean that the row has no label for that task.

        sample_weight : array-like of shape (n_samples,) or (n_samples, n_tasks), or \
                dict, default=None
            Weights of rows, or of rows per task, or by task name. A weight of 0 is the
            same as no label.

        groups : array-like of shape (n_samples,), default=None
            Rows of one group are kept together where rows are held out. Passed on to
            the estimators whose `fit` takes groups.

        classes : array-like, list of array-like or dict, default=None
            All classes, for rows that may not contain every class: an array for a 1-d
            `y`, a list with one array per task (None for a task of numbers), or a dict
            by task name.

        Returns
        -------
        self : object
            The fitted ensemble.
        """
        parts = self._checked_parts()
        settings = PartSettings.of(parts)
        table = read_labels(y)
        names = table.task_names(settings.task_names)
        weight = read_rows_weight(sample_weight, table.n_samples, names)
        kinds = self._has_classes(y, table, weight, settings, classes)
        tasks = learn_tasks(
            table, weight, kinds, settings, classes, hasattr(y, "columns")
        )
        rows = VotedRows.check(X, table, weight, groups, tasks)
        weights = self._part_weights(parts, rows, tasks)
        named = None
        if classes is not None:
            named = tasks.classes
        fitted = [fit_part(name, part, rows, tasks, named) for name, part in parts]
        answered = [[k in part.positions for k in range(len(names))] for part in fitted]
        part_names = [name for name, _ in parts]
        weights = normalised(weights, np.array(answered), part_names, names)
        self._keep(fitted, tasks, weights)
        return self

    def get_params(self, deep=True):
        """Return the parameters, with deep=True also of the estimators by name.

        Parameters
        ----------
        deep : bool, default=True

        Returns
        -------
        params : dict
        """
        return self._get_params("estimators", deep=deep)

    def set_params(self, **params):
        """Set parameters, of an estimator as ``net__lr``, or an estimator by its name.

        Parameters
        ----------
        **params : dict

        Returns
        -------
        self : object
        """
        self._set_params("estimators", **params)
        return self

    def predict(self, X):
        """Return the prediction of each task.

        Parameters
        ----------
        X : {DataFrame, array-like} of shape (n_samples, n_features)

        Returns
        -------
        predicted : ndarray of shape (n_samples,) or (n_samples, n_tasks)
            The likeliest class in the labels' own type, or the number.
        """
        columns = self._predicted(self._answers(X))
        if self._tasks.one_dimensional:
            return columns[0]
        if len({column.dtype.kind for column in columns}) > 1:
            columns = [pd.Series(c).astype(object).to_numpy() for c in columns]
        return np.stack(columns, axis=1)

    def score(self, X, y, sample_weight=None):
        """Return the mean over tasks of the accuracy, or of R² for tasks of numbers.

        Parameters
        ----------
        X : {DataFrame, array-like} of shape (n_samples, n_features)

        y : {DataFrame, array-like} of shape (n_samples,) or (n_samples, n_tasks)
            Missing labels are left out, and so are tasks without any label.

        sample_weight : array-like of shape (n_samples,) or (n_samples, n_tasks), or \
                dict, default=None
            As in `fit`.

        Returns
        -------
        score : float
        """
        answers, tasks, table = self._answers(X), self._tasks, read_labels(y)
        weight = read_rows_weight(sample_weight, table.n_samples, tasks.names)
        codes = tasks.encode(table, weight, strict=False)
        if not (~np.isnan(codes)).any():
            raise ValueError(
                "y must hold labels to score against; found only missing ones. Give "
                "rows with labels."
            )
        scores = []
        for k, answer in enumerate(answers):
            keep = ~np.isnan(codes[:, k])
            if not keep.any():
                continue
            own = None if weight is None else weight[keep, k]
            if tasks.classes[k] is None:
                score = r2_score(codes[keep, k], answer[keep], sample_weight=own)
            else:
                found = answer[keep].argmax(axis=1)
                score = accuracy_score(codes[keep, k], found, sample_weight=own)
            scores.append(score)
        return float(np.mean(scores))

    @property
    def named_estimators(self):
        """The estimators as they were given, by name."""
        return Bunch(**dict(self.estimators))

    @property
    def missing_label(self):
        """The label that the multi-task estimators take as missing."""
        return PartSettings.of(self._parts()).missing_label

    @property
    def n_features_in_(self):
        """The number of columns of X."""
        check_is_fitted(self)
        return self._n_features

    @abstractmethod
    def _has_classes(self, y, table, weight, settings, classes):
        """Return whether each task holds classes."""

    @abstractmethod
    def _check_part(self, name, estimator):
        """Raise for an estimator that cannot be a part."""

    def _parts(self):
        """Return the names and estimators of the parts that are not dropped."""
        return [(name, part) for name, part in self.estimators if not _dropped(part)]

    def _checked_parts(self):
        _check_list(self.estimators)
        self._validate_names([name for name, _ in self.estimators])
        parts = self._parts()
        if not parts:
            raise ValueError(
                "estimators must hold one that is not 'drop'; found only dropped ones. "
                "Set one of them to an estimator."
            )
        for name, part in parts:
            self._check_part(name, part)
        return parts

    def _part_weights(self, parts, rows, tasks):
        """Return the weight of each part for each task, (n_parts, n_tasks)."""
        names = [name for name, _ in self.estimators]
        each = given_weights(self.weights, names, tasks.names)
        kept = [not _dropped(part) for _, part in self.estimators]
        each = [None if own is None else own[kept] for own in each]
        if any(own is None for own in each):
            answers = held_out_answers(parts, rows, tasks, self.cv)
            each = [
                _learn_weights([own[k] for own in answers], rows, tasks, k)
                if weights is None
                else weights
                for k, weights in enumerate(each)
            ]
        return np.column_stack(each)

    def _keep(self, fitted, tasks, weights):
        """Take over a fit."""
        every = [part.estimator for part in fitted]
        names = [part.name for part in fitted]
        dropped = {name: DROP for name, part in self.estimators if _dropped(part)}
        first = next(
            model
            for each in every
            for model in (each.values() if isinstance(each, dict) else [each])
        )
        self._fitted, self._tasks = fitted, tasks
        self._n_features = getattr(first, "n_features_in_", None)
        self.estimators_ = every
        self.named_estimators_ = Bunch(**dict(zip(names, every)), **dropped)
        self.task_names_ = list(tasks.names)
        self.weights_ = pd.DataFrame(
            weights, names, pd.Index(tasks.names, tupleize_cols=False)
        )
        if hasattr(first, "feature_names_in_"):
            self.feature_names_in_ = first.feature_names_in_
        else:
            vars(self).pop("feature_names_in_", None)
        vars(self).update(self._attributes_of(tasks))

    def _attributes_of(self, tasks):
        """Return further attributes of a fit by name."""
        return {}

    def _rates(self, X):
        """Return the joined answers of each task; of steps given the one before."""
        check_is_fitted(self)
        answers = [part.answers(X, self._tasks) for part in self._fitted]
        return join_parts(answers, self.weights_.to_numpy())

    def _answers(self, X):
        """Return the answers of each task: log-probabilities, or numbers."""
        return self._rates(X)

    def _predicted(self, answers):
        """Return the predictions of each task in their own type."""
        return [
            answer if classes is None else classes[answer.argmax(axis=1)]
            for answer, classes in zip(answers, self._tasks.classes, strict=True)
        ]

    def __sklearn_is_fitted__(self):
        """Return whether there is a fit."""
        return "_fitted" in vars(self)

    def __sklearn_tags__(self):
        """Return scikit-learn's tags of the ensemble."""
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.target_tags.multi_output = True
        # The constructor takes anything; `fit` raises for what is no estimator.
        with suppress(Exception):
            inputs = [get_tags(part).input_tags for _, part in self._parts()]
            tags.input_tags.allow_nan = all(each.allow_nan for each in inputs)
            tags.input_tags.sparse = all(each.sparse for each in inputs)
            tags.input_tags.categorical = all(each.categorical for each in inputs)
        return tags


def _learn_weights(answers, rows, tasks, k):
    """Return the weights of least loss for one task."""
    usable = tasks.reached(rows.codes)[:, k] & ~np.isnan(rows.codes[:, k])
    able = [j for j, own in enumerate(answers) if own is not None]
    for j in able:
        usable &= ~np.isnan(answers[j].reshape(len(usable), -1)).any(axis=1)
    weights = np.zeros(len(answers))
    if able:
        weights[able] = least_loss_weights(
            [answers[j][usable] for j in able],
            rows.codes[usable, k],
            None if rows.weight is None else rows.weight[usable, k],
        )
    return weights


def _dropped(part):
    return isinstance(part, str) and part == DROP


def _check_list(estimators):
    pairs = isinstance(estimators, list | tuple) and all(
        isinstance(each, list | tuple) and len(each) == 2 and isinstance(each[0], str)
        for each in estimators
    )
    if not pairs or not estimators:
        raise ValueError(
            "estimators must be a list of names and estimators, such as [('net', "
            f"MMOEClassifier())]; found {estimators!r}. Name each estimator."
        )
    for name, part in estimators:
        if not _dropped(part) and (inspect.isclass(part) or not hasattr(part, "fit")):
            raise TypeError(
                f"estimators must hold instances with fit, or 'drop'; found {part!r} "
                f"for {name!r}. Give an estimator."
            )
    names = [name for name, _ in estimators]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(
            f"The names of estimators must differ; found {twice} more than once. "
            "Rename them."
        )

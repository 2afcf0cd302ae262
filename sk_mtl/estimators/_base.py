"""What every multi-task classifier does: fit, predict and the scikit-learn contract."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import joblib
import numpy as np
import torch
from sklearn.base import ClassifierMixin
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from sk_mtl._sklearn_compat import _fit_context
from sk_mtl.estimators._architecture import make_structure, resolve_early_stopping
from sk_mtl.estimators._inputs import check_same_length, check_weights, check_X
from sk_mtl.estimators._monitor import resolve_monitor
from sk_mtl.estimators._prediction import NetworkPredictor
from sk_mtl.estimators._random import isolated_random_state
from sk_mtl.estimators._splitting import NothingToHoldOutError, validation_rows
from sk_mtl.estimators._tables import LabelledRows, check_funnel
from sk_mtl.estimators._targets import (
    ClassTargets,
    check_class_counts,
    learn_targets,
)
from sk_mtl.estimators._training import NetworkTrainer
from sk_mtl.losses import FunnelStructure


def _is_funnel(estimator: MultiTaskClassifier) -> bool:
    if estimator.structure != "funnel":
        raise AttributeError(
            "predict_conditional_proba needs structure='funnel', whose steps build on "
            f"each other; found structure={estimator.structure!r}."
        )
    return True


@dataclass(kw_only=True, eq=False, repr=False)
class MultiTaskClassifier(ClassifierMixin, NetworkPredictor, NetworkTrainer):
    """Base of the multi-task classifiers: one network, one probability per task.

    Attributes
    ----------
    classes_ : list of ndarray, or ndarray
        The sorted classes of each task; a single array where `y` was 1-d.

    task_names_ : list of str
        The name of each column of `y`.

    preprocessor_ : transformer
        The preprocessor, fitted on the training part.

    schema_ : FeatureSchema
        Which encoded columns are categories and which are numbers.

    net_ : skorch.NeuralNet
        The trained network is ``net_.module_``.

    history_ : DataFrame
        One row per epoch: ``epoch``, ``seconds``, ``train_loss``, ``valid_loss`` (means
        over tasks), then each of them per task, and the monitored metric. Losses
        include sample and class weights and no task weights.

    n_iter_ : int
        Epochs trained.

    best_epoch_ : int
        The epoch whose weights were kept; the last one without validation rows.

    n_features_in_ : int
        Columns of `X`.

    feature_names_in_ : ndarray of str
        Names of the columns of `X`, where it has names.
    """

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(
        self,
        X,
        y,
        sample_weight=None,
        X_val=None,
        y_val=None,
        sample_weight_val=None,
        groups=None,
    ):
        """Train on a table with one column of labels per task.

        Parameters
        ----------
        X : {DataFrame, array-like} of shape (n_samples, n_features)
            Raw columns: numbers, text, categories. NaN is allowed.

        y : {DataFrame, array-like} of shape (n_samples,) or (n_samples, n_tasks)
            One column per task; labels of any type. NaN, None and `missing_label` mean
            that the row has no label for that task.

        sample_weight : array-like of shape (n_samples,) or (n_samples, n_tasks), \
                default=None
            Weights of rows, or of rows per task. None counts every row once.

        X_val, y_val : like X and y, default=None
            Validation rows for early stopping, instead of a part of `X`.

        sample_weight_val : like sample_weight, default=None
            Weights of the validation rows.

        groups : array-like of shape (n_samples,), default=None
            Rows of one group, for instance of one user, are kept together where a part
            of `X` is split off for validation.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If X, y or the weights do not fit each other or a parameter names an unknown
            task. An estimator that was fitted before is then left as it was.
        """
        with self._unchanged_on_failure():
            known = self.warm_start and hasattr(self, "net_")
            rows = self._check_rows(X, y, sample_weight, known=known)
            monitor = resolve_monitor(self.monitor, self._targets)
            train, valid = self._split(
                rows, X_val, y_val, sample_weight_val, groups, self._draw_seed(known)
            )
            self._seen = None
            self._train(train, valid, monitor, known=known, epochs=self.max_epochs)
            self._set_answers()
        return self

    @_fit_context(prefer_skip_nested_validation=False)
    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Train for one more pass over the given rows.

        The first call fits the preprocessing, which stays as it is from then on:
        categories that come up later are unknown, and columns that are constant in the
        first batch are left out for good. Its number of rows also decides on `n_bins`
        and `batch_norm` where they are "auto". Give a first batch that is large enough
        to show the categories.

        Parameters
        ----------
        X : {DataFrame, array-like} of shape (n_samples, n_features)

        y : {DataFrame, array-like} of shape (n_samples,) or (n_samples, n_tasks)

        classes : array-like, or list of array-like, default=None
            All classes of a 1-d `y`, or a list with those of each task, at the first
            call. None takes the classes of the first `y`.

        sample_weight : array-like of shape (n_samples,) or (n_samples, n_tasks), \
                default=None

        Returns
        -------
        self : object
            The estimator, trained further.
        """
        with self._unchanged_on_failure():
            known = hasattr(self, "net_")
            self._refuse_balanced()
            rows = self._check_rows(X, y, sample_weight, known=known, classes=classes)
            self._draw_seed(known)
            if not known:
                self._seen = None
            self._train(rows, None, None, known=known, epochs=None)
            self._set_answers()
        return self

    def predict(self, X):
        """Return the likeliest class of each task.

        Parameters
        ----------
        X : {DataFrame, array-like} of shape (n_samples, n_features)

        Returns
        -------
        labels : ndarray of shape (n_samples,) or (n_samples, n_tasks)
            In the labels' own type.
        """
        return self._fitted_targets().decode(self._predict_indices(X))

    def predict_proba(self, X):
        """Return the probability of every class of every task.

        Parameters
        ----------
        X : {DataFrame, array-like} of shape (n_samples, n_features)

        Returns
        -------
        proba : list of ndarray of shape (n_samples, n_classes)
            One array per column of y, its columns in the order of ``classes_``; a
            single array where y was 1-d.
        """
        check_is_fitted(self)
        log_proba = self._structure.log_proba
        return self._answer(self._map_logits(X, lambda z: _exp(log_proba(z))))

    def predict_log_proba(self, X):
        """Return the logarithm of the probabilities, computed without the detour.

        Parameters
        ----------
        X : {DataFrame, array-like} of shape (n_samples, n_features)

        Returns
        -------
        log_proba : list of ndarray of shape (n_samples, n_classes)
            As from `predict_proba`.
        """
        log_proba = self._predict_log_proba(X)
        for array in log_proba:
            # A probability that rounds to one has the logarithm of one.
            array[array >= -np.finfo(array.dtype).epsneg / 2] = 0
        return self._answer(log_proba)

    @available_if(_is_funnel)
    def predict_conditional_proba(self, X):
        """Return the probability of each step, given that the one before was reached.

        With click and conversion these are the click-through rate (CTR) and the
        conversion rate (CVR) of every row, clicked or not.

        Parameters
        ----------
        X : {DataFrame, array-like} of shape (n_samples, n_features)

        Returns
        -------
        proba : list of ndarray of shape (n_samples, 2)
            One array per step, as from `predict_proba`.
        """
        check_is_fitted(self)
        function = self._structure.conditional_log_proba
        return self._answer(self._map_logits(X, lambda z: _exp(function(z))))

    def score(self, X, y, sample_weight=None):
        """Return the mean over tasks of the accuracy on labelled rows.

        Parameters
        ----------
        X : {DataFrame, array-like} of shape (n_samples, n_features)

        y : {DataFrame, array-like} of shape (n_samples,) or (n_samples, n_tasks)
            Missing labels are left out; a task without any label does not count.

        sample_weight : array-like of shape (n_samples,) or (n_samples, n_tasks), \
                default=None

        Returns
        -------
        score : float
        """
        predicted = self._predict_indices(X)
        codes = self._fitted_targets().encode(y, strict=False)
        if len(codes) != len(predicted):
            raise ValueError(
                f"X and y must have the same number of samples; found {len(predicted)} "
                f"and {len(codes)}. Give one row of each per sample."
            )
        weight = check_weights(
            sample_weight, *codes.shape, task_names=self._targets.task_names
        )
        weight = np.ones(codes.shape) if weight is None else weight
        weight = np.where(np.isnan(codes), 0.0, weight)
        total = weight.sum(axis=0)
        if not total.any():
            raise ValueError(
                "y must hold labels to score against; found only missing ones. Give "
                "rows with labels."
            )
        right = (weight * (predicted == codes)).sum(axis=0)
        return float(np.mean(right[total > 0] / total[total > 0]))

    def __sklearn_tags__(self):
        """Return what scikit-learn should know about the estimator."""
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.target_tags.multi_output = True
        tags.classifier_tags.multi_class = self.structure != "funnel"
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        return tags

    def __dask_tokenize__(self):
        """Return a key that changes with the fitted state, not with parameters only.

        Dask reads a dataclass by its fields, and would hand out the answers of an
        earlier fit after a new one.
        """
        fitted = None
        if hasattr(self, "net_"):
            weights = self.net_.module_.state_dict()
            fitted = self.n_iter_, {k: v.cpu().numpy() for k, v in weights.items()}
        key = joblib.hash((self.get_params(deep=False), fitted))
        return type(self).__qualname__, key

    def _check_rows(self, X, y, weight, *, known: bool, classes=None) -> LabelledRows:
        """Return checked rows; learn features and targets unless they are known."""
        X = check_X(self, X, reset=not known)
        learn = partial(
            learn_targets, task_names=self.task_names, missing_label=self.missing_label
        )
        if not known:
            self._targets = learn(y, classes=classes)
        elif classes is not None:
            self._check_same_classes(learn(y, classes=classes))
        rows = LabelledRows.check(X, y, weight, self._targets)
        if classes is None and not known:
            check_class_counts(self._targets, rows.codes, rows.weight)
        self._structure = make_structure(self.structure, self._targets)
        if isinstance(self._structure, FunnelStructure):
            check_funnel(rows.codes, self._targets)
        return rows

    def _split(self, rows, X_val, y_val, weight_val, groups, seed: int):
        """Return the training rows, and the validation rows or None."""
        if (X_val is None) != (y_val is None):
            given, lacking = ("X_val", "y_val") if y_val is None else ("y_val", "X_val")
            raise ValueError(
                f"X_val and y_val must be given together; found {given} without "
                f"{lacking}. Give both, or neither."
            )
        if X_val is None and weight_val is not None:
            raise ValueError(
                "sample_weight_val must come with the rows that it weights; found it "
                "without X_val and y_val. Give all three, or drop it."
            )
        check_same_length(X=rows.X, groups=groups)
        if X_val is not None:
            X_val = check_X(self, X_val, reset=False, what="X_val")
            valid = LabelledRows.check(X_val, y_val, weight_val, self._targets, "_val")
            _check_labelled(valid, "y_val")
            return rows, valid
        if not resolve_early_stopping(
            self.early_stopping,
            len(rows),
            max_epochs=self.max_epochs,
            monitor=self.monitor,
        ):
            return rows, None
        try:
            return self._hold_out(rows, groups, seed)
        except NothingToHoldOutError as error:
            if self.early_stopping != "auto":
                raise
            warnings.warn(
                'early_stopping="auto" holds out no row, and all of them train. '
                f"{error}",
                stacklevel=2,
            )
            return rows, None

    def _hold_out(self, rows: LabelledRows, groups, seed: int):
        """Return the training and the validation rows."""
        # A splitter without a random_state of its own draws from NumPy's generator.
        with isolated_random_state(seed, torch.device("cpu")):
            train, valid = validation_rows(
                self.validation_split,
                rows.codes,
                rows.X,
                fraction=self.validation_fraction,
                groups=groups,
                seed=seed,
            )
        _check_labelled(rows.take(valid), "The validation part of y")
        return rows.take(train), rows.take(valid)

    def _set_answers(self) -> None:
        """Set the public attributes that describe y."""
        self.classes_ = self._answer(self._targets.classes)
        self.task_names_ = list(self._targets.task_names)

    def _predict_log_proba(self, X) -> list[np.ndarray]:
        check_is_fitted(self)
        return self._map_logits(X, self._structure.log_proba)

    def _predict_indices(self, X) -> np.ndarray:
        log_proba = self._predict_log_proba(X)
        return np.stack([p.argmax(axis=1) for p in log_proba], axis=1)

    def _fitted_targets(self) -> ClassTargets:
        check_is_fitted(self)
        return self._targets

    def _answer(self, arrays):
        """Return a list with one array per task, or the only one of a 1-d y."""
        arrays = list(arrays)
        return arrays[0] if self._targets.one_dimensional else arrays

    def _check_same_classes(self, given: ClassTargets) -> None:
        for name, old, new in zip(
            self._targets.task_names, self._targets.classes, given.classes, strict=True
        ):
            if not np.array_equal(old, new):
                raise ValueError(
                    f"classes of task {name!r} must be those of the first call, "
                    f"{old.tolist()}; found {new.tolist()}. Give the same classes, or "
                    "None."
                )

    def _refuse_balanced(self) -> None:
        given = self.class_weight
        if isinstance(given, Mapping):
            given = given.values()
        elif not isinstance(given, list | tuple):
            given = [given]
        if "balanced" in list(given):
            raise ValueError(
                "class_weight must hold numbers for partial_fit, which sees a part of "
                f"the rows; found {self.class_weight!r}. Compute the weights on all "
                "rows with sklearn.utils.compute_class_weight and give them as a dict."
            )

    @contextmanager
    def _unchanged_on_failure(self):
        """Give the estimator its former state back if the block raises."""
        before = self.__dict__.copy()
        try:
            yield
        except BaseException:
            self.__dict__.clear()
            self.__dict__.update(before)
            raise


def _exp(tensors: list[Tensor]) -> list[Tensor]:
    return [tensor.exp() for tensor in tensors]


def _check_labelled(rows: LabelledRows, what: str) -> None:
    weight = ~np.isnan(rows.codes)
    if rows.weight is not None:
        weight = weight * rows.weight
    if not weight.any():
        raise NothingToHoldOutError(
            f"{what} must hold labels with positive weight, to decide when to stop; "
            "found none. Give labelled validation rows, or set early_stopping=False."
        )

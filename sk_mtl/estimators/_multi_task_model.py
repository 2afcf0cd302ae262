"""What every multi-task estimator does: fit, and the scikit-learn contract."""

from __future__ import annotations

import copy
from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import joblib
import numpy as np
from sklearn.utils.validation import check_is_fitted

from sk_mtl._frames import is_arrow, is_frame
from sk_mtl._groups import group_names
from sk_mtl._labels import read_labels
from sk_mtl._sklearn_compat import _fit_context
from sk_mtl.estimators._atomic_fit import AtomicFit, answer_from_fit
from sk_mtl.estimators._gate_answers import GateAnswers
from sk_mtl.estimators._network_predictor import NetworkPredictor
from sk_mtl.estimators._network_trainer import NetworkTrainer
from sk_mtl.estimators._rows._inputs import check_same_length, check_X
from sk_mtl.estimators._rows._labelled_rows import LabelledRows
from sk_mtl.estimators._rows._row_split import (
    SplitPolicy,
    check_labelled,
    check_training_part,
    split_rows,
    without_untrained_classes,
)
from sk_mtl.estimators._scoring import score_answers
from sk_mtl.estimators._targets._targets import Targets
from sk_mtl.estimators._task_view import view_task
from sk_mtl.estimators._training._fit_tasks import FitTasks
from sk_mtl.estimators._training._monitor import resolve_monitor
from sk_mtl.losses import Structure


@dataclass(kw_only=True, eq=False, repr=False)
class MultiTaskModel(GateAnswers, AtomicFit, NetworkPredictor, NetworkTrainer):
    """Base of the estimators: one network, one answer per task.

    A subclass says in `_learn_targets` what a column of y is, in `_make_structure` what
    the logits mean, and answers.

    Attributes
    ----------
    task_names_ : list
        The name of each column of `y`, in its own type. Parameters are keyed by it;
        `history_` and messages show it as text.

    preprocessor_ : transformer
        The preprocessor, fitted on the training part.

    schema_ : FeatureSchema
        Which encoded columns are categories and which are numbers.

    net_ : skorch.NeuralNet
        The trained network is ``net_.module_``.

    history_ : DataFrame
        One row per epoch: ``epoch``, ``seconds``, ``train_loss``, ``valid_loss`` (means
        over tasks), then each of them per task, and the monitored metric. Losses
        include sample and class weights and no task weights. What else a model
        minimises is not in them and recorded as it is added to the training loss:
        ``train_<name>``, such as ``train_calibrator``, and the wiring's
        ``train_penalty``.

    n_iter_ : int
        Epochs trained.

    best_epoch_ : int
        The epoch whose weights were kept; the last one without validation rows.

    n_features_in_ : int
        Columns of `X`.

    feature_names_in_ : ndarray of str
        Names of the columns of `X`, where it has names.
    """

    #: Keywords of `fit` and `partial_fit` with an entry for each row of X, which tools
    #: that fit on a part of the rows must cut to it.
    row_aligned_keywords: ClassVar[tuple[str, ...]] = ("sample_weight", "groups")

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
        classes=None,
    ):
        """Train on a table with one column of labels per task.

        Parameters
        ----------
        X : {DataFrame, array-like} of shape (n_samples, n_features)
            Raw columns: numbers, text, categories. NaN is allowed. A list of dicts is
            a table with a column per key.

        y : {DataFrame, array-like} of shape (n_samples,) or (n_samples, n_tasks)
            One column per task; labels of any type. NaN, None, masked entries and
            `missing_label` mean that the row has no label for that task.

        sample_weight : array-like of shape (n_samples,) or (n_samples, n_tasks), or \
                dict, default=None
            Weights of rows, or of rows per task; the columns of a frame are found by
            the names of the tasks. A dict holds the weights of the rows by task, and
            tasks that it leaves out count 1. None counts every row once.

        X_val, y_val : like X and y, default=None
            Validation rows for early stopping, instead of a part of `X`.

        sample_weight_val : like sample_weight, default=None
            Weights of the validation rows.

        groups : array-like of shape (n_samples,), default=None
            Rows of one group, for instance of one user, are kept together where a part
            of `X` is split off for validation.

        classes : array-like, list of array-like or dict, default=None
            All classes of a 1-d `y`, a list with those of each task (None for a task of
            numbers), or a dict by task name, where these rows may lack some. A class
            without a row gets a probability near 0. None takes the classes of `y`:
            those of labels that are not missing and have a positive weight.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If X, y or the weights do not fit each other or a parameter names an unknown
            task. An estimator that was fitted before is then left as it was.

        KeyboardInterrupt
            If Ctrl-C ends the training. After the first epoch the estimator is fitted
            nonetheless, with the best weights so far; before, it is left as it was.
        """
        known = self.warm_start and hasattr(self, "net_")
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        tasks = FitTasks(
            self, lambda: self._attributes_so_far(new), X=X, y=y, metadata=metadata
        )
        with self._training_copy(resume=known) as new:
            rows = new._check_rows(X, y, sample_weight, known=known, classes=classes)
            monitor = resolve_monitor(new.monitor, new._targets)
            seed = new._draw_seed(known)
            train, valid = new._split(
                rows, X_val, y_val, sample_weight_val, groups, seed, known=known
            )
            new._seen = None
            new._train(
                train, valid, monitor, known=known, epochs=new.max_epochs, tasks=tasks
            )
            new._set_answers()
        tasks.end()
        return self

    @_fit_context(prefer_skip_nested_validation=False)
    def partial_fit(self, X, y, sample_weight=None):
        """Train for one more pass over the given rows.

        The first call fits the preprocessing and learns what the targets are, their
        types, classes and units, which stay as they are from then on. Give a first
        batch that is large enough to show them.

        Parameters
        ----------
        X : {DataFrame, array-like} of shape (n_samples, n_features)

        y : {DataFrame, array-like} of shape (n_samples,) or (n_samples, n_tasks)

        sample_weight : array-like of shape (n_samples,) or (n_samples, n_tasks), or \
                dict, default=None
            As of `fit`.

        Returns
        -------
        self : object
            The estimator, trained further.
        """
        self._fit_further(X, y, sample_weight)
        return self

    @answer_from_fit
    def predict(self, X):
        """Return what is predicted on each task.

        A row has the same label alone, in a table and in any order of its rows, but
        where two classes are equally likely to six digits; numbers agree to six digits.

        Parameters
        ----------
        X : {DataFrame, array-like} of shape (n_samples, n_features)

        Returns
        -------
        labels : ndarray of shape (n_samples,) or (n_samples, n_tasks)
            The likeliest class, in the labels' own type, or the number in the target's
            own units.
        """
        answers = self._predict_answers(X)
        return self._targets.decode(answers)

    @answer_from_fit
    def score(self, X, y, sample_weight=None):
        """Return the mean over tasks of the accuracy, or of R² where y holds numbers.

        Parameters
        ----------
        X : {DataFrame, array-like} of shape (n_samples, n_features)

        y : {DataFrame, array-like} of shape (n_samples,) or (n_samples, n_tasks)
            Missing labels are left out; a task without any label does not count. The
            columns of a frame are found by name. A class that `fit` did not see counts
            as wrong, and a label of another type than the classes is refused.

        sample_weight : array-like of shape (n_samples,) or (n_samples, n_tasks), or \
                dict, default=None
            As of `fit`.

        Returns
        -------
        score : float
        """
        answers = self._predict_answers(X)
        return score_answers(self._targets, answers, y, sample_weight)

    def task(self, name):
        """Return one task as a fitted estimator with a single output.

        scikit-learn's displays, calibration, thresholds, partial dependence and
        permutation importance take the view where they refuse a model of several
        tasks.

        Parameters
        ----------
        name : str
            The name of the task, one of ``task_names_``.

        Returns
        -------
        view : TaskClassifier or TaskRegressor
            A classifier or a regressor by the type of the task. It answers as the model
            does now: a later fit of the model leaves it as it is.

        Examples
        --------
        A threshold for one task.

        >>> from sk_mtl import MMOEClassifier
        >>> from sk_mtl.datasets import load_adult
        >>> from sklearn.model_selection import TunedThresholdClassifierCV
        >>> X, y = load_adult(return_X_y=True)
        >>> X, y = X[:1000], y[:1000]
        >>> model = MMOEClassifier(max_epochs=1, random_state=0).fit(X, y)
        >>> income = model.task("income")
        >>> income.predict_proba(X).shape
        (1000, 2)
        >>> tuned = TunedThresholdClassifierCV(income, cv="prefit", refit=False)
        >>> bool(0 < tuned.fit(X, y["income"]).best_threshold_ < 1)
        True
        """
        check_is_fitted(self)
        return view_task(copy.copy(self), name)

    def __sklearn_tags__(self):
        """Return what scikit-learn should know about the estimator."""
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.target_tags.multi_output = True
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        return tags

    def __dask_tokenize__(self):
        """Return a key that changes with the fitted state, not with parameters only.

        Dask reads a dataclass by its fields, and would hand out the answers of an
        earlier fit after a new one.
        """
        parameters, fitted = self.get_params(deep=False), None
        if hasattr(self, "net_"):
            weights = self.net_.module_.state_dict()
            fitted = self.n_iter_, {k: v.cpu().numpy() for k, v in weights.items()}
            # The caller's callbacks change no answer of a fit, and may have no hash.
            del parameters["callbacks"]
        key = joblib.hash((parameters, fitted))
        return type(self).__qualname__, key

    @abstractmethod
    def _learn_targets(self, y, classes=None, weight=None) -> Targets:
        """Return what labels of positive weight tell about y.

        `classes` may be given, as to `fit`.
        """

    @abstractmethod
    def _make_structure(self, targets: Targets) -> Structure:
        """Return what the logits mean."""

    def _check_labels(self, codes: np.ndarray) -> None:
        """Warn of labels that contradict the structure."""

    def _complete_labels(self, rows: LabelledRows, what: str = "y") -> LabelledRows:
        """Return the rows with labels that follow from others."""
        return rows

    def _fit_further(self, X, y, sample_weight, classes=None) -> None:
        """Train for one more pass over the given rows."""
        known = hasattr(self, "net_")
        with self._training_copy(resume=known) as new:
            rows = new._check_rows(X, y, sample_weight, known=known, classes=classes)
            new._draw_seed(known)
            if not known:
                new._seen = None
            new._train(rows, None, None, known=known, epochs=None)
            new._set_answers()

    def _check_rows(self, X, y, weight, *, known: bool, classes=None) -> LabelledRows:
        """Return checked rows; learn features and targets unless they are known."""
        X = check_X(self, X, reset=not known)
        if not known:
            check_same_length(X=X, y=read_labels(y).columns[0])
            self._targets = self._learn_targets(y, classes, weight)
        elif classes is not None:
            _check_same_classes(self._targets, self._learn_targets(y, classes))
        rows = LabelledRows.check(X, y, weight, self._targets)
        if not known:
            self._targets.check_counts(rows.codes, rows.weight)
        self._structure = self._make_structure(self._targets)
        self._check_labels(rows.codes)
        return self._complete_labels(rows)

    def _split(self, rows, X_val, y_val, weight_val, groups, seed: int, *, known: bool):
        """Return the training rows, and the validation rows or None."""
        _check_given_together(X_val, y_val, weight_val)
        if groups is not None:
            check_same_length(X=rows.X, groups=group_names(groups))
        before = getattr(self, "_held_out", None) if known else None
        if X_val is None:
            policy = SplitPolicy.of(self)
            train, valid, self._held_out = split_rows(
                rows, groups, policy, self._targets, seed, before
            )
        else:
            train = rows
            self._held_out = before and before.after_training(rows.X, groups)
            valid = self._check_validation_rows(X_val, y_val, weight_val)
        if valid is None or known:
            return train, valid
        check_training_part(train, self._targets)
        valid = without_untrained_classes(valid, train, self._targets)
        check_labelled(valid, "The validation part of y")
        return train, valid

    def _check_validation_rows(self, X_val, y_val, weight_val) -> LabelledRows:
        """Return the rows that the caller gave for validation."""
        _check_same_naming(X_val, hasattr(self, "feature_names_in_"))
        X_val = check_X(self, X_val, reset=False, what="X_val")
        valid = LabelledRows.check(X_val, y_val, weight_val, self._targets, "_val")
        check_labelled(valid, "y_val")
        return self._complete_labels(valid, "y_val")

    def _set_answers(self) -> None:
        """Set the public attributes that describe the training and y."""
        self.history_ = self.net_.history_frame()
        self.n_iter_, self.best_epoch_ = len(self.history_), self.net_.best_epoch
        self.task_names_ = list(self._targets.task_names)

    def _predict_answers(self, X) -> list[np.ndarray]:
        """Return what the network answers on each task, (n_samples, n_answers)."""
        return self._map_logits(X, self._structure.answers)

    def _answer(self, arrays):
        """Return a list with one array per task, or the only one of a 1-d y."""
        arrays = list(arrays)
        return arrays[0] if self._targets.one_dimensional else arrays


def _check_given_together(X_val, y_val, weight_val) -> None:
    """Raise where a part of what belongs to the validation rows is missing."""
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


def _check_same_naming(X_val, named: bool) -> None:
    """Raise where only one of X and X_val has names for its columns."""
    columns = [None]
    if is_frame(X_val):
        columns = X_val.schema.names if is_arrow(X_val) else list(X_val.columns)
    if all(isinstance(name, str) for name in columns) != named:
        found = "X has and X_val lacks them" if named else "X_val has and X lacks them"
        raise ValueError(
            "X and X_val must both have names for their columns, or neither; found "
            f"that {found}. Give both as data frames, or both as arrays."
        )


def _check_same_classes(known: Targets, given: Targets) -> None:
    for name, old, new in zip(
        known.task_names, known.classes, given.classes, strict=True
    ):
        if not np.array_equal(old, new):
            raise ValueError(
                f"classes of task {name!r} must be those of the first call, "
                f"{old.tolist()}; found {new.tolist()}. Give the same classes, or "
                "None."
            )

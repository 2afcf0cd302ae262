"""The base of the estimators: fit, and the scikit-learn contract."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any, ClassVar

import pandas as pd
from sklearn.utils.validation import check_is_fitted

from sk_mtl._labels import read_labels
from sk_mtl._sklearn_compat import _fit_context
from sk_mtl.estimators._atomic_fit import AtomicFit
from sk_mtl.estimators._automatic._auto_choice import is_auto
from sk_mtl.estimators._automatic._facts import Facts
from sk_mtl.estimators._automatic._resolution import plan_members, plans_to_hold_out
from sk_mtl.estimators._dask_key import tokenized
from sk_mtl.estimators._features._encoded_rows import EncodedRows, encode_rows
from sk_mtl.estimators._features._shared_rows import share_rows
from sk_mtl.estimators._fit_parameters import FitParameters
from sk_mtl.estimators._fit_state import FitState
from sk_mtl.estimators._frame_answers import FrameAnswers
from sk_mtl.estimators._gate_answers import GateAnswers
from sk_mtl.estimators._network_trainer import train_network
from sk_mtl.estimators._rows._given_validation import GivenValidation
from sk_mtl.estimators._rows._inputs import check_same_length, check_X, learnt_columns
from sk_mtl.estimators._rows._labelled_rows import LabelledRows
from sk_mtl.estimators._rows._member_split import refuse_given_rows, split_by_members
from sk_mtl.estimators._rows._row_split import (
    RowSplit,
    SplitPolicy,
    all_train,
    split_of_pass,
    split_rows,
)
from sk_mtl.estimators._scoring import score_answers
from sk_mtl.estimators._summary._shown_summary import ShownSummary
from sk_mtl.estimators._targets._targets import Targets
from sk_mtl.estimators._task_view import view_task
from sk_mtl.estimators._training._fit_clock import FitClock
from sk_mtl.estimators._training._fit_tasks import FitTasks
from sk_mtl.estimators._training._history import history_frame
from sk_mtl.estimators._training._monitor import resolve_monitor
from sk_mtl.estimators._training._random import FitSeed


@dataclass(kw_only=True, eq=False, repr=False)
class MultiTaskModel(FrameAnswers, GateAnswers, ShownSummary, AtomicFit, FitParameters):
    """Base of the estimators: one network, one answer per task.

    `fit` reads its arguments, splits and encodes the rows, trains a network and
    finally stores the state of the fit. Answers depend on that state only.

    Attributes
    ----------
    task_names_ : list
        The name of each column of `y`, in its original type. Parameters are keyed by
        these names; `history_` and messages show them as text.

    preprocessor_ : transformer
        The preprocessor, fitted on the training part.

    schema_ : FeatureSchema
        The encoded columns: categories, numbers and sequences.

    net_ : skorch.NeuralNet
        The trained network is ``net_.module_``.

    predictor_ : FittedNetwork
        The steps of a prediction: ``encode``, ``logits``, ``answers``, ``decode``.

    history_ : DataFrame
        One row per epoch: ``epoch``, ``seconds``, ``train_loss``, ``valid_loss`` (means
        over tasks), then both losses per task, and the monitored metric. Losses
        include sample and class weights but no task weights. Further terms that a
        model minimises have columns of their own, as added to the training loss:
        ``train_<name>``, such as ``train_calibrator``, and the wiring's
        ``train_penalty``.

    n_iter_ : int
        Epochs trained.

    best_epoch_ : int
        The epoch whose weights were kept; the last one without validation rows. The
        latest of several, if members were kept at different epochs.

    members_ : DataFrame
        One row for each of `n_members`: ``best_epoch``. With ``member_rows="folds"``
        also the monitored value of that epoch on the member's fold; with
        `member_params` the settings, this value on the validation rows, and ``weight``,
        the member's share of the average: 0 if it was dropped.

    stopped_by_ : str
        The reason why training ended: ``"epochs"`` (`max_epochs`),
        ``"early_stopping"``, ``"time_limit"``, ``"callback"``, ``"interruption"``
        (Ctrl-C), or ``"not_finite"`` if a loss became NaN or infinite.

    auto_ : dict
        The choices of the fit for parameters that are "auto": by the name of the
        parameter, a named tuple of the ``value`` and of its ``reason`` in a few words.
        A setting inside an object has a name such as
        ``"numeric_embedding__n_bins"``. The value of `sparse_embedding` is a tuple of
        columns.

    n_features_in_ : int
        Columns of `X`.

    feature_names_in_ : ndarray of str
        Names of the columns of `X`, where it has names.
    """

    #: Keywords of `fit` and `partial_fit` with an entry for each row of X. Tools that
    #: fit on a part of the rows must cut these to the same rows.
    row_aligned_keywords: ClassVar[tuple[str, ...]] = (
        *("sample_weight", "groups", "soft_labels"),
    )

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
        soft_labels=None,
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
            Weights of rows, or of rows per task; the columns of a frame are matched to
            the names of the tasks. A dict holds the weights of the rows by task; in
            tasks that it leaves out, every row has the weight 1. None gives every row
            the weight 1.

        X_val, y_val : like X and y, default=None
            Validation rows for early stopping, instead of a part of `X`.

        sample_weight_val : like sample_weight, default=None
            Weights of the validation rows.

        groups : array-like of shape (n_samples,), default=None
            Rows of one group, for instance of one user, are kept together when a part
            of `X` is split off for validation, and ranked together by a `monitor` such
            as ``"grouped_roc_auc"``.

        classes : array-like, list of array-like or dict, default=None
            All classes, for rows that may not contain every class: an array for a 1-d
            `y`, a list with one array per task (None for a task of numbers), or a dict
            by task name. A class without a row gets a probability near 0. None takes
            the classes of `y`, from labels that are not missing and have a positive
            weight.

        soft_labels : list of array-like, array-like of shape (n_samples, n_tasks), \
                DataFrame or dict, default=None
            A teacher's answers for the rows of `X`, mixed with the labels by
            `distillation`: what `predict_proba` returns, or a table with a column per
            task, which holds the probability of the positive class or a number in the
            target's own units, or a dict with either by task. Tasks that a dict leaves
            out have none, and NaN is no soft label for the row. In a funnel they are
            the probabilities of reaching a step, as `predict_proba` returns them: of a
            click and a conversion. Take a teacher that was fitted without the row
            (:func:`~sk_mtl.ensemble.distil`). Rows are held out, counted and scored by
            their labels alone.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If X, y and the weights do not match or a parameter names an unknown task.
            A previous fit of the estimator then stays in place.

        KeyboardInterrupt
            If Ctrl-C ends the training. After the first epoch the estimator is fitted
            nonetheless, with the best weights so far; earlier, it is left unchanged.
        """
        clock = FitClock.begin(self.time_limit)
        state = vars(self).get("_state") if self.warm_start else None
        parameters = self._parameters_now(state)
        validation = GivenValidation(X_val, y_val, sample_weight_val)
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        tasks = FitTasks(self._attributes_of)
        tasks.begin(self, X=X, y=y, metadata=metadata)
        with self._kept_if_interrupted(tasks):
            rows, targets = parameters._check_rows(
                state, X, y, sample_weight, groups, classes, soft_labels
            )
            monitor = resolve_monitor(parameters.monitor, targets)
            seed = FitSeed.draw(parameters.random_state, state and state.generator)
            split = parameters._split_rows(state, rows, targets, validation, seed)
            encoded = encode_rows(parameters, state, targets, split, seed)
            self._keep(
                train_network(
                    parameters,
                    state,
                    targets,
                    encoded,
                    seed=seed,
                    tasks=tasks,
                    clock=clock,
                    monitor=monitor,
                )
            )
        tasks.end()
        return self

    @_fit_context(prefer_skip_nested_validation=False)
    def encode_rows(
        self,
        X,
        y,
        sample_weight=None,
        X_val=None,
        y_val=None,
        sample_weight_val=None,
        groups=None,
        classes=None,
        soft_labels=None,
    ) -> tuple[EncodedRows, Targets]:
        """Return checked rows with encoded features, for several fits by `fit_rows`.

        The estimator does not change. Parameters of the network and its training may
        differ between the fits; parameters of the preprocessing and the tasks may not.

        Parameters
        ----------
        X, y : as of `fit`

        sample_weight, X_val, y_val, sample_weight_val, groups, classes, soft_labels : \
                as of `fit`, default=None

        Returns
        -------
        rows : EncodedRows
            The rows that train, and the rows that decide when to stop.

        targets : Targets
            The tasks, their classes and losses.
        """
        state = vars(self).get("_state") if self.warm_start else None
        parameters = self._parameters_now(state)
        validation = GivenValidation(X_val, y_val, sample_weight_val)
        rows, targets = parameters._check_rows(
            state, X, y, sample_weight, groups, classes, soft_labels
        )
        seed = FitSeed.draw(parameters.random_state, state and state.generator)
        split = parameters._split_rows(state, rows, targets, validation, seed)
        return encode_rows(parameters, state, targets, split, seed), targets

    def shares_rows(self, other) -> bool:
        """Return whether the rows that this estimator encodes train another one alike.

        If so, ``other.fit_rows(*self.encode_rows(X, y))`` equals ``other.fit(X, y)``,
        and a comparison of both encodes the rows once. It is False where `random_state`
        is no number, where parameters differ that may decide on the encoding, on the
        tasks or on the rows that are held out, and for classes with a `fit` of their
        own.

        Parameters
        ----------
        other : estimator

        Returns
        -------
        shares : bool
        """
        return share_rows(self, other, usual_fit=MultiTaskModel.fit)

    @_fit_context(prefer_skip_nested_validation=False)
    def fit_rows(self, rows, targets):
        """Train on rows that are encoded already.

        With a `random_state` that is a number, ``fit_rows(*encode_rows(X, y))`` equals
        ``fit(X, y)``. scikit-learn's callbacks hear of the fit without X and y.

        Parameters
        ----------
        rows : EncodedRows
            From `encode_rows` of this estimator, or of another one with the same
            preprocessing.

        targets : Targets
            The tasks, from there.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        clock = FitClock.begin(self.time_limit)
        state = vars(self).get("_state") if self.warm_start else None
        parameters = self._parameters_now(state)
        if not isinstance(rows, EncodedRows):
            raise TypeError(
                "rows must come from encode_rows, with targets; found a value of type "
                f"{type(rows).__name__}. Call fit_rows(*encode_rows(X, y)), or fit."
            )
        rows.check_same_targets(targets)
        rows.check_same_encoding(parameters)
        vars(parameters).update(learnt_columns(rows.parameters))
        known = state and state.encoder.preprocessor
        if known is not None and known is not rows.encoder.preprocessor:
            raise ValueError(
                "A fit that continues must have rows of the encoder of the first one; "
                "found rows of another. Encode them with encode_rows of this estimator."
            )
        if state is not None:
            # With the units of the first fit.
            targets = state.targets
        tasks = FitTasks(self._attributes_of)
        tasks.begin(self)
        with self._kept_if_interrupted(tasks):
            monitor = resolve_monitor(parameters.monitor, targets)
            seed = FitSeed.draw(parameters.random_state, state and state.generator)
            self._keep(
                train_network(
                    parameters,
                    state,
                    targets,
                    rows,
                    seed=seed,
                    tasks=tasks,
                    clock=clock,
                    monitor=monitor,
                )
            )
        tasks.end()
        return self

    @_fit_context(prefer_skip_nested_validation=False)
    def partial_fit(self, X, y, sample_weight=None, soft_labels=None):
        """Train for one more pass over the given rows.

        The first call fits the preprocessing and learns the types, classes and units of
        the targets, which then stay fixed. Use a first batch that is large enough to
        contain them.

        Parameters
        ----------
        X : {DataFrame, array-like} of shape (n_samples, n_features)

        y : {DataFrame, array-like} of shape (n_samples,) or (n_samples, n_tasks)

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
        self._fit_further(X, y, sample_weight, soft_labels=soft_labels)
        return self

    def predict(self, X):
        """Return the prediction of each task.

        The label of a row does not depend on the other rows or on their order, unless
        two classes are equally likely to six digits; numbers agree to six digits.

        Parameters
        ----------
        X : {DataFrame, array-like} of shape (n_samples, n_features)

        Returns
        -------
        labels : ndarray of shape (n_samples,) or (n_samples, n_tasks)
            The likeliest class, in the labels' own type, or the number in the target's
            own units.
        """
        network = self.predictor_
        return network.decode(network.map_rows(X, network.answers))

    def score(self, X, y, sample_weight=None):
        """Return the mean over tasks of the accuracy, or of R² for tasks of numbers.

        Parameters
        ----------
        X : {DataFrame, array-like} of shape (n_samples, n_features)

        y : {DataFrame, array-like} of shape (n_samples,) or (n_samples, n_tasks)
            Missing labels are left out, and so are tasks without any label. The columns
            of a frame are found by name. A class that was absent in `fit` counts as
            wrong; a label of another type than the classes is an error.

        sample_weight : array-like of shape (n_samples,) or (n_samples, n_tasks), or \
                dict, default=None
            As in `fit`.

        Returns
        -------
        score : float
        """
        network = self.predictor_
        answers = network.map_rows(X, network.answers)
        return score_answers(network.targets, answers, y, sample_weight)

    def task(self, name, conditional=False):
        """Return one task as a fitted estimator with a single output.

        scikit-learn's displays, calibration, thresholds, partial dependence and
        permutation importance accept the view, although they refuse a model of several
        tasks.

        Parameters
        ----------
        name : str
            The name of the task, one of ``task_names_``.

        conditional : bool, default=False
            Whether to answer with the conditional rate of a step of a funnel, as
            `predict_conditional_proba` does: the conversion rate of a click. Score such
            a view on the rows that reached the step before.

        Returns
        -------
        view : TaskClassifier or TaskRegressor
            A classifier or a regressor, depending on the type of the task. It keeps the
            model's current fit: fitting the model again does not change the view.

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
        return view_task(copy.copy(self), name, conditional)

    def __sklearn_tags__(self):
        """Return scikit-learn's tags of the estimator."""
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.target_tags.multi_output = True
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        return tags

    def __dask_tokenize__(self):
        """Return a key that changes with the fitted state as well as the parameters.

        Dask identifies a dataclass by its fields, and would return the answers of an
        earlier fit after a new one.
        """
        return tokenized(self)

    def _fit_further(self, X, y, sample_weight, classes=None, soft_labels=None) -> None:
        """Train for one more pass over the given rows."""
        clock, state = FitClock.begin(self.time_limit), vars(self).get("_state")
        parameters, tasks = self._parameters_now(state), FitTasks(self._attributes_of)
        with self._kept_if_interrupted(tasks):
            rows, targets = parameters._check_rows(
                state, X, y, sample_weight, None, classes, soft_labels
            )
            seed = FitSeed.draw(parameters.random_state, state and state.generator)
            known = state and state.member_folds
            split = split_of_pass(rows, state and state.held_out, known)
            encoded = encode_rows(parameters, state, targets, split, seed)
            self._keep(
                train_network(
                    parameters,
                    state,
                    targets,
                    encoded,
                    seed=seed,
                    tasks=tasks,
                    clock=clock,
                    is_pass=True,
                )
            )

    def _check_rows(
        self, state: FitState | None, X, y, sample_weight, groups, classes, soft_labels
    ) -> tuple[LabelledRows, Targets]:
        """Return checked rows and the tasks, which a first fit learns from the rows."""
        X = check_X(self, X, reset=state is None)
        if state is None:
            check_same_length(X=X, y=read_labels(y).columns[0])
            targets = self._learn_targets(y, classes, sample_weight)
        else:
            targets = state.targets
            if classes is not None:
                targets.check_same_classes(self._learn_targets(y, classes))
        rows = LabelledRows.check(
            X, y, sample_weight, groups, targets, soft_labels=soft_labels
        )
        if state is None:
            targets.check_counts(rows.codes, rows.weight)
        self._check_labels(rows, targets)
        return self._complete_labels(rows, targets), targets

    def _split_rows(
        self,
        state: FitState | None,
        rows: LabelledRows,
        targets: Targets,
        validation: GivenValidation,
        seed: FitSeed,
    ) -> RowSplit:
        """Return the training rows, and the rows that decide when to stop."""
        validation.check_complete()
        before = state and state.held_out
        if self.member_rows == "folds":
            split = self._split_by_members(state, rows, targets, validation, seed)
        elif validation.X is None:
            policy = self._split_policy(state, rows, targets)
            split = split_rows(rows, policy, targets, seed.value, before)
        else:
            valid = validation.read(self, targets)
            valid = self._complete_labels(valid, targets, "y_val")
            split = all_train(rows, before, valid)
        return split if state is not None else split.checked(targets)

    def _split_by_members(
        self,
        state: FitState | None,
        rows: LabelledRows,
        targets: Targets,
        validation: GivenValidation,
        seed: FitSeed,
    ) -> RowSplit:
        """Return all rows as training rows, each with its fold."""
        refuse_given_rows(validation.X)
        before = {} if state is None else state.resolution.choices
        n_members = plan_members(self, Facts.of_rows(rows, targets), before)
        folds = state and state.member_folds
        return split_by_members(rows, self, targets, n_members, seed.value, folds)

    def _split_policy(
        self, state: FitState | None, rows: LabelledRows, targets: Targets
    ) -> SplitPolicy:
        """Return the decision whether and how rows are held out."""
        is_funnel = self._step_parents(targets) is not None
        facts = Facts.of_rows(rows, targets, is_funnel=is_funnel)
        before = {} if state is None else state.resolution.choices
        return SplitPolicy(
            self.validation_split,
            self.validation_fraction,
            holds_out=plans_to_hold_out(self, facts, before),
            is_auto=is_auto(self.early_stopping),
        )

    def _attributes_of(self, state: FitState) -> dict[str, Any]:
        """Return the attributes that the estimator has after a fit."""
        history = history_frame(state.net.history)
        return {
            **learnt_columns(state.parameters),
            "task_names_": list(state.targets.task_names),
            "preprocessor_": state.encoder.preprocessor,
            "schema_": state.encoder.schema,
            "net_": state.net,
            "history_": history,
            "n_iter_": len(history),
            "best_epoch_": state.net.best_epoch,
            "stopped_by_": state.net.stopped_by,
            "auto_": dict(state.resolution.choices),
            "members_": _members_table(state),
            "_state": state,
        }


def _members_table(state: FitState) -> pd.DataFrame:
    """Return a row for each member."""
    columns = {"best_epoch": state.net.best_epoch, **state.net.members}
    index = pd.RangeIndex(state.resolution.parameters.n_members, name="member")
    return pd.DataFrame(columns, index=index)

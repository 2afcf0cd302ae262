"""Probabilities of each task that agree with observed rates."""

import numpy as np
from sklearn.utils.metaestimators import available_if

from sk_mtl._labels import (
    class_codes,
    is_missing,
    keep_labelled,
    label_list,
    plain_values,
    read_labels,
)
from sk_mtl._sklearn_compat import StrOptions
from sk_mtl._weights import weight_columns
from sk_mtl.calibration._fitted_network import innermost
from sk_mtl.calibration._funnel_steps import FunnelSteps
from sk_mtl.calibration._probability_calibrators import METHODS, fit_calibrator
from sk_mtl.calibration._task_wrapper import (
    CONSTRAINTS,
    TaskWrapper,
    as_list,
    replace_columns,
)


def _has_steps(calibrator):
    if hasattr(calibrator, "estimator_"):
        return calibrator.steps_ is not None
    return hasattr(innermost(calibrator.estimator), "predict_conditional_proba")


class TaskCalibrator(TaskWrapper):
    r"""Calibrated probabilities for each task of classes.

    Among rows that get a probability of 0.2, a fifth should be positive. The calibrator
    learns, task by task, a function from the model's probabilities to rates that were
    observed among rows that the model was not fitted to, by scikit-learn's
    `CalibratedClassifierCV`. Rows without a label for a task have no part in its
    function; tasks of numbers stay as they are.

    A funnel stays a funnel: the rate of each step is calibrated on the rows that
    reached the step before, and probabilities are the products of the calibrated rates.
    So click-and-conversion is at most as likely as the click in every row. Tasks of
    other structures are calibrated one by one.

    If `negative_sampling_rate` of the estimator says that negatives were thinned, the
    held-out rows are weighted to stand for all rows. With ``cv="prefit"`` give rows
    that are not thinned.

    Parameters
    ----------
    estimator : estimator
        A classifier with `predict_proba`, or a pipeline that ends in one. It is cloned
        unless ``cv="prefit"``.

    method : {"sigmoid", "isotonic", "temperature", "beta"}, default="sigmoid"
        The function. ``"sigmoid"`` scales and shifts the log-odds (Platt), ``"beta"``
        [1]_ is a sigmoid of :math:`a \log p - b \log(1 - p) + c`, which can also leave
        probabilities as they are at one end. ``"temperature"`` only scales the
        log-odds, all classes alike, and so cannot take back class weights; it needs
        scikit-learn 1.8. ``"isotonic"`` is any increasing function, for thousands of
        positive rows: it may answer 0 and 1. Except for ``"temperature"``, more than
        two classes are calibrated one against the rest, and divided by their sum.

    cv : int, splitter, iterable or "prefit", default=None
        How rows are held out, as of :func:`~sk_mtl.model_selection.out_of_fold_proba`:
        None makes five folds. The model that answers is fitted to all rows.
        ``"prefit"`` takes a fitted estimator, and the rows of `fit` should be new to
        it.

    n_jobs : int, default=None
        Number of folds to be fitted in parallel, through joblib; -1 uses all cores.

    Attributes
    ----------
    estimator_ : estimator
        The estimator, fitted to all rows.

    calibrators_ : dict of task name to callable
        The function of each task of classes, from probabilities of shape (n_samples,
        n_classes) to calibrated ones; of a step of a funnel, from rates to rates.

    steps_ : FunnelSteps or None
        The step that each step builds on, `parents`, and the column that means
        "reached", `positive`; None if the tasks are no funnel.

    task_names_ : list
        The name of each task.

    classes_ : list of ndarray, or ndarray
        The classes of the estimator.

    See Also
    --------
    TaskThresholdTuner : Decisions from probabilities.
    sklearn.calibration.CalibratedClassifierCV : A single task.

    References
    ----------
    .. [1] M. Kull, T. Silva Filho and P. Flach (2017). Beta calibration: a well-founded
       and easily implemented improvement on logistic calibration for binary
       classifiers. AISTATS.

    Examples
    --------
    The probabilities of naive Bayes are far too extreme.

    >>> from sklearn.metrics import brier_score_loss
    >>> from sklearn.multioutput import MultiOutputClassifier
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sk_mtl.calibration import TaskCalibrator
    >>> from sk_mtl.datasets import load_adult
    >>> X, y = load_adult(return_X_y=True)
    >>> X = X.select_dtypes("number")
    >>> bayes = MultiOutputClassifier(GaussianNB())
    >>> model = TaskCalibrator(bayes, method="beta", cv=3).fit(X[:2000], y[:2000])
    >>> married = y["married"][2000:4000]
    >>> for each in (model.estimator_, model):
    ...     proba = each.predict_proba(X[2000:4000])[1][:, 1]
    ...     print(round(brier_score_loss(married, proba), 2))
    0.18
    0.14
    """

    _parameter_constraints = {**CONSTRAINTS, "method": [StrOptions(set(METHODS))]}

    def __init__(self, estimator, method="sigmoid", *, cv=None, n_jobs=None):
        self.estimator = estimator
        self.method = method
        self.cv = cv
        self.n_jobs = n_jobs

    def predict(self, X):
        """Return the prediction of each task, the likeliest class after calibration.

        Parameters
        ----------
        X : {DataFrame, array-like} of shape (n_samples, n_features)

        Returns
        -------
        predicted : ndarray or DataFrame of shape (n_samples,) or (n_samples, n_tasks)
            As the estimator returns it.
        """
        model = self._fitted()
        each = zip(self.task_names_, self._classes(), as_list(self.predict_proba(X)))
        columns = {
            task: classes[proba.argmax(axis=1)]
            for task, classes, proba in each
            if classes is not None
        }
        return replace_columns(model.predict(X), self.task_names_, columns)

    def predict_proba(self, X):
        """Return the calibrated probability of every class of every task.

        Parameters
        ----------
        X : {DataFrame, array-like} of shape (n_samples, n_features)

        Returns
        -------
        proba : list of ndarray of shape (n_samples, n_classes), or ndarray
            As the estimator returns it, None for a task of numbers.
        """
        rates, steps = self._rates(X), self.steps_
        return self._as_given(rates if steps is None else steps.probabilities(rates))

    def predict_log_proba(self, X):
        """Return the logarithms of the calibrated probabilities.

        Parameters
        ----------
        X : {DataFrame, array-like} of shape (n_samples, n_features)

        Returns
        -------
        log_proba : list of ndarray of shape (n_samples, n_classes), or ndarray
            Minus infinity where an isotonic function is 0.
        """
        with np.errstate(divide="ignore"):
            return self._as_given(
                None if proba is None else np.log(proba)
                for proba in as_list(self.predict_proba(X))
            )

    @available_if(_has_steps)
    def predict_conditional_proba(self, X):
        """Return the calibrated rate of each step, given that its parent was reached.

        Parameters
        ----------
        X : {DataFrame, array-like} of shape (n_samples, n_features)

        Returns
        -------
        proba : list of ndarray of shape (n_samples, 2)
        """
        return self._as_given(self._rates(X))

    @property
    def pos_label_(self):
        """The positive class of each task for which the estimator names one."""
        return self._fitted().pos_label_

    def _rates(self, X):
        """Return calibrated probabilities of each task, of steps their rates."""
        probas = as_list(self._fitted().predict_proba(X))
        if self.steps_ is not None:
            probas = self.steps_.rates(probas)
        return [
            self.calibrators_[task](proba) if task in self.calibrators_ else None
            for task, proba in zip(self.task_names_, probas, strict=True)
        ]

    def _as_given(self, arrays):
        arrays = list(arrays)
        return arrays if isinstance(self.classes_, list) else arrays[0]

    def _check_names(self, names):
        """Nothing is set by task."""

    def _learn(self, model, tasks, y, proba, sample_weight):
        names, table = tasks.names, read_labels(y)
        columns = table.columns_of(names)
        weights = weight_columns(sample_weight, table.n_samples, names)
        probas, steps = as_list(proba), FunnelSteps.of(model)
        if steps is not None:
            probas = steps.rates(probas)
        calibrators = {}
        for k, (task, classes) in enumerate(zip(names, as_list(model.classes_))):
            if classes is None:
                continue
            keep, _ = keep_labelled(columns[k], weights[k], self.missing_label)
            where = ""
            parent = None if steps is None else steps.parents[k]
            if parent is not None:
                label = as_list(model.classes_)[parent][steps.positive[parent]]
                keep &= self._reached(columns[parent], label)
                where = f" in rows that reached {names[parent]!r}"
            labels = plain_values(columns[k][keep])
            codes = class_codes(labels, classes)
            _check_every_class(task, classes, codes, where)
            weight = None if weights[k] is None else weights[k][keep]
            calibrators[task] = fit_calibrator(
                self.method, probas[k][keep], codes, weight
            )
        return {"calibrators_": calibrators, "steps_": steps}

    def _reached(self, column, label):
        """Return which rows are known to have the label that means "reached"."""
        reached = ~is_missing(column, self.missing_label)
        labels = plain_values(column[reached])
        reached[reached] = np.asarray(labels == label, dtype=bool)
        return reached


def _check_every_class(task, classes, codes, where):
    """Raise unless each class of a task has a row, and each label is a class."""
    found = np.unique(codes)
    if len(found) < len(classes) or found[0] < 0:
        known = label_list(classes[found[found >= 0]])
        raise ValueError(
            f"Task {task!r} must have labels of each of its classes "
            f"{label_list(classes)}{where} to be calibrated; found {known or 'none'}. "
            "Give more rows."
        )

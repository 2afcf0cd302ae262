"""A threshold for each binary task, tuned on held-out probabilities."""

from collections.abc import Mapping
from numbers import Integral

import numpy as np
import pandas as pd

from sk_mtl._labels import label_list
from sk_mtl._positive_class import warn_positive_class
from sk_mtl._sklearn_compat import Interval
from sk_mtl._task_names import find_task
from sk_mtl.calibration._task_wrapper import (
    CONSTRAINTS,
    TaskWrapper,
    as_list,
    estimator_has,
    replace_columns,
)
from sk_mtl.calibration._threshold_scores import (
    candidate_thresholds,
    check_costs,
    check_scoring,
    threshold_scores,
)
from sk_mtl.metrics._complete_steps import complete_steps
from sk_mtl.metrics._fitted_tasks import FittedTasks


class TaskThresholdTuner(TaskWrapper):
    """Decisions by a tuned threshold for each binary task.

    A classifier predicts the positive class from a probability of 0.5 on, which
    is rarely the best decision for a rare event. The tuner keeps the probabilities and
    moves the threshold: that of a task maximises a score of the decisions, or minimises
    their cost, on probabilities of rows that the model was not fitted to. It is
    scikit-learn's `TunedThresholdClassifierCV` for several tasks. Tasks with
    more classes and tasks of numbers are predicted as before, and rows without a label
    for a task have no part in its threshold.

    The thresholds of the steps of a funnel are tuned independently, so that a row may
    be predicted as converted and not clicked.

    If `negative_sampling_rate` of the estimator says that negatives were thinned, the
    held-out rows are weighted to stand for all rows. With ``cv="prefit"`` give rows
    that are not thinned.

    Parameters
    ----------
    estimator : estimator
        A classifier with `predict_proba`, or a pipeline that ends in one. It is cloned
        unless ``cv="prefit"``.

    scoring : str, callable or dict, default="f1"
        The score to maximise: ``"f1"``, ``"balanced_accuracy"``, ``"accuracy"``,
        ``"jaccard"`` or ``"matthews_corrcoef"``, or a function ``score(y_true,
        y_pred)`` of labels and predicted labels in their own type, of which a greater
        value is better. It gets `pos_label` and `sample_weight` if it takes them. A
        dict holds one of these by task name; tasks left out keep their predictions.

    cv : int, splitter, iterable or "prefit", default=None
        How rows are held out, as of :func:`~sk_mtl.model_selection.out_of_fold_proba`:
        None makes five folds. ``"prefit"`` takes a fitted estimator, and the rows of
        `fit` should be new to it.

    costs : dict, default=None
        The cost of each outcome, numbers >= 0, such as ``{"fp": 1, "fn": 8}`` with
        keys ``"fp"``, ``"fn"``, ``"tp"`` and ``"tn"``; outcomes left out are free. The
        mean cost per row is minimised in place of `scoring`. A dict of such dicts holds
        them by task name; tasks left out take `scoring`.

    thresholds : int or array-like of shape (n_thresholds,), default=200
        The largest number of thresholds to try for a task, which are probabilities of
        its positive rows, or the thresholds themselves. A larger number is more exact
        and slower with a function as `scoring`.

    pos_label : label or dict, default=None
        The positive one of two classes, or a dict by task name. None takes the
        estimator's `pos_label_`, else 1 of 0 and 1, else the label that sorts last,
        with a `PositiveClassWarning`.

    n_jobs : int, default=None
        Number of folds to be fitted in parallel, through joblib; -1 uses all cores.

    Attributes
    ----------
    estimator_ : estimator
        The estimator, fitted to all rows.

    thresholds_ : dict of task name to float
        From this probability of the positive class on, a row is predicted as positive.
        Infinite where it is best to predict no row so.

    curves_ : dict of task name to DataFrame
        Columns `threshold` and `score`: the score, or the negative mean cost per row,
        of each threshold.

    pos_label_ : dict of task name to label
        The positive class of each task with a threshold.

    task_names_ : list
        The name of each task.

    classes_ : list of ndarray, or ndarray
        The classes of the estimator.

    See Also
    --------
    TaskCalibrator : Probabilities that agree with observed rates.
    sklearn.model_selection.TunedThresholdClassifierCV : A single binary task.

    Examples
    --------
    High earners are a quarter of the rows, and missing one costs as much as four false
    alarms.

    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from sk_mtl.calibration import TaskThresholdTuner
    >>> from sk_mtl.datasets import load_adult
    >>> X, y = load_adult(return_X_y=True)
    >>> X, y = X.select_dtypes("number")[:1000], y[:1000]
    >>> forest = RandomForestClassifier(n_estimators=20, random_state=0)
    >>> costs = {"income": {"fp": 1, "fn": 4}}
    >>> tuner = TaskThresholdTuner(forest, cv=3, costs=costs).fit(X, y)
    >>> sorted(tuner.thresholds_)
    ['income', 'married']
    >>> bool(tuner.thresholds_["income"] < 0.5)
    True
    >>> tuner.predict(X).shape
    (1000, 2)
    """

    _parameter_constraints = {
        **CONSTRAINTS,
        # Errors that name the task are raised once the tasks are known.
        "scoring": "no_validation",
        "costs": [dict, None],
        "thresholds": [Interval(Integral, 1, None, closed="left"), "array-like"],
        "pos_label": "no_validation",
    }

    def __init__(
        self,
        estimator,
        scoring="f1",
        *,
        cv=None,
        costs=None,
        thresholds=200,
        pos_label=None,
        n_jobs=None,
    ):
        self.estimator = estimator
        self.scoring = scoring
        self.cv = cv
        self.costs = costs
        self.thresholds = thresholds
        self.pos_label = pos_label
        self.n_jobs = n_jobs

    def predict(self, X):
        """Return the prediction of each task, of binary tasks by their thresholds.

        Parameters
        ----------
        X : {DataFrame, array-like} of shape (n_samples, n_features)

        Returns
        -------
        predicted : ndarray or DataFrame of shape (n_samples,) or (n_samples, n_tasks)
            As the estimator returns it.
        """
        model = self._fitted()
        probas, columns = as_list(model.predict_proba(X)), {}
        for task, threshold in self.thresholds_.items():
            k = self.task_names_.index(task)
            classes = self._classes()[k]
            position = label_list(classes).index(self.pos_label_[task])
            chosen = probas[k][:, position] >= threshold
            columns[task] = np.where(chosen, classes[position], classes[1 - position])
        return replace_columns(model.predict(X), self.task_names_, columns)

    @estimator_has("predict_proba")
    def predict_proba(self, X):
        """Return the estimator's probabilities, which thresholds do not change.

        Parameters
        ----------
        X : {DataFrame, array-like} of shape (n_samples, n_features)

        Returns
        -------
        proba : list of ndarray of shape (n_samples, n_classes), or ndarray
        """
        return self._fitted().predict_proba(X)

    @estimator_has("predict_log_proba")
    def predict_log_proba(self, X):
        """Return the logarithms of the estimator's probabilities.

        Parameters
        ----------
        X : {DataFrame, array-like} of shape (n_samples, n_features)

        Returns
        -------
        log_proba : list of ndarray of shape (n_samples, n_classes), or ndarray
        """
        return self._fitted().predict_log_proba(X)

    @estimator_has("predict_conditional_proba")
    def predict_conditional_proba(self, X):
        """Return the estimator's rates of the steps of a funnel.

        Parameters
        ----------
        X : {DataFrame, array-like} of shape (n_samples, n_features)

        Returns
        -------
        proba : list of ndarray of shape (n_samples, 2)
        """
        return self._fitted().predict_conditional_proba(X)

    def _check_names(self, names):
        for parameter, value in self._by_task().items():
            unknown = [task for task in value if find_task(task, names) is None]
            if unknown:
                raise ValueError(
                    f"{parameter} must be keyed by task names {names}; found "
                    f"{unknown}. Correct the names."
                )
        if isinstance(self.scoring, Mapping):
            for task, own in self.scoring.items():
                check_scoring(own, f"scoring of {task!r}")
        else:
            check_scoring(self.scoring)
        if self.costs is not None and "costs" not in self._by_task():
            check_costs(self.costs)
        for task, own in self._by_task().get("costs", {}).items():
            check_costs(own, f"costs of {task!r}")

    def _by_task(self):
        """Return the parameters that are dicts by task name."""
        by_task = {}
        if isinstance(self.scoring, Mapping):
            by_task["scoring"] = self.scoring
        if self.costs and all(isinstance(v, Mapping) for v in self.costs.values()):
            by_task["costs"] = self.costs
        return by_task

    def _scoring_of(self, task):
        """Return the score of a task: a name, a function or costs; None for none."""
        by_task = self._by_task()
        if task in by_task.get("costs", {}):
            return self.costs[task]
        if self.costs is not None and "costs" not in by_task:
            return self.costs
        return self.scoring.get(task) if "scoring" in by_task else self.scoring

    def _learn(self, model, tasks, y, proba, sample_weight):
        tasks = FittedTasks(model, complete_steps(model, y))
        classes = as_list(model.classes_)
        binary = [own is not None and len(own) == 2 for own in classes]
        named = {task for value in self._by_task().values() for task in value}
        wrong = [task for k, task in enumerate(tasks.names) if not binary[k]]
        if named & set(wrong):
            found = next(task for task in wrong if task in named)
            raise ValueError(
                "A threshold needs a task with two classes; found one set for "
                f"{found!r}, which has others. Leave it out of scoring and costs."
            )
        wanted = [
            k
            for k, task in enumerate(tasks.names)
            if binary[k] and self._scoring_of(task) is not None
        ]
        thresholds, curves, positive = {}, {}, {}
        if wanted:
            each = tasks.rows(
                None, wanted, sample_weight, lambda method: proba, self.pos_label
            )
        for k, rows in zip(wanted, each if wanted else [], strict=True):
            task = tasks.names[k]
            self._warn_if_open(task, rows)
            curves[task] = self._curve(task, rows)
            best = int(np.nanargmax(curves[task]["score"]))
            thresholds[task] = float(curves[task]["threshold"][best])
            positive[task] = label_list(rows.classes)[rows.positive]
        return {"thresholds_": thresholds, "curves_": curves, "pos_label_": positive}

    def _curve(self, task, rows):
        """Return the scores of the thresholds of one task."""
        positive = rows.codes == rows.positive
        if not positive.any() or positive.all():
            found = sorted(set(label_list(rows.labels)))
            raise ValueError(
                f"Task {task!r} must have labels of both classes to tune a threshold; "
                f"found {found or 'none'}. Give more rows, or leave it out with a dict "
                "as scoring."
            )
        proba = rows.answers[:, rows.positive]
        thresholds = candidate_thresholds(positive, proba, self.thresholds)
        scores = threshold_scores(self._scoring_of(task), rows, thresholds)
        return pd.DataFrame({"threshold": thresholds, "score": scores})

    def _warn_if_open(self, task, rows):
        if rows.is_open:
            warn_positive_class("A threshold needs", {task: rows.classes})

"""Views of one task of a fitted model, as estimators for scikit-learn's tools."""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from sk_mtl._task_names import find_task
from sk_mtl._versions import VersionedPickle
from sk_mtl.estimators._class_tasks import round_log_proba
from sk_mtl.estimators._scoring import score_answers
from sk_mtl.estimators._targets._class_column import ClassColumn
from sk_mtl.estimators._targets._target_column import TargetColumn
from sk_mtl.estimators._targets._targets import Targets
from sk_mtl.losses import FunnelStructure


def view_task(model, task, conditional: bool = False) -> TaskView:
    """Return the view of one task of a fitted model, or raise.

    Parameters
    ----------
    model : MultiTaskModel
        The model, which the view keeps.

    task : hashable
        The name of the task.

    conditional : bool, default=False
        Whether the view answers with the conditional rate of a step.
    """
    column = model.predictor_.targets.columns[_position_of(task, model.task_names_)]
    if conditional:
        if not isinstance(model.predictor_.structure, FunnelStructure):
            raise ValueError(
                "conditional=True needs a model that learns the rates of a funnel; "
                f"found task {task!r} of {type(model).__name__}. Fit a classifier with "
                "structure='funnel' or a dict of steps, such as ESMMClassifier."
            )
        return TaskClassifier(model, task, conditional=True)
    view = TaskClassifier if isinstance(column, ClassColumn) else TaskRegressor
    return view(model, task)


def _position_of(task, names) -> int:
    """Return the position of a task among the names, or raise."""
    position = find_task(task, names)
    if position is None:
        raise ValueError(
            f"The task must be one of {names}; found {task!r}. Use one of these names."
        )
    return position


class TaskView(VersionedPickle, BaseEstimator):
    """Base of the views: answers of a fitted model about one of its tasks.

    A view is fitted if its model is, and cannot be fitted itself. `clone` returns the
    view unchanged, like `sklearn.frozen.FrozenEstimator`.

    Parameters
    ----------
    model : MultiTaskModel
        The fitted model.

    task : hashable
        The name of the task.
    """

    def __init__(self, model, task):
        self.model = model
        self.task = task

    @property
    def n_features_in_(self) -> int:
        """The number of columns of X."""
        return self.model.n_features_in_

    @property
    def feature_names_in_(self) -> np.ndarray:
        """The names of the columns of X, where the model was fitted with names."""
        return self.model.feature_names_in_

    def fit(self, X, y=None, sample_weight=None):
        """Raise: the model is fitted, with all of its tasks.

        Parameters
        ----------
        X, y, sample_weight : ignored
        """
        raise ValueError(
            f"The view of task {self.task!r} answers for a fitted model and must not "
            "be fitted; found a call of fit. Wrap it in sklearn.frozen.FrozenEstimator "
            "for tools that fit what they are given, or fit the model and take its "
            "task again."
        )

    def predict(self, X) -> np.ndarray:
        """Return the model's predictions of the task.

        Parameters
        ----------
        X : {DataFrame, array-like} of shape (n_samples, n_features)

        Returns
        -------
        predicted : ndarray of shape (n_samples,)
            The likeliest class in its own type, or the number in the target's units.
        """
        return self._column().decode(self._answers(X))

    def score(self, X, y, sample_weight=None) -> float:
        """Return the accuracy, or R² of a task of numbers.

        Parameters
        ----------
        X : {DataFrame, array-like} of shape (n_samples, n_features)

        y : array-like of shape (n_samples,)
            Labels of the task; missing ones are left out.

        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        score : float
        """
        targets = Targets([self._column()], one_dimensional=True)
        return score_answers(targets, [self._answers(X)], y, sample_weight)

    def __sklearn_clone__(self):
        """Return the view itself, whose model is already fitted."""
        return self

    def __sklearn_is_fitted__(self) -> bool:
        """Return whether the model is fitted."""
        return hasattr(self.model, "task_names_")

    def __sklearn_tags__(self):
        """Return scikit-learn's tags: one output, the model's inputs."""
        tags = super().__sklearn_tags__()
        tags.input_tags = get_tags(self.model).input_tags
        tags.target_tags.required = True
        return tags

    def _column(self) -> TargetColumn:
        return self.model.predictor_.targets.columns[self._position()]

    def _answers(self, X) -> np.ndarray:
        network = self.model.predictor_
        answers = network.map_rows(X, lambda logits: self._answers_of(network, logits))
        return answers[self._position()]

    def _answers_of(self, network, logits) -> list[np.ndarray]:
        """Return the answers of all tasks, of which the view shows one."""
        return network.answers(logits)

    def _position(self) -> int:
        check_is_fitted(self)
        return _position_of(self.task, self.model.task_names_)


class TaskClassifier(ClassifierMixin, TaskView):
    """A task of classes of a fitted model, as a classifier with one output.

    Parameters
    ----------
    model : MultiTaskModel
        The fitted model.

    task : hashable
        The name of the task.

    conditional : bool, default=False
        Whether the answers are conditional rates of a step of a funnel. `score` then
        needs the rows that reached the step before.
    """

    def __init__(self, model, task, conditional=False):
        super().__init__(model, task)
        self.conditional = conditional

    # The mixin's own score does not handle missing labels.
    score = TaskView.score

    @property
    def classes_(self) -> np.ndarray:
        """The sorted classes of the task."""
        return self._column().sorted_classes

    @property
    def pos_label_(self) -> dict:
        """The positive class, by the name of the task, where the model names it."""
        named = self.model.pos_label_
        return {self.task: named[self.task]} if self.task in named else {}

    def predict_proba(self, X) -> np.ndarray:
        """Return the probability of every class.

        Parameters
        ----------
        X : {DataFrame, array-like} of shape (n_samples, n_features)

        Returns
        -------
        proba : ndarray of shape (n_samples, n_classes)
        """
        network = self.model.predictor_

        def proba(logits: np.ndarray) -> list[np.ndarray | None]:
            return network.probabilities(self._answers_of(network, logits))

        return network.map_rows(X, proba)[self._position()]

    def predict_log_proba(self, X) -> np.ndarray:
        """Return the logarithm of the probability of every class.

        Parameters
        ----------
        X : {DataFrame, array-like} of shape (n_samples, n_features)

        Returns
        -------
        log_proba : ndarray of shape (n_samples, n_classes)
        """
        return self._column().sort_answers(round_log_proba(self._answers(X)))

    def _answers_of(self, network, logits) -> list[np.ndarray]:
        if self.conditional:
            return network.conditional_answers(logits)
        return network.answers(logits)


class TaskRegressor(RegressorMixin, TaskView):
    """A task of numbers of a fitted model, as a regressor with one output."""

    # The mixin's own score does not handle missing labels.
    score = TaskView.score

"""An ensemble of classifiers of several tasks."""

import numpy as np
from sklearn.base import ClassifierMixin, is_classifier
from sklearn.utils.metaestimators import available_if

from sk_mtl._labels import read_labels
from sk_mtl.ensemble._part_settings import PartSettings
from sk_mtl.ensemble._voted_tasks import is_funnel, learn_tasks
from sk_mtl.ensemble._votes import multiply_steps
from sk_mtl.ensemble._voting import MultiTaskVoting


def check_classifier(name, estimator):
    """Raise unless an estimator is a classifier with probabilities."""
    if not hasattr(estimator, "predict_proba"):
        raise ValueError(
            f"Estimator {name!r} must have predict_proba, as logits are averaged; "
            f"found {type(estimator).__name__}, which has none. Wrap it in "
            "CalibratedClassifierCV, or set it to 'drop'."
        )


def _is_funnel(self):
    if "_tasks" in vars(self):
        steps = self._tasks.parents is not None
    else:
        steps = is_funnel(PartSettings.of(self._parts()).structure)
    if not steps:
        raise AttributeError(
            "predict_conditional_proba needs steps that build on each other; found "
            "only estimators of other structures. Set structure='funnel', or a dict "
            "of steps, of a multi-task estimator."
        )
    return True


class ClassVotes:
    """Mixin of ensembles with tasks of classes: their answers."""

    def find_classes(self, y):
        """Return the classes of each task of `y`, as `fit` takes them.

        Parameters
        ----------
        y : {DataFrame, array-like} of shape (n_samples,) or (n_samples, n_tasks)

        Returns
        -------
        classes : list of (ndarray or None), or ndarray
            The sorted classes, None for a task of numbers; a single one for a 1-d `y`.
        """
        settings, table = PartSettings.of(self._parts()), read_labels(y)
        kinds = self._has_classes(y, table, None, settings, None)
        tasks = learn_tasks(table, None, kinds, settings)
        return tasks.classes[0] if tasks.one_dimensional else tasks.classes

    def predict_proba(self, X):
        """Return the probability of every class of every task.

        Parameters
        ----------
        X : {DataFrame, array-like} of shape (n_samples, n_features)

        Returns
        -------
        proba : list of ndarray of shape (n_samples, n_classes)
            One array per column of y, its columns in the order of ``classes_``, and
            None for a task of numbers; a single array if y was 1-d.
        """
        return self._probabilities(self._answers(X))

    def _probabilities(self, answers):
        probas = [
            None if classes is None else np.exp(answer)
            for answer, classes in zip(answers, self._tasks.classes, strict=True)
        ]
        return probas[0] if self._tasks.one_dimensional else probas

    @property
    def pos_label_(self):
        """The positive class of the tasks for which the estimators name one."""
        found = {}
        for part in self._fitted:
            found |= getattr(part.estimator, "pos_label_", {})
        return found

    def _attributes_of(self, tasks):
        classes = tasks.classes
        return {"classes_": classes[0] if tasks.one_dimensional else classes}


class MultiTaskVotingClassifier(ClassVotes, ClassifierMixin, MultiTaskVoting):
    """Multi-task classifiers and single-label classifiers that vote on every task.

    A network and trees are often equally good on a table and err on different rows, so
    the mean of their logits is better than either. Multi-task classifiers are
    fitted as they are. A single-label classifier of any library is cloned for each task
    and fitted to the rows that have its label, so missing labels are no matter.

    With the probability :math:`p_{jc}` of class c by estimator j, and the weights
    :math:`w_j` of a task,

    .. math:: P_c \\propto \\exp \\sum_j w_j \\log p_{jc},

    for two classes the mean of the log-odds. Probabilities below 1e-7 count as 1e-7.

    The ensemble takes the meaning of y from its multi-task estimators: `structure`,
    `pos_label`, `missing_label` and `task_names`, which must not contradict each other.
    If one of them is a funnel, the ensemble is: the rates P(step | step before) are
    averaged and then multiplied along the steps, so that no step is likelier than the
    one that it builds on. A single-label classifier learns such a rate from the rows
    that reached the step before: that is the factor of the likelihood that the step
    owns, and a rate between 0 and 1, as a quotient of two models' answers need not be.
    An independent multi-task classifier contributes the quotient of its probabilities,
    at most 1.

    Parameters
    ----------
    estimators : list of (str, estimator)
        Names and classifiers with `predict_proba`, also pipelines and searches. An
        estimator may be ``"drop"``. Parameters are reached by name, as ``net__lr``.

    weights : None, "auto", array-like or dict, default=None
        What each estimator counts. None: all the same. An array of shape
        (n_estimators,) or (n_estimators, n_tasks), not negative. ``"auto"``: for each
        task the weights of least log-loss on held-out rows; every estimator is then
        fitted to all rows. A dict by task name holds one of these for each task; tasks
        left out have equal weights.

    cv : int, splitter or iterable of (train, test), default=3
        The rows held out for ``weights="auto"``, which takes one more fit of each
        estimator per fold. A number makes folds that are drawn with a fixed seed, with
        all classes in each and `groups` kept together.
        ``ShuffleSplit(1, test_size=0.2)`` holds out a fifth of the rows once.

    Attributes
    ----------
    estimators_ : list of estimator or dict
        The fitted estimators that are not dropped: a multi-task classifier, or a dict
        with the clone for each task by name.

    named_estimators_ : Bunch
        The same by name.

    weights_ : DataFrame of shape (n_estimators, n_tasks)
        The weights by name, which sum to 1 for each task. 0 where an estimator cannot
        learn a task, as where its rows have one class only.

    task_names_ : list
        The name of each column of `y`.

    classes_ : list of ndarray, or ndarray
        The sorted classes of each task; a single array if `y` was 1-d.

    n_features_in_ : int
        Columns of `X`.

    feature_names_in_ : ndarray of str
        Names of the columns of `X`, where it has names.

    See Also
    --------
    best_of : A network and trees for a table, ready to fit.
    MultiTaskVotingRegressor : Tasks of numbers.
    MultiTaskVotingEstimator : Classes and numbers together.

    Examples
    --------
    A network and one logistic regression per label.

    >>> from sklearn.linear_model import LogisticRegression
    >>> from sk_mtl import MMOEClassifier
    >>> from sk_mtl.datasets import load_adult
    >>> from sk_mtl.ensemble import MultiTaskVotingClassifier
    >>> X, y = load_adult(return_X_y=True)
    >>> X, y = X.select_dtypes("number")[:1000], y[:1000]
    >>> model = MultiTaskVotingClassifier([
    ...     ("net", MMOEClassifier(max_epochs=2, random_state=0)),
    ...     ("linear", LogisticRegression(max_iter=5000)),
    ... ])
    >>> [proba.shape for proba in model.fit(X, y).predict_proba(X)]
    [(1000, 2), (1000, 2)]
    >>> model.weights_.loc["net"].tolist()
    [0.5, 0.5]
    """

    # The mixin's own score does not handle missing labels.
    score = MultiTaskVoting.score

    @available_if(_is_funnel)
    def predict_conditional_proba(self, X):
        """Return the probability of each step, given that the one before was reached.

        Parameters
        ----------
        X : {DataFrame, array-like} of shape (n_samples, n_features)

        Returns
        -------
        proba : list of ndarray of shape (n_samples, 2)
            One array per step, as from `predict_proba`.
        """
        return self._probabilities(self._rates(X))

    def _answers(self, X):
        rates = self._rates(X)
        if self._tasks.parents is None:
            return rates
        return multiply_steps(rates, self._tasks)

    def _has_classes(self, y, table, weight, settings, classes):
        return [True] * len(table.columns)

    def _check_part(self, name, estimator):
        if not is_classifier(estimator):
            raise ValueError(
                f"Estimator {name!r} must be a classifier; found "
                f"{type(estimator).__name__}. Use MultiTaskVotingEstimator for classes "
                "beside numbers."
            )
        check_classifier(name, estimator)

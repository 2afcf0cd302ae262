"""An ensemble of estimators of tasks of different types."""

from collections.abc import Mapping

import pandas as pd
from sklearn.base import is_regressor

from sk_mtl.ensemble._voting import MultiTaskVoting
from sk_mtl.ensemble._voting_classifier import ClassVotes, check_classifier
from sk_mtl.estimators import MultiTaskEstimator
from sk_mtl.metrics._read_tasks import classes_per_task


class MultiTaskVotingEstimator(ClassVotes, MultiTaskVoting):
    """Estimators of tasks of different types, classes and numbers, that vote.

    Each estimator votes on the tasks that it can learn: a classifier on classes, a
    regressor on numbers, a `MultiTaskEstimator` on both. Single-label estimators are
    cloned for each task and fitted to the rows that have its label. Probabilities are
    joined as by :class:`MultiTaskVotingClassifier`, without its funnels, and numbers as
    by :class:`MultiTaskVotingRegressor`.

    Parameters
    ----------
    estimators : list of (str, estimator)
        Names and estimators: classifiers with `predict_proba`, regressors, and
        `MultiTaskEstimator`, whose `task_types` are the types of all. Without one, the
        types are inferred from the labels, as by ``task_types="auto"``. An estimator
        may be ``"drop"``. Parameters are reached by name, as ``net__lr``.

    weights : None, "auto", array-like or dict, default=None
        What each estimator counts, among those that can learn a task. None: all
        the same. An array of shape (n_estimators,) or (n_estimators, n_tasks), not
        negative. ``"auto"``: for each task the weights of least log-loss or squared
        error on held-out rows; every estimator is then fitted to all rows. A dict by
        task name holds one of these for each task; tasks left out have equal weights.

    cv : int, splitter or iterable of (train, test), default=3
        The rows held out for ``weights="auto"``, which takes one more fit of each
        estimator per fold. A number makes folds that are drawn with a fixed seed, with
        all classes in each and `groups` kept together.

    Attributes
    ----------
    estimators_ : list of estimator or dict
        The fitted estimators that are not dropped: a multi-task estimator, or a dict
        with the clone for each task by name.

    named_estimators_ : Bunch
        The same by name.

    weights_ : DataFrame of shape (n_estimators, n_tasks)
        The weights by name, which sum to 1 for each task. 0 where an estimator cannot
        learn a task.

    task_names_ : list
        The name of each column of `y`.

    classes_ : list of (ndarray or None), or ndarray
        The sorted classes of each task, None where it holds numbers.

    n_features_in_ : int
        Columns of `X`.

    feature_names_in_ : ndarray of str
        Names of the columns of `X`, where it has names.

    See Also
    --------
    best_of : A network and trees for a table, ready to fit.

    Examples
    --------
    Income as a class, hours as a number; trees for each.

    >>> from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
    >>> from sk_mtl import MultiTaskEstimator
    >>> from sk_mtl.datasets import load_adult
    >>> from sk_mtl.ensemble import MultiTaskVotingEstimator
    >>> X, y = load_adult(return_X_y=True)
    >>> X, y = X.select_dtypes("number")[:1000], y[["income"]][:1000]
    >>> y["hours"] = X.pop("hours_per_week")
    >>> model = MultiTaskVotingEstimator([
    ...     ("net", MultiTaskEstimator(max_epochs=2, random_state=0)),
    ...     ("classes", DecisionTreeClassifier(max_depth=3)),
    ...     ("numbers", DecisionTreeRegressor(max_depth=3)),
    ... ])
    >>> model.fit(X, y).weights_
             income  hours
    net         0.5    0.5
    classes     0.5    0.0
    numbers     0.0    0.5
    >>> model.predict(X).columns.tolist()
    ['income', 'hours']
    """

    def predict(self, X):
        """Return the prediction of each task.

        Parameters
        ----------
        X : {DataFrame, array-like} of shape (n_samples, n_features)

        Returns
        -------
        predicted : DataFrame or ndarray of shape (n_samples,) or (n_samples, n_tasks)
            The likeliest class in its own type, or the number; a DataFrame with one
            column per task if `y` was a DataFrame.
        """
        if not getattr(self, "_tasks", None) or not self._tasks.framed:
            return super().predict(X)
        columns = self._predicted(self._answers(X))
        index = X.index if isinstance(X, pd.DataFrame) else None
        return pd.DataFrame(
            dict(zip(self.task_names_, columns, strict=True)), index=index
        )

    def _has_classes(self, y, table, weight, settings, classes):
        if classes is not None and not isinstance(classes, Mapping):
            # The rows of a fold may look like another type than all rows do.
            names = table.task_names(settings.task_names)
            return [own is not None for own in classes_per_task(classes, names)]
        reader = MultiTaskEstimator(
            task_names=settings.task_names,
            missing_label=settings.missing_label,
            task_types=settings.task_types,
        )
        if weight is not None and not weight.all():
            y = pd.concat(
                [
                    pd.Series(column).where(own > 0)
                    for column, own in zip(table.columns, weight.T, strict=True)
                ],
                axis=1,
            ).set_axis(
                pd.Index(table.task_names(settings.task_names), tupleize_cols=False),
                axis=1,
            )
        found = reader.find_classes(y)
        found = found if isinstance(found, list) else [found]
        return [own is not None for own in found]

    def _check_part(self, name, estimator):
        if not is_regressor(estimator):
            check_classifier(name, estimator)
